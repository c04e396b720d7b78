"""The command `ibtrain claims`: the paper's nine claims, tested on finished runs."""

from pathlib import Path

import click
from rich.console import Console

import ibtrain
from ibtrain.command_line import data_option
from ibtrain.errors import ConfigError
from imeasure.command_line import example

_WRITERS = (".md", ".json", ".html")


@click.command(epilog=example("ibtrain claims runs/ --out claims.md"))
@click.argument("folders", nargs=-1, required=True, metavar="RUNS...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write a file: .md, .html or .json."
)
@click.option("--note", default="", help="How the runs were made, for the Markdown file.")
@data_option
def claims(folders: tuple[Path, ...], as_json: bool, out: Path | None, note: str, data_root: Path) -> None:
    """Test the paper's claims on the runs in folders that `reproduce`, `sweep` or `train` filled.

    Exit status 0 when the table was made, whatever the verdicts are.
    """
    kind = "" if out is None else out.suffix.lower()
    if out is not None and kind not in _WRITERS:
        raise ConfigError(f"cannot write the claims to {out}: the file must end in {', '.join(_WRITERS)}")
    every = ibtrain.claims.judge(ibtrain.records.collect(folders), data_root=data_root)
    if as_json:
        click.echo(ibtrain.claims.to_json(every))
    else:
        console = Console()
        for judged in every:
            console.print(ibtrain.claims.to_table(judged))
    if out is None:
        return
    if kind == ".md":
        text = ibtrain.claims.to_markdown(every, note=note)
    else:
        text = ibtrain.claims.to_json(every) + "\n" if kind == ".json" else ibtrain.page.claims_page(every, note=note)
    ibtrain.runs.write_text(out, text)
    if not as_json:
        click.echo(f"claims {out}")

"""The command `ibtrain report`: one page about runs, which works without a network."""

from pathlib import Path

import click

import ibtrain
from ibtrain.command_line import data_option
from imeasure.command_line import example


@click.command(epilog=example("ibtrain report runs/ --out report.html"))
@click.argument("folders", nargs=-1, required=True, metavar="RUNS...", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"), show_default=True)
@click.option("--title", default="Information bottlenecks", show_default=True)
@data_option
def report(folders: tuple[Path, ...], out: Path, title: str, data_root: Path) -> None:
    """Write one self-contained HTML page about the runs in folders that `reproduce`, `sweep` or `train` filled."""
    records = ibtrain.records.collect(folders)
    page = ibtrain.page.report_page(records, ibtrain.claims.judge(records, data_root=data_root), title=title)
    ibtrain.runs.write_text(out, page)
    runs = ibtrain.runs.in_words(len(records))
    click.echo(f"page {out}, {runs}, {len(page.encode()) / 1e6:.1f} MB")

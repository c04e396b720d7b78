"""The command: `python -m benchmarks` measures, compares with what is committed, and writes the page."""

import importlib
from pathlib import Path

import click

from benchmarks import page
from benchmarks.record import RESULTS, Record, read, regressions, write

NAMES = tuple(page.TITLES)
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmarks.md"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[NAME]...")
@click.option("--compare", is_flag=True, help="Report every ratio worse than the committed one by more than 20 %.")
@click.option("--page", "only_page", is_flag=True, help="Measure nothing, write the page and its pictures.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the JSON; benchmarks/results by default.")
@click.pass_context
def main(context: click.Context, names: tuple[str, ...], compare: bool, only_page: bool, out: Path | None) -> None:
    """Measure the benchmarks NAME, or all of them, next to their peers, and write one JSON file for each.

    Every peer must be there; benchmarks/peers.txt says how they are installed. With --compare nothing that is
    committed changes, and the exit status is 1 if a ratio got worse.
    """
    if only_page:
        page.write(PAGE, [record for name in NAMES if (record := read(name))])
        return
    worse = []
    for name in names or NAMES:
        record = importlib.import_module(f"benchmarks.{name}").measure()
        _show(record)
        if compare:
            before = read(name)
            worse += [f"{name}: {line}" for line in regressions(before, record)] if before else []
        if out or not compare:
            write(record, out or RESULTS)
    for line in worse:
        click.echo(f"worse by more than 20 %: {line}", err=True)
    context.exit(1 if worse else 0)


def _show(record: Record) -> None:
    click.echo(f"{record.benchmark}: {record.machine}, {record.date}")
    for figure in record.figures:
        ratio = "" if figure.ratio is None else f"   {figure.ratio:.3g} times"
        click.echo(f"  {figure.name}: {page.amount(figure.ours, figure.unit)}{ratio}")
    for note in record.notes:
        click.echo(f"  {note}")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")

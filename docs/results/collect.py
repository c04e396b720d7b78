"""Write beside these pages what `ibtrain reproduce` made: every figure's own rows, and its picture, drawn from them.

The rows have the columns of every results file, so `ibtrain.runs.read_rows` reads them. Figures that show ways over
epochs have all of these, the others the last one. Values have six digits.

Usage: python docs/results/collect.py runs/reproduce/digits docs/results/digits
       python docs/results/collect.py runs/other docs/results/digits --table other
"""

import argparse
import dataclasses
from collections.abc import Iterable
from pathlib import Path

from ibtrain.experiments import Experiment, figure_of
from ibtrain.records import collect, rows_of
from ibtrain.reproduce import draw_figure
from ibtrain.runs import Row, read_rows, write_rows

LARGEST = 300_000  # bytes of a picture
ACCURACIES = ("train accuracy", "test accuracy")
CROSS_ENTROPIES = ("decoder uncertainty", "decoder cross-entropy", "prediction cross-entropy")
QUANTITIES = {
    "fig1": ("I[X;Z]", "I[X;Y|Z]"),
    "fig3": (*CROSS_ENTROPIES, *ACCURACIES),
    "fig4": ("H[Z]", "decoder cross-entropy", *ACCURACIES),
    "fig5": ("H[Z]", "H[Z|Y]"),
    "fig6": ("I[X;Z]", "I[X;Y|Z]"),
    "table": (*CROSS_ENTROPIES, *ACCURACIES),
}
ENDS = ("fig5", "fig6", "table")
"""What shows the last epoch of each run alone."""


def own_rows(name: str, rows: Iterable[Row]) -> list[Row]:
    """Return the rows of a figure: those of what it shows, with six digits."""
    kept = [row for row in rows if row.quantity in QUANTITIES[name]]
    if name in ENDS:
        last = {}
        for row in kept:
            last[row.run, row.quantity] = max(row.epoch, last.get((row.run, row.quantity), 0))
        kept = [row for row in kept if row.epoch == last[row.run, row.quantity]]
    return [
        dataclasses.replace(row, value=rounded(row.value), standard_error=rounded(row.standard_error)) for row in kept
    ]


def rounded(value: float) -> float:
    """Return a number with six digits."""
    return float(f"{value:.6g}")


def write_figures(source: Path, target: Path) -> None:
    """Write table and picture of every figure of a preset; an SVG that is large becomes a PNG."""
    for folder in sorted(path.parent for path in source.glob("fig*/results.csv")):
        experiment = Experiment.load(folder)
        rows = own_rows(figure_of(experiment), read_rows(folder / "results.csv"))
        write_rows(target / f"{folder.name}.csv", rows)
        picture = target / f"{folder.name}.svg"
        draw_figure(experiment, rows, picture)
        if picture.stat().st_size > LARGEST:
            picture.unlink()
            draw_figure(experiment, rows, picture.with_suffix(".png"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--table", help="write one table of this name, of whatever runs there are")
    given = parser.parse_args()
    if given.table:
        write_rows(given.target / f"{given.table}.csv", own_rows("table", rows_of(collect([given.source]))))
    else:
        write_figures(given.source, given.target)

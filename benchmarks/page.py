"""The page of the benchmarks, from their records: a table for each, and a picture of each growth curve."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.charts import draw
from benchmarks.record import Figure, Record, cases

TITLES = {
    "prover": "Prover: public statements",
    "structures": "Prover: problems that grow",
    "simplify": "Canonical forms",
    "atoms": "Atoms of a distribution",
    "imports": "Import and first use",
    "losses": "Compiled losses",
    "steps": "A training step beside pixyz",
    "neighbours": "Nearest-neighbour entropies",
    "many_neighbours": "Nearest neighbours of many samples",
    "mixtures": "Entropies of Gaussian mixtures",
    "training": "Training throughput",
}
LEAD = """# Benchmarks

<!-- Written by `python -m benchmarks --page` from benchmarks/results; do not edit. -->

Every figure is taken next to a named peer's, in one run on one machine. The last column says **how many times as much
the peer needs**, so more is better for us, and less than 1 means that the peer is the better one. Seconds depend on the
machine and on what else it did; ratios do so less.

```sh
pip install -r benchmarks/peers.txt
python -m benchmarks                     # all of them, written to benchmarks/results
python -m benchmarks atoms --compare     # one of them; ratios worse than the committed ones by 20 % are reported
python -m benchmarks --page              # this page
```
"""
_UNITS = ((1.0, "s", 1.0), (1e-3, "ms", 1e3), (0.0, "µs", 1e6))


def amount(value: float, unit: str = "s") -> str:
    """Return seconds or MB as text, to three digits."""
    if unit == "s":
        _, unit, factor = next(entry for entry in _UNITS if value >= entry[0])
        value *= factor
    return f"{_digits(value)} {unit}"


def text(records: Iterable[Record]) -> str:
    """Return the page."""
    return "\n".join([LEAD, *(line for record in records for line in _section(record))])


def write(path: Path, records: Sequence[Record]) -> None:
    """Write the page, and the pictures into the folder `images/benchmarks` next to it."""
    path.write_text(text(records), encoding="utf-8")
    folder = path.parent / "images" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        for number, curve in enumerate(curves(record), 1):
            draw(folder / f"{record.benchmark}-{number}.svg", curve)


def curves(record: Record) -> list[list[Figure]]:
    """Return the figures of each case that has three places on an axis or more."""
    grouped = [figures for figures in cases(record.figures).values() if figures[0].axis]
    return [figures for figures in grouped if len({figure.at for figure in figures}) >= 3]


def _section(record: Record) -> Iterator[str]:
    yield f"## {TITLES[record.benchmark]}\n"
    yield f"{record.what}\n"
    yield from (f"- {note}" for note in record.notes)
    if record.notes:
        yield ""
    grouped = cases(record.figures)
    alone = [figure for figures in grouped.values() if not figures[0].axis for figure in figures]
    if alone:
        yield from _table("case", [(figure.case, figure) for figure in alone])
    for figures in grouped.values():
        if figures[0].axis:
            yield f"### {figures[0].case}\n"
            yield from _table(figures[0].axis, [(f"{figure.at:,}", figure) for figure in figures])
    for number, curve in enumerate(curves(record), 1):
        peers = " and ".join(dict.fromkeys(figure.peer for figure in curve if figure.peer))
        words = f"{curve[0].case} against {curve[0].axis}: here and {peers}"
        yield f"![{words}](images/benchmarks/{record.benchmark}-{number}.svg)\n"
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    yield f"{record.date}, {record.machine}; {versions}; `python -m benchmarks {record.benchmark}`.\n"


def _table(head: str, rows: Sequence[tuple[str, Figure]]) -> Iterator[str]:
    yield f"| {head} | here | peer | the peer needs | times as much |"
    yield "|---|---|---|---|---|"
    for first, figure in rows:
        theirs = "" if figure.theirs is None else amount(figure.theirs, figure.unit)
        ratio = "" if figure.ratio is None else _digits(figure.ratio)
        yield f"| {first} | {amount(figure.ours, figure.unit)} | {figure.peer} | {theirs} | {ratio} |"
    yield ""


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

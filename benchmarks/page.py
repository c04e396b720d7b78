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

Every figure is taken next to a named peer's, in one run on one machine. Beside what a peer needs stands **how many
times as much** that is, so more is better for us, and less than 1 means that the peer is the better one. Seconds depend
on the machine and on what else it did; ratios do so less.

```sh
pip install -r benchmarks/peers.txt && pip install --no-deps psitip==1.1.7 pixyz==0.3.3
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
    alone = [figure for figure in record.figures if not figure.axis]
    if alone:
        yield from _table(alone)
    drawn = {id(curve[0]): number for number, curve in enumerate(curves(record), 1)}
    for figures in grouped.values():
        first = figures[0]
        if not first.axis:
            continue
        yield f"### {first.case}\n"
        if id(first) in drawn:
            peers = " and ".join(dict.fromkeys(figure.peer for figure in figures if figure.peer))
            picture = f"images/benchmarks/{record.benchmark}-{drawn[id(first)]}.svg"
            yield f"![{first.case} against {first.axis}: here and {peers}]({picture})\n"
        yield from _growth(figures)
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    yield f"{record.date}, {record.machine}; {versions}; `python -m benchmarks {record.benchmark}`.\n"


def _table(figures: Sequence[Figure]) -> Iterator[str]:
    yield "| case | here | peer | the peer needs | times as much |"
    yield "|---|---|---|---|---|"
    for figure in figures:
        theirs = "" if figure.theirs is None else amount(figure.theirs, figure.unit)
        ratio = "" if figure.ratio is None else _digits(figure.ratio)
        yield f"| {figure.case} | {amount(figure.ours, figure.unit)} | {figure.peer} | {theirs} | {ratio} |"
    yield ""


def _growth(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield a table with a row for each place on the axis and a column for each peer."""
    peers = list(dict.fromkeys(figure.peer for figure in figures if figure.peer))
    yield f"| {figures[0].axis} | here | {' | '.join(peers)} |"
    yield "|---|---|" + "---|" * len(peers)
    for place in sorted({figure.at for figure in figures if figure.at is not None}):
        row = {figure.peer: figure for figure in figures if figure.at == place}
        ours = next(iter(row.values()))
        cells = [_beside(row.get(peer)) for peer in peers]
        yield f"| {place:,} | {amount(ours.ours, ours.unit)} | {' | '.join(cells)} |"
    yield ""


def _beside(figure: Figure | None) -> str:
    if figure is None or figure.theirs is None or figure.ratio is None:
        return ""
    return f"{amount(figure.theirs, figure.unit)}, **{_digits(figure.ratio)}** times"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

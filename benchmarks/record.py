"""What a benchmark found, as data: each figure beside a named peer's, and where both were taken.

A ratio says how many times as much the peer needs, of seconds or of memory, so more is better for us. Two records of
one benchmark are compared by their ratios, which depend less on the machine and its load than seconds do.
"""

import dataclasses
import datetime
import json
import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
TOLERANCE = 0.2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """What one case needs here and in a peer.

    Args:
        case: What was done.
        ours: What it needs here.
        peer: Who else did it; empty where no peer gets that far.
        theirs: What it needs there.
        axis: What grows from figure to figure: n, N, d, K; empty for a case that stands alone.
        at: Where on the axis this figure is.
        unit: s or MB.
    """

    case: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    axis: str = ""
    at: int | None = None
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """How many times as much the peer needs."""
        return None if self.theirs is None else self.theirs / self.ours

    @property
    def key(self) -> tuple[str, str, str, int | None]:
        """What makes two figures of different runs the same measurement."""
        return self.case, self.peer, self.unit, self.at

    @property
    def name(self) -> str:
        """The key in words."""
        place = f", {self.axis} = {self.at:,}" if self.axis else ""
        return f"{self.case}{place}" + (f", against {self.peer}" if self.peer else "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """The figures of one benchmark.

    Args:
        benchmark: Its name.
        what: What is measured, and how: sentences.
        figures: What was found, in the order of the page.
        versions: Versions of Python, of the peers and of what the figures depend on.
        notes: What has to be known to read the figures: sentences.
        date: When.
        machine: Where.
    """

    benchmark: str
    what: str
    figures: tuple[Figure, ...]
    versions: dict[str, str]
    notes: tuple[str, ...] = ()
    date: str = dataclasses.field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date().isoformat())
    machine: str = dataclasses.field(default_factory=lambda: f"{platform.machine()}, {os.cpu_count()} cores")


def versions_of(*packages: str) -> dict[str, str]:
    """Return the version of Python and those of packages that are installed."""
    found = {"Python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def write(record: Record, folder: Path = RESULTS) -> Path:
    """Write a record where `read` finds it."""
    data = dataclasses.asdict(record)
    data["figures"] = [
        {**{key: _short(value) for key, value in row.items()}, "ratio": _short(figure.ratio)}
        for row, figure in zip(data["figures"], record.figures, strict=True)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.benchmark}.json"
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(name: str, folder: Path = RESULTS) -> Record | None:
    """Return the record of a benchmark, or None where there is none."""
    path = folder / f"{name}.json"
    if not path.exists():
        return None
    data = json.loads(path.read_text(encoding="utf-8"))
    rows = [{key: value for key, value in row.items() if key != "ratio"} for row in data["figures"]]
    return Record(**{**data, "figures": tuple(Figure(**row) for row in rows), "notes": tuple(data["notes"])})


def regressions(before: Record, after: Record, tolerance: float = TOLERANCE) -> Iterator[str]:
    """Yield a sentence for every ratio that got worse by more than the tolerance, and for each that is gone."""
    found = {figure.key: figure for figure in after.figures}
    for old in before.figures:
        if old.ratio is None:
            continue
        new = found.get(old.key)
        if new is None or new.ratio is None:
            yield f"{old.name}: {old.ratio:.3g} before, not measured now"
        elif new.ratio < old.ratio / (1 + tolerance):
            yield f"{old.name}: {old.ratio:.3g} before, {new.ratio:.3g} now"


def cases(figures: Sequence[Figure]) -> dict[tuple[str, str], list[Figure]]:
    """Return the figures by case and unit, in order."""
    grouped: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        grouped.setdefault((figure.case, figure.unit), []).append(figure)
    return grouped


def _short(value: object) -> object:
    return float(f"{value:.4g}") if isinstance(value, float) else value

"""Results as tidy rows, and the folders that hold them.

A row is one number with everything a table needs to know about it. A run has a folder named by the hash of its
configuration; its results are written last and in one piece, so a folder with results is a finished run. Their checksum
lies beside them, so results that were cut short later are not taken for whole.
"""

import contextlib
import csv
import dataclasses
import hashlib
import io
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock

from ibtrain.config import Config
from ibtrain.errors import ConfigError
from imeasure import files


@dataclasses.dataclass(frozen=True)
class Row:
    """One measured number.

    Args:
        run: Digest of the run's configuration.
        epoch: Epoch after which it was measured, from 1.
        gamma: Weight of the regularizer.
        surrogate: The regularizer's surrogate.
        seed: The run's seed.
        quantity: What was measured.
        estimator: How.
        side: `upper` or `lower` where the value bounds the quantity, else `two-sided` or `exact`.
        value: The number; informations in nats, accuracies as shares.
        standard_error: Of the estimate; not a number where none is known.
        flags: What a reader must know, separated by semicolons.
        loss: What was minimised for the loss term H[Y|Z].
        latent: What makes Z random.
    """

    run: str
    epoch: int
    gamma: float
    surrogate: str
    seed: int
    quantity: str
    estimator: str
    side: str
    value: float
    standard_error: float = math.nan
    flags: str = ""
    loss: str = ""
    latent: str = ""


_CHECKSUM = "results.csv.sha256"

COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
"""Columns of every results file, in order."""

_WHOLE = 2**63  # whole numbers from here on fit in no table


def _whole(cell: str) -> int:
    value = int(cell)
    if abs(value) >= _WHOLE:
        raise ValueError("a number is too large")
    return value


_KINDS: dict[str, Callable[[str], Any]] = {
    "epoch": _whole,
    "seed": _whole,
    "gamma": float,
    "value": float,
    "standard_error": float,
}


def in_words(count: int) -> str:
    """Return a number of runs as text.

    Args:
        count: How many.

    Example:
        >>> in_words(1), in_words(24)
        ('1 run', '24 runs')
    """
    return f"{count} {'run' if count == 1 else 'runs'}"


def write_text(path: Path, text: str) -> None:
    """Write a text file in one piece, letters that UTF-8 lacks as numbers.

    Args:
        path: The file; its folder is made.
        text: The content.

    Raises:
        ConfigError: If it cannot be written.
    """
    files.write_bytes(path, text.encode(errors="backslashreplace"))


@contextlib.contextmanager
def results_lock(folder: Path) -> Iterator[None]:
    """Be the only process that renews what all runs of a folder gave: none writes what it read before another wrote.

    Args:
        folder: The folder of the sweeps; it is made.

    Raises:
        ConfigError: If the folder cannot be written.
    """
    lock = FileLock(folder / "results.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise files.unwritable(lock.lock_file, error) from None
    try:
        yield
    finally:
        lock.release()


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as a CSV file, in one piece.

    Args:
        path: The file.
        rows: What to write.
    """
    write_text(path, _table(rows))


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read rows from a CSV file that `write_rows` wrote.

    Args:
        path: The file.

    Raises:
        ConfigError: If it cannot be read, or is no such file.
    """
    content = files.read_bytes(path, "results")
    try:
        return _parsed(content.decode("utf-8"))
    except (TypeError, ValueError, csv.Error) as error:
        raise ConfigError(f"cannot read the results {path}: {error}; delete the file to compute them again") from None


def _parsed(text: str) -> tuple[Row, ...]:
    header, *lines = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    if tuple(header) != COLUMNS or not text.endswith("\n"):
        raise ValueError("it is empty, cut short, or no table of results of this version")
    for number, line in enumerate(lines, 1):
        if len(line) != len(COLUMNS):
            raise ValueError(f"row {number} has {len(line)} values for {len(COLUMNS)} columns")
    return tuple(
        Row(**{name: _KINDS.get(name, str)(cell) for name, cell in zip(COLUMNS, line, strict=True)}) for line in lines
    )


class Runs:
    """The runs below a folder.

    Args:
        folder: Where they are; it is made when the first one is stored.

    Example:
        >>> Runs("runs").folder(Config(seed=1)).parent.name
        'runs'
    """

    def __init__(self, folder: str | Path) -> None:
        self.root = Path(folder)

    def folder(self, config: Config) -> Path:
        """Return the folder of a run."""
        return self.root / config.digest

    def is_finished(self, config: Config) -> bool:
        """Say whether the run's results are there."""
        return (self.folder(config) / "results.csv").is_file()

    def finished(self) -> tuple[str, ...]:
        """Return the digests of all finished runs below the folder, sorted."""
        return tuple(sorted(path.parent.name for path in self.root.glob("*/results.csv")))

    def rows(self, digest: str) -> tuple[Row, ...]:
        """Return a finished run's results.

        Args:
            digest: The digest of its configuration.

        Raises:
            ConfigError: If they cannot be read, are not those that were stored, or are of another configuration.
        """
        _, rows = self.read(digest)
        if any(row.run != digest for row in rows):
            raise ConfigError(
                f"{self.root / digest / 'results.csv'} holds the results of {rows[0].run}, not of the run that its "
                "folder is named by: give the folder the name that it had, or delete it"
            )
        return rows

    def read(self, name: str) -> tuple[Config | None, tuple[Row, ...]]:
        """Return a finished run's configuration, None where it is not there, and its results.

        Args:
            name: The name of its folder, which whoever copied it may have chosen.

        Raises:
            ConfigError: If they cannot be read, are not those that were stored, or do not belong to each other.
        """
        path = self.root / name / "results.csv"
        rows = read_rows(path)
        try:
            noted = (path.parent / _CHECKSUM).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            noted = ""
        if noted != _checksum(path.read_bytes()):
            raise ConfigError(
                f"the results {path} are not those that were stored (the checksum beside them differs): "
                f"delete the folder {path.parent} to compute them again"
            )
        written = path.parent / "config.toml"
        if not written.is_file():
            return None, rows
        config = _loaded(written)
        if any(row.run != config.digest for row in rows):
            raise ConfigError(
                f"{written} was changed or written by another version: it is not the configuration {rows[0].run} whose "
                "results lie beside it; put it back, or delete the folder"
            )
        return config, rows

    def begin(self, config: Config) -> Path:
        """Make a run's folder and write its configuration, before it is trained.

        Args:
            config: What is run.

        Returns:
            The run's folder.

        Raises:
            ConfigError: If the folder holds another configuration, or a file cannot be written.
        """
        folder = self.folder(config)
        noted = folder / "config.toml"
        if noted.is_file() and _loaded(noted) != config:
            raise ConfigError(
                f"{noted} was changed: it is not the configuration {config.digest} that the folder is named by; put it "
                "back, or delete the folder"
            )
        write_text(noted, config.to_toml())
        return folder

    def store(self, config: Config, rows: Iterable[Row]) -> None:
        """Store the results of a run that `begin` began: their checksum first, themselves last.

        Args:
            config: What was run.
            rows: Its results.

        Raises:
            ConfigError: If a file cannot be written.
        """
        folder, results = self.folder(config), _table(rows)
        write_text(folder / _CHECKSUM, _checksum(results.encode()))
        write_text(folder / "results.csv", results)


def _loaded(path: Path) -> Config:
    try:
        return Config.load(path)
    except ConfigError as error:
        raise ConfigError(
            f"{path} was changed or written by another version: {error}; put it back, or delete the folder"
        ) from None


def _checksum(results: bytes) -> str:
    return f"{hashlib.sha256(results).hexdigest()}  results.csv\n"


def _table(rows: Iterable[Row]) -> str:
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(dataclasses.astuple(row) for row in rows)
    return "".join(lines)


class _Lines:
    """A file-like list, for the CSV writer."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def write(self, text: str) -> int:
        self.lines.append(text)
        return len(text)

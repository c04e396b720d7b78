"""Results as tidy rows, and the folders that hold them.

A row is one number with everything a table needs to know about it. A run has a folder named by the hash of its
configuration; its results are written last and in one piece, so a folder with results is a finished run.
"""

import csv
import dataclasses
import math
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ibtrain.config import Config
from ibtrain.errors import ConfigError


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


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
"""Columns of every results file, in order."""

_KINDS: dict[str, Callable[[str], Any]] = {
    "epoch": int,
    "seed": int,
    "gamma": float,
    "value": float,
    "standard_error": float,
}


def write_text(path: Path, text: str) -> None:
    """Write a file in one piece: a reader sees the old content or the new, never half of it.

    Args:
        path: The file; its folder is made.
        text: The content.

    Raises:
        ConfigError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error}; choose another folder or make room") from None


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as a CSV file, in one piece.

    Args:
        path: The file.
        rows: What to write.
    """
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(dataclasses.astuple(row) for row in rows)
    write_text(path, "".join(lines))


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read rows from a CSV file that `write_rows` wrote.

    Args:
        path: The file.

    Raises:
        ConfigError: If it cannot be read, or is no such file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(
                Row(**{name: _KINDS.get(name, str)(text) for name, text in line.items()})
                for line in csv.DictReader(file)
            )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"cannot read the results {path}: {error}; delete the file to compute them again") from None


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

    def rows(self, config: Config) -> tuple[Row, ...]:
        """Return a finished run's results.

        Raises:
            ConfigError: If they cannot be read.
        """
        return read_rows(self.folder(config) / "results.csv")

    def store(self, config: Config, rows: Iterable[Row], documents: dict[str, str]) -> None:
        """Store a finished run: documents and configuration first, the results last.

        Args:
            config: What was run.
            rows: Its results.
            documents: Further texts by file name.

        Raises:
            ConfigError: If a file cannot be written.
        """
        folder = self.folder(config)
        for name, text in {**documents, "config.toml": config.to_toml()}.items():
            write_text(folder / name, text)
        write_rows(folder / "results.csv", rows)


class _Lines:
    """A file-like list, for the CSV writer."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def write(self, text: str) -> int:
        self.lines.append(text)
        return len(text)

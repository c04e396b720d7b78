"""Finished runs gathered from folders: rows, with configuration and folder where they are there.

A folder may be a run's, a sweep's, or one that holds several of them; a table of results without run folders will do.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ibtrain.config import Config
from ibtrain.errors import ConfigError
from ibtrain.runs import Row, Runs, read_rows
from ibtrain.surrogates.registry import surrogate_label


@dataclasses.dataclass(frozen=True)
class Record:
    """One finished run.

    Args:
        digest: Digest of its configuration.
        rows: Its results.
        config: Its configuration; None where only a table of results is left.
        folder: Its folder, with its documents and its checkpoint; None where there is none.
    """

    digest: str
    rows: tuple[Row, ...]
    config: Config | None = None
    folder: Path | None = None


def collect(folders: Iterable[str | Path]) -> tuple[Record, ...]:
    """Return the finished runs in folders, each once.

    Args:
        folders: Folders of runs, sweeps or figures, or folders that hold such.

    Raises:
        ConfigError: If a folder has no results, a file cannot be read, or a run's results are not those it stored.

    Example:
        >>> import tempfile
        >>> from ibtrain.runs import Runs
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     runs = Runs(Path(folder) / "runs")
        ...     _ = runs.begin(Config())
        ...     runs.store(Config(), [Row(Config().digest, 1, 0.01, "LogVar[Z]", 0, "H[Z]", "mixture", "two-sided", 1)])
        ...     [record.config == Config() for record in collect([folder])]
        [True]
    """
    found: dict[str, Record] = {}
    for folder in map(Path, folders):
        tables = sorted(folder.rglob("results.csv"), key=lambda path: (not _is_run(path), path))
        if not tables:
            raise ConfigError(
                f"{folder} holds no results.csv: give the folder that a sweep or `ibtrain reproduce` wrote to, or one "
                "of its runs"
            )
        for table in tables:
            if _is_run(table) or not any(table.parent.glob("runs/*/results.csv")):
                for record in _records(table):
                    known = found.get(record.digest)
                    if known is None or _told(record) > _told(known):
                        found[record.digest] = record
    return tuple(found.values())


def _told(record: Record) -> tuple[bool, bool]:
    """Return how much lies beside a run's rows."""
    return record.folder is not None, record.config is not None


def rows_of(records: Iterable[Record]) -> tuple[Row, ...]:
    """Return the rows of all runs.

    Args:
        records: The runs.
    """
    return tuple(row for record in records for row in record.rows)


def run_name(row: Row) -> str:
    """Return how readers know a run: its regularizer, or without one what was minimised, gamma, seed, and its digest.

    Args:
        row: One of its rows.

    Example:
        >>> run_name(Row("ab12", 1, 0.1, "LogVar[Z]", 3, "H[Z]", "mixture", "two-sided", 1.0))
        'ab12 (log Var[Z], gamma 0.1, seed 3)'
    """
    minimised = f"{surrogate_label(row.loss)} minimised" if row.loss else "no regularizer"
    kind = surrogate_label(row.surrogate) if row.surrogate else minimised
    return f"{row.run} ({kind}, gamma {row.gamma:g}, seed {row.seed})"


def what_varies(configs: Sequence[Config]) -> dict[str, tuple[object, ...]]:
    """Return by key all values of what is not the same in all configurations.

    Args:
        configs: The configurations.

    Example:
        >>> what_varies([Config(), Config(seed=3)])
        {'seed': (0, 3)}
    """
    flat = [dict(_flat(config.to_mapping())) for config in configs]
    values = {key: tuple(dict.fromkeys(one[key] for one in flat)) for key in (flat[0] if flat else ())}
    return {key: several for key, several in values.items() if len(several) > 1}


def value_of(config: Config, key: str) -> object:
    """Return one value of a configuration.

    Args:
        config: The configuration.
        key: Its key, with dots between tables.
    """
    return dict(_flat(config.to_mapping()))[key]


def base_of(records: Sequence[Record]) -> tuple[Config | None, dict[str, tuple[object, ...]]]:
    """Return what the runs' configurations have in common, and what varies.

    Args:
        records: The runs; those without a configuration are left out.

    Returns:
        The first configuration, and by key all values of what is not the same in all of them.
    """
    configs = [record.config for record in records if record.config is not None]
    return (configs[0] if configs else None), what_varies(configs)


def _flat(mapping: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _is_run(table: Path) -> bool:
    return (table.parent / "config.toml").is_file() and not (table.parent / "sweep.toml").is_file()


def _records(table: Path) -> Iterator[Record]:
    if _is_run(table):
        config, rows = Runs(table.parent.parent).read(table.parent.name)
    else:
        noted = table.parent / "config.toml"
        config, rows = Config.load(noted) if noted.is_file() else None, read_rows(table)
    of_run: dict[str, list[Row]] = {}
    for row in rows:
        of_run.setdefault(row.run, []).append(row)
    for digest, own in of_run.items():
        if _is_run(table):
            yield Record(digest, tuple(own), config, table.parent)
        else:
            yield Record(digest, tuple(own), None if config is None else _as_row(config, own[0]))


def _as_row(base: Config, row: Row) -> Config:
    """Return the base of a sweep with what its rows say of one run."""
    options = [f"seed={row.seed}", f"objective.gamma={row.gamma}"]
    options += [f"bottleneck.kind={row.latent}"] if row.latent else []
    options += [f"objective.surrogate={row.surrogate}"] if row.surrogate else []
    options += [f"objective.loss={row.loss}"] if row.loss else []
    return base.with_options(options)

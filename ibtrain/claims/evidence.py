"""Rows of many runs as one table, cut to what a claim asks for.

Runs that differ only in seed, gamma, surrogate, loss and in how they were measured belong to one setting; where a claim
compares runs, it compares those of the largest setting.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ibtrain.claims.claim import Part, beside
from ibtrain.config import Config
from ibtrain.drawing.frames import frame
from ibtrain.records import Record, rows_of

METHODS = ("mixture", "exact", "knn", "gaussian")
"""Estimators by first word, the most trusted first; the first one that is there decides."""

ROUNDING = 1e-5
"""What is left to rounding in comparisons, in nats."""


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The runs on one data set.

    Args:
        data: Name of the data set.
        records: The runs.
        table: Their rows, as `ibtrain.drawing.frames.frame` returns them, and the column `setting`.
    """

    data: str
    records: tuple[Record, ...]
    table: pd.DataFrame

    def of(self, quantity: str) -> pd.DataFrame:
        """Return the rows of a quantity that have a value."""
        return self.table[(self.table["quantity"] == quantity) & self.table["value"].notna()]


def by_data(records: Sequence[Record]) -> tuple[Evidence, ...]:
    """Return the runs of each data set.

    Args:
        records: Finished runs.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(data_name(record.config), []).append(record)
    return tuple(_evidence(name, tuple(group)) for name, group in groups.items())


def _evidence(name: str, records: tuple[Record, ...]) -> Evidence:
    table = frame(rows_of(records))
    table["setting"] = [setting for one in records for setting in [_setting(one.config)] * len(one.rows)]
    return Evidence(name, records, table)


def data_name(config: Config | None) -> str:
    """Return how the data set of a run is called.

    Example:
        >>> data_name(Config())
        'digits'
    """
    if config is None:
        return "unnamed data"
    return f"images {config.data.folder}" if config.data.name == "images" else config.data.name


def _setting(config: Config | None) -> str:
    if config is None:
        return ""
    same = {"seed": 0, "plane": {}, "objective": {"statement": config.objective.statement}}
    return Config.from_mapping({**config.to_mapping(), **same}).digest


def largest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the setting with the most runs."""
    if table.empty:
        return table
    counts = table.groupby("setting", sort=False)["run"].nunique()
    return table[table["setting"] == counts.idxmax()]


def methods(table: pd.DataFrame) -> list[str]:
    """Return the estimators that are there, the one that decides first."""
    there = set(table["method"])
    return [method for method in METHODS if method in there]


def by_method(table: pd.DataFrame, measure: Callable[[pd.DataFrame, str], Sequence[Part]]) -> list[Part]:
    """Return what is measured with each estimator: the most trusted one that has anything decides, others do not.

    Args:
        table: Rows by several estimators.
        measure: Takes the rows by one estimator and its name, and returns parts of a claim.
    """
    parts: list[Part] = []
    for method in methods(table):
        found = measure(table[table["method"] == method], method)
        parts += map(beside, found) if parts else found
    return parts


def paired(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return two quantities of the same run, epoch and, where both have one, estimator side by side.

    Returns:
        Columns of `first`, and `value_2`, `standard_error_2`.
    """
    keys = ["run", "epoch"]
    if set(second["method"]) <= set(METHODS) and set(first["method"]) <= set(METHODS):
        keys.append("method")
    other = second[[*keys, "value", "standard_error"]]
    return first.merge(other, on=keys, suffixes=("", "_2"))


def pooled(table: pd.DataFrame) -> tuple[float, float]:
    """Return the mean over seeds and its standard error: of the measurement or of the seeds, whichever is larger.

    Args:
        table: One row for each seed.

    Example:
        >>> mean, error = pooled(pd.DataFrame({"value": [1.0, 3.0], "standard_error": [0.1, 0.1]}))
        >>> mean, round(error, 3)
        (2.0, 1.0)
    """
    values, errors = table["value"].to_numpy(), table["standard_error"].fillna(0.0).to_numpy()
    measured = float(np.sqrt((errors**2).sum())) / len(values)
    between = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.mean()), max(measured, between)


def counted(table: pd.DataFrame) -> dict[str, Any]:
    """Return how many seeds and runs a table has, as fields of a part."""
    return {"seeds": int(table["seed"].nunique()), "runs": int(table["run"].nunique())}


def spread(values: "pd.Series[float]", *, over: str = "seeds") -> str:
    """Return the range of values as text.

    Example:
        >>> spread(pd.Series([0.1, 0.25]))
        '0.1 to 0.25 over seeds'
    """
    if len(values) < 2:
        return "one value"
    return f"{values.min():.3g} to {values.max():.3g} over {over}"

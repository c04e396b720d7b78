"""Tidy rows as tables, and what every picture shares: colours, labels, quartiles over seeds, atomic files."""

import io
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ibtrain.errors import ConfigError
from ibtrain.runs import COLUMNS, Row, write_bytes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Colours that are told apart by colour-blind readers too (Okabe and Ito, 2008)."""


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Return rows as a table, one column for each field, and `method`: the first word of the estimator.

    Args:
        rows: Results.

    Raises:
        ConfigError: If there are none.
    """
    table = pd.DataFrame.from_records(map(attrgetter(*COLUMNS), rows), columns=COLUMNS)
    if table.empty:
        raise ConfigError("there is nothing to draw yet: no run has results")
    table["method"] = table["estimator"].str.split(",").str[0]
    return table


def wanted(table: pd.DataFrame, quantities: Sequence[str]) -> pd.DataFrame:
    """Return the rows of some quantities that have a value.

    Args:
        table: What `frame` returned.
        quantities: Which quantities.

    Raises:
        ConfigError: If there are none.
    """
    found = table[table["quantity"].isin(quantities) & table["value"].notna()]
    if found.empty:
        raise ConfigError(f"there is nothing to draw: no run has {' or '.join(quantities)}")
    return found


def last(table: pd.DataFrame) -> pd.DataFrame:
    """Return each run's last value of each quantity by each estimator."""
    keys = ["run", "quantity", "estimator"]
    return table.sort_values("epoch", kind="stable").groupby(keys, sort=False).tail(1)


def quartiles(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return median and quartiles of the values, by one column, over everything else.

    Args:
        table: Rows of one quantity.
        by: The column.

    Returns:
        Columns `low`, `median`, `high`, sorted by `by`.
    """
    return table.groupby(by)["value"].quantile([0.25, 0.5, 0.75]).unstack().set_axis(["low", "median", "high"], axis=1)


def band(axes: Any, table: pd.DataFrame, by: str, **style: Any) -> None:
    """Draw the median as a line and the quartiles as a band.

    Args:
        axes: Where.
        table: Rows of one quantity.
        by: The column that runs along the x axis.
        style: How the line looks.
    """
    found = quartiles(table, by)
    axes.plot(found.index, found["median"], **style)
    if (found["high"] > found["low"]).any():
        axes.fill_between(found.index, found["low"], found["high"], color=style.get("color"), alpha=0.2, linewidth=0)


def gamma_colours(gammas: Iterable[float]) -> ScalarMappable:
    """Return the colours of positive gammas, in log space; a gamma of 0 is drawn black by `gamma_colour`.

    Args:
        gammas: All gammas of the picture.
    """
    positive = sorted({gamma for gamma in gammas if gamma > 0}) or [1.0]
    return ScalarMappable(LogNorm(positive[0], max(positive[-1], positive[0] * 10)), "viridis")


def gamma_colour(colours: ScalarMappable, gamma: float) -> Any:
    """Return the colour of one gamma; black for 0."""
    return "black" if gamma <= 0 else colours.to_rgba(np.array([gamma]))[0]


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture in one piece; a PNG or SVG by the file's ending.

    Args:
        figure: The picture.
        path: The file.

    Raises:
        ConfigError: If the ending is unknown, or the file cannot be written.
    """
    kind = Path(path).suffix.removeprefix(".").lower()
    if kind not in ("png", "svg", "pdf"):
        raise ConfigError(f"cannot draw {path}: the file must end in .png, .svg or .pdf")
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "imeasure", "svg.fonttype": "none"}):
        figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    write_bytes(Path(path), buffer.getvalue())

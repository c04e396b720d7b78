"""Tidy rows as tables, and what every picture shares: quartiles over seeds, hollow points, shades of gamma, files."""

import io
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ibtrain.errors import ConfigError
from ibtrain.runs import COLUMNS, Row
from imeasure.files import write_bytes


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
    """Draw the median as a line and the quartiles as a band; points of a line with marks are hollow where flagged.

    Args:
        axes: Where.
        table: Rows of one quantity.
        by: The column that runs along the x axis.
        style: How the line looks.
    """
    found = quartiles(table, by)
    line = {key: value for key, value in style.items() if key not in ("marker", "markersize")}
    axes.plot(found.index, found["median"], **line)
    if "marker" in style:
        flagged = is_flagged(table).groupby(table[by]).any()
        points(axes, found.index, found["median"], flagged, style["color"], style["marker"], style["markersize"])
    if (found["high"] > found["low"]).any():
        axes.fill_between(found.index, found["low"], found["high"], color=style.get("color"), alpha=0.2, linewidth=0)


def is_flagged(table: pd.DataFrame) -> "pd.Series[bool]":
    """Say of each row whether a reader must know something of its value."""
    return table["flags"] != ""


def points(axes: Any, x: Any, y: Any, flagged: Any, colour: str, mark: str, size: float) -> None:
    """Draw points of one colour, hollow where they are flagged.

    Args:
        axes: Where.
        x: Places along the x axis.
        y: Places along the y axis.
        flagged: Which ones are flagged.
        colour: Their colour.
        mark: Their mark.
        size: Its width in points.
    """
    faces = ["white" if flag else colour for flag in flagged]
    axes.scatter(x, y, s=size**2, marker=mark, c=faces, edgecolors=colour, linewidths=size / 5, zorder=3)


def hollow(size: float = 8) -> Line2D:
    """Return the line of a legend that says what hollow points are.

    Args:
        size: The mark's width in points.
    """
    handle = Line2D([], [], marker="o", linestyle="", markersize=size, label="hollow: flagged in the results")
    handle.set(markerfacecolor="white", markeredgecolor="0.3", markeredgewidth=size / 5)
    return handle


class Shades:
    """The colours of a picture's points: by gamma where it varies, else by group.

    Black is gamma = 0 next to others.

    Args:
        gammas: All gammas of the picture.
    """

    def __init__(self, gammas: Iterable[float]) -> None:
        self.gammas = sorted(set(gammas))
        positive = [gamma for gamma in self.gammas if gamma > 0]
        self.mappable = None
        if len(positive) > 1:
            self.mappable = ScalarMappable(LogNorm(positive[0], positive[-1]), "viridis")

    def is_zero(self, gamma: float) -> bool:
        """Say whether a gamma is 0 next to others."""
        return gamma <= 0 and len(self.gammas) > 1

    def colour(self, gamma: float, group: str) -> str:
        """Return the colour of a point.

        Args:
            gamma: Its gamma.
            group: The colour of its group.
        """
        if self.is_zero(gamma):
            return "black"
        if self.mappable is None:
            return group
        red, green, blue, _ = self.mappable.to_rgba(np.array([gamma]))[0]
        return to_hex((float(red), float(green), float(blue)))

    def explain(self, figure: Figure, axes: Any) -> list[Line2D]:
        """Draw a bar of the colours if gamma has several of them; return lines for a legend that say the others.

        Args:
            figure: The picture.
            axes: All of its panels.
        """
        texts = {"gamma = 0": "black"} if self.is_zero(self.gammas[0]) else {}
        if self.mappable is not None:
            figure.colorbar(self.mappable, ax=axes, label="weight gamma of the regularizer")
        elif len(self.gammas) == 1:
            texts = {f"gamma = {self.gammas[0]:g} everywhere": ""}
        else:
            texts[f"in colour: gamma = {self.gammas[-1]:g}"] = ""
        return [_told(text, colour) for text, colour in texts.items()]


def _told(text: str, colour: str) -> Line2D:
    return Line2D([], [], marker="o" if colour else "", linestyle="", color=colour or "black", label=text)


def show_words_as_they_are(figure: Figure) -> None:
    """Let no dollar in titles and legends begin a formula, for what users write and call things stands there.

    Args:
        figure: The picture, with all its words.
    """
    legends = [*figure.legends, *filter(None, (axes.get_legend() for axes in figure.axes))]
    titles = [*figure.texts, *(axes.title for axes in figure.axes), *(legend.get_title() for legend in legends)]
    for text in (*titles, *(text for legend in legends for text in legend.get_texts())):
        text.set_parse_math(False)


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture in one piece; a PNG, SVG or PDF by the file's ending.

    Args:
        figure: The picture.
        path: The file.

    Raises:
        ConfigError: If the ending is unknown, or the file cannot be written.
    """
    kind = Path(path).suffix.removeprefix(".").lower()
    if kind not in ("png", "svg", "pdf"):
        raise ConfigError(f"cannot draw {path}: the file must end in .png, .svg or .pdf")
    show_words_as_they_are(figure)
    buffer = io.BytesIO()
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with mpl.rc_context({"svg.hashsalt": "imeasure", "svg.fonttype": "none"}):
        figure.savefig(buffer, format=kind, dpi=150, metadata=dates.get(kind))
    write_bytes(Path(path), buffer.getvalue())

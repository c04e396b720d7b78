"""The information plane: where runs end (figure 6), and how they got there (figure 1).

Axes as in Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020): preserved information I[X;Z] against
residual information I[X;Y|Z]. Lines lead from one measurement to the next, and measure nothing between.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ibtrain.drawing.frames import frame, gamma_colour, gamma_colours, last, save, wanted
from ibtrain.errors import ConfigError
from ibtrain.plane import PRESERVED, RESIDUAL
from ibtrain.runs import Row
from ibtrain.surrogates.registry import surrogate_label

_MARKERS = "osD^vP*X"
_SIZES = (150, 70, 25)
_DASHES = (0, (4, 4))
_KEYS = ["method", "run", "surrogate", "gamma", "seed", "epoch"]


def draw_plane(
    rows: Iterable[Row], path: str | Path, *, title: str = "Information plane", estimator: str | None = None
) -> None:
    """Draw preserved against residual information after training, coloured by gamma, one marker for each surrogate.

    Every estimator has a panel of its own. Markers are hollow where a value is flagged. Thin bars are standard errors;
    where there are several seeds, thick bars from quartile to quartile cross in their median.

    Args:
        rows: Results of finished runs; each run's last information plane is drawn.
        path: The file, PNG or SVG.
        title: What stands above the picture.
        estimator: First word of the only estimator that is drawn; by default all are.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    points = _points(rows, estimator, is_last=True)
    colours = gamma_colours(points["gamma"])
    surrogates = list(dict.fromkeys(points["surrogate"]))
    figure, panels = _panels(points)
    for axes, (method, measured) in zip(panels, points.groupby("method", sort=False), strict=True):
        for index, name in enumerate(surrogates):
            part = measured[measured["surrogate"] == name]
            for _, line in part.sort_values("gamma").groupby("seed"):
                axes.plot(line["x"], line["y"], color="0.8", linewidth=0.8, linestyle=_DASHES, zorder=1)
            axes.errorbar(
                part["x"], part["y"], xerr=part["x_error"], yerr=part["y_error"], fmt="none", ecolor="0.5", zorder=2
            )
            for gamma, trials in part.groupby("gamma"):
                _cross(axes, trials, gamma_colour(colours, float(gamma)))
            _scatter(axes, part, colours, _MARKERS[index % len(_MARKERS)], _SIZES[index % len(_SIZES)])
        _frame_plane(axes, method if len(panels) > 1 else title)
    handles = [
        Line2D([], [], marker=marker, linestyle="", markersize=math.sqrt(size), label=surrogate_label(name))
        for name, marker, size in zip(surrogates, _MARKERS, 3 * _SIZES, strict=False)
    ]
    for handle in handles:
        handle.set(markerfacecolor="white", markeredgecolor="black")
    handles.append(Line2D([], [], color="0.8", linewidth=0.8, linestyle=_DASHES, label="to the next gamma, unmeasured"))
    if points["seed"].nunique() > 1:
        handles.append(Line2D([], [], color="0.4", linewidth=3, alpha=0.5, label="quartiles over seeds"))
    if points["flagged"].any():
        hollow = Line2D([], [], marker="o", linestyle="", markersize=8, label="hollow: flagged, e.g. close to ln N")
        hollow.set(markerfacecolor="white", markeredgecolor="0.3", markeredgewidth=1.6)
        handles.append(hollow)
    panels[0].legend(handles=handles, title="regularizer", loc="upper right")
    if len(panels) > 1:
        figure.suptitle(title)
    figure.colorbar(colours, ax=panels, label="weight gamma of the regularizer")
    save(figure, path)


def draw_trajectories(
    rows: Iterable[Row], path: str | Path, *, title: str = "Trajectories", estimator: str | None = None
) -> None:
    """Draw the way of every gamma through the information plane, median over seeds, dots growing with the epoch.

    Gamma = 0 lies dotted and hollow above the others, so that none hides another. Every estimator has a panel of its
    own. Bands lead from quartile to quartile over seeds; bars are standard errors.

    Args:
        rows: Results of runs that were measured after many epochs.
        path: The file, PNG or SVG.
        title: What stands above the picture.
        estimator: First word of the only estimator that is drawn; by default all are.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    points = _points(rows, estimator, is_last=False)
    colours = gamma_colours(points["gamma"])
    span = [points["epoch"].min(), points["epoch"].max()]
    figure, panels = _panels(points)
    for axes, (method, measured) in zip(panels, points.groupby("method", sort=False), strict=True):
        for gamma, part in measured.groupby("gamma"):
            middle = part.groupby("epoch")[["x", "y"]].median()
            colour = gamma_colour(colours, float(gamma))
            sizes = np.interp(middle.index, span, [6, 70])
            _bands(axes, part, middle, colour)
            if gamma > 0:
                dots: dict[str, Any] = {"color": colour, "edgecolors": "white", "linewidths": 0.4, "zorder": 3}
                axes.plot(middle["x"], middle["y"], color=colour, linewidth=0.9, alpha=0.8)
            else:
                dots = {"facecolors": "none", "edgecolors": colour, "linewidths": 0.9, "zorder": 4}
                axes.plot(middle["x"], middle["y"], color=colour, linewidth=0.9, linestyle=":", zorder=4)
                axes.plot([], [], color=colour, linestyle=":", marker="o", fillstyle="none", label="gamma = 0")
            axes.scatter(middle["x"], middle["y"], s=sizes, **dots)
        ends = measured.sort_values("epoch").groupby("run").tail(1).groupby("gamma")[["x", "y"]].median()
        axes.plot(ends["x"], ends["y"], color="0.6", linestyle=_DASHES, zorder=1, label="ends of the trajectories")
        _frame_plane(axes, method if len(panels) > 1 else title)
    panels[0].legend(title=f"dots grow from epoch {span[0]} to {span[1]}", fontsize="small")
    if len(panels) > 1:
        figure.suptitle(title)
    figure.colorbar(colours, ax=panels, label="weight gamma of the regularizer")
    save(figure, path)


def _cross(axes: Any, trials: pd.DataFrame, colour: Any) -> None:
    """Draw the quartiles over seeds of both coordinates, crossing in the medians."""
    if len(trials) < 2:
        return
    x, y = (trials[name].quantile([0.25, 0.5, 0.75]).to_numpy() for name in ("x", "y"))
    axes.plot([x[0], x[2]], [y[1], y[1]], color=colour, linewidth=3, alpha=0.5, zorder=2)
    axes.plot([x[1], x[1]], [y[0], y[2]], color=colour, linewidth=3, alpha=0.5, zorder=2)


def _bands(axes: Any, part: pd.DataFrame, middle: pd.DataFrame, colour: Any) -> None:
    """Draw standard errors along a way, and where there are several seeds the quartiles of both coordinates."""
    errors = part.groupby("epoch")[["x_error", "y_error"]].median()
    style = {"fmt": "none", "ecolor": colour, "elinewidth": 0.6, "alpha": 0.7}
    axes.errorbar(middle["x"], middle["y"], xerr=errors["x_error"], yerr=errors["y_error"], **style)
    if part["seed"].nunique() < 2:
        return
    low, high = (part.groupby("epoch")[["x", "y"]].quantile(share) for share in (0.25, 0.75))
    axes.fill_between(middle["x"], low["y"], high["y"], color=colour, alpha=0.15, linewidth=0)
    axes.fill_betweenx(middle["y"], low["x"], high["x"], color=colour, alpha=0.15, linewidth=0)


def _panels(points: pd.DataFrame) -> tuple[Figure, list[Any]]:
    count = points["method"].nunique()
    figure = Figure(figsize=(8, 5.4) if count == 1 else (6 * count + 1, 5.2), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _points(rows: Iterable[Row], estimator: str | None, *, is_last: bool) -> pd.DataFrame:
    table = wanted(frame(rows), [PRESERVED, RESIDUAL])
    methods = list(dict.fromkeys(table["method"]))
    if estimator not in (None, *methods):
        raise ConfigError(f"no run was measured by {estimator!r}; there are {', '.join(methods)}")
    table = table if estimator is None else table[table["method"] == estimator]
    table = last(table) if is_last else table
    wide = table.pivot_table(index=_KEYS, columns="quantity", values=["value", "standard_error"], sort=False)
    try:
        found = pd.DataFrame({"x": wide["value"][PRESERVED], "y": wide["value"][RESIDUAL]})
    except KeyError:
        raise ConfigError("there is nothing to draw: no run has both information-plane coordinates") from None
    for name, quantity in (("x_error", PRESERVED), ("y_error", RESIDUAL)):
        found[name] = wide["standard_error"].get(quantity, 0.0) if "standard_error" in wide else 0.0
    flagged = table.assign(flagged=table["flags"] != "").groupby(_KEYS)["flagged"].any()
    found["flagged"] = flagged.reindex(found.index)
    found = found.fillna({"x_error": 0.0, "y_error": 0.0}).dropna().reset_index()
    order = [*methods, *dict.fromkeys(table["surrogate"])]
    return found.sort_values(["method", "surrogate"], key=lambda column: column.map(order.index), kind="stable")


def _scatter(axes: Any, part: pd.DataFrame, colours: Any, marker: str, size: float) -> None:
    shades = [gamma_colour(colours, gamma) for gamma in part["gamma"]]
    faces = ["white" if flag else shade for shade, flag in zip(shades, part["flagged"], strict=True)]
    edges = [shade if flag else "black" for shade, flag in zip(shades, part["flagged"], strict=True)]
    widths = [1.6 if flag else 0.6 for flag in part["flagged"]]
    axes.scatter(
        part["x"], part["y"], c=faces, marker=marker, s=size, edgecolors=edges, linewidths=widths, alpha=0.8, zorder=3
    )


def _frame_plane(axes: Any, title: str) -> None:
    axes.set(
        xlabel="preserved information  I[X;Z]  (nats)",
        ylabel="residual information  I[X;Y|Z]  (nats)",
        title=title,
    )
    axes.margins(0.06)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)

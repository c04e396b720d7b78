"""The information plane: where runs end (figure 6), and how they got there (figure 1).

Axes as in Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020): preserved information I[X;Z] against
residual information I[X;Y|Z]. Lines lead from one measurement to the next, and measure nothing between.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ibtrain.drawing.frames import Shades, frame, hollow, is_flagged, last, save, wanted
from ibtrain.drawing.groups import Groups, groups_of, ways_of
from ibtrain.errors import ConfigError
from ibtrain.plane import PRESERVED, RESIDUAL
from ibtrain.runs import Row
from ibtrain.surrogates.looks import Look

_DASHES = (0, (4, 4))
_KEYS = ["method", "run", "surrogate", "loss", "latent", "gamma", "seed", "epoch"]
_GROWING = (6, 70)
"""Areas of the dots of the first and of the last epoch."""
_ZERO = 0.4
"""Share of that for gamma = 0, which lies above the others."""


def draw_plane(
    rows: Iterable[Row], path: str | Path, *, title: str = "Information plane", estimator: str | None = None
) -> None:
    """Draw preserved against residual information after training, coloured by gamma, one marker for each group.

    Groups differ in regularizer, minimised loss or kind of latent; where all gammas are equal, they have colours of
    their own. Every estimator has a panel. Markers are hollow where a value is flagged. Thin bars are standard errors;
    where a group has several seeds, thick bars from quartile to quartile cross in their median.

    Args:
        rows: Results of finished runs; each run's last information plane is drawn.
        path: The file, PNG, SVG or PDF.
        title: What stands above the picture.
        estimator: First word of the only estimator that is drawn; by default all are.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    table, groups, shades = _points(rows, estimator, is_last=True)
    figure, panels = _panels(table)
    is_dashed, is_crossed = False, False
    for axes, (method, measured) in zip(panels, table.groupby("method", sort=False), strict=True):
        for index, group in enumerate(groups.members):
            part = measured[measured["group"] == index]
            for _, line in part.sort_values("gamma").groupby("seed"):
                if line["gamma"].is_unique and len(line) > 1:
                    axes.plot(line["x"], line["y"], color="0.8", linewidth=0.8, linestyle=_DASHES, zorder=1)
                    is_dashed = True
            axes.errorbar(
                part["x"], part["y"], xerr=part["x_error"], yerr=part["y_error"], fmt="none", ecolor="0.5", zorder=2
            )
            for _, trials in part.groupby("way"):
                is_crossed |= _cross(axes, trials, shades.colour(trials["gamma"].iloc[0], group.look.colour))
            _scatter(axes, part, [shades.colour(gamma, group.look.colour) for gamma in part["gamma"]], group.look)
        _frame_plane(axes, method if len(panels) > 1 else title)
    handles = _marks(groups, shades)
    if is_dashed:
        handles.append(
            Line2D([], [], color="0.8", linewidth=0.8, linestyle=_DASHES, label="to the next gamma, unmeasured")
        )
    if is_crossed:
        handles.append(Line2D([], [], color="0.4", linewidth=3, alpha=0.5, label="quartiles over seeds"))
    handles += [hollow()] if table["flagged"].any() else []
    handles += shades.explain(figure, panels)
    panels[0].legend(handles=handles, title=groups.title, loc="upper right")
    if len(panels) > 1:
        figure.suptitle(title)
    save(figure, path)


def draw_trajectories(
    rows: Iterable[Row], path: str | Path, *, title: str = "Trajectories", estimator: str | None = None
) -> None:
    """Draw the way of every group and gamma through the information plane, dots growing with the epoch.

    A way is the median over seeds. Gamma = 0 lies dotted, in smaller dots, above the others, so that none hides
    another. Every estimator has a panel. Dots are hollow where a value of a seed is flagged. Bands lead from quartile
    to quartile over seeds; bars are standard errors.

    Args:
        rows: Results of runs that were measured after many epochs.
        path: The file, PNG, SVG or PDF.
        title: What stands above the picture.
        estimator: First word of the only estimator that is drawn; by default all are.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    table, groups, shades = _points(rows, estimator, is_last=False)
    span = [table["epoch"].min(), table["epoch"].max()]
    figure, panels = _panels(table)
    handles = _marks(groups, shades) if len(groups.members) > 1 else []
    for axes, (method, measured) in zip(panels, table.groupby("method", sort=False), strict=True):
        for index, group in enumerate(groups.members):
            part = measured[measured["group"] == index]
            for _, way in part.groupby("way", sort=False):
                gamma = float(way["gamma"].iloc[0])
                _way(
                    axes,
                    way,
                    shades.colour(gamma, group.look.colour),
                    group.look.mark,
                    span,
                    is_zero=shades.is_zero(gamma),
                )
            ends = part.sort_values("epoch").groupby("run").tail(1).groupby("gamma")[["x", "y"]].median()
            if len(ends) > 1:
                (line,) = axes.plot(ends["x"], ends["y"], color="0.6", linestyle=_DASHES, zorder=1)
                line.set_label("ends of the trajectories")
        _frame_plane(axes, method if len(panels) > 1 else title)
    zero = Line2D([], [], color="black", linestyle=":", marker=groups.members[0].look.mark, label="gamma = 0")
    zero.set_markersize(4)
    explained = [zero if one.get_label() == "gamma = 0" else one for one in shades.explain(figure, panels)]
    ends = [line for line in panels[0].lines if line.get_label() == "ends of the trajectories"][:1]
    handles += [*explained, *ends, *([hollow(6)] if table["flagged"].any() else [])]
    title_of_legend = f"{groups.title}; " if len(groups.members) > 1 else ""
    panels[0].legend(
        handles=handles, title=f"{title_of_legend}dots grow from epoch {span[0]} to {span[1]}", fontsize="small"
    )
    if len(panels) > 1:
        figure.suptitle(title)
    save(figure, path)


def _marks(groups: Groups, shades: Shades) -> list[Line2D]:
    """Return the lines of a legend that name the groups."""
    handles = []
    for group in groups.members:
        handle = Line2D([], [], marker=group.look.mark, linestyle="", label=group.label)
        handle.set(markersize=math.sqrt(group.look.size), markerfacecolor="white", markeredgecolor="black")
        if shades.mappable is None:
            handle.set(markerfacecolor=group.look.colour)
        handles.append(handle)
    return handles


def _cross(axes: Any, trials: pd.DataFrame, colour: str) -> bool:
    """Draw the quartiles over seeds of both coordinates, crossing in the medians, and say whether there are several."""
    if len(trials) < 2:
        return False
    x, y = (trials[name].quantile([0.25, 0.5, 0.75]).to_numpy() for name in ("x", "y"))
    axes.plot([x[0], x[2]], [y[1], y[1]], color=colour, linewidth=3, alpha=0.5, zorder=2)
    axes.plot([x[1], x[1]], [y[0], y[2]], color=colour, linewidth=3, alpha=0.5, zorder=2)
    return True


def _way(axes: Any, way: pd.DataFrame, colour: str, mark: str, span: Sequence[int], *, is_zero: bool) -> None:
    """Draw the medians over seeds of one group at one gamma, from epoch to epoch."""
    of_epoch = way.groupby("epoch")
    middle, flagged = of_epoch[["x", "y"]].median(), of_epoch["flagged"].any()
    _bands(axes, way, middle, colour)
    sizes, height = np.interp(middle.index, span, _GROWING), 4 if is_zero else 3
    line: dict[str, Any] = {"linestyle": ":", "zorder": height} if is_zero else {"alpha": 0.8}
    axes.plot(middle["x"], middle["y"], color=colour, linewidth=0.9, **line)
    faces = ["white" if flag else colour for flag in flagged]
    edges = [colour if flag else "white" for flag in flagged]
    sizes = _ZERO * sizes if is_zero else sizes
    axes.scatter(
        middle["x"], middle["y"], s=sizes, marker=mark, c=faces, edgecolors=edges, linewidths=0.6, zorder=height
    )


def _bands(axes: Any, way: pd.DataFrame, middle: pd.DataFrame, colour: str) -> None:
    """Draw standard errors along a way, and where there are several seeds the quartiles of both coordinates."""
    errors = way.groupby("epoch")[["x_error", "y_error"]].median()
    style = {"fmt": "none", "ecolor": colour, "elinewidth": 0.6, "alpha": 0.7}
    axes.errorbar(middle["x"], middle["y"], xerr=errors["x_error"], yerr=errors["y_error"], **style)
    if way["seed"].nunique() < 2:
        return
    low, high = (way.groupby("epoch")[["x", "y"]].quantile(share) for share in (0.25, 0.75))
    axes.fill_between(middle["x"], low["y"], high["y"], color=colour, alpha=0.15, linewidth=0)
    axes.fill_betweenx(middle["y"], low["x"], high["x"], color=colour, alpha=0.15, linewidth=0)


def _panels(points: pd.DataFrame) -> tuple[Figure, list[Any]]:
    count = points["method"].nunique()
    figure = Figure(figsize=(8, 5.4) if count == 1 else (6 * count + 1, 5.2), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _points(rows: Iterable[Row], estimator: str | None, *, is_last: bool) -> tuple[pd.DataFrame, Groups, Shades]:
    """Return both coordinates of every run, epoch and estimator, their groups, and the colours of gamma."""
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
    found["flagged"] = table.assign(flagged=is_flagged(table)).groupby(_KEYS)["flagged"].any().reindex(found.index)
    found = found.fillna({"x_error": 0.0, "y_error": 0.0}).dropna().reset_index()
    groups = groups_of(found)
    found = found.assign(
        group=groups.numbers(found), way=ways_of(found, groups), place=found["method"].map(methods.index)
    )
    return found.sort_values(["place", "group", "gamma"], kind="stable"), groups, Shades(found["gamma"])


def _scatter(axes: Any, part: pd.DataFrame, shades: Sequence[str], look: Look) -> None:
    faces = ["white" if flag else shade for shade, flag in zip(shades, part["flagged"], strict=True)]
    edges = [shade if flag else "black" for shade, flag in zip(shades, part["flagged"], strict=True)]
    widths = [1.6 if flag else 0.6 for flag in part["flagged"]]
    kind: dict[str, Any] = {"marker": look.mark, "s": look.size}
    axes.scatter(part["x"], part["y"], c=faces, edgecolors=edges, linewidths=widths, alpha=0.8, zorder=3, **kind)


def _frame_plane(axes: Any, title: str) -> None:
    axes.set(
        xlabel="preserved information  I[X;Z]  (nats)",
        ylabel="residual information  I[X;Y|Z]  (nats)",
        title=title,
    )
    axes.margins(0.06)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)

"""Results for the eye: the information plane as a picture, a summary as a table, and what the curves show in words.

Everything is drawn from tidy rows, so it can be drawn again from a results file. The picture's axes are those of
Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), figure 6.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ibtrain.errors import ConfigError
from ibtrain.plane import PRESERVED, RESIDUAL
from ibtrain.runs import Row
from ibtrain.surrogates import SURROGATES

_MARKERS = "osD^vP*X"
_SIZES = (150, 70, 25)
_SHOWN = ("H[Z]", "H[Z|Y]", PRESERVED, RESIDUAL)


def draw_plane(rows: Iterable[Row], path: Path, *, title: str = "Information plane") -> None:
    """Draw preserved against residual information, coloured by gamma, one marker for each surrogate.

    Markers are hollow where a value is flagged. Lines lead from each gamma to the next, and measure nothing between.

    Args:
        rows: Results of finished runs; each run's last information plane is drawn.
        path: The PNG file.
        title: What stands above the picture.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    runs = [run for run in _last(rows) if PRESERVED in run and RESIDUAL in run]
    if not runs:
        raise ConfigError("there is nothing to draw yet: no run has information-plane results")
    gammas = [run[PRESERVED].gamma for run in runs if run[PRESERVED].gamma > 0] or [1.0]
    colours = LogNorm(min(gammas), max(*gammas, min(gammas) * 10))
    figure = Figure(figsize=(8, 5.4), layout="constrained")
    axes = figure.add_subplot()
    colourmap = ScalarMappable(colours, "viridis")
    any_flagged = False
    handles = []
    for index, name in enumerate(_surrogates(runs)):
        marker, size = _MARKERS[index % len(_MARKERS)], _SIZES[index % len(_SIZES)]
        points = sorted(
            (r for r in runs if r[PRESERVED].surrogate == name), key=lambda r: (r[PRESERVED].seed, r[PRESERVED].gamma)
        )
        x, y = ([run[quantity].value for run in points] for quantity in (PRESERVED, RESIDUAL))
        for seed in {run[PRESERVED].seed for run in points}:
            line = [run for run in points if run[PRESERVED].seed == seed]
            coordinates = ([r[q].value for r in line] for q in (PRESERVED, RESIDUAL))
            axes.plot(*coordinates, color="0.8", linewidth=0.8, linestyle=(0, (4, 4)), zorder=1)
        errors = [[_known_error(run[quantity]) for run in points] for quantity in (PRESERVED, RESIDUAL)]
        axes.errorbar(x, y, xerr=errors[0], yerr=errors[1], fmt="none", ecolor="0.5", zorder=2)
        shades = colourmap.to_rgba(np.array([max(run[PRESERVED].gamma, min(gammas)) for run in points]))
        flagged = [bool(run[PRESERVED].flags or run[RESIDUAL].flags) for run in points]
        axes.scatter(
            x,
            y,
            c=[(*shade[:3], 0.0 if flag else 0.7) for shade, flag in zip(shades, flagged, strict=True)],
            marker=marker,
            s=size,
            edgecolors=[shade if flag else "black" for shade, flag in zip(shades, flagged, strict=True)],
            linewidths=[1.6 if flag else 0.6 for flag in flagged],
            zorder=3,
        )
        any_flagged = any_flagged or any(flagged)
        handle = Line2D([], [], marker=marker, linestyle="", markersize=math.sqrt(size), label=_label(name))
        handle.set(markerfacecolor="white", markeredgecolor="black")
        handles.append(handle)
    axes.set_xlabel("preserved information  I[X;Z]  (nats)")
    axes.set_ylabel("residual information  I[X;Y|Z]  (nats)")
    axes.set_title(title)
    axes.margins(0.06)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    handles.append(
        Line2D([], [], color="0.8", linewidth=0.8, linestyle=(0, (4, 4)), label="to the next gamma, unmeasured")
    )
    if any_flagged:
        hollow = Line2D([], [], marker="o", linestyle="", markersize=8, label="hollow: close to ln N, see flags")
        hollow.set(markerfacecolor="none", markeredgecolor="0.3", markeredgewidth=1.6)
        handles.append(hollow)
    axes.legend(handles=handles, title="regularizer", loc="upper right")
    figure.colorbar(colourmap, ax=axes, label="weight gamma of the regularizer")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error}") from None


def summary(rows: Iterable[Row]) -> Table:
    """Return a table with one line for each run: gamma, accuracy and the information plane.

    Args:
        rows: Results of finished runs.

    Returns:
        A table for a rich console; informations in nats. Flagged values have a star, the caption tells what it means.
        Numbers are never cut short: print it with `crop=False` where the console may be narrow.
    """
    runs = list(_last(rows))
    seeds = ("seed",) if len({_any(run).seed for run in runs}) > 1 else ()
    table = Table(box=SIMPLE_HEAD, title="accuracies, and informations in nats (mixture estimator, training data)")
    header = ("regularizer", "gamma", *seeds, "train", "test", *_SHOWN)
    lines: list[list[str] | None] = []
    for name in _surrogates(runs):
        for run in sorted((r for r in runs if _any(r).surrogate == name), key=lambda r: (_any(r).gamma, _any(r).seed)):
            one = _any(run)
            accuracies = (f"{run[q].value:.1%}" if q in run else "" for q in ("train accuracy", "test accuracy"))
            numbers = (f"{run[q].value:.3f}{'*' * bool(run[q].flags)}" if q in run else "" for q in _SHOWN)
            lines.append([_label(name), f"{one.gamma:g}", *(str(one.seed) for _ in seeds), *accuracies, *numbers])
        lines.append(None)
    for index, name in enumerate(header):
        width = max(len(name), *(len(line[index]) for line in lines if line))
        if index == 0:
            table.add_column(name, overflow="fold", min_width=len(name))
        else:
            table.add_column(name.replace("[", r"\["), justify="right", no_wrap=True, min_width=width)
    for line in lines:
        if line is None:
            table.add_section()
        else:
            table.add_row(*(cell.replace("[", r"\[") for cell in line))
    flags = dict.fromkeys(run[q].flags for run in runs for q in _SHOWN if q in run and run[q].flags)
    if flags:
        table.caption = "\n".join(f"* {flag}" for flag in flags).replace("[", r"\[")
        table.caption_justify = "left"
    return table


def falls(rows: Iterable[Row], quantity: str) -> dict[str, bool]:
    """Say for each surrogate whether a quantity falls as gamma grows.

    It falls if its mean over seeds nowhere rises by more than two standard errors from one gamma to the next, and is
    lower by more than that at the largest gamma than at the smallest.

    Args:
        rows: Results of finished runs.
        quantity: Which quantity.

    Returns:
        The answer for each surrogate.

    Example:
        >>> first, second = (Row(str(g), 1, g, "LogVar[Z]", 0, "H[Z]", "mixture", "", 5 - g, 0.1) for g in (1, 2))
        >>> falls([first, second], "H[Z]")
        {'LogVar[Z]': True}
    """
    curves: dict[str, dict[float, list[Row]]] = {}
    for run in _last(rows):
        if quantity in run:
            row = run[quantity]
            curves.setdefault(row.surrogate, {}).setdefault(row.gamma, []).append(row)
    return {name: _curve_falls([_pooled(curve[gamma]) for gamma in sorted(curve)]) for name, curve in curves.items()}


def _curve_falls(points: Sequence[tuple[float, float]]) -> bool:
    def slack(first: tuple[float, float], second: tuple[float, float]) -> float:
        return 2 * math.hypot(first[1], second[1])

    no_rise = all(after[0] <= before[0] + slack(before, after) for before, after in pairwise(points))
    return no_rise and points[-1][0] < points[0][0] - slack(points[0], points[-1])


def _pooled(rows: Sequence[Row]) -> tuple[float, float]:
    errors = [_known_error(row) for row in rows]
    return sum(row.value for row in rows) / len(rows), math.hypot(*errors) / len(rows)


def _known_error(row: Row) -> float:
    return 0.0 if math.isnan(row.standard_error) else row.standard_error


def _label(name: str) -> str:
    return " + ".join(SURROGATES[part].label if part in SURROGATES else part for part in name.split(" + ")) or "none"


def _last(rows: Iterable[Row]) -> list[dict[str, Row]]:
    runs: dict[str, dict[str, Row]] = {}
    for row in rows:
        known = runs.setdefault(row.run, {})
        if row.quantity not in known or known[row.quantity].epoch <= row.epoch:
            known[row.quantity] = row
    return list(runs.values())


def _surrogates(runs: Sequence[dict[str, Row]]) -> list[str]:
    return list(dict.fromkeys(_any(run).surrogate for run in runs))


def _any(run: dict[str, Row]) -> Row:
    return next(iter(run.values()))

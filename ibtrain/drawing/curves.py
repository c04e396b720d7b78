"""Curves: cross-entropies over epochs (figure 3), error against entropy (figure 4), entropies against gamma (figure 5).

Layouts follow Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020). Lines are medians over seeds, bands the
quartiles; several estimators stand beside each other, told apart by line.
"""

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ibtrain.drawing.frames import band, frame, hollow, is_flagged, last, points, save, show_words_as_they_are, wanted
from ibtrain.drawing.groups import groups_of
from ibtrain.errors import ConfigError
from ibtrain.runs import Row
from ibtrain.surrogates.looks import look
from ibtrain.surrogates.registry import surrogate_label

_METRICS: dict[str, tuple[str, Any]] = {
    "decoder uncertainty": (look("Exact[Y|Z]").colour, "-"),
    "decoder cross-entropy": (look("CE[Y|Z]").colour, "--"),
    "prediction cross-entropy": (look("Prediction[Y|Z]").colour, "-."),
}
_STYLES: dict[str, Any] = {"mixture": "-", "knn": "--", "exact": "-", "gaussian": ":"}
_SHADES = {"mixture": "black", "exact": "black", "knn": "0.25", "gaussian": "#cc79a7"}
"""Colours of estimators, where surrogates have none."""
_WIDTHS = {"knn": 6.5}
"""Widths of their marks, in points: one within another where they lie together."""
_MARK = 4.5
"""Width of a mark on a curve, in points."""
_LETTERS = 10
"""Letters of a title that fit an inch."""
_LATENTS = {"dropout": "without noise", "noisy-dropout": "with noise"}


def draw_cross_entropies(rows: Iterable[Row], path: str | Path, *, title: str = "") -> None:
    """Draw decoder uncertainty and both cross-entropies over epochs, one panel for each loss that was minimised.

    Args:
        rows: Results of runs with different losses.
        path: The file, PNG, SVG or PDF.
        title: What stands above the picture.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    table = wanted(frame(rows), list(_METRICS))
    losses = sorted(set(table["loss"]), key=lambda name: (look(name).rank, name))
    figure = Figure(figsize=(3.4 * len(losses) + 0.8, 3.9), layout="constrained")
    panels = figure.subplots(1, len(losses), sharey=True, squeeze=False)[0]
    for axes, loss in zip(panels, losses, strict=True):
        for metric, (colour, style) in _METRICS.items():
            chosen = table[(table["quantity"] == metric) & (table["loss"] == loss)]
            if not chosen.empty:
                band(axes, chosen, "epoch", color=colour, linestyle=style, label=metric)
        axes.set(title=f"minimised: {surrogate_label(loss)}", xlabel="epoch", yscale="log")
        axes.title.set_fontsize("medium")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="0.92", which="both")
        axes.set_axisbelow(True)
    panels[0].set_ylabel("nats, training data")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(labels) if len(losses) > 2 else 1, frameon=False
    )
    _entitle(figure, title, table)
    save(figure, path)


def draw_scaling(rows: Iterable[Row], path: str | Path, *, title: str = "") -> None:
    """Draw the training error against the latent's entropy as it is scaled down, one panel for each kind of latent.

    Only the epochs from the largest entropy on are drawn, from left to right as the entropy falls. An estimator that
    has a single value in a panel makes no curve there.

    Args:
        rows: Results of runs whose latents were scaled down while they were trained.
        path: The file, PNG, SVG or PDF.
        title: What stands above the picture.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    table = frame(rows)
    entropies = wanted(table, ["H[Z]"])
    errors = 100 * (1 - wanted(table, ["train accuracy"]).set_index(["run", "epoch"])["value"])
    latents, methods = list(dict.fromkeys(entropies["latent"])), list(dict.fromkeys(entropies["method"]))
    figure = Figure(figsize=(4.4 * len(latents) + 0.4, 4.0), layout="constrained")
    panels = figure.subplots(1, len(latents), sharey=True, squeeze=False)[0]
    is_any_flagged = False
    for axes, latent in zip(panels, latents, strict=True):
        for method in methods:
            part = entropies[(entropies["latent"] == latent) & (entropies["method"] == method)]
            measured = part.assign(error=errors.reindex(list(zip(part["run"], part["epoch"], strict=True))).to_numpy())
            is_any_flagged |= _error_band(axes, measured, method)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.invert_xaxis()
        axes.set(xlabel="H[Z]  (nats)", title=_LATENTS.get(latent, latent))
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
    panels[0].set_ylabel("training error  (%)")
    handles, _ = panels[-1].get_legend_handles_labels()
    handles += [hollow(_MARK)] if is_any_flagged else []
    panels[-1].legend(handles=handles, title="H[Z] by", fontsize="small")
    _entitle(figure, title, table)
    show_words_as_they_are(figure)
    for axes in panels:
        _keep_ticks_inside(axes)
    save(figure, path)


def _error_band(axes: Any, measured: pd.DataFrame, method: str) -> bool:
    """Draw the error against the entropy from the largest entropy on, and say whether a value in it is flagged."""
    if measured["epoch"].nunique() < 2:
        return False
    of_epoch = measured.assign(flagged=is_flagged(measured)).groupby("epoch")
    middle = of_epoch[["value", "error"]].median()
    middle = middle.loc[middle["value"].idxmax() :]
    flagged = of_epoch["flagged"].any().loc[middle.index]
    colour, style, width = _SHADES.get(method, "0.5"), _STYLES.get(method, "-."), _WIDTHS.get(method, 3.5)
    axes.plot(middle["value"], middle["error"], linestyle=style, color=colour, label=method)
    points(axes, middle["value"], middle["error"], flagged, colour, "o", width)
    quarters = of_epoch["error"].quantile([0.25, 0.75]).unstack().loc[middle.index]
    axes.fill_between(middle["value"], quarters[0.25], quarters[0.75], color=colour, alpha=0.2, linewidth=0)
    return bool(flagged.any())


def _keep_ticks_inside(axes: Any) -> None:
    """Leave out the ticks whose numbers would stand out beyond the axis, into the panel beside it."""
    axes.figure.draw_without_rendering()
    edges = axes.get_window_extent()
    places = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    extents = [(place, label.get_window_extent()) for place, label in places]
    axes.set_xticks([place for place, shown in extents if edges.x0 <= shown.x0 and shown.x1 <= edges.x1])


def draw_entropies(rows: Iterable[Row], path: str | Path, *, title: str = "") -> None:
    """Draw H[Z] and H[Z|Y] after training against gamma, one colour for each group, one line for each estimator.

    Groups differ in regularizer, minimised loss or kind of latent. Points are hollow where a value of a seed is
    flagged.

    Args:
        rows: Results of runs with several gammas and surrogates.
        path: The file, PNG, SVG or PDF.
        title: What stands above the picture.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    quantities = ("H[Z]", "H[Z|Y]")
    table = last(wanted(frame(rows), quantities))
    table = table[table["gamma"] > 0]
    if table.empty:
        raise ConfigError("there is nothing to draw: no run has a gamma above 0")
    groups, methods = groups_of(table), list(dict.fromkeys(table["method"]))
    numbers = groups.numbers(table)
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    for axes, quantity in zip(figure.subplots(1, 2), quantities, strict=True):
        for index, group in enumerate(groups.members):
            for method in methods:
                part = table[(table["quantity"] == quantity) & (numbers == index) & (table["method"] == method)]
                style = {"linestyle": _STYLES.get(method, "-."), "marker": group.look.mark, "markersize": _MARK}
                if not part.empty:
                    band(axes, part, "gamma", color=group.look.colour, **style)
        axes.axhline(0, color="0.6", linewidth=0.8)
        axes.set(title=quantity, xlabel="gamma", ylabel="nats", xscale="log")
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
    handles = [
        Line2D([], [], color=group.look.colour, marker=group.look.mark, markersize=_MARK, label=group.label)
        for group in groups.members
    ]
    handles += [Line2D([], [], color="0.3", linestyle=_STYLES.get(name, "-."), label=name) for name in methods]
    handles += [hollow(_MARK)] if is_flagged(table).any() else []
    figure.axes[-1].legend(handles=handles, fontsize="small")
    _entitle(figure, title, table)
    save(figure, path)


def _entitle(figure: Figure, title: str, table: pd.DataFrame) -> None:
    """Put title and trials above a picture, in as many lines as its width needs."""
    trials = int(table["seed"].nunique())
    spread = "" if trials == 1 else ", median and quartiles"
    about = f"({trials} {'trial' if trials == 1 else 'trials'}{spread})"
    letters = int(_LETTERS * figure.get_figwidth())
    lines = [f"{title}  {about}"] if len(title) + len(about) < letters else [*textwrap.wrap(title, letters), about]
    figure.suptitle("\n".join(lines).strip())

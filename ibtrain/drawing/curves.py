"""Curves: cross-entropies over epochs (figure 3), error against entropy (figure 4), entropies against gamma (figure 5).

Layouts follow Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020). Lines are medians over seeds, bands the
quartiles; several estimators stand beside each other, told apart by line.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ibtrain.drawing.frames import COLOURS, band, frame, last, save, surrogate_label, wanted
from ibtrain.runs import Row

_METRICS = ("decoder uncertainty", "decoder cross-entropy", "prediction cross-entropy")
_STYLES: dict[str, Any] = {"mixture": "-", "knn": "--", "exact": "-", "gaussian": ":"}


def draw_cross_entropies(rows: Iterable[Row], path: str | Path, *, title: str = "") -> None:
    """Draw decoder uncertainty and both cross-entropies over epochs, one line for each loss that was minimised.

    Args:
        rows: Results of runs with different losses.
        path: The file, PNG or SVG.
        title: What stands above the picture.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    table = wanted(frame(rows), _METRICS)
    losses = list(dict.fromkeys(table["loss"]))
    shown = [metric for metric in _METRICS if (table["quantity"] == metric).any()]
    figure = Figure(figsize=(3.6 * len(shown) + 0.6, 3.8), layout="constrained")
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, metric in zip(panels, shown, strict=True):
        for index, loss in enumerate(losses):
            chosen = table[(table["quantity"] == metric) & (table["loss"] == loss)]
            band(axes, chosen, "epoch", color=COLOURS[index % len(COLOURS)], label=surrogate_label(loss))
        axes.set(title=metric, xlabel="epoch", yscale="log")
        axes.grid(color="0.92", which="both")
    panels[0].set_ylabel("nats, training data")
    panels[-1].legend(title="minimised", fontsize="small")
    figure.suptitle(_with_trials(title, table))
    save(figure, path)


def draw_scaling(rows: Iterable[Row], path: str | Path, *, title: str = "") -> None:
    """Draw the training error against the latent's entropy as it is scaled down, one line for each kind of latent.

    Args:
        rows: Results of runs whose latents were scaled down while they were trained.
        path: The file, PNG or SVG.
        title: What stands above the picture.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    table = frame(rows)
    entropies = wanted(table, ["H[Z]"])
    errors = 1 - wanted(table, ["train accuracy"]).set_index(["run", "epoch"])["value"]
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for index, (latent, part) in enumerate(entropies.groupby("latent", sort=False)):
        points = part.assign(error=errors.reindex(list(zip(part["run"], part["epoch"], strict=True))).to_numpy())
        middle = points.groupby("epoch")[["value", "error"]].median()
        low, high = (points.groupby("epoch")["error"].quantile(share) for share in (0.25, 0.75))
        colour = COLOURS[index % len(COLOURS)]
        axes.plot(middle["value"], 100 * middle["error"], "o-", markersize=3, color=colour, label=latent)
        axes.fill_between(middle["value"], 100 * low, 100 * high, color=colour, alpha=0.2, linewidth=0)
    axes.invert_xaxis()
    axes.set(xlabel=f"H[Z]  (nats, {', '.join(dict.fromkeys(entropies['method']))})", ylabel="training error  (%)")
    axes.grid(color="0.92")
    axes.legend(title="latent")
    figure.suptitle(_with_trials(title, table))
    save(figure, path)


def draw_entropies(rows: Iterable[Row], path: str | Path, *, title: str = "") -> None:
    """Draw H[Z] and H[Z|Y] after training against gamma, one colour for each surrogate, one line for each estimator.

    Args:
        rows: Results of runs with several gammas and surrogates.
        path: The file, PNG or SVG.
        title: What stands above the picture.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    quantities = ("H[Z]", "H[Z|Y]")
    table = last(wanted(frame(rows), quantities))
    table = table[table["gamma"] > 0]
    surrogates, methods = list(dict.fromkeys(table["surrogate"])), list(dict.fromkeys(table["method"]))
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    for axes, quantity in zip(figure.subplots(1, 2), quantities, strict=True):
        for index, surrogate in enumerate(surrogates):
            for method in methods:
                mask = (table["quantity"] == quantity) & (table["surrogate"] == surrogate) & (table["method"] == method)
                style = _STYLES.get(method, "-.")
                band(axes, table[mask], "gamma", color=COLOURS[index % len(COLOURS)], linestyle=style, marker=".")
        axes.axhline(0, color="0.6", linewidth=0.8)
        axes.set(title=quantity, xlabel="gamma", ylabel="nats", xscale="log")
        axes.grid(color="0.92")
    handles = [
        Line2D([], [], color=COLOURS[index % len(COLOURS)], label=surrogate_label(name))
        for index, name in enumerate(surrogates)
    ]
    handles += [Line2D([], [], color="0.3", linestyle=_STYLES.get(name, "-."), label=name) for name in methods]
    figure.axes[-1].legend(handles=handles, fontsize="small")
    figure.suptitle(_with_trials(title, table))
    save(figure, path)


def _with_trials(title: str, table: pd.DataFrame) -> str:
    trials = int(table["seed"].nunique())
    spread = "" if trials == 1 else ", median and quartiles"
    return f"{title}  ({trials} {'trial' if trials == 1 else 'trials'}{spread})".strip()

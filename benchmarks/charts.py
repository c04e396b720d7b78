"""Growth curves: what a case needs here and in its peers against what grows, on logarithmic scales.

Only a number n of variables stands on a plain scale, for everything grows exponentially with it.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.ticker import NullLocator

from benchmarks.record import Figure

_STYLES = ("s--", "^:", "D-.", "v--", "P:")
_UNITS = {"s": "seconds", "MB": "megabytes"}


def draw(path: Path, figures: Sequence[Figure]) -> None:
    """Draw the figures of one case into an SVG file, the same file for the same figures."""
    first = figures[0]
    places = sorted({figure.at for figure in figures if figure.at is not None})
    ours = {figure.at: figure.ours for figure in figures}
    peers = dict.fromkeys(figure.peer for figure in figures if figure.peer)
    with mpl.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}):
        canvas, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
        axes.plot(places, [ours[place] for place in places], "o-", label="here")
        for peer, style in zip(peers, _STYLES, strict=False):
            line = [(figure.at, figure.theirs) for figure in figures if figure.peer == peer]
            axes.plot(*zip(*line, strict=True), style, label=peer)
        axes.set_yscale("log")
        if first.axis != "n":
            axes.set_xscale("log")
        axes.set_xticks(places, [f"{place:,}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(first.axis)
        axes.set_ylabel(_UNITS[first.unit])
        axes.set_title(first.case)
        axes.grid(alpha=0.3)
        axes.legend()
        canvas.savefig(path, metadata={"Date": None})
        plt.close(canvas)

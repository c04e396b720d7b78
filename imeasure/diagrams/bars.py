"""Atoms as an ordered bar chart with dots for membership: any number of sets, where no picture of regions helps.

The layout is that of UpSet plots (Lex et al., 2014): one bar an atom, and dots for the variables that meet in it.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from mpl_toolkits.axes_grid1 import make_axes_locatable
from numpy.typing import NDArray

from imeasure.diagrams.content import Atom, Content
from imeasure.diagrams.drawing import TITLE_FONT, VALUE_COLOURS
from imeasure.diagrams.lettering import line_width, places_of, value_text, word_of
from imeasure.diagrams.result import Diagram, figure_of
from imeasure.diagrams.strokes import INK
from imeasure.diagrams.valuation import compact, in_unit
from imeasure.errors import ConfigError
from imeasure.names import latex_name

SHOWN = 40
"""Most bars of a chart: the atoms of largest absolute height."""
_INCH = 72.0
_ROW, _PITCH, _PLOT = 0.22, 0.24, 2.2
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.85, 0.1, 0.15, 0.4
_LEAST_PLOT, _SPACE, _LEGEND = 0.8, 0.1, 0.22
_FONT = 8.5


def bars(content: Content, names: str | Mapping[int, str], *, unit: str, ax: Axes | None = None) -> Diagram:
    """Draw atoms as bars, in descending order, with dots for the variables that contain each.

    Args:
        content: What to show; its atoms have values, or numbers as coefficients.
        names: What the bars' ends carry: ``"values"``, ``"words"``, words by bitmask; nothing for ``"symbols"`` and
            ``"none"``, where the dots name the atoms.
        unit: ``"nats"`` or ``"bits"``.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The diagram, without panels.

    Raises:
        ConfigError: If the axes are too small.
    """
    heights = {mask: _height(atom, unit) for mask, atom in content.atoms.items()}
    shown = sorted(heights, key=lambda mask: (-heights[mask], mask.bit_count(), mask))
    values = np.array([heights[mask] for mask in shown])
    places = places_of(content, unit)
    ends = {mask: text for mask in shown if (text := _end(content.atoms[mask], names, unit, places))}
    rows = _ROW * len(content.names)
    room = line_width(ends.values(), _FONT - 1) + 6 if ends else 0.0
    sides = [room * bool((values < 0).any()), room * bool((values > 0).any())]
    top = _TOP + _LEGEND * bool((values < 0).any())
    axes = _own_axes(len(shown), rows, content, sum(sides), top) if ax is None else ax
    plot = _plot_height(axes, rows, sum(sides))
    if ax is not None:
        axes.clear()
    positions = np.arange(len(shown))
    negative = values < 0
    for some, colour, hatch in ((~negative, VALUE_COLOURS(1.0), ""), (negative, VALUE_COLOURS(0.0), "////")):
        axes.bar(positions[some], values[some], width=0.72, color=colour, edgecolor=INK, linewidth=0.5, hatch=hatch)
    axes.axhline(0, color=INK, linewidth=0.8)
    for place, mask in enumerate(shown):
        if mask in ends:
            below = values[place] < 0
            axes.annotate(
                ends[mask],
                (place, values[place]),
                xytext=(0, -3 if below else 3),
                textcoords="offset points",
                rotation=90,
                ha="center",
                va="top" if below else "bottom",
                fontsize=_FONT - 1,
            )
    _limits(axes, values, sides, plot)
    measured = any(atom.value is not None for atom in content.atoms.values())
    axes.set_ylabel(unit if measured else "coefficient", fontsize=_FONT + 0.5)
    axes.tick_params(axis="y", labelsize=_FONT)
    axes.set_xticks([])
    axes.set_xlim(-0.7, len(shown) - 0.3)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    if negative.any():
        handle = Patch(facecolor=VALUE_COLOURS(0.0), hatch="////", edgecolor=INK, linewidth=0.5, label="negative")
        axes.legend(
            handles=[handle],
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.1,
            frameon=False,
            fontsize=_FONT,
        )
    if content.title:
        pad = 4.0 + _LEGEND * _INCH * bool(negative.any())
        axes.set_title(content.title, fontsize=TITLE_FONT, pad=pad)
    dots = make_axes_locatable(axes).append_axes("bottom", size=rows, pad=_SPACE, sharex=axes)
    _dots(dots, shown, content.names)
    if note := _note(content, unit, measured=measured):
        dots.set_xlabel(note, fontsize=_FONT)
    return Diagram(figure_of(axes), (axes, dots), (), (content,))


def _own_axes(count: int, rows: float, content: Content, room: float, top: float) -> Axes:
    """Axes on a new figure of the size that the chart needs, so many inches below its upper edge and any title."""
    top += 0.12 + 1.45 * TITLE_FONT / _INCH * (content.title.count("\n") + 1) if content.title else 0.0
    width = max(5.0, _LEFT + _PITCH * count + _RIGHT, line_width(content.title.split("\n"), TITLE_FONT) / _INCH + 1.5)
    height = top + _PLOT + room / _INCH + rows + _SPACE + _BOTTOM
    figure = Figure(figsize=(width, height))
    return figure.add_axes(
        (_LEFT / width, _BOTTOM / height, 1 - (_LEFT + _RIGHT) / width, 1 - (top + _BOTTOM) / height)
    )


def _plot_height(axes: Axes, rows: float, room: float) -> float:
    """Return the points that axes leave to the bars."""
    figure = figure_of(axes)
    height = axes.get_position(original=True).height * axes.figure.bbox.height / figure.dpi
    needed = rows + _SPACE + _LEAST_PLOT + room / _INCH
    if height < needed:
        raise ConfigError(f"axes {height:.2f} inches high are too small for the bars, which need {needed:.2f} inches")
    return float(height - rows - _SPACE) * _INCH


def _note(content: Content, unit: str, *, measured: bool) -> str:
    """What the chart does not show."""
    parts = []
    if content.left_out:
        bound = compact(in_unit(content.bound, unit) if measured else content.bound)
        every = len(content.atoms) + content.left_out
        parts.append(f"the {len(content.atoms)} largest of {every} atoms by absolute value; the next one: {bound}")
    if content.zeros:
        zero = ("is" if content.zeros == 1 else "are") if measured else "has" if content.zeros == 1 else "have"
        what = "zero" if measured else "coefficient zero"
        parts.append(f"{content.zeros} more {'atom' if content.zeros == 1 else 'atoms'} {zero} {what}, not drawn")
    return "; ".join(parts)


def _end(atom: Atom, names: str | Mapping[int, str], unit: str, places: int) -> str:
    if names == "values":
        return value_text(atom, unit, places)
    return word_of(atom, names) or ""


def _height(atom: Atom, unit: str) -> float:
    return in_unit(atom.value, unit) if atom.value is not None else float(atom.coefficient)


def _limits(axes: Axes, values: NDArray[np.float64], sides: list[float], plot: float) -> None:
    """Leave room for text at the ends of the bars: so many points below and above them."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    below, above = (max(room, 0.03 * plot) for room in sides)
    unit = (high - low) / (plot - below - above)
    axes.set_ylim(low - below * unit, high + above * unit)
    axes.spines["left"].set_bounds(low, high)
    axes.set_yticks([tick for tick in axes.get_yticks() if low - 1e-9 <= tick <= high + 1e-9])


def _dots(axes: Axes, shown: list[int], names: tuple[str, ...]) -> None:
    """Rows of dots, one row per variable, filled where it contains the atom."""
    inside = np.array([[mask >> bit & 1 for mask in shown] for bit in range(len(names))], dtype=bool)
    rows, columns = np.nonzero(~inside)
    axes.plot(columns, rows, "o", color="#d0d0d0", markersize=4.0, zorder=1, linestyle="none")
    rows, columns = np.nonzero(inside)
    axes.plot(columns, rows, "o", color=INK, markersize=5.0, zorder=3, linestyle="none")
    first, last = inside.argmax(axis=0), len(names) - 1 - inside[::-1].argmax(axis=0)
    axes.vlines(np.arange(len(shown)), first, last, color=INK, linewidth=1.4, zorder=2)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [f"${latex_name(name)}$" for name in names], fontsize=10)
    axes.tick_params(length=0)
    axes.set_xticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)

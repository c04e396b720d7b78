"""Atoms as an ordered bar chart with dots for membership: any number of sets, where no picture of regions helps."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imeasure.diagrams.content import Atom, Content, in_unit
from imeasure.diagrams.result import Diagram, figure_of
from imeasure.errors import ConfigError
from imeasure.names import latex_name

SHOWN = 40
"""Most bars of a chart; the smallest atoms are left out and counted."""


def bars(content: Content, *, unit: str, ax: Axes | None = None) -> Diagram:
    """Draw the largest atoms as bars, in descending order, with dots for the variables that contain each.

    Args:
        content: What to show; its atoms need values, or numbers as coefficients.
        unit: ``"nats"`` or ``"bits"``.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The diagram, without panels.

    Raises:
        ConfigError: If there is nothing to measure bars by.
    """
    heights = {mask: _height(atom, unit) for mask, atom in content.atoms.items()}
    listed = sorted(
        (mask for mask, height in heights.items() if abs(height) > 1e-12),
        key=lambda mask: (-abs(heights[mask]), mask.bit_count(), mask),
    )
    if not listed:
        raise ConfigError("bars need heights; give values=, or highlight= with numbers as coefficients")
    shown = sorted(listed[:SHOWN], key=lambda mask: (-heights[mask], mask.bit_count(), mask))
    axes = ax if ax is not None else _figure(len(shown), len(content.names)).add_subplot()
    positions = np.arange(len(shown))
    values = np.array([heights[mask] for mask in shown])
    measured = any(atom.value is not None for atom in content.atoms.values())
    axes.bar(
        positions[values >= 0], values[values >= 0], width=0.72, color="#d9822b", edgecolor="#222222", linewidth=0.5
    )
    axes.bar(
        positions[values < 0],
        values[values < 0],
        width=0.72,
        color="#b6a6d6",
        edgecolor="#222222",
        linewidth=0.5,
        hatch="////",
    )
    axes.axhline(0, color="#222222", linewidth=0.8)
    _dots(axes, shown, content.names, values)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    axes.text(
        -0.075,
        (low + high) / 2,
        unit if measured else "coefficient",
        rotation=90,
        ha="right",
        va="center",
        transform=axes.get_yaxis_transform(),
        fontsize=10,
    )
    axes.spines["left"].set_bounds(low, high)
    axes.set_xticks([])
    axes.set_xlim(-0.7, len(shown) - 0.3)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    hidden = len(listed) - len(shown)
    note = f"{hidden} smaller atoms not shown" if hidden else ""
    axes.set_title("  ".join(filter(None, [content.title, note])), fontsize=10)
    return Diagram(figure_of(axes), (axes,), ())


def _figure(count: int, sets: int) -> Figure:
    return Figure(figsize=(max(4.5, 1.4 + 0.24 * count), 2.6 + 0.24 * sets), layout="constrained")


def _height(atom: Atom, unit: str) -> float:
    if atom.value is not None:
        return in_unit(atom.value, unit)
    return float(atom.coefficient) if atom.coefficient.is_number else 0.0


def _dots(axes: Axes, shown: list[int], names: tuple[str, ...], values: Any) -> None:
    """Rows of dots below the bars, one row per variable, filled where it contains the atom."""
    span = float(max(values.max(), 0.0) - min(values.min(), 0.0))
    size = float(figure_of(axes).get_size_inches()[1])
    row = span * 0.24 / max(size - 0.5 - 0.24 * len(names), 1.0)
    ground = min(float(values.min()), 0.0) - 1.2 * row
    for place, mask in enumerate(shown):
        inside = [ground - row * bit for bit in range(len(names)) if mask >> bit & 1]
        outside = [ground - row * bit for bit in range(len(names)) if not mask >> bit & 1]
        axes.plot([place, place], [inside[0], inside[-1]], color="#222222", linewidth=1.4, zorder=2)
        axes.plot([place] * len(inside), inside, "o", color="#222222", markersize=5.0, zorder=3)
        axes.plot([place] * len(outside), outside, "o", color="#d0d0d0", markersize=4.0, zorder=1)
    for bit, name in enumerate(names):
        axes.text(-0.9, ground - row * bit, f"${latex_name(name)}$", ha="right", va="center", fontsize=10)
    ticks = [tick for tick in axes.get_yticks() if values.min() - span * 0.05 <= tick <= values.max() + span * 0.05]
    axes.set_yticks([*ticks, *([0.0] if 0.0 not in ticks else [])])
    axes.set_ylim(ground - row * len(names), values.max() + 0.05 * span)

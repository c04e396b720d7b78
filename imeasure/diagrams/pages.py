"""Putting pictures on a page.

A new figure is made as large as its labels need, so nothing overlaps and nothing is cut; on given axes all text shrinks
with the picture.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imeasure.diagrams.content import Content
from imeasure.diagrams.drawing import Labels, colour_bar, paint, plan, value_scale
from imeasure.diagrams.result import Diagram, Panel, figure_of
from imeasure.diagrams.shapes import Layout

_INCH = 72.0
_TOP, _BOTTOM, _GAP, _BAR = 0.46, 0.34, 0.3, 0.95
_LEAST_POINTS = 36.0
_FEW, _LEGIBLE = 7, 8.0


def page(contents: Sequence[Content], layout: Layout, labels: Labels, *, values: bool, unit: str) -> Diagram:
    """Draw pictures side by side on a new figure of the size that they need.

    Args:
        contents: What to show, from left to right.
        layout: Their common geometry.
        labels: For an atom, the variants of its label.
        values: Colour by value, with a colour bar.
        unit: ``"nats"`` or ``"bits"``.

    Returns:
        The diagram.
    """
    panels = _planned(contents, layout, labels)
    points = panels[0].points
    scale = value_scale(contents, unit) if values else None
    extents = [panel.extent for panel in panels]
    widths = [(right - left) * points / _INCH for left, right, _, _ in extents]
    heights = [(top - bottom) * points / _INCH for _, _, bottom, top in extents]
    above = _TOP if any(content.title for content in contents) else 0.05
    below = _BOTTOM if any(atom.trend for content in contents for atom in content.atoms.values()) else 0.05
    across = sum(widths) + _GAP * (len(panels) - 1) + (_BAR if values else 0.0)
    up = max(heights) + above + below
    figure = Figure(figsize=(across, up))
    drawn: list[Axes] = []
    left = 0.0
    for panel, width, height in zip(panels, widths, heights, strict=True):
        bottom = below + (max(heights) - height) / 2
        axes = figure.add_axes((left / across, bottom / up, width / across, height / up), label=str(len(drawn)))
        paint(panel, axes, scale=scale, unit=unit)
        drawn.append(axes)
        left += width + _GAP
    if scale is not None:
        place = (
            (across - _BAR + 0.12) / across,
            (below + 0.1 * max(heights)) / up,
            0.16 / across,
            0.8 * max(heights) / up,
        )
        colour_bar(drawn[-1], scale, unit, cax=figure.add_axes(place, label="colour bar"))
    return Diagram(figure, tuple(drawn), tuple(panels))


def _planned(contents: Sequence[Content], layout: Layout, labels: Labels) -> list[Panel]:
    """Plan at a usual size, and for few atoms at larger ones until every label is inside its region and legible."""
    usual = _points_per_unit(layout)
    first: list[Panel] = []
    for factor in (1.0, 1.2, 1.45) if len(layout.atoms) <= _FEW else (1.0,):
        panels = [plan(content, layout, labels, usual * factor) for content in contents]
        first = first or panels
        regions = [region for panel in panels for region in panel.regions.values()]
        if all(region.box.anchor is None and region.font_size >= _LEGIBLE for region in regions):
            return panels
    return first


def page_on(axes: Axes, content: Content, layout: Layout, labels: Labels, *, values: bool, unit: str) -> Diagram:
    """Draw one picture on axes of the user's, whose size is given.

    Args:
        axes: Where to draw; what is on it goes.
        content: What to show.
        layout: Its geometry.
        labels: For an atom, the variants of its label.
        values: Colour by value, with a colour bar.
        unit: ``"nats"`` or ``"bits"``.

    Returns:
        The diagram.
    """
    scale = value_scale([content], unit) if values else None
    axes.clear()
    axes.set_aspect("equal")
    if scale is not None:
        colour_bar(axes, scale, unit)
    (panel,) = _planned([content], layout, labels)
    left, right, bottom, top = panel.extent
    figure = figure_of(axes)
    figure.draw_without_rendering()
    box, host = axes.get_position(original=True), axes.figure.bbox
    width, height = (side / figure.dpi * _INCH for side in (box.width * host.width, box.height * host.height))
    shrink = min(width / (right - left), height / (top - bottom)) / panel.points
    paint(panel, axes, scale=scale, unit=unit, shrink=min(shrink, 1.5))
    return Diagram(figure, (axes,), (panel,))


def _points_per_unit(layout: Layout) -> float:
    """A scale at which most labels fit: the more atoms, and the flatter the picture, the larger."""
    across = float(layout.x[-1] - layout.x[0])
    up = float(layout.y[-1] - layout.y[0])
    inches = 3.9 + 0.11 * len(layout.atoms) + 1.5 * max(0.0, across / up - 1.4)
    return max(inches * _INCH / across, _LEAST_POINTS)

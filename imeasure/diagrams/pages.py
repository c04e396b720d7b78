"""Putting pictures on a page.

A new figure is made as large as its labels need, so nothing overlaps and nothing is cut; on given axes the text keeps
its size and the picture takes the room that is left.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imeasure.diagrams.content import Content
from imeasure.diagrams.drawing import (
    TITLE_FONT,
    colour_bar,
    legend_handles,
    paint,
    plan,
    value_scale,
    width_beside,
)
from imeasure.diagrams.lettering import Labels
from imeasure.diagrams.result import Diagram, Panel, figure_of
from imeasure.diagrams.shapes import Layout
from imeasure.errors import ConfigError

_INCH = 72.0
_BOTTOM, _GAP, _BAR = 0.34, 0.3, 0.95
_LEAST_POINTS = 36.0
_LEAST_SET = 9.0
_TRIES = 24
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
    widths = [
        max((right - left) * points, width_beside(content)) / _INCH
        for content, (left, right, _, _) in zip(contents, extents, strict=True)
    ]
    heights = [(top - bottom) * points / _INCH for _, _, bottom, top in extents]
    above = 0.05 + max(_above(content) for content in contents)
    below = _BOTTOM if any(map(legend_handles, contents)) else 0.05
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
    return Diagram(figure, tuple(drawn), tuple(panels), tuple(contents))


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
    figure = figure_of(axes)
    figure.draw_without_rendering()
    box, host = axes.get_position(original=True), axes.figure.bbox
    width, height = (side / figure.dpi * _INCH for side in (box.width * host.width, box.height * host.height))
    panel = _fitted(content, layout, labels, width, height)
    paint(panel, axes, scale=scale, unit=unit, shrink=min(1.0, width / max(width_beside(content), 1.0)))
    return Diagram(figure, (axes,), (panel,), (content,))


def _fitted(content: Content, layout: Layout, labels: Labels, width: float, height: float) -> Panel:
    """Plan the largest picture that fits with its labels into so many points."""
    across, up = (float(ends[-1] - ends[0]) for ends in (layout.x, layout.y))
    least = _LEAST_SET * len(content.names) / min(across, up)
    points = min(width / across, height / up)
    for _ in range(_TRIES):
        if points < least:
            break
        panel = plan(content, layout, labels, points, dense=True)
        left, right, bottom, top = panel.extent
        fits = min(width / (right - left), height / (top - bottom)) / points
        if fits > 1.0 - 1e-3:
            return panel
        points *= min(max(fits, 0.88), 0.97)
    raise ConfigError(
        f"axes of {width / _INCH:.1f} x {height / _INCH:.1f} inches are too small for {len(content.atoms)} readable "
        "labels; give larger ones, or names='none'"
    )


def _above(content: Content) -> float:
    """Inches of the title."""
    lines = content.title.count("\n") + 1 if content.title else 0
    return (0.12 + 1.45 * TITLE_FONT / _INCH * lines) if lines else 0.0


def _points_per_unit(layout: Layout) -> float:
    """A scale at which most labels fit: the more atoms, and the flatter the picture, the larger."""
    across = float(layout.x[-1] - layout.x[0])
    up = float(layout.y[-1] - layout.y[0])
    inches = 3.9 + 0.11 * len(layout.atoms) + 1.5 * max(0.0, across / up - 1.4)
    return max(inches * _INCH / across, _LEAST_POINTS)

"""Drawing with matplotlib: regions as filled outlines, sets as lines, labels where they fit, and what each is made of.

First everything is given its place (:func:`plan`), then it is drawn (:func:`paint`).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

from imeasure.diagrams.content import Atom, Content
from imeasure.diagrams.lettering import Labels, block_size, line_width, text_size
from imeasure.diagrams.placing import Box, beside, place
from imeasure.diagrams.result import Panel, Region, figure_of
from imeasure.diagrams.shapes import Floats, Layout
from imeasure.diagrams.strokes import INK, draw_outlines, set_colour
from imeasure.diagrams.valuation import in_unit
from imeasure.names import latex_name

TREND_COLOURS: Mapping[str, str] = {
    "minimised": "#f0b878", "maximised": "#94c2e6", "positive": "#f0b878", "negative": "#94c2e6", "depends": "#d9d2e6",
}  # fmt: skip
TREND_HATCHES: Mapping[str, str] = {"maximised": "////", "negative": "////", "depends": "...."}
TREND_TEXTS: Mapping[str, str] = {
    "minimised": "minimised",
    "maximised": "maximised",
    "positive": "positive coefficient",
    "negative": "negative coefficient",
    "depends": "sign depends on the parameters",
}
TITLE_FONT = 11.0
_GREY = "#dedede"
_EDGE = "#00000066"
_FONTS = (10.0, 8.5, 7.0)
_DENSE_FONTS = (10.0, 8.5, 7.0, 6.5)
_BESIDE_FONT, _DENSE_BESIDE_FONT = 10.0, 7.0
_LEGEND_FONT = 8.5
_LEGEND_EXTRA = 38.0
_NAME_FONT, _SMALL_NAME_FONT = 14.0, 10.0
_SMALL = 34.0
_PADDING = 4.0
VALUE_COLOURS = LinearSegmentedColormap.from_list("values", mpl.colormaps["PuOr_r"](np.linspace(0.25, 0.75, 64)))


def plan(content: Content, layout: Layout, labels: Labels, points: float, *, dense: bool = False) -> Panel:
    """Decide where everything goes.

    Args:
        content: What to show.
        layout: The geometry, one set per variable.
        labels: For an atom, the variants of its label, best first, each a sequence of lines.
        points: Points per unit of the picture, which decides how much room text takes.
        dense: Whether to go down to small print before a label is put beside the picture.

    Returns:
        The picture, not drawn yet.
    """
    regions = _label(content, layout, labels, points, dense=dense)
    titles = _set_titles(content, layout, points, [region.box for region in regions.values()])
    return Panel(content, layout, regions, titles, points)


def paint(panel: Panel, axes: Axes, *, scale: Normalize | None = None, unit: str = "nats", shrink: float = 1.0) -> None:
    """Draw a picture.

    Args:
        panel: The picture.
        axes: Where to draw; its aspect becomes equal.
        scale: Colour regions by value on this scale.
        unit: ``"nats"`` or ``"bits"``.
        shrink: Factor of the title's and the legend's font sizes, where the axes are narrow.
    """
    content, layout = panel.content, panel.layout
    axes.set_aspect("equal")
    axes.set_axis_off()
    left, right, bottom, top = panel.extent
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    number = figure_of(axes).axes.index(axes)
    prefix = f"picture-{number}-" if number else ""
    painted = scale is not None or any(atom.trend for atom in content.atoms.values())
    for mask, region in panel.regions.items():
        colour, hatch = _style(content, region.atom, scale, unit)
        _fill(axes, layout, mask, colour, hatch, f"{prefix}atom-{mask}")
        _write(axes, region, panel.points, colour if hatch else None)
    draw_outlines(axes, layout, content.names, panel.points, prefix, dark=painted)
    for bit, (name, box) in enumerate(panel.titles.items()):
        axes.text(
            box.x,
            box.y,
            f"${latex_name(name)}$",
            fontsize=_name_font(panel.points),
            color=set_colour(bit, dark=painted),
            ha="center",
            va="center",
            zorder=4,
            gid=f"{prefix}name-{name}",
        )
    if content.title:
        axes.set_title(content.title, fontsize=TITLE_FONT * shrink, color=INK, pad=10 * shrink)
    if handles := legend_handles(content):
        axes.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=len(handles),
            frameon=False,
            fontsize=_LEGEND_FONT * shrink,
            handlelength=1.6,
            columnspacing=1.2,
        )


def width_beside(content: Content) -> float:
    """Return how wide the title and the legend of a picture are.

    Args:
        content: What the picture shows.

    Returns:
        Points.
    """
    entries = [str(handle.get_label()) for handle in legend_handles(content)]
    legend = sum(line_width([entry], _LEGEND_FONT) + _LEGEND_EXTRA for entry in entries)
    return max(line_width(content.title.split("\n"), TITLE_FONT), legend)


def value_scale(contents: Sequence[Content], unit: str) -> Normalize:
    """Return a colour scale that is symmetric about zero.

    Args:
        contents: What will be drawn with it.
        unit: ``"nats"`` or ``"bits"``.

    Returns:
        The scale.
    """
    values = [abs(in_unit(a.value, unit)) for c in contents for a in c.atoms.values() if a.value is not None]
    top = max(values, default=0.0) or 1.0
    return Normalize(-top, top)


def colour_bar(axes: Axes, scale: Normalize, unit: str, *, cax: Axes | None = None) -> None:
    """Draw the colour bar of a value scale, its negative half hatched as negative regions are.

    Args:
        axes: The picture it belongs to.
        scale: The scale.
        unit: ``"nats"`` or ``"bits"``.
        cax: Axes for the bar; taken from the picture's by default.
    """
    mappable = ScalarMappable(scale, VALUE_COLOURS)
    bar = axes.figure.colorbar(mappable, cax=cax, ax=None if cax is not None else axes, shrink=0.75, pad=0.03)
    bar.set_label(unit, fontsize=_LEGEND_FONT + 0.5)
    bar.ax.tick_params(labelsize=_LEGEND_FONT)
    bar.outline.set_linewidth(0.5)
    bar.ax.axhspan(float(scale.vmin or 0.0), 0.0, facecolor="none", edgecolor=_EDGE, linewidth=0.0, hatch="////")


def legend_handles(content: Content) -> list[Patch]:
    """Return what the legend of a picture lists.

    Args:
        content: What the picture shows.

    Returns:
        Patches with labels.
    """
    trends = {atom.trend for atom in content.atoms.values()}
    styles = [(TREND_COLOURS[trend], trend, text) for trend, text in TREND_TEXTS.items() if trend in trends]
    if any(atom.dropped for atom in content.atoms.values()):
        styles.append((_GREY, "", "left out with the constant"))
    return [
        Patch(facecolor=colour, hatch=TREND_HATCHES.get(trend, ""), edgecolor=_EDGE, linewidth=0.5, label=text)
        for colour, trend, text in styles
    ]


def _style(content: Content, atom: Atom, scale: Normalize | None, unit: str) -> tuple[Any, str]:
    if scale is not None:
        if atom.value is None:
            return _GREY, "xxxx"
        return VALUE_COLOURS(scale(in_unit(atom.value, unit))), "////" if atom.value < 0 else ""
    if atom.trend:
        return TREND_COLOURS[atom.trend], TREND_HATCHES.get(atom.trend, "")
    if atom.dropped:
        return _GREY, ""
    if any(other.trend for other in content.atoms.values()):
        return "#ffffff", ""
    tints = [np.array(set_colour(bit)) for bit in range(len(content.names)) if atom.mask >> bit & 1]
    share = min(0.16 + 0.13 * (len(tints) - 1), 0.6)
    return tuple((1 - share) * np.ones(3) + share * np.mean(tints, axis=0)), ""


def _fill(axes: Axes, layout: Layout, mask: int, colour: Any, hatch: str, gid: str) -> None:
    step = float(layout.x[1] - layout.x[0])
    rings = [
        _thinned(points[first:last], step)
        for points, starts in layout.patches(mask)
        for first, last in pairwise(starts.tolist())
    ]
    codes = [[Outline.MOVETO, *[Outline.LINETO] * (len(ring) - 2), Outline.CLOSEPOLY] for ring in rings]
    axes.add_patch(
        PathPatch(
            Outline(np.concatenate(rings), np.concatenate(codes)),
            facecolor=colour,
            edgecolor=_EDGE if hatch else "none",
            hatch=hatch,
            linewidth=0.0,
            gid=gid,
            zorder=1,
        )
    )


def _thinned(ring: Floats, step: float) -> Floats:
    """Leave out the points of a closed line that lie within a ninth of a grid step of the straight line."""
    simple = Outline(ring / step).cleaned(simplify=True)
    kept = np.asarray(simple.vertices)[np.asarray(simple.codes) != Outline.STOP] * step
    return np.concatenate([kept, kept[:1]])


def _name_font(points: float) -> float:
    return _NAME_FONT if points >= _SMALL else _SMALL_NAME_FONT


def _set_titles(content: Content, layout: Layout, points: float, labels: Sequence[Box]) -> dict[str, Box]:
    """Put each set's name outside all sets, where its outline borders what no other set covers, far from the middle."""
    middle = np.array([np.mean(layout.x[[0, -1]]), np.mean(layout.y[[0, -1]])])
    upright = (layout.y[-1] - layout.y[0]) < 0.7 * (layout.x[-1] - layout.x[0])
    titles: dict[str, Box] = {}
    for bit, name in enumerate(content.names):
        others = np.delete(layout.fields, bit, axis=0)
        outside = others.max(axis=0) if len(others) else np.full(layout.labels.shape, -1.0)
        outline = np.concatenate(layout.outline(bit))
        columns = np.clip(np.searchsorted(layout.x, outline[:, 0]), 0, len(layout.x) - 1)
        rows = np.clip(np.searchsorted(layout.y, outline[:, 1]), 0, len(layout.y) - 1)
        alone = outside[rows, columns] < 0
        own = alone & _grown(layout.labels == 1 << bit)[rows, columns]
        rim = next((outline[some] for some in (own, alone) if some.any()), outline)
        direction = rim - middle
        if upright and len(content.names) > 2:
            score = rim[:, 1]
            direction = np.broadcast_to(np.array([0.0, 1.0]), rim.shape)
        else:
            score = 0.5 * np.hypot(*direction.T) + 0.3 * direction[:, 1] + np.abs(direction[:, 1])
        text = f"${latex_name(name)}$"
        width, height = (side / points for side in text_size(text, _name_font(points)))
        taken = [*labels, *titles.values()]
        best: tuple[int, Box] | None = None
        for index in np.argsort(-score, kind="stable"):
            spot = rim[index]
            ray = direction[index] / max(float(np.hypot(*direction[index])), 1e-9)
            reach = abs(ray[0]) * width / 2 + abs(ray[1]) * height / 2 + 3.0 / points
            box = Box(float(spot[0] + ray[0] * reach), float(spot[1] + ray[1] * reach), width, height)
            faults = sum(box.overlaps(other) for other in taken) * 3 + sum(box.meets(other.line) for other in labels)
            faults += 0 if _is_free(layout, box) else 2
            if best is None or faults < best[0]:
                best = faults, box
            if faults == 0:
                break
        if best is not None:
            titles[name] = best[1]
    return titles


def _grown(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A region and all that is at most two grid steps away."""
    rows, columns = region.shape
    padded = np.pad(region, 2)
    return np.asarray(np.any([padded[i : i + rows, j : j + columns] for i in range(5) for j in range(5)], axis=0))


def _is_free(layout: Layout, box: Box) -> bool:
    columns = np.abs(layout.x - box.x) < box.width / 2
    rows = np.abs(layout.y - box.y) < box.height / 2
    return not layout.labels[np.ix_(rows, columns)].any()


def _label(content: Content, layout: Layout, labels: Labels, points: float, *, dense: bool) -> dict[int, Region]:
    variants = {
        mask: [(tuple(lines), font) for font in (_DENSE_FONTS if dense else _FONTS) for lines in labels(atom)]
        for mask, atom in content.atoms.items()
    }
    sizes = {mask: [_room(lines, font, points) for lines, font in options] for mask, options in variants.items()}
    placed, outside = place(layout, sizes)
    font = _DENSE_BESIDE_FONT if dense else _BESIDE_FONT
    narrow = {mask: _narrowest(options, sizes[mask], font) for mask, options in variants.items()}
    while True:
        aside = beside(layout, outside, {mask: sizes[mask][narrow[mask]] for mask in outside}, 5.0 / points)
        leaders = [box.line for box in aside.values() if box.line is not None]
        crossed = {m: sizes[m] for m, (_, box) in placed.items() if any(box.meets(line) for line in leaders)}
        moved, stuck = place(layout, crossed, leaders, 2.0 / points)
        placed = {m: where for m, where in (placed | moved).items() if m not in stuck}
        if not stuck:
            break
        outside |= stuck
    step = float(layout.x[1] - layout.x[0])
    regions = {}
    for mask, atom in content.atoms.items():
        number, box = placed[mask] if mask in placed else (narrow[mask], aside[mask])
        lines, font = variants[mask][number]
        area = float(np.count_nonzero(layout.labels == mask)) * step**2
        regions[mask] = Region(atom, area, box, lines, font)
    return regions


def _narrowest(
    options: Sequence[tuple[tuple[str, ...], float]], sizes: Sequence[tuple[float, float]], font: float
) -> int:
    """Which variant in a font is best beside the picture: a line of words is broken, a symbol is not."""
    choices = [number for number, (_, size) in enumerate(options) if size == font]
    return min(choices, key=lambda number: (max(sizes[number][0], 6.0 * sizes[number][1]), number))


def _room(lines: Sequence[str], font: float, points: float) -> tuple[float, float]:
    width, height = block_size(lines, font)
    if not width:
        return 0.0, 0.0
    return (width + _PADDING) / points, (height + _PADDING) / points


def _write(axes: Axes, region: Region, points: float, ground: Any) -> None:
    """Write a label; on a hatched region it clears the ground behind it."""
    box = region.box
    if box.line is not None:
        axes.plot(*np.transpose(box.line), color=INK, linewidth=0.7, zorder=3)
        axes.plot(*box.line[1], marker="o", markersize=2.4, color=INK, zorder=3)
    heights = [text_size(line, region.font_size)[1] * 1.12 / points for line in region.lines]
    top = box.y + sum(heights) / 2
    clear = ground is not None and box.anchor is None
    for line, height in zip(region.lines, heights, strict=True):
        axes.text(
            box.x,
            top - height / 2,
            line,
            fontsize=region.font_size,
            color=INK,
            ha="center",
            va="center",
            zorder=5,
            bbox={"facecolor": ground, "edgecolor": "none", "pad": 1.0} if clear else None,
        )
        top -= height

"""Drawing with matplotlib: regions as filled outlines, sets as lines, labels where they fit, and what each is made of.

First everything is given its place (:func:`plan`), then it is drawn (:func:`paint`).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke

from imeasure.diagrams.content import Atom, Content, in_unit
from imeasure.diagrams.lettering import block_size, text_size
from imeasure.diagrams.placing import Box, beside, place
from imeasure.diagrams.result import Panel, Region
from imeasure.diagrams.shapes import Floats, Layout
from imeasure.names import latex_name

SET_COLOURS = ("#3b6fb6", "#d9822b", "#3a9b6f", "#a6518f", "#7a6a35")
TREND_COLOURS: Mapping[str, str] = {"minimised": "#e8a35c", "maximised": "#6aa5d8", "depends": "#d9d2e6"}
TREND_HATCHES: Mapping[str, str] = {"minimised": "", "maximised": "////", "depends": "...."}
_GREY = "#dedede"
_INK = "#222222"
_STRONG = 0.62
_FONTS = (10.0, 8.5, 7.0)
_FONT = _FONTS[0]
_TITLE_FONT = 14.0
_PADDING = 4.0
VALUE_COLOURS = LinearSegmentedColormap.from_list("values", mpl.colormaps["PuOr_r"](np.linspace(0.2, 0.8, 64)))


Labels = Callable[[Atom], Sequence[Sequence[str]]]


def plan(content: Content, layout: Layout, labels: Labels, points: float) -> Panel:
    """Decide where everything goes.

    Args:
        content: What to show.
        layout: The geometry, one set per variable.
        labels: For an atom, the variants of its label, best first, each a sequence of lines.
        points: Points per unit of the picture, which decides how much room text takes.

    Returns:
        The picture, not drawn yet.
    """
    regions = _label(content, layout, labels, points)
    titles = _set_titles(content, layout, points, [region.box for region in regions.values()])
    return Panel(content, layout, regions, titles, points)


def paint(panel: Panel, axes: Axes, *, scale: Normalize | None = None, unit: str = "nats", shrink: float = 1.0) -> None:
    """Draw a picture.

    Args:
        panel: The picture.
        axes: Where to draw; its aspect becomes equal.
        scale: Colour regions by value on this scale.
        unit: ``"nats"`` or ``"bits"``.
        shrink: Factor of all font sizes, where the axes are smaller than the picture was planned for.
    """
    content, layout = panel.content, panel.layout
    axes.set_aspect("equal")
    axes.set_axis_off()
    left, right, bottom, top = panel.extent
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    for mask, atom in content.atoms.items():
        _fill(axes, layout, mask, *_style(content, atom, scale, unit))
    for bit, name in enumerate(content.names):
        _outline(axes, layout, bit, name)
    for region in panel.regions.values():
        colour, hatch = _style(content, region.atom, scale, unit)
        _write(axes, region, panel.points, shrink, halo=bool(hatch or np.mean(to_rgb(colour)) < _STRONG))
    for bit, (name, box) in enumerate(panel.titles.items()):
        axes.text(
            box.x,
            box.y,
            f"${latex_name(name)}$",
            fontsize=_TITLE_FONT * shrink,
            color=_set_colour(bit),
            ha="center",
            va="center",
            zorder=4,
            gid=f"name-{name}",
        )
    if content.title:
        axes.set_title(content.title, fontsize=(_FONT + 1) * shrink, color=_INK, pad=11)
    _legend(axes, content, shrink)


def value_scale(contents: Sequence[Content], unit: str) -> Normalize:
    """Return a colour scale that is symmetric about zero.

    Args:
        contents: What will be drawn with it.
        unit: ``"nats"`` or ``"bits"``.

    Returns:
        The scale.
    """
    values = [abs(in_unit(a.value, unit)) for c in contents for a in c.atoms.values() if a.value is not None]
    top = max([*values, 1e-12])
    return Normalize(-top, top)


def colour_bar(axes: Axes, scale: Normalize, unit: str, *, cax: Axes | None = None) -> None:
    """Draw the colour bar of a value scale.

    Args:
        axes: The picture it belongs to.
        scale: The scale.
        unit: ``"nats"`` or ``"bits"``.
        cax: Axes for the bar; taken from the picture's by default.
    """
    mappable = ScalarMappable(scale, VALUE_COLOURS)
    bar = axes.figure.colorbar(mappable, cax=cax, ax=None if cax is not None else axes, shrink=0.75, pad=0.03)
    bar.set_label(unit)
    bar.outline.set_linewidth(0.5)


def _style(content: Content, atom: Atom, scale: Normalize | None, unit: str) -> tuple[Any, str]:
    if scale is not None:
        if atom.value is None:
            return _GREY, "xxxx"
        value = in_unit(atom.value, unit)
        return VALUE_COLOURS(scale(value)), "////" if value < -1e-9 else ""
    if atom.trend:
        return TREND_COLOURS[atom.trend], TREND_HATCHES[atom.trend]
    if atom.dropped:
        return _GREY, ""
    if any(other.trend for other in content.atoms.values()):
        return "#ffffff", ""
    tints = [np.array(to_rgb(_set_colour(bit))) for bit in range(len(content.names)) if atom.mask >> bit & 1]
    share = min(0.16 + 0.13 * (len(tints) - 1), 0.6)
    return tuple((1 - share) * np.ones(3) + share * np.mean(tints, axis=0)), ""


def _set_colour(bit: int) -> str:
    return SET_COLOURS[bit % len(SET_COLOURS)]


def _fill(axes: Axes, layout: Layout, mask: int, colour: Any, hatch: str) -> None:
    step = float(layout.x[1] - layout.x[0])
    for points, starts in layout.patches(mask):
        rings = [_thinned(points[first:last], step) for first, last in pairwise(starts.tolist())]
        codes = [[Outline.MOVETO, *[Outline.LINETO] * (len(ring) - 2), Outline.CLOSEPOLY] for ring in rings]
        axes.add_patch(
            PathPatch(
                Outline(np.concatenate(rings), np.concatenate(codes)),
                facecolor=colour,
                edgecolor="#00000066" if hatch else "none",
                hatch=hatch,
                linewidth=0.0,
                gid=f"atom-{mask}",
                zorder=1,
            )
        )


def _thinned(ring: Floats, step: float) -> Floats:
    """Leave out the points of a closed line that lie within a ninth of a grid step of the straight line."""
    simple = Outline(ring / step).cleaned(simplify=True)
    kept = np.asarray(simple.vertices)[np.asarray(simple.codes) != Outline.STOP] * step
    return np.concatenate([kept, kept[:1]])


def _outline(axes: Axes, layout: Layout, bit: int, name: str) -> None:
    for line in layout.outline(bit):
        axes.plot(
            line[:, 0],
            line[:, 1],
            color=_set_colour(bit),
            linewidth=1.6,
            gid=f"set-{name}",
            zorder=2,
            solid_joinstyle="round",
        )


def _set_titles(content: Content, layout: Layout, points: float, labels: Sequence[Box]) -> dict[str, Box]:
    """Put each set's name outside all sets, at the part of its outline that is farthest from the others."""
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
        rim = outline[alone] if alone.any() else outline
        direction = rim - middle
        if upright and len(content.names) > 2:
            score = rim[:, 1]
            direction = np.broadcast_to(np.array([0.0, 1.0]), rim.shape)
        else:
            score = 0.5 * np.hypot(*direction.T) + 0.3 * direction[:, 1] + np.abs(direction[:, 1])
        text = f"${latex_name(name)}$"
        width, height = (side / points for side in text_size(text, _TITLE_FONT))
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


def _is_free(layout: Layout, box: Box) -> bool:
    columns = np.abs(layout.x - box.x) < box.width / 2
    rows = np.abs(layout.y - box.y) < box.height / 2
    return not layout.labels[np.ix_(rows, columns)].any()


def _label(content: Content, layout: Layout, labels: Labels, points: float) -> dict[int, Region]:
    variants = {
        mask: [(tuple(lines), font) for font in _FONTS for lines in labels(atom)]
        for mask, atom in content.atoms.items()
    }
    sizes = {mask: [_room(lines, font, points) for lines, font in options] for mask, options in variants.items()}
    placed, outside = place(layout, sizes)
    narrow = {mask: _narrowest(options, sizes[mask]) for mask, options in variants.items()}
    aside = beside(layout, outside, {mask: sizes[mask][narrow[mask]] for mask in outside}, 5.0 / points)
    leaders = [box.line for box in aside.values() if box.line is not None]
    crossed = {m: sizes[m] for m, (_, box) in placed.items() if any(box.meets(line) for line in leaders)}
    if crossed:
        placed |= place(layout, crossed, leaders, 2.0 / points)[0]
    step = float(layout.x[1] - layout.x[0])
    regions = {}
    for mask, atom in content.atoms.items():
        number, box = placed[mask] if mask in placed else (narrow[mask], aside[mask])
        lines, font = variants[mask][number]
        area = float(np.count_nonzero(layout.labels == mask)) * step**2
        regions[mask] = Region(atom, area, box, lines, font)
    return regions


def _narrowest(options: Sequence[tuple[tuple[str, ...], float]], sizes: Sequence[tuple[float, float]]) -> int:
    """Which variant in the largest font is best beside the picture: a line of words is broken, a symbol is not."""
    choices = [number for number, (_, font) in enumerate(options) if font == _FONT]
    return min(choices, key=lambda number: (max(sizes[number][0], 6.0 * sizes[number][1]), number))


def _room(lines: Sequence[str], font: float, points: float) -> tuple[float, float]:
    width, height = block_size(lines, font)
    return (width + _PADDING) / points, (height + _PADDING) / points


def _write(axes: Axes, region: Region, points: float, shrink: float, *, halo: bool) -> None:
    box = region.box
    if box.line is not None:
        axes.plot(*np.transpose(box.line), color=_INK, linewidth=0.7, zorder=3)
        axes.plot(*box.line[1], marker="o", markersize=2.4, color=_INK, zorder=3)
    heights = [text_size(line, region.font_size)[1] * 1.12 / points for line in region.lines]
    top = box.y + sum(heights) / 2
    effects = [withStroke(linewidth=3.0, foreground="#ffffffe0")] if halo and box.anchor is None else []
    for line, height in zip(region.lines, heights, strict=True):
        axes.text(
            box.x,
            top - height / 2,
            line,
            fontsize=region.font_size * shrink,
            color=_INK,
            ha="center",
            va="center",
            zorder=5,
            path_effects=effects,
        )
        top -= height


def _legend(axes: Axes, content: Content, shrink: float) -> None:
    texts = {"minimised": "made small", "maximised": "made large", "depends": "sign depends on the parameters"}
    handles = [
        Patch(
            facecolor=TREND_COLOURS[trend], hatch=TREND_HATCHES[trend], edgecolor="#00000066", linewidth=0.5, label=text
        )
        for trend, text in texts.items()
        if any(atom.trend == trend for atom in content.atoms.values())
    ]
    if any(atom.dropped for atom in content.atoms.values()):
        handles.append(Patch(facecolor=_GREY, edgecolor="#00000066", linewidth=0.5, label="left out with the constant"))
    if handles:
        axes.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=len(handles),
            frameon=False,
            fontsize=(_FONT - 1.5) * shrink,
            handlelength=1.6,
            columnspacing=1.2,
        )

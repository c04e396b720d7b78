"""The outlines of sets: a colour for each, and turns of their colours where several run along the same border.

In a model with many zeros sets share borders, and a line on top of another would hide whose border it is. There the
colours alternate, dash by dash; where more than three meet, as on the ground of a chain's hills, the line is neutral.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from imeasure.diagrams.shapes import Floats, Layout

INK = "#222222"
SET_COLOURS = (
    "#3b6fb6", "#d9822b", "#3a9b6f", "#a6518f", "#7a6a35", "#c4434b", "#2f97b0", "#6f57b5", "#8a9a2b", "#5c6670",
)  # fmt: skip
_STYLES = ("solid", (0, (7, 2)), (0, (7, 2, 1.5, 2)), (0, (1.5, 2)))
_WIDTH = 1.6
_NEUTRAL = "#666666"
_NEAR = 2
_LEAST_RUN = 18
_DASH = 7.0
_MOST_TURNS = 3


def set_colour(bit: int, *, dark: bool = False) -> Any:
    """Return the colour of a set.

    Args:
        bit: Which set.
        dark: Darkened, to stand out from regions that are painted by value or sign.

    Returns:
        A matplotlib colour.
    """
    colour = np.array(to_rgb(SET_COLOURS[bit % len(SET_COLOURS)]))
    return tuple(0.55 * colour) if dark else tuple(colour)


def draw_outlines(
    axes: Axes, layout: Layout, names: tuple[str, ...], points: float, prefix: str, *, dark: bool
) -> None:
    """Draw the outline of every set.

    Args:
        axes: Where to draw.
        layout: The geometry.
        names: The sets' names; bit i stands for ``names[i]``.
        points: Points per unit of the picture.
        prefix: What the names of drawn things begin with.
        dark: Darken the colours.
    """
    crowd = np.zeros(layout.labels.shape, dtype=np.int64)
    for bit, name in enumerate(names):
        turns: list[Floats] = []
        neutral: list[Floats] = []
        outlines = layout.outline(bit)
        for line in outlines:
            for piece, rank in _runs(line, _crowd_at(crowd, layout, line)):
                if rank >= _MOST_TURNS:
                    neutral.append(piece)
                elif rank:
                    turns += _dashes(piece, _DASH / points, rank)
        for line in outlines:
            crowd += _beside(layout, line)
        colour, style = set_colour(bit, dark=dark), _STYLES[bit // len(SET_COLOURS) % len(_STYLES)]
        later = 0.01 * (bit + 1)
        for lines, suffix, tint, above in (
            (outlines, "", colour, -later),
            (turns, "-shared", colour, later),
            (neutral, "-common", _NEUTRAL, 0.9),
        ):
            if lines:
                joined = _joined(lines)
                axes.plot(
                    joined[:, 0],
                    joined[:, 1],
                    color=tint,
                    linewidth=_WIDTH,
                    linestyle="solid" if suffix else style,
                    gid=f"{prefix}set-{name}{suffix}",
                    zorder=2.0 + above,
                    solid_joinstyle="round",
                    solid_capstyle="butt",
                )


def _joined(lines: list[Floats]) -> Floats:
    """Lines as one, with gaps between them."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)][:-1])


def _cells(layout: Layout, line: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    step = float(layout.x[1] - layout.x[0])
    columns = np.clip(np.rint((line[:, 0] - layout.x[0]) / step).astype(np.int64), 0, len(layout.x) - 1)
    rows = np.clip(np.rint((line[:, 1] - layout.y[0]) / step).astype(np.int64), 0, len(layout.y) - 1)
    return rows, columns


def _crowd_at(crowd: NDArray[np.int64], layout: Layout, line: Floats) -> NDArray[np.int64]:
    return np.asarray(crowd[_cells(layout, line)])


def _beside(layout: Layout, line: Floats) -> NDArray[np.bool_]:
    """Grid points close to a line."""
    close = np.zeros(np.add(layout.labels.shape, 2 * _NEAR), dtype=bool)
    rows, columns = _cells(layout, line)
    for down in range(2 * _NEAR + 1):
        for across in range(2 * _NEAR + 1):
            close[rows + down, columns + across] = True
    return np.asarray(close[_NEAR:-_NEAR, _NEAR:-_NEAR])


def _runs(line: Floats, ranks: NDArray[np.int64]) -> list[tuple[Floats, int]]:
    """Cut a line where the number of lines beside it changes; where lines merely cross, it does not."""
    ranks = ranks.copy()
    changes = [0, *(np.flatnonzero(np.diff(ranks)) + 1).tolist(), len(ranks)]
    for start, stop in pairwise(changes):
        if stop - start < _LEAST_RUN:
            before = ranks[start - 1] if start else 0
            after = ranks[stop] if stop < len(ranks) else 0
            ranks[start:stop] = min(int(before), int(after), int(ranks[start]))
    changes = [0, *(np.flatnonzero(np.diff(ranks)) + 1).tolist(), len(ranks)]
    return [(line[start : min(stop + 1, len(line))], int(ranks[start])) for start, stop in pairwise(changes)]


def _dashes(line: Floats, length: float, rank: int) -> list[Floats]:
    """Every (rank + 1)-th dash of a line."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    number = (along / length).astype(np.int64)
    wanted = number % (rank + 1) == rank
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(np.int8)))
    pieces = [line[start : min(stop + 1, len(line))] for start, stop in edges.reshape(-1, 2)]
    return [piece for piece in pieces if len(piece) > 1]

"""Where the labels go: inside their region if they fit, else beside the picture on a leader line.

A box fits where the region covers all of it, which a summed-area table answers for every position at once; among those
the label takes the one deepest inside. Regions share no area, so labels inside them cannot overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from imeasure.diagrams.shapes import Floats, Layout

Point = tuple[float, float]
Segment = tuple[Point, Point]


@dataclass(frozen=True)
class Box:
    """A label's place, in the picture's coordinates.

    Attributes:
        x: Centre.
        y: Centre.
        width: Width.
        height: Height.
        anchor: Point inside the region that a leader line leads to; None if the label is inside itself.
    """

    x: float
    y: float
    width: float
    height: float
    anchor: tuple[float, float] | None = None

    @property
    def line(self) -> Segment | None:
        """The leader line, from the label's side to its anchor."""
        if self.anchor is None:
            return None
        side = 1.0 if self.x > self.anchor[0] else -1.0
        return (self.x - side * self.width / 2, self.y), self.anchor

    def meets(self, segment: Segment | None) -> bool:
        """Return whether a segment passes through the box.

        Args:
            segment: Two points, or None.

        Returns:
            True if it does.
        """
        if segment is None:
            return False
        first, last = 0.0, 1.0
        (x0, y0), (x1, y1) = segment
        for start, along, reach in (
            (x0 - self.x, x1 - x0, self.width / 2),
            (y0 - self.y, y1 - y0, self.height / 2),
        ):
            if along == 0:
                if abs(start) >= reach:
                    return False
                continue
            enters, leaves = sorted(((-reach - start) / along, (reach - start) / along))
            first, last = max(first, enters), min(last, leaves)
        return first < last - 1e-9

    def overlaps(self, other: "Box") -> bool:
        """Return whether two boxes share an area.

        Args:
            other: Another box.

        Returns:
            True if they do.
        """
        return (
            abs(self.x - other.x) < (self.width + other.width) / 2 - 1e-9
            and abs(self.y - other.y) < (self.height + other.height) / 2 - 1e-9
        )


def depth(region: NDArray[np.bool_]) -> Floats:
    """Return how many steps each point is away from the outside of its region (chessboard steps and diagonals).

    Args:
        region: Shape (H, W).

    Returns:
        Shape (H, W); zero outside.
    """
    far = float(sum(region.shape))
    values: Floats = np.where(np.pad(region, 1), far, 0.0)
    steps, diagonal = np.arange(values.shape[1]), np.sqrt(2.0)
    for backwards in (False, True):
        view = values[::-1, ::-1] if backwards else values
        for row in range(1, view.shape[0]):
            above, line = view[row - 1], view[row]
            reach = np.minimum(above[1:-1] + 1.0, np.minimum(above[:-2], above[2:]) + diagonal)
            np.minimum(line[1:-1], reach, out=line[1:-1])
            view[row] = np.minimum.accumulate(line - steps) + steps
    return np.asarray(values[1:-1, 1:-1])


def fitting(region: NDArray[np.bool_], height: int, width: int) -> NDArray[np.bool_]:
    """Return the centres at which a box of grid points lies within a region.

    Args:
        region: Shape (H, W).
        height: Rows of the box, odd.
        width: Columns of the box, odd.

    Returns:
        Shape (H, W).
    """
    result = np.zeros(region.shape, dtype=bool)
    rows, columns = region.shape
    if height > rows or width > columns:
        return result
    table = np.pad(np.cumsum(np.cumsum(region, axis=0), axis=1), ((1, 0), (1, 0)))
    covered = table[height:, width:] - table[:-height, width:] - table[height:, :-width] + table[:-height, :-width]
    result[height // 2 : height // 2 + covered.shape[0], width // 2 : width // 2 + covered.shape[1]] = (
        covered == height * width
    )
    return result


def place(
    layout: Layout, sizes: Mapping[int, Sequence[tuple[float, float]]], lines: Sequence[Segment] = (), gap: float = 0.0
) -> tuple[dict[int, tuple[int, Box]], dict[int, tuple[float, float]]]:
    """Place labels inside their atoms.

    Args:
        layout: The picture.
        sizes: For each atom the widths and heights of its label's variants, best first.
        lines: Segments that labels keep away from.
        gap: How far.

    Returns:
        For each atom whose label fits, the variant and its box; for the others, the deepest point of the region.
    """
    x, y, labels = layout.x[::2], layout.y[::2], layout.labels[::2, ::2]
    step = float(x[1] - x[0])
    labels = np.where(_near(lines, x, y, gap), -1, labels) if lines else labels
    placed: dict[int, tuple[int, Box]] = {}
    outside: dict[int, tuple[float, float]] = {}
    for mask, variants in sizes.items():
        rows, columns = np.nonzero(labels == mask)
        if not rows.size:
            continue
        near = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
        region, x_near, y_near = labels[near] == mask, x[near[1]], y[near[0]]
        inner = depth(region)
        row, column = np.unravel_index(int(inner.argmax()), inner.shape)
        deepest = (float(x_near[column]), float(y_near[row]))
        for number, (width, height) in enumerate(variants):
            room = fitting(region, _odd(height / step), _odd(width / step))
            if not room.any():
                continue
            score = np.where(room, depth(room) + 0.15 * inner, -1.0)
            row, column = np.unravel_index(int(score.argmax()), score.shape)
            placed[mask] = number, Box(float(x_near[column]), float(y_near[row]), width, height)
            break
        else:
            outside[mask] = deepest
    return placed, outside


def _near(lines: Sequence[Segment], x: Floats, y: Floats, gap: float) -> NDArray[np.bool_]:
    """Which grid points are closer than a gap to one of the segments."""
    result = np.zeros((len(y), len(x)), dtype=bool)
    for (x0, y0), (x1, y1) in lines:
        along = ((x[None, :] - x0) * (x1 - x0) + (y[:, None] - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
        share = np.clip(along, 0.0, 1.0)
        result |= np.hypot(x[None, :] - x0 - share * (x1 - x0), y[:, None] - y0 - share * (y1 - y0)) < gap
    return result


def _odd(points: float) -> int:
    return 2 * int(np.ceil(points / 2.0)) + 1


def beside(
    layout: Layout,
    anchors: Mapping[int, tuple[float, float]],
    sizes: Mapping[int, tuple[float, float]],
    gap: float,
) -> dict[int, Box]:
    """Stack labels left and right of the picture, so that leader lines do not cross.

    Args:
        layout: The picture.
        anchors: For each label the point it belongs to.
        sizes: Width and height of each label.
        gap: Distance between boxes; twice that from the sets.

    Returns:
        A box for each label.
    """
    covered = np.flatnonzero((layout.labels > 0).any(axis=0))
    edges = (float(layout.x[covered[0]]), float(layout.x[covered[-1]]))
    middle = float(np.median([x for x, _ in anchors.values()])) if len(anchors) > 1 else float(np.mean(edges))
    boxes: dict[int, Box] = {}
    for side, edge in ((-1, edges[0]), (1, edges[1])):
        members = sorted(
            (m for m, (x, _) in anchors.items() if (x >= middle) == (side > 0)), key=lambda m: -anchors[m][1]
        )
        boxes.update(_stacked(members, anchors, sizes, start=edge + 3 * side * gap, side=side, gap=gap))
    return boxes


def _stacked(
    members: list[int],
    anchors: Mapping[int, tuple[float, float]],
    sizes: Mapping[int, tuple[float, float]],
    *,
    start: float,
    side: int,
    gap: float,
) -> dict[int, Box]:
    """One column of labels; neighbours change places as long as their lines cross."""
    while True:
        heights = [sizes[m][1] + gap for m in members]
        tops = _spread([anchors[m][1] + h / 2 for m, h in zip(members, heights, strict=True)], heights)
        boxes = {
            m: Box(start + side * sizes[m][0] / 2, top - h / 2, sizes[m][0], sizes[m][1], anchors[m])
            for m, top, h in zip(members, tops, heights, strict=True)
        }
        for upper, lower in pairwise(range(len(members))):
            first, second = boxes[members[upper]], boxes[members[lower]]
            if first.line is not None and second.line is not None and _cross(first.line, second.line):
                members[upper], members[lower] = members[lower], members[upper]
                break
        else:
            return boxes


def _cross(first: Segment, second: Segment) -> bool:
    """Return whether two segments cross."""

    def turn(a: Point, b: Point, c: Point) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = first, second
    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


def _spread(tops: list[float], heights: list[float]) -> list[float]:
    """Move stacked boxes apart, keeping their order, and re-centre each clump on where its members wanted to be."""
    clumps: list[tuple[float, float, list[int]]] = []
    for index, (top, height) in enumerate(zip(tops, heights, strict=True)):
        clumps.append((top, height, [index]))
        while len(clumps) > 1 and clumps[-2][0] - clumps[-2][1] < clumps[-1][0]:
            upper, lower = clumps[-2], clumps.pop()
            members = upper[2] + lower[2]
            total = upper[1] + lower[1]
            wanted = np.mean([tops[m] - heights[m] / 2 for m in members])
            clumps[-1] = (float(wanted) + total / 2, total, members)
    result = [0.0] * len(tops)
    for top, _, members in clumps:
        for member in members:
            result[member] = top
            top -= heights[member]  # noqa: PLW2901 - walks down the clump
    return result

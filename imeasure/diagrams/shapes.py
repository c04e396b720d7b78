"""Sets as fields on a grid: a field is positive inside its set, so the signs at a point say which atom it belongs to.

A :class:`Layout` is one picture of n sets. Which atoms it shows is read off the signs, never assumed, so that what is
drawn and what is claimed to be drawn are the same thing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from contourpy import FillType, LineType, contour_generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Field = Callable[[Floats, Floats], Floats]

_STEEPNESS = 1.3
_PEAK = 0.7
_FEET = 0.12


@dataclass(frozen=True, eq=False)
class Layout:
    """Sets drawn on a square grid.

    Attributes:
        x: Abscissae, shape (W,).
        y: Ordinates, shape (H,).
        fields: Shape (n, H, W); positive inside the set.
    """

    x: Floats
    y: Floats
    fields: Floats

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The atom of each grid point as a bitmask of sets, shape (H, W); 0 is outside all of them."""
        bits = np.int64(1) << np.arange(len(self.fields))
        return np.asarray(np.tensordot(bits, self.fields > 0, axes=1), dtype=np.int64)

    @cached_property
    def atoms(self) -> frozenset[int]:
        """The atoms that have an area."""
        return frozenset(int(mask) for mask in np.unique(self.labels)) - {0}

    def atom_field(self, mask: int) -> Floats:
        """Return a field that is positive inside one atom.

        Args:
            mask: Bitmask of the sets that contain the atom.

        Returns:
            Shape (H, W).
        """
        signs = np.array([1.0 if mask >> i & 1 else -1.0 for i in range(len(self.fields))])
        return np.asarray((signs[:, None, None] * self.fields).min(axis=0))

    def at(self, x: float, y: float) -> int:
        """Return the atom at a point.

        Args:
            x: Abscissa.
            y: Ordinate.

        Returns:
            The bitmask at the nearest grid point.
        """
        return int(self.labels[np.abs(self.y - y).argmin(), np.abs(self.x - x).argmin()])

    def outline(self, bit: int) -> list[Floats]:
        """Return the outline of a set.

        Args:
            bit: Which set.

        Returns:
            Closed lines, each of shape (N, 2).
        """
        lines = contour_generator(self.x, self.y, self.fields[bit], line_type=LineType.Separate).lines(0.0)
        return [np.asarray(line, dtype=np.float64) for line in cast("list[Any]", lines)]

    def patches(self, mask: int) -> list[tuple[Floats, NDArray[np.uint32]]]:
        """Return the parts of an atom as polygons with holes.

        Args:
            mask: Bitmask of the sets that contain the atom.

        Returns:
            For each part its points, shape (N, 2), and where each closed ring starts, followed by N.
        """
        generator = contour_generator(self.x, self.y, self.atom_field(mask), fill_type=FillType.OuterOffset)
        points, offsets = cast("tuple[list[Any], list[Any]]", generator.filled(0.0, np.inf))
        return list(zip(points, offsets, strict=True))

    def permuted(self, order: Sequence[int]) -> "Layout":
        """Return the same picture with its sets in another order.

        Args:
            order: For each new set, which old one it is.

        Returns:
            A layout on the same grid.
        """
        return Layout(self.x, self.y, self.fields[list(order)])


def ellipse(x: float, y: float, a: float, b: float, angle: float = 0.0) -> Field:
    """Return the field of an ellipse.

    Args:
        x: Centre.
        y: Centre.
        a: Semi-axis along ``angle``.
        b: The other semi-axis.
        angle: Radians.

    Returns:
        The field, about the distance to the outline near it.
    """

    def field(u: Floats, v: Floats) -> Floats:
        along = (u - x) * np.cos(angle) + (v - y) * np.sin(angle)
        across = (v - y) * np.cos(angle) - (u - x) * np.sin(angle)
        return np.asarray((1.0 - np.hypot(along / a, across / b)) * min(a, b))

    return field


def circle(x: float, y: float, radius: float) -> Field:
    """Return the field of a disc: its signed distance.

    Args:
        x: Centre.
        y: Centre.
        radius: Radius.

    Returns:
        The field.
    """
    return ellipse(x, y, radius, radius)


def hill(x: float, height: float) -> Field:
    """Return the field of a rounded hill on the ground line.

    It is convex, and translates of one convex shape along a line meet in intervals only: what a Markov chain asks for.

    Args:
        x: Position of the peak.
        height: Height above the ground line.

    Returns:
        The field.
    """

    def field(u: Floats, v: Floats) -> Floats:
        below_slopes = (height + _PEAK - v - _STEEPNESS * np.hypot(u - x, _PEAK / _STEEPNESS)) / np.hypot(1, _STEEPNESS)
        return np.asarray(below_slopes + v - np.hypot(below_slopes, v) - _FEET)

    return field


def layout(fields: Sequence[Field], points: int) -> Layout:
    """Put fields on the smallest grid that shows all of every set.

    Args:
        fields: One per set.
        points: Grid points along the longer side.

    Returns:
        The layout.
    """
    margin = 0.12
    limit = 4.0 * len(fields) + 4.0
    left, right, bottom, top = -limit, limit, -limit, limit
    for _ in range(2):
        across, up = np.linspace(left, right, 201), np.linspace(bottom, top, 201)
        inside = np.max([field(across[None, :], up[:, None]) for field in fields], axis=0) > 0
        columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
        beside, above = across[1] - across[0], up[1] - up[0]
        left, right = across[columns[0]] - beside, across[columns[-1]] + beside
        bottom, top = up[rows[0]] - above, up[rows[-1]] + above
    left, right, bottom, top = left - margin, right + margin, bottom - margin, top + margin
    step = max(right - left, top - bottom) / points
    x = np.arange(left, right + step, step)
    y = np.arange(bottom, top + step, step)
    return Layout(
        x, y, np.stack([np.broadcast_to(field(x[None, :], y[:, None]), (len(y), len(x))) for field in fields])
    )


def chain_fields(length: int) -> list[Field]:
    """Return the sets of a Markov chain: hills side by side, each as wide as the chain is long.

    Args:
        length: Number of variables.

    Returns:
        One field per variable, in the chain's order.
    """
    return [hill(2.0 * k, _STEEPNESS * (length + 0.35)) for k in range(length)]


def gallery() -> tuple[tuple[Field, ...], ...]:
    """Return the arrangements of up to five sets that were drawn by hand; the order of the sets does not matter.

    Returns:
        Tuples of fields.
    """
    turns = 2 * np.pi * np.arange(5) / 5
    return (
        (circle(0, 0, 1),),
        (circle(-0.6, 0, 1), circle(0.6, 0, 1)),
        (circle(0, 0, 1.2), circle(0.4, 0, 0.65)),
        (circle(-1.1, 0, 1), circle(1.1, 0, 1)),
        (circle(0, 0.05, 1.7), circle(-0.92, 0.8, 1.25), circle(0.92, 0.8, 1.25)),
        (circle(-0.7, 0.4, 1.2), circle(0.7, 0.4, 1.2), circle(0, -0.81, 1.2)),
        (circle(0, 0, 1.5), circle(-1.2, 0.1, 1.05), circle(0.15, -0.05, 0.85)),
        (
            ellipse(0.239, 0.788, 0.996, 0.709, 0.331),
            ellipse(-0.278, 0.405, 1.044, 1.43, 0.973),
            ellipse(-0.506, -0.045, 0.628, 1.315, -0.009),
            ellipse(0.45, -0.129, 0.724, 1.154, 1.119),
        ),
        (
            ellipse(0.164, 0.699, 1.352, 0.762, -0.184),
            ellipse(-0.485, 0.328, 1.267, 1.041, 1.061),
            ellipse(-0.682, -0.129, 0.462, 1.474, -0.274),
            ellipse(0.272, -0.212, 0.944, 1.15, 1.037),
        ),
        (
            ellipse(-0.0183, -0.1859, 1.2544, 0.606, -0.9262),
            ellipse(-0.4332, 0.2301, 0.8207, 1.2357, -0.5926),
            ellipse(0.4332, 0.2301, 0.8207, 1.2357, 0.5926),
            ellipse(0.0183, -0.1859, 1.2544, 0.606, 0.9262),
        ),
        tuple(
            ellipse(
                -0.3241 * np.cos(turn) - 0.0953 * np.sin(turn),
                0.0953 * np.cos(turn) - 0.3241 * np.sin(turn),
                1.0789,
                0.5389,
                2.6033 + turn,
            )
            for turn in turns
        ),
    )

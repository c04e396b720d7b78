"""Equalities that inequalities force: which of the rows ``a >= 0`` vanish wherever all of them hold.

A row is forced if a positive combination with others of them is zero. The point of the rows' convex hull nearest to
the origin (P. Wolfe, "Finding the nearest point in a polytope", 1976) shows such a combination, or else lies where
no row vanishes. Floats only point the way: each combination is solved for exactly, and only what adds up is returned.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from imeasure.elimination import Span

Floats = npt.NDArray[np.float64]
Vector = Mapping[Any, int | Fraction]
"""Coordinates of a row, zeros left out."""

NEAR = 1e-7
"""A hull whose nearest point is closer to the origin is taken to contain it."""
ROUNDS = 2000
"""Most corners that are added before the search gives up."""


def forced(rows: Sequence[Vector]) -> list[int]:
    """Return the rows that vanish wherever all rows are at least zero.

    Args:
        rows: Coordinates of each row.

    Returns:
        Positions; each is proved by an exact combination.

    Example:
        >>> one = Fraction(1)
        >>> forced([{"x": one}, {"y": one}, {"x": -one, "z": one}, {"z": -one}])
        [0, 2, 3]
    """
    span = Span()
    found: list[int] = []
    left = [(number, {column: Fraction(value) for column, value in row.items()}) for number, row in enumerate(rows)]
    while True:
        reduced = [(number, span.rest(row)) for number, row in left]
        found += [number for number, row in reduced if not row]
        left = [(number, row) for number, row in reduced if row]
        support = _support(_scaled([row for _, row in left])) if left else None
        if support is None or not _cancel([left[i][1] for i in support]):
            return sorted(found)
        for i in support:
            span.add(left[i][1])


def _scaled(rows: Sequence[Vector]) -> Floats:
    """Return rows as unit vectors."""
    columns: dict[Hashable, int] = {}
    for row in rows:
        for column in row:
            columns.setdefault(column, len(columns))
    matrix = np.zeros((len(rows), len(columns)))
    for number, row in enumerate(rows):
        for column, value in row.items():
            matrix[number, columns[column]] = float(value)
    return np.asarray(matrix / np.linalg.norm(matrix, axis=1, keepdims=True))


def _support(rows: Floats) -> list[int] | None:
    """Return rows whose hull contains the origin, as few as Wolfe's method needs, or None if no hull does."""
    corners = [0]
    weights = np.ones(1)
    for _ in range(ROUNDS):
        point = weights @ rows[corners]
        size = float(point @ point)
        if size < NEAR**2:
            return [corner for corner, weight in zip(corners, weights.tolist(), strict=True) if weight > NEAR]
        products = rows @ point
        entering = int(np.argmin(products))
        if products[entering] > size - NEAR * max(size, NEAR) or entering in corners:
            return None
        corners.append(entering)
        weights = np.append(weights, 0.0)
        while True:
            affine = _nearest(rows[corners])
            if (affine > 1e-12).all():
                weights = affine
                break
            falling = affine <= 1e-12
            step = float((weights[falling] / np.maximum(weights[falling] - affine[falling], 1e-300)).min())
            weights = weights + min(step, 1.0) * (affine - weights)
            kept = weights > 1e-12
            corners = [corner for corner, keep in zip(corners, kept.tolist(), strict=True) if keep]
            weights = weights[kept] / weights[kept].sum()
    return None


def _nearest(corners: Floats) -> Floats:
    """Return the affine weights of the point nearest to the origin."""
    count = len(corners)
    system = np.ones((count + 1, count + 1))
    system[0, 0] = 0.0
    system[1:, 1:] = corners @ corners.T
    target = np.zeros(count + 1)
    target[0] = 1.0
    return np.asarray(np.linalg.lstsq(system, target, rcond=None)[0][1:])


def _cancel(rows: Sequence[Vector]) -> bool:
    """Return whether a positive combination of all the rows is zero, exactly."""
    used = list(dict.fromkeys(column for row in rows for column in row))
    entries = [flint.fmpq(row[c].numerator, row[c].denominator) if c in row else 0 for c in used for row in rows]
    echelon, rank = flint.fmpq_mat(len(used), len(rows), entries).rref()
    return rank == len(rows) - 1 and all(echelon[i, rank] < 0 for i in range(rank))

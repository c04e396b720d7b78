"""A beam search for few rows of a matrix that sum, with integer factors, to a vector.

Each step subtracts a multiple of one row so that few coordinates stay filled; the counts for all rows, factors and
partial sums come from a handful of matrix products. Chains of mutual informations empty coordinates more slowly than
entropies at first and end sooner, so they are tried on their own as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

import numpy as np
import numpy.typing as npt

BEAM = 24
"""How many partial sums are kept."""

Rows = npt.NDArray[np.int64]
_State = tuple[npt.NDArray[np.int64], tuple[int, ...]]


def pursue(
    matrix: Rows, sizes: Rows, shared: npt.NDArray[np.bool_], target: Rows, single: Mapping[bytes, int]
) -> list[int]:
    """Return rows whose span contains a target, few of them and small ones.

    Args:
        matrix: The rows, shape (m, d); every unit vector or its negative is among them, so that the search ends.
        sizes: Cost of each row, shape (m,).
        shared: Which rows may be used in the second run, shape (m,).
        target: The vector wanted, shape (d,).
        single: Number of the first row of each :func:`direction`.

    Returns:
        Numbers of rows.

    Example:
        >>> rows = np.array([[1, 0], [0, 1], [1, 1]])
        >>> single = {direction(row): i for i, row in enumerate(rows)}
        >>> pursue(rows, np.array([1, 1, 2]), np.full(3, True), np.array([2, 2]), single)
        [2]
    """
    limit = int(np.count_nonzero(target))
    best: list[int] = []
    if direction(target) in single:
        return [single[direction(target)]]
    for allowed in (np.arange(len(matrix)), np.flatnonzero(shared)):
        found = _chain(matrix, sizes, allowed, target, single, limit)
        if found is not None:
            best, limit = found, len(found) - 1
    return best


def _chain(
    matrix: Rows, sizes: Rows, allowed: Rows, target: Rows, single: Mapping[bytes, int], limit: int
) -> list[int] | None:
    rows = matrix[allowed]
    values = [value for value in np.unique(rows) if value]
    equal = {value: (rows == value).astype(np.float32) for value in values}
    filled = (rows != 0).astype(np.float32)
    counts = filled.sum(axis=1)
    beam: list[_State] = [(target, ())]
    for _ in range(limit):
        finished = [(path, single[key]) for rest, path in beam if (key := direction(rest)) in single]
        if finished:
            path, last = min(finished, key=lambda end: (sum(int(sizes[i]) for i in (*end[0], end[1])), end))
            return sorted({*path, last})
        tried = [
            (number, sign * int(value))
            for number, (rest, _) in enumerate(beam)
            for value in np.unique(np.abs(rest))
            if value
            for sign in (1, -1)
        ]
        rests = np.array([beam[number][0] for number, _ in tried])
        factors = np.array([factor for _, factor in tried])[:, None]
        left = counts[:, None] + (rests != 0).sum(axis=1)[None] - filled @ (rests != 0).T.astype(np.float32)
        for value in values:
            left -= equal[value] @ (rests == factors * value).T.astype(np.float32)
        keys = (left.astype(np.int64) * 1000 + sizes[allowed][:, None]).ravel()
        keys = keys * keys.size + np.arange(keys.size)
        nearest = np.sort(np.partition(keys, min(8 * BEAM, keys.size - 1))[: 8 * BEAM]) % keys.size
        following: dict[bytes, _State] = {}
        for place in nearest:
            row, (number, factor) = int(place) // len(tried), tried[int(place) % len(tried)]
            rest = beam[number][0] - factor * rows[row]
            following.setdefault(rest.tobytes(), (rest, (*beam[number][1], int(allowed[row]))))
            if len(following) == BEAM:
                break
        beam = list(following.values())
    return None


def direction(row: Rows) -> bytes:
    """Return what a vector shares with its multiples.

    Args:
        row: An integer vector.

    Returns:
        Bytes that are equal for two vectors if and only if one is a multiple of the other.

    Example:
        >>> direction(np.array([2, -4])) == direction(np.array([-1, 2]))
        True
    """
    entries = row[np.flatnonzero(row)].tolist()
    if not entries:
        return b""
    common = gcd(*entries) * (1 if entries[0] > 0 else -1)
    return bytes((row // common).tobytes())

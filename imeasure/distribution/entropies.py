"""Joint entropies of every set of variables of a finite distribution, all at once.

Each axis of the table gets one more entry, the sum over it; the enlarged table then holds every cell of every marginal,
so one pass of ``-p log p`` and one reduction along each axis give all ``2^n`` entropies. For n binary variables that is
3^n cells (Yeung, Information Theory and Network Coding, ch. 3, has the entropy function this computes).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Tables whose enlarged form has more cells than this are split along an axis; the block then stays in the cache.
_BLOCK_CELLS = 1 << 17
# Integers up to here, and sums of them, are exact as float64.
_EXACT_FLOAT = 1 << 53


def entropy_vector(pmf: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Joint entropies of all sets of axes of a float table: :math:`h(S) = -\sum p_S \ln p_S`.

    Args:
        pmf: Probabilities, shape (k_1, ..., k_n), summing to one.

    Returns:
        Nats, shape (2^n,); bit i of the index says whether axis i belongs to the set.

    Example:
        >>> entropy_vector(np.full((2, 2), 0.25)).round(4).tolist()
        [0.0, 0.6931, 0.6931, 1.3863]
    """
    return _finish(_reduce(np.ascontiguousarray(pmf, dtype=np.float64), _surprise))


def entropy_vector_of_counts(counts: NDArray[Any], total: int) -> NDArray[np.float64]:
    r"""Joint entropies of the exact table ``counts / total``: every marginal is summed exactly.

    Probabilities above one half go through ``log1p`` of their exact complement, so entropies near zero keep their digits.

    Args:
        counts: Non-negative integers, shape (k_1, ..., k_n), of an integer or object dtype.
        total: Their sum.

    Returns:
        Nats, shape (2^n,), indexed as by :func:`entropy_vector`.

    Example:
        >>> entropy_vector_of_counts(np.array([1, 3]), 4).round(4).tolist()
        [0.0, 0.5623]
    """
    if total < _EXACT_FLOAT:
        scale = float(total)

        def surprise(cells: NDArray[Any]) -> NDArray[Any]:
            rare = 2.0 * cells <= scale
            logs = np.log(np.where(rare & (cells > 0), cells, scale) / scale)
            np.log1p((cells - scale) / scale, out=logs, where=~rare & (cells < scale))
            return np.asarray(-(cells / scale) * logs)

        return _finish(_reduce(np.ascontiguousarray(counts, dtype=np.float64), surprise))

    def surprise_of(cell: int) -> float:
        if cell in {0, total}:
            return 0.0
        logarithm = math.log1p(-(total - cell) / total) if 2 * cell > total else math.log(cell / total)
        return -(cell / total) * logarithm

    scalar = np.frompyfunc(surprise_of, 1, 1)
    return _finish(_reduce(counts.astype(object), lambda cells: scalar(cells).astype(np.float64)))


def _surprise(cells: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(-cells * np.log(np.where(cells > 0, cells, 1.0)))


def _reduce(table: NDArray[Any], surprise: Any) -> NDArray[np.float64]:
    """Sum ``surprise`` over the cells of each marginal; shape (2, ..., 2), where 1 keeps the axis and 0 sums over it."""
    if table.ndim and math.prod(size + 1 for size in table.shape) > _BLOCK_CELLS:
        without = _reduce(table.sum(axis=0), surprise)
        within = sum((_reduce(part, surprise) for part in table), np.zeros_like(without))
        return np.stack([without, within])
    sizes = table.shape
    for axis in range(table.ndim):
        table = np.concatenate([table, table.sum(axis=axis, keepdims=True)], axis=axis)
    cells = surprise(table)
    for axis, size in enumerate(sizes):
        kept = np.take(cells, range(size), axis=axis).sum(axis=axis) if size != 2 else _pair(cells, axis)
        cells = np.stack([np.take(cells, size, axis=axis), kept], axis=axis)
    return np.asarray(cells, dtype=np.float64)


def _pair(cells: NDArray[Any], axis: int) -> NDArray[Any]:
    return np.asarray(np.take(cells, 0, axis=axis) + np.take(cells, 1, axis=axis))


def _finish(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Order by bitmask, first axis lowest bit; rounding below zero becomes zero, and no variables have no entropy."""
    vector = np.maximum(table.transpose().ravel(), 0.0)
    vector[0] = 0.0
    vector.flags.writeable = False
    return vector

"""Joint entropies of every set of variables of a finite distribution, all at once.

Each axis of the table gets one more entry, the sum over it; the enlarged table then holds every cell of every marginal,
so one pass of ``p log p`` and one reduction along the axes give all ``2^n`` entropies: ``3^n`` cells for n bits. Both
steps are matrix products with small Kronecker powers. The entropy function itself is in Yeung, Information Theory and
Network Coding (2008), ch. 3.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imeasure.errors import ModelError
from imeasure.measure import MAX_ATOM_VARIABLES

Floats = NDArray[np.float64]

# A table whose enlarged form has more cells is split along its first axis, so that a block stays in the cache.
_BLOCK_CELLS = 1 << 18
# Neighbouring axes are handled by one matrix product as long as its matrix has no more rows than this.
_GROUP_ROWS = 27
# Integers up to here, and sums of them, are exact as float64.
_EXACT_FLOAT = 1 << 53
# Added to probabilities before the logarithm: changes no normal probability, and makes 0 log 0 zero.
_TINY = 1e-300


def joint_entropies(pmf: NDArray[Any]) -> Floats:
    """Joint entropies of all sets of axes of a table, exact or float.

    Args:
        pmf: Probabilities, shape (k_1, ..., k_n): float64 or ``Fraction``.

    Returns:
        Nats, shape (2^n,), indexed as by :func:`entropy_vector`.

    Raises:
        ModelError: If there are too many variables for all sets of them.
    """
    if pmf.ndim > MAX_ATOM_VARIABLES:
        raise ModelError(
            f"{pmf.ndim} variables have 2^{pmf.ndim} joint entropies; at most {MAX_ATOM_VARIABLES} variables are "
            "enumerated, take a marginal"
        )
    return entropy_vector_of_counts(*common_counts(pmf)) if pmf.dtype == object else entropy_vector(pmf)


def common_counts(pmf: NDArray[Any]) -> tuple[NDArray[np.object_], int]:
    """Write fractions over their common denominator.

    Args:
        pmf: Fractions, of any shape.

    Returns:
        Integers of that shape, and the denominator.

    Example:
        >>> from fractions import Fraction
        >>> counts, total = common_counts(np.array([Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]))
        >>> counts.tolist(), total
        ([3, 2, 1], 6)
    """
    total = math.lcm(*(cell.denominator for cell in pmf.flat))
    counts = np.frompyfunc(lambda cell: cell.numerator * (total // cell.denominator), 1, 1)(pmf)
    return np.asarray(counts, dtype=object), total


def entropy_vector(pmf: Floats) -> Floats:
    r"""Joint entropies of all sets of axes of a float table: :math:`h(S) = -\sum p_S \ln p_S`.

    Args:
        pmf: Probabilities, shape (k_1, ..., k_n), summing to one.

    Returns:
        Nats, shape (2^n,), read-only; bit i of the index says whether axis i belongs to the set.

    Example:
        >>> entropy_vector(np.full((2, 2), 0.25)).round(4).tolist()
        [0.0, 0.6931, 0.6931, 1.3863]
    """

    def logarithm(cells: Floats) -> Floats:
        shifted = cells + _TINY
        return np.asarray(np.log(shifted, out=shifted))

    return _finish(_reduce(np.asarray(pmf, dtype=np.float64).ravel(), pmf.shape, logarithm), pmf.ndim)


def entropy_vector_of_counts(counts: NDArray[np.object_], total: int) -> Floats:
    r"""Joint entropies of the exact table ``counts / total``: every marginal is summed exactly.

    Probabilities above one half go through ``log1p`` of their exact complement, so small entropies keep their digits.

    Args:
        counts: Non-negative integers, shape (k_1, ..., k_n).
        total: Their sum.

    Returns:
        Nats, shape (2^n,), indexed as by :func:`entropy_vector`.

    Example:
        >>> entropy_vector_of_counts(np.array([1, 3], dtype=object), 4).round(4).tolist()
        [0.0, 0.5623]
    """
    if total >= _EXACT_FLOAT:
        return _entropies_of_large_counts(counts, total)

    def logarithm(cells: Floats) -> Floats:
        logs = np.log((cells + _TINY) / total)
        likely = 2 * cells > total
        logs[likely] = np.log1p((cells[likely] - total) / total)
        return np.asarray(logs)

    weighted = _reduce(counts.astype(np.float64).ravel(), counts.shape, logarithm)
    return _finish(weighted / total, counts.ndim)


def _entropies_of_large_counts(counts: NDArray[np.object_], total: int) -> Floats:
    """The same in integers of any size, one marginal after the other."""

    def term(cell: int) -> float:
        if cell in {0, total}:
            return 0.0
        logarithm = math.log1p(-((total - cell) / total)) if 2 * cell > total else math.log(cell / total)
        return -(cell / total) * logarithm

    n = counts.ndim
    values = np.zeros(1 << n)
    for subset in range(1, 1 << n):
        rest = tuple(axis for axis in range(n) if not subset >> axis & 1)
        values[subset] = math.fsum(term(int(cell)) for cell in np.sum(counts, axis=rest).ravel())
    values.flags.writeable = False
    return values


@lru_cache(maxsize=64)
def _groups(sizes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Neighbouring axes that one matrix product handles."""
    groups: list[tuple[int, ...]] = []
    for size in sizes:
        if groups and math.prod(k + 1 for k in groups[-1]) * (size + 1) <= _GROUP_ROWS:
            groups[-1] += (size,)
        else:
            groups.append((size,))
    return tuple(groups)


@lru_cache(maxsize=64)
def _matrices(group: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Matrices that add the sum over each axis of a group, and that reduce each axis to (summed over, kept)."""
    widen: Floats = np.ones((1, 1))
    narrow: Floats = np.ones((1, 1))
    for size in group:
        widen = np.asarray(np.kron(widen, np.vstack([np.eye(size), np.ones(size)])))
        kept = np.append(np.ones(size), 0.0)
        narrow = np.asarray(np.kron(narrow, np.vstack([np.eye(1, size + 1, size), kept])))
    return widen.T.copy(), narrow.T.copy()


def _reduce(table: Floats, sizes: tuple[int, ...], logarithm: Callable[[Floats], Floats]) -> Floats:
    """Minus the sum of ``p log p`` over each marginal of a flat table; flat again, with two entries per axis."""
    if sizes and math.prod(size + 1 for size in sizes) > _BLOCK_CELLS:
        parts = table.reshape(sizes[0], -1)
        kept = np.zeros(1 << (len(sizes) - 1))
        for part in parts:
            kept += _reduce(part, sizes[1:], logarithm)
        return np.concatenate([_reduce(parts.sum(axis=0), sizes[1:], logarithm), kept])
    groups = _groups(sizes)
    for group in groups:
        rows = table.reshape(math.prod(group), -1)
        table = np.asarray(np.vstack([rows, rows.sum(axis=0)])).T if _is_wide(group) else rows.T @ _matrices(group)[0]
    cells = table.ravel()
    products = logarithm(cells)
    products *= cells
    for group in groups:
        rows = products.reshape(math.prod(size + 1 for size in group), -1)
        products = np.vstack([rows[-1], rows[:-1].sum(axis=0)]).T if _is_wide(group) else rows.T @ _matrices(group)[1]
    return -products.ravel()


def _is_wide(group: tuple[int, ...]) -> bool:
    return group[0] >= _GROUP_ROWS


def _finish(flat: Floats, n: int) -> Floats:
    """Order by bitmask, first axis lowest bit; rounding below zero becomes zero, and no variables have no entropy."""
    vector = np.maximum(flat.reshape((2,) * n).transpose().ravel(), 0.0)
    vector[0] = 0.0
    vector.flags.writeable = False
    return vector

"""Quantities as bitmasks, for searches that look at thousands of them before they name one.

A shape is a condition and disjoint groups over n variables, bit i for the i-th variable; with the variables in natural
order, shapes sort as the quantities they stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from imeasure.measure import members
from imeasure.quantities import Information
from imeasure.shannon import bits, subsets

Shape = tuple[int, tuple[int, ...]]
"""The condition, and the groups in order of their lowest bits."""


@lru_cache(maxsize=16)
def shapes(count: int, most_groups: int) -> tuple[Shape, ...]:
    """Return every quantity over some variables, each once, the simplest first.

    Args:
        count: Number of variables.
        most_groups: Most groups that a quantity may have.

    Returns:
        Their shapes, in the order of :func:`shape_key`.

    Example:
        >>> [str(shape_quantity(shape, ("X", "Y"))) for shape in shapes(2, 2)]
        ['H[X]', 'H[Y]', 'H[X|Y]', 'H[Y|X]', 'H[X,Y]', 'I[X;Y]']
    """
    everything = (1 << count) - 1
    partitions = {union: _partitions(union, most_groups) for union in range(1, everything + 1)}
    found = [
        (given, blocks)
        for given in range(everything)
        for union in subsets(everything ^ given)
        if union
        for blocks in partitions[union]
    ]
    return tuple(sorted(found, key=shape_key))


def _partitions(mask: int, most: int) -> list[tuple[int, ...]]:
    if not mask:
        return [()]
    if not most:
        return []
    low = mask & -mask
    return [(low | extra, *rest) for extra in subsets(mask ^ low) for rest in _partitions(mask ^ low ^ extra, most - 1)]


def shape_key(shape: Shape) -> tuple[Any, ...]:
    """Return a sort key: few variables, few groups, small groups, then the variables in order.

    Args:
        shape: A quantity as bitmasks.

    Returns:
        The key; its first entry is the number of variables.
    """
    given, blocks = shape
    groups = [tuple(bits(block)) for block in blocks]
    size, condition = sum(map(len, groups)), tuple(bits(given))
    return (size + len(condition), len(groups), size, (0, groups, condition))


def shape_quantity(shape: Shape, names: tuple[str, ...]) -> Information:
    """Return the quantity of a shape.

    Args:
        shape: A quantity as bitmasks.
        names: The variables.

    Returns:
        The quantity.
    """
    given, blocks = shape
    result: Information = Information([members(block, names) for block in blocks], members(given, names))
    return result


def shape_rows(offered: Sequence[Shape], joint: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the coordinates of many quantities at once.

    Args:
        offered: S shapes over n variables.
        joint: Coordinates of each joint entropy, shape (2^n, D); the first row, the empty set's, is zero.

    Returns:
        Array of shape (S, D).
    """
    result = np.zeros((len(offered), joint.shape[1]), dtype=np.int64)
    for count in {len(blocks) for _, blocks in offered}:
        of_count = [i for i, (_, blocks) in enumerate(offered) if len(blocks) == count]
        given = np.array([offered[i][0] for i in of_count])
        blocks = np.array([offered[i][1] for i in of_count])
        total = np.zeros((len(of_count), joint.shape[1]), dtype=np.int64)
        for chosen in range(1 << count):
            union = given.copy()
            for bit in bits(chosen):
                union |= blocks[:, bit]
            total += joint[union] if chosen.bit_count() % 2 else -joint[union]
        result[of_count] = total
    return result

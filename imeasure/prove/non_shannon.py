"""Zhang-Yeung inequalities as they are needed: those that a point of a linear program breaks.

``I[A;B] + I[A;C,D] + 3 I[C;D|A] + I[C;D|B] >= 2 I[C;D]`` for disjoint groups of variables, everything given a further
group, holds for all distributions (Zhang and Yeung, 1998). All instances of few variables are looked through at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt

from imeasure.certificate.rows import Row
from imeasure.certificate.steps import Key, zhang_yeung
from imeasure.prove.limits import LimitReached
from imeasure.shannon import subsets

Integers = npt.NDArray[np.int64]

GROUPED = 7
"""Up to so many variables A, B, C and D are any groups."""
MOST = 10
"""Up to so many variables they are single variables, given any others."""
ADDED = 40
"""Most instances that are added at once."""
BROKEN = 1e-7
"""By how much a point breaks an instance that is added."""


def violated(units: list[int], entropy: Callable[[int], float]) -> list[tuple[Key, Row]]:
    """Return the instances that a point breaks, the worst first.

    Args:
        units: Bitmasks of the variables, those that are never told apart together.
        entropy: The point's joint entropies by bitmask.

    Returns:
        Steps of a proof, and their rows over joint entropies.

    Raises:
        LimitReached: If there are too many.
    """
    count = len(units)
    if count > MOST:
        raise LimitReached(f"Zhang-Yeung inequalities are looked through for up to {MOST} variables, not {count}")
    if count < 4:
        return []
    a, b, c, d, given = instances(count)
    masks = [sum(unit for i, unit in enumerate(units) if number >> i & 1) for number in range(1 << count)]
    h = np.array([entropy(mask) if mask else 0.0 for mask in masks])

    def information(left: Integers, right: Integers, condition: Integers) -> npt.NDArray[np.float64]:
        return np.asarray(h[left | condition] + h[right | condition] - h[left | right | condition] - h[condition])

    slack = information(a, b, given) + information(a, c | d, given) - 2 * information(c, d, given)
    slack += 3 * information(c, d, a | given) + information(c, d, b | given)
    worst = np.argsort(slack, kind="stable")[:ADDED]
    groups = [tuple(masks[part[i]] for part in (a, b, c, d, given)) for i in worst if slack[i] < -BROKEN]
    return [(("ZY", *found), zhang_yeung(*found)) for found in groups]


@lru_cache(maxsize=4)
def instances(count: int) -> tuple[Integers, Integers, Integers, Integers, Integers]:
    """Return the arguments of the inequality over some variables; it is symmetric in C and D.

    Args:
        count: Number of variables.

    Returns:
        Bitmasks of A, B, C, D and the condition, one entry for each instance.

    Example:
        >>> [len(instances(count)[0]) for count in (4, 5)]
        [12, 240]
    """
    if count <= GROUPED:
        labels = np.indices((6,) * count).reshape(count, -1)
        bits = 1 << np.arange(count)
        parts = [np.asarray((labels == group).T @ bits) for group in range(5)]
        kept = (parts[0] > 0) & (parts[1] > 0) & (parts[2] > 0) & (parts[2] < parts[3])
        a, b, c, d, given = (part[kept] for part in parts)
        return a, b, c, d, given
    everything = (1 << count) - 1
    found = [
        (1 << a, 1 << b, 1 << c, 1 << d, given)
        for a, b in permutations(range(count), 2)
        for c, d in combinations([i for i in range(count) if i not in (a, b)], 2)
        for given in subsets(everything & ~(1 << a | 1 << b | 1 << c | 1 << d))
    ]
    table = np.array(found, dtype=np.int64).T
    return table[0], table[1], table[2], table[3], table[4]

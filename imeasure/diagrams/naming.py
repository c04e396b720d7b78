"""Names of regions: the shortest quantity that a model makes equal to an atom.

In ``Y -> X -> Z`` the atom ``I[X;Y;Z]`` is ``I[Y;Z]``, because nothing else of what Y and Z share is left.
"""

from collections.abc import Sequence

import numpy as np

from imeasure.measure import atom, members
from imeasure.quantities import Information


def between(mask: int, names: tuple[str, ...], chain: Sequence[int]) -> Information:
    """Name an atom of a Markov chain: its two ends, given the neighbours beyond.

    Args:
        mask: The atom, a run of neighbours.
        names: The variables.
        chain: Their bits along the chain.

    Returns:
        The quantity.

    Example:
        >>> between(0b111, ("X", "Y", "Z"), [1, 0, 2])
        I[Y;Z]
    """
    places = [place for place, bit in enumerate(chain) if mask >> bit & 1]
    ends = dict.fromkeys(names[chain[place]] for place in (places[0], places[-1]))
    beyond = [names[chain[p]] for p in (places[0] - 1, places[-1] + 1) if 0 <= p < len(chain)]
    result: Information = Information([[name] for name in ends], beyond)
    return result


def shortest(mask: int, names: tuple[str, ...], zero: frozenset[int]) -> Information:
    """Name an atom by the quantity of fewest letters whose atoms, but for this one, all vanish.

    Args:
        mask: The atom.
        names: The variables.
        zero: Bitmasks of the atoms that vanish.

    Returns:
        The quantity.

    Example:
        >>> shortest(0b111, ("X", "Y", "Z"), frozenset({0b110}))
        I[Y;Z]
    """
    if not zero:
        return atom(mask, names)
    full = (1 << len(names)) - 1
    alive = np.array([other for other in range(1, full + 1) if other not in zero])
    best = (len(names) + 1, 0, mask, full & ~mask)
    for inside in _submasks(mask):
        holding = alive[(alive & inside) == inside]
        for outside in (*_submasks(full & ~mask), 0):
            key = (inside.bit_count() + outside.bit_count(), outside.bit_count(), inside, outside)
            if key < best and np.count_nonzero((holding & outside) == 0) == 1:
                best = key
    inside, outside = best[2:]
    result: Information = Information([[name] for name in members(inside, names)], list(members(outside, names)))
    return result


def _submasks(mask: int) -> list[int]:
    found, part = [], mask
    while part:
        found.append(part)
        part = (part - 1) & mask
    return found

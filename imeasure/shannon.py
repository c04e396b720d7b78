"""Elemental inequalities: the finitely many that generate every Shannon inequality of n variables.

``H(i | all others) >= 0`` for each variable and ``I(i;j|K) >= 0`` for each pair and each set K of others (R. W. Yeung,
"A Framework for Linear Information Inequalities", 1997); the first kind holds for discrete variables only. A vanishing
conditional mutual information is a sum of elementals, so each of them vanishes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from imeasure.measure import members
from imeasure.quantities import Information


class Elemental(NamedTuple):
    """``I(i;j|K)``, or ``H(i|K)`` when i = j, with i and j bits and K a bitmask."""

    i: int
    j: int
    given: int

    def entropies(self) -> dict[int, int]:
        """Return the elemental as coefficients of joint entropies, by bitmask."""
        a, b, k = 1 << self.i | self.given, 1 << self.j | self.given, self.given
        if self.i == self.j:
            return {a: 1, k: -1} if k else {a: 1}
        form = {a: 1, b: 1, a | b: -1}
        if k:
            form[k] = -1
        return form

    def quantity(self, names: tuple[str, ...]) -> Information:
        """Return the elemental as a quantity."""
        pair = [[names[self.i]]] if self.i == self.j else [[names[self.i]], [names[self.j]]]
        result: Information = Information(pair, members(self.given, names))
        return result


def bits(mask: int) -> Iterator[int]:
    """Yield the positions of the bits of a mask.

    Args:
        mask: A bitmask.

    Yields:
        Positions, lowest first.

    Example:
        >>> list(bits(0b1010))
        [1, 3]
    """
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def subsets(mask: int) -> Iterator[int]:
    """Yield every subset of a mask.

    Args:
        mask: A bitmask.

    Yields:
        Subsets, from the empty one to the mask itself.

    Example:
        >>> list(subsets(0b101))
        [0, 1, 4, 5]
    """
    subset = 0
    while True:
        yield subset
        if subset == mask:
            return
        subset = (subset - mask) & mask


def elementals(count: int) -> Iterator[Elemental]:
    """Yield the elemental inequalities of n discrete variables: n + C(n,2) 2^(n-2) of them.

    Args:
        count: Number n of variables.

    Yields:
        Elementals, the conditional entropies first.

    Example:
        >>> len(list(elementals(4)))
        28
    """
    everything = (1 << count) - 1
    for i in range(count):
        yield Elemental(i, i, everything ^ 1 << i)
    for i in range(count):
        for j in range(i + 1, count):
            for given in subsets(everything ^ 1 << i ^ 1 << j):
                yield Elemental(i, j, given)


def vanishing_information(left: int, right: int, given: int) -> Iterator[Elemental]:
    """Yield the elementals that vanish with ``I(left; right | given)``, for disjoint groups.

    Args:
        left: Bitmask of the first group.
        right: Bitmask of the second group.
        given: Bitmask of the condition.

    Yields:
        ``I(i;j|K)`` for i and j from either group and K between the condition and everything else of the three.

    Example:
        >>> [e.quantity(("A", "B", "C")) for e in vanishing_information(0b001, 0b110, 0)]
        [I[A;B], I[A;B|C], I[A;C], I[A;C|B]]
    """
    for i in bits(left):
        for j in bits(right):
            for extra in subsets((left | right) ^ 1 << i ^ 1 << j):
                yield Elemental(min(i, j), max(i, j), given | extra)


def vanishing_entropy(variables: int, given: int, count: int) -> Iterator[Elemental]:
    """Yield the elementals that vanish with ``H(variables | given)``, for discrete variables.

    Args:
        variables: Bitmask of the variables, disjoint from the condition.
        given: Bitmask of the condition.
        count: Number of all variables.

    Yields:
        ``H(i|all others)``, and ``I(i;j|K)`` for i from the variables, any other j, and K containing the condition.

    Example:
        >>> [e.quantity(("A", "B")) for e in vanishing_entropy(0b01, 0b10, 2)]
        [H[A|B]]
    """
    everything = (1 << count) - 1
    for i in bits(variables):
        others = everything ^ 1 << i
        yield Elemental(i, i, others)
        for j in bits(others & ~given):
            for extra in subsets(others & ~given & ~(1 << j)):
                yield Elemental(min(i, j), max(i, j), given | extra)

"""Up to four variables: the extreme rays of the cone of polymatroids, which decide provability without a program.

Four variables have 41 extreme rays, all but six of which are ranks of linear codes (D. Hammer, A. Romashchenko, A. Shen
and N. Vereshchagin, "Inequalities for Shannon Entropy and Kolmogorov Complexity", 2000). Facts whose rows keep one sign
on all rays cut out a face, whose rays are those on which the facts vanish. A row that is at least zero on these is a
sum of basic inequalities and facts; it is found by taking away, one after another, as much of a basic inequality as
the rays allow, which makes a further ray vanish each time. A row that is negative on the ray of a code is broken by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from math import gcd, lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import ONE, Row, information
from imeasure.certificate.steps import Combination, Key
from imeasure.prove.codes import Code
from imeasure.shannon import subsets

LARGEST = 4
"""Most variables whose rays are known."""
BOUND = 1 << 40
"""Largest coefficient that is handled here, so that 64 bits are enough."""

_NOTHING = 1e-30
"""Stands for zero where one divides by it."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_CODES = (
    Code(2, 1, ((1,), (), (), ())),
    Code(2, 1, ((1,), (1,), (), ())),
    Code(2, 1, ((1,), (1,), (1,), ())),
    Code(2, 1, ((1,), (1,), (1,), (1,))),
    Code(2, 2, ((1,), (2,), (3,), ())),
    Code(2, 2, ((1,), (2,), (3,), (3,))),
    Code(2, 2, ((1,), (2,), (3,), (1, 2))),
    Code(2, 3, ((1,), (2,), (4,), (7,))),
    Code(2, 3, ((1,), (2,), (4,), (3, 5))),
    Code(3, 2, ((1,), (3,), (4,), (7,))),
)
"""The rays that are ranks of codes, one of each sort, simple ones first."""


@dataclass(frozen=True)
class Rays:
    """The extreme rays of the polymatroids of n variables, and the values of the basic inequalities on them.

    Attributes:
        vectors: Shape (rays, 2^n), joint entropies by bitmask.
        codes: The code whose ranks a ray is, or None.
        keys: The basic inequalities, as steps.
        entries: The value of each on each ray.
        alone: The inequality by its values, divided by their greatest common divisor.
        columns: The values again, shape (rays, inequalities).
        weight: Sum of the values of each inequality.
    """

    vectors: Integers
    codes: tuple[Code | None, ...]
    keys: tuple[Key, ...]
    entries: tuple[tuple[int, ...], ...]
    alone: Mapping[tuple[int, ...], Key]
    columns: Floats
    weight: Floats


@lru_cache(maxsize=LARGEST)
def rays(count: int) -> Rays:
    """Return the extreme rays for a number of variables.

    Args:
        count: Number of variables, from 1 to :data:`LARGEST`.

    Returns:
        The rays.

    Example:
        >>> [len(rays(count).vectors) for count in (1, 2, 3, 4)]
        [1, 3, 8, 41]
    """
    found: dict[tuple[int, ...], Code | None] = {}
    for code in _CODES:
        for order in permutations(range(LARGEST)):
            seen = tuple(code.seen[i] for i in order)
            if not any(seen[count:]):
                moved = Code(code.field, code.size, seen[:count])
                found.setdefault(tuple(map(moved.rank, range(1 << count))), moved)
    if count == LARGEST:
        for pair in (mask for mask in range(16) if mask.bit_count() == 2):
            # Breaks Ingleton's inequality, so that no linear code has these ranks.
            ranks = (0, 2, 3, 4, 4)
            found[tuple(ranks[mask.bit_count()] + (mask == pair) for mask in range(16))] = None
    vectors = np.array(list(found), dtype=np.int64)
    keys = tuple(_basic(count))
    values = np.array([_dense(information(key[1:-1], key[-1]), count) for key in keys]) @ vectors.T
    columns = np.ascontiguousarray(values.T, dtype=np.float64)
    entries = tuple(map(tuple, values.tolist()))
    alone = {tuple(value // gcd(*row) for value in row): key for row, key in zip(entries, keys, strict=True)}
    return Rays(vectors, tuple(found.values()), keys, entries, alone, columns, columns.sum(axis=0))


def _basic(count: int) -> Iterator[Key]:
    """Yield every ``I[A;B|C]`` and ``H[A|C]`` of disjoint groups, each once."""
    everything = (1 << count) - 1
    for given in subsets(everything):
        for first in subsets(everything & ~given):
            for second in subsets(everything & ~given & ~first):
                if 0 < first < second:
                    yield "I", first, second, given
    for given in subsets(everything):
        yield from (("H", first, given) for first in subsets(everything & ~given) if first)


def _dense(row: Row, count: int) -> list[int]:
    return [int(row.get(mask, 0)) for mask in range(1 << count)]


class Face:
    """The face of polymatroids on which some facts vanish.

    Args:
        known: The rays.
        facts: Values of the facts on the rays, each at least zero, and the factor that makes them so.
        sets: For each set of the rays' variables the set that it stands for, if not itself.
    """

    def __init__(
        self, known: Rays, facts: Sequence[tuple[list[int], int]], sets: Mapping[int, int] | None = None
    ) -> None:
        self.known = known
        self.sets = sets
        self.wanted: list[tuple[list[int], int]] | None = None
        """The values of the rows that were announced when the face was found."""
        self._place = {mask: small for small, mask in sets.items()} if sets is not None else None
        self._facts = facts
        self._joint = [sum(column) for column in zip(*(values for values, _ in facts), strict=True)]
        everywhere = range(len(known.vectors))
        self._on = [k for k in everywhere if not self._joint[k]] if facts else everywhere

    def values(self, rows: Sequence[Row]) -> list[tuple[list[int], int]] | None:
        """Return the values of rows on all rays, each with the factor by which they are too large.

        Args:
            rows: The rows.

        Returns:
            Integers and the factor for each row, or None if one has constants, functionals or huge coefficients.
        """
        return on_rays(rows, self.known, self._place)

    def code(self, ray: int, count: int) -> Code | None:
        """Return the code of a ray for a number of variables, or None if it has none."""
        code = self.known.codes[ray]
        if code is None or self.sets is None:
            return code
        seen: list[tuple[int, ...]] = [()] * count
        for i, vectors in enumerate(code.seen):
            seen[self.sets[1 << i].bit_length() - 1] = vectors
        return Code(code.field, code.size, tuple(seen))

    def broken(self, values: list[int]) -> int | None:
        """Return the first ray of the face on which a row is negative, codes first, or None."""
        if min(values) >= 0:
            return None
        return next((k for k in self._on if values[k] < 0), None)

    def prove(self, values: list[int], scale: int) -> Combination | None:
        """Return a combination of basic inequalities and facts that has given values on all rays.

        Args:
            values: The row's values on all rays, nowhere negative on the face.
            scale: What they have to be divided by.

        Returns:
            The combination, or None if a choice by rounded numbers led nowhere.
        """
        known = self.known
        proof: Combination = {}
        facts: Combination = {}
        if min(values) < 0:
            values, scale, facts = self._lifted(values, scale)
        while size := gcd(*values):
            if (
                alone := known.alone.get(tuple(values if size == 1 else [value // size for value in values]))
            ) is not None:
                proof[self._named(alone)] = _quotient(size, scale)
                break
            shares = 1.0 / np.maximum(np.array(values, dtype=np.float64), _NOTHING)
            best = int((known.weight / (known.columns * shares[:, None]).max(axis=0)).argmax())
            taken = known.entries[best]
            top, bottom = _least_ratio(values, taken)
            if top <= 0:
                return None
            if bottom > 1:
                values, scale = [bottom * value for value in values], scale * bottom
            values = [value - top * entry for value, entry in zip(values, taken, strict=True)]
            proof[self._named(known.keys[best])] = _quotient(top, scale)
        return proof | facts

    def _named(self, key: Key) -> Key:
        return key if self.sets is None else (key[0], *map(self.sets.__getitem__, key[1:]))

    def _lifted(self, values: list[int], scale: int) -> tuple[list[int], int, Combination]:
        """Add the least multiples of facts that make a row at least zero on all rays, not on the face alone."""
        below = [(k, -value) for k, value in enumerate(values) if value < 0]
        alone: tuple[int, int, int] | None = None
        for number, (fact, _) in enumerate(self._facts):
            if all(fact[k] for k, _ in below):
                top, bottom = _largest_ratio([(value, fact[k]) for k, value in below])
                if alone is None or top * alone[1] < alone[0] * bottom:
                    alone = top, bottom, number
        if alone is not None:
            top, bottom, only = alone
            joint, chosen = self._facts[only][0], [only]
        else:
            joint, chosen = self._joint, list(range(len(self._facts)))
            top, bottom = _largest_ratio([(value, joint[k]) for k, value in below])
        scale *= bottom
        values = [bottom * value + top * entry for value, entry in zip(values, joint, strict=True)]
        used: Combination = {}
        for number in chosen:
            fact, factor = self._facts[number]
            spare = 0
            if alone is None:
                spare = min([top, *(v // entry for v, entry in zip(values, fact, strict=True) if entry)])
                values = [v - spare * entry for v, entry in zip(values, fact, strict=True)]
            if top > spare:
                used["fact", number] = _quotient((spare - top) * factor, scale)
        return values, scale, used


def _largest_ratio(pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    top, bottom = 0, 1
    for value, entry in pairs:
        if value * bottom > top * entry:
            top, bottom = value, entry
    divisor = gcd(top, bottom)
    return top // divisor, bottom // divisor


def _least_ratio(values: Sequence[int], taken: Sequence[int]) -> tuple[int, int]:
    top, bottom = 1, 0
    for value, entry in zip(values, taken, strict=True):
        if entry and value * bottom < top * entry:
            top, bottom = value, entry
    divisor = gcd(top, bottom)
    return top // divisor, bottom // divisor


def _quotient(top: int, bottom: int) -> int | Fraction:
    return top // bottom if top % bottom == 0 else Fraction(top, bottom)


def on_rays(
    rows: Sequence[Row], known: Rays, place: Mapping[int, int] | None = None
) -> list[tuple[list[int], int]] | None:
    """Return the values of rows on rays, as :meth:`Face.values` does.

    Args:
        rows: The rows.
        known: The rays.
        place: What each set is among the rays' variables, if not itself.

    Returns:
        Integers and the factor by which they are too large for each row, or None if one cannot be handled.
    """
    if not rows:
        return []
    scales, table = [], []
    for row in rows:
        scale = 1
        for column, value in row.items():
            if column == ONE or isinstance(column, str):
                return None
            if type(value) is not int:
                scale = lcm(scale, value.denominator)
        dense = [0] * known.vectors.shape[1]
        for column, value in row.items():
            at: Any = column if place is None else place[column]  # type: ignore[index]  # a row with a text was left above
            dense[at] = value if scale == 1 else int(value * scale)  # type: ignore[assignment]  # an int where scale is 1
        if max(dense) > BOUND or min(dense) < -BOUND:
            return None
        scales.append(scale)
        table.append(dense)
    values = np.array(table, dtype=np.int64) @ known.vectors.T
    return list(zip(values.tolist(), scales, strict=True))


def units(rows: Iterable[Row]) -> dict[int, int] | None:
    """Return what the variables that rows tell apart are, if they are few: those that occur only together are one.

    A polymatroid of the units is one of the variables, and the other way around; so these are all that matters.

    Args:
        rows: The rows.

    Returns:
        For each set of units the set of variables that it stands for, or None if there are too many units.

    Example:
        >>> units([{0b00011: 1, 0b11100: 1, 0b11111: -1}])
        {0: 0, 1: 3, 2: 28, 3: 31}
    """
    parts: list[int] = []
    for column in {column for row in rows for column in row}:
        if isinstance(column, str):
            return None
        split = [part & column for part in parts if part & column] + [
            part & ~column for part in parts if part & ~column
        ]
        rest = column & ~sum(parts)
        parts = [*split, rest] if rest else split
        if len(parts) > LARGEST:
            return None
    parts.sort()
    return {mask: sum(part for i, part in enumerate(parts) if mask >> i & 1) for mask in range(1 << len(parts))}


def find_face(problem: Problem, wanted: Sequence[Row] = ()) -> Face | None:
    """Return the face that a problem's facts cut out of the polymatroids, if its rays are known.

    Args:
        problem: The problem.
        wanted: The rows that will be asked for; then there may be more variables than are known, if there are only few
            groups of variables that occur only together.

    Returns:
        The face, or None where there are too many or continuous variables, facts that cut through the cone, or a row
        that is no combination of entropies.

    Example:
        >>> from imeasure.certificate.problem import read_problem
        >>> find_face(read_problem("I[X;Z] <= I[X;Y]", given="X -> Y -> Z")) is None
        False
        >>> find_face(read_problem("H[X] = 0", given="H[X] = H[Y]")) is None
        True
    """
    count = len(problem.names)
    kinds = dict(problem.model.kinds).values() if problem.model is not None else ()
    if any(kind != "discrete" for kind in kinds) or not all(fact.equality for fact in problem.facts):
        return None
    sets: dict[int, int] | None = None
    if count > LARGEST:
        sets = units([*wanted, *(fact.row for fact in problem.facts)]) if wanted else None
        count = len(sets).bit_length() - 1 if sets is not None else 0
    if not count:
        return None
    known = rays(count)
    place = {mask: small for small, mask in sets.items()} if sets is not None else None
    found = on_rays([*(fact.row for fact in problem.facts), *wanted], known, place)
    facts = []
    for values, scale in found[: len(problem.facts)] if found is not None else ():
        low, high = min(values), max(values)
        if low < 0 < high:
            return None
        facts.append((values, scale) if high > 0 else ([-value for value in values], -scale))
    if found is None:
        return None
    face = Face(known, facts, sets)
    face.wanted = found[len(problem.facts) :]
    return face

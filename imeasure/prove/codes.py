"""Linear codes as counterexamples: exact entropies without a table, and the table when it is asked for.

Each variable sees some linear functionals of uniform symbols of GF(2) or GF(3); a joint entropy is then a rank times
the logarithm of the field's size. Such rank functions are the first place to look (Chan and Yeung, 2002).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from imeasure.distribution import Distribution
from imeasure.distribution.tables import MAX_AXES

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Code:
    """For each variable the functionals that it sees of some uniform symbols.

    Attributes:
        field: Size q of the field, a prime.
        size: Number of symbols.
        seen: For each variable (in the order of the bits) a tuple of vectors, each a number whose digits to base q are
            the vector's entries.

    Example:
        >>> xor = Code(2, 2, ((0b01,), (0b10,), (0b11,)))
        >>> xor.rank(0b011), xor.rank(0b111)
        (2, 2)
    """

    field: int
    size: int
    seen: tuple[tuple[int, ...], ...]

    def rank(self, mask: int) -> int:
        """Return the rank of the functionals that a set of variables sees."""
        vectors = [v for i, seen in enumerate(self.seen) if mask >> i & 1 for v in seen]
        return _binary_rank(vectors) if self.field == 2 else _rank(map(self._digits, vectors), self.field)

    def _digits(self, vector: int) -> tuple[int, ...]:
        result = []
        for _ in range(self.size):
            vector, digit = divmod(vector, self.field)
            result.append(digit)
        return tuple(result)

    def without(self, variable: int, position: int | None = None) -> Code:
        """Return the code in which a variable sees one functional less, or nothing."""
        seen = self.seen[variable]
        left = () if position is None else (*seen[:position], *seen[position + 1 :])
        return Code(self.field, self.size, (*self.seen[:variable], left, *self.seen[variable + 1 :]))

    def cells(self) -> int:
        """Return the number of cells of the table, outcomes of probability zero included."""
        return int(prod(self.field ** self.rank(1 << i) for i in range(len(self.seen))))

    def repeated(self, times: int) -> Code:
        """Return independent copies side by side, which multiplies all entropies."""
        shift = self.field**self.size
        seen = tuple(tuple(v * shift**k for k in range(times) for v in vectors) for vectors in self.seen)
        return Code(self.field, self.size * times, seen)

    def distribution(self, names: tuple[str, ...]) -> Distribution:
        """Return the joint distribution as a table.

        Args:
            names: The variables' names, in the order of the bits.

        Returns:
            A uniform distribution over the codewords; of a constant X if there are no variables. Of more variables than
            a table has axes, those that are constant are left out.
        """
        if not names:
            return Distribution.read({(0,): 1}, "X")
        kept = [i for i, seen in enumerate(self.seen) if seen or len(names) <= MAX_AXES] or [0]
        names = tuple(names[i] for i in kept)
        vectors = [[self._digits(v) for v in self.seen[i]] for i in kept]
        used = [k for k in range(self.size) if any(v[k] for seen in vectors for v in seen)]
        counts: dict[tuple[int, ...], int] = {}
        for symbols in product(range(self.field), repeat=len(used)):
            outcome = tuple(
                sum(
                    self.field**place * (sum(v[k] * s for k, s in zip(used, symbols, strict=True)) % self.field)
                    for place, v in enumerate(seen)
                )
                for seen in vectors
            )
            counts[outcome] = counts.get(outcome, 0) + 1
        return Distribution.read(counts, names, normalize=True)


def _binary_rank(vectors: Iterable[int]) -> int:
    basis: list[int] = []
    for vector in vectors:
        rest = vector
        for member in basis:
            rest = min(rest, rest ^ member)
        if rest:
            basis.append(rest)
    return len(basis)


def _rank(vectors: Iterable[tuple[int, ...]], field: int) -> int:
    basis: dict[int, tuple[int, ...]] = {}
    for vector in vectors:
        rest = vector
        while any(rest):
            lead = next(i for i, value in enumerate(rest) if value)
            if lead not in basis:
                inverse = pow(rest[lead], -1, field)
                basis[lead] = tuple(value * inverse % field for value in rest)
                break
            factor, pivot = rest[lead], basis[lead]
            rest = tuple((a - factor * b) % field for a, b in zip(rest, pivot, strict=True))
    return len(basis)


_CHOICES: tuple[tuple[int, ...], ...] = ((), (0b01,), (0b10,), (0b11,), (0b01, 0b10))
"""The subspaces of GF(2)^2."""
_SPANS = np.array([0b0001, 0b0011, 0b0101, 0b1001, 0b1111], dtype=np.uint8)
"""The same, each as a bitmask of its vectors."""
_JOIN = np.array(
    [
        [sum(1 << w for w in range(4) if any(a >> u & 1 and b >> (u ^ w) & 1 for u in range(4))) for b in range(16)]
        for a in range(16)
    ],
    dtype=np.uint8,
)
_DIMENSION = np.array([max(0, int(v).bit_count().bit_length() - 1) for v in range(16)])
ALL = 5
"""Up to so many variables every assignment of subspaces of two bits is tried."""
SAMPLES = 3000
"""How many are tried beyond."""


@lru_cache(maxsize=32)
def assignments(count: int) -> Integers:
    """Return assignments of subspaces of two fair bits to variables: all of them for few variables, else a sample.

    Args:
        count: Number of variables.

    Returns:
        Array of shape (assignments, n) of the subspaces' numbers.
    """
    if count <= ALL:
        grid = np.indices((5,) * count).reshape(count, -1).T[:, ::-1]
        return np.ascontiguousarray(grid)
    generator = np.random.default_rng(count)
    single = (
        (np.arange(1, 1 << min(count, 10))[:, None] >> np.arange(count) & 1)
        if count <= 10
        else np.eye(count, dtype=np.int64)
    )
    sample = generator.choice(5, size=(SAMPLES, count), p=[0.4, 0.2, 0.15, 0.15, 0.1])
    return np.concatenate([single, sample])


@lru_cache(maxsize=32)
def all_ranks(count: int) -> Integers:
    """Return the ranks of every set for all assignments to few variables.

    Args:
        count: Number of variables, at most :data:`ALL`.

    Returns:
        Array of shape (assignments, 2^n).
    """
    return np.stack([ranks(count, mask) for mask in range(1 << count)], axis=1)


@lru_cache(maxsize=ALL)
def distinct_ranks(count: int) -> tuple[Integers, Integers]:
    """Return which assignments to few variables have ranks that no earlier one has, and these ranks.

    Args:
        count: Number of variables, at most :data:`ALL`.

    Returns:
        Numbers of assignments, and an array of shape (2^n, numbers).
    """
    table = all_ranks(count)
    _, first = np.unique(table, axis=0, return_index=True)
    numbers = np.sort(first)
    return numbers, np.ascontiguousarray(table[numbers].T)


@lru_cache(maxsize=512)
def ranks(count: int, mask: int) -> Integers:
    """Return the rank of a set for all assignments of :func:`assignments`.

    Args:
        count: Number of variables.
        mask: The set.

    Returns:
        Array of shape (assignments,).
    """
    found: Integers = _DIMENSION[_spans(count, mask)]
    return found


@lru_cache(maxsize=4096)
def _spans(count: int, mask: int) -> npt.NDArray[np.uint8]:
    """Return what a set of variables sees in each of the assignments, as a bitmask of vectors."""
    chosen = assignments(count)
    if not mask:
        return np.full(len(chosen), 0b0001, dtype=np.uint8)
    rest = mask & (mask - 1)
    alone = _SPANS[chosen[:, (mask ^ rest).bit_length() - 1]]
    return alone if not rest else _JOIN[_spans(count, rest), alone]


def assigned(number: int, count: int) -> Code:
    """Return the code of one of :func:`assignments`.

    Args:
        number: Its number.
        count: Number of variables.

    Returns:
        The code.
    """
    return Code(2, 2, tuple(_CHOICES[choice] for choice in assignments(count)[number].tolist()))

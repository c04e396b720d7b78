"""Counterexamples from random linear codes: exact entropies without a table, and the table when it is asked for.

Each variable sees some linear functionals of uniform symbols of GF(2) or GF(3); a joint entropy is then a rank times the
logarithm of the field's size. Such rank functions are the first place to look for counterexamples (Chan and Yeung, 2002).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import log

import numpy as np
import numpy.typing as npt

from imeasure.certificate.rows import ONE, Row
from imeasure.distribution import Distribution

Vector = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """For each variable the functionals that it sees of some uniform symbols.

    Attributes:
        field: Size of the field, a prime.
        seen: For each variable (in the order of the bits) a tuple of vectors.
    """

    field: int
    seen: tuple[tuple[Vector, ...], ...]

    def rank(self, mask: int) -> int:
        """Return the rank of the functionals that a set of variables sees."""
        return rank([v for i, vectors in enumerate(self.seen) if mask >> i & 1 for v in vectors], self.field)

    def value(self, row: Row) -> Fraction:
        """Return a row's value in units of ``ln field``; the row has no constant."""
        return sum((Fraction(c) * self.rank(mask) for mask, c in row.items() if isinstance(mask, int)), Fraction(0))

    def nats(self, row: Row) -> float:
        """Return a row's value in nats."""
        entropies = {mask: c for mask, c in row.items() if mask != ONE}
        return float(self.value(entropies)) * log(self.field) + float(row.get(ONE, 0))

    def distribution(self, names: tuple[str, ...]) -> Distribution:
        """Return the joint distribution as a table.

        Args:
            names: The variables' names, in the order of the bits.

        Returns:
            A uniform distribution over the codewords.
        """
        size = max((len(v) for vectors in self.seen for v in vectors), default=0)
        counts: dict[tuple[int, ...], int] = {}
        for symbols in product(range(self.field), repeat=size):
            outcome = tuple(
                sum(
                    self.field**k * (sum(a * b for a, b in zip(v, symbols, strict=True)) % self.field)
                    for k, v in enumerate(vectors)
                )
                for vectors in self.seen
            )
            counts[outcome] = counts.get(outcome, 0) + 1
        total = self.field**size
        return Distribution.read({outcome: Fraction(n, total) for outcome, n in counts.items()}, names)


def rank(vectors: Iterable[Vector], field: int) -> int:
    """Return the rank of vectors over a prime field.

    Args:
        vectors: Vectors of equal length.
        field: The field's size.

    Returns:
        The rank.

    Example:
        >>> rank([(1, 0), (0, 1), (1, 1)], 2)
        2
    """
    basis: dict[int, Vector] = {}
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


_CHOICES: tuple[tuple[Vector, ...], ...] = (
    (),
    ((1, 0),),
    ((0, 1),),
    ((1, 1),),
    ((1, 0), (0, 1)),
)
"""The subspaces of GF(2)^2."""


@lru_cache(maxsize=8)
def small_codes(count: int) -> npt.NDArray[np.int64]:
    """Return the joint entropies, in bits, of all assignments of subspaces of two fair bits to variables.

    Args:
        count: Number of variables, at most 5.

    Returns:
        Array of shape (5^n, 2^n); the row number written in base 5 says which subspace each variable sees.
    """
    span = np.array([0b0001, 0b0011, 0b0101, 0b1001, 0b1111])
    joined = np.zeros((1, 1), dtype=np.int64)
    joined[0, 0] = span[0]
    for _ in range(count):
        with_one = _join(joined[None, :, :], span[:, None, None])
        without = np.broadcast_to(joined[None, :, :], with_one.shape)
        joined = np.concatenate([without, with_one], axis=2).reshape(-1, joined.shape[1] * 2)
    dimensions = np.array([max(0, int(v).bit_count().bit_length() - 1) for v in range(16)])
    result: npt.NDArray[np.int64] = dimensions[joined]
    return result


def _join(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The span of two subspaces of GF(2)^2, each a bitmask of its four vectors."""
    table = np.zeros((16, 16), dtype=np.int64)
    for a in range(16):
        for b in range(16):
            table[a, b] = sum(1 << w for w in range(4) if any(a >> u & 1 and b >> (u ^ w) & 1 for u in range(4)))
    result: npt.NDArray[np.int64] = table[left, right]
    return result


def small_code(number: int, count: int) -> Code:
    """Return the code of a row of :func:`small_codes`.

    Args:
        number: The row's number.
        count: Number of variables.

    Returns:
        The code.
    """
    digits = []
    for _ in range(count):
        number, digit = divmod(number, 5)
        digits.append(_CHOICES[digit])
    return Code(2, tuple(digits))


def random_codes(count: int, seed: int, amount: int) -> Iterator[Code]:
    """Yield random codes, small ones first.

    Args:
        count: Number of variables.
        seed: Seed.
        amount: How many.

    Yields:
        Codes over GF(2) and GF(3).
    """
    generator = np.random.default_rng(seed)
    for number in range(amount):
        field = 3 if number % 4 == 3 else 2
        size = 2 + number % 3
        seen = []
        for _ in range(count):
            amount_seen = int(generator.choice([0, 1, 2], p=[0.2, 0.6, 0.2]))
            seen.append(tuple(tuple(generator.integers(0, field, size).tolist()) for _ in range(amount_seen)))
        yield Code(field, tuple(seen))


def obeys(code: Code, rows: Iterable[tuple[Row, bool]]) -> bool:
    """Return whether a code obeys facts without constants, exactly.

    Args:
        code: The code.
        rows: Rows, each with whether it has to vanish or to be at least zero.

    Returns:
        Whether all are obeyed.
    """
    values = ((code.value(row), equality) for row, equality in rows)
    return all(value == 0 if equality else value >= 0 for value, equality in values)

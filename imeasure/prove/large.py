"""Numbers too large or too small for floats: a change of the unit of entropy and of facts brings them near one.

The cone of polymatroids is its own multiple, so ``h = u h'`` turns a constant c into c/u and changes nothing else; a
proof in the new unit is one in the old after its multipliers are scaled back, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import ONE, Number, Row, exact, magnitude
from imeasure.certificate.steps import Combination

LARGEST = 10**100
"""Coefficients and constants beyond, or below its inverse, are brought near one first."""


def is_extreme(problem: Problem, wanted: Iterable[Row]) -> bool:
    """Return whether a coefficient or constant is too large or too small to be searched with in floats.

    Args:
        problem: The problem.
        wanted: The rows that have to be at least zero.

    Returns:
        Whether one is.

    Example:
        >>> from imeasure.certificate.problem import read_problem
        >>> is_extreme(read_problem("H[X] >= 0", given="H[X] >= 1e400"), [{1: 1}])
        True
    """
    rows = (*wanted, *(fact.row for fact in problem.facts))
    return any(_is_far(value) for row in rows for value in row.values())


def _is_far(value: Number) -> bool:
    if isinstance(value, int):
        return not -LARGEST <= value <= LARGEST
    top, bottom = abs(value.numerator), value.denominator
    return top > LARGEST * bottom or bottom > LARGEST * top


@dataclass(frozen=True)
class Rescaled:
    """A problem in a new unit.

    Attributes:
        problem: The problem whose facts are rescaled.
        unit: The unit of entropy.
        factors: What each fact was multiplied by beside.
    """

    problem: Problem
    unit: Fraction
    factors: tuple[Fraction, ...]

    def row(self, row: Row) -> Row:
        """Return a row in the new unit."""
        return {column: Fraction(value) / self.unit if column == ONE else value for column, value in row.items()}

    def proof(self, found: Combination) -> Combination:
        """Return a proof in the old unit.

        Args:
            found: The proof in the new one.

        Returns:
            The proof of the same row.
        """
        scales = {key: self.factors[key[1]] if key[0] == "fact" else 1 for key in found}
        scales[("one",)] = self.unit
        return {key: exact(Fraction(value) * scales[key]) for key, value in found.items()}


def rescale(problem: Problem, wanted: Iterable[Row]) -> Rescaled:
    """Return a problem in the unit in which the largest constant is as large as what stands beside it.

    Args:
        problem: The problem.
        wanted: The rows that have to be at least zero.

    Returns:
        The problem in that unit.

    Example:
        >>> from imeasure.certificate.problem import read_problem
        >>> found = rescale(read_problem("H[X] >= 0", given="H[X] >= 1e400"), [{1: 1}])
        >>> found.unit == 10**400, [{k: int(v) for k, v in fact.row.items()} for fact in found.problem.facts]
        (True, [{1: 1, 0: -1}])
    """
    ratios = [
        Fraction(magnitude(row[ONE])) / max(Fraction(magnitude(v)) for column, v in row.items() if column != ONE)
        for row in (*wanted, *(fact.row for fact in problem.facts))
        if ONE in row and len(row) > 1
    ]
    plain = Rescaled(problem, max(ratios, default=Fraction(1)), ())
    rows = [plain.row(fact.row) for fact in problem.facts]
    factors = tuple(1 / max((Fraction(magnitude(v)) for v in row.values()), default=Fraction(1)) for row in rows)
    facts = tuple(
        replace(fact, row={column: exact(Fraction(value) * factor) for column, value in row.items()})
        for fact, row, factor in zip(problem.facts, rows, factors, strict=True)
    )
    return Rescaled(replace(problem, facts=facts, cache={}), plain.unit, factors)

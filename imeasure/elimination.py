"""Exact linear algebra over atoms: equations in echelon form, and what they leave of an expression.

python-flint does the elimination over the rationals; it is tens of times faster here than sympy's matrices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import flint
import sympy

from imeasure.errors import ModelError
from imeasure.measure import EntropyForm, atom, atom_coefficients
from imeasure.quantities import Functional

Column = int | Functional | None
"""A coordinate: an atom's bitmask, a functional, or None for the constant."""

Rows = dict[Column, tuple[tuple[Column, Fraction], ...]]
"""For each eliminated column the rest of its row."""


def columns_of(form: EntropyForm) -> dict[Column, Any]:
    """Return the coordinates of a form: coefficients by atom, functional, and None for the constant.

    Args:
        form: An entropy form.

    Returns:
        The coordinates, zeros left out.
    """
    dense = atom_coefficients(form)
    columns: dict[Column, Any] = {mask: value for mask, value in enumerate(dense) if mask and value != 0}
    columns.update(form.functionals)
    if form.constant != 0:
        columns[None] = form.constant
    return columns


def column_quantity(column: Column, names: tuple[str, ...]) -> sympy.Expr:
    """Return the quantity that a column stands for.

    Args:
        column: A column.
        names: The variables.

    Returns:
        An atom, a functional, or 1.
    """
    if column is None:
        return sympy.S.One
    return atom(column, names) if isinstance(column, int) else column


def eliminate(equations: Iterable[tuple[str, EntropyForm]], count: int) -> Rows:
    """Return the reduced echelon form of equations: for each eliminated column, the rest of its row.

    Functionals are eliminated first, then atoms inside many variables, so that what remains is what people can read.

    Args:
        equations: Name and form of each expression that is zero, with rational coefficients.
        count: Number of variables.

    Returns:
        For each pivot p the pairs (column c, a) of ``p + sum of a c = 0``; pivots occur in no other row.

    Raises:
        ModelError: If a coefficient is not rational, or the equations contradict each other.
    """
    unique: dict[tuple[tuple[Column, Any], ...], str] = {}
    for name, form in equations:
        if form.domain is not None:
            raise ModelError(f"'{name}' has a parameter as coefficient; a model's equations have rational ones")
        unique.setdefault(tuple(columns_of(form).items()), name)
    rows = [dict(row) for row in unique if row]
    if not rows:
        return {}
    functionals = {column for row in rows for column in row if isinstance(column, Functional)}
    columns: list[Column] = sorted(functionals, key=str)
    atoms = sorted(range(1, 1 << count), key=_atom_order)
    columns = [*columns, *atoms, None]
    matrix = flint.fmpq_mat(len(rows), len(columns), [_flint(row.get(column, 0)) for row in rows for column in columns])
    echelon, rank = matrix.rref()
    result: Rows = {}
    for i in range(rank):
        entries = [
            (column, Fraction(int(echelon[i, j].p), int(echelon[i, j].q)))
            for j, column in enumerate(columns)
            if echelon[i, j] != 0
        ]
        pivot = entries[0][0]
        if pivot is None:
            raise ModelError(f"the facts contradict each other: {', '.join(dict.fromkeys(unique.values()))}")
        result[pivot] = tuple(entries[1:])
    return result


def _flint(value: Any) -> Any:
    exact = Fraction(value)
    return flint.fmpq(exact.numerator, exact.denominator)


def _atom_order(mask: int) -> tuple[int, int]:
    return -mask.bit_count(), mask


def substitute(values: dict[Column, Any], rows: Rows) -> dict[Column, Any]:
    """Return coordinates with the eliminated columns replaced.

    Args:
        values: Coordinates of an expression.
        rows: Equations in echelon form.

    Returns:
        Coordinates without a pivot, zeros left out.
    """
    result = dict(values)
    for pivot in [column for column in values if column in rows]:
        value = result.pop(pivot)
        for column, entry in rows[pivot]:
            change = times(value, entry)
            total = result[column] - change if column in result else -change
            if total == 0:
                result.pop(column, None)
            else:
                result[column] = total
    return result


def times(value: Any, factor: Fraction) -> Any:
    """Return an exact coefficient times a rational.

    Args:
        value: A rational, or an element of a field of fractions.
        factor: A rational.

    Returns:
        The product, of the coefficient's own kind.
    """
    if isinstance(value, int | Fraction):
        return value * factor
    if factor.denominator != 1:
        return value * factor.numerator / factor.denominator
    return value if factor == 1 else -value if factor == -1 else value * factor.numerator


class Span:
    """The rational span of vectors, grown one at a time."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, dict[Any, Fraction]]] = []

    @property
    def rank(self) -> int:
        """Its dimension."""
        return len(self._rows)

    def add(self, vector: Mapping[Any, Fraction]) -> bool:
        """Add a vector; return whether the span grew."""
        row = self.rest(vector)
        if not row:
            return False
        pivot, entry = next(iter(row.items()))
        self._rows.append((pivot, _divided(row, entry)))
        return True

    def rest(self, vector: Mapping[Any, Fraction]) -> dict[Any, Fraction]:
        """Return what is left of a vector modulo the span, the same for all vectors that differ by one of its own."""
        row = dict(vector)
        for pivot, other in self._rows:
            factor = row.get(pivot)
            if factor:
                _subtract(row, other, factor)
        return row


class Basis:
    """Vectors prepared for writing many targets as their combinations.

    Args:
        vectors: Vectors with rational coordinates; one that depends on those before it gets the coefficient 0.
    """

    def __init__(self, vectors: Sequence[Mapping[Any, Fraction]]) -> None:
        self.count = len(vectors)
        self._pivots: list[tuple[Any, dict[Any, Fraction], dict[int, Fraction]]] = []
        for number, vector in enumerate(vectors):
            row, made_of = dict(vector), {number: Fraction(1)}
            for pivot, other, other_made_of in self._pivots:
                factor = row.get(pivot, Fraction(0))
                if factor:
                    _subtract(row, other, factor)
                    _subtract(made_of, other_made_of, factor)
            if row:
                pivot, entry = next(iter(row.items()))
                self._pivots.append((pivot, _divided(row, entry), _divided(made_of, entry)))

    def coefficients(self, target: Mapping[Any, Any]) -> list[Any] | None:
        """Return the coefficients that make a target, or None if there are none; see :func:`combination`."""
        rest: dict[Any, Any] = dict(target)
        result: list[Any] = [Fraction(0)] * self.count
        for pivot, row, made_of in self._pivots:
            value = rest.get(pivot, 0)
            if value == 0:
                continue
            for column, entry in row.items():
                change = times(value, entry)
                rest[column] = rest[column] - change if column in rest else -change
            for number, entry in made_of.items():
                share = times(value, entry)
                result[number] = result[number] + share if result[number] else share
        return None if any(value != 0 for value in rest.values()) else result


def combination(target: Mapping[Any, Any], basis: Sequence[Mapping[Any, Fraction]]) -> list[Any] | None:
    """Return the coefficients that make a target out of vectors, or None if there are none.

    Args:
        target: Coordinates in any exact field that rationals act on.
        basis: Vectors with rational coordinates; a vector that depends on those before it gets the coefficient 0.

    Returns:
        One coefficient a vector, or None.

    Example:
        >>> combination({"x": 3, "y": 1}, [{"x": Fraction(1)}, {"x": Fraction(1), "y": Fraction(1)}])
        [Fraction(2, 1), Fraction(1, 1)]
    """
    return Basis(basis).coefficients(target)


def _divided(row: Mapping[Any, Fraction], entry: Fraction | int) -> dict[Any, Fraction]:
    # Python divides integers into floats, so they become fractions first.
    divisor = Fraction(entry) if isinstance(entry, int) else entry
    return {column: value / divisor for column, value in row.items()}


def _subtract(row: dict[Any, Fraction], other: Mapping[Any, Fraction], factor: Fraction) -> None:
    for column, entry in other.items():
        total = row.get(column, Fraction(0)) - factor * entry
        if total:
            row[column] = total
        else:
            row.pop(column, None)

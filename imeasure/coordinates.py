"""Coordinates of expressions modulo a model's equations.

Every quantity is a rational vector over atoms, functionals and the constant; an expression is the sum of the vectors of
its quantities, each times an exact coefficient.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from imeasure.elimination import Column, Rows, substitute, times
from imeasure.measure import mask_of
from imeasure.quantities import Functional, Information
from imeasure.shannon import subsets
from imeasure.terms import Terms


class Space:
    """Expressions over some variables modulo equations: equal ones, and only those, have the same coordinates.

    Args:
        names: The variables.
        rows: The equations in echelon form.
        homogeneous: Whether numbers count as zero.

    Example:
        >>> from imeasure.parser import parse
        >>> from imeasure.terms import exact_terms
        >>> Space(("X", "Y"), {}).coordinates(exact_terms(parse("beta*I[X;Y]")))
        {3: beta}
    """

    def __init__(self, names: tuple[str, ...], rows: Rows, *, homogeneous: bool = False) -> None:
        self.names, self.rows, self.homogeneous = names, rows, homogeneous
        self._index = {name: i for i, name in enumerate(names)}

    def coordinates(self, terms: Terms) -> dict[Column, Any]:
        """Return the coordinates of a sum of quantities.

        Args:
            terms: The sum.

        Returns:
            Coefficients of atoms (bitmask), functionals and the constant (None); zeros left out.

        Raises:
            UnknownVariableError: If a variable is not among the names.
        """
        weights = list(terms.values.values())
        shares: dict[Column, list[tuple[int, Fraction]]] = {}
        for number, quantity in enumerate(terms.values):
            for column, entry in _vector(self, quantity):
                shares.setdefault(column, []).append((number, entry))
        # Many columns have the same shares, and sums of rational functions are slow.
        sums: dict[tuple[tuple[int, Fraction], ...], Any] = {}
        result: dict[Column, Any] = {}
        for column, share in shares.items():
            key = tuple(share)
            if key not in sums:
                first, *rest = (times(weights[number], entry) for number, entry in share)
                sums[key] = sum(rest, first)
            if sums[key] != 0:
                result[column] = sums[key]
        return result

    def _columns(self, quantity: sympy.Expr | None) -> dict[Column, Any]:
        if quantity is None:
            return {} if self.homogeneous else {None: Fraction(1)}
        if isinstance(quantity, Information):
            return dict.fromkeys(self._atoms(quantity.groups, quantity.given), Fraction(1))
        variables, given = quantity.variables, quantity.given
        mask_of((*variables, *given), self._index)
        if quantity.name != "CE":
            return {quantity: Fraction(1)}
        kl: Column = Functional("KL", variables, given)
        return dict.fromkeys([*self._atoms([variables], given), kl], Fraction(1))

    def _atoms(self, groups: Iterable[Iterable[Any]], given: Iterable[Any]) -> Iterator[int]:
        """Yield the atoms of a quantity: those that meet every group and avoid the condition."""
        masks, outside = [mask_of(group, self._index) for group in groups], mask_of(given, self._index)
        for inside in subsets((1 << len(self.names)) - 1 & ~outside):
            if all(inside & mask for mask in masks):
                yield inside


@lru_cache(maxsize=1024)
def _vector(space: Space, quantity: sympy.Expr | None) -> tuple[tuple[Column, Fraction], ...]:
    return tuple(substitute(space._columns(quantity), space.rows).items())

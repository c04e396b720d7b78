"""Expressions modulo the model's equations, and modulo its constants too where only the minimiser matters.

Every quantity is a rational vector there; the searches for regularizers and for short expressions compare vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import sympy

from imeasure.derivation import constant_generators
from imeasure.elimination import Column, Rows, columns_of, eliminate, substitute
from imeasure.measure import EntropyForm, entropy_form, joint_entropies, members
from imeasure.model import Model
from imeasure.printing import quantity_key
from imeasure.quantities import Information
from imeasure.shannon import subsets

Vector = Mapping[Column, Fraction]


@dataclass(frozen=True)
class Candidate:
    """A quantity that may serve as regularizer.

    Attributes:
        quantity: The simplest quantity of its class.
        vector: Its coordinates.
        beyond: For which single variables some quantity of the class is conditioned on them.
    """

    quantity: Information
    vector: Vector
    beyond: frozenset[str]


@dataclass(frozen=True)
class Quotient:
    """Coordinates modulo equations, and modulo constants if asked for.

    Attributes:
        names: The variables.
        rows: The equations and constants in echelon form.
        homogeneous: Whether constants, numbers among them, count as zero.
    """

    names: tuple[str, ...]
    rows: Rows
    homogeneous: bool

    def coordinates(self, expression: sympy.Expr) -> tuple[dict[Column, Any], EntropyForm]:
        """Return an expression's coordinates, and the form that its coefficients refer to."""
        form = entropy_form(expression, self.names)
        columns = columns_of(form)
        if self.homogeneous:
            columns.pop(None, None)
        return substitute(columns, self.rows), form

    @cached_property
    def _joint(self) -> list[dict[Column, Fraction]]:
        forms = (EntropyForm(self.names, {mask: Fraction(1)}, {}, 0) for mask in range(1, 1 << len(self.names)))
        return [{}, *(substitute(columns_of(form), self.rows) for form in forms)]

    def vector(self, quantity: Information) -> dict[Column, Fraction]:
        """Return a quantity's coordinates."""
        index = {name: i for i, name in enumerate(self.names)}
        total: dict[Column, Fraction] = {}
        for mask, sign in joint_entropies(quantity, index).items():
            for column, value in self._joint[mask].items():
                total[column] = total.get(column, Fraction(0)) + sign * value
        return {column: value for column, value in total.items() if value}

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The classes of equal quantities that are not constant, the simplest first."""
        classes: dict[frozenset[tuple[Column, Fraction]], list[Information]] = {}
        for quantity in sorted(quantities(self.names, 2), key=simplicity):
            vector = self.vector(quantity)
            if vector:
                classes.setdefault(frozenset(vector.items()), []).append(quantity)
        return tuple(
            Candidate(equal[0], dict(key), frozenset(v.name for quantity in equal for v in quantity.given))
            for key, equal in classes.items()
        )


def simplicity(quantity: Information) -> tuple[Any, ...]:
    """Return a sort key: few variables, few groups, small groups, then names.

    Args:
        quantity: A quantity.

    Returns:
        The key.

    Example:
        >>> from imeasure import parse
        >>> sorted(parse("I[X;Z|Y] + H[Y,Z] + H[Z|Y] + H[Z]").args, key=simplicity)
        [H[Z], H[Z|Y], H[Y,Z], I[X;Z|Y]]
    """
    size = sum(map(len, quantity.groups))
    return (size + len(quantity.given), len(quantity.groups), size, quantity_key(quantity))


def quantities(names: tuple[str, ...], most_groups: int) -> Iterator[Information]:
    """Yield every quantity over some variables, each once.

    Args:
        names: The variables.
        most_groups: Most groups that a quantity may have.

    Yields:
        Quantities whose groups are disjoint.

    Example:
        >>> sorted(map(str, quantities(("X", "Y"), 2)))
        ['H[X,Y]', 'H[X]', 'H[X|Y]', 'H[Y]', 'H[Y|X]', 'I[X;Y]']
    """
    everything = (1 << len(names)) - 1
    for given in range(everything):
        for union in subsets(everything ^ given):
            if union:
                for blocks in _partitions(union, most_groups):
                    yield Information([members(block, names) for block in blocks], members(given, names))


def _partitions(mask: int, most: int) -> Iterator[list[int]]:
    low = mask & -mask
    for extra in subsets(mask ^ low):
        block = low | extra
        if block == mask:
            yield [mask]
        elif most > 1:
            for rest in _partitions(mask ^ block, most - 1):
                yield [block, *rest]


@lru_cache(maxsize=64)
def quotient(model: Model, names: tuple[str, ...], *, homogeneous: bool) -> Quotient:
    """Return the space of expressions modulo a model's equations.

    Args:
        model: The model.
        names: The variables, at least the model's.
        homogeneous: Whether what the model makes constant counts as zero.

    Returns:
        The quotient.

    Raises:
        ModelError: If there are too many variables, or the model contradicts itself.
    """
    equations = model.equations(names)
    if not homogeneous:
        return Quotient(names, eliminate(equations, len(names)), homogeneous)
    constants = ((str(generator), entropy_form(generator, names)) for generator in constant_generators(model))
    rows = [
        (name, EntropyForm(form.names, form.terms, form.functionals, 0, form.domain))
        for name, form in (*equations, *constants)
    ]
    return Quotient(names, eliminate(rows, len(names)), homogeneous)

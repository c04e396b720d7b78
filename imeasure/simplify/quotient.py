"""Expressions modulo the model's equations and constants: the space in which two objectives have the same minimiser.

Every quantity of one or two groups is a rational vector there; the search for regularizers compares vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """Coordinates modulo equations and constants.

    Attributes:
        names: The variables.
        rows: The equations and constants in echelon form.
    """

    names: tuple[str, ...]
    rows: Rows

    def coordinates(self, expression: sympy.Expr) -> tuple[dict[Column, Any], EntropyForm]:
        """Return an expression's coordinates without the constant, and the form that its coefficients refer to."""
        form = entropy_form(expression, self.names)
        homogeneous: dict[Column, Any] = {
            column: value for column, value in columns_of(form).items() if column is not None
        }
        return substitute(homogeneous, self.rows), form

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
        for quantity in sorted(_quantities(self.names), key=simplicity):
            vector = self.vector(quantity)
            if vector:
                classes.setdefault(frozenset(vector.items()), []).append(quantity)
        return tuple(
            Candidate(members[0], dict(key), frozenset(v.name for quantity in members for v in quantity.given))
            for key, members in classes.items()
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


def _quantities(names: tuple[str, ...]) -> list[Information]:
    everything = (1 << len(names)) - 1
    found = []
    for given in range(everything):
        for union in subsets(everything ^ given):
            for left in subsets(union):
                right = union ^ left
                if left and (right == 0 or left < right):
                    groups = [members(left, names)] + ([members(right, names)] if right else [])
                    found.append(Information(groups, members(given, names)))
    return found


@lru_cache(maxsize=64)
def quotient(model: Model, names: tuple[str, ...]) -> Quotient:
    """Return the space of expressions modulo a model's equations and constants.

    Args:
        model: The model.
        names: The variables, at least the model's.

    Returns:
        The quotient.

    Raises:
        ModelError: If there are too many variables, or the model contradicts itself.
    """
    constants = ((str(generator), entropy_form(generator, names)) for generator in constant_generators(model))
    homogeneous = [
        (name, EntropyForm(form.names, form.terms, form.functionals, 0, form.domain))
        for name, form in (*model.equations(names), *constants)
    ]
    return Quotient(names, eliminate(homogeneous, len(names)))

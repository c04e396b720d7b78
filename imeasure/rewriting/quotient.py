"""Expressions modulo the model's equations, and modulo its constants too where only the minimiser matters.

Every quantity is a rational vector there; the searches for regularizers and for short expressions compare vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache, reduce
from math import lcm
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from imeasure.constants import constant_generators
from imeasure.coordinates import Space
from imeasure.elimination import Column, Rows, columns_of, eliminate, substitute
from imeasure.measure import EntropyForm, entropy_form, members
from imeasure.model import Model
from imeasure.quantities import Information
from imeasure.rewriting.shapes import shape_quantity, shape_rows, shapes
from imeasure.terms import Terms, as_expression, exact_terms

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

    def coordinates(self, expression: sympy.Expr) -> tuple[dict[Column, Any], Terms]:
        """Return an expression's coordinates, and the terms whose coefficients they are sums of."""
        terms = exact_terms(as_expression(expression))
        return self._space.coordinates(terms), terms

    @cached_property
    def _space(self) -> Space:
        return Space(self.names, self.rows, homogeneous=self.homogeneous)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The classes of equal quantities that are not constant, the simplest first."""
        offered = shapes(len(self.names), 2)
        columns, scale, joint = self._joint()
        classes: dict[bytes, list[int]] = {}
        rows = shape_rows(offered, joint)
        for i in np.flatnonzero(rows.any(axis=1)).tolist():
            classes.setdefault(rows[i].tobytes(), []).append(i)
        found = []
        for equal in classes.values():
            row = rows[equal[0]]
            vector = {columns[j]: Fraction(int(row[j]), scale) for j in np.flatnonzero(row).tolist()}
            beyond = reduce(or_, (offered[i][0] for i in equal))
            found.append(
                Candidate(shape_quantity(offered[equal[0]], self.names), vector, frozenset(members(beyond, self.names)))
            )
        return tuple(found)

    def _joint(self) -> tuple[list[Column], int, npt.NDArray[np.int64]]:
        """Return columns, and the coordinates of all joint entropies in them as integers over one denominator."""
        forms = (EntropyForm(self.names, {mask: Fraction(1)}, {}, 0) for mask in range(1, 1 << len(self.names)))
        vectors = [{}, *(substitute(columns_of(form), self.rows) for form in forms)]
        columns = list(dict.fromkeys(column for vector in vectors for column in vector))
        scale = lcm(*(Fraction(value).denominator for vector in vectors for value in vector.values()))
        index = {column: j for j, column in enumerate(columns)}
        joint = np.zeros((len(vectors), len(columns)), dtype=np.int64)
        for row, vector in zip(joint, vectors, strict=True):
            for column, value in vector.items():
                row[index[column]] = int(value * scale)
        return columns, scale, joint


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
    model.coordinates(sympy.S.Zero, names)  # refuses too many variables before their equations are listed
    equations = model.equations(names)
    if not homogeneous:
        return Quotient(names, eliminate(equations, len(names)), homogeneous)
    constants = ((str(generator), entropy_form(generator, names)) for generator in constant_generators(model))
    rows = [
        (name, EntropyForm(form.names, form.terms, form.functionals, 0, form.domain))
        for name, form in (*equations, *constants)
    ]
    return Quotient(names, eliminate(rows, len(names)), homogeneous)

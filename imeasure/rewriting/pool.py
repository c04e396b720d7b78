"""Every quantity over some variables as an integer vector, for searches that compare thousands of them.

Under a model's equations some joint entropies are combinations of others. The vectors are taken with respect to the
first independent ones, smallest sets first, so that without facts a quantity is its own few joint entropies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import lcm
from typing import Any

import flint
import numpy as np
import numpy.typing as npt
import sympy

from imeasure.elimination import Column, columns_of, substitute, times
from imeasure.measure import EntropyForm, entropy_form
from imeasure.model import Model
from imeasure.printing import quantity_key
from imeasure.quantities import Functional, Information
from imeasure.rewriting.pursuit import direction, pursue
from imeasure.rewriting.quotient import quotient
from imeasure.rewriting.shapes import Shape, shape_key, shape_quantity, shape_rows, shapes

Vector = Mapping[Column, Fraction]


@dataclass(frozen=True, eq=False)
class Pool:
    """The classes of quantities that a model makes equal, the simplest of each, simplest first.

    Attributes:
        names: The variables.
        basis: The joint entropies (bitmasks), functionals and the constant (None) that the vectors refer to.
        expressed: Coordinates of each joint entropy, functional and the constant.
        matrix: Coordinates of the quantities, one row each, scaled to integers without a common divisor.
        factors: What each row is to be multiplied by.
        sizes: How many variables each quantity mentions.
        shared: Which quantities have several groups.
        members: The quantities: shapes, functionals and 1.
    """

    names: tuple[str, ...]
    basis: tuple[Column, ...]
    expressed: Mapping[Column, Vector]
    matrix: npt.NDArray[np.int64]
    factors: tuple[Fraction, ...]
    sizes: npt.NDArray[np.int64]
    shared: npt.NDArray[np.bool_]
    members: tuple[Shape | sympy.Expr, ...]

    def quantity(self, i: int) -> sympy.Expr:
        """Return a quantity of the pool."""
        member = self.members[i]
        if isinstance(member, tuple):
            return shape_quantity(member, self.names)
        return member

    def vector(self, i: int) -> dict[Column, Fraction]:
        """Return a quantity's coordinates."""
        row, factor = self.matrix[i], self.factors[i]
        return {self.basis[j]: factor * int(row[j]) for j in np.flatnonzero(row)}

    @cached_property
    def single(self) -> dict[bytes, int]:
        """The number of the simplest quantity of each direction."""
        return {direction(row): i for i, row in reversed(list(enumerate(self.matrix)))}

    @cached_property
    def longest(self) -> int:
        """The largest sum of the absolute entries of a row."""
        return int(np.abs(self.matrix).sum(axis=1).max(initial=1))

    def chain(self, row: npt.NDArray[np.int64]) -> list[int]:
        """Return quantities whose span contains an integer vector, few of them where a beam search finds few."""
        return pursue(self.matrix, self.sizes, self.shared, row, self.single) if row.any() else []

    def coordinates(self, form: EntropyForm) -> dict[Column, Any]:
        """Return the exact coordinates of an expression."""
        total: dict[Column, Any] = {}
        entries: list[tuple[Column, Any]] = [*form.terms.items(), *form.functionals.items()]
        if form.constant != 0:
            entries.append((None, form.constant))
        for key, value in entries:
            for column, entry in self.expressed[key].items():
                total[column] = total.get(column, 0) + times(value, entry)
        return {column: value for column, value in total.items() if value != 0}


@lru_cache(maxsize=16)
def pool(model: Model, names: tuple[str, ...], functionals: tuple[Functional, ...] = ()) -> Pool:
    """Return the quantities over some variables under a model.

    Args:
        model: The model.
        names: The variables, at least the model's.
        functionals: Functionals that may occur beside them.

    Returns:
        The pool; quantities that the model makes zero are left out.

    Raises:
        ModelError: If there are too many variables, or the model contradicts itself.

    Example:
        >>> found = pool(Model("Y -> X -> Z"), ("X", "Y", "Z"))
        >>> [str(found.quantity(i)) for i in range(5)]
        ['1', 'H[X]', 'H[Y]', 'H[Z]', 'H[X|Y]']
    """
    basis, expressed = _joint_basis(model, names, functionals)
    offered = shapes(len(names), len(names))
    index = {column: j for j, column in enumerate(basis)}
    scale = lcm(*(value.denominator for vector in expressed.values() for value in vector.values()))
    joint = np.zeros((1 << len(names), len(basis)), dtype=np.int64)
    extra: list[sympy.Expr] = [sympy.S.One, *functionals]
    rest = np.zeros((len(extra), len(basis)), dtype=np.int64)
    for key, vector in expressed.items():
        row = joint[key] if isinstance(key, int) else rest[extra.index(sympy.S.One if key is None else key)]
        for column, value in vector.items():
            row[index[column]] = int(value * scale)
    twins = [
        (Functional("CE", f.variables, f.given), Information([f.variables], f.given))
        for f in functionals
        if f.name == "KL"
    ]
    matrix = shape_rows(offered, joint)
    keys = [shape_key(shape) for shape in offered]
    listed: list[Shape | sympy.Expr] = [*offered, *extra]
    matrix = np.concatenate([matrix, rest])
    keys += [(0,), *(_functional_key(f) for f in functionals)]
    for functional, entropy in twins:
        kl = rest[extra.index(Functional("KL", functional.variables, functional.given))]
        masks = entropy_form(entropy, names).terms
        matrix = np.concatenate([matrix, [kl + sum(int(sign) * joint[mask] for mask, sign in masks.items())]])
        listed.append(functional)
        keys.append(_functional_key(functional))
    order = sorted(range(len(listed)), key=keys.__getitem__)
    first: dict[bytes, int] = {}
    for i in order:
        if matrix[i].any():
            first.setdefault(matrix[i].tobytes(), i)
    chosen = list(first.values())
    sizes = np.array([keys[i][0] for i in chosen], dtype=np.int64)
    shared = np.array([len(keys[i]) > 1 and keys[i][1] > 1 for i in chosen], dtype=np.bool_)
    divisors = np.gcd.reduce(matrix[chosen], axis=1)
    factors = tuple(Fraction(int(divisor), scale) for divisor in divisors)
    primitive = matrix[chosen] // divisors[:, None]
    return Pool(names, basis, expressed, primitive, factors, sizes, shared, tuple(listed[i] for i in chosen))


def _joint_basis(
    model: Model, names: tuple[str, ...], functionals: Sequence[Functional]
) -> tuple[tuple[Column, ...], dict[Column, Vector]]:
    space = quotient(model, names, homogeneous=False)
    masks = sorted(range(1, 1 << len(names)), key=lambda mask: (mask.bit_count(), mask))
    keys: list[Column] = [*masks, *functionals, None]
    forms = [EntropyForm(names, {mask: Fraction(1)}, {}, 0) for mask in masks]
    forms += [EntropyForm(names, {}, {functional: Fraction(1)}, 0) for functional in functionals]
    forms.append(EntropyForm(names, {}, {}, Fraction(1)))
    vectors = [substitute(columns_of(form), space.rows) for form in forms]
    columns = list(dict.fromkeys(column for vector in vectors for column in vector))
    entries = [vector.get(column, Fraction(0)) for column in columns for vector in vectors]
    exact = [flint.fmpq(Fraction(e).numerator, Fraction(e).denominator) for e in entries]
    echelon, rank = flint.fmpq_mat(len(columns), len(keys), exact).rref()
    rows = [[Fraction(int(e.p), int(e.q)) for e in echelon.table()[i]] for i in range(rank)]
    pivots = [keys[next(j for j, value in enumerate(row) if value)] for row in rows]
    expressed: dict[Column, Vector] = {
        key: {pivot: row[j] for pivot, row in zip(pivots, rows, strict=True) if row[j]} for j, key in enumerate(keys)
    }
    return tuple(pivots), expressed


def _functional_key(functional: Functional) -> tuple[Any, ...]:
    size = len(functional.variables)
    return (size + len(functional.given), 1, size, quantity_key(functional))

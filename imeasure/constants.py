"""What a model makes zero, by its equations, and what constant: measures of data alone, fixed quantities, numbers.

All are vectors over atoms modulo the model's equations, so what is constant is a subspace with an exact basis.
"""

from __future__ import annotations

from functools import lru_cache

import sympy

from imeasure.elimination import Basis, columns_of
from imeasure.model import Model
from imeasure.quantities import Information
from imeasure.shannon import subsets
from imeasure.terms import variables_of


@lru_cache(maxsize=64)
def constant_generators(model: Model) -> tuple[sympy.Expr, ...]:
    """Return expressions that span what the model makes constant, the simplest first.

    Args:
        model: A model.

    Returns:
        Entropies of fixed variables, the fixed quantities, and 1.

    Example:
        >>> constant_generators(Model("Y -> X -> Z", fixed=("X", "Y")))
        (H[X], H[Y], H[Y|X], 1)
    """
    masks = sorted(subsets((1 << len(model.fixed)) - 1), key=lambda mask: (mask.bit_count(), mask))
    chosen = ([name for i, name in enumerate(model.fixed) if mask >> i & 1] for mask in masks if mask)
    joint = [Information([subset[-1:]], subset[:-1]) for subset in chosen]
    return (*joint, *model.constants, sympy.S.One)


@lru_cache(maxsize=64)
def constant_basis(model: Model, names: tuple[str, ...]) -> Basis:
    """Return :func:`constant_generators` as vectors over some variables.

    Args:
        model: A model.
        names: The variables, at least the model's.

    Returns:
        One vector a generator.
    """
    return Basis([model.coordinates(generator, names)[0] for generator in constant_generators(model)])


def as_constant(expression: sympy.Expr, model: Model) -> sympy.Expr | None:
    """Return an expression in terms of what the model makes constant, or None if it is not constant.

    Args:
        expression: A sympy expression.
        model: The model.

    Returns:
        A combination of :func:`constant_generators`, equal to the expression under the model, or None.

    Example:
        >>> from imeasure import parse
        >>> model = Model("Y -> X -> Z", fixed=("X", "Y"))
        >>> as_constant(parse("H[Y|Z] + I[Y;Z]"), model)
        H[Y]
    """
    names = model.covering(variables_of(expression))
    target, terms = model.coordinates(expression, names)
    coefficients = constant_basis(model, names).coefficients(target)
    if coefficients is None:
        return None
    shares = zip(coefficients, constant_generators(model), strict=True)
    return sympy.Add(*(terms.coefficient(c) * generator for c, generator in shares if c != 0))


def is_constant(expression: sympy.Expr, model: Model) -> bool:
    """Return whether the model makes an expression constant.

    Args:
        expression: A sympy expression.
        model: The model.

    Returns:
        Whether it is a combination of :func:`constant_generators` under the model's equations.
    """
    return as_constant(expression, model) is not None


@lru_cache(maxsize=64)
def facts_of(model: Model, names: tuple[str, ...]) -> tuple[tuple[str, ...], Basis]:
    """Return the names of a model's equations over some variables, and their left sides as vectors over atoms.

    Args:
        model: A model.
        names: The variables, at least the model's.

    Returns:
        One name and one vector an equation.
    """
    facts = model.equations(names)
    return tuple(name for name, _ in facts), Basis([columns_of(form) for _, form in facts])

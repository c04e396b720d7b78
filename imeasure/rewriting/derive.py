"""From an objective and the form found for it to a derivation that people can read.

Quantities are replaced one at a time, the way a paper does it: first by the regularizer and what the objective already
has, then by the loss and constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy

from imeasure.constants import as_constant, constant_generators, facts_of
from imeasure.derivation import (
    BY,
    CHAIN_RULE,
    COLLECT,
    DIVIDE,
    DROP,
    MODEL,
    NEGATE,
    SCALE,
    Derivation,
    Step,
    same_for_any_variables,
)
from imeasure.elimination import Basis
from imeasure.errors import DerivationError
from imeasure.model import Model
from imeasure.printing import to_text
from imeasure.signs import Conditions
from imeasure.statements import Objective
from imeasure.terms import collected, linear_terms, variables_of

_NO_FACTS = Model()


def derive(
    objective: Objective,
    *,
    loss: sympy.Expr,
    regularizer: sympy.Expr,
    expression: sympy.Expr,
    scale: sympy.Expr,
    conditions: Conditions,
    model: Model,
) -> Derivation:
    """Return the derivation of a canonical form.

    Args:
        objective: The objective.
        loss: The loss term.
        regularizer: The regularizer.
        expression: The canonical expression, loss + weight * regularizer.
        scale: The positive factor between the minimised objective and the expression.
        conditions: Where the form holds.
        model: The model.

    Returns:
        The derivation; it is verified by whoever uses it.

    Raises:
        DerivationError: If some quantity cannot be expressed, which means that the form is wrong.
    """
    current = objective.expression
    steps: list[Step] = []
    if objective.sense == "max":
        steps.append(Step(NEGATE, current, -current, "negate"))
        current = -current
    wanted = [*linear_terms(regularizer), *linear_terms(loss)]
    kept: list[sympy.Expr] = []
    while pending := [q for q in linear_terms(current) if q is not None and q not in wanted and q not in kept]:
        quantity = pending[0]
        if as_constant(quantity, model) is not None:
            kept.append(quantity)
            continue
        identity = _express(quantity, [*linear_terms(regularizer), *kept, *pending[1:], *linear_terms(loss)], model)
        if identity is None:
            kept.append(quantity)
            continue
        replaced = collected(current.xreplace({quantity: identity}))
        rule, used = _reason(quantity, identity, model)
        steps.append(Step(rule, current, replaced, "equal", used))
        current = replaced
    target = scale * expression
    constant = as_constant(current - target, model)
    if constant is None:
        raise DerivationError(f"the objective and {to_text(expression)} differ by more than a constant")
    full = collected(target + constant)
    if full != collected(current):
        steps.append(Step(COLLECT, current, full, "equal", ""))
        current = full
    if constant != 0:
        steps.append(Step(DROP, current, collected(target), "drop", to_text(collected(constant))))
        current = collected(target)
    if scale != 1:
        shown = collected(expression) if regularizer.is_Add else expression
        steps.append(Step(SCALE, current, shown, "scale", f"{DIVIDE}{to_text(scale)}", scale))
    return Derivation(objective.expression, tuple(steps), model, conditions)


def _express(quantity: sympy.Expr, terms: Sequence[sympy.Expr], model: Model) -> sympy.Expr | None:
    basis = [*terms, *constant_generators(model)]
    names = model.covering(variables_of(sympy.Add(quantity, *terms)))
    for known in (_NO_FACTS, model):
        target = known.coordinates(quantity, names)[0]
        coefficients = _basis(tuple(basis), names, known).coefficients(target)
        if coefficients is not None:
            return sympy.Add(*(sympy.Rational(c) * term for c, term in zip(coefficients, basis, strict=True)))
    return None


@lru_cache(maxsize=256)
def _basis(terms: tuple[sympy.Expr, ...], names: tuple[str, ...], model: Model) -> Basis:
    return Basis([model.coordinates(term, names)[0] for term in terms])


def _reason(quantity: sympy.Expr, identity: sympy.Expr, model: Model) -> tuple[str, str]:
    statement = f"{quantity} = {to_text(identity)}"
    difference = quantity - identity
    if same_for_any_variables(quantity, identity):
        return CHAIN_RULE, statement
    names = model.covering(variables_of(difference))
    facts, basis = facts_of(model, names)
    coefficients = basis.coefficients(_NO_FACTS.coordinates(difference, names)[0])
    used = dict.fromkeys(name for name, c in zip(facts, coefficients or (), strict=False) if c)
    return MODEL, f"{statement}{BY}{', '.join(used)}"

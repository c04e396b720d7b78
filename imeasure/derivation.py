"""Derivations: how an objective turns into its canonical form, one rule a line, each line checked on its own.

A step either rewrites (the two sides are equal under the model), drops a constant, divides by a positive factor, or
turns a maximum into a minimum. :meth:`Derivation.verify` replays the steps with the model's exact normal form; it knows
nothing of how they were found.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Literal

import sympy

from imeasure.elimination import Basis
from imeasure.errors import DerivationError
from imeasure.measure import entropy_form, variables_of
from imeasure.model import Model
from imeasure.printing import to_latex, to_text
from imeasure.quantities import Information
from imeasure.shannon import subsets
from imeasure.signs import Conditions, holds_everywhere


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Attributes:
        rule: The rule's name, such as ``chain rule``.
        before: The expression before.
        after: The expression after.
        kind: ``equal``, ``drop`` (a constant), ``scale`` (``before = factor * after``, factor positive) or ``negate``.
        used: What the rule used: an identity, a fact, or a factor.
    """

    rule: str
    before: sympy.Expr
    after: sympy.Expr
    kind: Literal["equal", "drop", "scale", "negate"]
    used: str = ""
    factor: sympy.Expr = sympy.S.One


@dataclass(frozen=True)
class Derivation:
    """The steps from an objective's expression to its canonical form.

    Attributes:
        start: The expression of the objective.
        steps: The steps, each beginning where the one before ends.
        model: The model under which they hold.
        conditions: The parameter values for which they hold.
    """

    start: sympy.Expr
    steps: tuple[Step, ...]
    model: Model
    conditions: Conditions

    @property
    def end(self) -> sympy.Expr:
        """The expression that the derivation arrives at."""
        return self.steps[-1].after if self.steps else self.start

    def verify(self) -> bool:
        """Replay every step exactly.

        Returns:
            True.

        Raises:
            DerivationError: Naming the first step that does not hold.
        """
        current = self.start
        for number, step in enumerate(self.steps, 1):
            if sympy.expand(step.before - current) != 0:
                raise DerivationError(f"step {number} ({step.rule}) does not begin where the one before ends")
            reason = self._objection(step)
            if reason:
                raise DerivationError(
                    f"step {number} ({step.rule}) does not hold: {reason}\n    {to_text(step.before)}\n"
                    f"    {to_text(step.after)}"
                )
            current = step.after
        return True

    def _objection(self, step: Step) -> str:
        checks = {"equal": self._unequal, "drop": self._variable, "scale": self._unscaled, "negate": _unopposed}
        check = checks.get(step.kind)
        return check(step) if check else f"unknown kind of step '{step.kind}'"

    def _unequal(self, step: Step) -> str:
        return "" if self.model.reduce(step.before - step.after) == 0 else "the two sides differ under the model"

    def _variable(self, step: Step) -> str:
        return "" if is_constant(step.before - step.after, self.model) else "what is dropped is not constant"

    def _unscaled(self, step: Step) -> str:
        if not entropy_form(step.before - step.factor * step.after).is_zero():
            return "the two sides differ by another factor"
        positive = holds_everywhere(step.factor, self.conditions, self.model)
        return "" if positive else f"the factor {step.factor} is not positive for {self.conditions}"

    def __str__(self) -> str:
        texts = [to_text(step.after) for step in self.steps]
        width = max(map(len, texts), default=0)
        lines = [f"   {to_text(self.start)}"]
        for step, text in zip(self.steps, texts, strict=True):
            note = f"{step.rule}: {step.used}" if step.used else step.rule
            lines.append(f" {'=' if step.kind == 'equal' else '~'} {text:<{width}}   [{note}]")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [f"<tr><td></td><td>${to_latex(self.start)}$</td><td></td></tr>"]
        for step in self.steps:
            sign = "=" if step.kind == "equal" else "≃"
            note = escape(f"{step.rule}: {step.used}" if step.used else step.rule)
            rows.append(f"<tr><td>{sign}</td><td>${to_latex(step.after)}$</td><td>{note}</td></tr>")
        return f"<table>{''.join(rows)}</table>"

    def _repr_latex_(self) -> str:
        lines = [rf"& {to_latex(self.start)}"]
        for step in self.steps:
            sign = "=" if step.kind == "equal" else r"\simeq"
            lines.append(rf"{sign}\;& {to_latex(step.after)} && \text{{({step.rule})}}")
        body = " \\\\\n".join(lines)
        return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _unopposed(step: Step) -> str:
    return "" if entropy_form(step.before + step.after).is_zero() else "the two sides are not opposite"


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
    generators = constant_generators(model)
    names = model.covering(variables_of(expression))
    target, form = model.coordinates(expression, names)
    coefficients = constant_basis(model, names).coefficients(target)
    if coefficients is None:
        return None
    return sympy.Add(*(form.coefficient(c) * generator for c, generator in zip(coefficients, generators, strict=True)))


def is_constant(expression: sympy.Expr, model: Model) -> bool:
    """Return whether the model makes an expression constant.

    Args:
        expression: A sympy expression.
        model: The model.

    Returns:
        Whether it is a combination of :func:`constant_generators` under the model's equations.
    """
    return as_constant(expression, model) is not None


def holds_for_any_variables(identity: sympy.Expr) -> bool:
    """Return whether an expression is zero for all random variables, without any model.

    Args:
        identity: A sympy expression.

    Returns:
        Whether it vanishes in joint entropies.
    """
    return entropy_form(identity).is_zero()

"""From syntax trees to sympy: :func:`parse` reads every statement of the language.

It is the one door for text: models, objectives, facts and command lines pass through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import sympy

from imeasure import syntax
from imeasure.errors import ParseError
from imeasure.quantities import Functional, Information, RandomVariable, param
from imeasure.statements import Constraint, Objective, Relation


def parse(text: str, *, functionals: Iterable[str] = ()) -> sympy.Expr | Relation | Objective | Constraint:
    r"""Read a statement in ASCII, Unicode or LaTeX.

    Args:
        text: An expression, a relation (chains allowed), an objective (``min ...``, ``max ...``), a Markov chain
            (``X,W -> Y -> Z``) or an independence (``X _||_ Y | Z``).
        functionals: Names of functionals beyond ``CE`` and ``KL`` that may occur, such as ``LogVar``.

    Returns:
        A sympy expression, :class:`Relation`, :class:`Objective` or :class:`Constraint`.

    Raises:
        ParseError: If the text is not in the language; the message shows the text with a caret under the spot.

    Example:
        >>> parse("min I[X;Z] - β*I[Y;Z]")
        Objective(sense='min', expression=-beta*I[Y;Z] + I[X;Z])
        >>> parse(r"\mathbb{I}[X; Z] - \beta\,\mathrm{H}[Y \mid Z]")
        -beta*H[Y|Z] + I[X;Z]
        >>> parse("H[X | Y")
        Traceback (most recent call last):
        imeasure.errors.ParseError: '[' is never closed; expected ']'
            H[X | Y
             ^
    """
    statement = _statement(syntax.read(text, functionals))
    expressions = getattr(statement, "expressions", (getattr(statement, "expression", statement),))
    if any(isinstance(e, sympy.Expr) and e.has(sympy.zoo, sympy.nan) for e in expressions):
        zero = (where for node, *where in syntax.divisors(text, functionals) if to_sympy(node) == 0)
        raise ParseError("division by zero", text, *next(zero, (0,)))
    return statement


def _statement(tree: syntax.Statement) -> sympy.Expr | Relation | Objective | Constraint:
    match tree:
        case syntax.RelationTree(expressions, ()):
            return to_sympy(expressions[0])
        case syntax.RelationTree(expressions, operators):
            return Relation(tuple(map(to_sympy, expressions)), operators)
        case syntax.ObjectiveTree(sense, expression):
            return Objective(sense, to_sympy(expression))
        case syntax.ConstraintTree(kind, groups, given):
            variables = tuple(tuple(map(RandomVariable, group)) for group in groups)
            return Constraint(kind, variables, tuple(map(RandomVariable, given)))


def to_sympy(node: syntax.Node) -> sympy.Expr:
    """Return the sympy expression of a syntax tree.

    Args:
        node: A node of :mod:`imeasure.syntax`.

    Returns:
        The expression, structured as written.
    """
    result: Any
    match node:
        case Fraction():
            result = sympy.Rational(node.numerator, node.denominator)
        case syntax.Parameter(name):
            result = param(name)
        case syntax.Quantity("H" | "I", groups, given):
            result = Information(groups, given)
        case syntax.Quantity(name, groups, given):
            result = Functional(name, groups[0], given)
        case syntax.Sum(terms):
            result = sympy.Add(*map(to_sympy, terms))
        case syntax.Product(left, right):
            result = to_sympy(left) * to_sympy(right)
        case syntax.Quotient(left, right):
            result = to_sympy(left) / to_sympy(right)
        case syntax.Power(base, exponent):
            result = to_sympy(base) ** exponent
    return result

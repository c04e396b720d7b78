"""Expressions as sums of quantities with exact coefficients.

Coefficients are rationals, or rational functions of the parameters in sympy's fields of fractions. What is read off an
expression is kept, for a search asks the same of few expressions many times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from sympy.polys.constructor import construct_domain
from sympy.polys.domains import FractionField

from imeasure.errors import NonlinearError
from imeasure.names import natural_key
from imeasure.parser import parse
from imeasure.printing import quantity_key
from imeasure.quantities import Functional, Information, param
from imeasure.statements import Objective

_ANY = sympy.Dummy("parameter", real=True)


@dataclass(frozen=True)
class Terms:
    """A sum of quantities with exact coefficients.

    Attributes:
        values: Coefficient of each quantity, and of None for the constant; zeros left out. Fractions where no parameter
            occurs, otherwise elements of ``domain``.
        domain: sympy's field of fractions of the parameters, or None if there are none.
    """

    values: Mapping[sympy.Expr | None, Any]
    domain: Any = None

    def coefficient(self, value: Any) -> sympy.Expr:
        """Return a coefficient, or a sum of them with rational factors, as a sympy expression."""
        if self.domain is not None and not isinstance(value, int | Fraction):
            return factored(self.domain.to_sympy(value))
        return sympy.Rational(value)


def factored(coefficient: sympy.Expr) -> sympy.Expr:
    """Return a coefficient in factored form; the few that a session meets are kept, whatever the parameter is called.

    Args:
        coefficient: A sympy expression without quantities.

    Returns:
        ``sympy.factor`` of it.

    Example:
        >>> factored(parse("beta^2 - 1"))
        (beta - 1)*(beta + 1)
    """
    symbols = coefficient.free_symbols
    if len(symbols) != 1:
        return _factored(coefficient)
    (symbol,) = symbols
    return _factored(coefficient.xreplace({symbol: _ANY})).xreplace({_ANY: symbol})


@lru_cache(maxsize=4096)
def _factored(coefficient: sympy.Expr) -> sympy.Expr:
    return sympy.factor(coefficient)


def as_expression(expression: sympy.Expr | str) -> sympy.Expr:
    """Return an expression given as sympy object or as text.

    Args:
        expression: A sympy expression, a number, or text.

    Returns:
        The sympy expression.

    Raises:
        ParseError: If the text is not in the language.
        NonlinearError: If it is a relation, an objective or a constraint instead.

    Example:
        >>> as_expression("H[X|Y]")
        H[X|Y]
    """
    result = parse(expression) if isinstance(expression, str) else expression
    if isinstance(result, int | float | Fraction):
        try:
            result = sympy.Rational(str(result))
        except (TypeError, ValueError):
            raise NonlinearError(f"{result} is no number that a coefficient can be") from None
    if not isinstance(result, sympy.Expr):
        raise NonlinearError(f"expected an expression of quantities such as H[Y|Z], not '{result}'")
    return _with_real_parameters(result)


@lru_cache(maxsize=4096, typed=True)
def _with_real_parameters(result: sympy.Expr) -> sympy.Expr:
    if result.has(sympy.zoo, sympy.nan):
        raise NonlinearError("a coefficient divides by zero: parameters cancel in a divisor")
    if result.has(sympy.oo, -sympy.oo, sympy.I):
        raise NonlinearError(f"'{result}' has a coefficient that is no real number")
    named = (s for s in result.free_symbols if s.name.isidentifier() and not isinstance(s, sympy.Dummy))
    parameters = {symbol: param(symbol.name) for symbol in named}
    return result.xreplace(parameters | {number: _decimal(number) for number in result.atoms(sympy.Float)})


def _decimal(number: sympy.Float) -> sympy.Rational:
    """Return the shortest decimal that a float is read from; one of more than double precision as it is printed."""
    return sympy.Rational(repr(float(number)) if number._prec <= 53 else str(number))


def as_objective(objective: Objective) -> Objective:
    """Return an objective whose parameters and numbers are those that its text would have.

    Args:
        objective: An objective, perhaps put together from sympy's objects.

    Returns:
        The objective with real parameters and rational numbers.

    Raises:
        NonlinearError: If a coefficient is no rational function of parameters.

    Example:
        >>> print(as_objective(Objective("min", parse("H[X]") * 0.1)))
        min H[X]/10
    """
    expression = as_expression(objective.expression)
    domain = exact_terms(expression).domain
    if domain is not None and not _is_rational(domain):
        raise NonlinearError(
            f"a coefficient of '{objective}' is no rational function of parameters; write a parameter in its place"
        )
    return Objective(objective.sense, expression)


def _is_rational(domain: Any) -> bool:
    """Return whether a field is that of the rational functions of some parameters."""
    if not isinstance(domain, FractionField) or domain.domain not in (sympy.ZZ, sympy.QQ):
        return False
    return all(generator.is_Symbol for generator in domain.symbols)


def variables_of(expression: sympy.Expr) -> tuple[str, ...]:
    """Return the names of an expression's variables in natural order.

    Args:
        expression: A sympy expression.

    Returns:
        The names.

    Example:
        >>> variables_of(parse("I[X10;X2] + H[X1]"))
        ('X1', 'X2', 'X10')
    """
    return _variables(expression)


@lru_cache(maxsize=4096)
def _variables(expression: sympy.Expr) -> tuple[str, ...]:
    names: set[str] = set()
    for quantity in expression.atoms(Information, Functional):
        groups = quantity.groups if isinstance(quantity, Information) else (quantity.variables,)
        names.update(v.name for group in (*groups, quantity.given) for v in group)
    return tuple(sorted(names, key=natural_key))


def linear_terms(expression: sympy.Expr) -> dict[sympy.Expr | None, sympy.Expr]:
    """Return the coefficient of each quantity of an expression, and of None for the constant.

    Args:
        expression: A sympy expression, linear in its quantities.

    Returns:
        Coefficients by quantity, none of them identically zero as written.

    Raises:
        NonlinearError: If quantities are multiplied, divided by, or inside a function.

    Example:
        >>> linear_terms(parse("beta*(H[X] - H[Y]) + 1"))
        {H[X]: beta, H[Y]: -beta, None: 1}
    """
    return dict(_linear(sympy.sympify(expression, strict=True)))


@lru_cache(maxsize=4096, typed=True)
def _linear(expression: sympy.Expr) -> tuple[tuple[sympy.Expr | None, sympy.Expr], ...]:
    found: dict[sympy.Expr | None, list[sympy.Expr]] = {}

    def visit(node: sympy.Expr, factor: sympy.Expr) -> None:
        if isinstance(node, Information | Functional):
            found.setdefault(node, []).append(factor)
        elif not node.has(Information, Functional):
            found.setdefault(None, []).append(factor * node)
        elif isinstance(node, sympy.Add):
            for term in node.args:
                visit(term, factor)
        elif isinstance(node, sympy.Mul):
            carriers = [arg for arg in node.args if arg.has(Information, Functional)]
            if len(carriers) > 1:
                raise NonlinearError(f"quantities are multiplied in {node}; only sums with coefficients are measures")
            visit(carriers[0], factor * sympy.Mul(*(arg for arg in node.args if arg is not carriers[0])))
        else:
            raise NonlinearError(f"{node} is not linear in its quantities; only sums with coefficients are measures")

    visit(expression, sympy.S.One)
    sums = {quantity: sympy.Add(*coefficients) for quantity, coefficients in found.items()}
    ordered = sorted(sums, key=lambda quantity: (quantity is None, *quantity_key(quantity)))
    return tuple((quantity, sums[quantity]) for quantity in ordered if sums[quantity] != 0)


def collected(expression: sympy.Expr) -> sympy.Expr:
    """Return an expression with one factored coefficient a quantity.

    Example:
        >>> collected(parse("beta*H[X] - H[X]"))
        (beta - 1)*H[X]
    """
    return sympy.Add(*(factored(c) * (1 if q is None else q) for q, c in linear_terms(expression).items()))


@lru_cache(maxsize=4096, typed=True)
def exact_terms(expression: sympy.Expr) -> Terms:
    """Return an expression as a sum of quantities with exact coefficients.

    Args:
        expression: A sympy expression, linear in its quantities.

    Returns:
        The terms.

    Raises:
        NonlinearError: If the expression is not linear in its quantities, or a coefficient divides by zero.

    Example:
        >>> exact_terms(parse("H[X]/2 - H[Y] + 1")).values
        {H[X]: Fraction(1, 2), H[Y]: Fraction(-1, 1), None: Fraction(1, 1)}
    """
    linear = linear_terms(expression)
    values, domain = _exact(tuple(linear.values()))
    return Terms(dict(zip(linear, values, strict=True)), domain)


@lru_cache(maxsize=1024)
def _exact(coefficients: tuple[sympy.Expr, ...]) -> tuple[tuple[Any, ...], Any]:
    rational = [sympy.nsimplify(c, rational=True) if c.has(sympy.Float) else c for c in coefficients]
    if all(c.is_Rational for c in rational):
        return tuple(Fraction(int(c.p), int(c.q)) for c in rational), None
    try:
        domain, elements = construct_domain(rational, field=True)
    except ZeroDivisionError:
        raise NonlinearError(f"a coefficient divides by zero: {', '.join(map(str, rational))}") from None
    # Coefficients whose parameters all cancel leave sympy without generators.
    if not domain.is_Composite and (cancelled := [sympy.cancel(c) for c in rational]) != rational:
        return _exact(tuple(cancelled))
    return tuple(elements), domain

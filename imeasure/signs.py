"""Where coefficients are positive: exact sets of parameter values.

A coefficient is a rational function of the parameters. With one parameter its sign is solved exactly; one that
couples several parameters becomes a relation unless its sign follows from the ranges of its factors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy.solvers.inequalities import solve_rational_inequalities

from imeasure.model import Model


@dataclass(frozen=True)
class Conditions:
    """For which parameter values something holds.

    Attributes:
        sets: For each parameter the sympy set of its values, where that is less than the model's range.
        relations: Conditions that couple several parameters.

    Example:
        >>> from imeasure import param
        >>> beta = param("beta")
        >>> print(positive([beta - 1], Model()))
        beta > 1
    """

    sets: tuple[tuple[sympy.Symbol, sympy.Set], ...] = ()
    relations: tuple[sympy.Basic, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sets or self.relations)

    @property
    def satisfiable(self) -> bool:
        """Whether some value satisfies each condition taken alone, and none is the opposite of another."""
        known = {sympy.expand(relation.lhs) for relation in self.relations if relation != sympy.false}
        if any(sympy.expand(-expression) in known for expression in known):
            return False
        return sympy.false not in self.relations and all(values != sympy.S.EmptySet for _, values in self.sets)

    def texts(self) -> list[str]:
        """Return each condition as people write it, such as ``beta > 1``."""
        return [*(set_text(symbol, values) for symbol, values in self.sets), *map(str, self.relations)]

    def __str__(self) -> str:
        return ", ".join(self.texts()) or "always"

    def as_sympy(self) -> sympy.Basic:
        """Return the conditions as one sympy Boolean."""
        return sympy.And(*(values.as_relational(symbol) for symbol, values in self.sets), *self.relations)


def set_text(symbol: sympy.Symbol, values: sympy.Set) -> str:
    """Return a condition on one parameter as people write it.

    Args:
        symbol: The parameter.
        values: Its values.

    Returns:
        Text such as ``0 < beta < 1``.

    Example:
        >>> from imeasure import param
        >>> set_text(param("beta"), sympy.Interval.Ropen(0, 1))
        '0 <= beta < 1'
    """
    if isinstance(values, sympy.Union):
        return " or ".join(set_text(symbol, part) for part in values.args)
    if isinstance(values, sympy.FiniteSet):
        return " or ".join(f"{symbol} = {value}" for value in values)
    if not isinstance(values, sympy.Interval):
        return f"{symbol} in {values}"
    low = "" if values.start == -sympy.oo else f"{values.start} {'<' if values.left_open else '<='} "
    high = "" if values.end == sympy.oo else f" {'<' if values.right_open else '<='} {values.end}"
    if low and not high:
        return f"{symbol} {'>' if values.left_open else '>='} {values.start}"
    return f"{low}{symbol}{high}"


def positive(expressions: Iterable[sympy.Expr], model: Model) -> Conditions:
    """Return the conditions under which all expressions are positive.

    Args:
        expressions: Rational functions of parameters.
        model: The model, for its parameter ranges.

    Returns:
        The conditions: exact sets for expressions of one parameter, relations for the others.
    """
    sets: dict[sympy.Symbol, sympy.Set] = {}
    relations: list[sympy.Basic] = []
    for expression in expressions:
        for symbol, values in _positive_part(expression, model.range, relations).items():
            sets[symbol] = sets.get(symbol, model.range(symbol)).intersect(values)
    narrower = {symbol: values for symbol, values in sets.items() if values != model.range(symbol)}
    ordered = sorted(narrower.items(), key=lambda item: str(item[0]))
    return Conditions(tuple(ordered), tuple(dict.fromkeys(relations)))


def holds_everywhere(expression: sympy.Expr, conditions: Conditions, model: Model) -> bool:
    """Return whether an expression is positive wherever conditions hold; exact, and False when in doubt.

    Args:
        expression: A rational function of parameters.
        conditions: The conditions.
        model: The model, for its parameter ranges.

    Returns:
        Whether positivity follows.
    """
    known = dict(conditions.sets)
    needed: list[sympy.Basic] = []

    def values_of(symbol: sympy.Symbol) -> sympy.Set:
        return known.get(symbol, model.range(symbol))

    known_positive = {sympy.expand(relation.lhs) for relation in conditions.relations if relation != sympy.false}
    sets = _positive_part(expression, values_of, needed, known_positive)
    inside = all(values_of(symbol).is_subset(values) for symbol, values in sets.items())
    return inside and all(relation in conditions.relations for relation in needed)


def with_positive_denominator(expression: sympy.Expr, conditions: Conditions, model: Model) -> sympy.Expr:
    """Return a rational function with its denominator written so that it is positive where conditions hold.

    Args:
        expression: A rational function of parameters.
        conditions: The conditions.
        model: The model, for its parameter ranges.

    Returns:
        An equal expression, such as ``beta/(1 - beta)`` for ``-beta/(beta - 1)`` where ``0 < beta < 1``.
    """
    numerator, denominator = sympy.fraction(sympy.factor(expression))
    if holds_everywhere(-denominator, conditions, model):
        numerator, denominator = sympy.expand(-numerator), sympy.expand(-denominator)
    return numerator / denominator


def _positive_part(
    expression: sympy.Expr,
    values_of: Callable[[sympy.Symbol], sympy.Set],
    relations: list[sympy.Basic],
    known_positive: Collection[sympy.Expr] = (),
) -> dict[sympy.Symbol, sympy.Set]:
    """Return the positive sets of one-parameter expressions; append what couples parameters to the relations."""
    rest = _factored(expression)
    if len(rest.free_symbols) > 1:
        rest = _without_settled_signs(rest, values_of, known_positive)
    if len(rest.free_symbols) == 1:
        symbol = next(iter(rest.free_symbols))
        return {symbol: _positive_set(rest, symbol)}
    if not rest.is_number:
        relations.append(sympy.StrictGreaterThan(rest, 0))
    elif not rest.is_positive:
        relations.append(sympy.false)
    return {}


def _without_settled_signs(
    product: sympy.Expr, values_of: Callable[[sympy.Symbol], sympy.Set], known_positive: Collection[sympy.Expr]
) -> sympy.Expr:
    rest = sympy.S.One
    for power in sympy.Mul.make_args(product):
        base, exponent = power.as_base_exp()
        factor = base if exponent == -1 else power
        if sympy.expand(factor) in known_positive:
            continue
        if sympy.expand(-factor) in known_positive:
            rest = -rest
            continue
        single = factor.free_symbols
        if len(single) == 1:
            symbol = next(iter(single))
            if values_of(symbol).is_subset(_positive_set(factor, symbol)):
                continue
            if values_of(symbol).is_subset(_positive_set(-factor, symbol)):
                rest = -rest
                continue
        rest *= factor
    return rest


@lru_cache(maxsize=1024)
def _factored(expression: sympy.Expr) -> sympy.Expr:
    return sympy.factor(sympy.together(expression))


@lru_cache(maxsize=1024)
def _positive_set(expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Set:
    numerator, denominator = sympy.fraction(sympy.together(expression))
    try:
        pair = sympy.Poly(numerator, symbol), sympy.Poly(denominator, symbol)
    except sympy.PolynomialError:
        return sympy.solveset(expression > 0, symbol, sympy.S.Reals)
    return solve_rational_inequalities([[(pair, ">")]])

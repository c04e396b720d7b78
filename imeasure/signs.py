"""Where coefficients are positive: exact sets of parameter values.

A coefficient is a rational function of the parameters. With one parameter its sign is solved exactly; one that
couples several parameters becomes a relation unless its sign follows from the ranges of its factors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy

from imeasure.exchange import entry, read_set, set_data, texts
from imeasure.model import Model
from imeasure.positivity import Signs, positive_set, within
from imeasure.quantities import Functional, Information, param
from imeasure.terms import as_expression, factored

_ASCII = (str, "<=", ">=", " or ")


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
        """Whether each condition taken alone has a solution, and the signs of their factors do not contradict."""
        if sympy.false in self.relations or any(values == sympy.S.EmptySet for _, values in self.sets):
            return False
        known = dict(self.sets)
        positives = [relation.lhs for relation in self.relations]
        return not Signs(positives, lambda symbol: known.get(symbol, sympy.S.Reals)).contradictory

    def texts(self) -> list[str]:
        """Return each condition as people write it, such as ``beta > 1``."""
        return [*(set_text(symbol, values) for symbol, values in self.sets), *map(str, self.relations)]

    def __str__(self) -> str:
        return ", ".join(self.texts()) or "always"

    def to_dict(self) -> dict[str, Any]:
        """Return the conditions as plain data.

        Raises:
            ModelError: If a set is no union of intervals and points.
        """
        return {
            "sets": {str(symbol): set_data(values) for symbol, values in self.sets},
            "relations": [str(relation) for relation in self.relations],
        }

    @classmethod
    def from_dict(cls, data: Any) -> Conditions:
        """Read conditions from what :meth:`to_dict` returned.

        Args:
            data: A dictionary.

        Returns:
            The conditions.

        Raises:
            InformationError: If a text is not in the language.
            KeyError: If an entry is missing.
            TypeError: If an entry is of another type.
        """
        sets = entry(data, "sets", dict)
        return cls(
            tuple((param(name), read_set(values)) for name, values in sets.items()),
            tuple(_read_relation(text) for text in texts(data, "relations")),
        )

    def to_latex(self) -> str:
        """Return the conditions in LaTeX, without delimiters."""
        sets = [set_text(symbol, values, latex=True) for symbol, values in self.sets]
        return r",\ ".join([*sets, *map(sympy.latex, self.relations)]) or r"\text{always}"

    def _repr_latex_(self) -> str:
        return f"${self.to_latex()}$"

    def as_sympy(self) -> sympy.Basic:
        """Return the conditions as one sympy Boolean."""
        return sympy.And(*(values.as_relational(symbol) for symbol, values in self.sets), *self.relations)


def _read_relation(text: str) -> sympy.Basic:
    if text == str(sympy.false):
        return sympy.false
    left, separator, zero = text.partition(" > ")
    if not separator or zero != "0":
        raise TypeError(f"'{text}' is not of the form 'expression > 0'")
    expression = as_expression(left)
    if expression.is_number or expression.has(Information, Functional):
        raise TypeError(f"'{left}' is no function of parameters")
    relation = sympy.StrictGreaterThan(expression, 0)
    if relation == sympy.true:
        raise TypeError(f"'{text}' always holds")
    return relation


def set_text(symbol: sympy.Symbol, values: sympy.Set, *, latex: bool = False) -> str:
    """Return a condition on one parameter as people write it.

    Args:
        symbol: The parameter.
        values: Its values.
        latex: Whether to write LaTeX.

    Returns:
        Text such as ``0 < beta < 1``.

    Example:
        >>> from imeasure import param
        >>> set_text(param("beta"), sympy.Interval.Ropen(0, 1))
        '0 <= beta < 1'
    """
    spell, at_most, at_least, joined = (sympy.latex, r"\leq", r"\geq", r"\text{ or }") if latex else _ASCII
    if isinstance(values, sympy.Union):
        return joined.join(set_text(symbol, part, latex=latex) for part in values.args)
    name = spell(symbol)
    if isinstance(values, sympy.FiniteSet):
        return joined.join(f"{name} = {spell(value)}" for value in values)
    if not isinstance(values, sympy.Interval):
        return f"{name} \\in {spell(values)}" if latex else f"{name} in {values}"
    above, below = values.start != -sympy.oo, values.end != sympy.oo
    if above and not below:
        return f"{name} {'>' if values.left_open else at_least} {spell(values.start)}"
    low = f"{spell(values.start)} {'<' if values.left_open else at_most} " if above else ""
    high = f" {'<' if values.right_open else at_most} {spell(values.end)}" if below else ""
    return f"{low}{name}{high}"


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
            sets[symbol] = _common(sets.get(symbol, model.range(symbol)), values)
    narrower = {symbol: values for symbol, values in sets.items() if values != model.range(symbol)}
    ordered = tuple(sorted(narrower.items(), key=lambda item: str(item[0])))
    kept = list(dict.fromkeys(relations))
    for relation in sorted(kept, key=sympy.count_ops, reverse=True):
        others = Conditions(ordered, tuple(other for other in kept if other != relation))
        if relation != sympy.false and holds_everywhere(relation.lhs, others, model):
            kept.remove(relation)
    return Conditions(ordered, tuple(kept))


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

    def values_of(symbol: sympy.Symbol) -> sympy.Set:
        return known.get(symbol, model.range(symbol))

    needed: list[sympy.Basic] = []
    sets = _positive_part(expression, values_of, needed)
    if not needed and all(within(values_of(symbol), values) for symbol, values in sets.items()):
        return True
    signs = Signs([relation.lhs for relation in conditions.relations if relation != sympy.false], values_of)
    return signs.imply(expression)


def with_positive_denominator(expression: sympy.Expr, conditions: Conditions, model: Model) -> sympy.Expr:
    """Return a rational function with its denominator written so that it is positive where conditions hold.

    Args:
        expression: A rational function of parameters.
        conditions: The conditions.
        model: The model, for its parameter ranges.

    Returns:
        An equal expression, such as ``beta/(1 - beta)`` for ``-beta/(beta - 1)`` where ``0 < beta < 1``.
    """
    numerator, denominator = sympy.fraction(factored(expression))
    if holds_everywhere(-denominator, conditions, model):
        numerator, denominator = sympy.expand(-numerator), sympy.expand(-denominator)
    return numerator / denominator


def _positive_part(
    expression: sympy.Expr, values_of: Callable[[sympy.Symbol], sympy.Set], relations: list[sympy.Basic]
) -> dict[sympy.Symbol, sympy.Set]:
    """Return the positive sets of one-parameter expressions; append what couples parameters to the relations."""
    rest = factored(expression)
    if len(rest.free_symbols) > 1:
        rest = _without_settled_signs(rest, values_of)
    if len(rest.free_symbols) == 1:
        symbol = next(iter(rest.free_symbols))
        return {symbol: positive_set(rest, symbol)}
    if rest.is_positive:
        return {}
    if not rest.is_number:
        relations.append(sympy.StrictGreaterThan(rest, 0))
    else:
        relations.append(sympy.false)
    return {}


def _without_settled_signs(product: sympy.Expr, values_of: Callable[[sympy.Symbol], sympy.Set]) -> sympy.Expr:
    signs = Signs([], values_of)
    rest = sympy.S.One
    for power in sympy.Mul.make_args(product):
        base, exponent = power.as_base_exp()
        factor = base if exponent == -1 else power
        sign = signs.settled(factor) if factor.free_symbols else 0
        rest *= sign or factor
    return rest


@lru_cache(maxsize=1024)
def _common(left: sympy.Set, right: sympy.Set) -> sympy.Set:
    return left.intersect(right)

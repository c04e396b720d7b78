"""Signs of rational functions of parameters: what intervals, products known to be positive, and substitutions decide.

A function of one parameter is solved exactly. For others the signs of the factors of products say what follows, by
elimination over two elements, and a parameter in an interval is a function of a positive number, in which a polynomial
whose terms have one sign has that sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import combinations

import sympy
from sympy.solvers.inequalities import solve_rational_inequalities

from imeasure.terms import factored

_MINUS = sympy.S.NegativeOne
_ANY = sympy.Dummy("parameter", real=True)


class Signs:
    """What products that are known to be positive say about other products: parities of their factors' signs.

    Args:
        positives: Rational functions of parameters that are positive.
        values_of: The values that a parameter may take.
    """

    def __init__(self, positives: Iterable[sympy.Expr], values_of: Callable[[sympy.Symbol], sympy.Set]) -> None:
        self.values_of = values_of
        self.nonzero: set[sympy.Expr] = set()
        self.rows: list[tuple[sympy.Expr, frozenset[sympy.Expr]]] = []
        self.open: dict[sympy.Expr, None] = {}
        self.positives = listed = tuple(positives)
        for product in listed:
            self.nonzero.update(_upright(power.as_base_exp()[0])[0] for power in _factors(product))
        for product in listed:
            self.add(self.parity(product))

    @property
    def contradictory(self) -> bool:
        """Whether the products cannot all be positive."""
        return not self.reduced(frozenset([_MINUS]))

    def imply(self, expression: sympy.Expr) -> bool:
        """Return whether an expression has to be positive too."""
        parity = self.parity(expression)
        for one, other in combinations(self.open, 2):
            if one.free_symbols == other.free_symbols and (sign := self.settled(one * other)):
                self.add(frozenset([one, other] if sign > 0 else [one, other, _MINUS]))
        return not self.reduced(parity)

    def add(self, parity: frozenset[sympy.Expr]) -> None:
        """Add that a product with these factors is positive."""
        if rest := self.reduced(parity):
            self.rows.append((min(rest, key=sympy.default_sort_key), rest))

    def reduced(self, parity: frozenset[sympy.Expr]) -> frozenset[sympy.Expr]:
        """Return the factors that the products known to be positive leave of a product, whose sign is the same."""
        for pivot, row in self.rows:
            if pivot in parity:
                parity ^= row
        return parity

    def parity(self, product: sympy.Expr) -> frozenset[sympy.Expr]:
        """Return the factors on whose signs the product's depends, -1 among them for a minus."""
        odd: set[sympy.Expr] = set()
        for power in _factors(product):
            if power.is_positive:
                continue
            base, exponent = power.as_base_exp()
            if not exponent.is_Integer:
                odd ^= {power}
                continue
            base, minus = _upright(base)
            sign = self.settled(base)
            if exponent % 2:
                odd ^= {_MINUS} if minus != (sign < 0) else set()
                odd ^= set() if sign else {base}
                if not sign and len(base.free_symbols) == 1:
                    self.open[base] = None
            elif not sign and base not in self.nonzero and not self.settled(base**2):
                odd ^= {power}
        return frozenset(odd)

    def settled(self, base: sympy.Expr) -> int:
        """Return the sign that the values of its parameters and the positive products give a factor, or 0."""
        if base.is_number:
            return 1 if base.is_positive else -1 if base.is_negative else 0
        if len(base.free_symbols) > 1:
            symbols = set().union(base.free_symbols, *(product.free_symbols for product in self.positives))
            return _sign(base, self.positives, tuple((s, self.values_of(s)) for s in sorted(symbols, key=str)))
        symbol = next(iter(base.free_symbols))
        values = self.values_of(symbol)
        if within(values, positive_set(base, symbol)):
            return 1
        return -1 if within(values, positive_set(-base, symbol)) else 0


def _factors(product: sympy.Expr) -> tuple[sympy.Expr, ...]:
    return tuple(sympy.Mul.make_args(factored(product)))


def _upright(base: sympy.Expr) -> tuple[sympy.Expr, bool]:
    """Return a factor or its opposite, whichever is written without a leading minus, and whether it was turned."""
    minus = bool(base.could_extract_minus_sign())
    return sympy.expand(-base if minus else base), minus


@lru_cache(maxsize=1024)
def within(inner: sympy.Set, outer: sympy.Set) -> bool:
    """Return whether one set lies in another."""
    return bool(inner.is_subset(outer))


def positive_set(expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Set:
    """Return where an expression of one parameter is positive; what the parameter is called does not matter."""
    return _positive_values(expression.xreplace({symbol: _ANY})).xreplace({_ANY: symbol})


@lru_cache(maxsize=1024)
def _positive_values(expression: sympy.Expr) -> sympy.Set:
    numerator, denominator = sympy.fraction(sympy.together(expression))
    try:
        pair = sympy.Poly(numerator, _ANY), sympy.Poly(denominator, _ANY)
    except sympy.PolynomialError:
        return sympy.solveset(expression > 0, _ANY, sympy.S.Reals)
    return solve_rational_inequalities([[(pair, ">")]])


@lru_cache(maxsize=1024)
def _sign(
    base: sympy.Expr, positives: tuple[sympy.Expr, ...], ranges: tuple[tuple[sympy.Symbol, sympy.Set], ...]
) -> int:
    """Return the sign of a polynomial where some expressions are positive, or 0 when in doubt.

    Each expression that is linear in some parameter becomes a positive number in that parameter's place; then bounded
    parameters become functions of positive numbers, and a polynomial in those whose terms have one sign has that sign.
    """
    values = dict(ranges)
    pending = list(positives)
    while pending:
        product = pending.pop(0)
        linear = (s for s in product.free_symbols & values.keys() if product.diff(s).is_number)
        symbol = min(linear, key=lambda s: (values[s] != sympy.S.Reals, str(s)), default=None)
        if symbol is not None:
            slope = product.diff(symbol)
            value = symbol + (sympy.Dummy(positive=True) - product) / slope
            base, *pending = (sympy.expand(one.subs(symbol, sympy.expand(value))) for one in (base, *pending))
            del values[symbol]
    if _positive_throughout(base, tuple(values.items())):
        return 1
    return -1 if _positive_throughout(-base, tuple(values.items())) else 0


def _positive_throughout(expression: sympy.Expr, ranges: tuple[tuple[sympy.Symbol, sympy.Set], ...]) -> bool:
    if not ranges:
        numerator, denominator = sympy.fraction(sympy.together(expression))
        return bool((sympy.expand(numerator) / denominator).is_positive)
    (symbol, values), rest = ranges[0], ranges[1:]
    if values == sympy.S.Reals and expression.is_polynomial(symbol) and sympy.degree(expression, symbol) == 2:
        square, linear, constant = sympy.Poly(expression, symbol).all_coeffs()
        if all(_positive_throughout(sympy.expand(one), rest) for one in (square, 4 * square * constant - linear**2)):
            return True
    return all(_positive_throughout(expression.subs(symbol, value), rest) for value in _covering(values))


def _covering(values: sympy.Set) -> Iterator[sympy.Expr]:
    """Yield expressions of a number, positive or real, which together take all values of a set, and no others."""
    if isinstance(values, sympy.Union):
        for part in values.args:
            yield from _covering(part)
    elif isinstance(values, sympy.FiniteSet):
        yield from values
    elif isinstance(values, sympy.Interval) and values != sympy.S.Reals:
        yield from values.boundary & values
        low, high, number = values.start, values.end, sympy.Dummy(positive=True)
        if high == sympy.oo:
            yield low + number
        elif low == -sympy.oo:
            yield high - number
        else:
            yield (low + high * number) / (1 + number)
    else:
        yield sympy.Dummy(real=True)

"""Claims with parameters as finitely many claims without them.

A claim that is affine in each parameter holds over a product of intervals if and only if it holds at the corners, where
an unbounded side contributes the coefficient along it. Polynomials are expanded about the finite end (Bernstein
coefficients on a bounded interval); that all coefficients are at least zero is then enough, but not necessary.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING, Any

import sympy

from imeasure.certificate.rows import ONE, Row, functional_text
from imeasure.errors import NonlinearError
from imeasure.measure import entropy_form, mask_of
from imeasure.parser import to_sympy

if TYPE_CHECKING:
    from imeasure.certificate.problem import Link, Problem


def coefficients(link: Link, problem: Problem) -> dict[int | str, sympy.Expr]:
    """Return left side minus right side of a comparison: its coefficients as sympy expressions, by column.

    Args:
        link: The comparison.
        problem: The problem it belongs to.

    Returns:
        Rational functions of the parameters.
    """
    names = problem.names
    form = entropy_form(to_sympy(link.left) - to_sympy(link.right), problem.variables)
    result: dict[int | str, sympy.Expr] = {mask: form.coefficient(value) for mask, value in form.terms.items()}
    index = {name: i for i, name in enumerate(problem.variables)}
    for functional, value in form.functionals.items():
        left, given = mask_of(functional.variables, index), mask_of(functional.given, index)
        result[functional_text(functional.name, left, given, names)] = form.coefficient(value)
    if form.constant != 0:
        result[ONE] = form.coefficient(form.constant)
    return result


def expand(link: Link, problem: Problem) -> Iterator[tuple[str, Row, bool]]:
    """Yield the rows that have to be at least zero (or zero) for a comparison to hold over its parameters' ranges.

    Args:
        link: The comparison.
        problem: The problem it belongs to.

    Yields:
        Where the row is taken, the row, and whether the comparison fails wherever the row does.

    Raises:
        NonlinearError: If a coefficient is no rational function, or a denominator's sign is not known on the range.
    """
    values = coefficients(link, problem)
    symbols = sorted({s for value in values.values() for s in value.free_symbols}, key=str)
    if not symbols:
        yield "", {column: _rational(value) for column, value in values.items()}, True
        return
    ranges = problem.ranges()
    numerators = _polynomials(values, symbols, ranges)
    pieces: list[tuple[str, dict[Any, sympy.Poly], bool]] = [("", numerators, True)]
    for symbol in symbols:
        pieces = [
            (f"{where}, {more}" if where and more else where or more, row, exact and also)
            for where, found, exact in pieces
            for more, row, also in _along(found, symbol, ranges.get(symbol, sympy.S.Reals))
        ]
    for where, found, exact in pieces:
        row = {column: _fraction(poly) for column, poly in found.items()}
        yield where, {column: value for column, value in row.items() if value}, exact


def _fraction(poly: sympy.Poly) -> Fraction:
    return _rational(poly.as_expr())


def _rational(expression: sympy.Expr) -> Fraction:
    value = sympy.Rational(expression)
    return Fraction(int(value.p), int(value.q))


def _polynomials(values: dict[Any, sympy.Expr], symbols: list[sympy.Symbol], ranges: Any) -> dict[Any, sympy.Poly]:
    parts = {column: sympy.fraction(sympy.together(value)) for column, value in values.items()}
    try:
        common = sympy.Poly(sympy.lcm_list([bottom for _, bottom in parts.values()] or [1]), *symbols, domain="QQ")
        found = {
            column: sympy.Poly(sympy.cancel(top * common.as_expr() / bottom), *symbols, domain="QQ")
            for column, (top, bottom) in parts.items()
        }
    except (sympy.PolynomialError, sympy.CoercionFailed):
        raise NonlinearError("a coefficient is not a rational function of the parameters") from None
    if common.is_ground:
        sign = 1 if common.LC() > 0 else -1
    else:
        sign = _sign(common, symbols, ranges)
    return {column: sign * poly for column, poly in found.items()}


def _sign(poly: sympy.Poly, symbols: list[sympy.Symbol], ranges: Any) -> int:
    sign = 1
    for factor, power in poly.factor_list()[1]:
        pieces: list[dict[Any, sympy.Poly]] = [{None: factor}]
        for symbol in symbols:
            values = ranges.get(symbol, sympy.S.Reals)
            pieces = [row for found in pieces for _, row, _ in _along(found, symbol, values)]
        signs = {sympy.sign(_fraction(found[None])) for found in pieces} - {0}
        if len(signs) != 1:
            raise NonlinearError(
                f"the denominator {factor.as_expr()} has no fixed sign; give the parameter's range, "
                "as in Model(ranges={'beta': (1, oo)})"
            )
        sign *= int(signs.pop()) ** int(power)
    return sign * (1 if poly.factor_list()[0] > 0 else -1)


def _along(
    found: dict[Any, sympy.Poly], symbol: sympy.Symbol, values: sympy.Set
) -> Iterator[tuple[str, dict[Any, sympy.Poly], bool]]:
    """Replace one parameter by the finitely many rows that decide its range."""
    if isinstance(values, sympy.Union):
        for part in values.args:
            yield from _along(found, symbol, part)
        return
    degree = max((poly.degree(symbol) for poly in found.values()), default=0)
    if degree <= 0:
        yield "", found, True
        return
    if isinstance(values, sympy.FiniteSet):
        for value in values:
            yield f"{symbol} = {value}", {c: _at(poly, symbol, value) for c, poly in found.items()}, True
        return
    if not isinstance(values, sympy.Interval):
        raise NonlinearError(f"the range {values} of {symbol} is not an interval")
    low, high = values.start, values.end
    exact = degree == 1
    if low.is_finite and high.is_finite:
        for k in range(degree + 1):
            row = {c: _bernstein(poly, symbol, low, high, degree, k) for c, poly in found.items()}
            corner = {0: f"{symbol} = {low}", degree: f"{symbol} = {high}"}
            yield corner.get(k, f"Bernstein coefficient {k} in {symbol}"), row, exact or k in corner
        return
    base, direction = (low, 1) if low.is_finite else (high, -1) if high.is_finite else (sympy.S.Zero, 0)
    for k in range(degree + 1):
        row = {c: _coefficient(poly, symbol, base, direction or 1, k) for c, poly in found.items()}
        term = f"({symbol} - {base})" if direction > 0 else f"({base} - {symbol})" if direction < 0 else str(symbol)
        label = f"{symbol} = {base}" if k == 0 else f"coefficient of {term}{f'^{k}' if k > 1 else ''}"
        yield label, row, exact or k in (0, degree)
        if direction == 0 and k % 2:
            yield f"minus the {label}", {c: -poly for c, poly in row.items()}, exact


def _at(poly: sympy.Poly, symbol: sympy.Symbol, value: sympy.Expr) -> sympy.Poly:
    return sympy.Poly(poly.as_expr().subs(symbol, value), *poly.gens, domain="QQ")


def _coefficient(poly: sympy.Poly, symbol: sympy.Symbol, base: sympy.Expr, direction: int, k: int) -> sympy.Poly:
    moved = sympy.Poly(poly.as_expr().subs(symbol, base + direction * symbol), symbol)
    return sympy.Poly(moved.coeff_monomial(symbol**k), *poly.gens, domain="QQ")


def _bernstein(
    poly: sympy.Poly, symbol: sympy.Symbol, low: sympy.Expr, high: sympy.Expr, degree: int, k: int
) -> sympy.Poly:
    total = sum(
        (
            sympy.Rational(comb(k, i), comb(degree, i))
            * _coefficient(poly, symbol, low, 1, i).as_expr()
            * (high - low) ** i
            for i in range(k + 1)
        ),
        sympy.S.Zero,
    )
    return sympy.Poly(total, *poly.gens, domain="QQ")


def samples(values: sympy.Set) -> list[sympy.Rational]:
    """Return some values of a parameter's range, those near its ends first.

    Args:
        values: The range.

    Returns:
        Rational numbers in the range.

    Example:
        >>> samples(sympy.Interval(1, sympy.oo))
        [1, 1001/1000, 2, 11, 1001]
    """
    if isinstance(values, sympy.Union):
        return [value for part in values.args for value in samples(part)]
    if isinstance(values, sympy.FiniteSet):
        return [value for value in values if value.is_Rational]
    low, high = values.inf, values.sup
    if low.is_finite and high.is_finite:
        found = [low + (high - low) * sympy.Rational(k, 1000) for k in (0, 1, 500, 999, 1000)]
    elif low.is_finite or high.is_finite:
        base, sign = (low, 1) if low.is_finite else (high, -1)
        found = [base + sign * step for step in (0, sympy.Rational(1, 1000), 1, 10, 1000)]
    else:
        found = [sympy.Integer(k) for k in (0, 1, -1, 1000, -1000)]
    return [value for value in found if value.is_Rational and value in values]

"""Parameter maps: real solutions of polynomial equations, the values for which they are allowed, and their data.

Solutions are rational functions or have square roots; what only higher radicals or numbers without a name solve is
refused, never taken for unsolvable. Everything is exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations, count, permutations
from typing import Any

import sympy

from imeasure.errors import NonlinearError
from imeasure.exchange import entry, expression
from imeasure.model import Model
from imeasure.printing import to_text
from imeasure.quantities import Functional, Information, param
from imeasure.signs import Conditions, holds_everywhere, positive
from imeasure.terms import collected

Solution = dict[sympy.Symbol, sympy.Expr]
_NONNEGATIVE = sympy.Interval(0, sympy.oo)


def minors(a: Mapping[Any, sympy.Expr], b: Mapping[Any, sympy.Expr]) -> list[sympy.Expr]:
    """Return the polynomials that vanish where two vectors are proportional.

    Args:
        a: Coordinates of a vector, zeros left out.
        b: Coordinates of another one.

    Returns:
        Numerators of the two-by-two minors, none of them zero.
    """
    columns, zero = list(dict.fromkeys([*a, *b])), sympy.S.Zero
    numerators = (
        sympy.numer(sympy.cancel(a.get(i, zero) * b.get(j, zero) - a.get(j, zero) * b.get(i, zero)))
        for i, j in combinations(columns, 2)
    )
    return list(dict.fromkeys(one for one in numerators if one != 0))


def solutions(equations: Sequence[sympy.Expr], unknowns: Sequence[sympy.Symbol]) -> tuple[list[Solution], bool]:
    """Return real solutions of polynomial equations, unknowns that stay free left out.

    Args:
        equations: Polynomials that are to vanish.
        unknowns: The symbols to solve for; all others are parameters.

    Returns:
        The solutions, the simplest first, and whether there are no others.

    Example:
        >>> u, beta = sympy.symbols("u beta", real=True)
        >>> solutions([u**2 - beta], [u])
        ([{u: sqrt(beta)}, {u: -sqrt(beta)}], True)
    """
    if not equations or not unknowns:
        return ([] if equations else [{}]), True
    if len(unknowns) == 1:
        found, complete = _roots(equations, unknowns[0])
    else:
        found, complete = [one for unknown in unknowns for one in _roots(equations, unknown)[0]], True
        for order in permutations(unknowns) if len(unknowns) <= 3 else [tuple(unknowns)]:
            try:
                solved = sympy.solve(equations, order, dict=True)
            except NotImplementedError:
                complete = False
                continue
            if not solved:
                complete = complete and sympy.groebner(equations, *unknowns).exprs == [sympy.S.One]
            found += [one for one in solved if one not in found]
        plain = [one for one in found if all(map(_is_plain, one.values()))]
        complete = complete and len(plain) == len(found)
        found = [one for one in plain if not any(value.has(sympy.I) for value in one.values())]
    return sorted(found, key=lambda one: _complexity(one, unknowns)), complete


def _roots(equations: Sequence[sympy.Expr], unknown: sympy.Symbol) -> tuple[list[Solution], bool]:
    common = sympy.S.Zero
    for equation in equations:
        common = sympy.gcd(common, equation)
    found: list[Solution] = []
    complete = True
    for factor, _ in sympy.factor_list(common)[1]:
        coefficients = sympy.Poly(factor, unknown).all_coeffs()
        if len(coefficients) == 2:
            found.append({unknown: -coefficients[1] / coefficients[0]})
        elif len(coefficients) == 3:
            a, b, c = coefficients
            square = sympy.factor(b**2 - 4 * a * c)
            if not square.is_negative:
                found += [{unknown: sympy.cancel((-b + side * sympy.sqrt(square)) / (2 * a))} for side in (1, -1)]
        elif len(coefficients) > 3:
            numeric = not any(coefficient.free_symbols for coefficient in coefficients)
            complete = complete and numeric and not sympy.Poly(factor, unknown).count_roots()
    return found, complete


def _is_plain(value: sympy.Expr) -> bool:
    powers = value.atoms(sympy.Pow)
    nested = any(_squares(power.base) for power in powers if not power.exp.is_Integer)
    return not nested and all((2 * power.exp).is_Integer for power in powers) and not value.has(sympy.CRootOf)


def _complexity(solution: Solution, unknowns: Sequence[sympy.Symbol]) -> tuple[Any, ...]:
    values = [solution[symbol] for symbol in unknowns if symbol in solution]
    quotients = sum(bool(sympy.denom(sympy.together(value)).free_symbols) for value in values)
    minus = [bool(value.could_extract_minus_sign()) for value in values]
    roots = sum(len(_squares(value)) for value in values)
    return (-len(values), roots, quotients, minus, list(map(sympy.default_sort_key, values)))


def _squares(value: sympy.Expr) -> list[sympy.Expr]:
    """Return what stands under square roots, in a fixed order."""
    found = {power.base for power in value.atoms(sympy.Pow) if not power.exp.is_Integer}
    return sorted(found, key=sympy.default_sort_key)


def in_parameters(
    values: Mapping[sympy.Symbol, sympy.Expr],
    fresh: Mapping[sympy.Symbol, sympy.Symbol],
    occupied: Collection[sympy.Symbol],
) -> Solution:
    """Return a solution in parameters: an unknown that stays free keeps its name unless that has another meaning.

    Args:
        values: Values of the stand-ins of unknowns; free ones are left out.
        fresh: The stand-in of each unknown.
        occupied: Parameters whose names mean something else.

    Returns:
        The value of each unknown.
    """
    taken = {symbol.name for symbol in (*occupied, *fresh)}
    unused = (name for i in count() if (name := f"t{i or ''}") not in taken)
    free = {
        dummy: param(next(unused)) if symbol in occupied else symbol
        for symbol, dummy in fresh.items()
        if dummy not in values
    }
    return {s: values.get(d, d).subs(free, simultaneous=True) for s, d in fresh.items()}


def demands(solution: Mapping[sympy.Symbol, sympy.Expr], model: Model) -> list[tuple[sympy.Expr, sympy.Set]]:
    """Return what a solution asks of the parameters: that each value is real and in its unknown's range.

    Args:
        solution: Values of unknowns.
        model: The model, for the ranges.

    Returns:
        Pairs of an expression and the set that it has to be in.
    """
    result = []
    for symbol, value in solution.items():
        result += [(square, _NONNEGATIVE) for square in _squares(value)]
        if model.range(symbol) != sympy.S.Reals and value != symbol:
            result.append((value, model.range(symbol)))
    return result


def allowed(signs: Iterable[sympy.Expr], wanted: Iterable[tuple[sympy.Expr, sympy.Set]], model: Model) -> Conditions:
    """Return conditions under which expressions are positive and others in given sets.

    A closed end that couples several parameters is left out: the conditions suffice there without being minimal.

    Args:
        signs: What is to be positive.
        wanted: Pairs of an expression and the set that it has to be in.
        model: The model, for its parameter ranges.

    Returns:
        The conditions.

    Raises:
        NonlinearError: If a value that couples several parameters has to be in a set of several parts.
    """
    strict = list(signs)
    sets: dict[sympy.Symbol, sympy.Set] = {}
    for value, values in wanted:
        if len(value.free_symbols) == 1:
            symbol = next(iter(value.free_symbols))
            sets[symbol] = sets.get(symbol, model.range(symbol)).intersect(_preimage(value, symbol, values))
        elif value.is_number:
            strict.append(sympy.S.One if values.contains(value) == sympy.true else sympy.S.NegativeOne)
        elif isinstance(values, sympy.Interval):
            strict += [end for end in (value - values.start, values.end - value) if not end.is_infinite]
        else:
            raise NonlinearError(f"{value} has to be in {values}; give a range that is one interval")
    found = positive(strict, model)
    for symbol, values in found.sets:
        sets[symbol] = sets.get(symbol, model.range(symbol)).intersect(values)
    narrower = {symbol: values for symbol, values in sets.items() if values != model.range(symbol)}
    return Conditions(tuple(sorted(narrower.items(), key=lambda item: str(item[0]))), found.relations)


def meets(wanted: Iterable[tuple[sympy.Expr, sympy.Set]], conditions: Conditions, model: Model) -> bool:
    """Return whether expressions are in given sets wherever conditions hold.

    Args:
        wanted: Pairs of an expression and the set that it has to be in.
        conditions: The conditions.
        model: The model, for its parameter ranges.

    Returns:
        Whether this follows; exact, and False when in doubt.
    """
    known = dict(conditions.sets)
    for value, values in wanted:
        if len(value.free_symbols) == 1:
            symbol = next(iter(value.free_symbols))
            inside = known.get(symbol, model.range(symbol)).is_subset(_preimage(value, symbol, values))
        elif value.is_number:
            inside = values.contains(value) == sympy.true
        else:
            ends = [values.inf, values.sup] if isinstance(values, sympy.Interval) else []
            differences = [value - ends[0], ends[1] - value] if ends else [sympy.S.NegativeOne]
            inside = all(e.is_infinite or holds_everywhere(e, conditions, model) for e in differences)
        if not inside:
            return False
    return True


def _preimage(value: sympy.Expr, symbol: sympy.Symbol, values: sympy.Set) -> sympy.Set:
    """Return the real numbers that a function of one parameter maps into a union of intervals and points."""
    if value == symbol:
        return values
    parts = values.args if isinstance(values, sympy.Union) else (values,)
    domain = sympy.calculus.util.continuous_domain(value, symbol, sympy.S.Reals)
    found: list[sympy.Set] = []
    for part in parts:
        if isinstance(part, sympy.FiniteSet):
            found += [sympy.solveset(value - point, symbol, domain) for point in part]
            continue
        within = domain
        for end, is_open, side in ((part.start, part.left_open, 1), (part.end, part.right_open, -1)):
            if end.is_finite:
                relation = side * (value - end) > 0 if is_open else side * (value - end) >= 0
                within = within.intersect(sympy.solveset(relation, symbol, domain))
        found.append(within)
    return sympy.Union(*found)


def value_data(value: sympy.Expr) -> Any:
    """Return an expression as data: text, and what stands under square roots apart.

    Args:
        value: An expression.

    Returns:
        Text that the parser reads, or a dictionary with ``expression`` and ``squares``.

    Example:
        >>> value_data(2 * sympy.sqrt(sympy.Symbol("beta")))
        {'expression': '2*s0', 'squares': {'s0': 'beta'}}
    """
    squares = _squares(value)
    if not squares:
        return to_text(value)
    taken = {symbol.name for symbol in value.free_symbols}
    names = [name for i in range(len(squares) + len(taken)) if (name := f"s{i}") not in taken]
    roots = dict(zip(squares, (sympy.Symbol(name, real=True) for name in names), strict=False))
    plain = value.replace(
        lambda e: isinstance(e, sympy.Pow) and e.base in roots and e.exp.is_Rational and not e.exp.is_Integer,
        lambda e: roots[e.base] ** int(2 * e.exp),
    )
    return {
        "expression": to_text(plain),
        "squares": {str(root): to_text(square) for square, root in roots.items()},
    }


def read_value(data: Any, key: str, functionals: tuple[str, ...] = ()) -> sympy.Expr:
    """Return the expression that :func:`value_data` wrote.

    Args:
        data: A dictionary.
        key: The entry's name.
        functionals: Names of functionals beyond ``CE`` and ``KL`` that may occur.

    Returns:
        The expression.

    Raises:
        InformationError: If a text is not in the language.
        KeyError: If an entry is missing.
        TypeError: If an entry is of another type.
    """
    if not isinstance(data.get(key), dict):
        return expression(data, key, functionals)
    parts = entry(data, key, dict)
    squares = entry(parts, "squares", dict)
    roots = {name: sympy.sqrt(expression(squares, name)) for name in squares}
    plain = expression(parts, "expression", functionals)
    value = plain.subs({symbol: roots[symbol.name] for symbol in plain.free_symbols if symbol.name in roots})
    return collected(value) if value.has(Information, Functional) else sympy.factor(value)

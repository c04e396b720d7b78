"""``equivalent``: whether two objectives have the same minimisers, and for which parameters.

Modulo what the model makes constant an objective is a vector over atoms whose entries are rational functions of the
parameters. Two objectives are equivalent exactly if one vector is a positive multiple of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from imeasure.catalogue import CatalogueEntry, named, setting
from imeasure.constants import as_constant
from imeasure.elimination import Column, column_quantity, combination
from imeasure.errors import NonlinearError, UnknownVariableError, unknown
from imeasure.exchange import as_model
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.quantities import param
from imeasure.rewriting.equivalence import Equivalence, substituted
from imeasure.rewriting.parameters import allowed, demands, in_parameters, minors, solutions
from imeasure.rewriting.quotient import Quotient, quotient
from imeasure.signs import positive
from imeasure.statements import Objective
from imeasure.terms import as_expression, collected, variables_of


def equivalent(
    first: str | Objective,
    second: str | Objective,
    *,
    model: Model | str | None = None,
    solve_for: str | sympy.Symbol | Iterable[str | sympy.Symbol] = (),
) -> Equivalence:
    """Decide whether two objectives have the same minimisers, solving for parameters if asked to.

    Args:
        first: An objective, or a name of the catalogue.
        second: Another one. A parameter of the same name in both has the same value, unless it is solved for.
        model: The model, by default that of the names, and :func:`imeasure.supervised` without; in a graph given as
            text X and Y are data.
        solve_for: Parameters of the second objective (of the first, where only that one has it) to be expressed by the
            others.

    Returns:
        The answer, verified where it holds.

    Raises:
        ParseError: If a text is not in the language.
        NonlinearError: If a statement is no objective, or not linear in its quantities, or the equations for the
            parameters have no solution by rational functions and square roots that was found.
        ConfigError: If two names of the catalogue stand on different graphs, and no model is given.
        UnknownVariableError: If a parameter to be solved for does not occur, a variable is not in the model, or a name
            not in the catalogue.
        UndefinedQuantityError: If a quantity has no value under the model.

    Example:
        >>> ib = "min I[X;Z] - beta*I[Y;Z]"
        >>> form = "min H[Y|Z] + H[Z|Y] + g*(H[Y|Z] - H[Z|Y]) + (g - 1)*H[Z|X]"
        >>> found = equivalent(ib, form, solve_for="g")
        >>> found.solution, found.scale
        ({g: (beta - 2)/beta}, 2/beta)
        >>> print(equivalent("IB", "DIB"))
        not equivalent: H[Z|X] is in the way; they would be if it were constant
    """
    entries = named(first), named(second)
    own = setting(*entries) if model is None else None
    model = as_model(model if own is None else own.model(), of_objective=True)
    left, right = map(_objective, (first, second), entries)
    for side in (left, right):
        model.require_defined(side.expression)
    unknowns = _unknowns(solve_for, left, right)
    fresh = {symbol: sympy.Dummy(symbol.name, real=True) for symbol in unknowns}
    a, b = substituted(left, right, fresh)
    space = quotient(model, model.covering(variables_of(a + b)), homogeneous=True)
    vectors = _vector(a, space), _vector(b, space)
    equations = minors(*vectors)
    found, complete = solutions(equations, list(fresh.values()))
    excluded: dict[sympy.Symbol, sympy.Expr] = {}
    for values in found:
        answer = _related(left, right, in_parameters(values, fresh, left.expression.free_symbols), model, space)
        if answer is not None and answer.conditions.satisfiable:
            answer.verify()
            return answer
        excluded = excluded or dict(answer.solution if answer else {})
    if not complete:
        written = [str(one.subs({dummy: symbol for symbol, dummy in fresh.items()})) for one in equations[:3]]
        raise NonlinearError(
            f"no solution for {', '.join(map(str, unknowns))} by rational functions and square roots was found, and "
            f"others are not excluded: {' = '.join([*written, '0'])}; solve for parameters that occur linearly"
        )
    if excluded:
        return Equivalence(left, right, model, holds=False, solution=excluded)
    sign = 1 if left.sense == right.sense else -1
    free = fresh and not fresh.keys() & dict(model.ranges).keys()  # a solution outside a range would be none
    obstacle = _single_obstacle(*vectors, list(fresh.values()), sign, model, space) if free else None
    return Equivalence(left, right, model, holds=False, obstacle=obstacle or _obstacle(left, right, model, space))


def _objective(statement: str | Objective, entry: CatalogueEntry | None) -> Objective:
    read = entry.objective() if entry else parse(statement) if isinstance(statement, str) else statement
    if not isinstance(read, Objective):
        raise NonlinearError(f"expected an objective such as 'min I[X;Z] - beta*I[Y;Z]', not '{statement}'")
    return Objective(read.sense, as_expression(read.expression))


def _unknowns(
    solve_for: str | sympy.Symbol | Iterable[str | sympy.Symbol], first: Objective, second: Objective
) -> list[sympy.Symbol]:
    listed = solve_for.replace(",", " ").split() if isinstance(solve_for, str) else solve_for
    listed = [listed] if isinstance(listed, sympy.Symbol) else listed
    listed = list(listed) if isinstance(listed, Iterable) else [None]
    if not all(isinstance(item, str | sympy.Symbol) for item in listed):
        raise UnknownVariableError(f"solve_for names parameters, such as 'beta' or ['a', 'g'], not {solve_for!r}")
    symbols = list(dict.fromkeys(param(str(item)) for item in listed))
    known = sorted(map(str, first.expression.free_symbols | second.expression.free_symbols))
    for symbol in symbols:
        if str(symbol) not in known:
            raise UnknownVariableError(unknown("parameter", str(symbol), known))
    return symbols


def _vector(expression: sympy.Expr, space: Quotient) -> dict[Column, sympy.Expr]:
    coordinates, form = space.coordinates(expression)
    return {column: form.coefficient(value) for column, value in coordinates.items()}


def _related(
    first: Objective, second: Objective, solution: Mapping[sympy.Symbol, sympy.Expr], model: Model, space: Quotient
) -> Equivalence | None:
    solution = {symbol: sympy.factor(value) for symbol, value in solution.items()}
    left, right = substituted(first, second, solution)
    a, b = _vector(left, space), _vector(right, space)
    if not a or not b:
        scale = sympy.S.One if first.sense == second.sense else sympy.S.NegativeOne
        if a or b:
            return None
    else:
        column = next(iter(a))
        scale = sympy.factor(b.get(column, sympy.S.Zero) / a[column])
        if set(a) != set(b) or any(sympy.cancel(b[c] - scale * a[c]) != 0 for c in a):
            return None
    sign = 1 if first.sense == second.sense else -1
    constant = as_constant(right - scale * left, model)
    if constant is None:
        return None
    conditions = allowed([sign * scale], demands(solution, model), model)
    return Equivalence(first, second, model, True, scale, collected(constant), solution, conditions)


def _single_obstacle(
    a: dict[Column, sympy.Expr],
    b: dict[Column, sympy.Expr],
    unknowns: list[sympy.Symbol],
    sign: int,
    model: Model,
    space: Quotient,
) -> sympy.Expr | None:
    """Return the simplest quantity modulo which some values of the unknowns make two vectors proportional, if any."""
    for candidate in space.candidates:
        left, right = _without(a, candidate.vector), _without(b, candidate.vector)
        if not left or not right:
            continue
        column = next(iter(left))
        for values in solutions(minors(left, right), unknowns)[0]:
            scale = sympy.factor((right.get(column, sympy.S.Zero) / left[column]).subs(values))
            if scale == 0 or scale.has(sympy.nan, sympy.zoo):
                continue
            if positive([sign * scale], model).satisfiable:
                return candidate.quantity
    return None


def _without(vector: dict[Column, sympy.Expr], other: Mapping[Column, Any]) -> dict[Column, sympy.Expr]:
    """Return a vector modulo another one, without the other's first column."""
    exact = {column: sympy.Rational(value) for column, value in other.items()}
    pivot, entry = next(iter(exact.items()))
    factor = vector.get(pivot, sympy.S.Zero) / entry
    rest = {column: vector.get(column, sympy.S.Zero) - factor * value for column, value in exact.items()}
    return {column: value for column, value in (vector | rest).items() if sympy.cancel(value) != 0}


def _obstacle(first: Objective, second: Objective, model: Model, space: Quotient) -> sympy.Expr:
    """Return the simplest expression that would have to be constant for the objectives to be equivalent."""
    a, b = _vector(first.expression, space), _vector(second.expression, space)
    sign = 1 if first.sense == second.sense else -1
    ratios = list(dict.fromkeys(sympy.factor(b[c] / a[c]) for c in a if c in b))
    if len(ratios) == 1 and not space.coordinates(second.expression - ratios[0] * first.expression)[0]:
        return sympy.S.Zero
    found: list[tuple[int, sympy.Expr]] = []
    for ratio in [r for r in ratios if positive([sign * r], model).satisfiable] or [sympy.Integer(sign)]:
        rest, form = space.coordinates(second.expression - ratio * first.expression)
        for place, candidate in enumerate(space.candidates):
            if combination(rest, [candidate.vector]) is not None:
                found.append((place, candidate.quantity))
                break
        else:
            atoms = (form.coefficient(value) * column_quantity(column, space.names) for column, value in rest.items())
            found.append((len(space.candidates), sympy.Add(*atoms)))
    return min(found, key=lambda pair: (pair[0], str(pair[1])))[1]

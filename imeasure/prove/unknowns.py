"""Quantities that a table leaves open: values of functionals, divergences, and the scale of continuous variables.

For given joint entropies a claim and its facts are linear in these few unknowns, so that eliminating one after the
other (Fourier and Motzkin) finds values that obey the facts and break the claim, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import ONE, Row
from imeasure.certificate.steps import functionals_of, jensen_pairs, step_row

Affine = dict[str, Fraction]
"""Coefficients of unknowns; the constant has the empty name."""

CONSTANT = ""
"""The name of the constant."""
SLACK = "slack"
"""The name of the value of the claim's row; no functional and no variable is called so, as it holds no bracket."""
MAX_ROWS = 300
"""Most inequalities that an elimination may lead to."""


def unknown_names(problem: Problem) -> list[str]:
    """Return the names of a problem's unknowns.

    Args:
        problem: The problem.

    Returns:
        Texts of functionals, and ``log width of Z`` for each variable whose scale is free.
    """
    scales = [width_name(name) for name, bit in problem.names.index.items() if problem.real & bit]
    return [*sorted(functionals_of(problem)), *scales]


def width_name(variable: str) -> str:
    """Return the name of the unknown that is the logarithm of a variable's scale."""
    return f"log width of {variable}"


def affine(row: Row, problem: Problem, entropy: Callable[[int], Fraction]) -> Affine:
    """Return a row as an affine function of the unknowns.

    Args:
        row: The row.
        problem: The problem.
        entropy: Joint entropies by bitmask, those of continuous variables at unit scale; the constant's value at 0.

    Returns:
        Coefficients, zeros left out.
    """
    result: Affine = {}
    for column, factor in row.items():
        if isinstance(column, str):
            _gain(result, column, Fraction(factor))
            continue
        _gain(result, CONSTANT, factor * entropy(column))
        if column != ONE and column & problem.real:
            for name, bit in problem.names.index.items():
                if bit & column & problem.real:
                    _gain(result, width_name(name), Fraction(factor))
    return result


def _gain(result: Affine, name: str, value: Fraction) -> None:
    total = result.get(name, Fraction(0)) + value
    if total:
        result[name] = total
    else:
        result.pop(name, None)


def settle(
    problem: Problem, target: Row, entropy: Callable[[int], Fraction], known: Affine | None = None, *, off: float = 0.0
) -> dict[str, Fraction] | None:
    """Return values of the unknowns that obey the facts and make a row negative, or None if there are none.

    Divergences are at least zero; where averaging ties a prediction to its decoder, both have the same cross-entropy.

    Args:
        problem: The problem.
        target: The row that would have to be at least zero.
        entropy: Joint entropies by bitmask; the constant's value at 0.
        known: Unknowns whose values are chosen already.
        off: How far an equation between known numbers may be from holding.

    Returns:
        Values by name, the simplest that serve, or None.

    Example:
        >>> from imeasure.certificate.problem import read_problem
        >>> problem = read_problem("V[X] <= 0", given=["V[X] <= W[X]"], functionals=["V", "W"])
        >>> values = settle(problem, {"V[X]": -1}, lambda mask: Fraction(0))
        >>> {name: int(values[name]) for name in sorted(values)}
        {'V[X]': 1, 'W[X]': 1}
    """
    fixed = known or {}
    names = [name for name in unknown_names(problem) if name not in fixed]
    equations = [{**affine(target, problem, entropy), SLACK: Fraction(-1)}]
    inequalities = [{name: Fraction(1)} for name in names if name.startswith("KL[")]
    for fact in problem.facts:
        (equations if fact.equality else inequalities).append(affine(fact.row, problem, entropy))
    if not fixed:
        equations += [affine(step_row(("Jensen", *pair), problem), problem, entropy) for pair in jensen_pairs(problem)]
    for name, value in fixed.items():
        for row in (*equations, *inequalities):
            factor = row.pop(name, None)
            if factor is not None:
                _gain(row, CONSTANT, factor * value)
    found = solve(equations, inequalities, [*names, SLACK], {SLACK: Fraction(-1)}, off)
    if found is None or found.pop(SLACK) >= 0:
        return None
    return {**fixed, **found}


def solve(
    equations: Iterable[Affine], inequalities: Iterable[Affine], names: list[str], wanted: Affine, off: float = 0.0
) -> dict[str, Fraction] | None:
    """Return a point where affine functions vanish, and others are at least zero, or None.

    Args:
        equations: What has to vanish.
        inequalities: What has to be at least zero.
        names: The unknowns; the last is chosen first.
        wanted: The value that an unknown takes if it may, 0 if not said; otherwise it takes the nearest that it may.
        off: How far from zero a constant equation may be.

    Returns:
        Values by name; None as well where the elimination grows too large.

    Example:
        >>> solve([{"x": Fraction(1), "y": Fraction(-2)}], [{"y": Fraction(1), "": Fraction(-3)}], ["x", "y"], {})
        {'y': Fraction(3, 1), 'x': Fraction(6, 1)}
    """
    equal, rows = [dict(row) for row in equations], [dict(row) for row in inequalities]
    steps: list[tuple[str, list[Affine], list[Affine]]] = []
    for name in names:
        place = next((i for i, row in enumerate(equal) if name in row), None)
        if place is not None:
            equivalent = _without(equal.pop(place), name)
            steps.append((name, [equivalent], [equivalent]))
            equal = [_put(row, name, equivalent) for row in equal]
            rows = [_put(row, name, equivalent) for row in rows]
            continue
        low = [_without(row, name) for row in rows if row.get(name, 0) > 0]
        high = [_without(row, name) for row in rows if row.get(name, 0) < 0]
        steps.append((name, low, high))
        rows = [row for row in rows if name not in row]
        rows += [_difference(above, below) for above in high for below in low]
        if len(rows) > MAX_ROWS:
            return None
    constants = [row.get(CONSTANT, Fraction(0)) for row in equal]
    if any(abs(value) > off for value in constants) or any(row.get(CONSTANT, Fraction(0)) < -off for row in rows):
        return None
    found: dict[str, Fraction] = {}
    for name, low, high in reversed(steps):
        value = wanted.get(name, Fraction(0))
        value = max([value, *(_at(row, found) for row in low)])
        found[name] = min([value, *(_at(row, found) for row in high)])
    return found


def _without(row: Affine, name: str) -> Affine:
    """Return the function that an unknown equals where a row vanishes."""
    factor = row[name]
    return {other: -value / factor for other, value in row.items() if other != name}


def _put(row: Affine, name: str, value: Affine) -> Affine:
    if name not in row:
        return row
    result = {other: factor for other, factor in row.items() if other != name}
    for other, factor in value.items():
        _gain(result, other, row[name] * factor)
    return result


def _difference(left: Affine, right: Affine) -> Affine:
    result = dict(left)
    for name, factor in right.items():
        _gain(result, name, -factor)
    return result


def _at(row: Affine, values: dict[str, Fraction]) -> Fraction:
    return sum((factor * values.get(name, Fraction(name == CONSTANT)) for name, factor in row.items()), Fraction(0))

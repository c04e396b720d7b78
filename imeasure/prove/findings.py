"""From a table that breaks a claim to the refutation that a verdict shows: both sides' values, decoders, noise.

A table may have been found by floats; what a refutation says is computed from it anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, partial
from itertools import product
from math import log

import sympy

from imeasure.certificate.problem import Link, Problem
from imeasure.certificate.rows import ONE, Row, row_text
from imeasure.certificate.steps import functionals_of
from imeasure.certificate.symbolic import coefficients, samples
from imeasure.certificate.targets import Target
from imeasure.distribution import Distribution
from imeasure.prove.codes import Code
from imeasure.prove.decoders import averages, decoders, with_room
from imeasure.prove.mixtures import UniformMixture
from imeasure.prove.unknowns import width_name
from imeasure.prove.verdict import Refutation

BROKEN = 1e-9
"""By how much a table has to break a claim."""


@dataclass(frozen=True)
class Found:
    """A table with what goes with it.

    Attributes:
        build: Makes the table.
        entropy: Its joint entropies in nats, by bitmask of the problem.
        exact: Whether it obeys the facts exactly.
        unknowns: Values of functionals and logarithms of widths, in nats.
        odd: Whether decoders are wrong on odd outcomes only.
    """

    build: Callable[[], Distribution]
    entropy: Callable[[int], float]
    exact: bool
    unknowns: Mapping[str, float] = field(default_factory=dict)
    odd: bool = False


def code_table(problem: Problem, code: Code, rank: Callable[[int], int]) -> Found:
    """Return the table of a code that obeys a problem's facts exactly.

    Args:
        problem: The problem.
        code: The code.
        rank: The rank of each set of variables.

    Returns:
        The table, made when it is looked at.
    """
    unit = log(code.field)
    return Found(partial(code.distribution, problem.variables), lambda mask: unit * rank(mask), exact=True)


def spread_variables(problem: Problem) -> list[str]:
    """Return the continuous variables of a problem, noisy and noiseless ones included."""
    if problem.model is None:
        return []
    kinds = dict(problem.model.kinds)
    return [name for name in problem.variables if kinds.get(name, "discrete") != "discrete"]


def carriers(problem: Problem) -> dict[str, str]:
    """Return for each noiseless map the variable that has to contain the noise of the map's value."""
    if problem.model is None:
        return {}
    kinds = dict(problem.model.kinds)
    return {target: source for source, target in problem.model.edges if kinds.get(target) == "noiseless"}


def refutation(problem: Problem, target: Target, found: Found) -> Refutation | None:
    """Return what a table shows, or None if no values of the claim's parameters make it a counterexample.

    Args:
        problem: The problem.
        target: The row that the table makes negative.
        found: The table.

    Returns:
        The refutation; tables are only built when they are looked at.
    """
    divergences = sorted(text for text in found.unknowns if text.startswith("KL["))
    spread = spread_variables(problem)
    widths = {name: found.unknowns.get(width_name(name), 0.0) for name in spread}

    @cache
    def table() -> Distribution:
        return with_room(found.build(), divergences) if divergences else found.build()

    def spread_out(known: Distribution) -> Distribution | UniformMixture:
        inside = {name: width for name, width in widths.items() if name in known.names}
        return UniformMixture(known, inside, carriers(problem)) if inside else known

    def others() -> Mapping[str, Distribution | UniformMixture]:
        values = {text: found.unknowns[text] for text in divergences}
        made = decoders(table(), values, averages(problem) or {}, odd=found.odd)
        return {text: spread_out(q) for text, q in made.items()}

    def value(row: Row) -> float:
        total = 0.0
        for column, factor in row.items():
            if isinstance(column, str):
                part = found.unknowns.get(column, 0.0) if column.startswith("KL[") else found.unknowns[column]
            elif column == ONE:
                part = 1.0
            else:
                part = found.entropy(column)
                if spread:
                    part += sum(widths[name] for name in spread if problem.names.index[name] & column)
            total += float(factor) * part
        return total

    link = problem.links[target.link]
    functionals: dict[str, float] = {}
    if found.unknowns:
        functionals = {text: found.unknowns[text] for text in sorted(functionals_of(problem)) if text in found.unknowns}
    parts = partial(Refutation, lambda: spread_out(table()), exact=found.exact, functionals=functionals, others=others)
    if link.sides is None:
        return _with_parameters(problem, link, parts, value)
    left, right = link.sides
    text = problem.claim
    if len(problem.links) > 1:
        text = f"{row_text(left, problem.names)} {link.operator} {row_text(right, problem.names)}"
    return parts(value(left), link.operator, value(right), text)


def _with_parameters(
    problem: Problem, link: Link, parts: Callable[..., Refutation], value: Callable[[Row], float]
) -> Refutation | None:
    """Find values of the parameters at which what was found breaks the claim."""
    found = coefficients(link, problem)
    symbols = sorted({s for c in found.values() for s in c.free_symbols}, key=str)
    ranges = problem.ranges()
    weights = {column: value({column: 1}) for column in found}
    for point in product(*(samples(ranges.get(symbol, sympy.S.Reals)) for symbol in symbols)):
        at = dict(zip(symbols, point, strict=True))
        numbers = {column: c.subs(at) for column, c in found.items()}
        if not all(number.is_Rational for number in numbers.values()):
            continue
        excess = sum(float(number) * weights[column] for column, number in numbers.items())
        if (link.operator != ">=" and excess > BROKEN) or (link.operator != "<=" and excess < -BROKEN):
            values = {str(symbol): Fraction(int(v.p), int(v.q)) for symbol, v in at.items()}
            text = f"left side minus right side {link.operator} 0"
            return parts(excess, link.operator, 0.0, text, parameters=values)
    return None

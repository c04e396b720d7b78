"""Distributions that break a claim: linear codes first, then factored and named tables, all checked with the facts.

Codes have exact entropies, so facts without constants are checked exactly; tables are checked to 1e-12 in nats.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations

import networkx as nx
import numpy as np

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import ONE, Row
from imeasure.certificate.targets import Target
from imeasure.distribution import Distribution
from imeasure.prove.codes import Code, obeys, random_codes, small_code, small_codes
from imeasure.prove.limits import Limits
from imeasure.prove.verdict import Refutation

OBEYED = 1e-12
"""How far a float table may be from obeying a fact."""
BROKEN = 1e-9
"""By how much a float table has to break a claim."""


def refute(problem: Problem, target: Target, limits: Limits) -> Refutation | None:
    """Look for a distribution that obeys the facts and makes a target negative.

    Args:
        problem: The problem.
        target: The target, which would have to be at least zero.
        limits: Limits of the search.

    Returns:
        What was found, or None.
    """
    rows = [target.row, *(fact.row for fact in problem.facts)]
    if any(isinstance(column, str) for row in rows for column in row):
        return None
    if not any(ONE in row for row in rows):
        code = _code(problem, target.row, limits)
        if code is not None:
            return _from_code(problem, target, code)
    for distribution in _tables(problem):
        if limits.left <= 0:
            return None
        found = _from_table(problem, target, distribution)
        if found is not None:
            return found
    return None


def _code(problem: Problem, target: Row, limits: Limits) -> Code | None:
    count = len(problem.names)
    facts = [(fact.row, fact.equality) for fact in problem.facts]
    if count <= 5:
        bank = small_codes(count)
        wanted = _values(bank, target) < 0
        for row, equality in facts:
            if not wanted.any():
                break
            values = _values(bank, row)
            wanted &= values == 0 if equality else values >= 0
        found = np.flatnonzero(wanted)
        if len(found):
            return small_code(int(found[0]), count)
    for code in random_codes(count, 0, 300 if count <= 8 else 60):
        if limits.left <= 0:
            return None
        if code.value(target) < 0 and obeys(code, facts):
            return code
    return None


def _values(bank: np.ndarray[tuple[int, ...], np.dtype[np.int64]], row: Row) -> np.ndarray[tuple[int, ...], np.dtype]:
    scale = 1
    for value in row.values():
        scale = scale * Fraction(value).denominator // np.gcd(scale, Fraction(value).denominator)
    masks = list(row)
    weights = np.array([int(row[mask] * scale) for mask in masks], dtype=object)
    if sum(map(abs, weights)) < 2**50:
        weights = weights.astype(np.int64)
    return bank[:, masks] @ weights


def _from_code(problem: Problem, target: Target, code: Code) -> Refutation:
    def build() -> Distribution:
        return code.distribution(problem.variables)

    return _refutation(problem, target, build, lambda row: code.nats(row), exact=True)


def _refutation(problem: Problem, target: Target, build, value, *, exact: bool) -> Refutation:
    from imeasure.certificate.rows import row_of

    link = problem.links[target.link]
    left, right = value(row_of(link.left, problem.names)), value(row_of(link.right, problem.names))
    text = f"{problem.claim}"
    return Refutation(build, left, link.operator, right, text, exact)


def _tables(problem: Problem) -> Iterator[Distribution]:
    names = problem.variables
    if problem.model is not None and problem.model.edges and len(names) <= 6:
        graph = nx.DiGraph()
        graph.add_nodes_from(names)
        graph.add_edges_from(problem.model.edges)
        for seed in range(40):
            yield Distribution.random(graph, alphabet=2 + seed % 2, seed=seed, deterministic=0.5 * (seed % 3))
    if len(names) == 4:
        table = Distribution.named("four-atom")
        for order in permutations(names):
            yield Distribution(np.array(table.pmf), order)
    if len(names) <= 5 and not any(fact.equality for fact in problem.facts):
        for seed in range(20):
            yield Distribution.random(" ".join(names), seed=seed)


def _from_table(problem: Problem, target: Target, distribution: Distribution) -> Refutation | None:
    entropies = distribution.entropies()
    place = {problem.names.index[name]: 1 << i for i, name in enumerate(distribution.names)}

    def moved(mask: int) -> int:
        return sum(bit for own, bit in place.items() if mask & own)

    def value(row: Row) -> float:
        return sum(
            float(c) * (1.0 if mask == ONE else float(entropies[moved(mask)]))
            for mask, c in row.items()
            if isinstance(mask, int)
        )

    if value(target.row) > -BROKEN:
        return None
    for fact in problem.facts:
        off = value(fact.row)
        if off < -OBEYED or (fact.equality and off > OBEYED):
            return None
    return _refutation(problem, target, lambda: distribution, value, exact=False)

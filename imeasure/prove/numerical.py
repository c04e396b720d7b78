"""The last resort of refutation: tables that obey the facts by construction, moved downhill until they break the claim.

A mechanism is a set of outcomes whose probabilities are products of free conditional ones: a full table, a graph's
factors, independent roots that the variables are functions of. Independences and functional dependences hold in it for
all values of the parameters, so that rounding these to fractions loses nothing; other equations are solved for by
Newton's method, and only where their gradients are independent, so that an exact solution is near (Kantorovich).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

import numpy as np

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import Row
from imeasure.distribution import Distribution
from imeasure.prove.banks import Floats
from imeasure.prove.dag import find_dag
from imeasure.prove.exactness import ROUNDING, determined, holds, is_structural, value_of
from imeasure.prove.limits import Limits
from imeasure.prove.mechanisms import Mechanism, factors, full, rooted

RESTARTS = 24
"""Starting points for each mechanism."""
STEPS = 200
"""Steps from each starting point."""
RATE = 0.15
"""Size of the first steps, in logarithms of probabilities."""
PENALTY = 30.0
"""Weight of the squared distance from a fact, relative to the joint entropy."""
DENOMINATORS = (2, 3, 4, 6, 10, 20, 50, 100, 1000, 10**4, 10**6)
"""Denominators that are tried one after the other for the probabilities."""
MARGIN = 1e-3
"""Least margin where facts hold to 1e-12 only."""
REGULAR = 1e-4
"""Least singular value of the gradients of equations that are solved for."""
MECHANISMS = 12
"""Most mechanisms that are searched."""
DRAWN = 300
"""How many random mechanisms are looked at, of which those that obey the facts are kept."""


class Numerical:
    """The search for one problem, the same every time.

    Args:
        problem: The problem, without functionals.
        limits: Limits of the search.
    """

    def __init__(self, problem: Problem, limits: Limits) -> None:
        self.problem = problem
        self.limits = limits
        self.count = len(problem.names)
        self.facts = [fact for fact in problem.facts if fact.row]
        self.structural = [fact for fact in self.facts if is_structural(fact)]
        self.equations = [fact for fact in self.facts if fact.equality and not is_structural(fact)]
        self.bounds = [fact for fact in self.facts if not fact.equality]

    def search(self, row: Row) -> Iterator[Distribution]:
        """Yield tables that may break a row.

        Args:
            row: The row, over joint entropies.

        Yields:
            Tables: those of rational probabilities obey the facts exactly, others to 1e-12.
        """
        if not self.count:
            return
        for mechanism in islice(self._mechanisms(), MECHANISMS):
            if self.limits.left <= 0:
                return
            yield from self._descend(mechanism, row)

    def _mechanisms(self) -> Iterator[Mechanism]:
        generator = np.random.default_rng(self.count)
        if not self.structural:
            if self.count <= 5:
                yield full(self.count, 2)
            if self.count <= 3:
                yield full(self.count, 3)
            return
        candidates: list[Mechanism] = []
        dag = find_dag(self.problem) if self.count <= 8 else None
        if dag is not None:
            candidates = [factors(dag, self.count, alphabet) for alphabet in ((2, 3) if self.count <= 4 else (2,))]
        drawn = (rooted(self.count, number, generator, self._functions) for number in range(DRAWN))
        for mechanism in (*candidates, *drawn):
            if self._obeys(mechanism, generator):
                yield mechanism

    @cached_property
    def _functions(self) -> list[tuple[int, int]]:
        """The functional dependences among the facts: what is determined, and by what."""
        return [dependence for fact in self.structural if (dependence := determined(fact)) is not None]

    def _obeys(self, mechanism: Mechanism, generator: np.random.Generator) -> bool:
        """Return whether a mechanism obeys the facts of structure at a random point."""
        at = mechanism.logits(generator, 1)
        return (
            all(abs(float(mechanism.entropies(at, fact.row)[0])) < 1e-12 for fact in self.structural)
            and not mechanism.is_trivial()
        )

    def _descend(self, mechanism: Mechanism, row: Row) -> Iterator[Distribution]:
        generator = np.random.default_rng(mechanism.size)
        logits = mechanism.logits(generator, RESTARTS)
        everything: Row = {(1 << self.count) - 1: 1}
        wanted = [row, everything, *(fact.row for fact in (*self.equations, *self.bounds))]
        signed = np.array([0.0] * 2 + [1.0] * len(self.equations) + [-1.0] * len(self.bounds))
        first, second = np.zeros_like(logits), np.zeros_like(logits)
        for step in range(1, STEPS + 1):
            if step % 16 == 0 and self.limits.left <= 0:
                return
            values, gradients = mechanism.gradients(logits, wanted)
            size = np.maximum(values[:, 1], 1e-3)
            ratio = values / size[:, None]
            off = np.where(signed > 0, ratio, np.where(signed < 0, np.minimum(ratio, 0.0), 0.0))
            weights = 2 * PENALTY * off / size[:, None]
            weights[:, 0] = 1 / size
            weights[:, 1] = -(ratio[:, 0] + 2 * PENALTY * (off**2).sum(axis=1)) / size
            slope = np.einsum("rk,rke->re", weights, gradients)
            first = 0.9 * first + 0.1 * slope
            second = 0.99 * second + 0.01 * slope**2
            rate = RATE * (1.0 - 0.9 * step / STEPS)
            logits = logits - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
        values, _ = mechanism.gradients(logits, wanted)
        order = np.argsort(values[:, 0] / np.maximum(values[:, 1], 1e-3), kind="stable")
        for number in order[:3].tolist():
            if values[number, 0] < -ROUNDING:
                finish = self._solved if self.equations else self._rounded
                yield from finish(mechanism, logits[number], row)

    def _rounded(self, mechanism: Mechanism, logits: Floats, row: Row) -> Iterator[Distribution]:
        """Yield the roundest exact table near a point that still breaks the row."""
        for denominator in DENOMINATORS:
            cells = mechanism.rational(logits, denominator)
            if cells is None:
                continue
            table = mechanism.table(cells, self.problem.variables)
            entropies = table.entropies()
            if value_of(row, entropies) > -ROUNDING:
                continue
            if all(holds(fact, table, entropies) for fact in self.facts):
                yield table
                return

    def _solved(self, mechanism: Mechanism, logits: Floats, row: Row) -> Iterator[Distribution]:
        """Yield the table nearby that obeys all equations, if their gradients are independent there."""
        wanted = [fact.row for fact in self.equations]
        at = logits[None, :]
        for _ in range(30):
            values, gradients = mechanism.gradients(at, wanted)
            if float(np.abs(values).max()) < 1e-14:
                break
            at = at - (np.linalg.pinv(gradients[0]) @ values[0])[None, :]
            if not np.isfinite(at).all():
                return
        values, gradients = mechanism.gradients(at, [*wanted, row, *(fact.row for fact in self.bounds)])
        count = len(wanted)
        independent = np.linalg.svd(gradients[0, :count], compute_uv=False).min() > REGULAR
        near = float(np.abs(values[0, :count]).max()) < 1e-13
        if near and independent and values[0, count] < -MARGIN and (values[0, count + 1 :] > ROUNDING).all():
            yield mechanism.table(mechanism.probabilities(at)[0].tolist(), self.problem.variables)

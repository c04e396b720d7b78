"""The search for a proof of one target: cheap exact attempts first, the linear program last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache

import numpy as np

from imeasure.certificate.problem import Problem, read_problem
from imeasure.certificate.proof import same
from imeasure.certificate.rows import ONE, Column, Row, add, quantity_text
from imeasure.certificate.steps import Combination, functionals_of, jensen_pairs, step_row, total
from imeasure.certificate.targets import Target
from imeasure.prove.combine import combine
from imeasure.prove.dag import Dag, find_dag
from imeasure.prove.limits import Limits
from imeasure.prove.lp import Elementals, Program, ProofRow
from imeasure.prove.markov import MarkovSpace
from imeasure.prove.space import Space, dependences
from imeasure.prove.symmetry import Orbits, Tagged, generators
from imeasure.prove.uncross import Sets, uncross
from imeasure.shannon import bits

MANY = 7
"""From so many variables on, symmetries are looked for."""
FEW = 6
"""Up to so many facts, short proofs that use them are tried."""
PROVED = -1e-9
"""Least value of a linear program that is taken for zero; the exact sum decides."""


class Search:
    """Proofs of targets that share their facts.

    Args:
        problem: The problem.
        wanted: Its targets.
        limits: Limits of the search.
    """

    def __init__(self, problem: Problem, wanted: Iterable[Target], limits: Limits) -> None:
        self.problem = problem
        self.limits = limits
        self.space = choose_space(problem, [target.row for target in wanted])
        self._wanted = [target.row for target in wanted]
        self._orbits: Orbits | None = None
        self.violation: Mapping[str, Fraction | float] | None = None
        self._program: Program | None = None
        lattice = self.space if isinstance(self.space, Space) else None
        self._sets = Sets(
            lattice.closure if lattice else lambda mask: mask, lattice.base if lattice else 0, problem.nonnegative
        )

    @property
    def dag(self) -> Dag | None:
        """The graph of the problem's independences, if they form one."""
        return self.space.dag if isinstance(self.space, MarkovSpace) else None

    def quick(self, row: Row) -> Combination | None:
        """Return a proof that needs no linear program, or None.

        Args:
            row: The row.

        Returns:
            The proof, if the row vanishes under the facts, or falls to uncrossing.
        """
        wanted = self.space.represent(row)
        if not wanted:
            return self._close({}, row)
        for start, with_facts in self._starts(row, wanted):
            short = uncross(start, self._sets)
            if short is not None:
                combine(short, with_facts)
                if (closed := self._close(short, row)) is not None:
                    return closed
        return None

    def _starts(self, row: Row, wanted: Row) -> Iterator[tuple[Row, Combination]]:
        """Yield the row, and the row less a fact, or less all of them, each with the facts taken away."""
        lattice = isinstance(self.space, Space)
        base = wanted if lattice else row
        yield base, {}
        if len(self.space.facts if lattice else self.problem.facts) > FEW or len(row) > 40:
            return
        facts = [(k, self.problem.facts[k]) for k in (self.space.facts if lattice else range(len(self.problem.facts)))]
        rows = {k: self.space.represent(fact.row) if lattice else fact.row for k, fact in facts}
        for k, fact in facts:
            for sign in (1, -1) if fact.equality else (1,):
                yield add(dict(base), rows[k], -sign), {("fact", k): sign}
        if len(facts) > 1:
            for sign in (1, -1) if all(fact.equality for _, fact in facts) else (1,):
                rest = dict(base)
                for k, _ in facts:
                    add(rest, rows[k], -sign)
                yield rest, {("fact", k): sign for k, _ in facts}

    def prove(self, row: Row) -> Combination | None:
        """Return an exact proof that a row is at least zero, or None.

        Args:
            row: The row.

        Returns:
            The proof; if there is none, :attr:`violation` holds what breaks the row, where that is known.

        Raises:
            LimitReached: If a limit is reached.
        """
        wanted = self.space.represent(row)
        if not wanted:
            return self._close({}, row)
        if self._program is None:
            self._orbits = self._symmetry()
            self._program = build(self.space, self.limits, self._orbits)
        program = self._program
        if self._orbits is not None:
            wanted = self._orbits.row(wanted)
        if any(column not in program.index for column in wanted):
            return None
        value, point = program.minimise(wanted)
        if value >= PROVED:
            proof = program.prove()
            if proof is not None and self._orbits is not None:
                proof = self._orbits.spread(proof)
            return None if proof is None else self._close(proof, row)
        self._keep(program, point)
        return None

    def _symmetry(self) -> Orbits | None:
        """Return the orbits under the permutations that keep claim and facts, where that pays."""
        problem = self.problem
        count = len(problem.names)
        rows: list[Tagged] = list(enumerate(self._wanted))
        rows += [(-1 if fact.equality else -2, fact.row) for fact in problem.facts]
        plain = all(isinstance(column, int) and column != ONE for _, row in rows for column in row)
        if not isinstance(self.space, Space) or count < MANY or problem.real or not plain:
            return None
        group = generators(rows, count)
        return Orbits(group, problem) if group else None

    def _close(self, proof: Combination, row: Row) -> Combination | None:
        """Add the proofs that sets have the entropy of their closures, and compare the sum with the row."""
        missing = add(dict(row), total(proof, self.problem), -1)
        if missing:
            combine(proof, self.space.close(missing))
        return proof if same(total(proof, self.problem), row) else None

    def _keep(self, program: Program, point: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        names = self.problem.names
        size = float(np.abs(point).max()) or 1.0
        values: dict[str, Fraction | float] = {}
        for column, value in zip(program.columns, (point / size).tolist(), strict=True):
            text = (
                str(column) if isinstance(column, str) else "1" if column == ONE else quantity_text([column], 0, names)
            )
            values[text] = round(value, 9)
        self.violation = values


def choose_space(problem: Problem, rows: list[Row]) -> Space | MarkovSpace:
    """Return the space that fits a problem's facts.

    Args:
        problem: The problem.
        rows: The targets.

    Returns:
        A graph's space if there are independences and no functional dependences, otherwise a lattice.
    """
    if problem.facts:
        if dependences(problem):
            return Space(problem, rows)
        dag = find_dag(problem)
        if dag is not None:
            return MarkovSpace(problem, rows, dag)
    return Space(problem, rows)


def build(space: Space | MarkovSpace, limits: Limits, orbits: Orbits | None = None) -> Program:
    """Return the linear program of a space.

    Args:
        space: The space.
        limits: Limits of the search.
        orbits: Orbits of sets that need not be told apart.

    Returns:
        The program, all facts in it.
    """
    problem = space.problem
    candidates: Elementals | None = None
    if isinstance(space, MarkovSpace):
        columns, floors, rows = space.columns(limits)
    else:
        sets = space.members(limits, orbits.least if orbits else None)
        bottom = sets[0]
        columns, rows = [*sets[1:]], []
        floors = [
            {("H", mask & ~bottom, bottom): 1} if problem.nonnegative(mask & ~bottom) else None for mask in sets[1:]
        ]
    for k in space.facts:
        fact = problem.facts[k]
        row = space.represent(fact.row)
        row = orbits.row(row) if orbits else row
        if row and row not in [known.row for known in rows]:
            reverse: Combination | None = {("fact", k): -1} if fact.equality else None
            rows.append(ProofRow(row, {("fact", k): 1}, fact.equality, reverse))
    functionals = sorted(functionals_of(problem))
    rows += [ProofRow({text: 1}, {("KL", text): 1}) for text in functionals if text.startswith("KL[")]
    for pair in jensen_pairs(problem):
        key = ("Jensen", *pair)
        rows.append(ProofRow(space.represent(step_row(key, problem)), {key: 1}))
    columns += functionals
    floors += [None] * len(functionals)
    if any(ONE in fact.row for fact in problem.facts) or any(link.row and ONE in link.row for link in problem.links):
        columns.append(ONE)
        floors.append({("one",): 1})
    if isinstance(space, Space):
        candidates = _all_elementals(len(problem.names)) if orbits is None and space.is_free() else elementals(space, sets, orbits)
    return Program(columns, rows, candidates or Elementals.none(), floors, limits)


@lru_cache(maxsize=8)
def _all_elementals(count: int) -> Elementals:
    problem = read_problem("H[" + ",".join(f"V{i}" for i in range(count)) + "] >= 0")
    space = Space(problem, [{1 << i: 1} for i in range(count)])
    return elementals(space, space.members(Limits(sets=1 << count)))


def elementals(space: Space, sets: list[int], orbits: Orbits | None = None) -> Elementals:
    """Return the elemental inequalities of a lattice.

    Args:
        space: The lattice.
        sets: Its members, the bottom first; one of each orbit if there are orbits.
        orbits: Orbits of sets that need not be told apart.

    Returns:
        Submodularity between any two sets that cover the same one, and monotonicity where it holds.
    """
    problem = space.problem
    place = {mask: i - 1 for i, mask in enumerate(sets)}
    place[sets[0]] = zero = -1
    least: Callable[[int], int] = orbits.least if orbits else int
    found: dict[tuple[int, int, int, int], Combination] = {}
    for k in sets:
        covers = sorted({space.hull(k | 1 << bit) for bit in bits(space.universe & ~k)})
        places = [place[least(s)] for s in covers]
        for position, s in enumerate(covers):
            if problem.nonnegative(s & ~k):
                found.setdefault((places[position], zero, zero, place[k]), {("H", s & ~k, k): 1})
            for other in range(position + 1, len(covers)):
                t = covers[other]
                if s & t == k:
                    first, second = sorted((places[position], places[other]))
                    joined = place[least(space.closure(s | t))]
                    found.setdefault((first, second, joined, place[k]), {("I", s & ~k, t & ~k, k): 1})
    table = np.array(list(found), dtype=np.int64).reshape(-1, 4)
    return Elementals(table[:, 0], table[:, 1], table[:, 2], table[:, 3], list(found.values()))

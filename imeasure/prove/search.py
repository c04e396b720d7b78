"""The search for a proof of one target: cheap exact attempts first, the linear program last.

What structure the claim has, facts, graphs, symmetries, shrinks the program before it is solved. Its proofs are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache

import numpy as np

from imeasure.certificate.problem import Problem, read_problem
from imeasure.certificate.proof import same
from imeasure.certificate.rows import ONE, Column, Row, add, quantity_text
from imeasure.certificate.steps import Combination, functionals_of, jensen_pairs, step_row, total
from imeasure.prove import marginal
from imeasure.prove.combine import closing, combine
from imeasure.prove.dag import Dag, find_dag
from imeasure.prove.limits import LOOK, Limits
from imeasure.prove.lp import Elementals, Program, ProofRow
from imeasure.prove.markov import MarkovSpace
from imeasure.prove.non_shannon import MOST, violated
from imeasure.prove.space import Space, dependences, full_space
from imeasure.prove.symmetry import Orbits, Tagged, generators
from imeasure.prove.uncross import Sets, cover, uncross
from imeasure.shannon import bits

SMALL = 4
"""Up to so many variables a linear program over all sets is faster than taking them apart."""
WHOLE = 5
"""Up to so many variables a linear program over all sets is faster than one over those that a graph leaves."""
KEPT = 6
"""Up to so many variables the linear program without facts is built once; each use starts from scratch all the same."""
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
        wanted: The rows that will be asked for.
        limits: Limits of the search.
        non_shannon: Whether to add Zhang-Yeung inequalities.
    """

    def __init__(self, problem: Problem, wanted: Iterable[Row], limits: Limits, *, non_shannon: bool = False) -> None:
        self.problem = problem
        self.limits = limits
        self.non_shannon = non_shannon
        self._wanted = list(wanted)
        self.space: Space | MarkovSpace
        self._units: list[int] = []
        if non_shannon:
            self.space, self._units = full_space(problem, self._wanted)
        if not 0 < len(self._units) <= MOST:
            self.space = choose_space(problem, self._wanted, limits)
        self.dag: Dag | None = self.space.dag if isinstance(self.space, MarkovSpace) else None
        """The graph of the problem's independences, if they form one."""
        self._orbits: Orbits | None = None
        self.point: dict[Column, float] = {}
        """Where the last row that was not proved is negative."""
        self._programs: dict[int | None, Program] = {}
        lattice = self.space if isinstance(self.space, Space) else None
        self._sets = Sets(
            lattice.closure if lattice else lambda mask: mask,
            lattice.base if lattice else 0,
            problem.nonnegative,
            limits,
        )

    @property
    def once(self) -> bool:
        """Whether a single attempt decides."""
        return len(self.space.depths()) == 1

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
        if isinstance(self.space, MarkovSpace) and (short := marginal.prove(self.space, row)) is not None:
            return self._close(short, row)
        for start, with_facts in self._starts(row, wanted):
            short = uncross(start, self._sets)
            if short is not None:
                combine(short, with_facts)
                if (closed := self._close(short, row)) is not None:
                    return closed
        for above in (False, True):
            short = cover(wanted if isinstance(self.space, Space) else row, self._sets, above=above)
            if short is not None and (closed := self._close(short, row)) is not None:
                return closed
        return None

    def _starts(self, row: Row, wanted: Row) -> Iterator[tuple[Row, Combination]]:
        """Yield the row, and the row less a fact, or less all of them, each with the facts taken away."""
        lattice = isinstance(self.space, Space)
        base = wanted if lattice else row
        yield base, {}
        if not lattice and wanted != row:
            yield wanted, {}
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

    def prove(self, row: Row, *, first: bool = False) -> Combination | None:
        """Return an exact proof that a row is at least zero, or None.

        Args:
            row: The row.
            first: Whether to make the first attempt only, which is all there is to make where :attr:`once` is true.

        Returns:
            The proof; if there is none, :attr:`point` breaks the row.

        Raises:
            LimitReached: If a limit is reached.
        """
        if not self.space.represent(row):
            return self._close({}, row)
        if isinstance(self.space, MarkovSpace) and len(self.problem.names) <= WHOLE:
            self.space = Space(self.problem, [*self._wanted, row])
        for depth in self.space.depths()[:1] if first else self.space.depths():
            program = self._program(row, depth)
            wanted = self.on_columns(row)
            if any(column not in program.index for column in wanted):
                self.point = {}
                continue
            value, point = program.minimise(wanted)
            while self.non_shannon and value < PROVED:
                self.point = dict(zip(program.columns, point.tolist(), strict=True))
                more = [ProofRow(self.on_columns(cut), {key: 1}) for key, cut in violated(self._units, self.entropy)]
                if not more:
                    break
                rows = [*program.rows, *more]
                program = Program(program.columns, rows, program.elementals, program.floors, program.limits)
                value, point = program.minimise(wanted)
            self._programs[depth] = program
            if value >= PROVED:
                proof = program.prove()
                if proof is not None:
                    return self._close(self._orbits.spread(proof) if self._orbits else proof, row)
                continue
            self.point = dict(zip(program.columns, point.tolist(), strict=True))
        return None

    def _program(self, row: Row, depth: int | None) -> Program:
        if depth not in self._programs:
            self._orbits = self._symmetry()
            rows = [self.space.represent(found) for found in [*self._wanted, row]]
            self._programs[depth] = build(
                self.space,
                self.limits,
                self._orbits,
                extra=[self._orbits.row(r) for r in rows] if self._orbits else rows,
                depth=depth,
                kept=not self.non_shannon,
            )
        return self._programs[depth]

    def _symmetry(self) -> Orbits | None:
        """Return the orbits under the permutations that keep claim and facts, where that pays."""
        problem = self.problem
        count = len(problem.names)
        rows: list[Tagged] = list(enumerate(self._wanted))
        rows += [(-1 if fact.equality else -2, fact.row) for fact in problem.facts]
        plain = all(isinstance(column, int) and column != ONE for _, row in rows for column in row)
        if not isinstance(self.space, Space) or count < MANY or problem.real or self.non_shannon or not plain:
            return None
        group = generators(rows, count, self.limits)
        return Orbits(group, problem) if group else None

    def _close(self, proof: Combination, row: Row) -> Combination | None:
        """Add the proofs that sets have the entropy of their closures, and compare the sum with the row."""
        missing = add(dict(row), total(proof, self.problem), -1)
        if not missing:
            return proof
        combine(proof, closing(missing, self.space.gap))
        return proof if same(total(proof, self.problem), row) else None

    def on_columns(self, row: Row) -> Row:
        """Return a row over the columns of the linear program."""
        represented = self.space.represent(row)
        return self._orbits.row(represented) if self._orbits is not None else represented

    def entropy(self, mask: int) -> float:
        """Return a joint entropy at the last point that broke a row."""
        row = self.on_columns({mask: 1} if mask else {})
        return float(sum(float(value) * self.point.get(column, 0.0) for column, value in row.items()))

    def contains(self, point: dict[Column, Fraction]) -> bool:
        """Return whether a rational point obeys all rows of the linear program, exactly."""
        return None in self._programs and self._programs[None].contains(point)


def violation(point: Mapping[Column, float], problem: Problem) -> dict[str, Fraction]:
    """Return a point that breaks a row, rationalised, as values of quantities.

    Args:
        point: Values by column.
        problem: The problem whose names the quantities have.

    Returns:
        Values by quantity, scaled so that the constant, or else the largest, is 1.
    """
    unit = point.get(ONE, 0.0)
    size = unit if unit > 1e-9 else max(map(abs, point.values()), default=0.0) or 1.0
    values: dict[str, Fraction] = {}
    for column, value in point.items():
        text = (
            str(column)
            if isinstance(column, str)
            else "1"
            if column == ONE
            else quantity_text([column], 0, problem.names)
        )
        values[text] = Fraction(value / size).limit_denominator(10**6)
    return values


def choose_space(problem: Problem, rows: list[Row], limits: Limits) -> Space | MarkovSpace:
    """Return the space that fits a problem's facts.

    Args:
        problem: The problem.
        rows: The targets.
        limits: Limits of the search.

    Returns:
        A graph's space if there are independences and no functional dependences, otherwise a lattice.
    """
    if problem.facts:
        if len(problem.names) <= SMALL or dependences(problem):
            return Space(problem, rows)
        dag = find_dag(problem)
        if dag is not None:
            return MarkovSpace(problem, rows, dag, limits)
    return Space(problem, rows)


def build(
    space: Space | MarkovSpace,
    limits: Limits,
    orbits: Orbits | None = None,
    *,
    extra: Iterable[Row] = (),
    depth: int | None = None,
    kept: bool = True,
) -> Program:
    """Return the linear program of a space.

    Args:
        space: The space.
        limits: Limits of the search.
        orbits: Orbits of sets that need not be told apart.
        extra: Rows, over the space's sets, whose columns have to be there.
        depth: On how many variables a graph's inequalities may be conditioned; None for any number.
        kept: Whether a program that other problems have used may serve.

    Returns:
        The program, all facts in it.
    """
    problem = space.problem
    candidates: Elementals | None = None
    if isinstance(space, Space) and not problem.facts and kept and _is_plain(space, extra):
        program = _free_program(len(problem.names))
        program.limits = limits
        return program
    if isinstance(space, MarkovSpace):
        columns, floors, rows = space.columns(limits, depth)
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
        if row and (orbits is None or (row, fact.equality) not in [(known.row, known.equality) for known in rows]):
            reverse: Combination | None = {("fact", k): -1} if fact.equality else None
            rows.append(ProofRow(row, {("fact", k): 1}, fact.equality, reverse))
    functionals = sorted(functionals_of(problem))
    rows += [ProofRow({text: 1}, {("KL", text): 1}) for text in functionals if text.startswith("KL[")]
    for pair in jensen_pairs(problem):
        key = ("Jensen", *pair)
        rows.append(ProofRow(space.represent(step_row(key, problem)), {key: 1}))
    known = set(columns)
    missing = {column for row in [*(r.row for r in rows), *extra] for column in row} - known
    for column in sorted(missing, key=str):
        columns.append(column)
        if column == ONE:
            floors.append({("one",): 1})
        elif isinstance(column, int) and problem.nonnegative(column):
            floors.append({("H", column, 0): 1})
        else:
            floors.append(None)
    if isinstance(space, Space):
        candidates = _all_elementals(len(problem.names)) if orbits is None and space.is_free() else None
        candidates = candidates or elementals(space, sets, limits, orbits)
    return Program(columns, rows, candidates or Elementals.none(), floors, limits)


def _is_plain(space: Space, rows: Iterable[Row]) -> bool:
    """Return whether a small program without facts, which can be kept, serves rows over all sets."""
    small = 0 < len(space.problem.names) <= KEPT
    return small and space.is_free() and all(isinstance(c, int) and c != ONE for row in rows for c in row)


@lru_cache(maxsize=KEPT)
def _free_program(count: int) -> Program:
    columns: list[Column] = [*sorted(range(1, 1 << count), key=lambda mask: (mask.bit_count(), mask))]
    floors: list[Combination | None] = [{("H", mask, 0): 1} for mask in columns]
    return Program(columns, [], _all_elementals(count), floors, Limits())


@lru_cache(maxsize=8)
def _all_elementals(count: int) -> Elementals:
    problem = read_problem("H[" + ",".join(f"V{i}" for i in range(count)) + "] >= 0")
    space = Space(problem, [{1 << i: 1} for i in range(count)])
    limits = Limits(sets=1 << count)
    return elementals(space, space.members(limits), limits)


def elementals(space: Space, sets: list[int], limits: Limits, orbits: Orbits | None = None) -> Elementals:
    """Return the elemental inequalities of a lattice.

    Args:
        space: The lattice.
        sets: Its members, the bottom first; one of each orbit if there are orbits.
        limits: How long this may take.
        orbits: Orbits of sets that need not be told apart.

    Returns:
        Submodularity between any two sets that cover the same one, and monotonicity where it holds.

    Raises:
        LimitReached: If it takes longer.
    """
    problem = space.problem
    place = {mask: i - 1 for i, mask in enumerate(sets)}
    place[sets[0]] = zero = -1
    free = space.is_free()
    least: Callable[[int], int] = orbits.least if orbits else int
    found: dict[tuple[int, int, int, int], Combination] = {}
    for k in sets:
        covers = sorted({space.hull(k | 1 << bit) for bit in bits(space.universe & ~k)})
        places = [place[least(s)] for s in covers]
        for position, s in enumerate(covers):
            if position % LOOK == LOOK - 1:
                limits.require_time()
            # Where every set is a member, monotonicity at the top and submodularity give it elsewhere.
            if problem.nonnegative(s & ~k) and (s == space.universe or not free):
                found.setdefault((places[position], zero, zero, place[k]), {("H", s & ~k, k): 1})
            for other in range(position + 1, len(covers)):
                t = covers[other]
                if s & t == k:
                    first, second = sorted((places[position], places[other]))
                    joined = place[least(space.closure(s | t))]
                    found.setdefault((first, second, joined, place[k]), {("I", s & ~k, t & ~k, k): 1})
    table = np.array(list(found), dtype=np.int64).reshape(-1, 4)
    return Elementals(table[:, 0], table[:, 1], table[:, 2], table[:, 3], list(found.values()))

"""Spaces whose independences form a graph: joint entropies of sets that the graph takes apart are sums of smaller ones.

If M separates a from the rest of S, then ``h(S) = h(S - a) + h(a, M) - h(M)``. What remains are the sets in which
nothing separates; on a Markov chain these are single variables and pairs, n(n+1)/2 of them instead of 2^n.
"""

from __future__ import annotations

from collections.abc import Iterable

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import ONE, Column, Row, add, information
from imeasure.certificate.steps import Combination
from imeasure.prove.combine import combine
from imeasure.prove.dag import Dag, bits_of
from imeasure.prove.limits import LOOK, Limits
from imeasure.prove.lp import ProofRow
from imeasure.shannon import subsets

ENUMERATED = 7
"""Up to so many variables all elemental inequalities are considered; beyond, those that grow from small conditions."""


class MarkovSpace:
    """The sets in which a graph separates nothing, and how every other set's entropy follows from theirs.

    Args:
        problem: The problem.
        rows: The rows that have to be expressible, such as the claim's targets.
        dag: The graph.
        limits: Limits of the search.
    """

    def __init__(self, problem: Problem, rows: Iterable[Row], dag: Dag, limits: Limits) -> None:
        self.problem = problem
        self.limits = limits
        self.dag = dag
        self.facts = [k for k in range(len(problem.facts)) if k not in dag.facts]
        kept = 0
        for row in [*rows, *(problem.facts[k].row for k in self.facts)]:
            for column in row:
                if isinstance(column, int):
                    kept |= column
        self.active = dag.relevant(kept, contract=not problem.real)
        self._rows: dict[int, Row] = {}
        self._gaps: dict[tuple[int, int], Combination] = {}

    def split(self, mask: int) -> tuple[int, int] | None:
        """Return a member a of a set and the M that separates it from the rest, or None if there is none."""
        best: tuple[int, int] | None = None
        if mask.bit_count() > LOOK:
            self.limits.require_time()
        for bit, near in self.dag.neighbours(mask).items():
            if mask & ~near & ~bit and (best is None or near.bit_count() < best[1].bit_count()):
                best = bit, near
        return best

    def entropy(self, mask: int) -> Row:
        """Return the joint entropy of a set over sets in which nothing separates."""
        found = self._rows.get(mask)
        if found is None:
            parts = self.split(mask)
            if parts is None:
                found = {mask: 1}
            else:
                bit, near = parts
                found = dict(self.entropy(mask & ~bit))
                add(found, self.entropy(bit | near))
                if near:
                    add(found, self.entropy(near), -1)
            self._rows[mask] = found
        return found

    def represent(self, row: Row) -> Row:
        """Return a row over sets in which nothing separates that is equal to it under the facts."""
        result: Row = {}
        for column, value in row.items():
            if isinstance(column, int) and column != ONE:
                add(result, self.entropy(column), value)
            else:
                add(result, {column: value})
        return result

    def gap(self, mask: int, sign: int) -> Combination:
        """Return a proof that ``sign * (h(S) - what represents it) >= 0``.

        Args:
            mask: The set S.
            sign: 1 or -1.

        Returns:
            The proof; both signs have one.
        """
        key = (mask, sign)
        found = self._gaps.get(key)
        if found is None:
            found = {}
            parts = self.split(mask)
            if parts is not None:
                bit, near = parts
                rest = mask & ~bit & ~near
                if sign < 0:
                    combine(found, {("I", bit, rest, near): 1})
                else:
                    combine(found, self.dag.separate(bit, rest, near))
                combine(found, self.gap(mask & ~bit, sign))
                combine(found, self.gap(bit | near, sign))
                if near:
                    combine(found, self.gap(near, -sign))
            self._gaps[key] = found
        return found

    def depths(self) -> tuple[int | None, ...]:
        """Return how many variables inequalities may be conditioned on, attempt by attempt; None for any number."""
        return (None,) if self.active.bit_count() <= ENUMERATED else (1, None)

    def columns(
        self, limits: Limits, depth: int | None = None
    ) -> tuple[list[Column], list[Combination | None], list[ProofRow]]:
        """Return the columns of the linear program, the proofs that they are at least zero, and its rows.

        Args:
            limits: Limits of the search.
            depth: On how many variables inequalities may be conditioned beyond what separates; None for any number.

        Returns:
            Columns, a proof (or None) for each, and rows without the facts.

        Raises:
            LimitReached: If there are too many.
        """
        rows: dict[tuple[tuple[Column, object], ...], ProofRow] = {}

        def keep(row: Row, proof: Combination) -> None:
            represented = self.represent(row)
            if represented:
                key = tuple(sorted(represented.items(), key=str))
                rows.setdefault(key, ProofRow(represented, proof))
                limits.require_size(len(rows) // 20)

        members = list(bits_of(self.active))
        for bit in members:
            if self.problem.nonnegative(bit):
                near = self.dag.neighbours(self.active)[bit]
                keep(information([bit], near), {("H", bit, near): 1})
        for position, i in enumerate(members):
            for j in members[position + 1 :]:
                for given in self._conditions(i, j, limits, depth):
                    keep(information([i, j], given), {("I", i, j, given): 1})
        found = {column for row in rows.values() for column in row.row if isinstance(column, int)}
        for bit in members:
            found |= {column for column in self.entropy(bit) if isinstance(column, int)}
        columns: list[Column] = [*sorted(found, key=lambda mask: (int(mask).bit_count(), mask))]
        floors: list[Combination | None] = [
            {("H", mask, 0): 1} if isinstance(mask, int) and self.problem.nonnegative(mask) else None
            for mask in columns
        ]
        return columns, floors, list(rows.values())

    def _conditions(self, i: int, j: int, limits: Limits, depth: int | None) -> Iterable[int]:
        others = self.active & ~i & ~j
        if self.active.bit_count() <= ENUMERATED:
            for given in subsets(others):
                if self.dag.neighbours(i | j | given)[i] & j:
                    yield given
            return
        seen = {0}
        frontier = [0]
        while frontier:
            following = []
            for given in frontier:
                limits.require_time()
                if self.dag.neighbours(i | j | given)[i] & j:
                    yield given
                if given.bit_count() == depth:
                    continue
                for bit in bits_of(others & ~given):
                    grown = given | bit
                    if grown not in seen and self._irreducible(grown, i | j):
                        seen.add(grown)
                        following.append(grown)
            frontier = following

    def _irreducible(self, given: int, pair: int) -> bool:
        near = self.dag.neighbours(given | pair)
        while given:
            bit = given & -given
            if not near[bit] & pair:
                return False
            given ^= bit
        return True

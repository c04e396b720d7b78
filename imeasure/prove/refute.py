"""Distributions that break a claim: linear codes first, then factored and named tables, all checked with the facts.

Codes have exact entropies, so that facts without constants are checked exactly; tables are checked to 1e-12 nats.
Values of functionals and the scale of continuous variables are solved for beside a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from math import log

import networkx as nx
import numpy as np

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import ONE, Row
from imeasure.certificate.steps import functionals_of
from imeasure.certificate.targets import Target
from imeasure.distribution import Distribution
from imeasure.distribution.tables import MAX_AXES
from imeasure.prove.banks import (
    Floats,
    Integers,
    four_atoms,
    graph_codes,
    larger_codes,
    random_codes,
    random_tables,
    rank_values,
)
from imeasure.prove.codes import ALL, Code, assigned, distinct_ranks, ranks
from imeasure.prove.dag import Dag
from imeasure.prove.decoders import averages, decoders, groups, with_room
from imeasure.prove.exactness import holds, value_of
from imeasure.prove.findings import BROKEN, Found, carriers, refutation, spread_variables
from imeasure.prove.independent import independent_table
from imeasure.prove.limits import Limits
from imeasure.prove.numerical import Numerical
from imeasure.prove.unknowns import affine, settle
from imeasure.prove.verdict import Refutation

OBEYED = 1e-12
"""How far a table may be from obeying a fact."""
CELLS = 1 << 20
"""Most cells of a counterexample's table."""
SETTLED = 400
"""Most tables for which unknowns are solved for."""


class Refuter:
    """The search for counterexamples to the targets of one problem.

    Args:
        problem: The problem.
        limits: Limits of the search.
        numerical: Whether to search numerically where everything else failed.
    """

    def __init__(self, problem: Problem, limits: Limits, *, numerical: bool = True) -> None:
        self.problem = problem
        self.limits = limits
        self.numerical = numerical
        self.count = len(problem.names)
        self.rows = [fact.row for fact in problem.facts]
        self.plain = not any(ONE in row for row in self.rows)
        self.carriers = carriers(problem)
        self.closed = not problem.real and not any(isinstance(column, str) for row in self.rows for column in row)

    def quick(self, target: Target) -> Refutation | None:
        """Look among small codes.

        Args:
            target: The target, which would have to be at least zero.

        Returns:
            What was found, or None.
        """
        row = target.row
        if not self._possible(row):
            return None
        if self._open(row):
            return self._settled(target, [_constants(self.count)])
        if not self.plain or ONE in row or self.count > 60:
            return None
        numbers: Integers | None = None
        if self.count <= ALL:
            numbers, table = distinct_ranks(self.count)
            known: Callable[[int], Integers] = table.__getitem__
        elif self.count > 24 or len({c for r in (row, *self.rows) for c in r}) > 120:
            return None
        else:
            known = partial(ranks, self.count)
        wanted = self._obeying(known, np.flatnonzero(rank_values(known, row) < 0))
        for number in (wanted if numbers is None else numbers[wanted])[:20].tolist():
            found = self._code(target, assigned(number, self.count))
            if found is not None:
                return found
        return None

    def _obeying(self, known: Callable[[int], Integers], wanted: Integers, *, closed: bool = False) -> Integers:
        """Return those of some rank functions that obey the facts without constants, or those without functionals."""
        for fact in self.problem.facts:
            if not len(wanted):
                break
            if closed and affine(fact.row, self.problem, lambda _: Fraction(0)):
                continue
            values = rank_values(known, fact.row, wanted)
            wanted = wanted[values == 0 if fact.equality else values >= 0]
        return wanted

    def thorough(self, target: Target, dag: Dag | None) -> Refutation | None:
        """Look everywhere else.

        Args:
            target: The target.
            dag: The graph of the problem's independences, if there is one.

        Returns:
            What was found, or None.
        """
        if not self._possible(target.row):
            return None
        if self._open(target.row):
            return self._settled(target, self._settings(target.row, dag)) or self._decoded(target)
        return self._coded(target, dag) or self._tabled(target) or self._searched(target)

    def _open(self, row: Row) -> bool:
        """Return whether a row or a fact leaves something open beside a table."""
        if self.closed:
            return any(isinstance(column, str) for column in row)
        return any(affine(r, self.problem, lambda _: Fraction(0)) for r in (row, *self.rows))

    def _possible(self, row: Row) -> bool:
        """Return whether tables and decoders of the kind made here can be meant."""
        if self.closed and not any(isinstance(column, str) for column in row):
            return True
        divergences = [groups(text) for text in functionals_of(self.problem) if text.startswith("KL[")]
        if any(set(left) & set(given) for left, given in divergences) or averages(self.problem) is None:
            return False
        for carrier in self.carriers.values():
            bit = self.problem.names.mask((carrier,))
            weights = [sum(v for c, v in r.items() if isinstance(c, int) and c & bit) for r in (row, *self.rows)]
            if carrier in spread_variables(self.problem) or any(weights):
                return False
        return True

    def _settings(self, row: Row, dag: Dag | None) -> Iterator[Code]:
        """Yield codes beside which unknowns may be solved for."""
        if self.count <= ALL and self.plain:
            numbers, table = distinct_ranks(self.count)
            kept = self._obeying(table.__getitem__, np.arange(len(numbers)), closed=True)
            for number in numbers[kept][:SETTLED].tolist():
                yield assigned(number, self.count)
            return
        yield from graph_codes(self.count, dag, row) if dag is not None else random_codes(self.count, plain=self.plain)

    def _settled(self, target: Target, codes: Iterator[Code] | list[Code]) -> Refutation | None:
        """Solve for the unknowns beside each of some codes."""
        plain = self.plain and ONE not in target.row
        scaled = any(text.startswith("KL[") for text in functionals_of(self.problem)) or self.problem.real
        for code in codes:
            constant = not any(code.seen)
            for times in (1,) if plain or constant else (1, 2, 4, 8, 12):
                if self.limits.left <= 0:
                    return None
                here = code.repeated(times) if times > 1 else code
                exact = plain or constant
                unit = log(code.field) if plain and (scaled or not constant) else 1.0
                size = Fraction(1) if exact else Fraction(log(code.field))

                def entropy(mask: int, code: Code = here, size: Fraction = size) -> Fraction:
                    return Fraction(1) if mask == ONE else code.rank(mask) * size

                values = settle(self.problem, target.row, entropy, off=0.0 if exact else OBEYED)
                if values is not None and here.cells() <= CELLS:
                    found = {name: float(value) * unit for name, value in values.items()}
                    return refutation(self.problem, target, self._coded_table(here, found, exact=exact))
        return None

    def _decoded(self, target: Target) -> Refutation | None:
        """Let the condition of a decoder be a fair coin, and the decoder be wrong for one of its sides."""
        averaged = averages(self.problem)
        if self.count > MAX_AXES:
            return None
        for text in sorted(set(averaged.values()) - set(averaged)) if averaged else ():
            coins = groups(text)[1][:1]
            code = Code(2, 1, tuple((1,) if name in coins else () for name in self.problem.variables))
            divergences = [text for text in sorted(functionals_of(self.problem)) if text.startswith("KL[")]
            table = with_room(code.distribution(self.problem.variables), divergences)
            values = dict.fromkeys(divergences, log(2))
            wrong = decoders(table, values, averaged or {}, odd=True)
            known = {text: Fraction(table.value(text, against=q)) for text, q in wrong.items()}

            def entropy(mask: int, code: Code = code) -> Fraction:
                return Fraction(1) if mask == ONE else code.rank(mask) * Fraction(log(2))

            found = settle(self.problem, target.row, entropy, known, off=OBEYED)
            if found is not None:
                numbers = {name: float(value) for name, value in found.items()}
                exact = not self._open({}) and self.plain
                return refutation(self.problem, target, self._coded_table(code, numbers, exact=exact, odd=True))
        return None

    def _coded_table(self, code: Code, unknowns: Mapping[str, float], *, exact: bool, odd: bool = False) -> Found:
        unit = log(code.field)
        build = partial(code.distribution, self.problem.variables)
        return Found(build, lambda mask: unit * code.rank(mask), exact, unknowns, odd)

    def _coded(self, target: Target, dag: Dag | None) -> Refutation | None:
        row = target.row
        if self.plain and self.count <= ALL:
            codes, table = larger_codes(self.count)
            known = table.__getitem__
            kept = np.arange(len(codes)) if ONE in row else np.flatnonzero(rank_values(known, row) < 0)
            chosen: Iterator[Code] = (codes[number] for number in self._obeying(known, kept).tolist())
        else:
            chosen = graph_codes(self.count, dag, row) if dag else random_codes(self.count, plain=self.plain)
        for code in chosen:
            if self.limits.left <= 0:
                return None
            for times in (1,) if self.plain and ONE not in row else (1, 2, 4, 8, 12):
                if code.size * times <= 16 and self._breaks(code, times, row):
                    found = self._code(target, code.repeated(times) if times > 1 else code)
                    if found is not None:
                        return found
        return None

    def _breaks(self, code: Code, times: int, row: Row) -> bool:
        known: dict[int, int] = {}
        unit = log(code.field) * times

        def value(row: Row) -> Fraction | float:
            total: Fraction | float | int = 0
            for column, factor in row.items():
                if column == ONE:
                    continue
                mask = int(column)
                if mask not in known:
                    known[mask] = code.rank(mask)
                total += factor * known[mask]
            if ONE in row:
                return float(total) * unit + float(row[ONE])
            return total

        margin = BROKEN if ONE in row else 0
        if not value(row) < -margin:
            return False
        for fact in self.problem.facts:
            found = value(fact.row)
            if (found != 0) if fact.equality else (found < (BROKEN if ONE in fact.row else 0)):
                return False
        return True

    def _code(self, target: Target, code: Code) -> Refutation | None:
        code = self._smaller(code, target.row)
        return (
            refutation(self.problem, target, self._coded_table(code, {}, exact=True)) if code.cells() <= CELLS else None
        )

    def _smaller(self, code: Code, row: Row) -> Code:
        """Take away what variables see as long as the facts are obeyed and the row is broken."""
        for variable in range(self.count):
            if self.limits.left <= 0:
                return code
            if code.seen[variable] and self._breaks(code.without(variable), 1, row):
                code = code.without(variable)
            for position in reversed(range(len(code.seen[variable]))):
                if self._breaks(code.without(variable, position), 1, row):
                    code = code.without(variable, position)
        return code

    def _tabled(self, target: Target) -> Refutation | None:
        """Look among the tables that are kept, and draw some on the model's graph."""
        names = self.problem.variables
        if self.count == 4:
            orders, entropies = four_atoms()
            for number in self._fitting(target.row, entropies):
                pmf = np.array(Distribution.named("four-atom").pmf)
                return self._shown(target, Distribution(pmf, [names[i] for i in orders[number]]))
        if 0 < self.count <= 4 and not any(fact.equality for fact in self.problem.facts):
            tables, entropies = random_tables(self.count)
            for number in self._fitting(target.row, entropies):
                return self._shown(target, Distribution(np.array(tables[number].pmf), names))
        if not self.plain or ONE in target.row:
            table = independent_table(self.problem, target.row)
            if table is not None and self._fits(target.row, table.entropies()):
                return self._shown(target, table)
        for distribution in self._drawn():
            if self.limits.left <= 0:
                return None
            if self._fits(target.row, distribution.marginal(names).entropies()):
                return self._shown(target, distribution)
        return None

    def _drawn(self) -> Iterator[Distribution]:
        names = self.problem.variables
        model = self.problem.model
        if model is not None and model.edges and len(names) <= 6:
            graph = nx.DiGraph()
            graph.add_nodes_from(names)
            graph.add_edges_from(model.edges)
            for seed in range(12):
                yield Distribution.random(graph, alphabet=2 + seed % 2, seed=seed, deterministic=0.5 * (seed % 3))

    def _searched(self, target: Target) -> Refutation | None:
        if not self.numerical:
            return None
        for distribution in Numerical(self.problem, self.limits).search(target.row):
            if self._fits(target.row, distribution.entropies()):
                return self._shown(target, distribution)
        return None

    def _shown(self, target: Target, distribution: Distribution) -> Refutation | None:
        """Return what a table shows, unless its probabilities are exact and its facts are not."""
        table = distribution.marginal(self.problem.variables)
        entropies = table.entropies()
        exact = all(holds(fact, table, entropies) for fact in self.problem.facts)
        if table.exact and not exact:
            return None
        return refutation(self.problem, target, Found(lambda: table, lambda mask: float(entropies[mask]), exact))

    def _fitting(self, row: Row, vectors: Floats) -> list[int]:
        """Return which entropy vectors break a row and obey the facts, the row checked for all of them at once."""
        masks = [int(mask) for mask in row if mask != ONE]
        values = vectors[:, masks] @ np.array([float(row[mask]) for mask in masks]) + float(row.get(ONE, 0))
        return [number for number in np.flatnonzero(values <= -BROKEN).tolist() if self._fits(row, vectors[number])]

    def _fits(self, row: Row, entropies: Floats) -> bool:
        if value_of(row, entropies) > -BROKEN:
            return False
        for fact in self.problem.facts:
            off = value_of(fact.row, entropies)
            if off < -OBEYED or (fact.equality and off > OBEYED):
                return False
        return True


def _constants(count: int) -> Code:
    """Return the code in which nobody sees anything."""
    return Code(2, 1, ((),) * count)

"""Distributions that break a claim: linear codes first, then factored and named tables, all checked with the facts.

Codes have exact entropies, so that facts without constants are checked exactly; tables are checked to 1e-12 nats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache, partial
from itertools import permutations, product
from math import lcm, log

import networkx as nx
import numpy as np
import numpy.typing as npt
import sympy

from imeasure.certificate.problem import Link, Problem
from imeasure.certificate.rows import ONE, Row, row_text
from imeasure.certificate.symbolic import coefficients, samples
from imeasure.certificate.targets import Target
from imeasure.distribution import Distribution
from imeasure.prove.codes import ALL, Code, all_ranks, assigned, ranks
from imeasure.prove.dag import Dag, bits_of
from imeasure.prove.limits import Limits
from imeasure.prove.verdict import Refutation

OBEYED = 1e-12
"""How far a table may be from obeying a fact."""
CELLS = 1 << 20
"""Most cells of a counterexample's table."""
BROKEN = 1e-9
"""By how much a table has to break a claim."""

Floats = npt.NDArray[np.float64]


class Refuter:
    """The search for counterexamples to the targets of one problem.

    Args:
        problem: The problem.
        limits: Limits of the search.
    """

    def __init__(self, problem: Problem, limits: Limits) -> None:
        self.problem = problem
        self.limits = limits
        self.count = len(problem.names)
        rows = [fact.row for fact in problem.facts]
        self.possible = not any(isinstance(column, str) for row in rows for column in row)
        self.plain = not any(ONE in row for row in rows)

    def quick(self, target: Target) -> Refutation | None:
        """Look among small codes.

        Args:
            target: The target, which would have to be at least zero.

        Returns:
            What was found, or None.
        """
        row = target.row
        if not self.possible or not self.plain or any(isinstance(c, str) or c == ONE for c in row) or self.count > 60:
            return None
        facts = self.problem.facts
        if self.count <= ALL:
            table = all_ranks(self.count)
            place: Callable[[int], int] = int
        else:
            masks = sorted({int(c) for r in (row, *(f.row for f in facts)) for c in r})
            if len(masks) > 120 or self.count > 24:
                return None
            table = ranks(self.count, masks)
            place = {mask: i for i, mask in enumerate(masks)}.__getitem__
        wanted = np.flatnonzero(_values(table, row, place) < 0)
        for fact in facts:
            if not len(wanted):
                return None
            values = _values(table[wanted], fact.row, place)
            wanted = wanted[values == 0 if fact.equality else values >= 0]
        for number in wanted[:20].tolist():
            found = self._code(target, assigned(number, self.count))
            if found is not None:
                return found
        return None

    def thorough(self, target: Target, dag: Dag | None) -> Refutation | None:
        """Look everywhere else.

        Args:
            target: The target.
            dag: The graph of the problem's independences, if there is one.

        Returns:
            What was found, or None.
        """
        if not self.possible or any(isinstance(column, str) for column in target.row):
            return None
        codes = self._bank(target.row) if self._tabled() else self._codes(dag, target.row)
        for code in codes:
            if self.limits.left <= 0:
                return None
            for times in (1,) if self.plain and ONE not in target.row else (1, 2, 4, 8, 12):
                if code.size * times <= 16 and self._breaks(code, times, target.row):
                    found = self._code(target, code.repeated(times) if times > 1 else code)
                    if found is not None:
                        return found
        if self.count == 4:
            found = self._named(target)
            if found is not None:
                return found
        if 0 < self.count <= 4 and not any(fact.equality for fact in self.problem.facts):
            found = self._random(target)
            if found is not None:
                return found
        return self._drawn(target)

    def _drawn(self, target: Target) -> Refutation | None:
        for distribution in self._tables():
            if self.limits.left <= 0:
                return None
            found = self._table(target, distribution)
            if found is not None:
                return found
        return None

    def _tabled(self) -> bool:
        rows = [fact.row for fact in self.problem.facts]
        return self.plain and self.count <= ALL and not any(ONE in row for row in rows)

    def _bank(self, row: Row) -> Iterator[Code]:
        codes, table = _larger(self.count)
        if ONE in row:
            yield from codes
            return
        for number in np.flatnonzero(_values(table, row, int) < 0):
            yield codes[number]

    def _codes(self, dag: Dag | None, row: Row) -> Iterator[Code]:
        """Yield random codes; on a graph each variable sees part of what its parents see, or something fresh."""
        generator = np.random.default_rng(self.count)
        amount = 200 if self.count <= 8 else 100
        if dag is None:
            for number in range(amount):
                size = min(self.count, 2 + number % 5) if self.plain else 8
                counts = generator.choice(3 if self.plain else 5, size=self.count)
                yield Code(2, size, tuple(tuple(generator.integers(0, 1 << size, c).tolist()) for c in counts))
            return
        spoken = 0
        for mask in row:
            spoken |= int(mask)
        for number in range(amount):
            seen: dict[int, tuple[int, ...]] = {}
            fresh = 0
            for bit in dag.order:
                pool = tuple(dict.fromkeys(v for b in bits_of(dag.local[bit].parents) for v in seen[b]))
                root = not dag.local[bit].parents
                if not bit & spoken and number % 2 == 0:
                    # A variable that the claim does not name hands on all it sees.
                    vectors = pool
                else:
                    vectors = tuple(v for v in pool if generator.random() < 0.5)
                    if len(vectors) > 1 and generator.random() < 0.5:
                        vectors = (int(np.bitwise_xor.reduce(vectors)),)
                noisy = bool(bit & spoken) or number % 2 == 1
                if fresh < 10 and generator.random() < (0.9 if root else 0.15 * noisy):
                    vectors = (*vectors, 1 << fresh)
                    fresh += 1
                seen[bit] = tuple(v for v in vectors if v)
            yield Code(2, max(fresh, 1), tuple(seen[1 << i] for i in range(self.count)))

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
        if code.cells() > CELLS:
            return None
        names = self.problem.variables

        def value(row: Row) -> float:
            unit = log(code.field)
            return sum(float(c) * (1.0 if m == ONE else unit * code.rank(int(m))) for m, c in row.items())

        return self._refutation(target, lambda: code.distribution(names), value, exact=True)

    def _smaller(self, code: Code, row: Row) -> Code:
        """Take away what variables see as long as the facts are obeyed and the row is broken."""
        for variable in range(self.count):
            if code.seen[variable] and self._breaks(code.without(variable), 1, row):
                code = code.without(variable)
            for position in reversed(range(len(code.seen[variable]))):
                if self._breaks(code.without(variable, position), 1, row):
                    code = code.without(variable, position)
        return code

    def _named(self, target: Target) -> Refutation | None:
        vectors = _four_atoms()
        for number in self._fitting(target.row, np.array([entropies for _, entropies in vectors])):
            order, entropies = vectors[number]
            names = tuple(self.problem.variables[i] for i in order)
            table = Distribution.named("four-atom")
            return self._from_vector(target, entropies, partial(Distribution, np.array(table.pmf), names))
        return None

    def _tables(self) -> Iterator[Distribution]:
        names = self.problem.variables
        model = self.problem.model
        if model is not None and model.edges and len(names) <= 6:
            graph = nx.DiGraph()
            graph.add_nodes_from(names)
            graph.add_edges_from(model.edges)
            for seed in range(12):
                yield Distribution.random(graph, alphabet=2 + seed % 2, seed=seed, deterministic=0.5 * (seed % 3))

    def _random(self, target: Target) -> Refutation | None:
        tables = _random_tables(self.count)
        for number in self._fitting(target.row, np.array([entropies for _, entropies in tables])):
            table, entropies = tables[number]
            names = self.problem.variables
            return self._from_vector(target, entropies, partial(Distribution, np.array(table.pmf), names))
        return None

    def _table(self, target: Target, distribution: Distribution) -> Refutation | None:
        vector = distribution.entropies()
        place = {self.problem.names.index[name]: 1 << i for i, name in enumerate(distribution.names)}
        entropies = np.zeros(1 << self.count)
        for mask in range(1, 1 << self.count):
            entropies[mask] = vector[sum(own for bit, own in place.items() if mask & bit)]
        if self._fits(target.row, entropies):
            return self._from_vector(target, entropies, lambda: distribution)
        return None

    def _fitting(self, row: Row, vectors: Floats) -> list[int]:
        """Return which entropy vectors break a row and obey the facts, the row checked for all of them at once."""
        masks = [int(mask) for mask in row if mask != ONE]
        values = vectors[:, masks] @ np.array([float(row[mask]) for mask in masks]) + float(row.get(ONE, 0))
        return [number for number in np.flatnonzero(values <= -BROKEN).tolist() if self._fits(row, vectors[number])]

    def _fits(self, row: Row, entropies: Floats) -> bool:
        if _nats(row, entropies) > -BROKEN:
            return False
        for fact in self.problem.facts:
            off = _nats(fact.row, entropies)
            if off < -OBEYED or (fact.equality and off > OBEYED):
                return False
        return True

    def _from_vector(self, target: Target, entropies: Floats, build: Callable[[], Distribution]) -> Refutation | None:
        exact = not self.problem.facts
        return self._refutation(target, build, lambda row: _nats(row, entropies), exact=exact)

    def _refutation(
        self, target: Target, build: Callable[[], Distribution], value: Callable[[Row], float], *, exact: bool
    ) -> Refutation | None:
        link = self.problem.links[target.link]
        if link.row is None:
            return self._with_parameters(link, build, value, exact=exact)
        left, right = self.problem.sides(target.link)
        alone = len(self.problem.links) == 1
        text = self.problem.claim if alone else f"{self._text(left)} {link.operator} {self._text(right)}"
        return Refutation(build, value(left), link.operator, value(right), text, exact)

    def _text(self, row: Row) -> str:
        return row_text(row, self.problem.names)

    def _with_parameters(
        self, link: Link, build: Callable[[], Distribution], value: Callable[[Row], float], *, exact: bool
    ) -> Refutation | None:
        """Find values of the parameters at which the distribution breaks the claim."""
        found = coefficients(link, self.problem)
        symbols = sorted({s for c in found.values() for s in c.free_symbols}, key=str)
        ranges = self.problem.ranges()
        weights = {column: value({column: 1}) for column in found}
        for point in product(*(samples(ranges.get(symbol, sympy.S.Reals)) for symbol in symbols)):
            at = dict(zip(symbols, point, strict=True))
            numbers = {column: c.subs(at) for column, c in found.items()}
            if not all(number.is_Rational for number in numbers.values()):
                continue
            excess = sum(float(number) * weights[column] for column, number in numbers.items())
            if (link.operator != ">=" and excess > BROKEN) or (link.operator != "<=" and excess < -BROKEN):
                text = f"left side minus right side {link.operator} 0"
                values = {str(symbol): Fraction(int(v.p), int(v.q)) for symbol, v in at.items()}
                return Refutation(build, excess, link.operator, 0.0, text, exact, values)
        return None


def _nats(row: Row, entropies: Floats) -> float:
    return float(sum(float(c) * (1.0 if m == ONE else float(entropies[int(m)])) for m, c in row.items()))


def _values(table: npt.NDArray[np.int64], row: Row, place: Callable[[int], int]) -> npt.NDArray[np.int64]:
    scale = lcm(*(Fraction(value).denominator for value in row.values()))
    masks = [place(int(mask)) for mask in row]
    numbers = [int(value * scale) for value in row.values()]
    exact = sum(map(abs, numbers)) < 2**60
    weights = np.array(numbers, dtype=np.int64 if exact else object)
    result: npt.NDArray[np.int64] = table[:, masks] @ weights
    return result


@lru_cache(maxsize=1)
def _four_atoms() -> list[tuple[tuple[int, ...], Floats]]:
    vector = Distribution.named("four-atom").entropies()
    result = []
    for order in permutations(range(4)):
        entropies = np.zeros(16)
        for mask in range(1, 16):
            entropies[mask] = vector[sum(1 << axis for axis, i in enumerate(order) if mask >> i & 1)]
        result.append((order, entropies))
    return result


@lru_cache(maxsize=8)
def _random_tables(count: int) -> list[tuple[Distribution, Floats]]:
    names = " ".join(f"V{i}" for i in range(count))
    tables = [Distribution.random(names, seed=seed) for seed in range(20)]
    return [(table, table.entropies()) for table in tables]


@lru_cache(maxsize=8)
def _larger(count: int) -> tuple[list[Code], npt.NDArray[np.int64]]:
    """Random codes over GF(2) and GF(3) with three to five symbols, and the ranks of all sets."""
    generator = np.random.default_rng(count)
    codes = []
    for number in range(300):
        field, size = 3 if number % 3 == 2 else 2, 3 + number % 3
        amounts = generator.choice(3, size=count, p=[0.1, 0.65, 0.25])
        seen = tuple(tuple(generator.integers(1, field**size, amount).tolist()) for amount in amounts)
        codes.append(Code(field, size, seen))
    return codes, np.array([[code.rank(mask) for mask in range(1 << count)] for code in codes])

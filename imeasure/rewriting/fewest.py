"""The shortest expression equal to a given one: fewest terms, then the smallest terms.

With symbolic coefficients an expression is a sum of monomials times rational vectors; it lies in the span of some
quantities exactly if all its vectors do. So the search asks for the fewest quantities whose rational span contains the
span V of those vectors. Modulo V, quantities that complete V in d + 1 terms lie on one line, in d + 2 terms in one
plane, and the cheapest independent ones among them are found greedily, because independence is a matroid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import lcm, prod
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from sympy.polys.domains import FractionField

from imeasure.elimination import Column, Span, combination
from imeasure.errors import DerivationError, ModelError
from imeasure.exchange import as_model
from imeasure.measure import entropy_form
from imeasure.model import Model
from imeasure.rewriting.pool import Pool, Vector, pool
from imeasure.terms import as_expression, linear_terms, variables_of

MAX_VARIABLES = 8
"""Up to so many variables short forms are searched for; ten have about a million quantities."""
PLANE_LIMIT = 200
"""Most quantities among which planes are searched; four variables have 135 without facts."""

_PRIME = 2**31 - 1
_LARGE = 2**31


@dataclass(frozen=True)
class Shortest:
    """A short expression.

    Attributes:
        expression: Equal to what was given, under the model.
        proved: Whether no equal expression has fewer terms.
    """

    expression: sympy.Expr
    proved: bool


def shortest(expression: sympy.Expr | str, *, model: Model | str | None = None) -> Shortest:
    """Return the shortest expression that a model makes equal to a given one.

    Args:
        expression: A sympy expression or text, linear in its quantities.
        model: The model or the text of its graph; by default no facts at all.

    Returns:
        The expression, checked exactly, and whether it is proved that none in quantities of disjoint groups has fewer
        terms. The search is exhaustive up to one term more than there are linearly independent coefficients (two more
        where there are up to 200 quantities); beyond that it is a beam search.

    Raises:
        ParseError: If the text is not in the language.
        NonlinearError: If the expression is not linear in its quantities.
        UnknownVariableError: If a variable is not in the model.
        UndefinedQuantityError: If a quantity has no value under the model.
        ModelError: If more than 8 variables are involved.

    Example:
        >>> shortest("H[X] + H[Y] - H[X,Y]")
        Shortest(expression=I[X;Y], proved=True)
        >>> shortest("H[Z] - I[Y;Z] - H[Z|X]", model="Y -> X -> Z").expression
        I[X;Z|Y]
    """
    expression = as_expression(expression)
    model = as_model(model)
    model.require_defined(expression)
    names = model.covering(variables_of(expression))
    if len(names) > MAX_VARIABLES:
        raise ModelError(
            f"short forms are searched for among up to {MAX_VARIABLES} variables, and {len(names)} are involved here; "
            "Model.reduce gives a normal form"
        )
    result = _Search(expression, model, names).run()
    if model.reduce(result.expression - expression) != 0:
        raise DerivationError(f"the search returned {result.expression}, which differs from {expression}")
    written = linear_terms(expression)
    if len(written) < len(linear_terms(result.expression)):
        return Shortest(sympy.Add(*(c if q is None else c * q for q, c in written.items())), proved=False)
    return result


class _Search:
    def __init__(self, expression: sympy.Expr, model: Model, names: tuple[str, ...]) -> None:
        self.expression = expression
        self.form = entropy_form(expression, names)
        self.pool = pool(model, names, tuple(sorted(self.form.functionals, key=str)))

    def run(self) -> Shortest:
        target = self.pool.coordinates(self.form)
        if not target:
            return Shortest(sympy.S.Zero, proved=True)
        vectors, exact = rational_vectors(target, self.form.domain)
        table = _Table(self.pool, vectors)
        found, excluded = self.within(table)
        if found is None:
            starts = (self.pursued(vectors), self.needed(self.given(), vectors))
            found = min((self.improved(start, vectors) for start in starts), key=lambda terms: (len(terms), terms))
        coefficients = combination(target, [self.pool.vector(i) for i in found])
        if coefficients is None:
            raise DerivationError(f"the search lost {self.expression}")
        pairs = [(c, self.pool.quantity(i)) for c, i in zip(coefficients, found, strict=True) if c != 0]
        result = sympy.Add(*(self.form.coefficient(c) * quantity for c, quantity in pairs))
        return Shortest(result, exact and len(pairs) <= excluded + 1)

    def within(self, table: _Table) -> tuple[list[int] | None, int]:
        """Search exhaustively; return the terms, and up to how many terms are known not to suffice."""
        dimension = table.dimension
        if found := self.cheapest([table.zeros], dimension):
            return found, dimension - 1 if table.trusted(1) else 0
        lines = [[*table.zeros, *line] for line in table.lines()]
        if found := self.cheapest(lines, dimension + 1):
            return found, dimension if table.trusted(2) else 0
        if len(self.pool.members) > PLANE_LIMIT:
            return None, dimension + 1 if table.trusted(2) else 0
        found = self.cheapest(([*table.zeros, *plane] for plane in table.planes()), dimension + 2)
        return found, dimension + 1 + (found is None) if table.trusted(3) else 0

    def cheapest(self, pools: Iterable[Sequence[int]], count: int) -> list[int] | None:
        """Return the cheapest independent terms of the given number that one pool offers."""
        best: tuple[Any, list[int]] | None = None
        for offered in pools:
            if len(offered) < count:
                continue
            span, chosen = Span(), []
            for i in sorted(set(offered)):
                if span.add(self.pool.vector(i)):
                    chosen.append(i)
                if span.rank == count:
                    cost = (sum(int(self.pool.sizes[i]) for i in chosen), chosen)
                    if best is None or cost < best:
                        best = cost
                    break
        return best[1] if best else None

    def given(self) -> list[int]:
        """Return the terms of the expression as it was given; overlapping groups are taken apart."""
        terms: dict[int, None] = {}
        for quantity in linear_terms(self.expression):
            form = entropy_form(sympy.S.One if quantity is None else quantity, self.pool.names)
            vector = _integers(self.pool, [self.pool.coordinates(form)])[0].astype(np.int64)
            terms.update(dict.fromkeys(self.pool.chain(vector)))
        return list(terms)

    def pursued(self, vectors: list[Vector]) -> list[int]:
        """Return terms that span the vectors: those of the shortest chain found for each of them."""
        rows = _integers(self.pool, vectors)
        if any(abs(value) > _LARGE for value in rows.ravel()):
            return self.needed(self.given(), vectors)
        found: dict[int, None] = {}
        for row in rows.astype(np.int64):
            found.update(dict.fromkeys(self.pool.chain(row)))
        return self.needed(list(found), vectors)

    def needed(self, terms: list[int], vectors: Sequence[Vector]) -> list[int]:
        """Leave out terms that the vectors can do without, the largest first."""
        for i in sorted(terms, reverse=True):
            rest = [j for j in terms if j != i]
            basis = [self.pool.vector(j) for j in rest]
            if all(combination(vector, basis) is not None for vector in vectors):
                terms = rest
        return terms

    def improved(self, terms: list[int], vectors: list[Vector]) -> list[int]:
        """Replace two or three terms at a time by fewer, where a coefficient vector allows it."""
        while True:
            coefficients = [combination(vector, [self.pool.vector(i) for i in terms]) or [] for vector in vectors]
            shorter = self.shortened(terms, coefficients)
            if shorter is None:
                return terms
            terms = self.needed(shorter, vectors)

    def shortened(self, terms: list[int], coefficients: list[list[Any]]) -> list[int] | None:
        for size in (2, 3):
            for chosen in combinations(range(len(terms)), size):
                pieces = [{p: row[p] for p in chosen if row[p]} for row in coefficients]
                span = Span()
                sums = [self.sum_of(terms, piece) for piece in pieces]
                independent = [piece for piece in sums if piece and span.add(piece)]
                if len(independent) + 1 > size - 1 and len(independent) >= size:
                    continue
                table = _Table(self.pool, independent)
                found = self.cheapest([table.zeros], len(independent))
                if found is None and len(independent) + 1 < size:
                    found = self.cheapest([[*table.zeros, *line] for line in table.lines()], len(independent) + 1)
                if found is not None and len(found) < size:
                    return [*dict.fromkeys([*(terms[p] for p in range(len(terms)) if p not in chosen), *found])]
        return None

    def sum_of(self, terms: list[int], piece: Mapping[int, Fraction]) -> Vector:
        total: dict[Column, Fraction] = {}
        for position, value in piece.items():
            for column, entry in self.pool.vector(terms[position]).items():
                total[column] = total.get(column, Fraction(0)) + value * entry
        return {column: value for column, value in total.items() if value}


class _Table:
    """Rows modulo a prime, reduced by the vectors of the target; exact because all minors are below the prime."""

    def __init__(self, offered: Pool, target: Sequence[Vector]) -> None:
        basis = _integers(offered, target)
        self.longest = offered.longest
        self.volume = prod(sum(map(abs, row)) for row in basis)
        self.rows = offered.matrix
        reduced: list[npt.NDArray[np.int64]] = []
        for row in basis:
            vector = (row % _PRIME).astype(np.int64)
            for other in reduced:
                vector = _without(vector[None], other)[0]
            if vector.any():
                reduced.append(_normal(vector[None])[0])
                self.rows = _without(self.rows, reduced[-1])
        self.dimension = len(target)
        self.live = np.flatnonzero(self.rows.any(axis=1)).tolist()
        self.zeros = sorted(set(range(len(self.rows))).difference(self.live))

    def trusted(self, more: int) -> bool:
        """Return whether minors of the target with some more rows are smaller than the prime."""
        return bool(self.volume * self.longest**more < _PRIME)

    def lines(self) -> Iterator[list[int]]:
        yield from _buckets(self.rows[self.live], self.live)

    def planes(self) -> Iterator[list[int]]:
        for position, first in enumerate(self.live):
            others = self.live[position + 1 :]
            if not others:
                return
            rows = _without(self.rows[others], _normal(self.rows[first][None])[0])
            inside = [other for other, row in zip(others, rows, strict=True) if not row.any()]
            for line in _buckets(rows, others):
                yield [first, *inside, *line]


def _buckets(rows: npt.NDArray[np.int64], labels: Sequence[int]) -> Iterator[list[int]]:
    """Yield the labels of two or more rows that are multiples of one another; one alone never makes a sum shorter."""
    filled = np.flatnonzero(rows.any(axis=1))
    normal = _normal(rows[filled])
    # Rows whose hash nobody shares have no multiple; only the others are compared in full.
    _, places, counts = np.unique(normal @ _hashing(normal.shape[1]), return_inverse=True, return_counts=True)
    groups: dict[bytes, list[int]] = {}
    for place in np.flatnonzero(counts[places] > 1).tolist():
        groups.setdefault(normal[place].tobytes(), []).append(labels[filled[place]])
    yield from (group for group in groups.values() if len(group) > 1)


@cache
def _hashing(count: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(0).integers(_PRIME, size=count)


def _normal(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Scale each row so that its first entry other than zero is 1, modulo the prime."""
    leading = np.take_along_axis(rows, (rows != 0).argmax(axis=1)[:, None], axis=1)
    values, places = np.unique(leading, return_inverse=True)
    inverses = np.array([pow(value, _PRIME - 2, _PRIME) for value in values.tolist()], dtype=np.int64)
    return rows * inverses[places.reshape(leading.shape)] % _PRIME


def _without(rows: npt.NDArray[np.int64], vector: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Clear the vector's leading column from each row; the vector's leading entry is 1."""
    pivot = int((vector != 0).argmax())
    result: npt.NDArray[np.int64] = (rows - rows[:, pivot : pivot + 1] * vector) % _PRIME
    return result


def _integers(offered: Pool, vectors: Sequence[Vector]) -> npt.NDArray[np.object_]:
    """Return the vectors as multiples with integer entries, which are Python's: they may be of any size."""
    index = {column: j for j, column in enumerate(offered.basis)}
    result = np.zeros((len(vectors), len(index)), dtype=object)
    for row, vector in zip(result, vectors, strict=True):
        scale = lcm(*(value.denominator for value in vector.values()))
        for column, value in vector.items():
            row[index[column]] = int(value * scale)
    return result


def rational_vectors(target: Mapping[Column, Any], domain: Any) -> tuple[list[Vector], bool]:
    """Return independent rational vectors whose span is the least that contains an expression.

    Args:
        target: The expression's coordinates.
        domain: The field that its coefficients lie in, None for the rationals.

    Returns:
        The vectors, and whether they are known to be the fewest (not for coefficients beyond rational functions).
    """
    pieces: dict[Any, dict[Column, Fraction]] = {}
    exact = domain is None or isinstance(domain, FractionField)
    if domain is None:
        pieces[1] = {column: Fraction(value) for column, value in target.items()}
    elif exact:
        elements = {c: domain.convert(value) for c, value in target.items()}
        denominator = domain.field.ring.one
        for element in elements.values():
            denominator = denominator.lcm(element.denom)
        for column, element in elements.items():
            for monomial, value in (element.numer * denominator.quo(element.denom)).terms():
                pieces.setdefault(monomial, {})[column] = Fraction(int(value.numerator), int(value.denominator))
    else:
        for column, value in target.items():
            pieces.setdefault(domain.to_sympy(value), {})[column] = Fraction(1)
    span = Span()
    return [vector for vector in pieces.values() if span.add(vector)], exact

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
from itertools import combinations
from math import lcm, prod
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from sympy.polys.domains import FractionField

from imeasure.elimination import Column, Span, combination
from imeasure.errors import DerivationError
from imeasure.measure import EntropyForm, as_expression, linear_terms, variables_of
from imeasure.model import Model
from imeasure.quantities import Functional
from imeasure.rewriting.quotient import Quotient, quotient, simplicity

PLANE_LIMIT = 200
"""Most quantities among which planes are searched; four variables have 135 without facts."""

_PRIME = 2**31 - 1

Vector = Mapping[Column, Fraction]


@dataclass(frozen=True)
class Shortest:
    """A short expression.

    Attributes:
        expression: Equal to what was given, under the model.
        proved: Whether no equal expression has fewer terms.
    """

    expression: sympy.Expr
    proved: bool


@dataclass(frozen=True)
class _Term:
    quantity: sympy.Expr
    vector: Vector
    cost: tuple[Any, ...]


def shortest(expression: sympy.Expr | str, *, model: Model | None = None) -> Shortest:
    """Return the shortest expression that a model makes equal to a given one.

    Args:
        expression: A sympy expression or text, linear in its quantities.
        model: The model, by default no facts at all.

    Returns:
        The expression, checked exactly, and whether it is proved that none has fewer terms. The number of terms is
        found by exhaustion up to two more than the number of linearly independent coefficients; beyond that the search
        is local.

    Raises:
        ParseError: If the text is not in the language.
        NonlinearError: If the expression is not linear in its quantities.
        UnknownVariableError: If a variable is not in the model.
        UndefinedQuantityError: If a quantity has no value under the model.

    Example:
        >>> shortest("H[X] + H[Y] - H[X,Y]")
        Shortest(expression=I[X;Y], proved=True)
        >>> shortest("H[Z] - I[Y;Z] - H[Z|X]", model=Model("Y -> X -> Z")).expression
        I[X;Z|Y]
    """
    expression = as_expression(expression)
    model = Model() if model is None else model
    model.require_defined(expression)
    names = model.covering(variables_of(expression))
    search = _Search(expression, quotient(model, names, homogeneous=False))
    result = search.run()
    if model.reduce(result.expression - expression) != 0:
        raise DerivationError(f"the search returned {result.expression}, which differs from {expression}")
    return result


class _Search:
    def __init__(self, expression: sympy.Expr, space: Quotient) -> None:
        self.space = space
        self.expression = expression
        self.terms = [_Term(c.quantity, c.vector, simplicity(c.quantity)) for c in space.all_candidates]
        for functional in sorted(expression.atoms(Functional), key=str):
            for name in ("KL", "CE") if functional.name in ("KL", "CE") else (functional.name,):
                twin = Functional(name, functional.variables, functional.given)
                size = len(twin.variables) + len(twin.given)
                self.terms.append(_Term(twin, space.coordinates(twin)[0], (size, 1, size, str(twin))))
        self.terms.append(_Term(sympy.S.One, {None: Fraction(1)}, (0,)))
        self.terms.sort(key=lambda term: term.cost[:3])

    def run(self) -> Shortest:
        target, form = self.space.coordinates(self.expression)
        if not target:
            return Shortest(sympy.S.Zero, proved=True)
        vectors, exact = rational_vectors(target, form)
        found, excluded = self.within(vectors)
        if found is None:
            found = self.locally()
        coefficients = combination(target, [term.vector for term in found])
        if coefficients is None:
            raise DerivationError(f"the search lost {self.expression}")
        result = sympy.Add(*(form.coefficient(c) * term.quantity for c, term in zip(coefficients, found, strict=True)))
        return Shortest(result, exact and len(found) <= excluded + 1)

    def within(self, vectors: list[Vector], *, planes: bool = True) -> tuple[list[_Term] | None, int]:
        """Search exhaustively; return the terms, and up to how many terms are known not to suffice."""
        dimension = len(vectors)
        table = _Table([term.vector for term in self.terms], vectors)
        zeros = [i for i in range(len(self.terms)) if table.is_zero(i)]
        if found := self.cheapest([zeros], dimension):
            return found, dimension - 1 if table.trusted else 0
        lines = [[*zeros, *line] for line in table.lines() if len(line) > 1]
        if found := self.cheapest(lines, dimension + 1):
            return found, dimension if table.trusted else 0
        if not planes or len(self.terms) > PLANE_LIMIT:
            return None, dimension + 1 if table.trusted else 0
        found = self.cheapest(([*zeros, *plane] for plane in table.planes()), dimension + 2)
        return found, dimension + 1 + (found is None) if table.trusted else 0

    def cheapest(self, pools: Iterable[Sequence[int]], count: int) -> list[_Term] | None:
        """Return the cheapest independent terms of the given number that one pool offers."""
        best: tuple[Any, list[_Term]] | None = None
        for pool in pools:
            if len(pool) < count:
                continue
            span, chosen = Span(), []
            for i in sorted(set(pool)):
                if span.add(self.terms[i].vector):
                    chosen.append(self.terms[i])
                if span.rank == count:
                    cost = (sum(term.cost[0] for term in chosen), sorted(term.cost for term in chosen))
                    if best is None or cost < best[0]:
                        best = cost, chosen
                    break
        return best[1] if best else None

    def locally(self) -> list[_Term]:
        """Shorten the given expression by replacing two or three of its terms at a time by fewer."""
        known = {term.quantity: term for term in self.terms}
        linear = linear_terms(self.expression)
        parts = {sympy.S.One if quantity is None else quantity: value for quantity, value in linear.items()}
        improved = True
        while improved:
            improved = False
            for size in (2, 3):
                for chosen in combinations(sorted(parts, key=str), size):
                    piece = sympy.Add(*(parts[quantity] * quantity for quantity in chosen))
                    target, form = self.space.coordinates(piece)
                    vectors, _ = rational_vectors(target, form)
                    replacement = self.within(vectors, planes=False)[0] if vectors and len(vectors) < size else []
                    if replacement is None or (vectors and not replacement) or len(replacement) >= size:
                        continue
                    values = combination(target, [term.vector for term in replacement]) or []
                    for quantity in chosen:
                        del parts[quantity]
                    for value, term in zip(values, replacement, strict=True):
                        parts[term.quantity] = parts.get(term.quantity, 0) + form.coefficient(value)
                    improved = True
                    break
                if improved:
                    break
        return [known.get(q) or _Term(q, self.space.coordinates(q)[0], (0,)) for q in parts if parts[q] != 0]


class _Table:
    """Vectors modulo a prime, reduced by the vectors of the target; exact because all minors are below the prime."""

    def __init__(self, vectors: Sequence[Vector], target: Sequence[Vector]) -> None:
        columns = {c: i for i, c in enumerate(dict.fromkeys(c for v in (*target, *vectors) for c in v))}
        rows = _integers(vectors, columns)
        basis = _integers(target, columns)
        longest = max((sum(map(abs, row)) for row in rows), default=1)
        self.trusted = prod(sum(map(abs, row)) for row in basis) * longest**2 < _PRIME
        self.rows = np.array([[value % _PRIME for value in row] for row in rows], dtype=np.int64)
        reduced: list[npt.NDArray[np.int64]] = []
        for row in basis:
            vector = np.array([value % _PRIME for value in row], dtype=np.int64)
            for other in reduced:
                vector = _without(vector[None], other)[0]
            if vector.any():
                reduced.append(_normal(vector[None])[0])
                self.rows = _without(self.rows, reduced[-1])

    def is_zero(self, i: int) -> bool:
        return not self.rows[i].any()

    def lines(self) -> Iterator[list[int]]:
        yield from _buckets(self.rows, range(len(self.rows)))

    def planes(self) -> Iterator[list[int]]:
        live = [i for i in range(len(self.rows)) if not self.is_zero(i)]
        for position, first in enumerate(live):
            others = live[position + 1 :]
            if not others:
                return
            rows = _without(self.rows[others], _normal(self.rows[first][None])[0])
            inside = [other for other, row in zip(others, rows, strict=True) if not row.any()]
            for line in _buckets(rows, others):
                if len(line) + len(inside) > 1:
                    yield [first, *inside, *line]


def _buckets(rows: npt.NDArray[np.int64], labels: Sequence[int]) -> Iterator[list[int]]:
    groups: dict[bytes, list[int]] = {}
    for label, row, normal in zip(labels, rows, _normal(rows), strict=True):
        if row.any():
            groups.setdefault(normal.tobytes(), []).append(label)
    yield from groups.values()


def _normal(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Scale each row so that its first entry other than zero is 1, modulo the prime."""
    leading = np.take_along_axis(rows, (rows != 0).argmax(axis=1)[:, None], axis=1)
    inverse, base, exponent = np.ones_like(leading), leading.copy(), _PRIME - 2
    while exponent:
        if exponent & 1:
            inverse = inverse * base % _PRIME
        base = base * base % _PRIME
        exponent >>= 1
    return rows * inverse % _PRIME


def _without(rows: npt.NDArray[np.int64], vector: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Clear the vector's leading column from each row; the vector's leading entry is 1."""
    pivot = int((vector != 0).argmax())
    result: npt.NDArray[np.int64] = (rows - rows[:, pivot : pivot + 1] * vector) % _PRIME
    return result


def _integers(vectors: Sequence[Vector], columns: Mapping[Column, int]) -> list[list[int]]:
    result = []
    for vector in vectors:
        scale = lcm(*(value.denominator for value in vector.values())) if vector else 1
        row = [0] * len(columns)
        for column, value in vector.items():
            row[columns[column]] = int(value * scale)
        result.append(row)
    return result


def rational_vectors(target: Mapping[Column, Any], form: EntropyForm) -> tuple[list[Vector], bool]:
    """Return independent rational vectors whose span is the least that contains an expression.

    Args:
        target: The expression's coordinates.
        form: The form that its coefficients refer to.

    Returns:
        The vectors, and whether they are known to be the fewest (not for coefficients beyond rational functions).
    """
    pieces: dict[Any, dict[Column, Fraction]] = {}
    exact = form.domain is None or isinstance(form.domain, FractionField)
    if form.domain is None:
        pieces[1] = {column: Fraction(value) for column, value in target.items()}
    elif exact:
        elements = {c: form.domain.convert(value) for c, value in target.items()}
        denominator = form.domain.field.ring.one
        for element in elements.values():
            denominator = denominator.lcm(element.denom)
        for column, element in elements.items():
            for monomial, value in (element.numer * denominator.quo(element.denom)).terms():
                pieces.setdefault(monomial, {})[column] = Fraction(int(value.numerator), int(value.denominator))
    else:
        for column, value in target.items():
            pieces.setdefault(form.coefficient(value), {})[column] = Fraction(1)
    span = Span()
    return [vector for vector in pieces.values() if span.add(vector)], exact

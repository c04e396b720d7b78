"""Short proofs without a linear program: replace crossing sets by union and intersection until a chain is left.

``h(S) + h(T) = h(S or T) + h(S and T) + I[S - T; T - S | S and T]``. Subadditivity, Han's and Shearer's inequalities
and all basic ones fall to this at once (uncrossing; see Lovasz, "Submodular functions and convexity", 1983).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from imeasure.certificate.rows import Number, Row
from imeasure.certificate.steps import Combination
from imeasure.prove.combine import combine
from imeasure.prove.limits import LOOK, Limits

ROUNDS = 1000
"""Most replacements that are tried."""
CROSSING = 1000
"""Most sets of one sign of a row that is uncrossed."""
SETS = 400
"""Most sets of a row that is taken apart by covering."""


@dataclass(frozen=True, slots=True)
class Sets:
    """What uncrossing needs to know of the sets: closures, the closure of the empty set, signs, and limits."""

    closure: Callable[[int], int]
    base: int
    nonnegative: Callable[[int], bool]
    limits: Limits = field(default_factory=Limits)


def uncross(row: Row, space: Sets) -> Combination | None:
    """Try to prove that a row is at least zero.

    Args:
        row: The row, over closed sets.
        space: The closure that the facts give.

    Returns:
        A proof up to the closure of unions, or None; that there is none says nothing.
    """
    positive: dict[int, Number] = {}
    negative: dict[int, Number] = {}
    for column, value in row.items():
        if not isinstance(column, int) or column == 0:
            return None
        if value > 0:
            positive[column] = value
        else:
            negative[column] = -value
    if len(row) > CROSSING or (len(positive) > 12 and len(negative) > 12):
        return None
    proof: Combination = {}
    pairs = _Pairs(positive, negative, space)
    for number in range(ROUNDS):
        if number % LOOK == LOOK - 1:
            space.limits.require_time()
        pair = pairs.best()
        if pair is None:
            return _descend(positive, negative, space, proof)
        amount = min(positive[pair[0]], positive[pair[1]])
        _replace(*pair, amount, (positive, negative), space, proof)
    return None


def cover(row: Row, space: Sets, *, above: bool = False) -> Combination | None:
    """Try to prove that a row is at least zero by making each negative set from positive ones.

    Args:
        row: The row, over closed sets.
        space: The closure that the facts give.
        above: Whether to make it as an intersection of sets around it, instead of a union of sets inside it.

    Returns:
        A proof up to the closure of unions, or None; that there is none says nothing.
    """
    if len(row) > SETS or any(not isinstance(column, int) or column == 0 for column in row):
        return None
    positive = {int(column): value for column, value in row.items() if value > 0}
    negative = {int(column): -value for column, value in row.items() if value < 0}
    proof: Combination = {}
    for wanted in sorted(negative, key=int.bit_count, reverse=above):
        for number in range(ROUNDS):
            if number % LOOK == LOOK - 1:
                space.limits.require_time()
            owed = negative.get(wanted, 0)
            near = [mask for mask in positive if not (wanted & ~mask if above else mask & ~wanted)]
            if not owed or (pair := _closest(near, above=above)) is None:
                break
            _replace(*pair, min(positive[pair[0]], positive[pair[1]], owed), (positive, negative), space, proof)
    return _descend(positive, negative, space, proof)


def _closest(sets: list[int], *, above: bool) -> tuple[int, int] | None:
    """Return two crossing sets whose union is largest, or whose intersection is smallest."""
    best: tuple[int, int] | None = None
    least: tuple[int, int] | None = None
    for position, s in enumerate(sets):
        for t in sets[position + 1 :]:
            common = s & t
            if common not in (s, t):
                inner, outer = common.bit_count(), -(s | t).bit_count()
                found = (inner, outer) if above else (outer, inner)
                if least is None or found < least:
                    best, least = (s, t), found
    return best


def _replace(
    s: int,
    t: int,
    amount: Number,
    signs: tuple[dict[int, Number], dict[int, Number]],
    space: Sets,
    proof: Combination,
) -> None:
    """Replace some of two crossing sets by as much of their union and intersection."""
    positive, negative = signs
    common, joined = s & t, space.closure(s | t)
    combine(proof, {("I", s & ~common, t & ~common, common): amount})
    for mask in (s, t):
        _put(positive, mask, -amount)
    for mask in (joined, common):
        if mask and mask != space.base:
            _gain(positive, negative, mask, amount)


class _Pairs:
    """Pairs of crossing positive sets, those first whose union or intersection cancels something.

    What a pair cancels changes only where a negative set is used up, so pairs are kept from round to round.
    """

    def __init__(self, positive: dict[int, Number], negative: dict[int, Number], space: Sets) -> None:
        self._positive, self._negative, self._space = positive, negative, space
        self._owed = len(negative)
        self._numbers: dict[int, int] = {}
        self._heap: list[tuple[int, int, int, int, int]] = []

    def best(self) -> tuple[int, int] | None:
        """Return the best pair, or None if no two sets cross."""
        if len(self._negative) < self._owed:
            self._owed = len(self._negative)
            self._numbers, self._heap = {}, []
        for gone in [mask for mask in self._numbers if mask not in self._positive]:
            del self._numbers[gone]
        for new in [mask for mask in self._positive if mask not in self._numbers]:
            self._meet(new)
        while self._heap:
            _, first, second, s, t = self._heap[0]
            if self._numbers.get(s) == first and self._numbers.get(t) == second:
                return s, t
            heappop(self._heap)
        return None

    def _meet(self, t: int) -> None:
        negative, closure = self._negative, self._space.closure
        number = max(self._numbers.values(), default=-1) + 1
        for s, before in self._numbers.items():
            common = s & t
            if common not in (s, t):
                gain = 2 * (closure(s | t) in negative) + (common in negative or common == 0)
                heappush(self._heap, (-gain, before, number, s, t))
        self._numbers[t] = number


def _put(row: dict[int, Number], mask: int, amount: Number) -> None:
    total = row.get(mask, 0) + amount
    if total:
        row[mask] = total
    else:
        row.pop(mask, None)


def _gain(positive: dict[int, Number], negative: dict[int, Number], mask: int, amount: Number) -> None:
    if mask in negative:
        cancelled = min(negative[mask], amount)
        _put(negative, mask, -cancelled)
        amount -= cancelled
    if amount:
        _put(positive, mask, amount)


def _descend(
    positive: dict[int, Number], negative: dict[int, Number], space: Sets, proof: Combination
) -> Combination | None:
    """Pay for each negative set with the smallest positive superset of the chain that is left."""
    chain = sorted(positive, key=int.bit_count)
    for mask, owed in sorted(negative.items(), key=lambda item: -item[0].bit_count()):
        left = owed
        for above in chain:
            if not left:
                break
            if above in positive and not mask & ~above:
                if not space.nonnegative(above & ~mask):
                    return None
                paid = min(left, positive[above])
                combine(proof, {("H", above & ~mask, mask): paid})
                _put(positive, above, -paid)
                left -= paid
        if left:
            return None
    for mask, value in positive.items():
        if not space.nonnegative(mask & ~space.base):
            return None
        combine(proof, {("H", mask & ~space.base, space.base): value})
    return proof

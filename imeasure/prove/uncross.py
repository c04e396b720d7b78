"""Short proofs without a linear program: replace crossing sets by union and intersection until a chain is left.

``h(S) + h(T) = h(S or T) + h(S and T) + I[S - T; T - S | S and T]``. Subadditivity, Han's and Shearer's inequalities
and all basic ones fall to this at once (uncrossing; see Lovasz, "Submodular functions and convexity", 1983).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from imeasure.certificate.rows import Number, Row
from imeasure.certificate.steps import Combination
from imeasure.prove.combine import combine

ROUNDS = 400
"""Most replacements that are tried."""


@dataclass(frozen=True, slots=True)
class Sets:
    """What uncrossing needs to know of the sets: their closures, the closure of the empty set, and signs."""

    closure: Callable[[int], int]
    base: int
    nonnegative: Callable[[int], bool]


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
    if len(positive) > 12 and len(negative) > 12:
        return None
    proof: Combination = {}
    for _ in range(ROUNDS):
        pair = _choose(positive, negative, space)
        if pair is None:
            return _descend(positive, negative, space, proof)
        s, t, joined, common = pair
        amount = min(positive[s], positive[t])
        combine(proof, {("I", s & ~common, t & ~common, common): amount})
        for mask in (s, t):
            _put(positive, mask, -amount)
        for mask in (joined, common):
            if mask and mask != space.base:
                _gain(positive, negative, mask, amount)
    return None


def _choose(positive: dict[int, Number], negative: dict[int, Number], space: Sets) -> tuple[int, int, int, int] | None:
    """Return two crossing sets with their union's closure and intersection, those first that cancel something."""
    best: tuple[int, int, int, int] | None = None
    score = -1
    sets = list(positive)
    for position, s in enumerate(sets):
        for t in sets[position + 1 :]:
            common = s & t
            if common in (s, t):
                continue
            joined = space.closure(s | t)
            gain = 2 * (joined in negative) + (common in negative or common == 0)
            if gain > score:
                best, score = (s, t, joined, common), gain
                if gain == 3:
                    return best
    return best


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

"""Adding proofs: combinations of steps are vectors, and sums of proofs prove sums of claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from imeasure.certificate.rows import ONE, Number, Row, magnitude
from imeasure.certificate.steps import Combination, Key


def combine(result: Combination, other: Mapping[Key, Number], factor: Number = 1) -> Combination:
    """Add a multiple of a combination to another one in place.

    Args:
        result: The combination to change.
        other: The one to add.
        factor: Its multiplier.

    Returns:
        The changed combination, zeros left out.

    Example:
        >>> combine({("one",): 1}, {("one",): 1, ("H", 1, 0): 2}, -1)
        {('H', 1, 0): -2}
    """
    for key, value in other.items():
        total = result.get(key, 0) + factor * value
        if total:
            result[key] = total.numerator if isinstance(total, Fraction) and total.denominator == 1 else total
        else:
            result.pop(key, None)
    return result


def closing(missing: Row, gap: Callable[[int, int], Combination]) -> Combination:
    """Return a proof that a row that vanishes under the facts is at least zero, set by set.

    Args:
        missing: The row.
        gap: For a set S and a sign the proof that ``sign * (h(S) - what represents it) >= 0``.

    Returns:
        The proof.
    """
    result: Combination = {}
    for column, value in missing.items():
        if isinstance(column, int) and column != ONE:
            combine(result, gap(column, 1 if value > 0 else -1), magnitude(value))
    return result

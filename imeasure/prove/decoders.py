"""Second distributions that give ``KL[Y|Z]`` wanted values: the true conditional, mixed with what never happens.

``q(y|z) = a p(y|z) + (1 - a) [y is an outcome of probability zero]`` has divergence ``-ln a``. Where the model's
graph says that a prediction averages a decoder, ``q(y|x)`` is that average: the sum of ``p(z|x) q(y|z)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import exp

import numpy as np
import numpy.typing as npt

from imeasure.certificate.problem import Problem
from imeasure.certificate.steps import jensen_pairs
from imeasure.distribution import Distribution

Array = npt.NDArray[np.object_]


def groups(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the variables of a functional, and those that it is given.

    Args:
        text: Text such as ``KL[Y|X,Z]``.

    Returns:
        Two tuples of names.

    Example:
        >>> groups("KL[Y|X,Z]")
        (('Y',), ('X', 'Z'))
    """
    left, _, right = text[text.index("[") + 1 : -1].partition("|")
    return tuple(left.split(",")), tuple(filter(None, right.split(",")))


def averages(problem: Problem) -> dict[str, str] | None:
    """Return for each prediction's divergence that of the decoder it averages; None if it would average several."""
    pairs = jensen_pairs(problem)
    found = {pair[3]: pair[4] for pair in pairs}
    return found if len(found) == len(pairs) else None


def with_room(table: Distribution, divergences: list[str]) -> Distribution:
    """Return a table with one more outcome, of probability zero, of each divergence's first variable.

    Args:
        table: The true distribution, whose outcomes are integers.
        divergences: Texts such as ``KL[Y|Z]``.

    Returns:
        The same distribution.
    """
    pmf, outcomes = np.array(table.pmf), list(table.outcomes)
    for name in dict.fromkeys(groups(text)[0][0] for text in divergences):
        axis = table.names.index(name)
        pmf = np.concatenate([pmf, np.full_like(pmf.take([0], axis), Fraction(0))], axis=axis)
        outcomes[axis] = (*outcomes[axis], max(int(str(value)) for value in outcomes[axis]) + 1)
    return Distribution(pmf, table.names, outcomes)


def decoders(
    table: Distribution, values: Mapping[str, float], averaged: Mapping[str, str], *, odd: bool = False
) -> dict[str, Distribution]:
    """Return for each divergence a joint distribution q whose conditional has it.

    Args:
        table: The true distribution, as :func:`with_room` gives it.
        values: Divergences in nats; those of predictions follow from their decoders'.
        averaged: For each prediction the decoder that it averages.
        odd: Whether all decoders are right on the condition's even outcomes, and give the odd ones half of the weight.

    Returns:
        By text, over the variables of the divergence.

    Example:
        >>> truth = with_room(Distribution.read({(0, 0): 1, (1, 0): 1}, "Y Z", normalize=True), ["KL[Y|Z]"])
        >>> wrong = decoders(truth, {"KL[Y|Z]": 2.0}, {})["KL[Y|Z]"]
        >>> round(truth.value("KL[Y|Z]", against=wrong), 9)
        2.0
    """
    found: dict[str, Distribution] = {}
    for text in sorted(values, key=lambda text: _depth(text, averaged)):
        variables, given = groups(text)
        joint = table.marginal([*given, *variables])
        pmf = np.array(joint.pmf)
        if text in averaged:
            behind = groups(averaged[text])[1]
            both = np.array(table.marginal([*given, *behind]).pmf)
            rows = int(np.prod([len(axis) for axis in joint.outcomes[: len(given)]]))
            decoder = np.array(found[averaged[text]].pmf).reshape(-1, pmf.size // rows)
            sums = [sum(row, Fraction(0)) or Fraction(1) for row in decoder]
            conditional = np.array([[cell / size for cell in row] for row, size in zip(decoder, sums, strict=True)])
            pmf = (both.reshape(rows, -1) @ conditional).reshape(pmf.shape)
        else:
            pmf = _mixed(pmf, len(given), Fraction(1, 2) if odd else _weight(values[text]), odd=odd)
        found[text] = Distribution(pmf, joint.names, joint.outcomes)
    return found


def _depth(text: str, averaged: Mapping[str, str]) -> int:
    return 1 + _depth(averaged[text], averaged) if text in averaged else 0


def _weight(value: float) -> Fraction:
    """Return the weight of the truth, a simple fraction where that is exact."""
    weight = Fraction(exp(-value))
    simple = weight.limit_denominator(1 << 20)
    return simple if abs(float(simple) - exp(-value)) < 1e-16 else weight


def _mixed(pmf: Array, axis: int, weight: Fraction, *, odd: bool) -> Array:
    """Move probability to the last outcome of an axis."""
    weights = np.full_like(pmf, weight)
    if odd and axis:
        weights[::2] = Fraction(1)
    kept = pmf * weights
    lost = (pmf - kept).sum(axis=axis, keepdims=True)
    last = [slice(None)] * pmf.ndim
    last[axis] = slice(-1, None)
    kept[tuple(last)] += lost
    result: Array = kept
    return result

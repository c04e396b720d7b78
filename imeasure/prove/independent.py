"""Tables of independent symbols of any entropies, each seen by some of the variables: a linear program finds them.

If symbol T, of entropy t(T), is seen by the variables in T, then ``h(S)`` is the sum of t(T) over all T that meet S.
Facts and claim are linear in t, so that constants of any size can be met; a biased symbol has any entropy wanted.
"""

from __future__ import annotations

from itertools import product
from math import exp, log, prod

import highspy
import numpy as np

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import ONE, Row
from imeasure.distribution import Distribution
from imeasure.prove.banks import Floats
from imeasure.prove.large import rescale
from imeasure.prove.lp import silent_solver
from imeasure.prove.mechanisms import Mechanism

MOST = 6
"""Most variables for which the program is solved."""
LARGEST = log(8)
"""Largest entropy of a symbol."""
CELLS = 4096
"""Most outcomes of all symbols together."""


def independent_table(problem: Problem, row: Row) -> Distribution | None:
    """Return a table of independent symbols that obeys the facts and makes a row negative, or None.

    Args:
        problem: The problem, without functionals and continuous variables.
        row: The row.

    Returns:
        The table; its facts hold up to rounding, which the caller checks.

    Example:
        >>> from imeasure.certificate.problem import read_problem
        >>> problem = read_problem("H[X] >= 2e-5", given="H[X] >= 1e-5")
        >>> print(f"{independent_table(problem, problem.links[0].row).value('H[X]'):.6f}")
        0.000010
    """
    count = len(problem.names)
    if not 0 < count <= MOST:
        return None
    near = rescale(problem, [row])
    unit = float(near.unit)
    facts = [(fact.equality, *_weights(fact.row, count)) for fact in near.problem.facts]
    cost, constant = _weights(near.row(row), count)
    sizes = _least(cost, facts, LARGEST / unit)
    if sizes is None or float(cost @ sizes) + constant >= 0:
        return None
    symbols = [(mask, size * unit) for mask, size in enumerate(sizes.tolist(), 1) if size > 1e-9]
    laws = [_law(min(size, LARGEST)) for _, size in symbols]
    if not laws or prod(map(len, laws)) > CELLS:
        return None
    outcomes = list(product(*(range(len(law)) for law in laws)))
    labels = np.zeros((len(outcomes), count), dtype=np.int64)
    for variable in range(count):
        seen = [position for position, (mask, _) in enumerate(symbols) if mask >> variable & 1]
        values = [tuple(outcome[position] for position in seen) for outcome in outcomes]
        numbers = {value: number for number, value in enumerate(sorted(set(values)))}
        labels[:, variable] = [numbers[value] for value in values]
    cells = [prod(law[value] for law, value in zip(laws, outcome, strict=True)) for outcome in outcomes]
    free = Mechanism(labels, np.eye(len(cells)), np.zeros(len(cells), dtype=np.int64))
    return free.table(cells, problem.variables)


def _weights(row: Row, count: int) -> tuple[Floats, float]:
    """Return a row's coefficient on the entropy of each symbol, and its constant."""
    values = [sum(float(c) for mask, c in row.items() if int(mask) & seen) for seen in range(1, 1 << count)]
    return np.array(values), float(row.get(ONE, 0))


def _least(cost: Floats, facts: list[tuple[bool, Floats, float]], largest: float) -> Floats | None:
    """Return sizes up to a largest one that obey the facts and cost least, or None."""
    solver = silent_solver()
    count = len(cost)
    none, ends = np.zeros(0, np.int32), np.zeros(count, np.int32)
    solver.addCols(count, cost, np.zeros(count), np.full(count, largest), 0, ends, none, np.zeros(0))
    for equality, weights, constant in facts:
        upper = -constant if equality else highspy.kHighsInf
        solver.addRow(-constant, upper, count, np.arange(count, dtype=np.int32), weights)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    sizes: Floats = np.clip(np.array(solver.getSolution().col_value, float), 0.0, largest)
    return sizes


def _law(entropy: float) -> list[float]:
    """Return probabilities of some entropy: one likely value, the others alike."""
    others = max(1, int(np.ceil(exp(entropy) - 1e-9)) - 1)
    low, high = 0.0, others / (others + 1)
    for _ in range(200):
        q = (low + high) / 2
        value = -(1 - q) * np.log1p(-q) - (q * log(q / others) if q else 0.0)
        low, high = (q, high) if value < entropy else (low, q)
    return [1 - high, *[high / others] * others]

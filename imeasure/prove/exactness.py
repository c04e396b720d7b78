"""Whether a table obeys facts exactly, by rational arithmetic and the unique factorisation of its counts.

To a tolerance is not enough: some inequalities hold where informations vanish, and fail by far more than these are
worth where they nearly vanish (T. Kaced and A. Romashchenko, "Conditional Information Inequalities for Entropic and
Almost Entropic Points", 2013).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imeasure.certificate.problem import Fact
from imeasure.certificate.rows import ONE, Names, Row, row_text
from imeasure.distribution import Distribution
from imeasure.prove.dag import independence

Floats = npt.NDArray[np.float64]

ROUNDING = 1e-9
"""More than rounding can explain; entropies of exact tables are right to about 1e-14."""


def is_structural(fact: Fact) -> bool:
    """Return whether a fact is an independence or a functional dependence."""
    return independence(fact) is not None or determined(fact) is not None


def determined(fact: Fact) -> tuple[int, int] | None:
    """Return A and B if a fact says that ``H[A|B]`` vanishes.

    Args:
        fact: A fact.

    Returns:
        Bitmasks, or None.
    """
    columns = [column for column in fact.row if isinstance(column, int) and column]
    if not fact.equality or len(columns) != len(fact.row) or len(columns) not in (1, 2):
        return None
    small, large = (0, columns[0]) if len(columns) == 1 else sorted(columns, key=int.bit_count)
    if small & ~large or (small and fact.row[small] != -fact.row[large]):
        return None
    return large & ~small, small


def holds(fact: Fact, table: Distribution, entropies: Floats) -> bool:
    """Return whether a table of rational probabilities obeys a fact exactly.

    Independences and functional dependences are equations of probabilities; another equation's value is a combination
    of logarithms of primes; an inequality is obeyed if it is by more than rounding can explain, or such an equation.

    Args:
        fact: The fact.
        table: A table whose axes are the problem's bits in order.
        entropies: Its joint entropies.

    Returns:
        Whether it holds exactly.
    """
    if not table.exact:
        return False

    def marginal(mask: int) -> npt.NDArray[np.object_]:
        rest = tuple(axis for axis in range(len(table.names)) if not mask >> axis & 1)
        result: npt.NDArray[np.object_] = table.pmf.sum(axis=rest, keepdims=True) if rest else table.pmf
        return result

    dependence = determined(fact)
    if dependence is not None:
        target, source = dependence
        joint = marginal(target | source)
        axes = tuple(axis for axis in range(len(table.names)) if target >> axis & 1)
        return bool(((joint != 0).sum(axis=axes) <= 1).all())
    found = independence(fact)
    if found is None:
        value = value_of(fact.row, entropies)
        if abs(value) > ROUNDING:
            return value > 0 and not fact.equality
        return bool(table.exact_value(row_text(fact.row, Names(table.names))) == 0)
    left, right, given, _ = found
    both = marginal(left | right | given) * marginal(given)
    return bool((both == marginal(left | given) * marginal(right | given)).all())


def value_of(row: Row, entropies: Floats) -> float:
    """Return the value of a row in nats."""
    return float(sum(float(c) * (1.0 if m == ONE else float(entropies[int(m)])) for m, c in row.items()))

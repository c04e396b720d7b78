"""Divergences and cross-entropies: one distribution compared with another over the same variables.

``CE[Y|Z] = H[Y|Z] + KL[Y|Z]``, so the divergence of conditionals is all that is computed here (Cover and Thomas,
Elements of Information Theory, 2006, sec. 2.5).
"""

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imeasure.distribution.slices import marginal
from imeasure.distribution.tables import MAX_CELLS, Table, listed, sorted_values
from imeasure.errors import ConfigError, ModelError, UndefinedQuantityError, UnknownVariableError, unknown
from imeasure.measure import EntropyForm
from imeasure.quantities import Functional


def check_comparisons(expression: Any, against: object, kind: type) -> None:
    """Refuse functionals without a distribution to be taken against, and a distribution without a functional.

    Args:
        expression: A sympy expression.
        against: What was given as the second distribution, or None.
        kind: What it has to be.

    Raises:
        UndefinedQuantityError: If a functional is not ``CE`` or ``KL``, or has nothing to be compared with.
        ConfigError: If the second distribution is none, or is not compared with.
    """
    functionals = sorted(expression.atoms(Functional), key=str)
    for functional in functionals:
        if functional.name not in {"CE", "KL"}:
            raise UndefinedQuantityError(
                f"{functional} is a name, not a quantity of distributions; evaluate it yourself"
            )
        if against is None:
            raise UndefinedQuantityError(f"{functional} compares two distributions; give the second one as against=q")
    if against is not None and not isinstance(against, kind):
        raise ConfigError(
            f"against is a Distribution with the same variables, not {type(against).__name__}; an array q becomes one "
            "by Distribution(q, names), other tables by Distribution.read"
        )
    if against is not None and not functionals:
        raise ConfigError(f"'{expression}' has no CE or KL that compares distributions; leave against out")


def divergences(form: EntropyForm, table: Table, against: Table) -> float:
    """Add up the divergences of a form, whose other functionals are refused before.

    Args:
        form: A form whose coefficients are numbers.
        table: The table p.
        against: The table q.

    Returns:
        Nats; infinite where q excludes what p allows.

    Raises:
        UndefinedQuantityError: If one infinite divergence is subtracted from another.
    """
    total = sum(float(form.coefficient(c)) * divergence(kl, table, against) for kl, c in form.functionals.items())
    if math.isnan(total):
        raise UndefinedQuantityError(
            f"{form.to_sympy()} subtracts infinities, for q excludes what happens; evaluate its terms one by one"
        )
    return float(total)


def divergence(functional: Functional, table: Table, against: Table) -> float:
    """Evaluate ``KL[A|B]``, the expected divergence of one table's conditionals from another's.

    Args:
        functional: The functional (``CE`` is written as ``H + KL`` before it comes here).
        table: The table p.
        against: The table q; values that one of the tables does not list have probability zero there.

    Returns:
        Nats; infinite where q excludes what p allows.

    Raises:
        UnknownVariableError: If the second table lacks a variable.
        ModelError: If the tables have no value of a variable in common.
    """
    given = [v.name for v in functional.given]
    names = [*given, *(v.name for v in functional.variables)]
    if missing := [name for name in names if name not in against.names]:
        raise UnknownVariableError(f"the distribution against: {unknown('variable', missing[0], against.names)}")
    p, q = marginal(table, names), marginal(against, names)
    for name, here, there in zip(names, p.outcomes, q.outcomes, strict=True):
        if not set(here) & set(there):
            raise ModelError(
                f"the distributions need values of {name} in common; here it has {listed(here)}, in the one against "
                f"{listed(there)}"
            )
    values = [
        here if here == there else sorted_values((*here, *there))
        for here, there in zip(p.outcomes, q.outcomes, strict=True)
    ]
    return conditional_divergence(_widened(p, values), _widened(q, values), len(given))


def conditional_divergence(p: NDArray[np.float64], q: NDArray[np.float64], given: int) -> float:
    r"""Expected divergence of conditionals: :math:`\sum p(y,z) \ln \frac{p(y|z)}{q(y|z)}`.

    Args:
        p: Joint table, shape (k_1, ..., k_n).
        q: Joint table of the same shape.
        given: Number of leading axes that are conditioned on.

    Returns:
        Nats; infinite where q excludes what p allows.

    Example:
        >>> conditional_divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0]), 0)
        inf
    """
    rows = int(np.prod(p.shape[:given]))
    joint, other = p.reshape(rows, -1), q.reshape(rows, -1)
    support = joint > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (joint / joint.sum(axis=1, keepdims=True)) / (other / other.sum(axis=1, keepdims=True))
        terms = np.where(support, joint * np.log(ratio), 0.0)
    excluded = support & ~(other > 0)
    return float("inf") if excluded.any() else max(0.0, float(terms.sum()))


def _widened(table: Table, values: Sequence[tuple[Hashable, ...]]) -> NDArray[np.float64]:
    """The table over more values of its variables, which have probability zero."""
    shape = tuple(map(len, values))
    if math.prod(shape) > max(MAX_CELLS, table.pmf.size):
        raise ModelError(f"a table of {' x '.join(map(str, shape))} cells is too large to compare; list fewer values")
    wide = np.zeros(shape)
    at = [{value: place for place, value in enumerate(axis)} for axis in values]
    places = [[place[value] for value in own] for place, own in zip(at, table.outcomes, strict=True)]
    wide[np.ix_(*places)] = table.pmf.astype(np.float64)
    return wide

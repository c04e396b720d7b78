"""Tables made from a table: marginals, conditionals, samples, divergences, and its outcomes as text and HTML.

Pure functions behind the methods of :class:`~imeasure.distribution.Distribution`.
"""

from collections.abc import Hashable, Mapping
from fractions import Fraction
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imeasure.distribution.tables import Table, from_array, read_names
from imeasure.distribution.values import conditional_divergence
from imeasure.errors import ModelError, UndefinedQuantityError, UnknownVariableError, unknown
from imeasure.quantities import Functional

_ROWS_SHOWN = 32


def axis_of(name: str, names: tuple[str, ...]) -> int:
    """Return the axis of a variable.

    Args:
        name: The variable.
        names: All of them.

    Returns:
        Its position.

    Raises:
        UnknownVariableError: If it is not there.
    """
    if name not in names:
        raise UnknownVariableError(unknown("variable", str(name), names))
    return names.index(name)


def marginal(table: Table, names: Any) -> Table:
    """Sum over all variables that are not named.

    Args:
        table: A table.
        names: The variables to keep, in the order wanted.

    Returns:
        Their table.

    Raises:
        UnknownVariableError: If a name is not there.
    """
    kept = read_names(names)
    axes = [axis_of(name, table.names) for name in kept]
    others = tuple(axis for axis in range(len(table.names)) if axis not in axes)
    summed = np.asarray(table.pmf.sum(axis=others), dtype=table.pmf.dtype) if others else table.pmf
    ordered = np.transpose(summed, np.argsort(np.argsort(axes))) if axes else summed
    return from_array(ordered, kept, [table.outcomes[axis] for axis in axes])


def conditional(table: Table, event: Mapping[str, Hashable]) -> Table:
    """Return the table of the other variables, given values of some.

    Args:
        table: A table.
        event: Names and values.

    Returns:
        The conditional table.

    Raises:
        UnknownVariableError: If a name or a value is not there.
        ModelError: If the event has probability zero, or names every variable.
    """
    index: list[int | slice] = [slice(None)] * len(table.names)
    for name, value in event.items():
        axis = axis_of(name, table.names)
        if value not in table.outcomes[axis]:
            known = ", ".join(repr(outcome) for outcome in table.outcomes[axis])
            raise UnknownVariableError(f"{name} has no value {value!r}; it has {known}")
        index[axis] = table.outcomes[axis].index(value)
    rest = [axis for axis, at in enumerate(index) if isinstance(at, slice)]
    if not rest:
        raise ModelError("the event names every variable; leave at least one to have a distribution")
    part = table.pmf[tuple(index)]
    if not part.sum() > 0:
        text = ", ".join(f"{name}={value!r}" for name, value in event.items())
        raise ModelError(f"the event {text} has probability zero; nothing can be conditioned on it")
    return from_array(
        part, [table.names[axis] for axis in rest], [table.outcomes[axis] for axis in rest], normalize=True
    )


def divergence(functional: Functional, table: Table, against: Table | None) -> float:
    """Evaluate ``KL[A|B]``, the expected divergence of one table's conditionals from another's.

    Args:
        functional: The functional (``CE`` is written as ``H + KL`` before it comes here).
        table: The table p.
        against: The table q, with the same values of the variables.

    Returns:
        Nats; infinite where q excludes what p allows.

    Raises:
        UndefinedQuantityError: If it is another functional, or there is no second table.
        ModelError: If the tables do not have the same values.
    """
    if functional.name != "KL":
        raise UndefinedQuantityError(f"{functional} is a name, not a quantity of distributions; evaluate it yourself")
    if against is None:
        raise UndefinedQuantityError(f"{functional} compares two distributions; give the second one as against=q")
    given = [v.name for v in functional.given]
    names = [*given, *(v.name for v in functional.variables)]
    p, q = marginal(table, names), marginal(against, names)
    if p.outcomes != q.outcomes:
        raise ModelError(f"both distributions need the same values of {', '.join(names)}")
    return conditional_divergence(p.pmf.astype(np.float64), q.pmf.astype(np.float64), len(given))


def sample(table: Table, size: int, generator: np.random.Generator) -> NDArray[Any]:
    """Draw outcomes of a table.

    Args:
        table: A table.
        size: How many.
        generator: Source of randomness.

    Returns:
        Shape (size, n): the outcomes' values, as an object array unless all of them are integers.
    """
    flat = table.pmf.astype(np.float64).ravel()
    places = np.unravel_index(generator.choice(flat.size, size=size, p=flat / flat.sum()), table.pmf.shape)
    integers = all(isinstance(value, int) for axis in table.outcomes for value in axis)
    columns = []
    for axis, place in zip(table.outcomes, places, strict=True):
        values = np.empty(len(axis), dtype=np.int64 if integers else object)
        values[:] = axis
        columns.append(values[place])
    return np.stack(columns, axis=1)


def rows(table: Table) -> list[tuple[Any, ...]]:
    """List the outcomes that have a probability, each followed by it.

    Args:
        table: A table.

    Returns:
        One tuple per outcome.
    """
    return [
        (*(values[i] for values, i in zip(table.outcomes, at, strict=True)), table.pmf[tuple(at)])
        for at in np.argwhere(table.pmf > 0).tolist()
    ]


def to_text(table: Table) -> str:
    """Write the outcomes as aligned columns.

    Args:
        table: A table.

    Returns:
        Lines of text; long tables are cut.
    """
    cells, hidden = _cells(table)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    return "\n".join([*lines, f"... and {hidden} more"] if hidden else lines)


def to_html(table: Table) -> str:
    """Write the outcomes as an HTML table.

    Args:
        table: A table.

    Returns:
        HTML; long tables are cut.
    """
    (header, *body), hidden = _cells(table)
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
    more = f'<tr><td colspan="{len(header)}">and {hidden} more</td></tr>' if hidden else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}{more}</tbody></table>"


def _cells(table: Table) -> tuple[list[list[str]], int]:
    listed = rows(table)
    shown = [
        [*map(str, row[:-1]), str(row[-1]) if isinstance(row[-1], Fraction) else f"{row[-1]:.6g}"]
        for row in listed[:_ROWS_SHOWN]
    ]
    return [[*table.names, "p"], *shown], len(listed) - len(shown)

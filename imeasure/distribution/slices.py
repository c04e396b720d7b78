"""Tables made from a table: marginals, conditionals, samples, and its outcomes as rows.

Pure functions behind the methods of :class:`~imeasure.distribution.Distribution`.
"""

from collections.abc import Hashable, Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imeasure.distribution.displays import ROWS_SHOWN
from imeasure.distribution.tables import Table, from_array, listed, plain, read_names
from imeasure.errors import ConfigError, ModelError, UnknownVariableError, unknown
from imeasure.quantities import RandomVariable


def axis_of(name: Any, names: tuple[str, ...]) -> int:
    """Return the axis of a variable.

    Args:
        name: The variable, or its name in any spelling.
        names: All of them.

    Returns:
        Its position.

    Raises:
        ParseError: If it is no name.
        UnknownVariableError: If it is not there.
    """
    spelled = str(RandomVariable(name).name)
    if spelled not in names:
        raise UnknownVariableError(unknown("variable", spelled, names))
    return names.index(spelled)


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
    ordered = np.transpose(summed, np.argsort(np.argsort(axes)))
    return from_array(ordered, kept, [table.outcomes[axis] for axis in axes])


def conditional(table: Table, event: Mapping[Any, Hashable], more: Mapping[str, Hashable]) -> Table:
    """Return the table of the other variables, given values of some.

    Args:
        table: A table.
        event: Variables or their names, and values.
        more: The same.

    Returns:
        The conditional table.

    Raises:
        UnknownVariableError: If a name or a value is not there.
        ModelError: If the event has probability zero, or names every variable.
    """
    if not isinstance(event, Mapping):
        raise ModelError(f"an event is a dictionary such as {{'{table.names[0]}': value}}, not {event!r}")
    index: list[int | slice] = [slice(None)] * len(table.names)
    for name, given in (*event.items(), *more.items()):
        axis = axis_of(name, table.names)
        value = plain(given)
        if not isinstance(value, Hashable) or value not in table.outcomes[axis]:
            raise UnknownVariableError(f"{name} has no value {value!r}; it has {listed(table.outcomes[axis])}")
        at = table.outcomes[axis].index(value)
        if index[axis] not in (slice(None), at):
            raise ModelError(f"the event gives {name} two values; give each variable once")
        index[axis] = at
    rest = [axis for axis, at in enumerate(index) if isinstance(at, slice)]
    if not rest:
        raise ModelError("the event names every variable; leave at least one to have a distribution")
    part = table.pmf[tuple(index)]
    if not part.sum() > 0:
        text = ", ".join(f"{name}={value!r}" for name, value in (*event.items(), *more.items()))
        raise ModelError(f"the event {text} has probability zero; nothing can be conditioned on it")
    return from_array(
        part, [table.names[axis] for axis in rest], [table.outcomes[axis] for axis in rest], normalize=True
    )


def sample(table: Table, size: int, generator: np.random.Generator) -> NDArray[Any]:
    """Draw outcomes of a table.

    Args:
        table: A table.
        size: How many.
        generator: Source of randomness.

    Returns:
        Shape (size, n): the outcomes' values, as an object array unless all of them are integers.

    Raises:
        ConfigError: If the size is no number of outcomes.
    """
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
        raise ConfigError(f"the size of a sample is a number of outcomes, 0 or more, not {size!r}")
    flat = table.pmf.astype(np.float64).ravel()
    places = np.unravel_index(generator.choice(flat.size, size=size, p=flat / flat.sum()), table.pmf.shape)
    integers = all(type(value) is int and abs(value) < 1 << 62 for axis in table.outcomes for value in axis)
    dtype = np.dtype(np.int64 if integers else object)
    values = [np.fromiter(axis, dtype=dtype, count=len(axis)) for axis in table.outcomes]
    return np.stack([axis[place] for axis, place in zip(values, places, strict=True)], axis=1)


def rows(table: Table, limit: int | None = None) -> list[tuple[Any, ...]]:
    """List the outcomes that have a probability, each followed by it.

    Args:
        table: A table.
        limit: How many to list; all if not given.

    Returns:
        One tuple per outcome.
    """
    return [
        (*(values[i] for values, i in zip(table.outcomes, at, strict=True)), table.pmf[tuple(at)])
        for at in islice(np.argwhere(table.pmf > 0), limit)
    ]


def shown(table: Table) -> tuple[list[str], list[list[str]], int]:
    """Write the outcomes as cells of text, as many as a display shows.

    Args:
        table: A table.

    Returns:
        Header, rows, and how many more there are.
    """
    cells = [
        [*map(str, row[:-1]), str(row[-1]) if isinstance(row[-1], Fraction) else f"{row[-1]:.6g}"]
        for row in rows(table, ROWS_SHOWN)
    ]
    return [*table.names, "p"], cells, int(np.count_nonzero(table.pmf)) - len(cells)

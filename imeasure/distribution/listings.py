"""Listed outcomes: dictionaries and rows of values with a probability each become one checked table.

A missing value, a ragged row and what is no number are refused with the number of the row, counted from one.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from imeasure.distribution.tables import (
    MAX_AXES,
    MAX_CELLS,
    Table,
    as_number,
    coarsest,
    from_array,
    is_missing,
    objects,
    plain,
    read_names,
    require_common_denominator,
    sorted_values,
)
from imeasure.errors import ModelError


def from_mapping(probabilities: Mapping[Any, Any], names: Any = None, *, normalize: bool = False) -> Table:
    """Read a dictionary from outcomes to probabilities.

    Args:
        probabilities: Keys are tuples of values, single values, or texts with one letter per variable (whole texts, if
            there is one name); what is not there has probability zero.
        names: One name per variable; ``X0 X1 ...`` if not given.
        normalize: Divide by the sum.

    Returns:
        The table; the values of each variable are sorted if they can be.

    Raises:
        ModelError: If the outcomes differ in length, or the probabilities are not a distribution.

    Example:
        >>> from_mapping({"00": "1/2", "11": "1/2"}, "X Y").outcomes
        (('0', '1'), ('0', '1'))
    """
    if not probabilities:
        raise ModelError("the table has no outcomes; give at least one with its probability")
    labels = None if names is None else read_names(names)
    split = tuple if labels is not None and len(labels) == 1 else (tuple, str)
    keys = {key: tuple(key) if isinstance(key, split) else (key,) for key in probabilities}
    first, *others = keys.items()
    if different := [key for key, outcome in others if len(outcome) != len(first[1])]:
        raise ModelError(
            f"outcomes {first[0]!r} and {different[0]!r} differ in length; write each as a tuple with one value per "
            "variable, or as a text with one letter per variable"
        )
    return from_rows([(*outcome, probabilities[key]) for key, outcome in keys.items()], labels, normalize=normalize)


def from_rows(rows: Iterable[Sequence[Any]], names: Any = None, *, normalize: bool = False) -> Table:
    """Read rows whose last entry is the probability of the values before it.

    Args:
        rows: Rows of equal length; rows of the same outcome add up.
        names: One name per variable; ``X0 X1 ...`` if not given.
        normalize: Divide by the sum.

    Returns:
        The table.

    Raises:
        ModelError: If the rows differ in length, have missing values, or are not a distribution.

    Example:
        >>> from_rows([("a", 0, 0.25), ("b", 1, 0.75)], "X Y").pmf.tolist()
        [[0.25, 0.0], [0.0, 0.75]]
    """
    listed = list(rows)
    for number, row in enumerate(listed, 1):
        if isinstance(row, str) or not isinstance(row, Iterable):
            raise ModelError(
                f"row {number} is {row!r}; a row is a sequence of values and their probability. An array of "
                "probabilities is read by Distribution(pmf, names)"
            )
    entries = [tuple(row) for row in listed]
    width = len(entries[0]) - 1 if entries else 0
    if width < 1:
        raise ModelError("there are no outcomes; give rows of values, each followed by its probability")
    for number, row in enumerate(entries, 1):
        if len(row) != width + 1:
            raise ModelError(f"row {number} has {len(row)} entries, the first row has {width + 1}: {row!r}")
    labels = read_labels(names, width)
    weights = [row[-1] for row in entries]
    return tabulated([row[:-1] for row in entries], weights, labels, normalize=normalize, epsilon=coarsest(weights))


def read_labels(names: Any, width: int) -> tuple[str, ...]:
    """Return a name for each value of an outcome.

    Args:
        names: As for :func:`~imeasure.distribution.tables.read_names`, or None.
        width: How many values an outcome has.

    Returns:
        The names; ``X0 X1 ...`` if there are none.

    Raises:
        ModelError: If they are not as many.
    """
    labels = tuple(f"X{i}" for i in range(width)) if names is None else read_names(names)
    if len(labels) != width:
        raise ModelError(f"outcomes of {width} values need as many names, got {len(labels)}: {' '.join(labels)}")
    return labels


def tabulated(
    outcomes: Sequence[Sequence[Any]],
    weights: Sequence[Any],
    names: tuple[str, ...],
    *,
    normalize: bool,
    epsilon: float = 0.0,
) -> Table:
    """Add the weight of each outcome to its cell of a dense table.

    Args:
        outcomes: One row of values per outcome.
        weights: One number per outcome.
        names: One per value.
        normalize: Divide by the sum.
        epsilon: Of the floats that the weights were.

    Returns:
        The table.

    Raises:
        ModelError: If a value is missing, a weight is no number, or the table is too large or no distribution.

    Example:
        >>> tabulated([["a"], ["b"], ["a"]], [1, 1, 2], ("X",), normalize=True).pmf.tolist()
        [Fraction(3, 4), Fraction(1, 4)]
    """
    columns = [[plain(row[axis]) for row in outcomes] for axis in range(len(names))]
    for name, column in zip(names, columns, strict=True):
        for number, value in enumerate(column, 1):
            if is_missing(value):
                raise ModelError(f"row {number} has no value of {name} (it is {value}); drop the row or name the value")
            if not isinstance(value, Hashable):
                raise ModelError(f"row {number} has {value!r} as value of {name}; use numbers, texts or tuples")
    values = [sorted_values(column) for column in columns]
    shape = tuple(map(len, values))
    if math.prod(shape) > MAX_CELLS:
        raise ModelError(
            f"the table of {len(shape)} variables would have more than {MAX_CELLS} cells; bin values, or keep fewer "
            "variables"
        )
    if len(names) > MAX_AXES:
        raise ModelError(f"a table has at most {MAX_AXES} variables, not {len(names)}; keep fewer")
    places = [{value: index for index, value in enumerate(axis)} for axis in values]
    amounts: list[Fraction | float] = []
    for number, weight in enumerate(weights, 1):
        if is_missing(weight):
            raise ModelError(f"row {number} has no probability (it is {weight}); drop the row or give one")
        try:
            amounts.append(as_number(weight))
        except ModelError as error:
            raise ModelError(f"row {number}: {error}") from None
    require_common_denominator(amounts)
    cells: NDArray[Any] = objects([Fraction(0)] * math.prod(shape), shape)
    for row, amount in zip(zip(*columns, strict=True), amounts, strict=True):
        cells[tuple(place[value] for place, value in zip(places, row, strict=True))] += amount
    return from_array(cells, names, values, normalize=normalize, epsilon=epsilon)

"""Reading tables of probabilities: whatever describes a finite joint distribution becomes one dense array.

Arrays, dictionaries, rows, data frames, CSV files and dit's distributions all end in a :class:`Table`, whose
probabilities stay exact fractions if they were given as such; what is not a distribution is refused, with the reason.
"""

import csv
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imeasure.errors import ConfigError, ModelError, UnknownVariableError, unknown
from imeasure.quantities import RandomVariable

# Float tables whose sum is off by more than this are refused; below, they are divided by their sum.
SUM_TOLERANCE = 1e-9
_PROBABILITY_COLUMNS = ("p", "probability", "prob", "pmf", "weight", "count")


@dataclass(frozen=True, eq=False)
class Table:
    """A validated joint table.

    Attributes:
        pmf: Shape (k_1, ..., k_n), float64 or an object array of ``Fraction``; read-only.
        names: One per axis.
        outcomes: For each axis the values that its entries stand for.
    """

    pmf: NDArray[Any]
    names: tuple[str, ...]
    outcomes: tuple[tuple[Hashable, ...], ...]


def read_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Split and check variable names.

    Args:
        names: ``"X Y Z"``, or an iterable of names.

    Returns:
        The names, spelled as the language spells them.

    Raises:
        ParseError: If one is not a name of the language.
        ModelError: If one occurs twice.

    Example:
        >>> read_names("X Y, Z")
        ('X', 'Y', 'Z')
    """
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    result = tuple(str(RandomVariable(name).name) for name in names)
    if repeated := [name for name in dict.fromkeys(result) if result.count(name) > 1]:
        raise ModelError(f"variable {repeated[0]} is named twice; give each axis its own name")
    return result


def from_array(
    pmf: Any,
    names: str | Iterable[str],
    outcomes: Sequence[Sequence[Hashable]] | None = None,
    *,
    normalize: bool = False,
) -> Table:
    """Check an array of probabilities.

    Args:
        pmf: Array or nested lists, shape (k_1, ..., k_n). Integers, fractions, sympy rationals and texts such as
            ``"1/3"`` stay exact; one float makes all of them floats.
        names: One name per axis.
        outcomes: For each axis the values of its entries; 0, 1, ... if not given.
        normalize: Divide by the sum, so that counts and weights are accepted.

    Returns:
        The table.

    Raises:
        ModelError: If it is not a distribution, or shapes and names do not fit.

    Example:
        >>> from_array([["1/2", 0], [0, "1/2"]], "X Y").pmf[1, 1]
        Fraction(1, 2)
    """
    labels = read_names(names)
    try:
        cells = np.asarray(pmf)
    except ValueError:
        raise ModelError("the rows of the table differ in length; a joint table is a rectangular array") from None
    if cells.ndim != len(labels):
        raise ModelError(f"a table of {cells.ndim} axes needs as many names, got {len(labels)}: {' '.join(labels)}")
    if cells.size == 0:
        raise ModelError(f"the table of shape {cells.shape} has no cells; every variable needs at least one value")
    if outcomes is None:
        values: tuple[tuple[Hashable, ...], ...] = tuple(tuple(range(size)) for size in cells.shape)
    else:
        values = tuple(tuple(axis) for axis in outcomes)
        if tuple(map(len, values)) != cells.shape:
            raise ModelError(f"outcomes of lengths {tuple(map(len, values))} do not fit a table of shape {cells.shape}")
        for name, axis in zip(labels, values, strict=True):
            if any(value != value for value in axis):  # noqa: PLR0124 - only a missing value differs from itself
                raise ModelError(f"{name} has a missing value (NaN) as outcome; drop or name it")
            if len(set(axis)) != len(axis):
                raise ModelError(f"an outcome of {name} stands twice; add up its probabilities first")
    exact = cells.dtype.kind in "iubOU"
    if exact:
        cells = _objects([_exact(cell) for cell in cells.ravel().tolist()], cells.shape)
        exact = not any(isinstance(cell, float) for cell in cells.flat)
    elif cells.dtype.kind != "f":
        raise ModelError(f"probabilities must be real numbers, not {cells.dtype}")
    if not exact:
        cells = cells.astype(np.float64)
    checked = _distribution(cells, values, labels, normalize=normalize)
    checked.flags.writeable = False
    return Table(checked, labels, values)


def from_mapping(
    probabilities: Mapping[Any, Any], names: str | Iterable[str] | None = None, *, normalize: bool = False
) -> Table:
    """Read a dictionary from outcomes to probabilities.

    Args:
        probabilities: Keys are tuples of values, texts with one letter per variable, or single values; what is not
            there has probability zero.
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
    split = {key: tuple(key) if isinstance(key, tuple | str) else (key,) for key in probabilities}
    return from_rows([(*outcome, probabilities[key]) for key, outcome in split.items()], names, normalize=normalize)


def from_rows(
    rows: Iterable[Sequence[Any]], names: str | Iterable[str] | None = None, *, normalize: bool = False
) -> Table:
    """Read rows whose last entry is the probability of the values before it.

    Args:
        rows: Rows of equal length; rows of the same outcome add up.
        names: One name per variable; ``X0 X1 ...`` if not given.
        normalize: Divide by the sum.

    Returns:
        The table.

    Raises:
        ModelError: If the rows differ in length, or are not a distribution.

    Example:
        >>> from_rows([("a", 0, 0.25), ("b", 1, 0.75)], "X Y").pmf.tolist()
        [[0.25, 0.0], [0.0, 0.75]]
    """
    listed = [tuple(row) for row in rows]
    width = len(listed[0]) - 1 if listed else 0
    for row in listed:
        if len(row) != width + 1:
            raise ModelError(f"row {row!r} has {len(row)} entries, the first row has {width + 1}")
    labels = read_names(names) if names is not None else tuple(f"X{i}" for i in range(width))
    if len(labels) != width:
        raise ModelError(f"outcomes of {width} values need as many names, got {len(labels)}: {' '.join(labels)}")
    values = tuple(sorted_values(row[i] for row in listed) for i in range(width))
    places = [{value: index for index, value in enumerate(axis)} for axis in values]
    cells: NDArray[Any] = _objects(
        [Fraction(0)] * int(np.prod([len(axis) for axis in values])), tuple(map(len, values))
    )
    for row in listed:
        at = tuple(place[value] for place, value in zip(places, row[:-1], strict=True))
        cells[at] += _exact(row[-1])
    return from_array(cells, labels, values, normalize=normalize)


def from_csv(path: str | Path, *, probability: str | None = None, normalize: bool = False) -> Table:
    """Read a CSV file with a header: a column per variable and one of probabilities; without it, rows are samples.

    Args:
        path: The file.
        probability: Name of the column of probabilities;
            ``p``, ``probability``, ``prob``, ``pmf``, ``weight`` and ``count`` are recognised.
        normalize: Divide by the sum; a column ``count`` always is.

    Returns:
        The table; decimals and fractions such as ``1/3`` are read exactly.

    Raises:
        ConfigError: If the file cannot be read.
        ModelError: If it is not a distribution.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = [[entry.strip() for entry in row] for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot read {path} as a CSV file: {error}") from None
    if len(rows) < 2:
        raise ModelError(f"{path} has no rows below its header; give one row per outcome")
    return _from_columns(rows[0], rows[1:], probability, normalize=normalize)


def from_frame(frame: Any, *, probability: str | None = None, normalize: bool = False) -> Table:
    """Read a pandas data frame (columns as in :func:`from_csv`) or a series indexed by outcomes.

    Args:
        frame: ``DataFrame``, or ``Series`` whose index levels are the variables.
        probability: Name of the column of probabilities.
        normalize: Divide by the sum; a column ``count`` always is.

    Returns:
        The table.

    Raises:
        ModelError: If it is not a distribution.
    """
    if not hasattr(frame, "columns"):
        names = [str(name) for name in frame.index.names] if None not in frame.index.names else None
        return from_mapping(frame.to_dict(), names, normalize=normalize)
    columns = [str(column) for column in frame.columns]
    return _from_columns(columns, frame.to_numpy(dtype=object).tolist(), probability, normalize=normalize)


def from_dit(distribution: Any, names: str | Iterable[str] | None = None) -> Table:
    """Read dit's ``Distribution``, in whichever base its probabilities are.

    Args:
        distribution: The object.
        names: One name per variable; dit's own names, or ``X0 X1 ...``, if not given.

    Returns:
        The table.

    Raises:
        ModelError: If its probabilities are not a distribution.
    """
    linear = distribution.copy(base="linear")
    if names is None:
        names = distribution.get_rv_names()
    return from_mapping({tuple(outcome): float(p) for outcome, p in linear.zipped()}, names)


def read(source: Any, names: str | Iterable[str] | None = None, *, normalize: bool = False) -> Table:
    """Read any of the sources above, told apart by what they are.

    Args:
        source: Mapping, list of rows, path of a CSV file, pandas object, or dit's distribution.
        names: Names, where the source has none.
        normalize: Divide by the sum.

    Returns:
        The table.

    Raises:
        ModelError: If the source is none of these, or not a distribution.
    """
    if isinstance(source, Mapping):
        return from_mapping(source, names, normalize=normalize)
    if isinstance(source, str | Path):
        return from_csv(source, normalize=normalize)
    if hasattr(source, "to_dict") and hasattr(source, "index"):
        return from_frame(source, normalize=normalize)
    if hasattr(source, "zipped") and hasattr(source, "get_rv_names"):
        return from_dit(source, names)
    if isinstance(source, Sequence):
        return from_rows(source, names, normalize=normalize)
    raise ModelError(
        f"cannot read a distribution from {type(source).__name__}; give a dictionary from outcomes to probabilities, "
        "rows, a CSV file, a pandas or a dit object, or an array with names to Distribution(pmf, names)"
    )


def sorted_values(values: Iterable[Any]) -> tuple[Hashable, ...]:
    """Return the distinct values, sorted where they can be compared, else as first seen."""
    distinct = list(dict.fromkeys(values))
    try:
        return tuple(sorted(distinct))
    except TypeError:
        return tuple(distinct)


def _from_columns(
    header: Sequence[str], rows: Sequence[Sequence[Any]], probability: str | None, *, normalize: bool
) -> Table:
    if probability is None:
        probability = next((column for column in header if column in _PROBABILITY_COLUMNS), None)
    elif probability not in header:
        raise UnknownVariableError(unknown("column", probability, header))
    if probability is None:
        return from_rows([(*row, 1) for row in rows], header, normalize=True)
    at = header.index(probability)
    if ragged := [number for number, row in enumerate(rows, 1) if len(row) != len(header)]:
        raise ModelError(f"row {ragged[0]} has {len(rows[ragged[0] - 1])} cells, the header has {len(header)}")
    moved = [(*row[:at], *row[at + 1 :], row[at]) for row in rows]
    names = [*header[:at], *header[at + 1 :]]
    return from_rows(moved, names, normalize=normalize or probability in {"count", "weight"})


def _exact(cell: Any) -> Any:
    """A fraction where the number is exact, a float where it is not."""
    if isinstance(cell, Fraction):
        return cell
    if isinstance(cell, float | np.floating):
        return float(cell)
    try:
        if hasattr(cell, "p") and hasattr(cell, "q"):
            return Fraction(int(cell.p), int(cell.q))
        return Fraction(cell)
    except (TypeError, ValueError, ZeroDivisionError):
        raise ModelError(f"{cell!r} is not a probability; give numbers, fractions, or texts such as '1/3'") from None


def _objects(cells: Sequence[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array.reshape(shape)


def _distribution(
    cells: NDArray[Any], outcomes: tuple[tuple[Hashable, ...], ...], names: tuple[str, ...], *, normalize: bool
) -> NDArray[Any]:
    """The cells, summing to one; refuses what is not a distribution."""
    exact = cells.dtype == object

    def describe(bad: NDArray[np.bool_]) -> str:
        at = np.unravel_index(int(np.flatnonzero(bad.ravel())[0]), bad.shape)
        where = ", ".join(f"{name}={axis[i]!r}" for name, axis, i in zip(names, outcomes, at, strict=True))
        return f"p({where}) = {cells[at]}"

    if not exact and not np.isfinite(cells).all():
        raise ModelError(f"{describe(~np.isfinite(cells))} is not a finite number")
    negative = np.asarray(cells < 0, dtype=bool)
    if negative.any():
        raise ModelError(f"{describe(negative)} is negative; probabilities are at least zero")
    total = cells.sum()
    if normalize and total > 0:
        return np.asarray(cells / total)
    if exact:
        if total == 1:
            return cells.copy()
        if abs(total - 1) > SUM_TOLERANCE:
            raise ModelError(_sum_message(total))
        return _distribution(cells.astype(np.float64), outcomes, names, normalize=False)
    if abs(total - 1) > SUM_TOLERANCE:
        raise ModelError(_sum_message(total))
    return np.asarray(cells / total) if total != 1 else cells.copy()


def _sum_message(total: Any) -> str:
    return (
        f"the probabilities sum to {total}, not to 1; correct the table, or pass normalize=True for weights and counts"
    )

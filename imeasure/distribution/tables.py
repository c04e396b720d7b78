"""Tables of probabilities: one checked dense array with a name for each axis and a value for each of its entries.

Probabilities stay exact fractions if they were given as such. What is not a distribution is refused, with the cell or
the sum that is wrong; :mod:`imeasure.distribution.sources` brings dictionaries, files and data frames into this form.
"""

import math
import numbers
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imeasure.errors import ModelError, shown
from imeasure.numerals import read_number
from imeasure.quantities import RandomVariable

# Float tables whose sum is off by more than this are refused; below, they are divided by their sum.
SUM_TOLERANCE = 1e-9
# Tables of narrower floats may be off by this many of their dtype's epsilons.
_EPSILONS = 8
_VALUES_LISTED = 8
# Sources that list outcomes may not span a dense table of more cells.
MAX_CELLS = 1 << 22
# Tables of floats that are drawn at random: 1 GiB.
MAX_FLOAT_CELLS = 1 << 27
# So many axes has an array in every version of numpy.
MAX_AXES = 32
# Sums of fractions take long where their common denominator has more bits.
MAX_DENOMINATOR_BITS = 1 << 16


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

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what was pickled; an array comes back writeable."""
        state["pmf"].flags.writeable = False
        self.__dict__.update(state)


def read_names(names: Any) -> tuple[str, ...]:
    """Split and check variable names.

    Args:
        names: ``"X Y Z"``, or an iterable of names.

    Returns:
        The names, spelled as the language spells them.

    Raises:
        ParseError: If one is not a name of the language.
        ModelError: If there is none, or one occurs twice.

    Example:
        >>> read_names("X Y, Z")
        ('X', 'Y', 'Z')
    """
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    elif isinstance(names, RandomVariable):
        names = (names,)
    elif not isinstance(names, Iterable):
        raise ModelError(f"names are a text such as 'X Y' or a list of names, not {names!r}; give one for each axis")
    result = tuple(str(RandomVariable(name).name) for name in names)
    if not result:
        raise ModelError("there are no names; give at least one variable")
    if repeated := [name for name in dict.fromkeys(result) if result.count(name) > 1]:
        raise ModelError(f"variable {repeated[0]} is named twice; give each axis its own name")
    return result


def from_array(
    pmf: Any,
    names: Any,
    outcomes: Sequence[Sequence[Hashable]] | None = None,
    *,
    normalize: bool = False,
    epsilon: float = 0.0,
) -> Table:
    """Check an array of probabilities.

    Args:
        pmf: Array or nested lists, shape (k_1, ..., k_n). Integers, fractions, sympy rationals and texts such as
            ``"1/3"`` stay exact; one float makes all of them floats.
        names: One name per axis.
        outcomes: For each axis the values of its entries; 0, 1, ... if not given.
        normalize: Divide by the sum, so that counts and weights are accepted.
        epsilon: Of the floats that the probabilities were before, if they are wider now.

    Returns:
        The table.

    Raises:
        ModelError: If it is not a distribution, or shapes and names do not fit.

    Example:
        >>> from_array([["1/2", 0], [0, "1/2"]], "X Y").pmf[1, 1]
        Fraction(1, 2)
    """
    if isinstance(pmf, Mapping | str) or hasattr(pmf, "columns") or hasattr(pmf, "get_rv_names"):
        raise ModelError(
            f"{type(pmf).__name__} is not an array; Distribution.read(source) reads dictionaries, files, data frames "
            "and dit's distributions"
        )
    labels = read_names(names)
    try:
        cells = np.asarray(pmf)
    except ValueError:
        raise ModelError("the rows of the table differ in length; a joint table is a rectangular array") from None
    if cells.ndim != len(labels):
        raise ModelError(f"a table of {cells.ndim} axes needs as many names, got {len(labels)}: {' '.join(labels)}")
    if cells.size == 0:
        raise ModelError(f"the table of shape {cells.shape} has no cells; every variable needs at least one value")
    values = _outcomes(outcomes, cells.shape, labels)
    if np.ma.is_masked(pmf):
        raise ModelError(f"{_cell(np.ma.getmaskarray(pmf), values, labels)} is masked; fill it, e.g. pmf.filled(0)")
    if cells.dtype.kind == "f":
        epsilon = max(epsilon, float(np.finfo(cells.dtype).eps))
    elif cells.dtype.kind in "iubOU":
        epsilon = max(epsilon, coarsest(cells.flat) if cells.dtype.kind == "O" else 0.0)
        cells = _exact_cells(cells, values, labels)
    else:
        raise ModelError(f"probabilities must be real numbers, not {cells.dtype}")
    if cells.dtype != object:
        cells = cells.astype(np.float64)
    checked = _distribution(cells, values, labels, normalize=normalize, epsilon=epsilon)
    checked.flags.writeable = False
    return Table(checked, labels, values)


def coarsest(cells: Iterable[Any]) -> float:
    """Return the largest epsilon of numpy floats among cells, zero if there are none.

    Args:
        cells: Any values.

    Returns:
        The distance from one to the next number of that type.

    Example:
        >>> round(coarsest([0.5, np.float32(0.5)]), 9)
        1.19e-07
    """
    kinds = {type(cell) for cell in cells if isinstance(cell, np.floating)}
    return max((float(np.finfo(kind).eps) for kind in kinds), default=0.0)


def is_missing(value: Any) -> bool:
    """Say whether a value stands for a missing one: None, NaN, or what pandas writes for them.

    Args:
        value: Anything.

    Returns:
        Whether it is.

    Example:
        >>> is_missing(float("nan")), is_missing(0)
        (True, False)
    """
    if value is None or value is np.ma.masked:
        return True
    try:
        return bool(value != value)  # noqa: PLR0124 - only a missing value differs from itself
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"  # pandas' own is neither equal to itself nor different


def plain(value: Any) -> Any:
    """Return Python's own value for a scalar of numpy, and anything else as it is.

    Args:
        value: Anything.

    Returns:
        The value.

    Example:
        >>> plain(np.int64(3))
        3
    """
    return value.item() if isinstance(value, np.generic) else value


def sorted_values(values: Iterable[Any]) -> tuple[Hashable, ...]:
    """Return the distinct values, sorted where they can be compared, else as first seen."""
    distinct = list(dict.fromkeys(values))
    try:
        return tuple(sorted(distinct))
    except TypeError:
        return tuple(distinct)


def as_number(cell: Any) -> Fraction | float:
    """Read a probability: a fraction where the number is exact, a float where it is not.

    Args:
        cell: A number or a text.

    Returns:
        The number.

    Raises:
        ModelError: If it is none.

    Example:
        >>> as_number("1/3"), as_number(Decimal("0.5")), as_number(0.25)
        (Fraction(1, 3), Fraction(1, 2), 0.25)
    """
    try:
        if isinstance(cell, numbers.Rational):
            return Fraction(int(cell.numerator), int(cell.denominator))
        if isinstance(cell, str | Decimal):
            return read_number(str(cell))
        if isinstance(cell, numbers.Real) or getattr(cell, "is_real", False):
            return float(cell)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        pass
    raise ModelError(f"{shown(cell)} is not a probability; give numbers, fractions, or texts such as '1/3'")


def require_common_denominator(values: Iterable[Fraction | float]) -> None:
    """Refuse fractions that cannot be added in reasonable time.

    Args:
        values: Numbers; floats do not matter.

    Raises:
        ModelError: If the common denominator has more than twenty thousand digits.

    Example:
        >>> require_common_denominator([Fraction(1, 3), Fraction(1, 7), 0.5])
    """
    common = 1
    for denominator in {value.denominator for value in values if isinstance(value, Fraction)}:
        common = math.lcm(common, denominator)
        if common.bit_length() > MAX_DENOMINATOR_BITS:
            raise ModelError(
                "the common denominator of the probabilities has over twenty thousand digits; give decimals instead"
            )


def listed(values: Sequence[Hashable]) -> str:
    """Write the first few values of a variable for a message.

    Args:
        values: All of them.

    Returns:
        Text.

    Example:
        >>> listed(range(20))
        '0, 1, 2, 3, 4, 5, 6, 7 and 12 more'
    """
    more = len(values) - _VALUES_LISTED
    return ", ".join(map(repr, values[:_VALUES_LISTED])) + (f" and {more} more" if more > 0 else "")


def objects(cells: Iterable[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an object array whose cells are kept as they are, sequences among them too.

    Args:
        cells: As many as the shape holds.
        shape: Of the array.

    Returns:
        The array.
    """
    return np.fromiter(cells, dtype=object, count=math.prod(shape)).reshape(shape)


def _outcomes(
    outcomes: Sequence[Sequence[Hashable]] | None, shape: tuple[int, ...], names: tuple[str, ...]
) -> tuple[tuple[Hashable, ...], ...]:
    """The values of each axis; refuses what is missing or stands twice."""
    if outcomes is None:
        return tuple(tuple(range(size)) for size in shape)
    try:
        values: tuple[tuple[Hashable, ...], ...] = tuple(tuple(plain(value) for value in axis) for axis in outcomes)
    except TypeError:
        raise ModelError(f"outcomes are one list of values for each of {' '.join(names)}, not {outcomes!r}") from None
    if tuple(map(len, values)) != shape:
        raise ModelError(f"outcomes of lengths {tuple(map(len, values))} do not fit a table of shape {shape}")
    for name, axis in zip(names, values, strict=True):
        if any(map(is_missing, axis)):
            raise ModelError(f"{name} has a missing value (NaN or None) as outcome; drop or name it")
        try:
            distinct = len(set(axis))
        except TypeError:
            raise ModelError(f"outcomes of {name} cannot be told apart; use numbers, texts or tuples") from None
        if distinct != len(axis):
            raise ModelError(f"an outcome of {name} stands twice; add up its probabilities first")
    return values


def _cell(bad: NDArray[np.bool_], outcomes: tuple[tuple[Hashable, ...], ...], names: tuple[str, ...]) -> str:
    """The first bad cell, as ``p(X=0, Y=1)``."""
    at = np.unravel_index(int(np.flatnonzero(bad.ravel())[0]), bad.shape)
    return f"p({', '.join(f'{name}={axis[i]!r}' for name, axis, i in zip(names, outcomes, at, strict=True))})"


def _exact_cells(
    cells: NDArray[Any], outcomes: tuple[tuple[Hashable, ...], ...], names: tuple[str, ...]
) -> NDArray[Any]:
    """Fractions, or floats if one of the cells is a float."""
    read: list[Fraction | float] = []
    for place, cell in enumerate(cells.ravel().tolist()):
        try:
            read.append(as_number(cell))
        except ModelError as error:
            bad = np.arange(cells.size).reshape(cells.shape) == place
            raise ModelError(f"{_cell(bad, outcomes, names)}: {error}") from None
    exact = not any(isinstance(cell, float) for cell in read)
    if exact:
        require_common_denominator(read)
    return objects(read, cells.shape) if exact else np.array(read, dtype=np.float64).reshape(cells.shape)


def _distribution(
    cells: NDArray[Any],
    outcomes: tuple[tuple[Hashable, ...], ...],
    names: tuple[str, ...],
    *,
    normalize: bool,
    epsilon: float,
) -> NDArray[Any]:
    """The cells, summing to one; refuses what is not a distribution."""
    exact = cells.dtype == object
    if not exact and not np.isfinite(cells).all():
        bad = ~np.isfinite(cells)
        raise ModelError(f"{_cell(bad, outcomes, names)} = {cells[bad][0]} is not a finite number")
    negative = np.asarray(cells < 0, dtype=bool)
    if negative.any():
        at = _cell(negative, outcomes, names)
        raise ModelError(f"{at} = {cells[negative][0]} is negative; probabilities are at least zero")
    largest = cells.max()
    if largest == 0:
        raise ModelError("every probability is zero; at least one outcome must be possible")
    if normalize:
        # A sum of large floats would overflow.
        cells = cells if exact else cells / largest
        return np.asarray(cells / cells.sum())
    with np.errstate(over="ignore"):
        total = cells.sum()
    if abs(total - 1) > max(SUM_TOLERANCE, _EPSILONS * epsilon):
        raise ModelError(
            f"the probabilities sum to {total}, not to 1; correct the table, or pass normalize=True for weights and "
            "counts"
        )
    if exact and total != 1:
        cells = cells.astype(np.float64)
        total = cells.sum()
    return np.asarray(cells / total) if total != 1 else cells.copy()

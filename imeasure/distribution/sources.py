"""Reading distributions and samples from what holds them: CSV files, pandas and dit's objects, and lists of outcomes.

Every source becomes rows of values, which :mod:`imeasure.distribution.listings` puts into one table; names are taken
from the source where it has them.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imeasure.distribution.listings import from_mapping, from_rows, read_labels, tabulated
from imeasure.distribution.slices import marginal
from imeasure.distribution.tables import Table, read_names
from imeasure.errors import ConfigError, ModelError, ParseError, UnknownVariableError, unknown
from imeasure.files import read_text
from imeasure.names import QUANTITY_NAMES, canonical_name

PROBABILITY_COLUMNS = ("p", "probability", "prob", "pmf", "count")
"""Names of columns, in small or capital letters, that are taken for the probabilities."""
_DELIMITERS = ",;\t|"
_ARRAYS = (".json", ".npy", ".npz", ".pt", ".safetensors")


def read(
    source: Any,
    names: Any = None,
    *,
    probability: str | None = None,
    normalize: bool = False,
    variables: Any = None,
) -> Table:
    """Read any of the sources below, told apart by what they are.

    Args:
        source: Mapping, list of rows, path of a CSV file, pandas object, or dit's distribution.
        names: Names, where the source has none.
        probability: Name of the column of probabilities, of a file or a data frame.
        normalize: Divide by the sum.
        variables: Those to keep; all by default. Of a file or a data frame the other columns are not looked at.

    Returns:
        The table.

    Raises:
        ConfigError: If a file cannot be read, or an option does not fit the source.
        ModelError: If the source is none of these, or not a distribution.
        UnknownVariableError: If there is no such column.
    """
    if isinstance(source, str | Path):
        return from_csv(source, names, probability=probability, normalize=normalize, variables=variables)
    if hasattr(source, "to_numpy") and hasattr(source, "columns"):
        return from_frame(source, names, probability=probability, normalize=normalize, variables=variables)
    table = _read_outcomes(source, names, probability, normalize=normalize)
    return table if variables is None else marginal(table, variables)


def _read_outcomes(source: Any, names: Any, probability: str | None, *, normalize: bool) -> Table:
    """Read a source without columns."""
    if probability is not None:
        raise ConfigError("probability names a column of a file or a data frame; this source has none, leave it out")
    if hasattr(source, "to_numpy") and hasattr(source, "index"):
        return from_series(source, names, normalize=normalize)
    if hasattr(source, "zipped") and hasattr(source, "get_rv_names"):
        return from_dit(source, names)
    if isinstance(source, Mapping):
        return from_mapping(source, names, normalize=normalize)
    if isinstance(source, Iterable) and not hasattr(source, "dtype"):
        return from_rows(source, names, normalize=normalize)
    raise ModelError(
        f"cannot read a distribution from {type(source).__name__}; give a dictionary from outcomes to probabilities, "
        "rows, a CSV file, a pandas or a dit object, or an array with names to Distribution(pmf, names)"
    )


def from_csv(
    path: str | Path,
    names: Any = None,
    *,
    probability: str | None = None,
    normalize: bool = False,
    variables: Any = None,
) -> Table:
    """Read a CSV file: a column per variable and one of probabilities; without it, every row is a sample.

    The first line names the columns. Commas, semicolons, tabs or bars separate them, whichever it has most.

    Args:
        path: The file.
        names: Of the variables, for a file without that first line; one column more is the probabilities.
        probability: Name of the column of probabilities; ``p``, ``probability``, ``prob``, ``pmf`` and ``count``, in
            small or capital letters, are recognised.
        normalize: Divide by the sum; a column ``count`` always is.
        variables: Those to keep; all by default.

    Returns:
        The table; decimals and fractions such as ``1/3`` are read exactly.

    Raises:
        ConfigError: If the file cannot be read.
        ModelError: If it is not a distribution.
        UnknownVariableError: If there is no such column.
    """
    if Path(path).suffix.lower() in _ARRAYS:
        raise ConfigError(
            f"{path} is no CSV file: a distribution is read from one row per outcome and a column of probabilities; "
            "for samples in npz files there is `ibtrain estimate`"
        )
    text = read_text(path, "CSV file")
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        lines = [[entry.strip() for entry in row] for row in reader if any(row)]
    except csv.Error as error:
        raise ConfigError(f"cannot read the CSV file {path}: {error}") from None
    if not lines:
        raise ModelError(f"{path} is empty; its first line names the columns, the others give one outcome each")
    if names is None:
        header, *lines = lines
    else:
        header = list(read_names(names))
        if set(header) & set(lines[0]):
            raise ConfigError(f"the first line of {path} names the columns itself; leave names= out")
        if len(lines[0]) == len(header) + 1 and probability not in header:
            header.append(probability := probability or "p")
        if len(lines[0]) != len(header):
            raise ConfigError(
                f"the first row of {path} has {len(lines[0])} cells, and there are {len(header)} names: "
                f"{' '.join(header)}; name every column, save one of probabilities if it is the last"
            )
    if not lines:
        raise ModelError(f"{path} has no rows below its header; give one row per outcome")
    try:
        return _from_columns(header, lines, probability, normalize=normalize, variables=variables, gaps=True)
    except ParseError as error:
        if error.text in QUANTITY_NAMES:
            raise
        raise ModelError(
            f"the first line of {path} has to name the columns, or give them as names='X Y': {error}"
        ) from None


def from_frame(
    frame: Any,
    names: Any = None,
    *,
    probability: str | None = None,
    normalize: bool = False,
    variables: Any = None,
) -> Table:
    """Read a pandas data frame, with columns as in :func:`from_csv`.

    Args:
        frame: ``DataFrame``.
        names: Must be left out: the columns have names.
        probability: Name of the column of probabilities.
        normalize: Divide by the sum; a column ``count`` always is.
        variables: Those to keep; all by default.

    Returns:
        The table.

    Raises:
        ConfigError: If names are given.
        ModelError: If it is not a distribution.
        UnknownVariableError: If there is no such column.
    """
    header = frame_columns(frame, names)
    rows = frame.to_numpy(dtype=object).tolist()
    narrow = [column.dtype for _, column in frame.items() if getattr(column.dtype, "kind", "") == "f"]
    epsilon = max((float(np.finfo(dtype).eps) for dtype in narrow if isinstance(dtype, np.dtype)), default=0.0)
    return _from_columns(header, rows, probability, normalize=normalize, epsilon=epsilon, variables=variables)


def frame_columns(frame: Any, names: Any) -> list[str]:
    """Return the names of a data frame's columns, if they are all that it has.

    Args:
        frame: ``DataFrame``.
        names: What was given as names beside it.

    Returns:
        The names.

    Raises:
        ConfigError: If names are given although the columns have theirs.
        ModelError: If the frame has an index with a name, such as a cross table, or no rows or columns.
    """
    columns = [str(column) for column in frame.columns]
    if names is not None:
        raise ConfigError(f"the data frame names its columns itself: {', '.join(columns)}; leave names out")
    index = [str(name) for name in (*frame.index.names, *frame.columns.names) if name is not None]
    if index:
        raise ModelError(
            f"the data frame has an index named {', '.join(index)}; for a cross table give table.unstack() (with "
            "normalize=True, if it counts), else table.reset_index()"
        )
    if not columns or not len(frame):
        raise ModelError("the data frame is empty; give a column for each variable and one row per outcome")
    return columns


def from_series(series: Any, names: Any = None, *, normalize: bool = False) -> Table:
    """Read a pandas series of probabilities, indexed by outcomes.

    Args:
        series: ``Series`` whose index levels are the variables.
        names: One name per level, if the levels have none.
        normalize: Divide by the sum.

    Returns:
        The table.

    Raises:
        ConfigError: If names are given although the levels have theirs.
        ModelError: If it is not a distribution.
    """
    levels = [name for name in series.index.names if name is not None]
    if levels and names is not None:
        raise ConfigError(f"the series names its index itself: {', '.join(map(str, levels))}; leave names out")
    labels = names if not levels else [str(name) for name in series.index.names]
    outcomes = series.index.tolist() if series.index.nlevels > 1 else [(value,) for value in series.index.tolist()]
    values = series.to_numpy()
    return from_rows([(*at, p) for at, p in zip(outcomes, values, strict=True)], labels, normalize=normalize)


def from_dit(distribution: Any, names: Any = None) -> Table:
    """Read dit's ``Distribution``, in whichever base its probabilities are.

    Args:
        distribution: The object.
        names: One name per variable, if it has none; ``X0 X1 ...`` if not given.

    Returns:
        The table.

    Raises:
        ConfigError: If names are given although it has its own.
        ModelError: If its probabilities are not a distribution.
    """
    own = distribution.get_rv_names()
    if own and names is not None:
        raise ConfigError(f"the distribution names its variables itself: {', '.join(map(str, own))}; leave names out")
    linear = distribution.copy(base="linear")
    rows = [(*outcome, float(p)) for outcome, p in linear.zipped()]
    return from_rows(rows, [str(name) for name in own] if own else names)


def count(data: Any, names: Any = None) -> tuple[Table, int]:
    """Count samples.

    Args:
        data: One row per sample, one column per variable: an array, a list of rows or, for one variable, of values, or
            a pandas data frame.
        names: One name per column; a data frame has its own; ``X0 X1 ...`` if not given.

    Returns:
        The table of relative frequencies, exact, and how many samples there are.

    Raises:
        ConfigError: If names are given although the columns have theirs.
        ModelError: If there are no samples, one has a missing value, or rows and names do not fit.

    Example:
        >>> table, size = count(["b", "a", "b"], "X")
        >>> table.pmf.tolist(), size
        ([Fraction(1, 3), Fraction(2, 3)], 3)
    """
    if hasattr(data, "columns"):
        names = frame_columns(data, names)
        data = data.to_numpy(dtype=object)
    if isinstance(data, str | Mapping) or not isinstance(data, Iterable):
        raise ModelError(f"samples are an array, a data frame or a list of rows, not {type(data).__name__}")
    listed = data.tolist() if hasattr(data, "tolist") else list(data)
    if not isinstance(listed, list) or not listed:
        raise ModelError("there are no samples; give at least one row")
    rows = [tuple(row) if isinstance(row, Iterable) and not isinstance(row, str) else (row,) for row in listed]
    labels = read_labels(names, len(rows[0]))
    if ragged := [number for number, row in enumerate(rows, 1) if len(row) != len(labels)]:
        raise ModelError(
            f"row {ragged[0]} has {len(rows[ragged[0] - 1])} values; every sample needs one value for each of the "
            f"{len(labels)} names {' '.join(labels)}"
        )
    return tabulated(rows, [1] * len(rows), labels, normalize=True), len(rows)


def _from_columns(
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    probability: str | None,
    *,
    normalize: bool,
    epsilon: float = 0.0,
    variables: Any = None,
    gaps: bool = False,
) -> Table:
    """Split rows into outcomes and probabilities by the header; with gaps, empty texts are missing values."""
    if ragged := [number for number, row in enumerate(rows, 1) if len(row) != len(header)]:
        raise ModelError(f"row {ragged[0]} has {len(rows[ragged[0] - 1])} cells, the header has {len(header)}")
    column = _probability_column(header, probability)
    if column is not None and len(header) == 1:
        raise ModelError(f"there is no column beside {column}; give one for each variable")
    at = None if column is None else header.index(column)
    kept = [place for place in range(len(header)) if place != at]
    if variables is not None:
        spelled = {canonical_name(header[place]): place for place in kept}
        wanted = read_names(variables)
        if missing := [name for name in wanted if name not in spelled]:
            raise UnknownVariableError(unknown("variable", missing[0], spelled))
        kept = [spelled[name] for name in wanted]
    looked_at = kept if at is None else [*kept, at]
    for number, row in enumerate(rows if gaps else (), 1):
        if empty := [header[place] for place in looked_at if not row[place]]:
            raise ModelError(f"row {number} has nothing in column {empty[0]}; fill the cell or drop the row")
    return tabulated(
        [[row[place] for place in kept] for row in rows],
        [1 if at is None else row[at] for row in rows],
        read_names([header[place] for place in kept]),
        normalize=normalize or column is None or column.lower() == "count",
        epsilon=epsilon,
    )


def _probability_column(header: Sequence[str], probability: str | None) -> str | None:
    if probability is not None:
        if probability not in header:
            raise UnknownVariableError(unknown("column", probability, header))
        return probability
    found = [column for column in header if column.lower() in PROBABILITY_COLUMNS]
    if len(found) > 1:
        raise ModelError(f"columns {' and '.join(found)} could each be the probabilities; say which as probability=")
    return found[0] if found else None

"""The command `ibtrain estimate`: information quantities of variables stored in a file, one line each.

Reads arrays from npz and safetensors files and columns from csv files, and asks the estimators. It holds no formula.
"""

import csv
import json
import lzma
import math
import re
import tokenize
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import click
import numpy as np
import torch
from numpy.typing import NDArray

from ibtrain import estimators
from ibtrain.estimators import Estimate, Estimates
from imeasure.errors import ConfigError, InformationError, UndefinedQuantityError, UnknownVariableError
from imeasure.measure import entropy_form

Variables = Mapping[str, NDArray[np.generic]]
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none"})
"""Cells of a csv file, in lower case, that stand for a missing value."""
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    MemoryError,
    ArithmeticError,
    SyntaxError,
    BadZipFile,
    csv.Error,
    lzma.LZMAError,
    tokenize.TokenError,
    zlib.error,
)
"""What the readers of damaged files raise."""


def read_variables(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the variables of a file by name.

    An npz or safetensors file holds one array for each variable, N numbers or N x K. In a csv file the columns `Z0`,
    `Z1`, ... are the dimensions of Z, and a column of any other name is a variable. Columns of a csv file are numbers
    where that tells all different cells apart, and text otherwise, so that long codes never merge by rounding.

    Args:
        path: The file; its suffix says what it is.

    Raises:
        ConfigError: If the file cannot be read as what its suffix says, or the suffix is unknown. Pickled objects
            are refused.
    """
    readers: dict[str, Callable[[Path], dict[str, NDArray[np.generic]]]] = {
        ".npz": _read_npz,
        ".csv": _read_csv,
        ".safetensors": _read_safetensors,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path} has none of the known suffixes: {', '.join(readers)}")
    try:
        return reader(path)
    except UNREADABLE as error:
        said = " ".join(str(error).split()) or "it is damaged or ends too early"
        raise ConfigError(f"{path} cannot be read: {said}") from error


def _read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of an npz file without unpickling anything."""
    with path.open("rb") as stream:
        file = np.load(stream, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise ConfigError(f"{path} holds one array without a name: save it with numpy.savez({path.name!r}, Z=...)")
        with file:
            variables = {name: file[name] for name in file.files}
    strange = [name for name, values in variables.items() if not isinstance(values, np.ndarray)]
    if strange:
        raise ConfigError(f"{path} cannot be read: its member {strange[0]} is no array")
    return variables


def _read_csv(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the columns of a csv file with a header; numbered columns of one name become one variable."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    if len(lines) < 2:
        raise ConfigError(f"{path} cannot be read: a line of names and lines of values are needed")
    header, rows = lines[0][1], [row for _, row in lines[1:]]
    if len(set(header)) < len(header):
        raise ConfigError(f"{path} cannot be read: two columns have the same name among {', '.join(header)}")
    for number, row in lines:
        if len(row) != len(header):
            raise ConfigError(f"{path} cannot be read: {len(header)} columns, but {len(row)} up to line {number}")
    groups: dict[str, list[NDArray[np.generic]]] = {}
    for name, cells in zip(header, zip(*rows, strict=True), strict=True):
        numbered = re.fullmatch(r"([A-Za-z]+)_?\d+", name)
        groups.setdefault(numbered.group(1) if numbered else name, []).append(_column(cells))
    return {name: columns[0] if len(columns) == 1 else np.stack(columns, axis=1) for name, columns in groups.items()}


def _column(cells: tuple[str, ...]) -> NDArray[np.generic]:
    """Return the cells as numbers if that keeps different ones apart, else as text; missing ones as NaN or None."""
    kept = [None if cell.lower() in MISSING else cell for cell in cells]
    text = np.array(kept, dtype=object if None in kept else None)
    numbers = _as_numbers(text)
    if numbers.dtype.kind != "f":
        return text
    distinct = len(set(numbers[~np.isnan(numbers)].tolist()))
    return numbers if distinct == len({*kept} - {None}) else text


def _as_numbers(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return text as numbers where all of it is, and anything else as it is."""
    if values.dtype.kind not in "UO" or any("_" in cell for cell in values.ravel() if isinstance(cell, str)):
        return values
    try:
        return values.astype(np.float64)
    except (ValueError, TypeError):
        return values


def _read_safetensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of a safetensors file."""
    try:
        from safetensors import SafetensorError  # noqa: PLC0415 - only this kind of file needs the library
        from safetensors.torch import load_file  # noqa: PLC0415 - see above
    except ImportError as error:
        raise ConfigError(
            "reading .safetensors files needs the safetensors library: pip install safetensors"
        ) from error
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    return {name: _array(tensor) for name, tensor in tensors.items()}


def _array(tensor: torch.Tensor) -> NDArray[np.generic]:
    """Return a tensor as an array, in float32 where numpy lacks its type."""
    known = not tensor.is_floating_point() or tensor.dtype in {torch.float64, torch.float32, torch.float16}
    array: NDArray[np.generic] = (tensor if known else tensor.float()).numpy()
    return array


def estimate_quantity(
    variables: Variables, quantity: str, estimator: str, *, k: int | None = None, noise_variance: float | None = None
) -> Estimate:
    """Estimate one quantity of variables with an estimator by name.

    Args:
        variables: The arrays by name: Z the latent (noiseless for ``mixture``), Y the labels, X where a quantity of
            two continuous variables is asked for.
        quantity: Text such as ``"I[Y;Z]"``, in any spelling: ``"I[Z;Y]"`` is the same.
        estimator: ``"mixture"``, ``"knn"``, ``"ksg"``, ``"gaussian"`` or ``"categorical"``.
        k: Number of neighbours, 3 if it is left out; only for ``"knn"`` and ``"ksg"``.
        noise_variance: Variance of the latent's Gaussian noise; for the estimators of a latent.

    Raises:
        ConfigError: If the estimator is unknown, needs an option or a variable that is missing, or has no use for an
            option.
        UnknownVariableError: If the estimator does not estimate this quantity of these variables.
        UndefinedQuantityError: If the quantity is infinite, as a continuous variable's information about itself.
        InformationError: Whatever the estimator refuses.

    Example:
        >>> estimate_quantity({"X": np.array([0, 1]), "Y": np.array([0, 1])}, "I[X;Y]", "categorical").bits
        1.0
    """
    _refuse_idle_options(estimator, k, noise_variance)
    neighbours = 3 if k is None else k

    def need(name: str) -> NDArray[np.generic]:
        if name not in variables:
            raise ConfigError(f"{estimator} needs a variable {name}; the file holds {', '.join(variables)}")
        return variables[name]

    def samples(name: str) -> NDArray[np.generic]:
        return _as_numbers(need(name))

    names = entropy_form(quantity).names
    if estimator == "categorical":
        mentioned = set(re.findall(r"\w+", quantity)).intersection(variables)
        named = {name: need(name) for name in names or sorted(mentioned) or ("Y",)}
        return next(iter(estimators.categorical(named, [quantity])))
    if estimator == "ksg":
        if _same(quantity, "I[X;Y]"):
            return estimators.ksg(samples("X"), samples("Y"), k=neighbours)
        if _same(quantity, "I[X;Y|Z]"):
            return estimators.ksg_conditional(samples("X"), samples("Y"), samples("Z"), k=neighbours)
        raise UnknownVariableError(f"ksg estimates I[X;Y] and I[X;Y|Z], not {quantity}")
    if estimator == "gaussian" and _same(quantity, "I[X;Y]"):
        if noise_variance is not None:
            raise ConfigError("I[X;Y] has no use for noise_variance: leave it out")
        return estimators.gaussian_information(samples("X"), samples("Y"))
    labels = need("Y") if "Y" in names else None
    found: Estimates
    if estimator == "mixture":
        if noise_variance is None:
            raise ConfigError("mixture needs the variance of the noise: give --noise-variance")
        found = estimators.mixture(samples("Z"), noise_variance, labels)
    elif estimator == "knn":
        found = estimators.knn(samples("Z"), labels, k=neighbours, noise_variance=noise_variance)
    elif estimator == "gaussian":
        found = estimators.gaussian(samples("Z"), labels, noise_variance=noise_variance)
    else:
        raise ConfigError(f"there is no estimator {estimator!r}; there are mixture, knn, ksg, gaussian and categorical")
    return _chosen(found, quantity)


def _refuse_idle_options(estimator: str, k: int | None, noise_variance: float | None) -> None:
    """Refuse options that the estimator would ignore."""
    if k is not None and estimator not in {"knn", "ksg"}:
        raise ConfigError(f"{estimator} uses no neighbours: leave out k, or choose knn or ksg")
    if noise_variance is not None and estimator in {"ksg", "categorical"}:
        raise ConfigError(
            f"{estimator} has no use for noise_variance: leave it out, or choose mixture, knn or gaussian"
        )


def _chosen(found: Estimates, quantity: str) -> Estimate:
    """Return the estimate of a quantity in any spelling, refusing what is infinite."""
    same = next((e for e in found if _same(quantity, e.quantity)), None) or found[quantity]
    if same.quantity.startswith("H[Z") and "I" in quantity:
        raise UndefinedQuantityError(
            f"{quantity} is infinite: a continuous variable tells everything about itself; ask for {same.quantity}"
        )
    if not math.isfinite(same.value):
        raise UndefinedQuantityError(f"{quantity} cannot be represented: scale the variables to a usual size")
    return same


def _same(one: str, other: str) -> bool:
    """Return whether two texts are the same quantity of X, Y and Z."""
    names = ("X", "Y", "Z")
    return entropy_form(one, names) == entropy_form(other, names)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--quantity", "quantities", multiple=True, required=True, help='What to estimate: "I[Y;Z]". Repeatable.')
@click.option(
    "--estimator",
    type=click.Choice(["mixture", "knn", "ksg", "gaussian", "categorical"]),
    default="knn",
    show_default=True,
    help="mixture takes Z without its noise, and the noise's variance.",
)
@click.option("--k", type=int, help="Number of nearest neighbours (knn and ksg), 3 if left out.")
@click.option("--noise-variance", type=float, help="Variance of the Gaussian noise in Z, if it is known.")
@click.option("--json", "as_json", is_flag=True, help="Print records instead of text.")
def estimate(
    file: Path,
    *,
    quantities: tuple[str, ...],
    estimator: str,
    k: int | None,
    noise_variance: float | None,
    as_json: bool,
) -> None:
    """Estimate entropies and informations of the variables in FILE (npz, csv or safetensors), in nats."""
    try:
        variables = read_variables(file)
        found = [
            estimate_quantity(variables, quantity, estimator, k=k, noise_variance=noise_variance)
            for quantity in quantities
        ]
    except InformationError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
    for result in found:
        record = result.as_dict()
        if not math.isfinite(result.standard_error):
            record["standard_error"] = None
        click.echo(json.dumps(record, allow_nan=False) if as_json else str(result))

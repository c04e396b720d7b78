"""The command `ibtrain estimate`: information quantities of variables stored in a file, one line each.

Reads arrays from npz and safetensors files and columns from csv files, and asks the estimators. It holds no formula.
"""

import csv
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import click
import numpy as np
from numpy.typing import NDArray

from ibtrain import estimators
from ibtrain.estimators import Estimate, Estimates
from imeasure.errors import ConfigError, InformationError, UnknownVariableError
from imeasure.measure import entropy_form

Variables = Mapping[str, NDArray[np.generic]]


def read_variables(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the variables of a file by name.

    An npz or safetensors file holds one array for each variable, N numbers or N x K. In a csv file the columns `Z0`,
    `Z1`, ... are the dimensions of Z, and a column of any other name is a variable.

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
    except (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read: {error or 'it ends too early'}") from error


def _read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of an npz file without unpickling anything."""
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _read_csv(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the columns of a csv file with a header; numbered columns of one name become one variable."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    if not rows:
        raise ConfigError(f"{path} cannot be read: a line of names and lines of values are needed")
    if len(set(header)) < len(header):
        raise ConfigError(f"{path} cannot be read: two columns have the same name among {', '.join(header)}")
    ragged = [row for row in rows if len(row) != len(header)]
    if ragged:
        raise ConfigError(
            f"{path} cannot be read: {len(header)} columns, but this line has others: {','.join(ragged[0])}"
        )
    groups: dict[str, list[NDArray[np.generic]]] = {}
    for name, cells in zip(header, zip(*rows, strict=True), strict=True):
        numbered = re.fullmatch(r"([A-Za-z]+)_?\d+", name)
        groups.setdefault(numbered.group(1) if numbered else name, []).append(_column(cells))
    return {name: columns[0] if len(columns) == 1 else np.stack(columns, axis=1) for name, columns in groups.items()}


def _column(cells: tuple[str, ...]) -> NDArray[np.generic]:
    """Return the cells as numbers if all of them are, else as text."""
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        return np.array(cells)


def _read_safetensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of a safetensors file."""
    try:
        from safetensors import SafetensorError  # noqa: PLC0415 - only this kind of file needs the library
        from safetensors.numpy import load_file  # noqa: PLC0415 - see above
    except ImportError as error:
        raise ConfigError(
            "reading .safetensors files needs the safetensors library: pip install safetensors"
        ) from error
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


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
        InformationError: Whatever the estimator refuses.

    Example:
        >>> estimate_quantity({"X": np.array([0, 1]), "Y": np.array([0, 1])}, "I[X;Y]", "categorical").bits
        1.0
    """
    if k is not None and estimator not in {"knn", "ksg"}:
        raise ConfigError(f"{estimator} uses no neighbours: leave out k, or choose knn or ksg")
    if noise_variance is not None and estimator in {"ksg", "categorical"}:
        raise ConfigError(
            f"{estimator} has no use for noise_variance: leave it out, or choose mixture, knn or gaussian"
        )
    neighbours = 3 if k is None else k

    def need(name: str) -> NDArray[np.generic]:
        if name not in variables:
            raise ConfigError(f"{estimator} needs a variable {name}; the file holds {', '.join(variables)}")
        return variables[name]

    labels = variables.get("Y")
    if estimator == "categorical":
        named = {name: need(name) for name in entropy_form(quantity).names}
        return next(iter(estimators.categorical(named, [quantity])))
    if estimator == "ksg":
        if _same(quantity, "I[X;Y]"):
            return estimators.ksg(need("X"), need("Y"), k=neighbours)
        if _same(quantity, "I[X;Y|Z]"):
            return estimators.ksg_conditional(need("X"), need("Y"), need("Z"), k=neighbours)
        raise UnknownVariableError(f"ksg estimates I[X;Y] and I[X;Y|Z], not {quantity}")
    found: Estimates
    if estimator == "mixture":
        if noise_variance is None:
            raise ConfigError("mixture needs the variance of the noise: give --noise-variance")
        found = estimators.mixture(need("Z"), noise_variance, labels)
    elif estimator == "knn":
        found = estimators.knn(need("Z"), labels, k=neighbours, noise_variance=noise_variance)
    elif estimator == "gaussian":
        found = estimators.gaussian(need("Z"), labels, noise_variance=noise_variance)
    else:
        raise ConfigError(f"there is no estimator {estimator!r}; there are mixture, knn, ksg, gaussian and categorical")
    return next((e for e in found if _same(quantity, e.quantity)), None) or found[quantity]


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
        for quantity in quantities:
            found = estimate_quantity(variables, quantity, estimator, k=k, noise_variance=noise_variance)
            record = found.as_dict()
            if math.isnan(found.standard_error):
                record["standard_error"] = None
            click.echo(json.dumps(record) if as_json else str(found))
    except InformationError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None

"""The command `ibtrain estimate`: information quantities of variables stored in a file, one line each.

It reads the file, asks the estimators and prints; it holds no formula.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

import ibtrain
from ibtrain.errors import ConfigError
from imeasure.command_line import example
from imeasure.errors import UndefinedQuantityError, UnknownVariableError
from imeasure.measure import entropy_form


def estimate_quantity(
    variables: Mapping[str, NDArray[np.generic]],
    quantity: str,
    estimator: str,
    *,
    k: int | None = None,
    noise_variance: float | None = None,
) -> ibtrain.estimators.Estimate:
    """Estimate one quantity of variables with an estimator by name.

    Args:
        variables: The arrays by name: Z the latent (noiseless for ``mixture``), Y the labels, X where a quantity of
            two continuous variables is asked for.
        quantity: Text such as ``"I[Y;Z]"``, in any spelling: ``"I[Z;Y]"`` is the same.
        estimator: ``"mixture"``, ``"knn"``, ``"ksg"``, ``"gaussian"`` or ``"categorical"``.
        k: Number of neighbours, 3 if it is left out; only for ``"knn"`` and ``"ksg"``.
        noise_variance: Variance of the latent's Gaussian noise; for the estimators of a latent.

    Returns:
        The estimate, in nats, with its standard error, side of bound and flags.

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
            held = ", ".join(" ".join(variable.split()) for variable in variables)
            raise ConfigError(f"{estimator} needs a variable {name}; the file holds {held or 'none'}")
        return variables[name]

    def samples(name: str) -> NDArray[np.generic]:
        values = ibtrain.variables.as_numbers(need(name))
        if values.dtype.kind in "UO":
            cells = values.ravel().tolist()
            odd = next(cell for cell in cells if ibtrain.variables.as_numbers(np.array([cell])).dtype.kind != "f")
            raise ConfigError(f"{name} must hold real numbers, but one is {odd!r}")
        return values

    names = entropy_form(quantity).names
    if estimator == "categorical":
        mentioned = set(re.findall(r"\w+", quantity)).intersection(variables)
        named = {name: need(name) for name in names or sorted(mentioned) or ("Y",)}
        return next(iter(ibtrain.estimators.categorical(named, [quantity])))
    if estimator == "ksg":
        if _same(quantity, "I[X;Y]"):
            return ibtrain.estimators.ksg(samples("X"), samples("Y"), k=neighbours)
        if _same(quantity, "I[X;Y|Z]"):
            return ibtrain.estimators.ksg_conditional(samples("X"), samples("Y"), samples("Z"), k=neighbours)
        raise UnknownVariableError(f"ksg estimates I[X;Y] and I[X;Y|Z], not {quantity}")
    if estimator == "gaussian" and _same(quantity, "I[X;Y]"):
        if noise_variance is not None:
            raise ConfigError("I[X;Y] has no use for noise_variance: leave it out")
        return ibtrain.estimators.gaussian_information(samples("X"), samples("Y"))
    labels = need("Y") if "Y" in names else None
    found: ibtrain.estimators.Estimates
    if estimator == "mixture":
        if noise_variance is None:
            raise ConfigError("mixture needs the variance of the noise: give noise_variance")
        found = ibtrain.estimators.mixture(samples("Z"), noise_variance, labels)
    elif estimator == "knn":
        found = ibtrain.estimators.knn(samples("Z"), labels, k=neighbours, noise_variance=noise_variance)
    elif estimator == "gaussian":
        found = ibtrain.estimators.gaussian(samples("Z"), labels, noise_variance=noise_variance)
    else:
        raise ConfigError(f"there is no estimator {estimator!r}; there are mixture, knn, ksg, gaussian and categorical")
    return _chosen(found, quantity)


def _refuse_idle_options(estimator: str, k: int | None, noise_variance: float | None) -> None:
    """Refuse options that the estimator would ignore."""
    if k is not None and estimator not in {"knn", "ksg"}:
        raise ConfigError(f"{estimator} uses no neighbours: leave out k={k}, or choose knn or ksg")
    if noise_variance is not None and estimator in {"ksg", "categorical"}:
        raise ConfigError(
            f"{estimator} has no use for noise_variance: leave it out, or choose mixture, knn or gaussian"
        )


def _chosen(found: ibtrain.estimators.Estimates, quantity: str) -> ibtrain.estimators.Estimate:
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


@click.command(epilog=example("ibtrain estimate latents.npz --quantity 'I[Y;Z]'"))
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
    variables = ibtrain.variables.read_variables(file)
    found = [
        estimate_quantity(variables, quantity, estimator, k=k, noise_variance=noise_variance) for quantity in quantities
    ]
    for result in found:
        record = result.as_dict()
        if not math.isfinite(result.standard_error):
            record["standard_error"] = None
        click.echo(json.dumps(record, allow_nan=False) if as_json else str(result))

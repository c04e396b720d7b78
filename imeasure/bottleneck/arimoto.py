"""``blahut_arimoto``: the information bottleneck of a joint distribution, solved by its self-consistent equations.

What networks are trained towards can be compared with the curve that it returns (Tishby, Pereira and Bialek, 1999;
Strouse and Schwab, 2017).
"""

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imeasure.bottleneck.curve import InformationCurve
from imeasure.bottleneck.problem import Problem
from imeasure.bottleneck.search import starting_points, sweep
from imeasure.distribution import Distribution
from imeasure.distribution.tables import read_names
from imeasure.errors import ConfigError, ModelError

Floats = NDArray[np.float64]


def blahut_arimoto(
    joint: Distribution | Any,
    beta: float | Iterable[float],
    *,
    variant: Literal["ib", "dib"] = "ib",
    latent_size: int | None = None,
    variables: Sequence[str] = ("X", "Y"),
    restarts: int = 8,
    seed: int = 0,
    tolerance: float = 1e-10,
    max_iterations: int = 20_000,
) -> InformationCurve:
    r"""Solve the information bottleneck of a joint distribution of X and Y.

    The self-consistent equations are :math:`q(z|x) \propto q(z) \exp(-\beta\,\mathrm{KL}(p(y|x)\,\|\,q(y|z)))` with
    q(z) and q(y|z) the encoder's own marginal and decoder; for ``"dib"`` the encoder takes the best z only.

    The problem is not convex: the result is the best of many starts, annealed in beta, with new clusters as long as
    they help; it is not a proven minimum.

    Args:
        joint: A distribution with the two variables, or an array of shape (X, Y).
        beta: One value, or several.
        variant: ``"ib"`` minimises ``I[X;Z] - beta*I[Y;Z]``, ``"dib"`` ``H[Z] - beta*I[Y;Z]``.
        latent_size: Values of Z; as many as X has by default, which is enough for an optimum.
        variables: Which variables of ``joint`` are X and Y.
        restarts: Random encoders to start from, beside the trivial and the identical one.
        seed: Of the random encoders.
        tolerance: Nats: an iteration ends when the objective has fallen by less than a thousandth of it several times
            in a row.
        max_iterations: Per beta and sweep.

    Returns:
        The curve, betas ascending.

    Raises:
        ConfigError: If beta is no number, negative or not finite, or an option is out of range.
        ModelError: If ``joint`` is not a distribution of two variables.
        UnknownVariableError: If it has no variables of these names.

    Example:
        >>> copied = Distribution([["1/2", 0], [0, "1/2"]], "X Y")
        >>> print(blahut_arimoto(copied, [0.5, 2.0]))
              beta   objective      I[X;Z]      I[Y;Z]        H[Z]
          0.500000    0.000000    0.000000    0.000000    0.000000
          2.000000   -0.693147    0.693147    0.693147    0.693147
    """
    betas = _betas(beta)
    if variant not in {"ib", "dib"}:
        raise ConfigError(f"variant must be 'ib' or 'dib', not {variant!r}")
    pair = _joint_of(joint, variables)
    size = pair.pmf.shape[0] if latent_size is None else latent_size
    least = {
        "latent_size": (size, 1),
        "restarts": (restarts, 0),
        "seed": (seed, 0),
        "max_iterations": (max_iterations, 1),
    }
    for name, (number, lowest) in least.items():
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < lowest:
            raise ConfigError(f"{name} must be a whole number of at least {lowest}, not {number!r}")
    if not _is_real(tolerance) or not 0 < tolerance < math.inf:
        raise ConfigError(f"tolerance must be a number of nats above zero, not {tolerance!r}")
    problem = Problem.of(pair.probabilities, variant, float(tolerance), max_iterations)
    pool = sweep(problem, betas, starting_points(problem, size, restarts, np.random.default_rng(seed)), seed)
    scores = problem.objective(pool.terms, betas[:, None])
    tied = scores <= scores.min(axis=1, keepdims=True) + problem.tolerance / 100
    best = np.argmin(np.where(tied, pool.terms[2], np.inf), axis=1)
    xz, yz, z = pool.terms[:, best]
    return InformationCurve(
        variant=variant,
        beta=betas,
        objective=scores[np.arange(len(betas)), best] + 0.0,
        information_xz=xz,
        information_yz=yz,
        entropy_z=z,
        encoders=pool.encoders[best],
        converged=pool.converged[best],
        joint=pair,
    )


def _is_real(number: Any) -> bool:
    return isinstance(number, numbers.Real) and not isinstance(number, bool)


def _betas(beta: Any) -> Floats:
    """One or several trade-offs, ascending."""
    if isinstance(beta, np.ndarray):
        beta = beta.tolist() if beta.ndim < 2 else [beta]
    values = list(beta) if isinstance(beta, Iterable) and not isinstance(beta, str) else [beta]
    if not values or not all(_is_real(value) and 0 <= value < math.inf for value in values):
        raise ConfigError(f"beta must be one or several finite numbers of at least zero, not {beta!r}")
    return np.unique(np.array([float(value) for value in values]))


def _joint_of(joint: Any, variables: Sequence[str]) -> Distribution:
    names = read_names(variables)
    if len(names) != 2:
        raise ConfigError(f"variables names X and Y, two variables, not {' '.join(names)}")
    if isinstance(joint, Distribution):
        return joint.marginal(names)
    if isinstance(joint, str | Mapping) or hasattr(joint, "columns"):
        raise ModelError(f"{type(joint).__name__} is not a joint table; read it first, by Distribution.read(...)")
    if np.ndim(joint) != 2:
        raise ModelError(f"the joint table needs two axes, X and Y, not {np.ndim(joint)}")
    try:
        return Distribution(joint, names)
    except ModelError as error:
        divided = f"give Distribution(joint, '{' '.join(names)}', normalize=True)"
        raise ModelError(str(error).replace("pass normalize=True", divided)) from None

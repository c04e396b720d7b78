"""From the entropies of a latent to every quantity of the information plane, for estimators that see only samples.

X is the empirical sample and Y a function of it, so ``I[X;Y|Z] = H[Y|Z] = H[Y] - I[Y;Z]``; known Gaussian noise gives
``H[Z|X]``, and with it what Z preserves of X. What the truth cannot exceed is checked, and flagged where exceeded.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ibtrain.estimators.inputs import as_numbers, label_entropy
from ibtrain.estimators.result import Estimate, Estimates, Side
from ibtrain.estimators.samples import UNSEEN, capped
from imeasure.errors import ConfigError, UndefinedQuantityError

Measured = tuple[float, float]
"""A value and its standard error, in nats."""


@dataclass(frozen=True)
class Knowledge:
    """What is known of the samples beside their positions.

    Args:
        size: Number N of samples.
        width: Number K of dimensions.
        classes: N class numbers, or None.
        noise_variance: Variance of the Gaussian noise within Z: a number or K numbers; None if unknown.
        estimator: Name of the estimator.
        k: Number of neighbours, if it uses any.
        flags: Flags for every estimate.
    """

    size: int
    width: int
    classes: Tensor | None
    noise_variance: float | Tensor | None
    estimator: str
    k: int | None = None
    flags: tuple[str, ...] = ()

    def noise_entropy(self) -> float | None:
        """Return ``H[Z|X]`` in nats, or None if the noise is unknown."""
        if self.noise_variance is None:
            return None
        variance = as_numbers(self.noise_variance, "noise_variance")
        if variance.ndim > 1:
            raise ConfigError(f"noise_variance must be one number or {self.width}, got shape {tuple(variance.shape)}")
        variance = variance.reshape(-1)
        if len(variance) not in {1, self.width}:
            raise ConfigError(f"noise_variance must be one number or {self.width} numbers, got {len(variance)}")
        if not bool((torch.isfinite(variance) & (variance > 0)).all()):
            raise UndefinedQuantityError("noise_variance must be finite and positive; leave it out if it is unknown")
        return float((variance.log() + math.log(2 * math.pi * math.e)).expand(self.width).sum() / 2)


def complete(
    knowledge: Knowledge,
    total: Measured,
    conditional: Measured | None,
    relevant: Measured | None,
    *,
    side: Side = "two-sided",
    decoder_error: float | None = None,
    gaussian_bound: float | None = None,
) -> Estimates:
    """Return all quantities that follow from ``H[Z]``, ``H[Z|Y]`` and ``I[Y;Z]``, with the caps checked.

    Args:
        knowledge: What is known beside the samples' positions.
        total: ``H[Z]``.
        conditional: ``H[Z|Y]``, None without labels.
        relevant: ``I[Y;Z]``, None without labels.
        side: Side of the bound on the entropies of Z.
        decoder_error: Standard error of ``H[Y|Z]``, where it is not that of ``I[Y;Z]``.
        gaussian_bound: Largest entropy that the covariance allows, if it is to be checked.
    """
    size = knowledge.size

    def estimate(quantity: str, measured: Measured, its_side: Side = "two-sided") -> Estimate:
        value, error = measured
        return Estimate(quantity, value, error, its_side, size, knowledge.k, knowledge.estimator, knowledge.flags)

    latent = estimate("H[Z]", total, side)
    if gaussian_bound is not None:
        latent = capped(
            latent, gaussian_bound, "the Gaussian bound", tolerance=2 * math.sqrt(knowledge.width / (2 * size))
        )
    result = [latent]
    noise = knowledge.noise_entropy()
    if noise is not None:
        preserved = estimate("I[X;Z]", (total[0] - noise, total[1]), side)
        result += [estimate("H[Z|X]", (noise, 0.0)), capped(preserved, math.log(size), "ln N")]
    if knowledge.classes is not None and conditional is not None and relevant is not None:
        entropy, slack = label_entropy(knowledge.classes), relevant[1]
        result += [
            estimate("H[Z|Y]", conditional, side),
            capped(estimate("I[Y;Z]", relevant), entropy, "H[Y]", tolerance=slack),
        ]
        if noise is not None:
            residual = estimate("I[X;Z|Y]", (conditional[0] - noise, conditional[1]), side)
            result.append(capped(residual, math.log(size) - entropy, "ln N - H[Y]"))
        uncertainty = (entropy - relevant[0], relevant[1] if decoder_error is None else decoder_error)
        negative = ("below 0: I[Y;Z] is biased upwards",) if uncertainty[0] < -max(slack, UNSEEN) else ()
        result += [estimate(quantity, uncertainty).flagged(*negative) for quantity in ("H[Y|Z]", "I[X;Y|Z]")]
    return Estimates({e.quantity: e for e in result})

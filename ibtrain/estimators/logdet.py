"""Gaussian estimates: log-determinants of covariances, an upper bound on any entropy with the same covariance.

The plain estimate is corrected exactly for the bias of a sample covariance's log-determinant (Misra, Singh and
Demchuk, Journal of Multivariate Analysis 92, 2005). Shrinkage is that of Ledoit and Wolf (Journal of Multivariate
Analysis 88, 2004) towards a multiple of the identity.
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from ibtrain.estimators.information import Knowledge, complete
from ibtrain.estimators.inputs import Array, Labels, as_classes, as_samples, choice
from ibtrain.estimators.result import Estimate, Estimates
from imeasure.errors import ConfigError, UndefinedQuantityError

Shrinkage = Literal["none", "ledoit-wolf"]


def shrunk_covariance(points: Tensor) -> tuple[Tensor, float]:
    r"""Return the Ledoit-Wolf covariance :math:`(1 - w) S + w \tfrac{\mathrm{tr} S}{K} I` and its weight w.

    Args:
        points: N x K in float64.

    Example:
        >>> points = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=torch.float64)
        >>> shrunk_covariance(points)[0].diagonal()
        tensor([0.5000, 0.5000], dtype=torch.float64)
    """
    size, width = points.shape
    centred = points - points.mean(0)
    covariance = centred.T @ centred / size
    level = covariance.trace() / width
    target = level * torch.eye(width, dtype=points.dtype, device=points.device)
    distance = (covariance - target).square().sum()
    squares = centred.square().sum(1).square().sum() / size
    noise = torch.minimum((squares - covariance.square().sum()) / size, distance)
    weight = float(noise / distance) if float(distance) > 0 else 0.0
    return (1 - weight) * covariance + weight * target, weight


def gaussian_entropy(points: Tensor, shrinkage: Shrinkage = "none") -> tuple[float, float]:
    r"""Return :math:`\tfrac12 \ln\det(2 \pi e \Sigma)` of N x K points in nats, and its standard error for a Gaussian.

    Raises:
        UndefinedQuantityError: If there are too few samples for a covariance of full rank and no shrinkage.
    """
    size, width = points.shape
    if shrinkage == "ledoit-wolf":
        covariance, correction = shrunk_covariance(points)[0], 0.0
    elif size <= width + 1:
        raise UndefinedQuantityError(
            f"{size} samples do not determine a covariance in {width} dimensions: use shrinkage='ledoit-wolf'"
        )
    else:
        covariance = torch.atleast_2d(torch.cov(points.T))
        halves = (size - 1 - torch.arange(width, dtype=torch.float64)) / 2
        correction = width * math.log((size - 1) / 2) - float(torch.digamma(halves).sum())
    sign, value = torch.linalg.slogdet(covariance)
    if float(sign) <= 0 or not math.isfinite(float(value)):
        raise UndefinedQuantityError(
            "the covariance is singular, so the Gaussian entropy is minus infinity: drop dependent dimensions, add "
            "noise, or use shrinkage='ledoit-wolf'"
        )
    entropy = (float(value) + correction + width * math.log(2 * math.pi * math.e)) / 2
    return entropy, math.sqrt(width / (2 * size))


def gaussian(
    latent: Array,
    labels: Labels | None = None,
    *,
    shrinkage: Shrinkage = "none",
    noise_variance: float | Tensor | None = None,
) -> Estimates:
    r"""Estimate the entropies of a latent as if it were Gaussian, and Gaussian in each class.

    ``H[Z] <= 1/2 ln det(2 pi e Cov Z)`` and ``H[Z|Y] <= sum_y p(y) 1/2 ln det(2 pi e Cov[Z|y])`` whatever the density,
    with equality for Gaussians. Their difference ``I[Y;Z]`` is on neither side.

    Args:
        latent: N x K samples of the noisy latent.
        labels: N labels, a partition; None leaves out what needs Y.
        shrinkage: ``"none"``, with the exact correction of the sampling bias, or ``"ledoit-wolf"``.
        noise_variance: Variance of known Gaussian noise within Z, as for :func:`ibtrain.estimators.mixture` (a number
            or K numbers); gives ``H[Z|X]`` and with it ``I[X;Z]`` and ``I[X;Z|Y]``.

    Raises:
        ConfigError: If the shapes do not fit together.
        UndefinedQuantityError: If a covariance is singular, of all samples or in a class.

    Example:
        >>> z = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
        >>> bool(abs(gaussian(z)["H[Z]"].value - math.log(2 * math.pi * math.e)) < 0.05)
        True
    """
    choice(shrinkage, "shrinkage", get_args(Shrinkage))
    points = as_samples(latent, "Z")
    total = gaussian_entropy(points, shrinkage)
    conditional = relevant = None
    classes = None
    if labels is not None:
        classes = as_classes(labels, len(points), points.device)
        groups = [points[classes == label] for label in range(int(classes.max()) + 1)]
        inside = [gaussian_entropy(group, shrinkage) for group in groups]
        shares = [len(group) / len(points) for group in groups]
        error = math.sqrt(sum((share * e) ** 2 for share, (_, e) in zip(shares, inside, strict=True)))
        conditional = sum(share * value for share, (value, _) in zip(shares, inside, strict=True)), error
        relevant = total[0] - conditional[0], math.hypot(total[1], error)
    name = "gaussian" if shrinkage == "none" else f"gaussian, {shrinkage}"
    knowledge = Knowledge(len(points), points.shape[1], classes, noise_variance, name)
    return complete(knowledge, total, conditional, relevant, side="upper")


def gaussian_information(x: Array, y: Array, given: Array | None = None) -> Estimate:
    r"""Estimate ``I[X;Y]`` or ``I[X;Y|Z]`` of jointly Gaussian samples from log-determinants.

    The four entropies share one correction of the sampling bias each, so independent samples give zero on average.

    Args:
        x: N x K samples.
        y: N x L samples.
        given: N x M samples to condition on, or None.

    Raises:
        ConfigError: If the numbers of samples differ.
        UndefinedQuantityError: If a covariance is singular.

    Example:
        >>> x = torch.randn(4000, generator=torch.Generator().manual_seed(0))
        >>> noise = torch.randn(4000, generator=torch.Generator().manual_seed(1))
        >>> bool(abs(gaussian_information(x, x + noise).value - math.log(2) / 2) < 0.05)
        True
    """
    left = as_samples(x, "X")
    parts = [left, as_samples(y, "Y").to(left.device)]
    if given is not None:
        parts.append(as_samples(given, "Z").to(left.device))
    if len({len(part) for part in parts}) > 1:
        raise ConfigError(f"X, Y and Z must have equally many samples, got {[len(part) for part in parts]}")
    right, *rest = parts[1:]
    value = gaussian_entropy(torch.cat([left, *rest], 1))[0] + gaussian_entropy(torch.cat([right, *rest], 1))[0]
    value -= gaussian_entropy(torch.cat(parts, 1))[0] + (gaussian_entropy(rest[0])[0] if rest else 0.0)
    quantity = "I[X;Y]" if given is None else "I[X;Y|Z]"
    correlations = 1 - math.exp(-2 * max(value, 0.0))
    return Estimate(quantity, value, math.sqrt(correlations / len(left)), size=len(left), estimator="gaussian")

"""Gaussian estimates: log-determinants of covariances, an upper bound on any entropy with the same covariance.

The plain estimate is corrected exactly for the bias of a sample covariance's log-determinant (Misra, Singh and
Demchuk, Journal of Multivariate Analysis 92, 2005), which comes from singular values of the centred data, because a
covariance would square their rounding. Shrinkage is that of Ledoit and Wolf (Journal of Multivariate
Analysis 88, 2004) towards a multiple of the identity.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ibtrain.estimators.information import Knowledge, Measured, complete
from ibtrain.estimators.inputs import Array, Labels, as_classes, as_samples, choice, resolution
from ibtrain.estimators.result import Estimate, Estimates
from imeasure.errors import ConfigError, UndefinedQuantityError

Shrinkage = Literal["none", "ledoit-wolf"]
EPSILON = torch.finfo(torch.float64).eps


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


@dataclass(frozen=True)
class Fit:
    """A Gaussian fitted to samples.

    Args:
        entropy: Its entropy in nats, with the sampling bias removed where no shrinkage is used.
        error: Standard error of the entropy for Gaussian samples.
        distances: N squared Mahalanobis distances of the samples from their mean.
    """

    entropy: float
    error: float
    distances: Tensor


def gaussian_fit(points: Tensor, shrinkage: Shrinkage = "none", *, unit: float = EPSILON) -> Fit:
    r"""Return :math:`\tfrac12 \ln\det(2 \pi e \Sigma)` of N x K points in nats with its standard error.

    Args:
        points: N x K in float64.
        shrinkage: As :func:`gaussian`.
        unit: Relative rounding of the points, which decides what is singular.

    Raises:
        UndefinedQuantityError: If there are too few samples for a covariance of full rank and no shrinkage, a
            dimension is constant, or dimensions depend on each other up to rounding.
    """
    size, width = points.shape
    if shrinkage == "none" and size <= width + 1:
        raise UndefinedQuantityError(
            f"a covariance in {width} dimensions needs {width + 2} samples or more, got {size}: "
            "use shrinkage='ledoit-wolf'"
        )
    centred, scale = _scaled(points, shrinkage, unit)
    volume = float(scale.log().sum()) + width / 2 * math.log(2 * math.pi * math.e)
    if shrinkage == "ledoit-wolf":
        values, vectors = torch.linalg.eigh(shrunk_covariance(centred)[0])
        if not float(values[0]) > width * EPSILON * float(values[-1]):
            raise _singular(shrinkage)
        distances = ((centred @ vectors).square() / values).sum(1)
        return Fit(float(values.log().sum()) / 2 + volume, math.sqrt(width / (2 * size)), distances)
    basis, triangle = torch.linalg.qr(centred)
    values = torch.linalg.svdvals(triangle)
    coarseness = float((points / scale).square().mean(0).max().sqrt())
    noise = 2 * unit * math.sqrt(size) * coarseness
    if not float(values[-1]) > max(noise, size * EPSILON * float(values[0])):
        raise _singular(shrinkage)
    halves = (size - 1 - torch.arange(width, dtype=torch.float64)) / 2
    logarithm = 2 * float(values.log().sum()) - width * math.log(2) - float(torch.digamma(halves).sum())
    error = math.sqrt(float(torch.special.polygamma(1, halves).sum())) / 2
    return Fit(logarithm / 2 + volume, error, (size - 1) * basis.square().sum(1))


def _scaled(points: Tensor, shrinkage: Shrinkage, unit: float) -> tuple[Tensor, Tensor]:
    """Return the centred points in units of each dimension's spread, or of the largest for shrinkage, and the units."""
    low, high = points.aminmax(dim=0)
    constant = high - low <= 4 * unit * torch.maximum(high.abs(), low.abs())
    if bool(constant.all()) or (shrinkage == "none" and bool(constant.any())):
        raise _singular(shrinkage)
    centred = points - points.mean(0)
    reach = centred.abs().amax(0)
    if shrinkage == "ledoit-wolf":
        return centred / reach.max(), reach.max().expand(len(reach))
    scale = reach * (centred / reach).square().mean(0).sqrt()
    return centred / scale, scale


def _singular(shrinkage: Shrinkage) -> UndefinedQuantityError:
    """Return the error of a covariance without full rank."""
    advice = "drop dependent dimensions, or add noise"
    if shrinkage == "none":
        advice = "drop constant or dependent dimensions, add noise, or use shrinkage='ledoit-wolf'"
    return UndefinedQuantityError(
        f"the covariance is singular up to rounding, so the Gaussian entropy is minus infinity: {advice}"
    )


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
    unit = resolution(latent)
    fit = gaussian_fit(points, shrinkage, unit=unit)
    total = fit.entropy, fit.error
    conditional = relevant = None
    classes = None
    if labels is not None:
        classes = as_classes(labels, len(points), points.device)
        conditional, relevant = _split(points, classes, fit, shrinkage, unit)
    name = "gaussian" if shrinkage == "none" else f"gaussian, {shrinkage}"
    knowledge = Knowledge(len(points), points.shape[1], classes, noise_variance, name)
    return complete(knowledge, total, conditional, relevant, side="upper")


def _split(points: Tensor, classes: Tensor, whole: Fit, shrinkage: Shrinkage, unit: float) -> tuple[Measured, Measured]:
    """Return ``H[Z|Y]`` and ``I[Y;Z]``.

    The error of the information is that of its influence function, less its spread by chance, and to second order that
    of the likelihood-ratio statistic of independent labels, where the first vanishes.
    """
    size, width = points.shape
    counts = torch.bincount(classes)
    fits = [_class_fit(points[classes == label], shrinkage, unit) for label in range(len(counts))]
    shares = (counts.double() / size).tolist()
    value = sum(share * fit.entropy for share, fit in zip(shares, fits, strict=True))
    levels = points.new_tensor([fit.entropy for fit in fits])[classes]
    error = sum((share * fit.error) ** 2 for share, fit in zip(shares, fits, strict=True))
    influence = whole.distances / 2 - levels
    for label, fit in enumerate(fits):
        influence[classes == label] -= fit.distances / 2
    freedom = (len(fits) - 1) * width * (width + 3) / 2
    first = max(0.0, float(influence.var()) - freedom / size) / size
    spread = math.sqrt(first + freedom / (2 * size**2))
    return (value, math.sqrt(error + float(levels.var()) / size)), (whole.entropy - value, spread)


def _class_fit(points: Tensor, shrinkage: Shrinkage, unit: float) -> Fit:
    """Return the fit of one class, saying how large the class is if there is none."""
    if len(points) < 2:
        least = points.shape[1] + 2 if shrinkage == "none" else 2
        raise UndefinedQuantityError(
            f"in a class with 1 of the samples, a covariance in {points.shape[1]} dimensions needs {least} samples or "
            "more: leave such samples out, or give coarser labels"
        )
    try:
        return gaussian_fit(points, shrinkage, unit=unit)
    except UndefinedQuantityError as error:
        raise UndefinedQuantityError(f"in a class with {len(points)} of the samples, {error}") from None


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
    unit = max(resolution(data) for data in (x, y, given if given is not None else y))

    def entropy(*chosen: Tensor) -> float:
        return gaussian_fit(torch.cat(chosen, 1), unit=unit).entropy if chosen else 0.0

    value = entropy(left, *rest) + entropy(right, *rest) - entropy(*parts) - entropy(*rest)
    quantity = "I[X;Y]" if given is None else "I[X;Y|Z]"
    error = _information_error(left, right, rest)
    return Estimate(quantity, value, error, size=len(left), estimator="gaussian")


def _information_error(left: Tensor, right: Tensor, rest: Sequence[Tensor]) -> float:
    r"""Return the standard error of Gaussian information.

    To first order its variance is :math:`\sum_i \rho_i^2 / N` with the canonical correlations :math:`\rho_i`, less
    what these have by chance; the second order is the variance for independent variables, where the first vanishes.
    """
    given = sum(part.shape[1] for part in rest)
    bases = []
    for part in (left, right):
        columns = torch.cat([*rest, part], 1)
        bases.append(torch.linalg.qr(_scaled(columns, "none", 0.0)[0]).Q[:, given:])
    size, widths = len(left), (left.shape[1], right.shape[1])
    free = size - 1 - given
    chance = widths[0] * widths[1] / free
    first = max(0.0, float((bases[0].T @ bases[1]).square().sum()) - chance) / size
    halves = (free - torch.arange(widths[0], dtype=torch.float64)) / 2
    trigammas = torch.special.polygamma(1, torch.stack([halves - widths[1] / 2, halves])).sum(1)
    return math.sqrt(first + float(trigammas[0] - trigammas[1]) / 4)

"""Entropies and informations of a latent with known Gaussian noise: the latent is a mixture, so they can be computed.

With X the N samples at hand and ``Z = f(X) + noise`` the density of Z is a mixture of N known Gaussians, and every
quantity of the information plane is a function of the posterior over its components. That posterior is exact (a
log-sum-exp over all N means); only the outer expectation over Z is sampled. The closed bounds are those of Kolchinsky
and Tracey, "Estimating mixture entropy with pairwise distances", Entropy 19(7), 2017.
"""

import math

import torch
from torch import Tensor

from ibtrain.estimators.components import Components
from ibtrain.estimators.inputs import (
    Array,
    Labels,
    as_classes,
    as_numbers,
    as_samples,
    choice,
    label_entropy,
    seeded,
    whole,
)
from ibtrain.estimators.pairwise import closed_bounds
from ibtrain.estimators.posterior import Posterior, posterior
from ibtrain.estimators.result import Estimate, Estimates
from ibtrain.estimators.runtime import full_precision
from imeasure.errors import ConfigError, UndefinedQuantityError


def mixture(
    means: Array,
    noise_variance: float | Tensor,
    labels: Labels | None = None,
    samples: int = 2000,
    seed: int = 0,
    *,
    bounds: bool = True,
) -> Estimates:
    r"""Estimate the information-plane quantities of ``Z = mean(X) + Gaussian noise`` from the means and the noise.

    X is the empirical sample, uniform over its N members, and Y a function of it. For z drawn from the mixture let
    :math:`p(j|z)` be the posterior over components. Then

    .. math:: I[X;Z] = \ln N - E_z H(p(j|z)), \qquad I[Y;Z] = H[Y] - E_z H(p(y|z)),

    :math:`H[Z|X]` is closed, and the rest follows by the chain rule, sample by sample, so that differences keep their
    small errors: :math:`I[X;Z|Y] = I[X;Z] - I[Y;Z]`, :math:`H[Z] = H[Z|X] + I[X;Z]`, :math:`H[Z|Y] = H[Z|X] +
    I[X;Z|Y]`, and :math:`I[X;Y|Z] = H[Y|Z]` because the label is a function of the sample. Components are drawn evenly
    over the classes, each about equally often.

    Args:
        means: N x K, the noiseless latents (or N numbers).
        noise_variance: Variance of the Gaussian noise: a number; K numbers, one per dimension; N x 1, one per sample;
            or N x K.
        labels: N labels, a partition of the samples; None leaves out what needs Y.
        samples: How many z are drawn for the outer expectation. Every estimate carries its standard error.
        seed: Seed of the draw; the same on every device.
        bounds: Whether to fill ``lower`` and ``upper`` with the closed Kolchinsky-Tracey bounds as well. Their outer
            mean runs over the components that were drawn: all of them where ``samples`` reaches N.

    Returns:
        ``H[Z]``, ``H[Z|X]``, ``I[X;Z]`` and, with labels, ``H[Z|Y]``, ``I[Y;Z]``, ``I[X;Z|Y]``, ``H[Y|Z]``,
        ``I[X;Y|Z]``, in nats. ``I[X;Z]`` cannot exceed ln N; close to it, all samples are told apart and the value
        says nothing about a larger population, which its flag says.

    Raises:
        ConfigError: If shapes do not fit together or fewer than two samples are drawn.
        UndefinedQuantityError: If an input is not finite or a variance is not positive (a noiseless continuous latent
            has no finite ``I[X;Z]``).

    Example:
        >>> result = mixture([[0.0], [0.0], [100.0], [100.0]], 1.0, ["a", "a", "b", "b"])
        >>> round(result["I[Y;Z]"].value, 6), round(result["H[Y|Z]"].value, 6)
        (0.693147, 0.0)
        >>> round(result["I[X;Z|Y]"].value, 6)
        0.0
    """
    points = as_samples(means, "means")
    size = len(points)
    whole(samples, "samples", 2)
    choice(bounds, "bounds", (True, False))
    variance = _variance(noise_variance, points)
    classes = torch.zeros(size, dtype=torch.int64, device=points.device)
    if labels is not None:
        classes = as_classes(labels, size, points.device)
    order = torch.sort(classes, stable=True).indices
    points, classes = points.index_select(0, order), classes[order]
    if variance.shape[0] == size:
        variance = variance[order]
    chosen, noise = _draw(classes, points.shape[1], samples, seed)

    if len(variance) == 1:
        components = Components(points.div_(variance.sqrt()), None, classes)
    else:
        components = Components(points, variance.expand(-1, points.shape[1]), classes)
    own = components.variance_of(chosen)
    rows = components.means[chosen] + own.sqrt() * noise
    floor = (((rows - components.means[chosen]) / own.sqrt()).square() + own.log()).sum(1) / -2
    levels = variance.log() + math.log(2 * math.pi * math.e)
    noise_entropy = float(levels.expand(-1, points.shape[1]).sum(1).mean() / 2)
    with_labels = labels is not None
    with full_precision():
        swept = posterior(rows, floor, components)
        quantities = _quantities(swept, components, chosen, noise_entropy, with_labels=with_labels)
        if not bounds:
            return Estimates(quantities)
        return Estimates(quantities, *closed_bounds(components, chosen, noise_entropy, with_labels=with_labels))


def _variance(noise_variance: float | Tensor, points: Tensor) -> Tensor:
    """Return the noise variance as 1 x 1, 1 x K, N x 1 or N x K, checked."""
    size, width = points.shape
    variance = as_numbers(noise_variance, "noise_variance").to(points.device)
    shape = tuple(variance.shape)
    if variance.ndim < 2:
        variance = variance.reshape(1, -1)
    if variance.ndim > 2 or variance.shape[0] not in {1, size} or variance.shape[1] not in {1, width}:
        raise ConfigError(
            f"noise_variance must be one number, {width} numbers (one per dimension), {size} x 1 (one per sample) or "
            f"{size} x {width}, got shape {shape}"
        )
    if not bool((torch.isfinite(variance) & (variance > 0)).all()):
        raise UndefinedQuantityError(
            "noise_variance must be finite and positive: a noiseless map of X has no finite I[X;Z]; add noise to the "
            "latent, or use the nearest-neighbour estimator for H[Z]"
        )
    return variance


def _draw(classes: Tensor, width: int, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw components, each with equal probability and evenly over the classes, and standard normal noise."""
    generator = seeded(seed)
    size = len(classes)
    shuffled = torch.randperm(size, generator=generator)
    shuffled = shuffled[torch.sort(classes.cpu()[shuffled], stable=True).indices]
    start = torch.rand(1, generator=generator, dtype=torch.float64)
    positions = ((start + torch.arange(samples)) * (size / samples)).long().clamp_(max=size - 1)
    noise = torch.randn(samples, width, generator=generator, dtype=torch.float64)
    return shuffled[positions].sort().values.to(classes.device), noise.to(classes.device)


def _quantities(
    swept: Posterior, components: Components, chosen: Tensor, noise_entropy: float, *, with_labels: bool
) -> dict[str, Estimate]:
    """Turn posterior entropies into the estimates, with the standard error of each difference taken per sample."""
    size = len(components.classes)
    cap = math.log(size)
    relevance = stratified(cap - swept.component_entropy(), components.classes, chosen)
    saturated = f"within 1 % of ln N = {cap:.2f}: every sample is told apart, a larger N would raise it"
    flags = (saturated,) if relevance[0] > 0.99 * cap else ()

    def estimate(quantity: str, mean: float, error: float, *notes: str) -> Estimate:
        return Estimate(quantity, mean, error, size=size, estimator="mixture", flags=notes)

    result = [
        estimate("H[Z]", noise_entropy + relevance[0], relevance[1], *flags),
        estimate("H[Z|X]", noise_entropy, 0.0),
        estimate("I[X;Z]", *relevance, *flags),
    ]
    if with_labels:
        uncertainty = swept.class_entropy()
        residual = cap - swept.component_entropy() - (label_entropy(components.classes) - uncertainty)
        conditional = stratified(residual, components.classes, chosen)
        decoder = stratified(uncertainty, components.classes, chosen)
        preserved = (label_entropy(components.classes) - decoder[0], decoder[1])
        result += [
            estimate("H[Z|Y]", noise_entropy + conditional[0], conditional[1], *flags),
            estimate("I[Y;Z]", *preserved),
            estimate("I[X;Z|Y]", *conditional, *flags),
            estimate("H[Y|Z]", *decoder),
            estimate("I[X;Y|Z]", *decoder),
        ]
    return {e.quantity: e for e in result}


def stratified(values: Tensor, classes: Tensor, chosen: Tensor) -> tuple[float, float]:
    r"""Return the mean of per-sample values and its standard error from the spread within strata.

    The strata are the mixture components where each was drawn at least twice, the classes otherwise; a stratum with a
    single draw takes the pooled spread of the others, or of all values.

    Args:
        values: S numbers.
        classes: N class numbers of the components.
        chosen: S component numbers, the origin of each value.

    Example:
        >>> values = torch.tensor([1.0, 1.0, 3.0, 3.0], dtype=torch.float64)
        >>> stratified(values, torch.tensor([0, 1]), torch.tensor([0, 0, 1, 1]))
        (2.0, 0.0)
    """
    drawn = torch.bincount(chosen, minlength=len(classes))
    strata = chosen if int(drawn.min()) > 1 else classes[chosen]
    counts = torch.bincount(strata).to(values.dtype)
    means = torch.bincount(strata, weights=values) / counts
    squares = torch.bincount(strata, weights=(values - means[strata]).square())
    plural = counts > 1
    pooled = squares[plural].sum() / (counts[plural] - 1).sum() if bool(plural.any()) else values.var()
    spread = torch.where(plural, squares / (counts - 1).clamp(min=1), pooled)
    return float(values.mean()), float((counts * spread).sum().sqrt() / len(values))

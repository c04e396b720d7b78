"""Bounds from all pairs of a batch: Kolchinsky and Tracey's for Gaussian p(z|x), and InfoNCE.

They need no reference law and cost B^2 pairs. On a batch X is uniform on its B inputs; distances are computed in
float64. Sources: Kolchinsky and Tracey, "Estimating Mixture Entropy with Pairwise Distances" (2017); van den Oord, Li
and Vinyals, "Representation Learning with Contrastive Predictive Coding" (2018).
"""

import math

import torch
from torch import Tensor

from ibtrain.errors import ConfigError
from ibtrain.functional.moments import gaussian_noise_entropy
from ibtrain.functional.tensors import batch_mean, check_latent, check_noise, check_target, single_precision
from ibtrain.reduction import LOCAL, Reduction


@single_precision
def pairwise_information_bound(latent: Tensor, *, noise_variance: float | Tensor, reduce: Reduction = LOCAL) -> Tensor:
    """Return -E_i ln E_j exp(-KL(p(z|x_i) || p(z|x_j))), an upper bound of I[X;Z] that never exceeds ln B.

    Args:
        latent: Means of the Gaussians p(z|x), S x B x K. With several for one input (dropout) they count as
            inputs of their own, which can only raise the information.
        noise_variance: Variance of the Gaussian around each mean: a number, K numbers, or B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the latent is not S x B x K or there is no noise.

    References:
        Kolchinsky and Tracey (2017), equation (10); Kolchinsky, Tracey and Wolpert, "Nonlinear Information Bottleneck"
        (2019).

    Example:
        >>> far = torch.tensor([[[0.0], [100.0]]])
        >>> round(pairwise_information_bound(far, noise_variance=1.0).exp().item(), 5)
        2.0
    """
    divergences = _divergences(latent, noise_variance, reduce)
    total = torch.logsumexp(-divergences, dim=1)
    return (math.log(divergences.shape[1]) - batch_mean(total, reduce)).to(latent.dtype)


@single_precision
def pairwise_conditional_information_bound(
    latent: Tensor, target: Tensor, *, noise_variance: float | Tensor, reduce: Reduction = LOCAL
) -> Tensor:
    """Return -E_i ln E_{j: y_j = y_i} exp(-KL(p(z|x_i) || p(z|x_j))), an upper bound of I[X;Z|Y].

    A class with a single member has no information left to give and counts 0.

    Args:
        latent: Means of the Gaussians p(z|x), S x B x K, several for one input as in `pairwise_information_bound`.
        target: Classes, B.
        noise_variance: Variance of the Gaussian around each mean: a number, K numbers, or B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together or there is no noise.

    References:
        Kolchinsky and Tracey (2017), equation (10), class by class.

    Example:
        >>> far = torch.tensor([[[0.0], [100.0], [200.0]]])
        >>> value = pairwise_conditional_information_bound(far, torch.tensor([0, 0, 1]), noise_variance=1.0)
        >>> abs(value.item() - 2 / 3 * math.log(2)) < 1e-5
        True
    """
    check_latent(latent)
    check_target(target, latent.shape[1])
    divergences = _divergences(latent, noise_variance, reduce)
    own = target.repeat(latent.shape[0])
    same = own.unsqueeze(1) == reduce.gather(own)
    total = torch.logsumexp(torch.where(same, -divergences, -math.inf), dim=1)
    return batch_mean(same.sum(dim=1).to(total.dtype).log() - total, reduce).to(latent.dtype)


def pairwise_entropy_bound(latent: Tensor, *, noise_variance: float | Tensor, reduce: Reduction = LOCAL) -> Tensor:
    """Return the pairwise bound of I[X;Z] plus H[Z|X], an upper bound of H[Z].

    With several means for one input H[Z|X] stands for the entropy of the Gaussians around them.

    Args:
        latent: Means of the Gaussians p(z|x), S x B x K.
        noise_variance: Variance of the Gaussian around each mean: a number, K numbers, or B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the latent is not S x B x K or there is no noise.

    References:
        Kolchinsky and Tracey (2017), equation (10).

    Example:
        >>> value = pairwise_entropy_bound(torch.zeros(1, 3, 2), noise_variance=1.0)
        >>> abs(value.item() - math.log(2 * math.pi * math.e)) < 1e-5
        True
    """
    bound = pairwise_information_bound(latent, noise_variance=noise_variance, reduce=reduce)
    return bound + _noise_entropy(latent, noise_variance, reduce)


def pairwise_conditional_entropy_bound(
    latent: Tensor, target: Tensor, *, noise_variance: float | Tensor, reduce: Reduction = LOCAL
) -> Tensor:
    """Return the pairwise bound of I[X;Z|Y] plus H[Z|X], an upper bound of H[Z|Y].

    Args:
        latent: Means of the Gaussians p(z|x), S x B x K.
        target: Classes, B.
        noise_variance: Variance of the Gaussian around each mean: a number, K numbers, or B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together or there is no noise.

    References:
        Kolchinsky and Tracey (2017), equation (10), class by class.

    Example:
        >>> latent, target = torch.zeros(1, 3, 2), torch.tensor([0, 0, 1])
        >>> value = pairwise_conditional_entropy_bound(latent, target, noise_variance=1.0)
        >>> abs(value.item() - math.log(2 * math.pi * math.e)) < 1e-5
        True
    """
    bound = pairwise_conditional_information_bound(latent, target, noise_variance=noise_variance, reduce=reduce)
    return bound + _noise_entropy(latent, noise_variance, reduce)


@single_precision
def info_nce(scores: Tensor, *, positives: Tensor | None = None, reduce: Reduction = LOCAL) -> Tensor:
    """Return E_i[f_ii - ln E_j exp(f_ij)], a lower bound of the information between rows and columns, at most ln N.

    Rows are inputs' latents; columns the candidates (their classes, or the inputs), drawn independently of one another.
    A bound in expectation over batches, whatever the scores are.

    Args:
        scores: f(z_i, candidate_j), B x N.
        positives: The candidate that belongs to each row, B; by default row i's is candidate i, where the rows are this
            process's part of a batch whose candidates were gathered.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together.

    References:
        van den Oord, Li and Vinyals (2018), section 2.3; Poole et al., "On Variational Bounds of Mutual Information"
        (2019), section 2.3.

    Example:
        >>> round(info_nce(100 * torch.eye(4)).exp().item(), 5)
        4.0
    """
    if scores.ndim != 2 or scores.numel() == 0:
        raise ConfigError(f"scores must be B x N with at least one of each, not of shape {tuple(scores.shape)}")
    rows, columns = scores.shape
    if positives is None:
        first = reduce.offset(rows)
        if first + rows > columns:
            raise ConfigError(
                f"{first + rows} rows need as many candidates, not {columns}: gather the candidates, or give positives"
            )
        positives = torch.arange(first, first + rows, device=scores.device)
    check_target(positives, rows)
    chosen = scores.gather(1, positives.long().unsqueeze(1)).squeeze(1)
    return batch_mean(chosen - torch.logsumexp(scores, dim=1), reduce) + math.log(columns)


def _divergences(latent: Tensor, noise_variance: float | Tensor, reduce: Reduction) -> Tensor:
    """Return KL(p_i || p_j) in float64: this process's Gaussians in rows, all in columns."""
    check_latent(latent)
    check_noise(noise_variance, latent)
    means = latent.double().flatten(0, 1)
    means = means - reduce.sum(means.sum(dim=0)) / reduce.count(means.shape[0], means)
    variances = _variances(noise_variance, latent)
    precisions = 1 / variances
    all_means, all_precisions = reduce.gather(means), reduce.gather(precisions)
    weighted = all_means * all_precisions
    squares = means.square() @ all_precisions.T - 2 * means @ weighted.T + (all_means * weighted).sum(dim=1)
    if not isinstance(noise_variance, Tensor) or noise_variance.ndim < 2:
        return 0.5 * squares.clamp(min=0)
    logs = variances.log().sum(dim=1, keepdim=True)
    ratios = variances @ all_precisions.T - latent.shape[-1] + reduce.gather(logs).T - logs
    return 0.5 * (squares + ratios).clamp(min=0)


def _variances(noise_variance: float | Tensor, latent: Tensor) -> Tensor:
    """Return one variance for each Gaussian and dimension, S*B x K."""
    if not isinstance(noise_variance, Tensor):
        if not (noise_variance > 0 and math.isfinite(noise_variance)):
            raise ConfigError(
                f"noise_variance must be positive and finite, not {noise_variance!r}: "
                "I[X;Z] of a noiseless map is infinite"
            )
        return torch.full_like(latent, noise_variance, dtype=torch.float64).flatten(0, 1)
    positive = noise_variance.double().clamp(min=torch.finfo(torch.float32).tiny)
    return positive.expand(latent.shape).flatten(0, 1)


def _noise_entropy(latent: Tensor, noise_variance: float | Tensor, reduce: Reduction) -> Tensor:
    variances = _variances(noise_variance, latent).to(torch.promote_types(latent.dtype, torch.float32))
    return gaussian_noise_entropy(variances, reduce=reduce)

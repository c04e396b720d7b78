"""Bounds on entropies of Z from its moments: a Gaussian has the largest entropy of its variance.

S counts the samples of the latent for each input, B the inputs, K the latent's dimensions and C the classes. Known
noise enters analytically: the moments of the mixture of the noise around the given centres are exact. Source: Kirsch,
Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 6, with the constants right in every dimension.
"""

import math

import torch
from torch import Tensor

from ibtrain.errors import ConfigError
from ibtrain.functional.tensors import (
    LOG_2_PI,
    batch_mean,
    check_latent,
    check_noise,
    check_target,
    members_of,
    repeated,
    single_precision,
)
from ibtrain.reduction import LOCAL, Reduction

_RELATIVE_FLOOR = 1e-12


@single_precision
def log_variance(latent: Tensor, *, noise_variance: float | Tensor = 0.0, reduce: Reduction = LOCAL) -> Tensor:
    """Return sum_k 1/2 ln(2 pi e Var[Z_k]), an upper bound of H[Z].

    Among all laws of a given variance the Gaussian has the largest entropy, and independent dimensions the largest of
    all. The variance is that of the batch itself (divided by S*B): for noiseless latents plus a noise variance the
    bound holds exactly for the mixture that the batch describes, and on average over batches it lies below the value
    on all data. A variance of 0 counts as the smallest positive number.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain, added
            analytically: the same law with less gradient noise than sampling it. A number, K numbers, or B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the latent is not S x B x K, or the noise cannot be a variance.

    References:
        Kirsch, Lyle and Gal (2020), theorem 2 with a single class.

    Example:
        >>> log_variance(torch.zeros(1, 5, 3), noise_variance=1 / (2 * math.pi * math.e)).abs().item() < 1e-6
        True
    """
    check_latent(latent)
    check_noise(noise_variance, latent)
    centred, count = _centred(latent, reduce)
    variance = reduce.sum(centred.square().sum(dim=0)) / count
    return _gaussian_entropies(_noisy(variance, _mean_noise(noise_variance, reduce)))


@single_precision
def conditional_log_variance(
    latent: Tensor,
    target: Tensor,
    num_classes: int,
    *,
    noise_variance: float | Tensor = 0.0,
    reduce: Reduction = LOCAL,
) -> Tensor:
    """Return E_y sum_k 1/2 ln(2 pi e Var[Z_k|y]), an upper bound of H[Z|Y].

    The classes weigh as often as they occur in the batch. A class that is absent weighs nothing. A class with a single
    sample has no variance of its own; if no noise variance is given either, it is counted into the batch's largest
    class: knowing less of Y can only raise H[Z|Y], so the bound stays one. Shapes never depend on the data.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        target: Classes, B, each from 0 to `num_classes` - 1.
        num_classes: Number of classes C.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain, added
            analytically: a number, K numbers, or B x K. A tensor counts as positive.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together, or the noise cannot be a variance.

    References:
        Kirsch, Lyle and Gal (2020), observation 7 and theorem 2.

    Example:
        >>> latent = torch.tensor([[[0.0], [2.0], [10.0], [12.0]]])
        >>> target = torch.tensor([0, 0, 1, 1])
        >>> bool(conditional_log_variance(latent, target, 2) < log_variance(latent))
        True
    """
    shares, counts, total, centred = _classes(latent, target, num_classes, noise_variance, reduce)
    variance = reduce.sum(shares.T @ centred.square())
    variance = _noisy(variance, _class_noise(noise_variance, shares, reduce))
    return torch.dot(counts / (2 * total), variance.log().sum(dim=1)) + latent.shape[-1] / 2 * (LOG_2_PI + 1)


@single_precision
def log_determinant(latent: Tensor, *, noise_variance: float | Tensor = 0.0, reduce: Reduction = LOCAL) -> Tensor:
    """Return 1/2 ln det(2 pi e Cov[Z]), an upper bound of H[Z] and at most `log_variance` (Hadamard's inequality).

    It is exact where Z is Gaussian. Covariance and determinant are taken in float64. Without a noise variance every
    dimension's variance is raised by 1e-12 of their mean, so that a singular covariance keeps a finite value: more
    variance can only raise the bound.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain, added
            analytically: a number, K numbers, or B x K. A tensor counts as positive.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats; its cost grows with B*K^2 + K^3.

    Raises:
        ConfigError: If the latent is not S x B x K, or the noise cannot be a variance.

    References:
        Cover and Thomas, "Elements of Information Theory" (2006), theorems 8.6.5 and 17.9.2.

    Example:
        >>> diagonal = torch.tensor([[[1.0, 1.0], [-1.0, -1.0]]])
        >>> bool(log_determinant(diagonal, noise_variance=0.1) < log_variance(diagonal, noise_variance=0.1))
        True
    """
    check_latent(latent)
    check_noise(noise_variance, latent)
    centred, count = _centred(latent.double(), reduce)
    covariance = reduce.sum(centred.T @ centred) / count
    noise = _mean_noise(noise_variance, reduce)
    return _half_log_determinant(covariance, noise, _is_zero(noise_variance)).to(latent.dtype)


@single_precision
def conditional_log_determinant(
    latent: Tensor,
    target: Tensor,
    num_classes: int,
    *,
    noise_variance: float | Tensor = 0.0,
    reduce: Reduction = LOCAL,
) -> Tensor:
    """Return E_y 1/2 ln det(2 pi e Cov[Z|y]), an upper bound of H[Z|Y] and at most `conditional_log_variance`.

    Absent classes and single members are treated as `conditional_log_variance` does, precision and singular
    covariances as `log_determinant` does.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        target: Classes, B, each from 0 to `num_classes` - 1.
        num_classes: Number of classes C.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain, added
            analytically: a number, K numbers, or B x K. A tensor counts as positive.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats; its cost grows with C*(B*K^2 + K^3).

    Raises:
        ConfigError: If the shapes do not fit together, or the noise cannot be a variance.

    References:
        Kirsch, Lyle and Gal (2020), observation 7; Cover and Thomas (2006), theorem 8.6.5.

    Example:
        >>> latent = torch.tensor([[[1.0, 1.0], [-1.0, -1.0], [9.0, 9.0]]])
        >>> value = conditional_log_determinant(latent, torch.tensor([0, 0, 1]), 2, noise_variance=0.1)
        >>> bool(value < conditional_log_variance(latent, torch.tensor([0, 0, 1]), 2, noise_variance=0.1))
        True
    """
    shares, counts, total, centred = _classes(latent.double(), target, num_classes, noise_variance, reduce)
    covariance = reduce.sum(torch.stack([centred.T @ (centred * share.unsqueeze(1)) for share in shares.T]))
    noise = _class_noise(noise_variance, shares, reduce)
    present = (counts > 0)[:, None, None]
    covariance = torch.where(present, covariance, torch.eye(latent.shape[-1]).to(covariance))
    entropies = _half_log_determinant(covariance, noise, _is_zero(noise_variance))
    return torch.dot(counts / total, entropies).to(latent.dtype)


@single_precision
def squared_norm(latent: Tensor, *, noise_variance: float | Tensor = 0.0, reduce: Reduction = LOCAL) -> Tensor:
    """Return E||Z||^2, the mean squared Euclidean norm.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain: a number, K
            numbers, or B x K. A number adds K times itself.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in squared units of the latent.

    Raises:
        ConfigError: If the latent is not S x B x K, or the noise cannot be a variance.

    Example:
        >>> squared_norm(torch.ones(1, 2, 3), noise_variance=0.5).item()
        4.5
    """
    check_latent(latent)
    check_noise(noise_variance, latent)
    values = latent.flatten(0, 1)
    squares = reduce.sum(values.square().sum(dim=0)) / reduce.count(values.shape[0], values)
    return (squares + _mean_noise(noise_variance, reduce)).sum()


def squared_norm_bound(
    latent: Tensor,
    *,
    scale: float = math.sqrt(0.5),
    noise_variance: float | Tensor = 0.0,
    reduce: Reduction = LOCAL,
) -> Tensor:
    """Return E||Z||^2 / (2 s^2) + K/2 ln(2 pi s^2), an upper bound of H[Z] for every scale s.

    It is the cross-entropy of Z with respect to N(0, s^2 I): tight for that Gaussian. At the default s^2 = 1/2 the
    norm's factor is 1, so a weight on this bound is the weight on E||Z||^2 itself, as in the paper, and the rest is a
    constant.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        scale: Standard deviation s of the reference Gaussian.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain: a number, K
            numbers, or B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the latent is not S x B x K, the noise cannot be a variance, or the scale is not positive.

    References:
        Kirsch, Lyle and Gal (2020), section 6.2; its constant is right for K = 1 only, this one for every K.

    Example:
        >>> bound = squared_norm_bound(torch.ones(1, 2, 3))
        >>> round(bound.item() - 1.5 * math.log(math.pi), 5)
        3.0
    """
    if not scale > 0:
        raise ConfigError(f"the scale of the reference Gaussian must be positive, not {scale!r}")
    norm = squared_norm(latent, noise_variance=noise_variance, reduce=reduce)
    return norm / (2 * scale**2) + latent.shape[-1] / 2 * (LOG_2_PI + 2 * math.log(scale))


@single_precision
def gaussian_entropy(variance: Tensor) -> Tensor:
    """Return the entropy of independent Gaussians, sum_k 1/2 ln(2 pi e v_k), exactly.

    Args:
        variance: Their variances, ... x K.

    Returns:
        Entropies in nats, one for each vector of K variances.

    Example:
        >>> gaussian_entropy(torch.full((4,), 1 / (2 * math.pi * math.e))).abs().item() < 1e-6
        True
    """
    return _gaussian_entropies(_noisy(variance, 0.0))


@single_precision
def gaussian_noise_entropy(variance: Tensor, *, reduce: Reduction = LOCAL) -> Tensor:
    """Return H[Z|X] = E_x sum_k 1/2 ln(2 pi e v_k(x)) of a Gaussian encoder, exactly.

    Args:
        variance: Variances of p(z|x), B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Example:
        >>> gaussian_noise_entropy(torch.full((5, 4), 1 / (2 * math.pi * math.e))).abs().item() < 1e-6
        True
    """
    return batch_mean(_gaussian_entropies(_noisy(variance, 0.0)), reduce)


def _gaussian_entropies(variance: Tensor) -> Tensor:
    return 0.5 * variance.log().sum(dim=-1) + variance.shape[-1] / 2 * (LOG_2_PI + 1)


def _noisy(variance: Tensor, noise: float | Tensor) -> Tensor:
    """Return the variance with the noise, at least the smallest positive number."""
    tiny = torch.finfo(variance.dtype).tiny
    return (variance + noise).clamp(min=tiny) if isinstance(noise, Tensor) else variance + max(noise, tiny)


def _centred(latent: Tensor, reduce: Reduction) -> tuple[Tensor, float | Tensor]:
    """Return the latent about its mean, S*B x K, and how many samples there are in all processes."""
    values = latent.flatten(0, 1)
    count = reduce.count(values.shape[0], values)
    return values - reduce.sum(values.sum(dim=0)) / count, count


def _classes(
    latent: Tensor, target: Tensor, num_classes: int, noise_variance: float | Tensor, reduce: Reduction
) -> tuple[Tensor, Tensor, float | Tensor, Tensor]:
    """Return each sample's share of its class S*B x C, the classes' sizes C and their sum, and the centred latent."""
    check_latent(latent)
    check_noise(noise_variance, latent)
    check_target(target, latent.shape[1])
    values = latent.flatten(0, 1)
    members = repeated(members_of(target, num_classes, latent), latent.shape[0])
    counts = reduce.sum(members.sum(dim=0))
    if _is_zero(noise_variance):
        members = _merge_single_classes(members, counts)
        counts = reduce.sum(members.sum(dim=0))
    shares = members / counts.clamp(min=1)
    centred = torch.addmm(values, members, reduce.sum(shares.T @ values), alpha=-1)
    return shares, counts, reduce.count(values.shape[0], values), centred


def _merge_single_classes(members: Tensor, counts: Tensor) -> Tensor:
    largest = members_of(counts.argmax().unsqueeze(0), counts.shape[0], members)
    moved = members * (counts == 1)
    return members - moved + moved.sum(dim=1, keepdim=True) * largest


def _mean_noise(noise_variance: float | Tensor, reduce: Reduction) -> float | Tensor:
    if not isinstance(noise_variance, Tensor) or noise_variance.ndim < 2:
        return noise_variance
    count = reduce.count(noise_variance.shape[0], noise_variance)
    return reduce.sum(noise_variance.sum(dim=0)) / count


def _class_noise(noise_variance: float | Tensor, shares: Tensor, reduce: Reduction) -> float | Tensor:
    if not isinstance(noise_variance, Tensor) or noise_variance.ndim < 2:
        return noise_variance
    variances = repeated(noise_variance.to(shares.dtype), shares.shape[0] // noise_variance.shape[0])
    return reduce.sum(shares.T @ variances)


def _is_zero(noise_variance: float | Tensor) -> bool:
    return not isinstance(noise_variance, Tensor) and noise_variance == 0


def _half_log_determinant(covariance: Tensor, noise: float | Tensor, singular: bool) -> Tensor:
    """Return 1/2 ln det(2 pi e (covariance + diag(noise))), for one matrix or a stack of them."""
    size = covariance.shape[-1]
    identity = torch.eye(size, dtype=covariance.dtype, device=covariance.device)
    if singular:
        mean = covariance.diagonal(dim1=-2, dim2=-1).mean(dim=-1).detach()
        noise = (mean * _RELATIVE_FLOOR).clamp(min=torch.finfo(covariance.dtype).tiny).unsqueeze(-1)
    diagonal = torch.as_tensor(noise, dtype=covariance.dtype, device=covariance.device).unsqueeze(-1)
    factor: Tensor = torch.linalg.cholesky(covariance + diagonal * identity)
    half: Tensor = factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
    return half + size / 2 * (LOG_2_PI + 1)

"""Losses, bounds and entropies as pure functions of tensors.

Each function states its shapes, its unit (nats) and on which side of which quantity it lies. S counts the samples of
the latent for each input, B the inputs, K the latent's dimensions and C the classes. The formulas are those of
Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), with the constants right in every dimension.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import one_hot

_LOG_2_PI = math.log(2 * math.pi)


def decoder_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the decoder cross-entropy CE[Y|Z] = E[-ln q(y|z)], an upper bound of H[Y|Z].

    The gap is the mean Kullback-Leibler divergence of p(y|z) from the decoder's q(y|z). The mean is over samples of the
    latent first: each sample is decoded and judged alone.

    Args:
        logits: Decoder outputs before the softmax, S x B x C.
        target: Classes, B.

    Returns:
        A scalar, in nats.

    References:
        Kirsch, Lyle and Gal (2020), observation 4, equation (5).

    Example:
        >>> decoder_cross_entropy(torch.zeros(1, 2, 4), torch.tensor([0, 3])).item() == torch.tensor(4.0).log().item()
        True
    """
    return -_log_likelihood(logits, target).mean()


def prediction_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the prediction cross-entropy E[-ln mean_s q(y|z_s)], at most the decoder cross-entropy (Jensen).

    The S samples of one input vote before the logarithm is taken. It estimates the cross-entropy of p(y|x), so it is an
    upper bound of H[Y|X], not of H[Y|Z]; with one sample, or a deterministic encoder, both cross-entropies agree.

    Args:
        logits: Decoder outputs before the softmax, S x B x C.
        target: Classes, B.

    Returns:
        A scalar, in nats.

    References:
        Kirsch, Lyle and Gal (2020), observation 2, equation (4).

    Example:
        >>> logits = torch.tensor([[[4.0, 0.0]], [[0.0, 4.0]]])
        >>> target = torch.tensor([0])
        >>> bool(prediction_cross_entropy(logits, target) < decoder_cross_entropy(logits, target))
        True
    """
    mixed = torch.logsumexp(_log_likelihood(logits, target), dim=0) - math.log(logits.shape[0])
    return -mixed.mean()


def log_variance(latent: Tensor, *, noise_variance: float | Tensor = 0.0) -> Tensor:
    """Return sum_k 1/2 ln(2 pi e Var[Z_k]), an upper bound of H[Z].

    Among all laws of a given variance the Gaussian has the largest entropy, and independent dimensions the largest of
    all. The variance is that of the batch itself (divided by S*B): for noiseless latents plus a noise variance the
    bound holds exactly for the mixture that the batch describes, and on average over batches it lies below the value
    on all data.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain, added
            analytically: the same law with less gradient noise than sampling it.

    Returns:
        A scalar, in nats.

    References:
        Kirsch, Lyle and Gal (2020), theorem 2 with a single class.

    Example:
        >>> log_variance(torch.zeros(1, 5, 3), noise_variance=1 / (2 * math.pi * math.e)).abs().item() < 1e-6
        True
    """
    values = _flat(latent)
    variance = (values - values.mean(dim=0)).square().mean(dim=0)
    return gaussian_entropy(variance + noise_variance)


def conditional_log_variance(
    latent: Tensor, target: Tensor, num_classes: int, *, noise_variance: float | Tensor = 0.0
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
            analytically. A tensor counts as positive.

    Returns:
        A scalar, in nats.

    References:
        Kirsch, Lyle and Gal (2020), observation 7 and theorem 2.

    Example:
        >>> latent = torch.tensor([[[0.0], [2.0], [10.0], [12.0]]])
        >>> target = torch.tensor([0, 0, 1, 1])
        >>> bool(conditional_log_variance(latent, target, 2) < log_variance(latent))
        True
    """
    values = _flat(latent)
    members = one_hot(target, num_classes).to(values.dtype).repeat(latent.shape[0], 1)
    if not isinstance(noise_variance, Tensor) and noise_variance == 0:
        members = _merge_single_classes(members)
    counts = members.sum(dim=0)
    with torch.autocast(values.device.type, enabled=False):
        shares = members / counts.clamp(min=1)
        centred = values - members @ (shares.T @ values)
        variance = shares.T @ centred.square()
    present = (counts > 0).unsqueeze(1)
    entropies = _gaussian_entropies(torch.where(present, variance + noise_variance, 1.0)).sum(dim=1)
    return (counts / values.shape[0] * entropies).sum()


def squared_norm(latent: Tensor, *, noise_variance: float | Tensor = 0.0) -> Tensor:
    """Return E||Z||^2, the mean squared Euclidean norm.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain: it adds K
        times it.

    Returns:
        A scalar, in squared units of the latent.

    Example:
        >>> squared_norm(torch.ones(1, 2, 3), noise_variance=0.5).item()
        4.5
    """
    return (_flat(latent).square().mean(dim=0) + noise_variance).sum()


def squared_norm_bound(
    latent: Tensor, *, scale: float = math.sqrt(0.5), noise_variance: float | Tensor = 0.0
) -> Tensor:
    """Return E||Z||^2 / (2 s^2) + K/2 ln(2 pi s^2), an upper bound of H[Z] for every scale s.

    It is the cross-entropy of Z with respect to N(0, s^2 I): tight for that Gaussian. At the default s^2 = 1/2 the
    norm's factor is 1, so a weight on this bound is the weight on E||Z||^2 itself, as in the paper, and the rest is a
    constant.

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        scale: Standard deviation s of the reference Gaussian.
        noise_variance: Variance of independent noise on each dimension that `latent` does not contain.

    Returns:
        A scalar, in nats.

    References:
        Kirsch, Lyle and Gal (2020), section 6.2; its constant is right for K = 1 only, this one for every K.

    Example:
        >>> bound = squared_norm_bound(torch.ones(1, 2, 3))
        >>> round(bound.item() - 1.5 * math.log(math.pi), 5)
        3.0
    """
    size = latent.shape[-1]
    return squared_norm(latent, noise_variance=noise_variance) / (2 * scale**2) + size / 2 * (
        _LOG_2_PI + 2 * math.log(scale)
    )


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
    return _gaussian_entropies(variance).sum(dim=-1)


def _gaussian_entropies(variance: Tensor) -> Tensor:
    floor = torch.finfo(variance.dtype).tiny
    return 0.5 * (variance.clamp(min=floor).log() + (_LOG_2_PI + 1))


def _log_likelihood(logits: Tensor, target: Tensor) -> Tensor:
    log_probabilities = _at_least_single(logits).log_softmax(dim=-1)
    index = target.expand(logits.shape[:-1]).unsqueeze(-1)
    return log_probabilities.gather(-1, index).squeeze(-1)


def _merge_single_classes(members: Tensor) -> Tensor:
    counts = members.sum(dim=0)
    largest = one_hot(counts.argmax(), counts.shape[0]).to(members.dtype)
    moved = members * (counts == 1)
    return members - moved + moved.sum(dim=1, keepdim=True) * largest


def _flat(latent: Tensor) -> Tensor:
    return _at_least_single(latent).flatten(0, 1)


def _at_least_single(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values

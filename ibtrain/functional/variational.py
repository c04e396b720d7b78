"""Bounds with a reference law: a fixed prior, or a marginal or backward encoder that is learned beside the network.

A cross-entropy to any density is an upper bound of the entropy, and tight where the density is the true one; a learned
density only ever tightens it. Sources: Alemi et al., "Deep Variational Information Bottleneck" (2017); Fischer, "The
Conditional Entropy Bottleneck" (2020); Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), appendix A.7.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import threshold

from ibtrain.errors import ConfigError
from ibtrain.functional.tensors import (
    LOG_2_PI,
    batch_mean,
    check_latent,
    check_noise,
    check_target,
    members_of,
    single_precision,
)
from ibtrain.reduction import LOCAL, Reduction


@single_precision
def gaussian_kl_to_prior(
    latent: Tensor, *, noise_variance: float | Tensor, scale: float = 1.0, reduce: Reduction = LOCAL
) -> Tensor:
    """Return E_x KL(N(m(x), v(x)) || N(0, s^2 I)), an upper bound of I[X;Z] for every scale s.

    The gap is the divergence of p(z) from the prior. With several centres for one input (dropout) it is the mean of
    their divergences, which is larger still.

    Args:
        latent: Means of p(z|x), S x B x K.
        noise_variance: Variance of the Gaussian around each mean: a number, K numbers, or B x K.
        scale: Standard deviation s of the prior.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the latent is not S x B x K, the scale is not positive, or there is no noise.

    References:
        Alemi et al. (2017), equation (14); Kirsch, Lyle and Gal (2020), appendix A.7.

    Example:
        >>> gaussian_kl_to_prior(torch.ones(1, 5, 4), noise_variance=1.0).item()
        2.0
    """
    check_latent(latent)
    check_noise(noise_variance, latent)
    if not scale > 0:
        raise ConfigError(f"the scale of the prior must be positive, not {scale!r}")
    ratio = _positive(noise_variance, latent)
    if scale != 1:
        latent, ratio = latent / scale, ratio / scale**2
    summands = latent * latent + (ratio - ratio.log())
    return latent.shape[-1] / 2 * (batch_mean(summands, reduce) - 1)


@single_precision
def marginal_cross_entropy(
    latent: Tensor,
    *,
    mean: Tensor,
    log_scale: Tensor,
    noise_variance: float | Tensor = 0.0,
    reduce: Reduction = LOCAL,
) -> Tensor:
    """Return E[-ln m(z)] for a Gaussian marginal m = N(mean, diag(scale^2)), an upper bound of H[Z].

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        mean: The marginal's means, K.
        log_scale: Logarithms of its standard deviations, K.
        noise_variance: Variance of independent Gaussian noise that `latent` does not contain, added analytically: a
            number, K numbers, or B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together, or the noise cannot be a variance.

    References:
        Alemi et al. (2017), section 3.

    Example:
        >>> value = marginal_cross_entropy(torch.zeros(1, 5, 2), mean=torch.zeros(2), log_scale=torch.zeros(2))
        >>> abs(value.item() - math.log(2 * math.pi)) < 1e-5
        True
    """
    check_latent(latent)
    check_noise(noise_variance, latent)
    size = latent.shape[-1]
    _check_parameters({"mean": mean, "log_scale": log_scale}, (size,))
    return batch_mean(_negative_log_density(latent, mean, log_scale, noise_variance), reduce)


@single_precision
def mixture_marginal_cross_entropy(
    samples: Tensor, *, means: Tensor, log_scales: Tensor, logits: Tensor, reduce: Reduction = LOCAL
) -> Tensor:
    """Return E[-ln m(z)] for a mixture m of M Gaussians with diagonal covariance, an upper bound of H[Z].

    The mean is over samples, so that the value is an unbiased estimate of the bound. Memory grows with S*B*M*K.

    Args:
        samples: Samples of Z with their noise, S x B x K.
        means: The components' means, M x K.
        log_scales: Logarithms of their standard deviations, M x K.
        logits: Their weights before the softmax, M.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together.

    References:
        Tomczak and Welling, "VAE with a VampPrior" (2018), section 2, for mixtures as marginals.

    Example:
        >>> samples, means = torch.zeros(1, 5, 2), torch.zeros(3, 2)
        >>> value = mixture_marginal_cross_entropy(samples, means=means, log_scales=means, logits=torch.zeros(3))
        >>> abs(value.item() - math.log(2 * math.pi)) < 1e-5
        True
    """
    check_latent(samples, "samples")
    shape = (logits.shape[0] if logits.ndim == 1 else 0, samples.shape[-1])
    _check_parameters({"logits": logits}, shape[:1])
    _check_parameters({"means": means, "log_scales": log_scales}, shape)
    negative = _negative_log_density(samples.unsqueeze(-2), means, log_scales, 0.0)
    return -batch_mean(torch.logsumexp(logits.log_softmax(dim=0) - negative, dim=-1), reduce)


@single_precision
def class_conditional_cross_entropy(
    latent: Tensor,
    target: Tensor,
    *,
    means: Tensor,
    log_scales: Tensor,
    noise_variance: float | Tensor = 0.0,
    reduce: Reduction = LOCAL,
) -> Tensor:
    """Return E[-ln b(z|y)] for a Gaussian backward encoder b(z|y), an upper bound of H[Z|Y].

    Less H[Z|X] it is the conditional entropy bottleneck's bound of I[X;Z|Y].

    Args:
        latent: Samples of Z, S x B x K; or the noiseless latents, if the noise comes as `noise_variance`.
        target: Classes, B.
        means: The means of b(z|y), C x K.
        log_scales: Logarithms of its standard deviations, C x K.
        noise_variance: Variance of independent Gaussian noise that `latent` does not contain, added analytically: a
            number, K numbers, or B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together, or the noise cannot be a variance.

    References:
        Fischer (2020), section 2.3.

    Example:
        >>> latent, means = torch.tensor([[[1.0], [5.0]]]), torch.tensor([[1.0], [5.0]])
        >>> target, log_scales = torch.tensor([0, 1]), torch.zeros(2, 1)
        >>> value = class_conditional_cross_entropy(latent, target, means=means, log_scales=log_scales)
        >>> abs(value.item() - 0.5 * math.log(2 * math.pi)) < 1e-5
        True
    """
    check_latent(latent)
    check_noise(noise_variance, latent)
    check_target(target, latent.shape[1])
    _check_parameters({"means": means, "log_scales": log_scales}, (means.shape[0], latent.shape[-1]))
    members = members_of(target, means.shape[0], means)
    negative = _negative_log_density(latent, members @ means, members @ log_scales, noise_variance)
    return batch_mean(negative, reduce)


def _negative_log_density(latent: Tensor, mean: Tensor, log_scale: Tensor, noise_variance: float | Tensor) -> Tensor:
    """Return -ln N(z; mean, scale^2) summed over K, averaged over the noise."""
    squares = ((latent - mean).square() + noise_variance) * (-2 * log_scale).exp()
    return (0.5 * squares + log_scale).sum(dim=-1) + latent.shape[-1] / 2 * LOG_2_PI


def _positive(noise_variance: float | Tensor, like: Tensor) -> Tensor:
    if isinstance(noise_variance, Tensor):
        tiny = torch.finfo(noise_variance.dtype).tiny
        return threshold(noise_variance, tiny, tiny)  # a gradient at half the price of that of clamp
    if not (noise_variance > 0 and math.isfinite(noise_variance)):
        raise ConfigError(
            f"noise_variance must be positive and finite, not {noise_variance!r}: I[X;Z] of a noiseless map is infinite"
        )
    return torch.full((), noise_variance, dtype=like.dtype, device=like.device)


def _check_parameters(parameters: dict[str, Tensor], shape: tuple[int, ...]) -> None:
    for name, value in parameters.items():
        if value.shape != shape or value.numel() == 0:
            raise ConfigError(f"{name} must be of shape {shape}, not {tuple(value.shape)}")

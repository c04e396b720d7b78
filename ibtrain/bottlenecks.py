"""Layers that turn a network's features into a random latent Z whose law given X is known.

A bottleneck wraps a layer of any network, or stands after it, and returns a `Latent`: samples, and what is known of
p(z|x). Noise of zero entropy makes H[Z|X] = 0, so that entropies of Z behave as those of a discrete variable do
(Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks", 2020, section 6.1).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ibtrain.errors import ConfigError


class Latent(NamedTuple):
    """Samples of Z, and what is known of p(z|x); a named tuple, so it passes through vmap and Lightning.

    Args:
        samples: S x B x K, each drawn from p(z|x) of its input.
        mean: E[Z|x], B x K, without noise.
        noise_std: Standard deviation of the independent Gaussian noise on each dimension.

    Example:
        >>> latent = AdditiveNoise(samples=3)(torch.zeros(5, 2))
        >>> latent.samples.shape, latent.mean.shape
        (torch.Size([3, 5, 2]), torch.Size([5, 2]))
    """

    samples: Tensor
    mean: Tensor
    noise_std: float

    @property
    def noise_variance(self) -> float:
        """Variance of the noise on each dimension."""
        return self.noise_std**2

    @property
    def conditional_entropy(self) -> float:
        """H[Z|X] = K/2 ln(2 pi e variance), in nats, exactly."""
        return _noise_entropy(self.noise_std**2, self.mean.shape[-1])


class AdditiveNoise(nn.Module):
    """Add independent Gaussian noise of known variance to a layer's output: Z = f(X) + N(0, variance I).

    Features of any shape B x ... are flattened to B x K, the last index fastest; features of shape B become B x 1. The
    noise is drawn in training and in evaluation alike, for it is part of Z's law, and never in less than float32.

    Args:
        layer: The layer to wrap; without one, the bottleneck acts on what it is given.
        variance: Variance of the noise in each dimension; the default has an entropy of 0 nats.
        samples: Samples S of Z for each input.

    Raises:
        ConfigError: If the variance or the number of samples is not positive.

    References:
        Kirsch, Lyle and Gal (2020), section 6.1.

    Example:
        >>> bottleneck = AdditiveNoise(nn.Linear(8, 4))
        >>> latent = bottleneck(torch.zeros(10, 8))
        >>> latent.samples.shape
        torch.Size([1, 10, 4])
        >>> abs(latent.conditional_entropy) < 1e-12
        True
    """

    def __init__(
        self, layer: nn.Module | None = None, *, variance: float = 1 / (2 * math.pi * math.e), samples: int = 1
    ) -> None:
        super().__init__()
        if not (variance > 0 and math.isfinite(variance)):
            raise ConfigError(f"the noise variance must be positive and finite, not {variance!r}")
        if samples < 1:
            raise ConfigError(f"a bottleneck needs at least one sample, not {samples!r}")
        self.layer = nn.Identity() if layer is None else layer
        self.variance = variance
        self.samples = samples

    def forward(self, *inputs: Tensor) -> Latent:
        """Return the latent of a batch.

        Args:
            inputs: What the wrapped layer takes; without a layer, features B x ....

        Raises:
            ConfigError: If the features are a single number without a batch dimension.
        """
        features: Tensor = self.layer(*inputs)
        if features.ndim == 0:
            raise ConfigError("features need a batch dimension: give a tensor of shape B x ..., not a single number")
        mean = features.reshape(features.shape[0], -1)
        mean = mean.float() if mean.dtype in (torch.float16, torch.bfloat16) else mean
        noise = torch.randn((self.samples, *mean.shape), dtype=mean.dtype, device=mean.device)
        noise_std = math.sqrt(self.variance)
        return Latent(samples=mean + noise_std * noise, mean=mean, noise_std=noise_std)

    def entropy(self, dimensions: int) -> float:
        """Return the entropy of the noise, H[Z|X] = K/2 ln(2 pi e variance), in nats.

        Args:
            dimensions: Number K of latent dimensions.
        """
        return _noise_entropy(self.variance, dimensions)

    def extra_repr(self) -> str:
        """Return what `repr` shows beside the layer."""
        return f"variance={self.variance:.6g}, samples={self.samples}"


def _noise_entropy(variance: float, dimensions: int) -> float:
    return dimensions / 2 * math.log(2 * math.pi * math.e * variance)

"""Latents with Gaussian p(z|x): noise of fixed variance, and noise whose variance the network gives.

Noise of zero entropy makes H[Z|X] = 0, so that entropies of Z behave as those of a discrete variable do (Kirsch, Lyle
and Gal, "Unpacking Information Bottlenecks", 2020, section 6.1).
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus, threshold

from ibtrain.bottlenecks.latents import Latent, noise_entropy
from ibtrain.bottlenecks.layers import (
    ZERO_ENTROPY_VARIANCE,
    Bottleneck,
    Kind,
    flattened,
    has_zero_entropy,
    positive_variance,
)
from ibtrain.errors import ConfigError

_SMALLEST_STD = 1e-6


class AdditiveNoise(Bottleneck):
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
        self, layer: nn.Module | None = None, *, variance: float = ZERO_ENTROPY_VARIANCE, samples: int = 1
    ) -> None:
        super().__init__(layer, samples=samples)
        self.variance = positive_variance(variance)

    @property
    def kind(self) -> Kind:
        """`"noisy"` with an entropy of the noise of at least 0, else `"additive"`."""
        return "noisy" if has_zero_entropy(self.variance) else "additive"

    def forward(self, *inputs: Tensor) -> Latent:
        """Return samples S x B x K around the means B x K.

        Args:
            inputs: What the wrapped layer takes; without a layer, features B x ....

        Raises:
            ConfigError: If the features have no batch dimension.
        """
        mean = flattened(self.layer(*inputs))
        return self.around(mean, _noise(mean, self.samples))

    def around(self, features: Tensor, noise: Tensor) -> Latent:
        """Return samples S x B x K from given noise.

        Args:
            features: The means, B x K.
            noise: Draws of a standard normal law, S x B x K.
        """
        mean, noise_std = flattened(features), math.sqrt(self.variance)
        return Latent(samples=_samples(mean, noise_std, noise), mean=mean, noise_std=noise_std)

    def entropy(self, dimensions: int) -> float:
        """Return the entropy of the noise, H[Z|X] = K/2 ln(2 pi e variance), in nats.

        Args:
            dimensions: Number K of latent dimensions.
        """
        return noise_entropy(self.variance, dimensions)

    def extra_repr(self) -> str:
        """Return what `repr` shows beside the layer."""
        return f"variance={self.variance:.6g}, samples={self.samples}"


class GaussianBottleneck(Bottleneck):
    """Draw Z from N(m(X), diag(s(X)^2)), mean and deviation both given by the layer.

    The layer gives 2K features for K dimensions. They are flattened to B x 2K, the last index fastest; the first K are
    the means, the last K the parameters of the deviations, which are softplus or exp of them and never below 1e-6.

    Args:
        layer: The layer to wrap; without one, the bottleneck acts on what it is given.
        deviation: How a parameter becomes a standard deviation: `"softplus"`, or `"exp"` (the parameter is its
            logarithm).
        samples: Samples S of Z for each input.

    Raises:
        ConfigError: If an option is out of range.

    References:
        Alemi et al., "Deep Variational Information Bottleneck" (2017), section 4.

    Example:
        >>> latent = GaussianBottleneck(nn.Linear(8, 6), samples=2)(torch.zeros(10, 8))
        >>> latent.samples.shape, latent.mean.shape, latent.noise_std.shape
        (torch.Size([2, 10, 3]), torch.Size([10, 3]), torch.Size([10, 3]))
    """

    def __init__(
        self,
        layer: nn.Module | None = None,
        *,
        deviation: Literal["softplus", "exp"] = "softplus",
        samples: int = 1,
    ) -> None:
        super().__init__(layer, samples=samples)
        if deviation not in ("softplus", "exp"):
            raise ConfigError(f"deviation must be 'softplus' or 'exp', not {deviation!r}")
        self.deviation = deviation

    @property
    def kind(self) -> Kind:
        """`"gaussian"`."""
        return "gaussian"

    def forward(self, *inputs: Tensor) -> Latent:
        """Return samples S x B x K, means and deviations B x K.

        Args:
            inputs: What the wrapped layer takes; without a layer, features B x ....

        Raises:
            ConfigError: If the number of features is odd.
        """
        features = flattened(self.layer(*inputs))
        if features.shape[1] % 2:
            raise ConfigError(
                f"a Gaussian latent of K dimensions needs 2K features, means and deviations, not {features.shape[1]}"
            )
        return self.around(features, _noise(features[:, ::2], self.samples))

    def around(self, features: Tensor, noise: Tensor) -> Latent:
        """Return samples S x B x K from given noise.

        Args:
            features: Means and parameters of the deviations, B x 2K.
            noise: Draws of a standard normal law, S x B x K.
        """
        mean, parameter = flattened(features).chunk(2, dim=1)
        positive = softplus(parameter) if self.deviation == "softplus" else parameter.exp()
        noise_std = threshold(positive, _SMALLEST_STD, _SMALLEST_STD)
        return Latent(samples=_samples(mean, noise_std, noise), mean=mean, noise_std=noise_std)

    def extra_repr(self) -> str:
        """Return what `repr` shows beside the layer."""
        return f"deviation={self.deviation!r}, samples={self.samples}"


def _noise(mean: Tensor, samples: int) -> Tensor:
    return torch.randn((samples, *mean.shape), dtype=mean.dtype, device=mean.device)


def _samples(mean: Tensor, noise_std: float | Tensor, noise: Tensor) -> Tensor:
    """Return samples S x B x K of N(mean, noise_std^2); for one, no gradient is summed over S."""
    is_one = noise.shape[0] == 1
    if is_one:
        noise = noise.squeeze(0)
    if isinstance(noise_std, Tensor):
        drawn = torch.addcmul(mean, noise_std, noise)
    else:
        drawn = torch.add(mean, noise, alpha=noise_std)
    return drawn.unsqueeze(0) if is_one else drawn

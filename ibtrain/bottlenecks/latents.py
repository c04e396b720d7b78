"""The random latent Z as a value: samples, and what is known of its law given X.

It is a named tuple, so it passes through vmap, data parallelism and training frameworks as any tuple of tensors does.
"""

import math
from typing import NamedTuple

from torch import Tensor

from ibtrain import functional
from ibtrain.errors import ConfigError


class Latent(NamedTuple):
    """Samples of Z, and what is known of p(z|x).

    S counts samples for each input, B the inputs, K the dimensions, or the values of a categorical Z. What each
    bottleneck fills in:

    =============================  =========  =========  =======================  =================
    bottleneck                     samples    mean       noise_std                log_probabilities
    =============================  =========  =========  =======================  =================
    additive noise                 S x B x K  B x K      number
    Gaussian                       S x B x K  B x K      B x K
    categorical, enumerated        K x 1 x K                                      B x K
    categorical, straight-through  S x B x K                                      B x K
    dropout                        S x B x K  S x B x K  number with added noise
    =============================  =========  =========  =======================  =================

    Args:
        samples: Each drawn from p(z|x) of its input; for an enumerated latent the K one-hot codes, the same for all
            inputs, so that a decoder runs on each once.
        mean: E[Z|x], B x K; for dropout the values given the mask, S x B x K.
        noise_std: Standard deviation of the independent Gaussian noise around the mean.
        log_probabilities: ln p(z|x) of a categorical Z, B x K.
        enumerated: Whether the samples are all values of Z rather than drawn.

    Example:
        >>> import torch
        >>> from ibtrain.bottlenecks import AdditiveNoise
        >>> latent = AdditiveNoise(samples=3)(torch.zeros(5, 2))
        >>> latent.samples.shape, latent.mean.shape
        (torch.Size([3, 5, 2]), torch.Size([5, 2]))
    """

    samples: Tensor
    mean: Tensor | None = None
    noise_std: float | Tensor | None = None
    log_probabilities: Tensor | None = None
    enumerated: bool = False

    @property
    def noise_variance(self) -> float | Tensor:
        """Variance of the noise around the centres: a number, or B x K; 0.0 without noise."""
        return 0.0 if self.noise_std is None else self.noise_std * self.noise_std

    @property
    def centres(self) -> Tensor:
        """Noiseless latents S' x B x K: Z is a mixture of the noise around them.

        Raises:
            ConfigError: If Z is categorical.
        """
        if self.mean is None:
            raise ConfigError("a categorical latent has no centres: use its log_probabilities")
        return self.mean.unsqueeze(0) if self.mean.ndim == 2 else self.mean

    @property
    def log_weights(self) -> Tensor | None:
        """Logarithms of the samples' weights for each input, S x B; None where all weigh the same."""
        return self.log_probabilities.T if self.enumerated and self.log_probabilities is not None else None

    @property
    def conditional_entropy(self) -> float | Tensor:
        """H[Z|X] in nats, exactly: a number for additive noise, else the mean over the batch.

        Raises:
            ConfigError: If p(z|x) is not known: dropout.
        """
        if self.log_probabilities is not None:
            return functional.categorical_noise_entropy(self.log_probabilities)
        if self.mean is None or self.mean.ndim != 2 or self.noise_std is None:
            raise ConfigError("H[Z|X] of this latent is not known in closed form: its samples share no Gaussian p(z|x)")
        if isinstance(self.noise_std, Tensor):
            return functional.gaussian_noise_entropy(self.noise_std**2)
        return noise_entropy(self.noise_std**2, self.mean.shape[-1])


def noise_entropy(variance: float, dimensions: int) -> float:
    """Return K/2 ln(2 pi e variance), the entropy of independent Gaussian noise in nats.

    Args:
        variance: Variance of the noise in each dimension.
        dimensions: Number K of dimensions.

    Example:
        >>> noise_entropy(1 / (2 * math.pi * math.e), 100)
        0.0
    """
    return dimensions / 2 * math.log(2 * math.pi * math.e * variance)

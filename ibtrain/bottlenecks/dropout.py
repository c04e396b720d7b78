"""A latent whose randomness is dropout, with or without Gaussian noise on top.

Without added noise p(z|x) is a discrete law on points that depend on x, and has no density: entropies and informations
of a continuous Z mean nothing for it (Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks", 2020, sections 3 and
6.1).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from ibtrain.bottlenecks.latents import Latent
from ibtrain.bottlenecks.layers import Bottleneck, Kind, flattened, has_zero_entropy, positive_variance
from ibtrain.errors import ConfigError

_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


class DropoutBottleneck(Bottleneck):
    """Let dropout make Z random, on the features themselves or inside the wrapped layer.

    With a `rate` each feature is dropped with that probability and the rest are scaled by 1/(1 - rate). Without one,
    the wrapped layer must contain dropout of its own (`nn.Dropout` and its kin): the layer runs once on the batch
    repeated S times, and its dropout stays active in evaluation. Features are flattened to B x K, the last index
    fastest.

    Args:
        layer: The layer to wrap; without one, the bottleneck acts on what it is given.
        rate: Probability that a feature is dropped; None for a layer with dropout of its own.
        samples: Samples S of Z for each input.
        variance: Variance of Gaussian noise that is added to each sample; None for none.

    Raises:
        ConfigError: If an option is out of range, or there is not exactly one source of dropout.

    References:
        Kirsch, Lyle and Gal (2020), section 3.

    Example:
        >>> network = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 4))
        >>> latent = DropoutBottleneck(network, samples=12).eval()(torch.ones(10, 8))
        >>> latent.samples.shape, bool(latent.samples.std(dim=0).min() > 0)
        (torch.Size([12, 10, 4]), True)
    """

    def __init__(
        self,
        layer: nn.Module | None = None,
        *,
        rate: float | None = None,
        samples: int = 1,
        variance: float | None = None,
    ) -> None:
        super().__init__(layer, samples=samples)
        own = [module for module in self.layer.modules() if isinstance(module, _DROPOUT)]
        if rate is None and not own:
            raise ConfigError("nothing is dropped: give a rate, or wrap a layer that contains torch.nn.Dropout")
        if rate is not None and own:
            raise ConfigError(
                "the layer has dropout of its own: leave out the rate, or take torch.nn.Dropout out of it"
            )
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 1):
            raise ConfigError(f"the dropout rate must be between 0 and 1, not {rate!r}")
        self.rate = rate
        self.variance = None if variance is None else positive_variance(variance)
        self.train(self.training)

    @property
    def kind(self) -> Kind:
        """`"noisy dropout"` with added noise of at least zero entropy, else `"dropout"`."""
        return "noisy dropout" if self.variance is not None and has_zero_entropy(self.variance) else "dropout"

    def train(self, mode: bool = True) -> "DropoutBottleneck":
        """Set training or evaluation mode; dropout stays active in both.

        Args:
            mode: Whether to train.
        """
        super().train(mode)
        for module in self.layer.modules():
            if isinstance(module, _DROPOUT):
                module.training = True
        return self

    def forward(self, *inputs: Tensor) -> Latent:
        """Return samples S x B x K, and as means their values before noise was added.

        Args:
            inputs: What the wrapped layer takes, each B x ...; without a layer, features B x ....

        Raises:
            ConfigError: If the features have no batch dimension.
        """
        if self.rate is None:
            repeated = [value.repeat(self.samples, *[1] * (value.ndim - 1)) for value in inputs]
            features = flattened(self.layer(*repeated))
            values = features.reshape(self.samples, -1, features.shape[1])
        else:
            features = flattened(self.layer(*inputs))
            values = dropout(features.expand(self.samples, *features.shape), self.rate, training=True)
        if self.variance is None:
            return Latent(samples=values, mean=values)
        noise_std = math.sqrt(self.variance)
        return Latent(samples=values + noise_std * torch.randn_like(values), mean=values, noise_std=noise_std)

    def extra_repr(self) -> str:
        """Return what `repr` shows beside the layer."""
        rate = "" if self.rate is None else f"rate={self.rate}, "
        return f"{rate}samples={self.samples}" + ("" if self.variance is None else f", variance={self.variance:.6g}")

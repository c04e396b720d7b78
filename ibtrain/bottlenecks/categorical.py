"""A latent that is one of K values.

Its entropies are finite sums, so nothing is estimated and gradients are exact (Kirsch, Lyle and Gal, "Unpacking
Information Bottlenecks", 2020, section 5). The gradient of the straight-through samples is a biased estimate (Bengio,
Leonard and Courville, "Estimating or Propagating Gradients Through Stochastic Neurons", 2013).
"""

import torch
from torch import Tensor, nn

from ibtrain.bottlenecks.latents import Latent
from ibtrain.bottlenecks.layers import Bottleneck, Kind, flattened
from ibtrain.errors import ConfigError


class CategoricalBottleneck(Bottleneck):
    """Let Z be one of K values, with the softmax of a layer's K outputs as p(z|x).

    By default Z is enumerated: the samples are the K one-hot codes, K x 1 x K, so that the decoder runs on each once
    for the whole batch, and the loss weighs its outputs with p(z|x).

    Args:
        layer: The layer to wrap; without one, the bottleneck acts on what it is given.
        straight_through: Draw one-hot samples S x B x K instead, whose gradient is that of the probabilities.
        samples: Samples S of Z for each input; only with `straight_through`.

    Raises:
        ConfigError: If samples are asked of an enumerated latent, or there are none.

    References:
        Kirsch, Lyle and Gal (2020), section 5 and figure 3.

    Example:
        >>> latent = CategoricalBottleneck(nn.Linear(8, 4))(torch.zeros(10, 8))
        >>> latent.samples.shape, latent.log_probabilities.shape, latent.log_weights.shape
        (torch.Size([4, 1, 4]), torch.Size([10, 4]), torch.Size([4, 10]))
    """

    def __init__(
        self, layer: nn.Module | None = None, *, straight_through: bool = False, samples: int | None = None
    ) -> None:
        super().__init__(layer, samples=1 if samples is None else samples)
        if samples is not None and not straight_through:
            raise ConfigError(
                "an enumerated latent has no samples to count: leave samples out, or draw straight_through"
            )
        self.straight_through = straight_through

    @property
    def kind(self) -> Kind:
        """`"categorical"`."""
        return "categorical"

    def forward(self, *inputs: Tensor) -> Latent:
        """Return codes or samples, and ln p(z|x).

        Args:
            inputs: What the wrapped layer takes; without a layer, features B x ....

        Raises:
            ConfigError: If the features have no batch dimension.
        """
        log_probabilities = flattened(self.layer(*inputs)).log_softmax(dim=1)
        size = log_probabilities.shape[1]
        if not self.straight_through:
            codes = torch.eye(size, dtype=log_probabilities.dtype, device=log_probabilities.device)
            return Latent(samples=codes.unsqueeze(1), log_probabilities=log_probabilities, enumerated=True)
        # The smallest of exponentials of these rates is a draw from p(z|x), and needs no shape that depends on data.
        shape = (self.samples, *log_probabilities.shape)
        uniform = torch.rand(shape, dtype=log_probabilities.dtype, device=log_probabilities.device)
        waiting = -uniform.log()
        values = (log_probabilities.detach() - waiting.log()).argmax(dim=-1, keepdim=True)
        drawn = (values == torch.arange(size, device=values.device)).to(log_probabilities.dtype)
        probabilities = log_probabilities.exp()
        return Latent(samples=drawn + (probabilities - probabilities.detach()), log_probabilities=log_probabilities)

    def extra_repr(self) -> str:
        """Return what `repr` shows beside the layer."""
        return f"straight_through=True, samples={self.samples}" if self.straight_through else "enumerated"

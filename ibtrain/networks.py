"""Encoders, and the network that puts encoder, bottleneck and decoder in a row.

The parts are ordinary modules: any encoder that returns features B x K will do. The decoder sees samples of the latent,
as in Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 6.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn


class MLP(nn.Sequential):
    """A multilayer perceptron with ReLU between its layers; the input is flattened.

    Args:
        inputs: Numbers in one input.
        hidden: Widths of the hidden layers; none gives one linear layer.
        outputs: Numbers in one output.

    Example:
        >>> import torch
        >>> MLP(64, [32], 10)(torch.zeros(5, 8, 8)).shape
        torch.Size([5, 10])
    """

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int) -> None:
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise([inputs, *hidden]):
            layers += [nn.Linear(before, after), nn.ReLU()]
        super().__init__(*layers, nn.Linear([inputs, *hidden][-1], outputs))


class BottleneckNetwork(nn.Module):
    """Encoder, bottleneck and decoder in a row: X -> Z -> logits of Y.

    Args:
        encoder: Turns inputs into features.
        bottleneck: Turns features into a latent with `samples` S x B x K.
        decoder: Turns samples of the latent into logits over C classes, on the last dimension.

    Example:
        >>> import torch
        >>> from ibtrain.bottlenecks import AdditiveNoise
        >>> network = BottleneckNetwork(MLP(64, [32], 4), AdditiveNoise(samples=2), nn.Linear(4, 10))
        >>> latent, logits = network(torch.zeros(5, 64))
        >>> logits.shape
        torch.Size([2, 5, 10])
    """

    def __init__(self, encoder: nn.Module, bottleneck: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.decoder = decoder

    def forward(self, inputs: Tensor) -> tuple[Any, Tensor]:
        """Return the latent and the logits, S x B x C.

        Args:
            inputs: A batch, B x ....
        """
        latent = self.bottleneck(self.encoder(inputs))
        return latent, self.decoder(latent.samples)

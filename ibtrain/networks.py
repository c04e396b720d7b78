"""Encoders and decoders of the paper's experiments, and the network that puts encoder, bottleneck and decoder in a row.

The parts are ordinary modules: any encoder that returns features B x K will do. The decoder sees samples of the latent,
as in Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), sections 6 and 7.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ibtrain.errors import ConfigError
from ibtrain.vision import load_torchvision


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


class CodeDecoder(nn.Module):
    """A multilayer perceptron on the last dimension: samples S x B x K of a latent to logits S x B x C.

    Args:
        inputs: Numbers K in one sample.
        hidden: Widths of the hidden layers; none gives one linear layer.
        outputs: Number of classes C.

    Example:
        >>> import torch
        >>> CodeDecoder(100, [32], 10)(torch.zeros(100, 1, 100)).shape
        torch.Size([100, 1, 10])
    """

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*list(MLP(inputs, hidden, outputs))[1:])

    def forward(self, samples: Tensor) -> Tensor:
        """Return the logits.

        Args:
            samples: S x B x K.
        """
        logits: Tensor = self.layers(samples)
        return logits


class ConvolutionTrunk(nn.Sequential):
    """The convolutions of the MNIST example of PyTorch: 3 x 3 with 32 and 64 channels, ReLU, 2 x 2 maximum, flattened.

    They stand before the first dropout, so they are the same for all dropout samples; see `dropout_head`.

    Args:
        channels: Channels of the images.

    References:
        PyTorch examples, mnist/main.py (BSD-3); named in Kirsch, Lyle and Gal (2020), section 7.2.

    Example:
        >>> import torch
        >>> ConvolutionTrunk(1)(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 9216])
    """

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        )


def dropout_head(inputs: int, outputs: int) -> nn.Sequential:
    """Return the dropout layers of the MNIST example of PyTorch: dropout 1/4, 128 units, ReLU, dropout 1/2, linear.

    Args:
        inputs: Numbers in one input.
        outputs: Numbers K in one output.

    References:
        PyTorch examples, mnist/main.py (BSD-3).

    Example:
        >>> import torch
        >>> dropout_head(9216, 128)(torch.zeros(5, 9216)).shape
        torch.Size([5, 128])
    """
    return nn.Sequential(nn.Dropout(0.25), nn.Linear(inputs, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, outputs))


def resnet18(outputs: int, *, channels: int = 3) -> nn.Module:
    """Return a ResNet18 for small images: torchvision's, with a first convolution of 3 x 3, stride 1, and no pooling.

    Args:
        outputs: Numbers in one output.
        channels: Channels of the images.

    Raises:
        ConfigError: If torchvision is not there.

    References:
        He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016), section 4.2 for the stem.

    Example:
        >>> import torch
        >>> resnet18(100).eval()(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 100])
    """
    network: nn.Module = load_torchvision().models.resnet18(num_classes=outputs)
    network.conv1 = nn.Conv2d(channels, 64, kernel_size=3, stride=1, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    return network


class Scaling(nn.Module):
    """A fixed affine map z -> (z - shift) * scale of a latent; `Unscaling` undoes it.

    Put before the noise, and undone before the decoder, it changes the latent's entropy and leaves what the network
    computes as it is: without noise the entropy can be made as low as one likes (Kirsch, Lyle and Gal, 2020, section
    7.2).

    Args:
        size: Dimensions K.

    Example:
        >>> import torch
        >>> scaling = Scaling(3)
        >>> scaling.set(shift=torch.ones(3), scale=torch.full((3,), 0.25))
        >>> latent = scaling(torch.full((2, 3), 5.0))
        >>> latent[0].tolist(), Unscaling(scaling)(latent)[0].tolist()
        ([1.0, 1.0, 1.0], [5.0, 5.0, 5.0])
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))

    def set(self, *, shift: Tensor, scale: Tensor) -> None:
        """Replace the numbers, in place.

        Args:
            shift: What is subtracted, K.
            scale: What the result is multiplied with, K; positive.

        Raises:
            ConfigError: If a scale is not positive and finite.
        """
        if not (scale.isfinite() & (scale > 0)).all():
            raise ConfigError("the latent cannot be scaled: a dimension has no finite, positive scale")
        self.shift.copy_(shift)
        self.scale.copy_(scale)

    def forward(self, values: Tensor) -> Tensor:
        """Return the mapped values.

        Args:
            values: ... x K.
        """
        return (values - self.shift) * self.scale


class Unscaling(nn.Module):
    """The inverse of a `Scaling`, whatever that is set to.

    Args:
        scaling: What to undo.
    """

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        self.scaling = scaling

    def forward(self, values: Tensor) -> Tensor:
        """Return the values before they were scaled.

        Args:
            values: ... x K.
        """
        return values / self.scaling.scale + self.scaling.shift


class OptimalDecoder(nn.Module):
    """The optimal decoder p(y|z) of a categorical latent, as a table that is computed from data and not trained.

    A loss that knows p(y|z) itself needs no decoder, and leaves none behind; this one makes predictions from its latent
    (Kirsch, Lyle and Gal, 2020, section 5.4). Before it is set, all classes are equally likely.

    Args:
        size: Number K of categories.
        num_classes: Number C of classes.

    Example:
        >>> import torch
        >>> decoder = OptimalDecoder(2, 3)
        >>> decoder.set(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]).log(), torch.tensor([0, 1, 2]))
        >>> decoder(torch.eye(2).unsqueeze(1)).exp()[:, 0]
        tensor([[1.0000, 0.0000, 0.0000],
                [0.0000, 0.5000, 0.5000]])
    """

    table: Tensor

    def __init__(self, size: int, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("table", torch.zeros(size, num_classes))

    def set(self, log_probabilities: Tensor, target: Tensor) -> None:
        """Compute the table.

        Args:
            log_probabilities: ln p(z|x) of the training data, N x K.
            target: Their classes, N.
        """
        smallest = torch.finfo(torch.float32).min
        columns = [log_probabilities[target == label] for label in range(self.table.shape[1])]
        sums = [part.logsumexp(dim=0) if len(part) else torch.full_like(self.table[:, 0], smallest) for part in columns]
        self.table.copy_(torch.stack(sums, dim=1).log_softmax(dim=1).clamp(min=smallest))

    def forward(self, samples: Tensor) -> Tensor:
        """Return ln p(y|z), S x B x C.

        Args:
            samples: One-hot codes of categories, S x B x K.
        """
        return self.table[samples.argmax(dim=-1)]


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

    bottleneck: Any

    def __init__(self, encoder: nn.Module, bottleneck: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.decoder = decoder

    def forward(self, inputs: Tensor, noise: Tensor | None = None) -> tuple[Any, Tensor]:
        """Return the latent and the logits, S x B x C.

        Args:
            inputs: A batch, B x ....
            noise: Draws of a standard normal law for a bottleneck with Gaussian noise, S x B x K; by default the
                bottleneck draws its own.
        """
        features = self.encoder(inputs)
        latent = self.bottleneck(features) if noise is None else self.bottleneck.around(features, noise)
        return latent, self.decoder(latent.samples)

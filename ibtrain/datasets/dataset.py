"""What a data set is: a frozen group of tensors that fits on one device, with the scaling its inputs need.

Images stay bytes until a batch is used: shifting, scaling and augmentation happen to whole batches on the device that
holds them, so no worker processes are needed.
"""

import dataclasses

import torch
from torch import Tensor
from torch.nn.functional import pad

from ibtrain.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Inputs and classes, in two parts that share no sample.

    Args:
        name: Its name.
        num_classes: Number of classes C.
        train_inputs: N x ..., float32, or bytes N x channels x height x width.
        train_targets: N, int64, from 0 to C - 1.
        test_inputs: M x ..., like the training inputs.
        test_targets: M, int64.
        mean: What is subtracted from the inputs, one number or one for each channel.
        deviation: What they are then divided by.
        note: What a figure made from the data has to say about them.

    Raises:
        ConfigError: If inputs and targets, or the two parts, do not belong together, or a target is no class.
    """

    name: str
    num_classes: int
    train_inputs: Tensor
    train_targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    note: str = ""

    def __post_init__(self) -> None:
        parts = (("train", self.train_inputs, self.train_targets), ("test", self.test_inputs, self.test_targets))
        for part, inputs, targets in parts:
            if targets.ndim != 1 or len(inputs) != len(targets) or len(targets) == 0:
                raise ConfigError(
                    f"the {part} part of {self.name} needs one target for each input, and at least one: "
                    f"its shapes are {tuple(inputs.shape)} and {tuple(targets.shape)}"
                )
            if targets.dtype != torch.int64:
                raise ConfigError(f"the {part} targets of {self.name} are {targets.dtype}: give classes as int64")
            if targets.min() < 0 or targets.max() >= self.num_classes:
                raise ConfigError(f"a {part} target of {self.name} is not in 0 ... {self.num_classes - 1}")
        if self.train_inputs.shape[1:] != self.test_inputs.shape[1:]:
            shapes = f"{tuple(self.train_inputs.shape)} and {tuple(self.test_inputs.shape)}"
            raise ConfigError(f"the inputs of {self.name} have other shapes in the two parts: {shapes}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train_inputs.shape[1:])

    @property
    def input_size(self) -> int:
        """Numbers in one input."""
        return self.train_inputs[0].numel()

    @property
    def is_images(self) -> bool:
        """Whether an input has channels, height and width."""
        return len(self.input_shape) == 3

    def prepare(self, inputs: Tensor) -> Tensor:
        """Return a batch as the network takes it: float32, shifted and scaled.

        Args:
            inputs: A batch of raw inputs, on any device.

        Example:
            >>> from ibtrain.datasets import digits
            >>> data = digits()
            >>> data.prepare(data.train_inputs[:5]).shape
            torch.Size([5, 64])
        """
        shape = (-1, *[1] * (inputs.ndim - 2)) if len(self.mean) > 1 else (1,)
        mean = torch.tensor(self.mean, device=inputs.device).reshape(shape)
        deviation = torch.tensor(self.deviation, device=inputs.device).reshape(shape)
        return (inputs.float() - mean) / deviation

    def to(self, device: torch.device | str) -> "Dataset":
        """Return the data set with all tensors on a device.

        Args:
            device: Where to.
        """
        moved = {name: getattr(self, name).to(device) for name in _TENSORS}
        return dataclasses.replace(self, **moved)


_TENSORS = ("train_inputs", "train_targets", "test_inputs", "test_targets")


def augmented(images: Tensor, *, shift: int = 4, flip: bool = True) -> Tensor:
    """Return a batch of images, each moved by up to some pixels and mirrored half of the time, on its device.

    What moves in from outside is the image mirrored at its border.

    Args:
        images: B x channels x height x width.
        shift: Largest move, in pixels, in each direction.
        flip: Whether left and right may change places.

    Raises:
        ConfigError: If the batch has no images, or the move is larger than they are.

    Example:
        >>> augmented(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 3, 32, 32])
    """
    if images.ndim != 4:
        raise ConfigError(f"augmentation needs images B x channels x height x width, not a shape {tuple(images.shape)}")
    batch, _, height, width = images.shape
    if not 0 <= shift < min(height, width):
        raise ConfigError(f"images of {height} x {width} pixels cannot be moved by {shift}")
    padded = pad(images.float(), (shift,) * 4, mode="reflect").to(images.dtype)
    device = images.device
    rows = torch.randint(0, 2 * shift + 1, (batch, 1), device=device) + torch.arange(height, device=device)
    columns = torch.randint(0, 2 * shift + 1, (batch, 1), device=device) + torch.arange(width, device=device)
    if flip:
        mirrored = torch.rand(batch, 1, device=device) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    index = torch.arange(batch, device=device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)

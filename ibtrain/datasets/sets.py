"""The data sets of the paper, and the small one that ships with scikit-learn.

The default are the 1,797 handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak, UCI repository, 1998). MNIST and
CIFAR-10 come through torchvision, which checks what it reads against known checksums; nothing is downloaded unless that
is asked for.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ibtrain.datasets.dataset import Dataset
from ibtrain.errors import ConfigError
from ibtrain.vision import load_torchvision


def digits(*, test_fraction: float = 0.2, seed: int = 0) -> Dataset:
    """Return scikit-learn's handwritten digits, 64 pixels each, ten classes.

    Both parts hold each class in the same share. Pixels are shifted and scaled by one mean and one deviation, taken
    from the training part alone.

    Args:
        test_fraction: Share of samples kept for testing, between 0 and 1.
        seed: Seed of the split.

    Raises:
        ConfigError: If the fraction leaves a part with fewer samples than classes.

    Example:
        >>> data = digits()
        >>> data.train_inputs.shape, data.test_inputs.shape
        (torch.Size([1437, 64]), torch.Size([360, 64]))
    """
    from sklearn.datasets import load_digits  # noqa: PLC0415 - slow to load, and other data do without
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    pixels, labels = load_digits(return_X_y=True)
    try:
        train, test = train_test_split(
            np.arange(len(labels)), test_size=test_fraction, random_state=seed, stratify=labels
        )
    except ValueError as error:
        raise ConfigError(f"cannot split the digits with test_fraction={test_fraction!r}: {error}") from None
    mean, deviation = pixels[train].mean(), pixels[train].std()
    inputs = torch.as_tensor((pixels - mean) / deviation, dtype=torch.float32)
    targets = torch.as_tensor(labels, dtype=torch.int64)
    return Dataset(
        name="digits",
        num_classes=10,
        train_inputs=inputs[train],
        train_targets=targets[train],
        test_inputs=inputs[test],
        test_targets=targets[test],
    )


def mnist(root: str | Path, *, download: bool = False) -> Dataset:
    """Return MNIST: 60,000 handwritten digits to train on and 10,000 to test on, 1 x 28 x 28 bytes.

    Args:
        root: Folder that holds `MNIST/raw`, in torchvision's layout.
        download: Whether to fetch what is missing.

    Raises:
        ConfigError: If the data are not there, are damaged or cannot be fetched.

    References:
        LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998).
    """
    train, test = _torchvision("MNIST", "mnist", root, download=download)
    return _of_bytes("mnist", train.data.unsqueeze(1), train.targets, test.data.unsqueeze(1), test.targets)


def cifar10(root: str | Path, *, download: bool = False) -> Dataset:
    """Return CIFAR-10: 50,000 small photographs to train on and 10,000 to test on, 3 x 32 x 32 bytes.

    Args:
        root: Folder that holds `cifar-10-batches-py`, in torchvision's layout.
        download: Whether to fetch what is missing.

    Raises:
        ConfigError: If the data are not there, are damaged or cannot be fetched.

    References:
        Krizhevsky, "Learning multiple layers of features from tiny images" (2009).
    """
    train, test = _torchvision("CIFAR10", "cifar10", root, download=download)
    inputs = [torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous() for part in (train, test)]
    return _of_bytes("cifar10", inputs[0], torch.tensor(train.targets), inputs[1], torch.tensor(test.targets))


def _torchvision(kind: str, name: str, root: str | Path, *, download: bool) -> tuple[Any, Any]:
    make = getattr(load_torchvision().datasets, kind)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torchvision warns that numpy's arrays are not writable
            return make(root, train=True, download=download), make(root, train=False, download=download)
    except (RuntimeError, OSError, ValueError, AssertionError) as error:  # torchvision asserts that a file is sound
        said = str(error).partition(" You can use download")[0].rstrip(". ") or "a file is damaged"
        remedy = "look at the message, and try again" if download else "give download=True to fetch it"
        raise ConfigError(f"cannot read the data set {name} below {root}: {said}; {remedy}") from None


def _of_bytes(
    name: str, train_inputs: Tensor, train_targets: Tensor, test_inputs: Tensor, test_targets: Tensor
) -> Dataset:
    mean, deviation = channel_moments(train_inputs)
    return Dataset(
        name=name,
        num_classes=10,
        train_inputs=train_inputs,
        train_targets=train_targets.long(),
        test_inputs=test_inputs,
        test_targets=test_targets.long(),
        mean=mean,
        deviation=deviation,
    )


def channel_moments(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of every channel, over images and pixels.

    Args:
        images: N x channels x height x width, bytes.

    Raises:
        ConfigError: If a channel has the same value everywhere.
    """
    counts = torch.stack([torch.bincount(channel.flatten(), minlength=256) for channel in images.unbind(dim=1)])
    shares, levels = counts.double() / counts[0].sum(), torch.arange(256, dtype=torch.float64)
    mean = shares @ levels
    deviation = (shares @ levels.square() - mean.square()).clamp(min=0).sqrt()
    if (deviation == 0).any():
        raise ConfigError("a channel of the images has the same value everywhere, so they cannot be scaled")
    return tuple(mean.tolist()), tuple(deviation.tolist())

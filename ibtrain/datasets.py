"""Labelled data in memory, split honestly into a part to train on and a part to test on.

A data set is a frozen group of tensors. The default are the 1,797 handwritten digits of 8 x 8 pixels that ship with
scikit-learn (Alpaydin and Kaynak, UCI repository, 1998), so that nothing needs to be downloaded.
"""

import dataclasses

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from ibtrain.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Inputs and classes, in two parts that share no sample.

    Args:
        name: Its name.
        num_classes: Number of classes C.
        train_inputs: N x ..., float32.
        train_targets: N, int64, from 0 to C - 1.
        test_inputs: M x ..., float32.
        test_targets: M, int64.
    """

    name: str
    num_classes: int
    train_inputs: Tensor
    train_targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor

    @property
    def input_size(self) -> int:
        """Numbers in one input."""
        return self.train_inputs[0].numel()


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

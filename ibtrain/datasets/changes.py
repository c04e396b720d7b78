"""Changed copies of a data set: pixels in another order, labels that are partly wrong.

Permuted pixels take from a network what it knows of images (figure 3 of Kirsch, Lyle and Gal, "Unpacking Information
Bottlenecks", 2020, uses them with MNIST); wrong labels show what a bottleneck forgets.
"""

import dataclasses

import torch

from ibtrain.datasets.dataset import Dataset
from ibtrain.errors import ConfigError


def permuted(data: Dataset, *, seed: int = 0) -> Dataset:
    """Return the data with the numbers of every input in one other, random order.

    Args:
        data: Inputs of any shape with a single channel or none.
        seed: Seed of the order; both parts share it.

    Returns:
        The data, inputs flattened.

    Raises:
        ConfigError: If the inputs have several channels, which are scaled one by one.

    Example:
        >>> from ibtrain.datasets import digits
        >>> bool((permuted(digits()).train_inputs.sum(1) == digits().train_inputs.sum(1)).all())
        False
        >>> permuted(digits()).train_inputs.shape
        torch.Size([1437, 64])
    """
    if len(data.mean) > 1:
        raise ConfigError(f"the inputs of {data.name} have {len(data.mean)} channels, so they cannot be permuted")
    order = torch.randperm(data.input_size, generator=torch.Generator().manual_seed(seed))
    return dataclasses.replace(
        data,
        name=f"permuted-{data.name}",
        train_inputs=data.train_inputs.flatten(1)[:, order],
        test_inputs=data.test_inputs.flatten(1)[:, order],
    )


def with_label_noise(data: Dataset, share: float, *, seed: int = 0) -> Dataset:
    """Return the data with some training labels replaced by another class, each other class equally often.

    Args:
        data: The data; its test labels stay right.
        share: Share of wrong labels, from 0 to 1.
        seed: Seed of which labels are replaced, and by what.

    Raises:
        ConfigError: If the share is not between 0 and 1, or there is no other class.

    Example:
        >>> from ibtrain.datasets import digits
        >>> noisy = with_label_noise(digits(), 0.25)
        >>> round((noisy.train_targets != digits().train_targets).double().mean().item(), 3)
        0.25
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"the share of wrong labels must be between 0 and 1, not {share!r}")
    if data.num_classes < 2:
        raise ConfigError(f"{data.name} has a single class, so no label can be wrong: leave the noise out")
    generator = torch.Generator().manual_seed(seed)
    targets = data.train_targets.clone()
    wrong = torch.randperm(len(targets), generator=generator)[: round(share * len(targets))]
    shift = torch.randint(1, data.num_classes, (len(wrong),), generator=generator)
    targets[wrong] = (targets[wrong] + shift) % data.num_classes
    return dataclasses.replace(data, train_targets=targets)

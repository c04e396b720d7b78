"""What every estimator does to its input before it computes: read arrays, refuse what has no answer, number the labels.

Labels are a partition of the samples and are never used as numbers; non-finite values are refused with their count.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imeasure.errors import ConfigError, UndefinedQuantityError

Array: TypeAlias = Tensor | NDArray[Any] | Sequence[Any]
Labels: TypeAlias = Tensor | NDArray[Any] | Sequence[Any]


def as_samples(data: Array, name: str = "Z") -> Tensor:
    """Return samples as a float64 tensor of shape N x K on their device; a vector of N numbers becomes N x 1.

    Args:
        data: N x K or N numbers: a tensor, an array or nested sequences.
        name: The variable's name, for messages.

    Raises:
        ConfigError: If the shape is not N x K, or there are fewer than two samples.
        UndefinedQuantityError: If a value is NaN or infinite.

    Example:
        >>> as_samples([1.0, 2.0]).shape
        torch.Size([2, 1])
    """
    values = torch.as_tensor(data).detach().to(torch.float64)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1:
        raise ConfigError(f"{name} must be N x K with N >= 2 samples in K >= 1 dimensions, got {tuple(values.shape)}")
    broken = 0 if bool(torch.isfinite(values.sum())) else int((~torch.isfinite(values)).any(dim=1).sum())
    if broken:
        raise UndefinedQuantityError(
            f"{broken} of {values.shape[0]} samples of {name} hold NaN or inf; an entropy needs finite samples: "
            "remove them, or find the step that made them"
        )
    return values


def as_classes(labels: Labels, size: int, device: torch.device, name: str = "Y") -> Tensor:
    """Return labels of any kind as class numbers 0 .. C-1 (int64, shape N); equal labels get equal numbers.

    Args:
        labels: N labels: integers, strings or anything numpy can sort; N x 1 is read as N.
        size: The number N of samples they belong to.
        device: Where the numbers shall live.
        name: The variable's name, for messages.

    Raises:
        ConfigError: If there is not exactly one label per sample.
        UndefinedQuantityError: If a label is NaN.

    Example:
        >>> as_classes(["b", "a", "b"], 3, torch.device("cpu"))
        tensor([1, 0, 1])
    """
    array = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (size,):
        raise ConfigError(f"{name} must hold one label for each of the {size} samples, got shape {tuple(array.shape)}")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise UndefinedQuantityError(f"{name} holds NaN among its labels: remove these samples or give them a class")
    _, numbers = np.unique(array, return_inverse=True)
    return torch.as_tensor(numbers.reshape(-1), dtype=torch.int64, device=device)


def label_entropy(classes: Tensor) -> float:
    r"""Return the plug-in entropy :math:`-\sum_y \hat p(y) \ln \hat p(y)` of class numbers, in nats.

    Example:
        >>> round(label_entropy(torch.tensor([0, 1, 0, 1])), 4)
        0.6931
    """
    counts = torch.bincount(classes).double()
    return float(math.log(len(classes)) - torch.special.xlogy(counts, counts).sum() / len(classes))

"""What every estimator does to its input before it computes: read arrays, refuse what has no answer, number the labels.

Labels are a partition of the samples and are never used as numbers; non-finite values are refused with their count.
An option of the wrong kind is refused with the values that it takes.
"""

import math
import operator
from collections.abc import Collection, Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imeasure.errors import ConfigError, UndefinedQuantityError

Array: TypeAlias = Tensor | NDArray[Any] | Sequence[Any]
Labels: TypeAlias = Tensor | NDArray[Any] | Sequence[Any]
LARGEST = 1e100
"""Values from here on are refused: their squared distances would overflow in float64."""


def as_numbers(data: object, name: str) -> Tensor:
    """Return real numbers of any shape as a dense float64 tensor on their device, without history.

    Args:
        data: A tensor, an array, nested sequences or a number. A float64 array may share its memory.
        name: What they are, for messages.

    Raises:
        ConfigError: If these are not real numbers in a rectangular shape, or some are masked.

    Example:
        >>> as_numbers([[1, 2]], "Z")
        tensor([[1., 2.]], dtype=torch.float64)
    """
    if isinstance(data, Tensor):
        if data.is_complex() or data.is_meta:
            raise ConfigError(f"{name} must hold real numbers, got a tensor of {data.dtype} on {data.device}")
        return data.detach().to_dense().to(torch.float64)
    try:
        array = np.asarray(data)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(f"{name} must be a rectangular array of numbers: {error}") from None
    if array.dtype.kind not in "buif" or isinstance(data, bool):
        raise ConfigError(f"{name} must hold real numbers, got {type(data).__name__} of type {array.dtype}")
    _refuse_masks(data, name)
    array = np.ascontiguousarray(array, dtype=np.float64).reshape(array.shape)
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def resolution(data: object) -> float:
    """Return the relative distance between neighbouring numbers of the data's own type, that of float64 at least.

    Example:
        >>> resolution(torch.zeros(3, dtype=torch.float32)) == 2.0**-23
        True
    """
    kind = data.dtype if isinstance(data, Tensor) else np.asarray(data).dtype
    if isinstance(kind, torch.dtype):
        return torch.finfo(kind if kind.is_floating_point else torch.float64).eps
    return max(float(np.finfo(kind if kind.kind == "f" else np.float64).eps), float(np.finfo(np.float64).eps))


def _refuse_masks(data: object, name: str) -> None:
    """Refuse a numpy array with masked entries, whose values would come back otherwise."""
    if isinstance(data, np.ma.MaskedArray) and bool(np.ma.getmaskarray(data).any()):
        raise ConfigError(f"{name} has masked values: leave these samples out")


def whole(value: object, name: str, least: int, most: int = 2**31 - 1) -> int:
    """Return a whole number between two limits.

    Raises:
        ConfigError: If it is not a whole number, or outside the limits.

    Example:
        >>> whole(np.int64(3), "k", 1)
        3
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, SupportsIndex):
        raise ConfigError(f"{name} must be a whole number of at least {least}, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise ConfigError(f"{name} must be a whole number of at least {least}, got {value!r}") from None
    if not least <= number <= most:
        limit = f"at least {least}" if number < least else f"at most {most}"
        raise ConfigError(f"{name} must be {limit}, got {number}")
    return number


def choice(value: object, name: str, options: Collection[object]) -> None:
    """Refuse a value that is not among the options.

    Raises:
        ConfigError: If it is none of them.

    Example:
        >>> choice("euclidean", "norm", ("euclidean", "maximum"))
    """
    if not any(type(value) is type(option) and value == option for option in options):
        raise ConfigError(f"{name} must be {' or '.join(repr(option) for option in options)}, got {value!r}")


def seeded(seed: int) -> torch.Generator:
    """Return a generator of random numbers on the CPU, so that draws are the same for every device.

    Raises:
        ConfigError: If the seed is not a whole number of 64 bits.

    Example:
        >>> seeded(3).initial_seed()
        3
    """
    return torch.Generator().manual_seed(whole(seed, "seed", 0, 2**63 - 1))


def as_samples(data: Array, name: str = "Z") -> Tensor:
    """Return samples as a float64 tensor of shape N x K on their device; a vector of N numbers becomes N x 1.

    Args:
        data: N x K or N numbers: a tensor, an array or nested sequences.
        name: The variable's name, for messages.

    Raises:
        ConfigError: If the shape is not N x K, there are fewer than two samples, or they are not real numbers.
        UndefinedQuantityError: If a value is NaN, infinite or larger than 1e100.

    Example:
        >>> as_samples([1.0, 2.0]).shape
        torch.Size([2, 1])
    """
    values = as_numbers(data, name)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 1:
        raise ConfigError(f"{name} must be N x K with N >= 2 samples in K >= 1 dimensions, got {tuple(values.shape)}")
    low, high = (float(end) for end in torch.aminmax(values))
    if max(-low, high) < LARGEST:
        return values
    broken = int((~torch.isfinite(values)).any(dim=1).sum())
    if broken:
        raise UndefinedQuantityError(
            f"{broken} of {values.shape[0]} samples of {name} hold NaN or inf; an entropy needs finite samples: "
            "remove them, or find the step that made them"
        )
    raise UndefinedQuantityError(f"{name} holds values above {LARGEST:g}, whose squares overflow: scale it down")


def as_classes(labels: Labels, size: int, device: torch.device, name: str = "Y") -> Tensor:
    """Return labels of any kind as class numbers 0 .. C-1 (int64, shape N); equal labels get equal numbers.

    Args:
        labels: N labels: integers, strings or anything numpy can sort; N x 1 is read as N.
        size: The number N of samples they belong to.
        device: Where the numbers shall live.
        name: The variable's name, for messages.

    Raises:
        ConfigError: If there is not exactly one label per sample, or labels cannot be compared with each other.
        UndefinedQuantityError: If a label is missing or not finite, or the labels are real numbers of which most occur
            once, which is no partition.

    Example:
        >>> as_classes(["b", "a", "b"], 3, torch.device("cpu"))
        tensor([1, 0, 1])
    """
    _refuse_masks(labels, name)
    if isinstance(labels, Tensor) and labels.is_meta:
        raise ConfigError(f"{name} is a meta tensor without values; give the labels themselves")
    try:
        array = _label_array(labels)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(f"{name} must hold one label for each sample: {error}") from None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (size,):
        raise ConfigError(f"{name} must hold one label for each of the {size} samples, got shape {tuple(array.shape)}")
    objects = array.tolist() if array.dtype.kind == "O" else []
    missing = any(label is None or (isinstance(label, float) and not math.isfinite(label)) for label in objects)
    if missing or (array.dtype.kind in "fcmM" and not np.isfinite(array).all()):
        raise UndefinedQuantityError(
            f"{name} holds NaN, inf or missing values among its labels: remove these samples or give them a class"
        )
    try:
        distinct, numbers = np.unique(array, return_inverse=True)
        sortable = array.dtype.kind != "O" or len(distinct) == len(set(objects))
    except TypeError:
        sortable = False
    if not sortable:
        raise ConfigError(f"{name} mixes labels that cannot be compared with each other: give numbers or texts")
    if array.dtype.kind == "f" and 2 * len(distinct) > size and (distinct % 1 != 0).any():
        raise UndefinedQuantityError(
            f"{name} holds {len(distinct)} different real numbers for {size} samples, which is no partition: put them "
            "into bins, or use ksg for two continuous variables"
        )
    return torch.as_tensor(numbers.reshape(-1), dtype=torch.int64, device=device)


def _label_array(labels: Labels) -> NDArray[Any]:
    """Return labels as an array in which different ones stay different."""
    if isinstance(labels, Tensor):
        dense = labels.detach().cpu().to_dense()
        return (dense.double() if dense.is_floating_point() else dense).numpy()
    array = np.asarray(labels)
    if isinstance(labels, np.ndarray) or array.dtype.kind not in "USf" or not isinstance(labels, Sequence):
        return array
    # numpy turns numbers beside texts into texts, NaN as well, and long integers beside others into floats.
    kind = float | np.floating if array.dtype.kind == "f" else str | bytes
    return array if all(isinstance(label, kind) for label in labels) else np.asarray(labels, dtype=object)


def label_entropy(classes: Tensor) -> float:
    r"""Return the plug-in entropy :math:`-\sum_y \hat p(y) \ln \hat p(y)` of class numbers, in nats.

    Example:
        >>> round(label_entropy(torch.tensor([0, 1, 0, 1])), 4)
        0.6931
    """
    counts = torch.bincount(classes).double()
    return float(math.log(len(classes)) - torch.special.xlogy(counts, counts).sum() / len(classes))

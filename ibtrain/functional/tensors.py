"""What all functions of this package share: precision, shapes, means over a batch that may be spread over processes.

Inside every function computation is in float32 at least, whatever autocast says outside.
"""

import functools
import math
from collections.abc import Callable
from typing import ParamSpec

import torch
from torch import Tensor
from torch.compiler import is_dynamo_compiling
from torch.nn.functional import one_hot

from ibtrain.errors import ConfigError
from ibtrain.reduction import LOCAL, Reduction, is_local

LOG_2_PI = math.log(2 * math.pi)
"""ln(2 pi)."""

_HALF = (torch.float16, torch.bfloat16)
_Arguments = ParamSpec("_Arguments")


def single_precision(function: Callable[_Arguments, Tensor]) -> Callable[_Arguments, Tensor]:
    """Give a function its tensors in float32 at least, and switch autocast off inside.

    Within one process torch.compile takes the function into its graph whole. What it would look up inside it, names of
    modules and helpers, it would check again before every call, which takes as long as a small batch's loss.

    Args:
        function: A function of tensors and numbers, and by name of a `reduce`, by default `LOCAL`.

    Raises:
        ConfigError: By the function returned, if no argument is a tensor.

    Example:
        >>> single_precision(torch.logsumexp)(torch.zeros(2, dtype=torch.bfloat16), 0).dtype
        torch.float32
    """

    def compute(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Tensor:
        device, is_half = "", False
        for value in (*args, *kwargs.values()):
            if isinstance(value, Tensor):
                device = device or value.device.type
                is_half = is_half or value.dtype in _HALF
        if not device:
            raise ConfigError(f"{function.__name__} computes with torch tensors, but was given none")
        if torch.is_autocast_enabled(device):
            with torch.autocast(device, enabled=False):
                return compute(*args, **kwargs)
        if is_half:
            return function(*map(_lifted, args), **{name: _lifted(value) for name, value in kwargs.items()})  # type: ignore[arg-type] # lifting keeps every argument's type
        return function(*args, **kwargs)

    def allow() -> None:
        torch.compiler.allow_in_graph(compute)

    # As `torch.compiler.assume_constant_result` marks it, which would import the compiler: it is run while compiling.
    allow._dynamo_marked_constant = True  # type: ignore[attr-defined] # functions have any attributes

    @functools.wraps(function)
    def wrapper(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Tensor:
        if is_dynamo_compiling() and is_local(kwargs.get("reduce", LOCAL)):
            allow()
            kwargs.pop("reduce", None)
        return compute(*args, **kwargs)

    return wrapper


def _lifted(value: object) -> object:
    return value.float() if isinstance(value, Tensor) and value.dtype in _HALF else value


def check_latent(latent: Tensor, name: str = "latent") -> None:
    """Refuse a latent that is not S x B x K.

    Args:
        latent: What was given.
        name: What the caller calls it.

    Raises:
        ConfigError: If it has another number of dimensions or no samples.

    Example:
        >>> check_latent(torch.zeros(1, 5, 3))
    """
    if latent.ndim != 3 or latent.numel() == 0:
        raise ConfigError(
            f"{name} must be S x B x K with at least one of each, not of shape {tuple(latent.shape)}: "
            "latent.centres and latent.samples are; add a leading axis to a tensor B x K with unsqueeze(0)"
        )


def check_noise(noise_variance: float | Tensor, latent: Tensor) -> None:
    """Refuse a noise variance that cannot be one.

    Args:
        noise_variance: What was given.
        latent: The latent to which the noise belongs, S x B x K.

    Raises:
        ConfigError: If it is a negative or infinite number, or a tensor other than a number, K numbers or B x K.

    Example:
        >>> check_noise(0.5, torch.zeros(1, 5, 3))
    """
    if isinstance(noise_variance, Tensor):
        shapes = ((), tuple(latent.shape[2:]), tuple(latent.shape[1:]))
        if noise_variance.shape not in shapes:
            raise ConfigError(
                f"noise_variance must be a number, K = {latent.shape[2]} numbers or B x K = {latent.shape[1]} x "
                f"{latent.shape[2]}, not of shape {tuple(noise_variance.shape)}"
            )
    elif not 0 <= noise_variance < math.inf:
        raise ConfigError(f"noise_variance must be finite and at least 0, not {noise_variance!r}")


def check_target(target: Tensor, size: int) -> None:
    """Refuse classes that do not fit a batch.

    Args:
        target: What was given.
        size: The batch's size B.

    Raises:
        ConfigError: If they are not B whole numbers.

    Example:
        >>> check_target(torch.tensor([0, 2]), 2)
    """
    if not isinstance(target, Tensor):
        raise ConfigError(f"target must be a tensor of classes, not {type(target).__name__}: give torch.tensor(target)")
    if target.shape != (size,) or target.is_floating_point():
        raise ConfigError(
            f"target must be {size} classes as whole numbers, one for each input, not a tensor {target.dtype} of shape "
            f"{tuple(target.shape)}"
        )


def batch_mean(values: Tensor, reduce: Reduction) -> Tensor:
    """Return the mean of all values over the batch, joined over processes.

    Args:
        values: Numbers of any shape.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar.

    Example:
        >>> batch_mean(torch.tensor([1.0, 3.0]), LOCAL).item()
        2.0
    """
    if reduce is LOCAL:
        return values.mean()
    return reduce.sum(values.sum()) / reduce.count(values.numel(), values)


def repeated(values: Tensor, samples: int) -> Tensor:
    """Return what is known of each input once for each of its samples, S*B x ....

    Args:
        values: B x ....
        samples: How many samples S there are for each input.

    Example:
        >>> repeated(torch.tensor([[1.0], [2.0]]), 2).flatten().tolist()
        [1.0, 2.0, 1.0, 2.0]
    """
    return values if samples == 1 else values.repeat(samples, *[1] * (values.ndim - 1))


def members_of(target: Tensor, num_classes: int, like: Tensor) -> Tensor:
    """Return the one-hot codes of classes, B x C.

    Products with them are sums over classes whose shapes do not depend on the data.

    Args:
        target: Classes, B.
        num_classes: Number of classes C.
        like: A tensor of the dtype wanted.

    Example:
        >>> members_of(torch.tensor([1]), 2, torch.zeros(1)).tolist()
        [[0.0, 1.0]]
    """
    if torch.compiler.is_compiling():
        return one_hot(target.long(), num_classes).to(like.dtype)  # fused there; in eager mode rows of eye are faster
    codes = torch.eye(num_classes, dtype=like.dtype, device=like.device)
    return codes.index_select(0, target.long())


def surprise(probability: Tensor) -> Tensor:
    """Return -p ln p, with 0 and a gradient that stays finite at p = 0.

    Args:
        probability: Numbers from 0 to 1.

    Example:
        >>> surprise(torch.tensor([0.0, 1.0])).abs().tolist()
        [0.0, 0.0]
    """
    return -probability * probability.clamp(min=torch.finfo(probability.dtype).tiny).log()

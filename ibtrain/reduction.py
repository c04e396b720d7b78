"""Sums and concatenations over the processes that share one batch.

A bound such as ln Var[Z] is no mean of its values on shards, so its moments have to be added up before the logarithm is
taken. The functions of `ibtrain.functional` take a `Reduction` that says how: `LOCAL` within one process, and what
`across_processes` returns among several, through torch.distributed.
"""

import dataclasses
from typing import Any, Protocol

import torch
from torch import Tensor, distributed
from torch.nn.functional import pad


class Reduction(Protocol):
    """What has to be known of a batch that is spread over processes."""

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over processes, differentiable.

        Args:
            values: A tensor of one shape in all processes.
        """
        ...

    def count(self, number: int, like: Tensor) -> float | Tensor:
        """Return the sum of a number over processes.

        Args:
            number: This process's number.
            like: A tensor of the device and dtype wanted.
        """
        ...

    def offset(self, number: int) -> int:
        """Return the sum of a number over the processes before this one.

        Args:
            number: This process's number.
        """
        ...

    def gather(self, values: Tensor, dim: int = 0) -> Tensor:
        """Return the concatenation over processes in the order of their ranks, differentiable.

        Args:
            values: A tensor whose shape may differ between processes in `dim` alone.
            dim: Where to concatenate: the batch's dimension.
        """
        ...


@dataclasses.dataclass(frozen=True)
class _Local:
    """The whole batch is here."""

    def sum(self, values: Tensor) -> Tensor:
        return values

    def count(self, number: int, like: Tensor) -> float | Tensor:  # noqa: ARG002 - one signature for all
        return float(number)

    def offset(self, number: int) -> int:  # noqa: ARG002 - one signature for all
        return 0

    def gather(self, values: Tensor, dim: int = 0) -> Tensor:  # noqa: ARG002 - one signature for all
        return values


LOCAL: Reduction = _Local()
"""The whole batch is in this process: sums and concatenations are what they are given."""


def is_local(reduce: object) -> bool:
    """Say whether a reduction is that of one process.

    Args:
        reduce: How a batch is joined.

    Example:
        >>> is_local(across_processes())
        True
    """
    return reduce is LOCAL


def across_processes(group: Any = None) -> Reduction:
    """Return the reduction over the processes of torch.distributed, or `LOCAL` where there is only one.

    Every process then computes the loss of the joined batch, shards of unequal size included. The gradient of a sum is
    summed over processes, so that the average of gradients that DistributedDataParallel takes is the gradient of the
    joined batch's loss in one process.

    Args:
        group: A process group of torch.distributed; by default all processes.

    Returns:
        The reduction.

    Example:
        >>> across_processes() is LOCAL
        True
    """
    if not distributed.is_available() or not distributed.is_initialized():
        return LOCAL
    return LOCAL if distributed.get_world_size(group) == 1 else _Distributed(group)


@dataclasses.dataclass(frozen=True)
class _Distributed:
    """Shards of the batch are in several processes.

    Args:
        group: Their process group; None for all.
    """

    group: Any

    def sum(self, values: Tensor) -> Tensor:
        summed: Tensor = _Sum.apply(values, self.group)
        return summed

    def count(self, number: int, like: Tensor) -> float | Tensor:
        total = torch.full((), number, dtype=like.dtype, device=like.device)
        distributed.all_reduce(total, group=self.group)
        return total

    def offset(self, number: int) -> int:
        sizes = self._sizes(number, torch.device("cpu"))
        return sum(sizes[: distributed.get_rank(self.group)])

    def gather(self, values: Tensor, dim: int = 0) -> Tensor:
        sizes = self._sizes(values.shape[dim], values.device)
        gathered: Tensor = _Concatenation.apply(values.movedim(dim, 0), sizes, self.group)
        return gathered.movedim(0, dim)

    def _sizes(self, number: int, device: torch.device) -> list[int]:
        if distributed.get_backend(self.group) == "nccl":
            device = torch.device("cuda", torch.cuda.current_device())
        own = torch.tensor([number], device=device)
        sizes = [torch.empty_like(own) for _ in range(distributed.get_world_size(self.group))]
        distributed.all_gather(sizes, own, group=self.group)
        return [int(size) for size in sizes]


class _Sum(torch.autograd.Function):
    """The sum over processes; its gradient is summed likewise."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, group: Any) -> Tensor:
        ctx.group = group
        total = values.detach().clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _Sum.apply(gradients[0], ctx.group), None


class _Concatenation(torch.autograd.Function):
    """The concatenation over processes along the first dimension; each takes its part of the summed gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, sizes: list[int], group: Any) -> Tensor:
        ctx.sizes, ctx.group = sizes, group
        missing = max(sizes) - values.shape[0]
        padded = pad(values.detach(), [0, 0] * (values.ndim - 1) + [0, missing]).contiguous()
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded, group=group)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        rank = distributed.get_rank(ctx.group)
        total = _Sum.apply(gradients[0], ctx.group)
        return total.narrow(0, sum(ctx.sizes[:rank]), ctx.sizes[rank]), None, None

"""Where a run is trained: Lightning Fabric's accelerator and processes, and the threads of a CPU.

Among the processes that torchrun starts the first one writes files and decides; what it cannot do fails in all, so that
none waits for the others in vain.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import distributed

from ibtrain.errors import ConfigError, InformationError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_Value = TypeVar("_Value")


def number_of_processes() -> int:
    """Return how many processes torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first_process() -> bool:
    """Say whether this process writes files and talks: the only one, or the first of those that torchrun started."""
    return int(os.environ.get("RANK", "0")) == 0


def start_processes(accelerator: str) -> None:
    """Let the processes that torchrun started find each other; nothing where there is only one.

    Args:
        accelerator: In Lightning's words.

    Raises:
        ConfigError: If the accelerator is not there.
    """
    if number_of_processes() > 1:
        make_fabric(accelerator, "32-true").launch()


def decided_by_first(value: _Value) -> _Value:
    """Return the first process's value in all processes.

    Args:
        value: This process's value; it counts in the first one alone.

    Example:
        >>> decided_by_first(3)
        3
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return value
    box = [value]
    distributed.broadcast_object_list(box, src=0)
    return box[0]


def by_first_process(action: Callable[[], None]) -> None:
    """Do something in the first process alone; all wait for it.

    Args:
        action: What to do.

    Raises:
        ConfigError: In all processes, if it failed in the first one.
    """
    message = ""
    if is_first_process():
        try:
            action()
        except InformationError as error:
            message = str(error)
    if message := decided_by_first(message):
        raise ConfigError(message)


def make_fabric(accelerator: str, precision: str) -> "Fabric":
    """Return the Fabric for this process: one device, or this process's share of those that torchrun started.

    Args:
        accelerator: In Lightning's words.
        precision: In Lightning's words.

    Raises:
        ConfigError: If the accelerator is not there, or lacks the precision.
    """
    from lightning_fabric import Fabric  # noqa: PLC0415 - slow to load, and what reads finished runs does without

    world = number_of_processes()
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*fp16 is not supported on CPU")
            fabric = Fabric(
                accelerator=accelerator,
                devices=devices,
                num_nodes=max(1, world // devices),
                strategy="ddp" if world > 1 else "auto",
                precision=precision,  # type: ignore[arg-type]  # a configuration allows Lightning's own words only
            )
    except (ValueError, RuntimeError, ImportError) as error:
        raise ConfigError(f"cannot train on accelerator {accelerator!r}: {error}") from None
    if precision == "16-mixed" and fabric.device.type == "cpu":  # Lightning would take bfloat16, under this name
        raise ConfigError("training.precision = '16-mixed' needs a GPU; on a CPU there is 'bf16-mixed'")
    return fabric


def is_out_of_memory(error: Exception) -> bool:
    """Say whether a processor or an accelerator had no room; torch has a class for the latter alone.

    Args:
        error: What torch or Python raised.

    Example:
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes do not match"))
        (True, False)
    """
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Use a number of threads on the CPU, and the number from before afterwards.

    Args:
        number: How many.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Where a run is trained: Lightning Fabric's accelerator and processes, and the threads of a CPU."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from torch import distributed

from ibtrain.errors import ConfigError


def is_first_process() -> bool:
    """Say whether this process writes files and talks: the only one, or the first of those that torchrun started."""
    return int(os.environ.get("RANK", "0")) == 0


def wait_for_processes() -> None:
    """Wait until all processes that torchrun started are here; at once where there is only one."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()


def make_fabric(accelerator: str, precision: str) -> Fabric:
    """Return the Fabric for this process: one device, or this process's share of those that torchrun started.

    Args:
        accelerator: In Lightning's words.
        precision: In Lightning's words.

    Raises:
        ConfigError: If the accelerator is not there.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    try:
        return Fabric(
            accelerator=accelerator,
            devices=devices,
            num_nodes=max(1, world // devices),
            strategy="ddp" if world > 1 else "auto",
            precision=precision,  # type: ignore[arg-type]  # a configuration allows Lightning's own words only
        )
    except (ValueError, RuntimeError, ImportError) as error:
        raise ConfigError(f"cannot train on accelerator {accelerator!r}: {error}") from None


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

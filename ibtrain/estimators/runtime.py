"""How the estimators run: full float32 precision inside, and a progress bar for what takes longer than two seconds."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from rich.console import Console
from rich.progress import Progress

Item = TypeVar("Item")
PATIENCE = 2.0
"""Seconds before a progress bar appears."""


@contextmanager
def full_precision() -> Iterator[None]:
    """Switch TF32 and bfloat16 products off while distances are computed, and restore the setting afterwards.

    Example:
        >>> torch.set_float32_matmul_precision("high")
        >>> with full_precision():
        ...     torch.get_float32_matmul_precision()
        'highest'
        >>> torch.get_float32_matmul_precision()
        'high'
        >>> torch.set_float32_matmul_precision("highest")
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def tracked(items: Iterable[Item], total: int, title: str) -> Iterator[Item]:
    """Yield the items; once this has taken longer than two seconds, show a progress bar until the end.

    Args:
        items: What to walk through.
        total: How many there are.
        title: What is being done, for the bar.

    Example:
        >>> list(tracked("abc", 3, "letters"))
        ['a', 'b', 'c']
    """
    start = time.monotonic()
    console = Console(stderr=True)
    progress = Progress(console=console, transient=True, auto_refresh=False, disable=not console.is_terminal)
    task = progress.add_task(title, total=total)
    try:
        for done, item in enumerate(items):
            if time.monotonic() - start > PATIENCE:
                progress.start()
                progress.update(task, completed=done, refresh=True)
            yield item
    finally:
        progress.stop()

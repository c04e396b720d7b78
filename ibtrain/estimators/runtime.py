"""How the estimators run: full float32 precision, work shared out to cores, a progress bar after two seconds.

Tiles are small, so that they stay in a core's cache. Cores that work on tiles of their own need not wait for each
other, as they would after every operation on a common tile.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from rich.console import Console
from rich.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")
PATIENCE = 2.0
"""Seconds before a progress bar appears."""
CACHE = 1 << 19
"""Numbers that stay in a core's cache while they are worked on: 4 MB in float64."""


def numbers_at_once(device: torch.device) -> int:
    """Return how many float64 numbers one step should hold: what caches keep on a CPU, a 16th of a GPU's free memory.

    Example:
        >>> numbers_at_once(torch.device("cpu"))
        524288
    """
    if device.type != "cuda":
        return CACHE
    return max(CACHE, torch.cuda.mem_get_info(device)[0] // (16 * 8))


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


def in_threads(
    work: Callable[[Iterable[Item]], Result], items: Sequence[Item], device: torch.device, title: str
) -> list[Result]:
    """Share items out among as many threads as torch has been given, each computing on one core; elsewhere use one.

    Args:
        work: What to do with a share of the items.
        items: The items.
        device: Where the computation happens; only a CPU's work is shared out.
        title: What is being done, for the progress bar.

    Returns:
        What ``work`` returned for each share.

    Example:
        >>> sum(in_threads(sum, range(10), torch.device("cpu"), "numbers"))
        45
    """
    threads = torch.get_num_threads()
    shares = max(1, min(threads, len(items))) if device.type == "cpu" else 1
    first, *others = [items[share::shares] for share in range(shares)]
    followed = tracked(first, len(first), title)
    if not others:
        return [work(followed)]
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(len(others)) as pool:
            running = [pool.submit(work, share) for share in others]
            return [work(followed), *(run.result() for run in running)]
    finally:
        torch.set_num_threads(threads)

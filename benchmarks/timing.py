"""How work is timed: in turns, so that what else the machine does falls on all alike; by the median of several rounds.

Processor time is taken where one thread works, for a shared machine changes it least, and wall time elsewhere.
"""

import math
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median

Work = Callable[[], object]
Clock = Callable[[], float]


def seconds(work: Work, *, count: int = 1, clock: Clock = time.process_time) -> float:
    """Return how long one of `count` repetitions takes."""
    start = clock()
    for _ in range(count):
        work()
    return (clock() - start) / count


def in_turns(
    works: Sequence[Work], *, rounds: int, count: int = 1, clock: Clock = time.process_time, warm: bool = True
) -> list[float]:
    """Return the median seconds of each, all of them timed in every round."""
    if warm:
        for work in works:
            seconds(work, count=count, clock=clock)
    times = [[seconds(work, count=count, clock=clock) for work in works] for _ in range(rounds)]
    return [median(column) for column in zip(*times, strict=True)]


def least(work: Work, *, rounds: int = 3, enough: float = 2.0, clock: Clock = time.process_time) -> float:
    """Return the least seconds of some rounds; what takes longer than `enough` is not repeated."""
    found = math.inf
    for _ in range(rounds):
        taken = seconds(work, clock=clock)
        found = min(found, taken)
        if taken > enough:
            break
    return found


def capped(work: Work, cap: float, *, rounds: int = 3) -> float | None:
    """Return the least seconds of work in a process that is ended after a cap of seconds; None if it was ended."""
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=lambda: send.send(least(work, rounds=rounds)))
    process.start()
    send.close()
    found: float | None = receive.recv() if receive.poll(cap) else None
    process.kill()
    process.join()
    return found


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch and numpy's libraries work with so many threads."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        with threadpool_limits(number):
            yield
    finally:
        torch.set_num_threads(before)


def alone(prepare: Callable[[], Work]) -> tuple[float, float]:
    """Return the wall seconds of work in a process of its own, and by how many MB it raises the peak memory.

    Args:
        prepare: A function of a module, which makes the input and returns the work.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (prepare,))


def _measured(prepare: Callable[[], Work]) -> tuple[float, float]:
    run = prepare()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = seconds(run, clock=time.perf_counter)
    return taken, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean: the ratio of two is the mean ratio."""
    return math.exp(sum(map(math.log, values)) / len(values))

"""The nearest neighbours of many samples, and the memory that the search takes, against scikit-learn's brute force."""

from functools import partial

from benchmarks.neighbours import neighbours_of, normal, ours_of
from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import Work, alone

SIZE, WIDTH = 50_000, 100
PEER = "scikit-learn, brute force"


def measure() -> Record:
    (ours, our_memory), (theirs, their_memory) = alone(_ours), alone(_theirs)
    case = f"N = {SIZE:,}, d = {WIDTH}"
    return Record(
        benchmark="many_neighbours",
        what="The three nearest neighbours of all samples of a normal distribution: wall time on all cores, each in a "
        "process of its own, and by how much the search raises the peak memory of that process, which holds the "
        "samples before.",
        figures=(
            Figure(case=f"neighbours, {case}", ours=ours, peer=PEER, theirs=theirs),
            Figure(case=f"extra memory, {case}", ours=our_memory, peer=PEER, theirs=their_memory, unit="MB"),
        ),
        versions=versions_of("imeasure", "torch", "scikit-learn"),
    )


def _ours() -> Work:
    ours_of(normal(1_000, WIDTH))
    return partial(ours_of, normal(SIZE, WIDTH))


def _theirs() -> Work:
    neighbours_of(normal(1_000, WIDTH).numpy(), "brute")
    return partial(neighbours_of, normal(SIZE, WIDTH).numpy(), "brute")

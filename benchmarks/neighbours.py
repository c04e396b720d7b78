"""Entropies from nearest neighbours (k = 3) as they grow with N and d, against scikit-learn, npeet_plus, infomeasure.

scikit-learn only finds the neighbours, by brute force and by its k-d tree; the other two give the entropy.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import torch

from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import Work, in_turns, threads
from ibtrain.estimators.neighbours import nearest

DIMENSIONS = (1, 2, 5, 10, 20, 100)
SIZES = (1_000, 3_000, 10_000)


def measure() -> Record:
    figures = [figure for width in DIMENSIONS for figure in _figures("N = 10,000", "d", width, normal(10_000, width))]
    figures += [figure for size in SIZES[:-1] for figure in _figures("d = 100", "N", size, normal(size, 100))]
    figures += [
        replace(figure, case="entropy, d = 100", axis="N", at=SIZES[-1])
        for figure in figures
        if figure.axis == "d" and figure.at == 100
    ]
    figures.sort(key=lambda figure: (figure.case, figure.peer))
    return Record(
        benchmark="neighbours",
        what="The three nearest neighbours of all samples of a normal distribution, and their entropy; processor time "
        "of one thread.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "torch", "scipy", "scikit-learn", "npeet_plus", "infomeasure"),
    )


def normal(size: int, width: int) -> torch.Tensor:
    return torch.randn(size, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _figures(case: str, axis: str, at: int, points: torch.Tensor) -> list[Figure]:
    import infomeasure
    import npeet_plus

    table = points.numpy()
    peers: dict[str, Work] = {
        "scikit-learn, tree": partial(neighbours_of, table, "kd_tree"),
        "scikit-learn, brute force": partial(neighbours_of, table, "brute"),
        "npeet_plus": partial(npeet_plus.entropy, table, k=3),
        "infomeasure": partial(infomeasure.entropy, table, approach="metric", k=3),
    }
    if points.shape[1] > 10:
        del peers["scikit-learn, tree"]
    rounds = 1 if points.shape[1] >= 20 and len(points) >= 10_000 else 3 if points.shape[1] >= 5 else 15
    with threads(1):
        ours, *theirs = in_turns([partial(ours_of, points), *peers.values()], rounds=rounds, warm=rounds > 1)
    return [
        Figure(case=f"entropy, {case}", axis=axis, at=at, ours=ours, peer=peer, theirs=taken)
        for peer, taken in zip(peers, theirs, strict=True)
    ]


def ours_of(points: torch.Tensor) -> object:
    return nearest(points, torch.zeros(len(points), dtype=torch.int64), [3])


def neighbours_of(table: np.ndarray, algorithm: str) -> object:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=4, algorithm=algorithm).fit(table).kneighbors(table)

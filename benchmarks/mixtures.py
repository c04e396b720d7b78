"""Entropies of a mixture of N Gaussians from samples of it, against logsumexp(cdist) in chunks of float32."""

import math
import time
from functools import partial

import torch

from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import in_turns, threads
from ibtrain.estimators import mixture

NOISE = 1 / (2 * math.pi * math.e)
SAMPLES, WIDTH, CLASSES = 5_000, 100, 10
SIZES = (5_000, 15_000, 50_000)
SPREADS = {"means apart": 1.0, "means near their class": 0.3, "means that overlap": 0.03}


def measure() -> Record:
    with threads(2):
        figures = [_figure(kind, size) for kind in SPREADS for size in SIZES]
    return Record(
        benchmark="mixtures",
        what=f"H[Z] and the class entropies of a mixture of N Gaussians in {WIDTH} dimensions, from {SAMPLES:,} "
        "samples; two threads, wall time. The naive way gives H[Z] alone, in single precision.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "torch"),
    )


def _figure(kind: str, size: int) -> Figure:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(size) % CLASSES
    means = SPREADS[kind] * torch.randn(size, WIDTH, generator=generator)
    if kind == "means near their class":
        means += 3 * torch.randn(CLASSES, WIDTH, generator=generator)[labels]
    origin = torch.randint(size, (SAMPLES,), generator=generator)
    samples = means[origin] + math.sqrt(NOISE) * torch.randn(SAMPLES, WIDTH, generator=generator)
    works = [partial(mixture, means, NOISE, labels, SAMPLES, bounds=False), partial(_naive, samples, means)]
    ours, theirs = in_turns(works, rounds=2, clock=time.perf_counter)
    return Figure(case=kind, axis="N", at=size, ours=ours, peer="logsumexp(cdist)", theirs=theirs)


def _naive(samples: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
    parts = [torch.logsumexp(-torch.cdist(part, means).square() / (2 * NOISE), 1) for part in samples.split(500)]
    return torch.cat(parts).mean()

"""Compiled losses against hand-written equivalents as K grows, and a whole ResNet18 step with and without a bottleneck.

The hand-written loss is what one writes in a training script: one-hot codes, class means and variances, logarithms.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

import ibtrain
from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import Work, in_turns, threads
from ibtrain.networks import resnet18

VARIANCE = 1 / (2 * math.pi * math.e)
CLASSES = 10
CASES = ((256, (16, 100, 400, 1600)), (4096, (64, 256, 1024)))
OBJECTIVE = "min I[X;Z] - beta*I[Y;Z]"


def measure() -> Record:
    with threads(1):
        figures = [
            _figure(batch, size, is_compiled=is_compiled)
            for is_compiled in (False, True)
            for batch, sizes in CASES
            for size in sizes
        ]
        theirs, ours = in_turns(_steps(32), rounds=7)
    step = Figure(case="ResNet18 step, batch 32", ours=ours, peer="plain cross-entropy", theirs=theirs)
    return Record(
        benchmark="losses",
        what="Forward and backward of a compiled loss (cross-entropy and class-conditional variances) against the same "
        "by hand, and a whole training step of ResNet18 with bottleneck and loss against one with plain "
        "cross-entropy; processor time of one thread.",
        figures=(*figures, step),
        versions=versions_of("imeasure", "torch", "torchvision"),
    )


def _figure(batch: int, size: int, *, is_compiled: bool) -> Figure:
    theirs, ours = in_turns(
        _pair(batch, size, is_compiled=is_compiled), rounds=25, count=max(2, 2**20 // (batch * size))
    )
    how = "torch.compile" if is_compiled else "eager"
    return Figure(case=f"loss, batch {batch}, {how}", axis="K", at=size, ours=ours, peer="hand-written", theirs=theirs)


def _hand_written(mean: Tensor, logits: Tensor, target: Tensor, gamma: Tensor) -> Tensor:
    members = one_hot(target, CLASSES).to(mean)
    counts = members.sum(dim=0)
    shares = members / counts.clamp(min=1)
    centred = mean - members @ (shares.T @ mean)
    variance = shares.T @ centred.square() + VARIANCE
    variance = torch.where((counts > 0).unsqueeze(1), variance, 1.0)
    entropies = 0.5 * (variance.log() + math.log(2 * math.pi * math.e)).sum(dim=1)
    return cross_entropy(logits[0], target) + gamma * (counts * entropies).sum() / counts.sum()


def _pair(batch: int, size: int, *, is_compiled: bool) -> list[Work]:
    torch.manual_seed(0)
    mean = torch.randn(batch, size, requires_grad=True)
    logits = torch.randn(1, batch, CLASSES, requires_grad=True)
    target, gamma = torch.randint(CLASSES, (batch,)), torch.tensor(0.1)
    loss = ibtrain.compile(OBJECTIVE, latent="noisy").set(gamma=0.1)

    def ours() -> Tensor:
        latent = ibtrain.Latent(samples=mean.unsqueeze(0), mean=mean, noise_std=math.sqrt(VARIANCE))
        return loss(latent, logits, target).total

    def theirs() -> Tensor:
        return _hand_written(mean, logits, target, gamma)

    values = [torch.compile(value, fullgraph=True) if is_compiled else value for value in (theirs, ours)]
    torch.testing.assert_close(*(value() for value in values))
    return [_with_gradient(value, (mean, logits)) for value in values]


def _with_gradient(value: Callable[[], Tensor], inputs: tuple[Tensor, ...]) -> Work:
    return lambda: torch.autograd.grad(value(), inputs)


def _steps(batch: int) -> list[Work]:
    torch.manual_seed(0)
    images, target, size = torch.randn(batch, 3, 32, 32), torch.randint(CLASSES, (batch,)), 64
    network = ibtrain.BottleneckNetwork(resnet18(size), ibtrain.AdditiveNoise(), nn.Linear(size, CLASSES))
    loss = ibtrain.compile(OBJECTIVE, latent="noisy").set(gamma=0.1)
    plain = nn.Sequential(resnet18(size), nn.Linear(size, CLASSES))
    return [
        _step(plain, lambda: cross_entropy(plain(images), target)),
        _step(network, lambda: loss(*network(images), target).total),
    ]


def _step(network: nn.Module, value: Callable[[], Tensor]) -> Work:
    optimiser = torch.optim.Adam(network.parameters())

    def step() -> None:
        optimiser.zero_grad()
        value().backward()
        optimiser.step()

    return step

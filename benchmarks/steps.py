"""A step of the variational information bottleneck here and in pixyz: the objective alone, and whole training steps.

A whole step is the more alike the larger the network is, for both then multiply the same matrices; so the objective is
timed alone as well, from the encoder's outputs to the gradients in them.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

import ibtrain
from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import Work, in_turns, threads
from ibtrain.networks import MLP

BATCH, CLASSES, WEIGHT = 128, 10, 0.1
SIZES = (8, 32, 128, 256)
WIDTHS = (32, 64, 128, 256, 512)
FUSED = {"fused": True}
BATCHES = 40  # pixyz keeps the results of the last 20 inputs and cannot take a second gradient in one


def measure() -> Record:
    from benchmarks.peers import pixyz

    figures = []
    with threads(1):
        for size in SIZES:
            works = [
                _gradient(nn.Linear(size, CLASSES), _batches(2 * size, is_leaf=True)),
                pixyz.gradient(nn.Linear(size, CLASSES), _batches(2 * size, is_leaf=True), WEIGHT),
            ]
            ours, theirs = in_turns(works, rounds=25, count=BATCHES // 2)
            figures.append(Figure(case="objective", axis="K", at=size, ours=ours, peer="pixyz", theirs=theirs))
        networks = [("step, 64 inputs, K = 32", 64, (width,), 32, FUSED) for width in WIDTHS]
        networks += [("step, 784 inputs, K = 32", 784, (width,), 32, FUSED) for width in (64, 256)]
        networks += [("step of pixyz's notebook, K = 256", 784, (1024, 1024), 256, FUSED)]
        networks += [("step of pixyz's notebook, its Adam not fused, K = 256", 784, (1024, 1024), 256, {})]
        for case, inputs, hidden, size, adam in networks:
            works = [
                _step(_encoder(inputs, hidden, size), nn.Linear(size, CLASSES), _batches(inputs)),
                pixyz.training_step(
                    _encoder(inputs, hidden, size), nn.Linear(size, CLASSES), _batches(inputs), WEIGHT, **adam
                ),
            ]
            ours, theirs = in_turns(works, rounds=25 if len(hidden) == 1 else 9, count=BATCHES // 4)
            figures.append(Figure(case=case, axis="width", at=hidden[0], ours=ours, peer="pixyz", theirs=theirs))
    return Record(
        benchmark="steps",
        what=f"The variational information bottleneck on batches of {BATCH}, processor time of one thread. The "
        "objective is bottleneck, decoder, loss and gradients, given the encoder's outputs. A step adds the encoder, "
        "with hidden layers of the given width, and Adam, fused as our trainer has it, and in pixyz too unless said.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "torch", "pixyz"),
        notes=(
            "The wider the network, the more of a step is the same matrix products in both; the network of pixyz's own "
            "notebook (two layers of 1,024) leaves next to nothing else.",
        ),
    )


def _batches(inputs: int, *, is_leaf: bool = False) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(BATCH, inputs, generator=generator).requires_grad_(is_leaf),
            torch.randint(CLASSES, (BATCH,), generator=generator),
        )
        for _ in range(BATCHES)
    ]


def _encoder(inputs: int, hidden: Sequence[int], size: int) -> nn.Module:
    torch.manual_seed(0)
    return MLP(inputs, hidden, 2 * size)


def _loss() -> ibtrain.Loss:
    loss = ibtrain.compile("min I[X;Z] - beta*I[Y;Z]", latent="gaussian", surrogates="Rate[Z|X]")
    return loss.set(gamma=WEIGHT)


def _gradient(decoder: nn.Linear, batches: Sequence[tuple[Tensor, Tensor]]) -> Work:
    network, loss = ibtrain.BottleneckNetwork(nn.Identity(), ibtrain.GaussianBottleneck(), decoder), _loss()
    following = itertools.cycle(batches)

    def gradient() -> None:
        inputs, target = next(following)
        loss(*network(inputs), target).total.backward()

    return gradient


def _step(encoder: nn.Module, decoder: nn.Linear, batches: Sequence[tuple[Tensor, Tensor]]) -> Work:
    network, loss = ibtrain.BottleneckNetwork(encoder, ibtrain.GaussianBottleneck(), decoder), _loss()
    optimiser = torch.optim.Adam(network.parameters(), **FUSED)
    following = itertools.cycle(batches)

    def step() -> None:
        inputs, target = next(following)
        optimiser.zero_grad()
        loss(*network(inputs), target).total.backward()
        optimiser.step()

    return step

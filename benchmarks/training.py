"""A pass over the training data here and in loops written by hand, and passes of many runs together and alone.

The loops share network and loss, whose own cost other benchmarks measure; what differs is how samples reach them. One
loop reads through torch's DataLoader, as tutorials have it; the other keeps the data on the device.
"""

import dataclasses
from collections.abc import Sequence

import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import Work, in_turns, threads
from ibtrain import Config
from ibtrain.datasets import Dataset
from ibtrain.sweeps import grid
from ibtrain.training import build_loss, build_network, load_data
from ibtrain.training.devices import make_fabric
from ibtrain.training.loop import Run
from ibtrain.training.together import pass_together

MEMBERS = 16
CASES: tuple[tuple[str, tuple[int, ...], int, Sequence[str]], ...] = (
    ("pass over digits, MLP 256-256", (), 0, ()),
    (
        "pass over 2,048 images like MNIST's, MLP 1024-1024",
        (1, 28, 28),
        2048,
        ("network.hidden=[1024,1024]", "network.latent=100"),
    ),
    (
        "pass over 64 images like CIFAR-10's, ResNet18, batches of 32",
        (3, 32, 32),
        64,
        ("network.name=resnet18", "network.latent=64", "training.batch_size=32"),
    ),
)


def measure() -> Record:
    figures = []
    with threads(1):
        for case, shape, count, options in CASES:
            config = Config().with_options(options)
            data = _data(config, shape, count)
            ours, loaded, resident = in_turns(_walks(config, data), rounds=3 if "ResNet" in case else 9)
            figures.append(Figure(case=case, ours=ours, peer="PyTorch with DataLoader", theirs=loaded))
            figures.append(Figure(case=case, ours=ours, peer="PyTorch, data resident", theirs=resident))
        for width in (64, 256, 1024):
            together, alone = in_turns(_passes(width), rounds=5 if width < 1024 else 3)
            case = f"pass of {MEMBERS} runs on digits together, two hidden layers"
            figures.append(
                Figure(case=case, axis="width", at=width, ours=together, peer="one after the other", theirs=alone)
            )
    return Record(
        benchmark="training",
        what="Seconds of a pass over the training data, processor time of one thread: the trainer beside two loops "
        "written by hand around the same network, loss and Adam; and the passes of runs that differ in gamma and seed, "
        "stacked and one after the other. Images are random bytes, for a pass takes as long on any.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "torch", "lightning-fabric"),
        notes=(
            "DataLoader works in the same process, without workers.",
            "Stacking does not pay for wide networks, so `--together` times a few batches before it chooses.",
        ),
    )


def _data(config: Config, shape: tuple[int, ...], count: int) -> Dataset:
    data = load_data(config.data)
    if not shape:
        return data
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, *shape), dtype=torch.uint8, generator=generator)
    targets = torch.arange(count) % data.num_classes
    return dataclasses.replace(
        data,
        train_inputs=images,
        train_targets=targets,
        test_inputs=images[:10],
        test_targets=targets[:10],
        mean=(127.5,) * shape[0],
        deviation=(73.9,) * shape[0],
    )


def _walks(config: Config, data: Dataset) -> list[Work]:
    run = Run(config, data, make_fabric("cpu", "32-true"), None, None)
    size = config.training.batch_size
    loader = DataLoader(TensorDataset(data.train_inputs, data.train_targets), size, shuffle=True)

    def loaded(step) -> None:
        for images, targets in loader:
            step(images, targets)

    def resident(step) -> None:
        for rows in torch.randperm(len(data.train_targets)).split(size):
            step(data.train_inputs[rows], data.train_targets[rows])

    steps = [_step(config, data) for _ in range(2)]
    return [lambda: run.pass_alone(1), lambda: loaded(steps[0]), lambda: resident(steps[1])]


def _step(config: Config, data: Dataset):
    network, loss = build_network(config, data), build_loss(config, data)
    optimizer = torch.optim.Adam(network.parameters(), lr=config.training.learning_rate)

    def step(images, targets) -> None:
        optimizer.zero_grad()
        latent, logits = network(data.prepare(images))
        loss(latent, logits, targets).total.backward()
        optimizer.step()

    return step


def _passes(width: int) -> list[Work]:
    base = Config().with_options([f"network.hidden=[{width},{width}]"])
    data = load_data(base.data)
    configs = grid(base, {"objective.gamma": [0.01, 0.1, 1.0, 10.0], "seed": list(range(MEMBERS // 4))})
    runs = [Run(config, data, make_fabric("cpu", "32-true"), None, None) for config in configs]
    return [lambda: pass_together(runs, 1), lambda: [run.pass_alone(1) for run in runs]]

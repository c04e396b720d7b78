"""Time compiled losses against hand-written equivalents, and a step of a network with and without a regularizer.

Run ``python benchmarks/losses.py``; writes ``benchmarks/results/losses.json``. Each pair is timed in turns, in
processor time of one thread; a ratio is that of the medians. ``--device cuda`` times on a GPU, in wall time.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

import ibtrain
from ibtrain.networks import resnet18

VARIANCE = 1 / (2 * math.pi * math.e)
CLASSES = 10


def hand_written(mean, logits, target, gamma):
    members = one_hot(target, CLASSES).to(mean)
    counts = members.sum(dim=0)
    shares = members / counts.clamp(min=1)
    centred = mean - members @ (shares.T @ mean)
    variance = shares.T @ centred.square() + VARIANCE
    variance = torch.where((counts > 0).unsqueeze(1), variance, 1.0)
    entropies = 0.5 * (variance.log() + math.log(2 * math.pi * math.e)).sum(dim=1)
    return cross_entropy(logits[0], target) + gamma * (counts * entropies).sum() / counts.sum()


def ratio(first, second, *, repeats, inner, device):
    clock = perf_counter if device == "cuda" else process_time

    def seconds(step):
        if device == "cuda":
            torch.cuda.synchronize()
        start = clock()
        for _ in range(inner):
            step()
        if device == "cuda":
            torch.cuda.synchronize()
        return (clock() - start) / inner

    for step in (first, second, first, second):
        seconds(step)
    times = [(seconds(first), seconds(second)) for _ in range(repeats)]
    one, two = (median(column) for column in zip(*times, strict=True))
    return {"milliseconds": [round(1e3 * one, 4), round(1e3 * two, 4)], "ratio": round(one / two, 3)}


def loss_pair(batch, size, device, is_compiled):
    torch.manual_seed(0)
    mean = torch.randn(batch, size, device=device, requires_grad=True)
    logits = torch.randn(1, batch, CLASSES, device=device, requires_grad=True)
    target = torch.randint(CLASSES, (batch,), device=device)
    loss = ibtrain.compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy").set(gamma=0.1).to(device)
    gamma = torch.tensor(0.1, device=device)

    def ours(mean, logits, target):
        latent = ibtrain.Latent(samples=mean.unsqueeze(0), mean=mean, noise_std=math.sqrt(VARIANCE))
        return loss(latent, logits, target).total

    def theirs(mean, logits, target):
        return hand_written(mean, logits, target, gamma)

    functions = (
        (torch.compile(ours, fullgraph=True), torch.compile(theirs, fullgraph=True)) if is_compiled else (ours, theirs)
    )
    torch.testing.assert_close(functions[0](mean, logits, target), functions[1](mean, logits, target))
    return [lambda f=f: torch.autograd.grad(f(mean, logits, target), (mean, logits)) for f in functions]


def network_pair(batch, device):
    torch.manual_seed(0)
    images, target = torch.randn(batch, 3, 32, 32, device=device), torch.randint(CLASSES, (batch,), device=device)
    size = 64
    network = ibtrain.BottleneckNetwork(resnet18(size), ibtrain.AdditiveNoise(), nn.Linear(size, CLASSES)).to(device)
    loss = ibtrain.compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy").set(gamma=0.1).to(device)
    plain = nn.Sequential(resnet18(size), nn.Linear(size, CLASSES)).to(device)
    optimisers = [torch.optim.Adam(one.parameters()) for one in (network, plain)]

    def with_regularizer():
        optimisers[0].zero_grad()
        loss(*network(images), target).total.backward()
        optimisers[0].step()

    def without():
        optimisers[1].zero_grad()
        cross_entropy(plain(images), target).backward()
        optimisers[1].step()

    return with_regularizer, without


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=25)
    options = parser.parse_args()
    torch.set_num_threads(1)
    repeats, device = options.repeats, options.device
    result = {
        "torch": torch.__version__,
        "machine": torch.cuda.get_device_name() if device == "cuda" else platform.machine(),
        "columns": "compiled loss, hand-written",
        "losses": {},
    }
    for batch, size, inner in ((256, 100, 40), (4096, 1024, 3)):
        for is_compiled in (False, True):
            name = f"batch {batch}, K = {size}, {'torch.compile' if is_compiled else 'eager'}"
            pair = loss_pair(batch, size, device, is_compiled)
            result["losses"][name] = ratio(*pair, repeats=repeats, inner=inner, device=device)
            print(name, result["losses"][name], flush=True)
    pair = network_pair(32 if device == "cpu" else 512, device)
    result["ResNet18 step, with and without bottleneck"] = ratio(
        *pair, repeats=max(5, repeats // 3), inner=1, device=device
    )
    name = "losses.json" if device == "cpu" else f"losses-{device}.json"
    Path(__file__).with_name("results").joinpath(name).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

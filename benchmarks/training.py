"""Time the trainer against hand-written loops, and runs that are trained together against runs alone.

Run ``python benchmarks/training.py``; writes ``benchmarks/results/training.json``. Three loops walk the same network
over the same data with the same loss: `ibtrain`'s trainer; a loop written by hand whose data lie on the device; and
a loop written by hand over torch's DataLoader, as tutorials have it. They are timed in turns, in processor time of one
thread (wall time on a GPU); a ratio is that of the medians. Rates are training images per second.
"""

import argparse
import dataclasses
import json
import platform
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import torch
from torch.utils.data import DataLoader, TensorDataset

from ibtrain import Config
from ibtrain.sweeps import grid
from ibtrain.training import build_loss, build_network, load_data, together
from ibtrain.training.devices import make_fabric
from ibtrain.training.loop import Run

CASES = {
    "digits, MLP 256-256": [],
    "MNIST-like, MLP 1024-1024": ["network.hidden=[1024,1024]", "network.latent=100"],
    "CIFAR-like, ResNet18": ["network.name=resnet18", "network.latent=64", "training.batch_size=32"],
}


def data_of(name, config, images):
    data = load_data(config.data)
    if name.startswith("digits"):
        return data
    torch.manual_seed(0)
    shape = (1, 28, 28) if "MNIST" in name else (3, 32, 32)
    inputs, targets = torch.randint(256, (images, *shape), dtype=torch.uint8), torch.randint(10, (images,))
    moments = (127.5,) * shape[0], (73.9,) * shape[0]
    return dataclasses.replace(
        data,
        train_inputs=inputs,
        train_targets=targets,
        test_inputs=inputs[:10],
        test_targets=targets[:10],
        mean=moments[0],
        deviation=moments[1],
    )


def loops(config, data, device):
    """Return one pass over the training data of the trainer, of a resident loop, and of a loop over a DataLoader."""
    run = Run(config, data, make_fabric("cuda" if device == "cuda" else "cpu", "32-true"), None, None)
    parts = []
    for _ in range(2):
        network, loss = build_network(config, data).to(device), build_loss(config, data).to(device)
        parts.append((network, loss, torch.optim.Adam(network.parameters(), lr=config.training.learning_rate)))
    inputs, targets = data.train_inputs.to(device), data.train_targets.to(device)
    loader = DataLoader(TensorDataset(data.train_inputs, data.train_targets), config.training.batch_size, shuffle=True)

    def step(part, batch, labels):
        network, loss, optimizer = part
        optimizer.zero_grad()
        latent, logits = network(data.prepare(batch))
        loss(latent, logits, labels).total.backward()
        optimizer.step()

    def resident():
        for rows in torch.randperm(len(targets), device=device).split(config.training.batch_size):
            step(parts[0], inputs[rows], targets[rows])

    def loaded():
        for batch, labels in loader:
            step(parts[1], batch.to(device), labels.to(device))

    return lambda: run._pass(1), resident, loaded


def seconds(walk, device):
    clock = perf_counter if device == "cuda" else process_time
    start = clock()
    walk()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def in_turns(walks, repeats, device):
    for walk in walks:
        walk()
    return [
        median(column)
        for column in zip(*[[seconds(walk, device) for walk in walks] for _ in range(repeats)], strict=True)
    ]


def throughput(name, options, repeats, device):
    config = Config().with_options(options)
    data = data_of(name, config, 4096 if "MLP" in name else 64)
    ours, resident, loaded = in_turns(loops(config, data, device), repeats, device)
    count = len(data.train_targets)
    return {
        "images per second": {
            "ibtrain": round(count / ours),
            "by hand, resident": round(count / resident),
            "by hand, DataLoader": round(count / loaded),
        },
        "ibtrain / by hand, resident": round(resident / ours, 2),
        "ibtrain / by hand, DataLoader": round(loaded / ours, 2),
    }


def stacked(options, members, repeats, device):
    base = Config().with_options(options)
    data = load_data(base.data)
    configs = grid(base, {"objective.gamma": [0.01, 0.1, 1.0, 10.0], "seed": list(range(members // 4))})
    runs = [
        Run(one, data, make_fabric("cuda" if device == "cuda" else "cpu", "32-true"), None, None) for one in configs
    ]

    def alone():
        for run in runs:
            run._pass(1)

    one, both = in_turns((alone, lambda: together._pass_together(runs, 1)), repeats, device)
    return {"milliseconds alone, together": [round(1e3 * one, 1), round(1e3 * both, 1)], "ratio": round(one / both, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = {
        "torch": torch.__version__,
        "machine": torch.cuda.get_device_name() if options.device == "cuda" else platform.machine(),
        "one pass over the training data": {},
        "passes of 16 runs, together against alone": {},
    }
    for name, changes in CASES.items():
        repeats = options.repeats if "MLP" in name else 3
        result["one pass over the training data"][name] = throughput(name, changes, repeats, options.device)
        print(name, result["one pass over the training data"][name], flush=True)
    for hidden in ("[64]", "[256,256]", "[1024,1024]"):
        found = stacked([f"network.hidden={hidden}"], 16, 3, options.device)
        result["passes of 16 runs, together against alone"][f"digits, MLP {hidden}"] = found
        print(hidden, found, flush=True)
    name = "training.json" if options.device == "cpu" else f"training-{options.device}.json"
    Path(__file__).with_name("results").joinpath(name).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

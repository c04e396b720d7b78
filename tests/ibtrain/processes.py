"""Run every reducible functional, and a whole network, on one of two unequal shards, and save what came out.

Usage, at the same time for the ranks 0 and 1: python processes.py FOLDER RANK
"""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from functionals import CLASSES, FUNCTIONALS, tensors, used
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from ibtrain import AdditiveNoise, functional
from ibtrain.reduction import LOCAL, across_processes

BATCH, FIRST = 18, 5
BATCH_DIMENSION = {"logits": 1, "latent": 1, "variance": 0, "log_probabilities": 0, "scores": 0, "target": 0}
REDUCIBLE = sorted({*FUNCTIONALS} - {"gaussian_entropy"})


class Scaled(nn.Module):
    """Inputs times parameters, so that the parameters' gradients are those that training would average."""

    def __init__(self, keys, values):
        super().__init__()
        self.scales = nn.ParameterDict(
            {key: torch.linspace(0.8, 1.2, getattr(values, key).shape[-1], dtype=torch.float64) for key in keys}
        )

    def forward(self, values):
        scaled = {key: getattr(values, key) * scale for key, scale in self.scales.items()}
        return {**vars(values), **scaled}


class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.encoder = AdditiveNoise(nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)), variance=0.05)
        self.decoder = nn.Linear(2, CLASSES)

    def forward(self, inputs):
        latent = self.encoder(inputs)
        return latent, self.decoder(latent.centres)


def shard(values, rows):
    parts = {
        key: value[(slice(None),) * BATCH_DIMENSION[key] + (rows,)] if key in BATCH_DIMENSION else value
        for key, value in vars(values).items()
    }
    return SimpleNamespace(**parts)


def results(rows, reduce, wrap):
    """The loss and the averaged gradient of everything, by name."""
    values = tensors(batch=BATCH)
    mine = shard(values, rows)
    found = {}
    for name in REDUCIBLE:
        model = Scaled(used(name, values), values)
        wrapped = wrap(model)
        loss = FUNCTIONALS[name](SimpleNamespace(**wrapped(mine)), reduce=reduce)
        loss.backward()
        found[name] = (loss.detach(), {key: scale.grad for key, scale in model.scales.items()})
    model = Whole().double()
    wrapped = wrap(model)
    latent, logits = wrapped(values.latent[0, rows])
    target = values.target[rows]
    loss = functional.decoder_cross_entropy(logits, target, reduce=reduce) + 0.3 * functional.conditional_log_variance(
        latent.centres, target, CLASSES, noise_variance=latent.noise_variance, reduce=reduce
    )
    loss.backward()
    found["network"] = (loss.detach(), {key: value.grad for key, value in model.named_parameters()})
    return found


def in_one_process():
    return results(slice(0, BATCH), LOCAL, lambda model: model)


def work(rank, folder):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    rows = slice(0, FIRST) if rank == 0 else slice(FIRST, BATCH)
    torch.save(results(rows, across_processes(), DistributedDataParallel), f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    work(int(sys.argv[2]), Path(sys.argv[1]).resolve())

"""Time a step of the variational information bottleneck in pixyz and here, in turns: one line of JSON.

Run ``PYTHONPATH=FOLDER python benchmarks/peer_pixyz.py``; FOLDER is what ``pip install --target FOLDER --no-deps`` of
pixyz and ``pip install --target FOLDER`` of tensorboardX and ipython make. Both train the same encoder and decoder with
Adam on the cross-entropy plus 0.1 times the divergence from N(0, I); processor time of one thread, medians; written to
``benchmarks/results/peer_pixyz.json``.
"""

import json
import warnings
from pathlib import Path
from statistics import median
from time import process_time

import torch
from torch import nn

import ibtrain

warnings.filterwarnings("ignore")

from pixyz.distributions import Categorical, Normal  # noqa: E402 - its warnings come at import
from pixyz.losses import Expectation, KullbackLeibler, LogProb  # noqa: E402
from pixyz.models import Model  # noqa: E402

INPUTS, HIDDEN, SIZE, CLASSES, BATCH = 784, 256, 32, 10, 128


class Encoder(Normal):
    def __init__(self):
        super().__init__(var=["z"], cond_var=["x"], name="p")
        self.network = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * SIZE))

    def forward(self, x):
        loc, scale = self.network(x).chunk(2, dim=1)
        return {"loc": loc, "scale": nn.functional.softplus(scale)}


class Decoder(Categorical):
    def __init__(self):
        super().__init__(var=["y"], cond_var=["z"], name="q")
        self.network = nn.Linear(SIZE, CLASSES)

    def forward(self, z):
        return {"probs": self.network(z).softmax(dim=1)}


def theirs(inputs, target):
    encoder, decoder = Encoder(), Decoder()
    prior = Normal(loc=torch.tensor(0.0), scale=torch.tensor(1.0), var=["z"], features_shape=[SIZE], name="prior")
    loss = (-Expectation(encoder, LogProb(decoder)) + 0.1 * KullbackLeibler(encoder, prior)).mean()
    model = Model(loss, distributions=[encoder, decoder], optimizer=torch.optim.Adam)
    codes = nn.functional.one_hot(target, CLASSES).float()
    return lambda: model.train({"x": inputs, "y": codes})


def ours(inputs, target):
    encoder = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * SIZE))
    network = ibtrain.BottleneckNetwork(encoder, ibtrain.GaussianBottleneck(), nn.Linear(SIZE, CLASSES))
    loss = ibtrain.compile("min I[X;Z] - beta*I[Y;Z]", latent="gaussian", surrogates="Rate[Z|X]").set(gamma=0.1)
    optimiser = torch.optim.Adam(network.parameters())

    def step():
        optimiser.zero_grad()
        loss(*network(inputs), target).total.backward()
        optimiser.step()

    return step


def seconds(step, count=20):
    start = process_time()
    for _ in range(count):
        step()
    return (process_time() - start) / count


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    inputs, target = torch.randn(BATCH, INPUTS), torch.randint(CLASSES, (BATCH,))
    pair = theirs(inputs, target), ours(inputs, target)
    for step in pair:
        seconds(step)
    them, us = (
        median(column) for column in zip(*((seconds(pair[0]), seconds(pair[1])) for _ in range(15)), strict=True)
    )
    milliseconds = [round(1e3 * them, 3), round(1e3 * us, 3)]
    result = {"columns": "pixyz, ibtrain", "milliseconds": milliseconds, "times faster": round(them / us, 2)}
    text = json.dumps(result, indent=2)
    Path(__file__).with_name("results").joinpath("peer_pixyz.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""The variational information bottleneck in pixyz, as the notebook of its zoo has it."""

import itertools
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixyz.distributions import Categorical, Normal
    from pixyz.losses import KullbackLeibler
    from pixyz.losses.losses import Loss
    from pixyz.models import Model


class _Encoder(Normal):
    def __init__(self, network: nn.Module) -> None:
        super().__init__(cond_var=["x"], var=["z"], name="p")
        self.network = network

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        loc, scale = self.network(x).chunk(2, dim=1)
        return {"loc": loc, "scale": softplus(scale)}


class _Classifier(Categorical):
    def __init__(self, network: nn.Module) -> None:
        super().__init__(cond_var=["z"], var=["y"], name="q")
        self.network = network

    def forward(self, z: Tensor) -> dict[str, Tensor]:
        return {"probs": self.network(z).softmax(dim=1)}


def training_step(
    encoder: nn.Module, decoder: nn.Linear, batches: Sequence[tuple[Tensor, Tensor]], weight: float, **adam: object
) -> Callable[[], object]:
    """Return a function that trains on the next batch, the first again after the last."""
    loss, p, q = _loss(encoder, decoder, weight)
    model = Model(loss, distributions=[p, q], optimizer=torch.optim.Adam, optimizer_params=adam)
    following = itertools.cycle(_named(decoder, batches))
    return lambda: model.train(next(following))


def gradient(decoder: nn.Linear, batches: Sequence[tuple[Tensor, Tensor]], weight: float) -> Callable[[], object]:
    """Return a function that takes the gradient of the loss in the next batch of the encoder's outputs."""
    loss, _, _ = _loss(nn.Identity(), decoder, weight)
    following = itertools.cycle(_named(decoder, batches))
    return lambda: loss.eval(next(following)).backward()


def _loss(encoder: nn.Module, decoder: nn.Linear, weight: float) -> tuple[Loss, Normal, Categorical]:
    p, q = _Encoder(encoder), _Classifier(decoder)
    size = [decoder.in_features]
    prior = Normal(loc=torch.tensor(0.0), scale=torch.tensor(1.0), var=["z"], features_shape=size, name="r")
    return (-q.log_prob().expectation(p) + weight * KullbackLeibler(p, prior)).mean(), p, q


def _named(decoder: nn.Linear, batches: Sequence[tuple[Tensor, Tensor]]) -> list[dict[str, Tensor]]:
    return [{"x": inputs, "y": torch.eye(decoder.out_features)[target]} for inputs, target in batches]

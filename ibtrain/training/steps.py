"""What a pass over the training data is made of: network and loss as one, seeds, order, batches, the optimiser.

Everything that is random follows from the run's seed, the number of the pass and what the draw is for, so a run can go
on, or be trained beside others, without any state of a generator.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ibtrain.config import Config
from ibtrain.errors import ConfigError
from ibtrain.loss import Loss

_WALK, _LOOK = 0, 1  # what a seed is for


class TrainingStep(nn.Module):
    """Network and loss in one module, so that processes share the gradients of both.

    Args:
        network: The network.
        loss: The loss; surrogates that learn have parameters of their own.
    """

    def __init__(self, network: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.network = network
        self.loss = loss

    def forward(self, inputs: Tensor, targets: Tensor, noise: Tensor | None = None) -> Tensor:
        """Return the loss and its terms, in nats.

        Args:
            inputs: A prepared batch.
            targets: Its classes.
            noise: What the bottleneck adds to its means, S x B x K; by default it draws that itself.
        """
        latent, logits = self.network(inputs) if noise is None else self.network(inputs, noise)
        value = self.loss(latent, logits, targets)
        return torch.stack([value.total, *value.terms.values()])


def optimizer_of(parameters: Iterable[Tensor], config: Config, *, rate: float | None = None) -> torch.optim.Optimizer:
    """Return the optimiser of a configuration.

    Args:
        parameters: What it changes.
        config: The configuration.
        rate: Its learning rate; by default the one that the configuration starts with.
    """
    options = config.training
    decay, rate = options.weight_decay, options.learning_rate if rate is None else rate
    if options.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)
    kind = torch.optim.AdamW if options.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, lr=rate, weight_decay=decay, fused=True)


def order_of(config: Config, number: int, size: int) -> Tensor:
    """Return the order in which a pass meets the training samples.

    Args:
        config: The run's configuration.
        number: Which pass.
        size: Number of samples.
    """
    generator = torch.Generator().manual_seed(_seed(config.seed, number, _WALK))
    return torch.randperm(size, generator=generator)


def noise_seed(config: Config, number: int, rank: int = 0) -> int:
    """Return the seed of everything that is drawn in a pass.

    Args:
        config: The run's configuration.
        number: Which pass.
        rank: Which process draws.
    """
    return _seed(config.seed, number, _WALK, rank)


def weighted_sums(values: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Return the mean over batches, in double precision.

    Args:
        values: What each batch gave, all of one shape.
        shares: Each batch's share of the samples.
    """
    stacked = torch.stack(list(values)).double()
    weights = torch.tensor(shares, device=stacked.device, dtype=torch.float64)
    return (stacked * weights.reshape(-1, *[1] * (stacked.ndim - 1))).sum(dim=0)


def look_seed(config: Config, number: int) -> int:
    """Return the seed of everything that is drawn when the network is measured after a pass.

    Args:
        config: The run's configuration.
        number: Which pass.
    """
    return _seed(config.seed, number, _LOOK)


def _seed(run: int, epoch: int, purpose: int, rank: int = 0) -> int:
    return int(np.random.SeedSequence([run, epoch, purpose, rank]).generate_state(1, np.uint64)[0])


def batches_of(order: Tensor, size: int, world: int) -> list[Tensor]:
    """Return the batches of a pass, each with a sample for every process at least.

    Args:
        order: The samples in their order.
        size: Samples in a batch.
        world: Number of processes.

    Raises:
        ConfigError: If there are fewer samples than processes.
    """
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) < world:
        batches[-2:] = [torch.cat(batches[-2:])]
    if len(batches[-1]) < world:
        raise ConfigError(f"a batch of {len(batches[-1])} samples cannot be shared by {world} processes")
    return batches

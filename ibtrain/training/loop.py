"""Train one network as a configuration says, measure it, and go on exactly where a killed run stopped.

Lightning Fabric places network and data, on a CPU, a GPU or several processes; the loop is an ordinary one. Seeds
decide every number: two runs of one configuration on one machine are equal bit by bit, stopped in between or not. Adam
with a rate that decays on a plateau is stated in Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020).
"""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ibtrain import plane
from ibtrain.bottlenecks import Latent
from ibtrain.config import Config
from ibtrain.datasets import Dataset
from ibtrain.datasets.dataset import augmented
from ibtrain.errors import ConfigError
from ibtrain.loss import Loss
from ibtrain.networks import BottleneckNetwork, OptimalDecoder, Scaling
from ibtrain.runs import Row, write_text
from ibtrain.training.build import build_loss, build_network, load_data, regularizer_of
from ibtrain.training.devices import by_first_process, make_fabric, threads
from ibtrain.training.documents import documents
from ibtrain.training.evaluation import Evaluation, evaluate
from ibtrain.training.invariants import broken_invariants
from ibtrain.training.progress import Epoch, append_epoch, load_checkpoint, read_epochs, save_checkpoint
from ibtrain.training.rows import plain_row, run_rows

_WALK, _LOOK = 0, 1  # what a seed is for


@dataclasses.dataclass(frozen=True)
class Trained:
    """A finished run.

    Args:
        config: What was run.
        network: The trained network, on the CPU.
        loss: The loss it was trained with, parameters included.
        epochs: What each pass gave.
        rows: All results in tidy form: every epoch's loss, terms, accuracies and measurements.
    """

    config: Config
    network: BottleneckNetwork
    loss: Loss
    epochs: tuple[Epoch, ...]
    rows: tuple[Row, ...]


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

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss and its terms, in nats.

        Args:
            inputs: A prepared batch.
            targets: Its classes.
        """
        latent, logits = self.network(inputs)
        value = self.loss(latent, logits, targets)
        return torch.stack([value.total, *value.terms.values()])


def train(
    config: Config,
    *,
    accelerator: str = "auto",
    data_root: str | Path = "data",
    download: bool = False,
    folder: str | Path | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Trained:
    """Train a network with the compiled loss of a configuration, and measure its latent.

    Started by `torchrun`, the processes share every batch, and all return the same.

    Args:
        config: What to run.
        accelerator: Where, in Lightning's words: `"auto"`, `"cpu"`, `"cuda"`.
        data_root: Folder of the data sets that do not ship with scikit-learn.
        download: Whether to fetch data that are missing.
        folder: Where documents, epochs and checkpoints are kept. A run that was stopped there goes on, and ends with
            the numbers of one that was not stopped. Without a folder nothing is kept.
        on_epoch: Called after every pass.

    Returns:
        Network, loss and results.

    Raises:
        ConfigError: If the configuration does not fit together, the data are not there, the loss stops being finite, or
            what is kept in the folder cannot be read or written.
        InformationError: If the objective cannot be read or has no canonical form, or the loss is not proved.

    References:
        Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 7.

    Example:
        >>> trained = train(Config().with_options(["training.epochs=1", "plane.samples=100"]))
        >>> trained.epochs[0].test_accuracy > 0.5
        True
    """
    data = load_data(config.data, root=data_root, download=download)
    with torch.random.fork_rng(), threads(config.training.threads):
        run = _Run(config, data, make_fabric(accelerator, config.training.precision), folder)
        epochs = run.walk(on_epoch)
        network, loss = run.network.cpu(), run.step.loss.cpu()
    return Trained(config=config, network=network, loss=loss, epochs=epochs, rows=run_rows(epochs, loss, config))


def check(
    configs: Sequence[Config],
    *,
    accelerator: str = "auto",
    data_root: str | Path = "data",
    download: bool = False,
) -> None:
    """Refuse configurations that cannot be trained, before anything is trained.

    Args:
        configs: What is to be run.
        accelerator: Where, in Lightning's words.
        data_root: Folder of the data sets.
        download: Whether to fetch data that are missing.

    Raises:
        ConfigError: If a loss or a network cannot be built, the data are not there, or the accelerator is not.
        InformationError: If an objective cannot be read or has no canonical form, or a loss is not proved.

    Example:
        >>> check([Config()], accelerator="cpu")
    """
    sets = {config.data: load_data(config.data, root=data_root, download=download) for config in configs}
    for config in configs:
        build_loss(config, sets[config.data])
    for config in {(config.data, config.network, config.bottleneck): config for config in configs}.values():
        with torch.random.fork_rng():
            build_network(config, sets[config.data])
    for precision in {config.training.precision for config in configs}:
        make_fabric(accelerator, precision)


class _Run:
    """The state of one run, and how it goes on."""

    def __init__(self, config: Config, data: Dataset, fabric: Fabric, folder: str | Path | None) -> None:
        options = config.training
        self.config, self.fabric = config, fabric
        self.folder = None if folder is None else Path(folder)
        fabric.launch()
        torch.manual_seed(config.seed)
        self.data = data.to(fabric.device)
        self.network = build_network(config, data)
        if options.channels_last:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a form torch documents
        walked: Any = torch.compile(self.network) if options.compile else self.network
        self.step = TrainingStep(walked, build_loss(config, data))
        self.optimizer = _optimizer(self.step, config)
        self.model, self.optimizer = fabric.setup(self.step, self.optimizer)
        self.schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, factor=options.decay, patience=options.patience
        )
        by_first_process(self._write_documents)
        shares = torch.bincount(data.train_targets).double() / len(data.train_targets)
        self.label_entropy = float(torch.special.entr(shares).sum())

    def _write_documents(self) -> None:
        if self.folder is None:
            return
        for name, text in documents(self.step.loss).items():
            write_text(self.folder / name, text)

    def walk(self, on_epoch: Callable[[Epoch], None] | None) -> tuple[Epoch, ...]:
        epochs = list(self._resumed())
        for epoch in epochs:
            if on_epoch is not None:
                on_epoch(epoch)
        for number in range(len(epochs) + 1, self.config.training.epochs + 1):
            epoch = self._epoch(number)
            epochs.append(epoch)
            by_first_process(partial(self._keep, epoch))
            if on_epoch is not None:
                on_epoch(epoch)
        return tuple(epochs)

    def _resumed(self) -> tuple[Epoch, ...]:
        state = None if self.folder is None else load_checkpoint(self.folder, digest=self.config.digest)
        if self.folder is None or state is None:
            return ()
        epochs = read_epochs(self.folder, until=state["epoch"])
        try:
            self.step.load_state_dict(state["step"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"the checkpoint in {self.folder} does not fit this version's network: {error}; delete it to train the "
                "run from its beginning"
            ) from None
        return epochs

    def _keep(self, epoch: Epoch) -> None:
        if self.folder is None:
            return
        append_epoch(self.folder, epoch)
        options = self.config.training
        if epoch.number % options.checkpoint_every == 0 or epoch.number == options.epochs:
            state = {
                "digest": self.config.digest,
                "epoch": epoch.number,
                "step": self.step.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
            }
            save_checkpoint(self.folder, state)

    def _epoch(self, number: int) -> Epoch:
        start = time.perf_counter()
        rate = float(self.optimizer.param_groups[0]["lr"])
        mean, terms = self._pass(number)
        self.schedule.step(mean)
        self._rescale(number)
        self._set_decoder()
        torch.manual_seed(_seed(self.config.seed, number, _LOOK))
        data, options = self.data, self.config.plane
        train, latent = evaluate(self.network, data, data.train_inputs, data.train_targets)
        test, _ = evaluate(self.network, data, data.test_inputs, data.test_targets)
        is_last = number == self.config.training.epochs
        is_measured = is_last or (options.every > 0 and number % options.every == 0)
        rows = plane.measure(latent, data.train_targets, self.config, epoch=number) if is_measured else ()
        broken = broken_invariants(
            train,
            rows,
            samples=len(data.train_targets),
            label_entropy=self.label_entropy,
            is_nonnegative=_is_nonnegative(latent),
        )
        return Epoch(
            number=number,
            loss=mean,
            terms=terms,
            train_accuracy=train.accuracy,
            test_accuracy=test.accuracy,
            learning_rate=rate,
            rows=(*self._evaluation_rows(train, number), *rows),
            broken=broken,
            seconds=time.perf_counter() - start,
        )

    def _pass(self, number: int) -> tuple[float, dict[str, float]]:
        self.model.train()
        options, world = self.config.training, self.fabric.world_size
        inputs, targets = self.data.train_inputs, self.data.train_targets
        generator = torch.Generator().manual_seed(_seed(self.config.seed, number, _WALK))
        order = torch.randperm(len(targets), generator=generator).to(targets.device)
        torch.manual_seed(_seed(self.config.seed, number, _WALK, self.fabric.global_rank))
        values, shares = [], []
        for batch in _batches(order, options.batch_size, world):
            own = batch[self.fabric.global_rank :: world]
            images = augmented(inputs[own]) if self.config.data.augment else inputs[own]
            self.optimizer.zero_grad()
            value = self.model(self._laid_out(self.data.prepare(images)), targets[own])
            self.fabric.backward(value[0])
            self.optimizer.step()
            values.append(value.detach())
            shares.append(len(batch) / len(order))
        mean, *terms = (
            (torch.stack(values).double() * torch.tensor(shares, device=order.device)[:, None]).sum(0).tolist()
        )
        if not math.isfinite(mean):
            regularizer = regularizer_of(self.step.loss) or "no regularizer"
            raise ConfigError(
                f"the loss is {mean} in epoch {number} (gamma = {self.config.objective.gamma}, {regularizer}): "
                "lower training.learning_rate or objective.gamma"
            )
        return mean, {term.surrogate.name: one for term, one in zip(self.step.loss.plan.terms, terms, strict=True)}

    def _laid_out(self, inputs: Tensor) -> Tensor:
        is_wanted = self.config.training.channels_last and inputs.ndim == 4
        return inputs.contiguous(memory_format=torch.channels_last) if is_wanted else inputs

    def _rescale(self, number: int) -> None:
        """Normalise the latent and scale it to the epoch's deviation; the decoder's side follows by itself."""
        options = self.config.scaling
        if not options.start:
            return
        scaling = next(module for module in self.network.modules() if isinstance(module, Scaling))
        torch.manual_seed(_seed(self.config.seed, number, _LOOK))
        _, latent = evaluate(self.network, self.data, self.data.train_inputs, self.data.train_targets)
        values = latent.samples[0] if latent.mean is None else latent.mean.reshape(-1, latent.mean.shape[-1])
        raw = values.double() / scaling.scale + scaling.shift
        deviation = raw.std(dim=0, correction=0).clamp(min=torch.finfo(torch.float32).tiny)
        wanted = options.start * options.factor ** max(0, number - 1 - options.hold)
        scaling.set(shift=raw.mean(dim=0).float(), scale=(wanted / deviation).float())

    def _set_decoder(self) -> None:
        decoder = self.network.decoder
        if not isinstance(decoder, OptimalDecoder):
            return
        _, latent = evaluate(self.network, self.data, self.data.train_inputs, self.data.train_targets)
        if latent.log_probabilities is not None:
            decoder.set(latent.log_probabilities, self.data.train_targets)

    def _evaluation_rows(self, train: Evaluation, number: int) -> tuple[Row, ...]:
        return tuple(
            plain_row(self.config, number, quantity, "training data", side, value)
            for quantity, (side, value) in train.quantities().items()
        )


def _is_nonnegative(latent: Latent) -> bool:
    if latent.log_probabilities is not None:
        return True
    return isinstance(latent.noise_std, float) and 2 * math.pi * math.e * latent.noise_std**2 > 1 - 1e-9


def _optimizer(step: nn.Module, config: Config) -> torch.optim.Optimizer:
    options = config.training
    parameters, rate, decay = step.parameters(), options.learning_rate, options.weight_decay
    if options.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)
    kind = torch.optim.AdamW if options.optimizer == "adamw" else torch.optim.Adam
    return kind(parameters, lr=rate, weight_decay=decay)


def _seed(run: int, epoch: int, purpose: int, rank: int = 0) -> int:
    return int(np.random.SeedSequence([run, epoch, purpose, rank]).generate_state(1, np.uint64)[0])


def _batches(order: Tensor, size: int, world: int) -> list[Tensor]:
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) < world:
        batches[-2:] = [torch.cat(batches[-2:])]
    if len(batches[-1]) < world:
        raise ConfigError(f"a batch of {len(batches[-1])} samples cannot be shared by {world} processes")
    return batches

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
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

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
from ibtrain.training.documents import documents, note_versions
from ibtrain.training.evaluation import Evaluation, evaluate
from ibtrain.training.invariants import broken_invariants
from ibtrain.training.progress import (
    Epoch,
    append_epoch,
    load_checkpoint,
    read_epochs,
    require_fitting,
    save_checkpoint,
)
from ibtrain.training.rows import plain_row, run_rows
from ibtrain.training.steps import (
    TrainingStep,
    batches_of,
    look_seed,
    noise_seed,
    optimizer_of,
    order_of,
    weighted_sums,
)

if TYPE_CHECKING:
    from lightning_fabric import Fabric


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
    config = Config.required(config)
    data = load_data(config.data, root=data_root, download=download)
    with torch.random.fork_rng(), threads(config.training.threads):
        run = Run(config, data, make_fabric(accelerator, config.training.precision), folder, on_epoch)
        while run.is_unfinished:
            run.walk()
        return run.trained()


def check(
    configs: Sequence[Config],
    *,
    accelerator: str = "auto",
    data_root: str | Path = "data",
    download: bool = False,
) -> tuple[str, ...]:
    """Refuse configurations that cannot be trained, before anything is trained.

    Args:
        configs: What is to be run.
        accelerator: Where, in Lightning's words.
        data_root: Folder of the data sets.
        download: Whether to fetch data that are missing.

    Returns:
        What is not proved of the losses whose configurations allow that, once each.

    Raises:
        ConfigError: If a loss or a network cannot be built, the data are not there, or the accelerator is not.
        InformationError: If an objective cannot be read or has no canonical form, or a loss is not proved.

    Example:
        >>> check([Config()], accelerator="cpu")
        ()
    """
    configs = [Config.required(config) for config in configs]
    sets = {config.data: load_data(config.data, root=data_root, download=download) for config in configs}
    plans = [build_loss(config, sets[config.data]).plan for config in configs]
    for config in {(config.data, config.network, config.bottleneck): config for config in configs}.values():
        with torch.random.fork_rng():
            build_network(config, sets[config.data])
    for precision in {config.training.precision for config in configs}:
        make_fabric(accelerator, precision)
    return tuple(dict.fromkeys(f"{plan.formula}: {plan.doubt}" for plan in plans if plan.guarantee is None))


class Run:
    """The state of one run, and how it goes on.

    Args:
        config: What is run.
        data: Its data, on any device.
        fabric: Places network and data.
        folder: Where the run is kept, and goes on from; None for nowhere.
        on_epoch: Called after every pass, those that the run goes on from included.

    Raises:
        ConfigError: As `train`.
    """

    def __init__(
        self,
        config: Config,
        data: Dataset,
        fabric: "Fabric",
        folder: str | Path | None,
        on_epoch: Callable[[Epoch], None] | None,
    ) -> None:
        options = config.training
        self.config, self.fabric = config, fabric
        self.folder = None if folder is None else Path(folder)
        fabric.launch()
        torch.manual_seed(config.seed)
        self.data = data.to(fabric.device)
        self.network = build_network(config, data)
        if options.channels_last:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # documented, but not among the overloads
        # fallback_random: a compiled network draws the same noise as one that is not compiled.
        walked: Any = (
            torch.compile(self.network, options={"fallback_random": True}) if options.compile else self.network
        )
        self.step = TrainingStep(walked, build_loss(config, data))
        self.model, self.optimizer = fabric.setup(self.step, optimizer_of(self.step.parameters(), config))
        self.schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, factor=options.decay, patience=options.patience
        )
        shares = torch.bincount(data.train_targets).double() / len(data.train_targets)
        self.label_entropy = float(torch.special.entr(shares).sum())
        self.on_epoch = on_epoch
        self.epochs = list(self._resumed())
        by_first_process(self._write_documents)
        for epoch in self.epochs:
            if on_epoch is not None:
                on_epoch(epoch)

    @property
    def is_unfinished(self) -> bool:
        """Whether passes are missing."""
        return len(self.epochs) < self.config.training.epochs

    @property
    def rate(self) -> float:
        """The learning rate of the next pass."""
        return float(self.optimizer.param_groups[0]["lr"])

    def trained(self) -> Trained:
        """Return the finished run; its network and loss go to the CPU."""
        network, loss = self.network.cpu(), self.step.loss.cpu()
        rows = run_rows(self.epochs, loss, self.config)
        return Trained(config=self.config, network=network, loss=loss, epochs=tuple(self.epochs), rows=rows)

    def walk(self, means: Sequence[float] | None = None, *, seconds: float = 0.0) -> None:
        """Pass over the training data once, measure what came out, and keep it.

        Args:
            means: Means over the batches of the loss and its terms, if the pass was already made.
            seconds: How long that pass took.

        Raises:
            ConfigError: If the loss is not finite, or the epoch cannot be written.
        """
        start, rate, number = time.perf_counter() - seconds, self.rate, len(self.epochs) + 1
        means = self.pass_alone(number) if means is None else means
        epoch = self._measured(number, self._finite(means, number), rate, start)
        self.epochs.append(epoch)
        by_first_process(partial(self._keep, epoch))
        if self.on_epoch is not None:
            self.on_epoch(epoch)

    def _write_documents(self) -> None:
        if self.folder is None:
            return
        note_versions(self.folder, epoch=len(self.epochs) + 1)
        for name, text in documents(self.step.loss).items():
            write_text(self.folder / name, text)

    def _resumed(self) -> tuple[Epoch, ...]:
        state = None if self.folder is None else load_checkpoint(self.folder, digest=self.config.digest)
        if self.folder is None or state is None:
            return ()
        epochs = read_epochs(self.folder, until=state["epoch"])
        try:
            precision = self.fabric.strategy.precision
            require_fitting(state, optimizer=self.optimizer, schedule=self.schedule, precision=precision.state_dict())
            self.step.load_state_dict(state["step"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            precision.load_state_dict(state.get("precision", {}))
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"the checkpoint in {self.folder} does not fit this version's network: "
                f"{' '.join(str(error).split())[:200]}; delete it to train the run from its beginning"
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
                "precision": self.fabric.strategy.precision.state_dict(),
            }
            save_checkpoint(self.folder, state)

    def _measured(self, number: int, means: Sequence[float], rate: float, start: float) -> Epoch:
        mean, *terms = means
        self._set_rate(number, mean)
        self._rescale(number)
        self._set_decoder()
        torch.manual_seed(look_seed(self.config, number))
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
            terms={term.surrogate.name: one for term, one in zip(self.step.loss.plan.terms, terms, strict=True)},
            train_accuracy=train.accuracy,
            test_accuracy=test.accuracy,
            learning_rate=rate,
            rows=(*self._evaluation_rows(train, number), *rows),
            broken=broken,
            seconds=time.perf_counter() - start,
        )

    def pass_alone(self, number: int) -> list[float]:
        """Pass over the training data once; return the means of the loss and its terms over the batches.

        Args:
            number: Which pass, from 1.
        """
        self.model.train()
        options, world = self.config.training, self.fabric.world_size
        inputs, targets = self.data.train_inputs, self.data.train_targets
        order = order_of(self.config, number, len(targets)).to(targets.device)
        torch.manual_seed(noise_seed(self.config, number, self.fabric.global_rank))
        values, shares = [], []
        for batch in batches_of(order, options.batch_size, world):
            own = batch[self.fabric.global_rank :: world]
            images = augmented(inputs[own]) if self.config.data.augment else inputs[own]
            self.optimizer.zero_grad()
            value = self.model(self._laid_out(self.data.prepare(images)), targets[own])
            self.fabric.backward(value[0])
            self.optimizer.step()
            values.append(value.detach())
            shares.append(len(batch) / len(order))
        return weighted_sums(values, shares).tolist()

    def _set_rate(self, number: int, loss: float) -> None:
        """Set the learning rate of the next pass."""
        options = self.config.training
        if options.schedule == "plateau":
            self.schedule.step(loss)
            return
        share = (1 + math.cos(math.pi * number / options.epochs)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = options.learning_rate * share

    def _finite(self, means: Sequence[float], number: int) -> Sequence[float]:
        if not math.isfinite(means[0]):
            regularizer = regularizer_of(self.step.loss) or "no regularizer"
            raise ConfigError(
                f"the loss is {means[0]} in epoch {number} (gamma = {self.config.objective.gamma}, {regularizer}): "
                "lower training.learning_rate or objective.gamma"
            )
        return means

    def _laid_out(self, inputs: Tensor) -> Tensor:
        is_wanted = self.config.training.channels_last and inputs.ndim == 4
        return inputs.contiguous(memory_format=torch.channels_last) if is_wanted else inputs

    def _rescale(self, number: int) -> None:
        """Normalise the latent and scale it to the epoch's deviation; the decoder's side follows by itself."""
        options = self.config.scaling
        if not options.start:
            return
        scaling = next(module for module in self.network.modules() if isinstance(module, Scaling))
        torch.manual_seed(look_seed(self.config, number))
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

"""Train one network as a configuration says, and measure it.

Lightning Fabric places network and data; the loop is an ordinary one. Seeds decide every number: two runs of one
configuration on one machine are equal bit by bit. Adam with a rate that decays on a plateau is stated in Kirsch, Lyle
and Gal, "Unpacking Information Bottlenecks" (2020).
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

import imeasure
from ibtrain import plane
from ibtrain.bottlenecks import AdditiveNoise
from ibtrain.compiler import compile as compile_objective
from ibtrain.config import Config
from ibtrain.datasets import Dataset, digits
from ibtrain.errors import ConfigError
from ibtrain.loss import Loss
from ibtrain.networks import MLP, BottleneckNetwork
from ibtrain.runs import Row
from ibtrain.surrogates import surrogate


@dataclasses.dataclass(frozen=True)
class Epoch:
    """What one pass over the training data gave.

    Args:
        number: Which pass, from 1.
        loss: Mean of the loss over the batches, in nats.
        terms: Means of its terms by surrogate, without coefficients, in nats.
        train_accuracy: Share of the training data classified rightly after the pass.
        test_accuracy: Share of the test data classified rightly after the pass.
        learning_rate: The rate it was walked with.
    """

    number: int
    loss: float
    terms: dict[str, float]
    train_accuracy: float
    test_accuracy: float
    learning_rate: float


@dataclasses.dataclass(frozen=True)
class Trained:
    """A finished run.

    Args:
        config: What was run.
        network: The trained network, on the CPU.
        loss: The loss it was trained with, parameters included.
        epochs: What each pass gave.
        rows: All results in tidy form: every epoch's loss, terms and accuracies, and the last one's information plane.
    """

    config: Config
    network: BottleneckNetwork
    loss: Loss
    epochs: tuple[Epoch, ...]
    rows: tuple[Row, ...]

    @property
    def documents(self) -> dict[str, str]:
        """Canonical form and loss plan as texts by file name."""
        form = self.loss.plan.form
        return {
            "canonical.txt": f"{form}\n\n{form.derivation}\n",
            "canonical.json": form.to_json() + "\n",
            "plan.txt": f"{self.loss.plan}\n",
        }


def train(config: Config, *, accelerator: str = "auto", on_epoch: Callable[[Epoch], None] | None = None) -> Trained:
    """Train a network with the compiled loss of a configuration, and measure its latent.

    Args:
        config: What to run.
        accelerator: Where, in Lightning's words: `"auto"`, `"cpu"`, `"cuda"`.
        on_epoch: Called after every pass.

    Returns:
        Network, loss and results.

    Raises:
        ConfigError: If the configuration does not fit together, or the loss stops being finite.
        InformationError: If the objective cannot be read or has no canonical form.

    References:
        Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 7.

    Example:
        >>> trained = train(Config().with_options(["training.epochs=1", "plane.samples=100"]))
        >>> trained.epochs[0].test_accuracy > 0.5
        True
    """
    loss = build_loss(config)
    data = _data(config)
    fabric = _fabric(accelerator)
    with torch.random.fork_rng(), _threads(config.training.threads):
        torch.manual_seed(config.seed)
        network = build_network(config, data)
        epochs = _fit(fabric, network, loss, data, config, on_epoch)
        network = network.cpu()
        with torch.no_grad():
            means = network.bottleneck(network.encoder(data.train_inputs)).mean
        measured = plane.measure(means, data.train_targets, config, epoch=len(epochs))
    label = _regularizer(loss)
    rows = [*(row for epoch in epochs for row in _rows(epoch, loss, config)), *measured]
    rows = [dataclasses.replace(row, surrogate=label) for row in rows]
    return Trained(config=config, network=network, loss=loss.cpu(), epochs=epochs, rows=tuple(rows))


def check(configs: Sequence[Config], *, accelerator: str = "auto") -> None:
    """Refuse configurations that cannot be trained, before anything is trained.

    Args:
        configs: What is to be run.
        accelerator: Where, in Lightning's words.

    Raises:
        ConfigError: If a loss cannot be built, the data cannot be split, or the accelerator is not there.
        InformationError: If an objective cannot be read or has no canonical form.

    Example:
        >>> check([Config()], accelerator="cpu")
    """
    for config in configs:
        build_loss(config)
    for config in {config.data: config for config in configs}.values():
        _data(config)
    if configs:
        _fabric(accelerator)


def build_loss(config: Config) -> Loss:
    """Return the loss of a configuration, its weight set.

    Args:
        config: The configuration.

    Raises:
        ConfigError: If no surrogate fits or the named one does not stand for the regularizer, the objective has
            parameters that a configuration cannot set, or it fixes another weight than the configuration's gamma.
        InformationError: If the objective cannot be read or has no canonical form.
    """
    objective = config.objective
    statement, name = objective.statement, objective.surrogate
    form = imeasure.simplify(statement, model=imeasure.supervised(latent="noisy"))
    if "gamma" in map(str, form.objective.expression.free_symbols):
        raise ConfigError(
            f"the objective {statement!r} has a parameter called gamma, but objective.gamma is the weight of the "
            "regularizer: give the parameter another name, for example beta"
        )
    if name and form.regularizer == 0:
        raise ConfigError(f"the objective {statement!r} has no regularizer: leave objective.surrogate empty")
    loss = compile_objective(form, latent="noisy", surrogates=name or None)
    if name and surrogate(name).name not in _regularizer(loss).split(" + "):
        raise ConfigError(
            f"objective.surrogate = {name!r} does not stand for the regularizer {form.regularizer} of {statement!r}: "
            f"name another, for example {_regularizer(loss)!r}"
        )
    unset = [parameter for parameter in loss.parameter_names if parameter != loss.weight_name]
    if unset:
        raise ConfigError(
            f"a configuration sets only the weight of the regularizer: write numbers for {', '.join(unset)} "
            f"in the objective {statement!r}"
        )
    if loss.weight_name is not None:
        return loss.set(**{loss.weight_name: objective.gamma})
    if float(loss.plan.weight) != objective.gamma:
        raise ConfigError(
            f"the objective {statement!r} fixes the regularizer's weight: set objective.gamma to {loss.plan.weight}"
        )
    return loss


def _regularizer(loss: Loss) -> str:
    """Return the names of the surrogates that stand for the regularizer."""
    regularizer = loss.plan.form.regularizer
    quantities = {str(q) for q in regularizer.atoms(imeasure.Information) | regularizer.atoms(imeasure.Functional)}
    return " + ".join(term.surrogate.name for term in loss.plan.terms if quantities & set(term.quantities))


def _data(config: Config) -> Dataset:
    return digits(test_fraction=config.data.test_fraction, seed=config.data.split_seed)


def build_network(config: Config, data: Dataset) -> BottleneckNetwork:
    """Return the untrained network of a configuration: encoder, additive noise, linear decoder.

    Args:
        config: The configuration.
        data: The data it is for.

    Raises:
        ConfigError: If there is no room for it.
    """
    size = config.network.latent
    try:
        return BottleneckNetwork(
            MLP(data.input_size, config.network.hidden, size),
            AdditiveNoise(variance=config.bottleneck.noise_variance, samples=config.bottleneck.samples),
            nn.Linear(size, data.num_classes),
        )
    except RuntimeError as error:
        raise ConfigError(f"cannot make the network: {error}; make network.hidden or network.latent smaller") from None


def _fabric(accelerator: str) -> Fabric:
    try:
        return Fabric(accelerator=accelerator, devices=1)
    except (ValueError, RuntimeError, ImportError) as error:
        raise ConfigError(f"cannot train on accelerator {accelerator!r}: {error}") from None


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _fit(
    fabric: Fabric,
    network: BottleneckNetwork,
    loss: Loss,
    data: Dataset,
    config: Config,
    on_epoch: Callable[[Epoch], None] | None,
) -> tuple[Epoch, ...]:
    options = config.training
    optimizer = torch.optim.Adam(network.parameters(), lr=options.learning_rate)
    model, optimizer = fabric.setup(network, optimizer)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=options.decay, patience=options.patience)
    loss = loss.to(fabric.device)
    train_inputs, train_targets, test_inputs, test_targets = fabric.to_device(
        (data.train_inputs, data.train_targets, data.test_inputs, data.test_targets)
    )
    epochs = []
    for number in range(1, options.epochs + 1):
        rate = float(optimizer.param_groups[0]["lr"])
        order = torch.randperm(len(train_targets)).to(train_targets.device)
        batches = order.split(options.batch_size)
        values = [_step(fabric, model, optimizer, loss, train_inputs[b], train_targets[b]) for b in batches]
        shares = torch.tensor([len(batch) / len(order) for batch in batches], device=order.device)
        mean, *terms = (torch.stack(values) * shares[:, None]).sum(dim=0).tolist()
        if not torch.isfinite(torch.tensor(mean)):
            raise ConfigError(
                f"the loss is {mean} in epoch {number} (gamma = {config.objective.gamma}, "
                f"{_regularizer(loss) or 'no regularizer'}): lower training.learning_rate or objective.gamma"
            )
        schedule.step(mean)
        epoch = Epoch(
            number=number,
            loss=mean,
            terms={term.surrogate.name: value for term, value in zip(loss.plan.terms, terms, strict=True)},
            train_accuracy=_accuracy(model, train_inputs, train_targets),
            test_accuracy=_accuracy(model, test_inputs, test_targets),
            learning_rate=rate,
        )
        epochs.append(epoch)
        if on_epoch is not None:
            on_epoch(epoch)
    return tuple(epochs)


def _step(fabric: Fabric, model: Any, optimizer: Any, loss: Loss, inputs: Tensor, targets: Tensor) -> Tensor:
    model.train()
    optimizer.zero_grad()
    latent, logits = model(inputs)
    value = loss(latent, logits, targets)
    fabric.backward(value.total)
    optimizer.step()
    return torch.stack([value.total, *value.terms.values()]).detach()


@torch.no_grad()
def _accuracy(model: Any, inputs: Tensor, targets: Tensor) -> float:
    model.eval()
    _, logits = model(inputs)
    return float((logits.softmax(dim=-1).mean(dim=0).argmax(dim=-1) == targets).double().mean())


def _rows(epoch: Epoch, loss: Loss, config: Config) -> list[Row]:
    sides = {term.surrogate.name: term.surrogate.side for term in loss.plan.terms}
    measured = [("loss", "mean of batches", "exact", epoch.loss)]
    measured += [(name, "mean of batches", sides[name], value) for name, value in epoch.terms.items()]
    measured += [("train accuracy", "all samples", "exact", epoch.train_accuracy)]
    measured += [("test accuracy", "all samples", "exact", epoch.test_accuracy)]
    return [
        Row(
            run=config.digest,
            epoch=epoch.number,
            gamma=config.objective.gamma,
            surrogate=config.objective.surrogate,
            seed=config.seed,
            quantity=quantity,
            estimator=estimator,
            side=side,
            value=value,
        )
        for quantity, estimator, side, value in measured
    ]

"""From a configuration to its data, its network and its loss."""

import dataclasses
import math
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

import imeasure
from ibtrain import datasets
from ibtrain.bottlenecks import AdditiveNoise, CategoricalBottleneck, DropoutBottleneck, GaussianBottleneck
from ibtrain.compiler import canonical_form, compile as compile_objective
from ibtrain.config import Config, DataConfig
from ibtrain.datasets import Dataset
from ibtrain.errors import ConfigError
from ibtrain.loss import Loss
from ibtrain.networks import (
    MLP,
    BottleneckNetwork,
    CodeDecoder,
    ConvolutionTrunk,
    OptimalDecoder,
    Scaling,
    Unscaling,
    dropout_head,
    resnet18,
)
from ibtrain.surrogates import surrogate
from ibtrain.training.devices import is_out_of_memory


def load_data(config: DataConfig, *, root: str | Path = "data", download: bool = False) -> Dataset:
    """Return the data that a configuration names.

    Args:
        config: Which data.
        root: Folder of all data sets, for those that do not ship with scikit-learn.
        download: Whether to fetch what is missing.

    Raises:
        ConfigError: If the data are not there, cannot be split, or cannot be changed as the configuration says.

    Example:
        >>> load_data(DataConfig(samples=100)).train_inputs.shape
        torch.Size([100, 64])
    """
    kind = config.name.removeprefix("permuted-")
    if kind == "digits":
        data = datasets.digits(test_fraction=config.test_fraction, seed=config.split_seed)
    elif kind == "images":
        if not config.folder:
            raise ConfigError("data.name = 'images' needs data.folder, the folder that holds train/ and test/")
        data = datasets.image_folder(Path(root) / config.folder, size=config.image_size or None)
    else:
        data = getattr(datasets, kind)(root, download=download)
    if kind != config.name:
        data = datasets.permuted(data, seed=config.split_seed)
    if config.label_noise:
        data = datasets.with_label_noise(data, config.label_noise, seed=config.split_seed)
    if config.augment and not data.is_images:
        raise ConfigError(f"data.augment needs images, but the inputs of {config.name} are {data.input_shape}")
    for part, count in (("train", config.samples), ("test", config.test_samples)):
        data = _drawn(data, part, count, config) if count else data
    return data


def _drawn(data: Dataset, part: str, count: int, config: DataConfig) -> Dataset:
    inputs, targets = f"{part}_inputs", f"{part}_targets"
    size = len(getattr(data, targets))
    if count > size:
        key = "samples" if part == "train" else "test_samples"
        raise ConfigError(f"data.{key} = {count}, but {config.name} has {size} {part} samples")
    kept = torch.randperm(size, generator=torch.Generator().manual_seed(config.split_seed))[:count]
    drawn = {name: getattr(data, name)[kept] for name in (inputs, targets)}
    return dataclasses.replace(data, **drawn)


def build_network(config: Config, data: Dataset) -> BottleneckNetwork:
    """Return the untrained network of a configuration: encoder, bottleneck, decoder.

    Behind dropout the layers up to the latent run once for each sample; what stands before them runs once. A
    categorical latent whose loss does not use the decoder gets the optimal one, which is computed from the data.

    Args:
        config: The configuration.
        data: The data it is for.

    Raises:
        ConfigError: If the parts do not fit the data, or there is no room for them.
    """
    try:
        return _network(config, data)
    except (RuntimeError, MemoryError) as error:
        said = "there is not enough memory" if is_out_of_memory(error) else " ".join(str(error).split())[:200]
        raise ConfigError(f"cannot make the network: {said}; make network.hidden or network.latent smaller") from None


def _network(config: Config, data: Dataset) -> BottleneckNetwork:
    options, size = config.bottleneck, config.network.latent
    is_dropout = options.kind.endswith("dropout")
    trunk, head = _encoder(config, data, 2 * size if options.kind == "gaussian" else size, is_dropout=is_dropout)
    decoder: nn.Module = CodeDecoder(size, config.network.decoder, data.num_classes)
    if options.kind == "categorical" and not uses_decoder(build_loss(config, data)):
        decoder = OptimalDecoder(size, data.num_classes)
    if config.scaling.start:
        if options.kind in ("gaussian", "categorical"):
            raise ConfigError(f"scaling.start needs features that can be scaled, not a {options.kind} latent")
        scaling = Scaling(size)
        head, decoder = nn.Sequential(head, scaling), nn.Sequential(Unscaling(scaling), decoder)
    if is_dropout:
        variance = options.noise_variance if options.kind == "noisy-dropout" else None
        return BottleneckNetwork(trunk, DropoutBottleneck(head, samples=options.samples, variance=variance), decoder)
    bottlenecks: dict[str, Any] = {
        "noise": lambda: AdditiveNoise(variance=options.noise_variance, samples=options.samples),
        "gaussian": lambda: GaussianBottleneck(samples=options.samples),
        "categorical": CategoricalBottleneck,
    }
    return BottleneckNetwork(nn.Sequential(trunk, head), bottlenecks[options.kind](), decoder)


def _encoder(config: Config, data: Dataset, outputs: int, *, is_dropout: bool) -> tuple[nn.Module, nn.Module]:
    network, rate = config.network, config.bottleneck.dropout
    if network.name == "mlp":
        layers = list(MLP(data.input_size, network.hidden, outputs))
        trunk, last = nn.Sequential(*layers[:-1]), layers[-1]
        return trunk, nn.Sequential(nn.Dropout(rate), last) if is_dropout else last
    shape = _image_shape(data)
    images = nn.Identity() if data.is_images else nn.Unflatten(1, shape)
    if network.name == "cnn":
        trunk = nn.Sequential(images, ConvolutionTrunk(shape[0]))
        return trunk, dropout_head(64 * ((shape[1] - 4) // 2) * ((shape[2] - 4) // 2), outputs)
    whole: Any = resnet18(outputs, channels=shape[0])
    last, whole.fc = whole.fc, nn.Identity()
    return nn.Sequential(images, whole), nn.Sequential(nn.Dropout(rate), last) if is_dropout else last


def _image_shape(data: Dataset) -> tuple[int, ...]:
    side = math.isqrt(data.input_size)
    if data.is_images:
        return data.input_shape
    if side**2 != data.input_size or side < 8:
        raise ConfigError(f"a network for images cannot take the inputs of {data.name}, of shape {data.input_shape}")
    return 1, side, side


_LATENTS = {
    "noise": "noisy",
    "gaussian": "gaussian",
    "categorical": "categorical",
    "dropout": "dropout",
    "noisy-dropout": "noisy dropout",
}


def build_loss(config: Config, data: Dataset | None = None) -> Loss:
    """Return the loss of a configuration, its weight set.

    Args:
        config: The configuration.
        data: The data it is for; surrogates that learn need its number of classes.

    Raises:
        ConfigError: If no surrogate fits or the named one does not stand for the regularizer, the objective has
            parameters that a configuration cannot set, or it fixes another weight than the configuration's gamma.
        InformationError: If the objective cannot be read or has no canonical form, or the loss is not proved.
    """
    objective = config.objective
    statement, name = objective.statement, objective.surrogate
    form = canonical_form(statement)
    if "gamma" in map(str, form.objective.expression.free_symbols):
        raise ConfigError(
            f"the objective {statement!r} has a parameter called gamma, but objective.gamma is the weight of the "
            "regularizer: give the parameter another name, for example beta"
        )
    if name and form.regularizer == 0:
        raise ConfigError(f"the objective {statement!r} has no regularizer: leave objective.surrogate empty")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a configuration asks for it, and the plan says what is not proved
        loss = compile_objective(
            form,
            latent=_latent_kind(config),
            surrogates=[chosen for chosen in (objective.loss, name) if chosen] or None,
            guarantee="warn" if objective.guarantee == "warn" else "require",
            dimensions=config.network.latent,
            classes=None if data is None else data.num_classes,
        )
    if name and surrogate(name).name not in regularizer_of(loss).split(" + "):
        raise ConfigError(
            f"objective.surrogate = {name!r} does not stand for the regularizer {form.regularizer} of {statement!r}: "
            f"name another, for example {regularizer_of(loss)!r}"
        )
    unset = [parameter for parameter in loss.parameter_names if parameter != loss.weight_name]
    if unset:
        raise ConfigError(
            f"a configuration sets only the weight of the regularizer: write numbers for {', '.join(unset)} "
            f"in the objective {statement!r}"
        )
    if loss.weight_name is not None:
        return loss.set(**{loss.weight_name: objective.gamma})
    weight = float(loss.plan.weight)
    if not math.isclose(weight, objective.gamma, rel_tol=1e-5):
        raise ConfigError(
            f"the objective {statement!r} fixes the regularizer's weight: set objective.gamma to {weight:g}, or write "
            "a parameter for it"
        )
    return loss


def regularizer_of(loss: Loss) -> str:
    """Return the names of the surrogates that stand for the regularizer of a loss.

    Args:
        loss: The loss.
    """
    regularizer = loss.plan.form.regularizer
    quantities = {str(q) for q in regularizer.atoms(imeasure.Information) | regularizer.atoms(imeasure.Functional)}
    return " + ".join(term.surrogate.name for term in loss.plan.terms if quantities & set(term.quantities))


def uses_decoder(loss: Loss) -> bool:
    """Say whether a loss looks at what the decoder answers, and so trains it.

    Args:
        loss: The loss.

    Example:
        >>> losses = ("CE[Y|Z]", "Exact[Y|Z]")
        >>> [uses_decoder(compile_objective("min H[Y|Z]", latent="categorical", surrogates=[one])) for one in losses]
        [True, False]
    """
    return any("logits" in term.surrogate.needs for term in loss.plan.terms)


def _latent_kind(config: Config) -> str | AdditiveNoise | DropoutBottleneck:
    kind, variance = config.bottleneck.kind, config.bottleneck.noise_variance
    if kind == "noise":
        return AdditiveNoise(variance=variance)
    if kind == "noisy-dropout":
        return DropoutBottleneck(rate=config.bottleneck.dropout, variance=variance)
    return kind

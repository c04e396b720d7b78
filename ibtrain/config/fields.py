"""What a run is made of, as frozen dataclasses that read and write TOML.

A configuration is plain data: it is checked when it is built (types, ranges, choices), it prints as TOML, and its hash
names the run. Under every field stands whether the value is stated in the paper (Kirsch, Lyle and Gal, "Unpacking
Information Bottlenecks", 2020) or our choice.
"""

import dataclasses
import hashlib
import json
import math
import typing
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import tomli_w

from ibtrain.config.sections import Section, keys, option, read_toml, section_from, toml_value, unknown_key
from ibtrain.errors import ConfigError
from imeasure.errors import shown
from imeasure.files import read_text

ZERO_ENTROPY_VARIANCE = 1 / (2 * math.pi * math.e)
"""Variance at which Gaussian noise has an entropy of 0 nats in every dimension: 1 / (2 pi e)."""

DATA_SETS = ("digits", "permuted-digits", "mnist", "permuted-mnist", "cifar10", "images")
"""Names of data sets."""

LARGEST = 2**18
"""Most bytes of a file that says what is run."""

_LARGEST = 2**20  # no size of a run that a computer holds is near it


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig(Section, table="data"):
    """Which data, and how it is split."""

    name: str = option("digits", choices=DATA_SETS)
    """Data set. Our choice: `digits` ships with scikit-learn; stated in the paper are permuted MNIST, MNIST,
    CIFAR10."""
    folder: str = option("")
    """Folder of `images`, below the folder of all data. Our choice."""
    image_size: int = option(0, minimum=0, maximum=4096)
    """Height and width to which `images` are scaled; 0 leaves them as they are. Our choice."""
    test_fraction: float = option(0.2, above=0.0, below=1.0)
    """Share of the digits kept for testing, the same in every class; other sets have their own split. Our choice."""
    split_seed: int = option(0, minimum=0, maximum=2**32 - 1)
    """Seed of the digits' split, of permuted pixels, wrong labels and left-out samples; all runs of a sweep share it.
    Our choice."""
    samples: int = option(0, minimum=0, maximum=2**32)
    """How many training samples are used, drawn at random; 0 for all. Our choice."""
    test_samples: int = option(0, minimum=0, maximum=2**32)
    """How many test samples are used, drawn at random; 0 for all. Our choice."""
    label_noise: float = option(0.0, minimum=0.0, maximum=1.0)
    """Share of training labels replaced by another class. Our choice: the paper has none."""
    augment: bool = option(False)
    """Whether training images are moved by up to four pixels and mirrored. Our choice: the paper states nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig(Section, table="network"):
    """The encoder in front of the bottleneck and the decoder behind it."""

    name: str = option("mlp", choices=("mlp", "cnn", "resnet18"))
    """Kind of encoder. Stated in the paper: an MLP for permuted MNIST, the dropout CNN of the PyTorch examples for
    MNIST, ResNet18 for CIFAR10."""
    hidden: tuple[int, ...] = option((256, 256), minimum=1, maximum=_LARGEST)
    """Widths of the MLP's hidden layers. Our choice for digits: stated in the paper as 1024, 1024."""
    latent: int = option(16, minimum=1, maximum=_LARGEST)
    """Dimensions K of the latent Z, or categories. Our choice for digits: stated in the paper as 100, or 128 for the
    CNN."""
    decoder: tuple[int, ...] = option((), minimum=1, maximum=_LARGEST)
    """Widths of the decoder's hidden layers; none for a linear one. Stated in the paper: linear, and 1024, 1024 behind
    a categorical latent."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BottleneckConfig(Section, table="bottleneck"):
    """What makes Z a random function of X."""

    kind: str = option("noise", choices=("noise", "gaussian", "categorical", "dropout", "noisy-dropout"))
    """Noise added to the features, a Gaussian whose deviation is learnt, categories, dropout, or dropout with noise
    added.
    Stated in the paper: all but the second."""
    noise_variance: float = option(ZERO_ENTROPY_VARIANCE, minimum=1e-12, maximum=1e12)
    """Variance of the added Gaussian noise in each dimension. Stated in the paper: 1 / (2 pi e), zero entropy."""
    dropout: float = option(0.5, minimum=0.0, below=1.0)
    """Rate of dropout on an MLP's or a ResNet18's features; the CNN has its own rates. Our choice."""
    samples: int = option(1, minimum=1, maximum=4096)
    """Samples S of the latent for each input; categories are enumerated instead. Stated in the paper: one, or twelve
    for the CNN."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ObjectiveConfig(Section, table="objective"):
    """What is minimised."""

    statement: str = option("min I[X;Z] - beta*I[Y;Z]")
    """The objective, in imeasure's language. Stated in the paper: the information bottleneck."""
    loss: str = option("")
    """What is computed for the loss term H[Y|Z], by its name in `surrogates`; without a name the tightest bound that
    fits. Stated in the paper: the decoder cross-entropy; all three in figure 3."""
    surrogate: str = option("")
    """Which bound takes the regularizer's place, by its name in `surrogates`; without a name the tightest one that
    fits. Stated in the paper: three of them."""
    gamma: float = option(0.01, minimum=0.0)
    """Weight of the regularizer. Stated in the paper: from 1e-4 to 10 in log space."""
    guarantee: str = option("require", choices=("require", "warn"))
    """Whether a loss that is not proved to bound the objective is refused. Our choice."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(Section, table="training"):
    """How the optimiser walks."""

    epochs: int = option(60, minimum=1, maximum=_LARGEST)
    """Passes over the training data. Our choice: the paper states none."""
    batch_size: int = option(128, minimum=1, maximum=_LARGEST)
    """Samples in a batch, over all processes. Our choice: the paper states none."""
    optimizer: str = option("adam", choices=("adam", "adamw", "sgd"))
    """Kind of optimiser; SGD has Nesterov momentum 0.9. Stated in the paper: Adam."""
    learning_rate: float = option(1e-3, above=0.0)
    """Learning rate at the start. Our choice for digits: stated in the paper as 1e-4, which needs far more epochs
    here."""
    weight_decay: float = option(0.0, minimum=0.0)
    """Weight decay of the optimiser. Our choice: the paper states none."""
    schedule: str = option("plateau", choices=("plateau", "cosine"))
    """How the learning rate falls: by steps where the loss has stopped improving, or along half a cosine, epoch by
    epoch, to 0 after the last. Stated in the paper: the plateau; the cosine is our choice for runs of few epochs."""
    decay: float = option(0.8, above=0.0, maximum=1.0)
    """Factor of the learning rate when the loss has stopped improving. Stated in the paper: 0.8."""
    patience: int = option(3, minimum=0, maximum=_LARGEST)
    """Epochs without improvement after which the rate decays. Stated in the paper: more than 3."""
    precision: str = option("32-true", choices=("32-true", "bf16-mixed", "16-mixed"))
    """Precision of the network, in Lightning's words; losses are computed in 32 bits. Our choice."""
    compile: bool = option(False)
    """Whether torch.compile is applied to the network; its random numbers stay those of torch. Our choice."""
    channels_last: bool = option(False)
    """Whether images are laid out with channels last, which GPUs prefer. Our choice."""
    threads: int = option(1, minimum=1, maximum=256)
    """Threads on a CPU; sums are rounded differently with another number. Our choice: small networks gain nothing."""
    checkpoint_every: int = option(1, minimum=1, maximum=_LARGEST)
    """Epochs between checkpoints. Our choice."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScalingConfig(Section, table="scaling"):
    """Figure 4: the latent is normalised and scaled down after every epoch, and scaled up before the decoder."""

    start: float = option(0.0, minimum=0.0)
    """Standard deviation of every dimension of the latent after the first epoch; 0 leaves the latent alone. Our choice:
    the paper does not state the schedule."""
    factor: float = option(0.5, above=0.0, maximum=1.0)
    """By what the deviation is multiplied after every further epoch. Our choice."""
    hold: int = option(0, minimum=0, maximum=_LARGEST)
    """How many further epochs the deviation stays where it started, so that the network is trained before it shrinks.
    Our choice."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlaneConfig(Section, table="plane"):
    """How the trained latent is measured."""

    estimators: tuple[str, ...] = option(("mixture",), choices=("mixture", "knn", "gaussian"))
    """Which estimators, one at least; `gaussian` gives an upper bound on H[Z]. Our choice: the mixture estimator, for
    the noise is known; stated in the paper: nearest neighbours."""
    every: int = option(0, minimum=0, maximum=_LARGEST)
    """Epochs between measurements; 0 measures after the last epoch alone. Our choice."""
    samples: int = option(2000, minimum=2, maximum=_LARGEST)
    """Samples of Z behind each estimate. Our choice: the paper states none."""
    neighbours: int = option(3, minimum=1, maximum=1024)
    """Number k of the nearest neighbour. Our choice: the paper states none."""
    neighbour_samples: int = option(10000, minimum=2, maximum=2**32)
    """How many training samples nearest neighbours are searched among, drawn at random. Our choice: more take long."""
    seed: int = option(0, minimum=0, maximum=2**63 - 1)
    """Seed of the samples. Our choice."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Section):
    """Everything that decides the numbers of one run.

    Raises:
        ConfigError: If a value has the wrong type or is out of range.

    Example:
        >>> config = Config(seed=3)
        >>> config == Config.from_toml(config.to_toml())
        True
        >>> config.with_options(["training.epochs=5"]).training.epochs
        5
    """

    seed: int = option(0, minimum=0, maximum=2**32 - 1)
    """Seed of weights, noise and the order of the batches. Our choice."""
    data: DataConfig = DataConfig()
    """Which data. Our choice, see there."""
    network: NetworkConfig = NetworkConfig()
    """Which encoder. Our choice, see there."""
    bottleneck: BottleneckConfig = BottleneckConfig()
    """What is random in it. Stated in the paper, see there."""
    objective: ObjectiveConfig = ObjectiveConfig()
    """What is minimised. Stated in the paper, see there."""
    training: TrainingConfig = TrainingConfig()
    """How it is minimised. Our choice where the paper is silent, see there."""
    scaling: ScalingConfig = ScalingConfig()
    """Whether the latent is scaled down while it is trained. Stated in the paper for figure 4, see there."""
    plane: PlaneConfig = PlaneConfig()
    """How the result is measured. Our choice, see there."""

    @classmethod
    def required(cls, value: object) -> Self:
        """Return a configuration as it is, and refuse what is none.

        Args:
            value: What was given for a configuration.

        Raises:
            ConfigError: If it is none; the message says what makes one of it.

        Example:
            >>> Config.required({"seed": 1})
            Traceback (most recent call last):
            imeasure.errors.ConfigError: a run needs a Config, not {'seed': 1}: Config.from_mapping(...) makes one of it
        """
        if isinstance(value, cls):
            return value
        remedy = "Config() is one with all defaults, and its with_options([...]) another"
        if isinstance(value, Mapping):
            remedy = "Config.from_mapping(...) makes one of it"
        elif isinstance(value, str | Path):
            remedy = "Config.load(...) reads one from a file"
        raise ConfigError(f"a run needs a Config, not {shown(value)}: {remedy}")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Build a configuration from nested tables; what is not named keeps its default.

        Args:
            mapping: Tables and values, as TOML gives them.

        Raises:
            ConfigError: If a key is unknown (the nearest one is named), or a value cannot be used.
        """
        return typing.cast(Self, section_from(cls, mapping, ""))

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a configuration from TOML text.

        Args:
            text: Tables and values; what is not named keeps its default.

        Raises:
            ConfigError: If the text is not TOML, a key is unknown, or a value cannot be used.
        """
        try:
            mapping = read_toml(text)
        except ValueError as error:
            raise ConfigError(f"the configuration is not valid TOML: {error}") from None
        return cls.from_mapping(mapping)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a configuration file.

        Args:
            path: A TOML file.

        Raises:
            ConfigError: If the file cannot be read, or its content cannot be used.
        """
        return cls.from_toml(read_text(path, "configuration", most=LARGEST))

    def to_toml(self) -> str:
        """Write the configuration as TOML, every value included."""
        return tomli_w.dumps(self.to_mapping())

    def to_mapping(self) -> dict[str, Any]:
        """Return the configuration as nested tables of plain values."""
        return dataclasses.asdict(self)

    def with_options(self, options: str | Sequence[str]) -> Self:
        """Return a copy in which some values are replaced.

        Args:
            options: One text `key=value` or several, the key with dots between tables, the value as in TOML (a bare
                word is a text).

        Raises:
            ConfigError: If an option has no `=`, its key is unknown, or its value cannot be used.
        """
        mapping = self.to_mapping()
        for given in (options,) if isinstance(options, str) else options:
            key, equals, text = given.partition("=")
            if not equals:
                raise ConfigError(f"option {given!r} has no value: write key=value, for example seed=1")
            table, last = keys(mapping).get(key.strip(), (None, ""))
            if table is None:
                raise ConfigError(unknown_key(key.strip(), list(keys(mapping))))
            table[last] = toml_value(text.strip())
        return self.from_mapping(mapping)

    @cached_property
    def digest(self) -> str:
        """Name of the run: 16 hexadecimal digits of the SHA-256 of all values."""
        return hashlib.sha256(json.dumps(self.to_mapping(), sort_keys=True).encode()).hexdigest()[:16]

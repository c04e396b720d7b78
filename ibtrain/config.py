"""What a run is made of, as frozen dataclasses that read and write TOML.

A configuration is plain data: it is checked when it is built (types, ranges, choices), it prints as TOML, and its hash
names the run. Under every field stands whether the value is stated in the paper (Kirsch, Lyle and Gal, "Unpacking
Information Bottlenecks", 2020) or our choice.
"""

import dataclasses
import difflib
import hashlib
import json
import math
import operator
import tomllib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import tomli_w

from ibtrain.errors import ConfigError

ZERO_ENTROPY_VARIANCE = 1 / (2 * math.pi * math.e)
"""Variance at which Gaussian noise has an entropy of 0 nats in every dimension: 1 / (2 pi e)."""

_LARGEST = 2**20  # no size of a run that a computer holds is near it


def _option(
    default: Any,
    *,
    above: float | None = None,
    minimum: float | None = None,
    below: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    limits = {"above": above, "minimum": minimum, "below": below, "maximum": maximum, "choices": tuple(choices)}
    return dataclasses.field(default=default, metadata=limits)


def _hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(typing.cast(Any, cls))}


def _section(cls: type, mapping: object, place: str) -> object:
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{place.removesuffix('.') or 'the configuration'} must be a table, not {mapping!r}")
    hints = _hints(cls)
    values = {}
    for key, value in mapping.items():
        if key not in hints:
            raise ConfigError(_unknown(f"{place}{key}", [f"{place}{name}" for name in hints]))
        inner = hints[key]
        nested = isinstance(inner, type) and issubclass(inner, Section)
        values[key] = _section(inner, value, f"{place}{key}.") if nested else value
    return cls(**values)


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
    return f"unknown key {name!r} in the configuration: {remedy}"


def _keys(mapping: dict[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    keys: dict[str, tuple[dict[str, Any], str]] = {}
    for name, value in mapping.items():
        inner = {f"{name}.{key}": (value, key) for key in value} if isinstance(value, dict) else {name: (mapping, name)}
        keys.update(inner)
    return keys


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _coerced(value: object, hint: Any, name: str) -> object:
    if isinstance(hint, types.GenericAlias):
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{name} must be a list, not {value!r}")
        return tuple(_coerced(item, hint.__args__[0], name) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{name} must be {_article(hint.__name__)}, not {value!r}")
    return value


def _article(kind: str) -> str:
    return {"int": "a whole number", "float": "a number", "str": "a text"}.get(kind, f"a {kind}")


def _check_range(value: object, limits: Mapping[str, Any], name: str) -> None:
    if isinstance(value, tuple):
        for item in value:
            _check_range(item, limits, name)
        return
    choices = limits.get("choices")
    if choices and value not in choices:
        near = difflib.get_close_matches(str(value), choices, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"possible are {', '.join(choices)}"
        raise ConfigError(f"{name} cannot be {value!r}: {remedy}")
    if not isinstance(value, (int, float)):
        return
    if not math.isfinite(value):
        raise ConfigError(f"{name} must be finite, not {value!r}")
    tests: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
        ("above", "greater than", operator.gt),
        ("minimum", "at least", operator.ge),
        ("below", "less than", operator.lt),
        ("maximum", "at most", operator.le),
    )
    for key, words, holds in tests:
        limit = limits.get(key)
        if limit is not None and not holds(value, limit):
            raise ConfigError(f"{name} must be {words} {limit}, not {value!r}")


class Section:
    """Base of every table of a configuration: checks each field's type and range when it is built.

    Raises:
        ConfigError: If a value has the wrong type, is not finite or is out of range.
    """

    _place: typing.ClassVar[str] = ""

    def __init_subclass__(cls, *, table: str = "") -> None:
        """Note the table's name for the messages.

        Args:
            table: Its name in a configuration; nothing for the configuration itself.
        """
        super().__init_subclass__()
        cls._place = f"{table}." if table else ""

    def __post_init__(self) -> None:
        hints = _hints(type(self))
        for field in dataclasses.fields(typing.cast(Any, self)):
            name = f"{self._place}{field.name}"
            value = _coerced(getattr(self, field.name), hints[field.name], name)
            _check_range(value, field.metadata, name)
            object.__setattr__(self, field.name, value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig(Section, table="data"):
    """Which data, and how it is split."""

    name: str = _option("digits", choices=("digits",))
    """Data set. Our choice: `digits` ships with scikit-learn, the paper uses MNIST and CIFAR10."""
    test_fraction: float = _option(0.2, above=0.0, below=1.0)
    """Share of the samples kept for testing, the same in every class. Our choice."""
    split_seed: int = _option(0, minimum=0, maximum=2**32 - 1)
    """Seed of the split; all runs of a sweep share it. Our choice."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig(Section, table="network"):
    """The encoder in front of the bottleneck; the decoder behind it is one linear layer, as stated in the paper."""

    name: str = _option("mlp", choices=("mlp",))
    """Kind of encoder. Our choice for digits: the paper's MLP belongs to its figure 3."""
    hidden: tuple[int, ...] = _option((256, 256), minimum=1, maximum=_LARGEST)
    """Widths of the hidden layers. Our choice: the paper's MLP has 1024, 1024."""
    latent: int = _option(16, minimum=1, maximum=_LARGEST)
    """Dimensions K of the latent Z. Our choice for digits: stated in the paper as 100 for its ResNet18."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BottleneckConfig(Section, table="bottleneck"):
    """The noise that makes Z a random function of X."""

    noise_variance: float = _option(ZERO_ENTROPY_VARIANCE, minimum=1e-12, maximum=1e12)
    """Variance of the Gaussian noise in each dimension. Stated in the paper: 1 / (2 pi e), zero entropy."""
    samples: int = _option(1, minimum=1, maximum=4096)
    """Samples S of the latent for each input. Stated in the paper: one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ObjectiveConfig(Section, table="objective"):
    """What is minimised."""

    statement: str = _option("min I[X;Z] - beta*I[Y;Z]")
    """The objective, in imeasure's language. Stated in the paper: the information bottleneck."""
    surrogate: str = _option("")
    """Which bound takes the regularizer's place, by its name in `surrogates`; without a name the tightest one that
    fits. Stated in the paper: three of them."""
    gamma: float = _option(0.01, minimum=0.0)
    """Weight of the regularizer. Stated in the paper: from 1e-4 to 10 in log space."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(Section, table="training"):
    """How the optimiser walks."""

    epochs: int = _option(60, minimum=1, maximum=_LARGEST)
    """Passes over the training data. Our choice: the paper states none."""
    batch_size: int = _option(128, minimum=1, maximum=_LARGEST)
    """Samples in a batch. Our choice: the paper states none."""
    learning_rate: float = _option(1e-3, above=0.0)
    """Adam's learning rate. Our choice for digits: stated in the paper as 1e-4, which needs far more epochs here."""
    threads: int = _option(1, minimum=1, maximum=256)
    """Threads on a CPU; sums are rounded differently with another number. Our choice: small networks gain nothing."""
    decay: float = _option(0.8, above=0.0, maximum=1.0)
    """Factor of the learning rate when the loss has stopped improving. Stated in the paper: 0.8."""
    patience: int = _option(3, minimum=0, maximum=_LARGEST)
    """Epochs without improvement after which the rate decays. Stated in the paper: more than 3."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlaneConfig(Section, table="plane"):
    """How the trained latent is measured."""

    samples: int = _option(2000, minimum=2, maximum=_LARGEST)
    """Samples of Z behind each estimate. Our choice: the paper uses nearest-neighbour estimates."""
    seed: int = _option(0, minimum=0, maximum=2**63 - 1)
    """Seed of these samples. Our choice."""


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

    seed: int = _option(0, minimum=0, maximum=2**32 - 1)
    """Seed of weights, noise and the order of the batches. Our choice."""
    data: DataConfig = DataConfig()
    """Which data. Our choice, see there."""
    network: NetworkConfig = NetworkConfig()
    """Which encoder. Our choice, see there."""
    bottleneck: BottleneckConfig = BottleneckConfig()
    """Which noise. Stated in the paper, see there."""
    objective: ObjectiveConfig = ObjectiveConfig()
    """What is minimised. Stated in the paper, see there."""
    training: TrainingConfig = TrainingConfig()
    """How it is minimised. Our choice where the paper is silent, see there."""
    plane: PlaneConfig = PlaneConfig()
    """How the result is measured. Our choice, see there."""

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Build a configuration from nested tables; what is not named keeps its default.

        Args:
            mapping: Tables and values, as TOML gives them.

        Raises:
            ConfigError: If a key is unknown (the nearest one is named), or a value cannot be used.
        """
        return typing.cast(Self, _section(cls, mapping, ""))

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a configuration from TOML text.

        Raises:
            ConfigError: If the text is not TOML, a key is unknown, or a value cannot be used.
        """
        try:
            return cls.from_mapping(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"the configuration is not valid TOML: {error}") from None

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a configuration file.

        Raises:
            ConfigError: If the file cannot be read, or its content cannot be used.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the configuration {path}: {error}") from None
        return cls.from_toml(text)

    def to_toml(self) -> str:
        """Write the configuration as TOML, every value included."""
        return tomli_w.dumps(self.to_mapping())

    def to_mapping(self) -> dict[str, Any]:
        """Return the configuration as nested tables of plain values."""
        return dataclasses.asdict(self)

    def with_options(self, options: Sequence[str]) -> Self:
        """Return a copy in which some values are replaced.

        Args:
            options: Texts `key=value`, the key with dots between tables, the value as in TOML (a bare word is a text).

        Raises:
            ConfigError: If an option has no `=`, its key is unknown, or its value cannot be used.
        """
        mapping = self.to_mapping()
        for option in options:
            key, equals, text = option.partition("=")
            if not equals:
                raise ConfigError(f"option {option!r} has no value: write key=value, for example seed=1")
            table, last = _keys(mapping).get(key.strip(), (None, ""))
            if table is None:
                raise ConfigError(_unknown(key.strip(), list(_keys(mapping))))
            table[last] = _toml_value(text.strip())
        return self.from_mapping(mapping)

    @property
    def digest(self) -> str:
        """Name of the run: 16 hexadecimal digits of the SHA-256 of all values."""
        return hashlib.sha256(json.dumps(self.to_mapping(), sort_keys=True).encode()).hexdigest()[:16]

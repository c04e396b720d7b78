"""Experiments as data: a base configuration, and the values that are varied.

The demo walks the whole way on scikit-learn's digits: three surrogates of one regularizer, gamma from 1e-4 to 10 in log
space, as in figures 5 and 6 of Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020).
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

import tomli_w

from ibtrain.config import Config
from ibtrain.errors import ConfigError
from ibtrain.runs import write_text
from ibtrain.sweeps import grid

SURROGATES = ("LogVar[Z|Y]", "LogVar[Z]", "SquaredNorm[Z]")
"""The paper's three surrogates of the regularizer, the tightest first."""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A sweep over every combination of some values.

    Args:
        name: What it is called.
        base: Everything that is not varied.
        varied: Values by key of the configuration, with dots between tables; the last one varies fastest.

    Raises:
        ConfigError: If a key is unknown, or a value cannot be used.

    Example:
        >>> Experiment("mine", Config(), {"objective.gamma": (0.1, 1.0), "seed": (0, 1, 2)})
        Experiment(mine: 2 objective.gamma x 3 seed)
    """

    name: str
    base: Config
    varied: Mapping[str, tuple[object, ...]]

    def __post_init__(self) -> None:
        varied = {key: tuple(values) for key, values in self.varied.items()}
        object.__setattr__(self, "varied", MappingProxyType(varied))
        self.configs()

    def __repr__(self) -> str:
        return f"Experiment({self.name}: {' x '.join(f'{len(v)} {key}' for key, v in self.varied.items())})"

    def configs(self) -> tuple[Config, ...]:
        """Return one configuration for each run."""
        return grid(self.base, self.varied)

    def save(self, folder: str | Path) -> None:
        """Write the experiment: the base as `config.toml`, what is varied as the table `[varied]` of `sweep.toml`.

        Args:
            folder: Where the two files go.

        Raises:
            ConfigError: If they cannot be written.
        """
        varied = {key: list(values) for key, values in self.varied.items()}
        write_text(Path(folder) / "config.toml", self.base.to_toml())
        write_text(Path(folder) / "sweep.toml", tomli_w.dumps({"name": self.name, "varied": varied}))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read an experiment that `save` wrote.

        Args:
            folder: Where the two files are.

        Raises:
            ConfigError: If a file cannot be read, or its content cannot be used.

        Example:
            >>> import tempfile
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     DEMO.save(folder)
            ...     Experiment.load(folder) == DEMO
            True
        """
        path = Path(folder) / "sweep.toml"
        base = Config.load(Path(folder) / "config.toml")
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(name=found["name"], base=base, varied={key: tuple(v) for key, v in found["varied"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"cannot read the sweep {path}: {error!r}; it needs what Experiment.save writes"
            ) from None


DEMO = Experiment(
    name="demo",
    base=Config().with_options(["training.epochs=40"]),
    varied={"objective.surrogate": SURROGATES, "objective.gamma": (1e-4, 1e-3, 1e-2, 1e-1, 0.3, 1.0, 3.0, 10.0)},
)
"""The demo: 24 runs, two to three minutes on two cores at most."""

DEMO_FAST = Experiment(
    name="demo-fast",
    base=Config().with_options(["training.epochs=8", "network.hidden=[64]", "network.latent=8", "plane.samples=400"]),
    varied={"objective.surrogate": SURROGATES, "objective.gamma": (1e-3, 1.0)},
)
"""The same way in seconds: 6 short runs, to see that everything works."""

"""Experiments as data: a base configuration, and the values that are varied.

The demo walks the whole way on scikit-learn's digits: three surrogates of one regularizer, gamma from 1e-4 to 10 in log
space, as in figures 5 and 6 of Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020).
"""

import dataclasses
import tomllib
from pathlib import Path
from typing import Self

import tomli_w

from ibtrain.config import Config
from ibtrain.errors import ConfigError
from ibtrain.runs import write_text


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A sweep over surrogates, gammas and seeds.

    Args:
        name: What it is called.
        base: Everything that is not varied.
        gammas: Weights of the regularizer.
        surrogates: Its bounds.
        seeds: Seeds of the runs.

    Example:
        >>> len(DEMO.configs()) == len(DEMO.gammas) * len(DEMO.surrogates)
        True
    """

    name: str
    base: Config
    gammas: tuple[float, ...]
    surrogates: tuple[str, ...] = ("LogVar[Z|Y]", "LogVar[Z]", "SquaredNorm[Z]")
    seeds: tuple[int, ...] = (0,)

    def configs(self) -> tuple[Config, ...]:
        """Return one configuration for each run."""
        return tuple(
            dataclasses.replace(
                self.base,
                seed=seed,
                objective=dataclasses.replace(self.base.objective, surrogate=surrogate, gamma=gamma),
            )
            for seed in self.seeds
            for surrogate in self.surrogates
            for gamma in self.gammas
        )

    def save(self, folder: str | Path) -> None:
        """Write the experiment: the base as `config.toml`, what is varied as the table `[sweep]` of `sweep.toml`.

        Args:
            folder: Where the two files go.

        Raises:
            ConfigError: If they cannot be written.
        """
        varied = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "base"}
        write_text(Path(folder) / "config.toml", self.base.to_toml())
        write_text(Path(folder) / "sweep.toml", tomli_w.dumps({"sweep": varied}))

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
            varied = tomllib.loads(path.read_text(encoding="utf-8"))["sweep"]
            name = varied.pop("name")
            experiment = cls(name=name, base=base, **{key: tuple(values) for key, values in varied.items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"cannot read the sweep {path}: {error!r}; it needs what Experiment.save writes"
            ) from None
        experiment.configs()
        return experiment


DEMO = Experiment(
    name="demo",
    base=Config().with_options(["training.epochs=40"]),
    gammas=(1e-4, 1e-3, 1e-2, 1e-1, 0.3, 1.0, 3.0, 10.0),
)
"""The demo: 24 runs, two to three minutes on two cores at most."""

DEMO_FAST = Experiment(
    name="demo-fast",
    base=Config().with_options(["training.epochs=8", "network.hidden=[64]", "network.latent=8", "plane.samples=400"]),
    gammas=(1e-3, 1.0),
)
"""The same way in seconds: 6 short runs, to see that everything works."""

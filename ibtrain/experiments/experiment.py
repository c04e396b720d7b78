"""An experiment as data: a base configuration, the values that are varied, and cases that differ in several values.

It is a file, too: `config.toml` holds the base, `sweep.toml` what is varied over it, so a folder of results says how to
repeat them.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

import tomli_w

from ibtrain.config import Config
from ibtrain.config.fields import LARGEST
from ibtrain.config.sections import assignment, read_toml
from ibtrain.errors import ConfigError
from ibtrain.runs import write_text
from ibtrain.sweeps import MOST_RUNS, grid, value_lists
from imeasure.errors import shown
from imeasure.files import read_text


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A sweep over every combination of some values, in one or several cases.

    Args:
        name: What it is called.
        base: Everything that is not varied.
        varied: Values by key of the configuration, with dots between tables; the last one varies fastest.
        cases: Values by key that belong together; every case is swept in full. Without cases the base alone is.

    Raises:
        ConfigError: If a key is unknown or has no list of values, or a value cannot be used.

    Example:
        >>> Experiment("mine", Config(), {"objective.gamma": (0.1, 1.0), "seed": (0, 1, 2)})
        Experiment(mine: 2 objective.gamma x 3 seed)
        >>> noises = ({"bottleneck.kind": "dropout"}, {"bottleneck.kind": "noisy-dropout", "bottleneck.samples": 4})
        >>> Experiment("mine", Config(), {"seed": (0, 1, 2)}, noises)
        Experiment(mine: 2 cases x 3 seed)
    """

    name: str
    base: Config
    varied: Mapping[str, tuple[object, ...]]
    cases: tuple[Mapping[str, object], ...] = ()

    def __post_init__(self) -> None:
        varied = value_lists(self.varied)
        object.__setattr__(self, "varied", MappingProxyType(varied))
        object.__setattr__(self, "cases", tuple(MappingProxyType(dict(case)) for case in self.cases))
        if not isinstance(self.name, str):
            raise ConfigError(f"an experiment is named by a text, not by {shown(self.name)}")
        if len(self.cases or (1,)) * math.prod(map(len, varied.values())) > MOST_RUNS:
            raise ConfigError(f"{self.name} has more than {MOST_RUNS} runs: vary fewer values, or make several of it")
        self.configs()

    def __repr__(self) -> str:
        parts = [f"{len(self.cases)} cases"] if self.cases else []
        parts += [f"{len(values)} {key}" for key, values in self.varied.items()]
        return f"Experiment({self.name}: {' x '.join(parts)})"

    def configs(self) -> tuple[Config, ...]:
        """Return one configuration for each run."""
        bases = [self.base.with_options([assignment(*one) for one in case.items()]) for case in self.cases]
        return tuple(config for base in bases or [self.base] for config in grid(base, self.varied))

    def with_options(self, options: Sequence[str]) -> Self:
        """Return the experiment with some values of its base replaced; what is varied stays varied.

        Args:
            options: Texts `key=value`, as `Config.with_options` takes them.

        Raises:
            ConfigError: If an option cannot be used, or the experiment itself sets its key.
        """
        set_here = {*self.varied, *(key for case in self.cases for key in case)}
        for key in (option.partition("=")[0].strip() for option in options):
            if key in set_here:
                raise ConfigError(f"{self.name} varies {key} itself, so it cannot be set")
        return dataclasses.replace(self, base=self.base.with_options(options))

    def save(self, folder: str | Path) -> None:
        """Write the experiment: the base as `config.toml`, the rest as `sweep.toml`.

        There, `[varied]` holds the values that are varied, and `[[cases]]` the cases, if there are any.

        Args:
            folder: Where the two files go.

        Raises:
            ConfigError: If they cannot be written.
        """
        content: dict[str, object] = {"name": self.name}
        content["varied"] = {key: list(values) for key, values in self.varied.items()}
        if self.cases:
            content["cases"] = [dict(case) for case in self.cases]
        write_text(Path(folder) / "config.toml", self.base.to_toml())
        write_text(Path(folder) / "sweep.toml", tomli_w.dumps(content))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read an experiment that `save` wrote.

        Args:
            folder: Where the two files are.

        Raises:
            ConfigError: If a file cannot be read, or its content cannot be used.

        Example:
            >>> import tempfile
            >>> mine = Experiment("mine", Config(), {"objective.gamma": (0.1, 1.0)})
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     mine.save(folder)
            ...     Experiment.load(folder) == mine
            True
        """
        path = Path(folder) / "sweep.toml"
        base = Config.load(Path(folder) / "config.toml")
        text = read_text(path, "sweep", most=LARGEST)
        try:
            found = read_toml(text)
            return cls(found["name"], base, found["varied"], tuple(found.get("cases", ())))
        except (ConfigError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"cannot read the sweep {path}: {shown(error)}; it needs what Experiment.save writes"
            ) from None

"""The paper's figures as experiments, one set for each preset.

Source: Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 7. Stated there, for each figure:

* 3: categorical Z with 100 values; permuted MNIST with an MLP 784-1024-1024-100, CIFAR10 with a ResNet18; a decoder
  100-1024-1024-10 applied to the codes; decoder uncertainty, decoder cross-entropy and prediction cross-entropy are
  minimised in turn; 8 trials; metrics on the training data.
* 4: MNIST, the dropout CNN of PyTorch's examples with 128 dimensions, a linear decoder, 12 dropout samples; after each
  epoch Z is normalised and scaled; without noise, and with noise of zero entropy.
* 5 and 6: CIFAR10, ResNet18 with 100 dimensions and noise of zero entropy, a linear decoder, one sample; three
  surrogates; gamma from 1e-4 to 10 in log space; nearest neighbours on the training data.
* 1: the same with the squared norm, over epochs.

Everywhere Adam with a rate of 1e-4 that is multiplied with 0.8 on a plateau of more than 3 epochs. Our choices, for
the paper states none: epochs, batches, how many gammas, seeds where it counts no trials, the schedule of figure 4,
gamma = 0 beside figure 1, k = 3 neighbours, and the mixture estimator beside nearest neighbours, the better one as the
noise is known. What a preset changes beyond that, it says.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ibtrain.config import Config
from ibtrain.config.sections import assignment
from ibtrain.errors import ConfigError
from ibtrain.experiments.demo import SURROGATES
from ibtrain.experiments.experiment import Experiment

FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "fig1": "ways through the information plane",
        "fig3": "decoder uncertainty and cross-entropies",
        "fig4": "training error as Z is scaled down",
        "fig5": "entropies against gamma",
        "fig6": "information plane",
    }
)
"""What the figures that can be reproduced show. Figure 2 is an information diagram, which `imeasure diagram` draws."""

GAMMAS = tuple(float(f"{10 ** (power / 2):.3g}") for power in range(-8, 3))
"""Eleven weights from 1e-4 to 10, evenly spaced in log space."""

LOSSES = ("Exact[Y|Z]", "CE[Y|Z]", "Prediction[Y|Z]")
"""What figure 3 minimises: decoder uncertainty, decoder cross-entropy, prediction cross-entropy."""

Options = Mapping[str, object]


@dataclasses.dataclass(frozen=True)
class Preset:
    """The figures in one size.

    Args:
        name: What it is called.
        about: What it is, and how long it takes where.
        experiments: One for each figure, named by it; a figure on several data sets has several, `fig3-cifar10`.

    Example:
        >>> [experiment.name for experiment in PRESETS["mnist"].experiments]
        ['fig3', 'fig4']
    """

    name: str
    about: str
    experiments: tuple[Experiment, ...]

    def of(self, figure: str) -> tuple[Experiment, ...]:
        """Return the experiments of one figure, or of all.

        Args:
            figure: `fig1`, `fig3` to `fig6`, or `all`.

        Raises:
            ConfigError: If the preset has no such figure.

        Example:
            >>> PRESETS["digits"].of("fig4")
            (Experiment(fig4: 2 cases x 3 seed),)
        """
        if figure not in ("all", *FIGURES):
            raise ConfigError(f"there is no figure {figure!r} to reproduce: choose {', '.join(FIGURES)} or all")
        found = tuple(one for one in self.experiments if figure in ("all", figure_of(one)))
        if not found:
            mine = ", ".join(dict.fromkeys(map(figure_of, self.experiments)))
            raise ConfigError(f"the preset {self.name} has {mine}, but no {figure}: choose another preset")
        return found


def figure_of(experiment: Experiment) -> str:
    """Return which figure an experiment makes.

    Args:
        experiment: One of a preset.
    """
    return experiment.name.partition("-")[0]


def _config(*tables: Options) -> Config:
    options = {key: value for table in tables for key, value in table.items()}
    return Config().with_options([assignment(*one) for one in options.items()])


def _cross_entropies(name: str, *tables: Options, trials: int) -> Experiment:
    """Figure 3; the prediction cross-entropy does not bound H[Y|Z], so the guarantee is not required there."""
    fixed = {
        "objective.statement": "min H[Y|Z]",
        "objective.gamma": 0,
        "bottleneck.kind": "categorical",
        "network.latent": 100,
    }
    cases = [{"objective.loss": loss, "objective.guarantee": "require"} for loss in LOSSES]
    cases[-1]["objective.guarantee"] = "warn"
    return Experiment(name, _config(fixed, *tables), {"seed": tuple(range(trials))}, tuple(cases))


def _scaling(*tables: Options, without: Options, noisy: Options, trials: int) -> Experiment:
    """Figure 4; the two kinds of latent have schedules of their own, for one falls without end and the other to 0."""
    fixed = {
        "objective.statement": "min H[Y|Z]",
        "objective.gamma": 0,
        "network.name": "cnn",
        "bottleneck.samples": 12,
        "scaling.start": 1.0,
        "plane.every": 1,
        "plane.estimators": ["knn", "gaussian"],
    }
    cases = ({"bottleneck.kind": "dropout", **without}, {"bottleneck.kind": "noisy-dropout", **noisy})
    return Experiment("fig4", _config(fixed, *tables), {"seed": tuple(range(trials))}, cases)


def _planes(*tables: Options, gammas: Iterable[float], seeds: int, every: int) -> tuple[Experiment, ...]:
    """Figures 1, 5 and 6; runs that they share have equal configurations, so they are trained once."""
    base = _config({"plane.estimators": ["mixture", "knn"]}, *tables)
    gammas, trials = tuple(gammas), tuple(range(seeds))
    ends: tuple[Options, ...] = tuple({"objective.surrogate": name} for name in SURROGATES[:-1])
    ways: Options = {"objective.surrogate": SURROGATES[-1], "plane.every": every}
    return (
        Experiment("fig1", base, {"objective.gamma": (0.0, *gammas), "seed": trials}, (ways,)),
        *(
            Experiment(name, base, {"objective.gamma": gammas, "seed": trials}, (*ends, ways))
            for name in ("fig5", "fig6")
        ),
    )


def _sorted(*experiments: Experiment) -> tuple[Experiment, ...]:
    return tuple(sorted(experiments, key=lambda one: one.name))


_STATED = {"training.learning_rate": 1e-4}
_MLP = {"network.name": "mlp", "network.hidden": [1024, 1024], "network.decoder": [1024, 1024]}
_RESNET = {"network.name": "resnet18", "training.channels_last": True}

_DIGITS = Preset(
    "digits",
    "all five figures on scikit-learn's digits",
    _sorted(
        _cross_entropies("fig3", _MLP, {"training.epochs": 20}, trials=5),
        _scaling(
            without={"training.epochs": 32, "scaling.hold": 20, "scaling.factor": 1e-4},
            noisy={"training.epochs": 32, "scaling.hold": 12, "scaling.factor": 0.83},
            trials=3,
        ),
        *_planes({"training.epochs": 40}, gammas=GAMMAS, seeds=2, every=2),
    ),
)

_SMALL = {"training.epochs": 4, "plane.samples": 200, "data.samples": 400}

_DIGITS_FAST = Preset(
    "digits-fast",
    "the digits' figures in a minute or two: few and short runs, to see that everything works",
    _sorted(
        _cross_entropies("fig3", _SMALL, {"network.hidden": [32], "network.decoder": [32]}, trials=2),
        _scaling(
            _SMALL,
            {"bottleneck.samples": 2, "network.latent": 4},
            without={"scaling.factor": 1e-4},
            noisy={"scaling.factor": 0.5},
            trials=2,
        ),
        *_planes(_SMALL, {"network.hidden": [32], "network.latent": 4}, gammas=(1e-3, 0.1, 10.0), seeds=2, every=1),
    ),
)

_MNIST = Preset(
    "mnist",
    "figures 3 and 4 on MNIST, with a rate that falls along a cosine in 3, on a part of the images in 4",
    _sorted(
        _cross_entropies(
            "fig3",
            _MLP,
            {"data.name": "permuted-mnist", "training.batch_size": 256},
            {"training.epochs": 10, "training.schedule": "cosine"},
            trials=3,
        ),
        _scaling(
            {"data.name": "mnist", "data.samples": 1000, "data.test_samples": 500, "network.latent": 128},
            {"training.batch_size": 32},
            without={"training.epochs": 16, "scaling.hold": 8, "scaling.factor": 1e-6},
            noisy={"training.epochs": 21, "scaling.hold": 8, "scaling.factor": 0.75},
            trials=1,
        ),
    ),
)

_PHOTOS = {"data.name": "cifar10", "data.augment": True, "network.latent": 100}

_CIFAR10 = Preset(
    "cifar10",
    "figures 1, 3, 5 and 6 with ResNet18 on CIFAR10, sized for minutes on a GPU",
    _sorted(
        _cross_entropies(
            "fig3",
            _RESNET,
            _PHOTOS,
            {"network.decoder": [1024, 1024], "training.batch_size": 512, "training.epochs": 10},
            {"training.precision": "bf16-mixed"},
            trials=1,
        ),
        *_planes(
            _RESNET,
            _PHOTOS,
            {"training.batch_size": 512, "training.epochs": 10, "training.precision": "bf16-mixed"},
            gammas=(1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0),
            seeds=1,
            every=1,
        ),
    ),
)

_PAPER = Preset(
    "paper",
    "all figures as the paper states them: days on one GPU, meant for a cluster",
    _sorted(
        _cross_entropies("fig3", _STATED, _MLP, {"data.name": "permuted-mnist", "training.epochs": 100}, trials=8),
        _cross_entropies(
            "fig3-cifar10",
            _STATED,
            _RESNET,
            _PHOTOS,
            {"network.decoder": [1024, 1024], "training.epochs": 100},
            trials=8,
        ),
        _scaling(
            _STATED,
            {"data.name": "mnist", "network.latent": 128},
            without={"training.epochs": 60, "scaling.hold": 39, "scaling.factor": 1e-2},
            noisy={"training.epochs": 60, "scaling.hold": 20, "scaling.factor": 0.9},
            trials=8,
        ),
        *_planes(_STATED, _RESNET, _PHOTOS, {"training.epochs": 100}, gammas=GAMMAS, seeds=8, every=2),
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {preset.name: preset for preset in (_DIGITS, _DIGITS_FAST, _MNIST, _CIFAR10, _PAPER)}
)
"""The figures in several sizes, by name."""

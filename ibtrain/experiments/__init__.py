"""Experiments as data: the demo, and the figures of the paper in several sizes."""

from ibtrain.experiments.demo import DEMO, DEMO_FAST, SURROGATES
from ibtrain.experiments.experiment import Experiment
from ibtrain.experiments.figures import FIGURES, GAMMAS, LOSSES, PRESETS, Preset, figure_of

__all__ = [
    "DEMO",
    "DEMO_FAST",
    "FIGURES",
    "GAMMAS",
    "LOSSES",
    "PRESETS",
    "SURROGATES",
    "Experiment",
    "Preset",
    "figure_of",
]

"""The information bottleneck of a finite joint distribution: its self-consistent equations, and the curve they give."""

from imeasure.bottleneck.arimoto import blahut_arimoto
from imeasure.bottleneck.curve import InformationCurve

__all__ = ["InformationCurve", "blahut_arimoto"]

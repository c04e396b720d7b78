"""Finite distributions: tables with names, the entropy vector and the signed measure, examples, and samples."""

from imeasure.distribution.examples import EXAMPLES, Example
from imeasure.distribution.joint import Distribution
from imeasure.distribution.samples import Samples
from imeasure.distribution.values import Atoms

__all__ = ["EXAMPLES", "Atoms", "Distribution", "Example", "Samples"]

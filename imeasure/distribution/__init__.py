"""Finite distributions: tables with names, the entropy vector and the signed measure, named and random examples."""

from imeasure.distribution.examples import EXAMPLES, Example
from imeasure.distribution.joint import Distribution
from imeasure.distribution.values import Atoms

__all__ = ["EXAMPLES", "Atoms", "Distribution", "Example"]

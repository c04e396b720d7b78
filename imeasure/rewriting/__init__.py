"""Rewriting: canonical forms of objectives with their derivations, and shortest equal expressions."""

from imeasure.rewriting.comparison import equivalent
from imeasure.rewriting.equivalence import Equivalence
from imeasure.rewriting.fewest import Shortest, shortest
from imeasure.rewriting.form import CanonicalForm
from imeasure.rewriting.simplification import simplify

__all__ = ["CanonicalForm", "Equivalence", "Shortest", "equivalent", "shortest", "simplify"]

"""Proving and refuting relations of information quantities: closure of the facts, linear programs, counterexamples."""

from imeasure.prove.check import check
from imeasure.prove.verdict import Refutation, Verdict

__all__ = ["Refutation", "Verdict", "check"]

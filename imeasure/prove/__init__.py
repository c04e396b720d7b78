"""Proving and refuting relations of information quantities: closure of the facts, linear programs, counterexamples."""

from imeasure.prove.decide import check
from imeasure.prove.mixtures import UniformMixture
from imeasure.prove.ranges import RangeProof, prove_range, valid_range
from imeasure.prove.verdict import Refutation, Verdict

__all__ = ["RangeProof", "Refutation", "UniformMixture", "Verdict", "check", "prove_range", "valid_range"]

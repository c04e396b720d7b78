"""Rewriting objectives: from what a paper prints to a loss plus a weight times a regularizer, with its derivation."""

from imeasure.rewriting.canonical import CanonicalForm, simplify

__all__ = ["CanonicalForm", "simplify"]

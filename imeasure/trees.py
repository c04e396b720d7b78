"""Syntax trees: what a statement says, as frozen data without sympy.

Coefficients are exact fractions; :mod:`imeasure.syntax` makes trees from text, :mod:`imeasure.parser` and the prover
read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Quantity(NamedTuple):
    """An information quantity or functional as written: ``name[groups|given]``."""

    name: str
    groups: tuple[tuple[str, ...], ...]
    given: tuple[str, ...]


class Parameter(NamedTuple):
    """A real parameter."""

    name: str


class Sum(NamedTuple):
    """A sum of nodes."""

    terms: tuple[Node, ...]


class Product(NamedTuple):
    """A product of two nodes."""

    left: Node
    right: Node


class Quotient(NamedTuple):
    """A quotient; no quantity occurs in the divisor."""

    left: Node
    right: Node


class Power(NamedTuple):
    """An integer power; no quantity occurs in the base."""

    base: Node
    exponent: int


Node = Fraction | Quantity | Parameter | Sum | Product | Quotient | Power


@dataclass(frozen=True, slots=True)
class RelationTree:
    """Expressions joined by relations; a single expression has no relation."""

    expressions: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectiveTree:
    """``min`` or ``max`` of an expression."""

    sense: str
    expression: Node


@dataclass(frozen=True, slots=True)
class ConstraintTree:
    """A Markov chain or an independence of groups of variables."""

    kind: str
    groups: tuple[tuple[str, ...], ...]
    given: tuple[str, ...]


Statement = RelationTree | ObjectiveTree | ConstraintTree


def has_quantity(node: Node) -> bool:
    """Return whether a quantity occurs in a node."""
    if isinstance(node, Quantity):
        return True
    if isinstance(node, Sum):
        return any(map(has_quantity, node.terms))
    if isinstance(node, Product | Quotient):
        return has_quantity(node.left) or has_quantity(node.right)
    return isinstance(node, Power) and has_quantity(node.base)

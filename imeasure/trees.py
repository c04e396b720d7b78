"""Syntax trees: what a statement says, as frozen data without sympy.

Coefficients are exact fractions; :mod:`imeasure.syntax` makes trees from text, :mod:`imeasure.parser` and the prover
read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Literal, NamedTuple

Operator = Literal["<=", ">=", "="]
Sense = Literal["min", "max"]
ConstraintKind = Literal["markov", "independence"]

RELATIONS: dict[str, Operator] = {"<=": "<=", ">=": ">=", "=": "=", "==": "="}
"""What stands between the sides of a relation, as it may be written."""


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
    operators: tuple[Operator, ...]


@dataclass(frozen=True, slots=True)
class ObjectiveTree:
    """``min`` or ``max`` of an expression."""

    sense: Sense
    expression: Node


@dataclass(frozen=True, slots=True)
class ConstraintTree:
    """A Markov chain or an independence of groups of variables."""

    kind: ConstraintKind
    groups: tuple[tuple[str, ...], ...]
    given: tuple[str, ...]


Statement = RelationTree | ObjectiveTree | ConstraintTree


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes that a node joins."""
    if isinstance(node, Sum):
        return node.terms
    if isinstance(node, Product | Quotient):
        return node.left, node.right
    return (node.base,) if isinstance(node, Power) else ()


def has_quantity(node: Node) -> bool:
    """Return whether a quantity occurs in a node; a divisor and the base of a power have none."""
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, Quantity):
            return True
        stack.extend(children(top))
    return False


def size(node: Node, most: int) -> int:
    """Return how many terms an expression has when it is written out over its common denominator.

    Args:
        node: An expression, of bounded height.
        most: A number beyond which it does not matter how many there are.

    Returns:
        An upper bound of the number of terms, or a number above ``most``.

    Example:
        >>> sum_of_two = Sum((Parameter("a"), Parameter("b")))
        >>> size(Product(sum_of_two, Power(sum_of_two, 8)), 1000)
        18
    """
    divisors = set[Node]()

    def written(node: Node) -> int:
        match node:
            case Sum(terms):
                return min(sum(map(written, terms)), most + 1)
            case Product(left, right):
                return min(written(left) * written(right), most + 1)
            case Quotient(left, right):
                divisors.add(right)
                return written(left)
            case Power(base, exponent):
                return min(comb(written(base) + abs(exponent) - 1, abs(exponent)), most + 1)
            case _:
                return 1

    found = written(node)
    while divisors and found <= most:
        found *= written(divisors.pop())
    return found

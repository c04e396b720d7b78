"""Plain statements read at one glance: sums of rational multiples of H and I, and Markov chains, in ASCII.

Most statements that people check are of this form. One regular expression takes a whole term at a time, so that they
are read several times as fast as by the grammar of :mod:`imeasure.syntax`, which gives the same tree and reads all
other texts, wrong ones among them.
"""

from __future__ import annotations

import re
from fractions import Fraction

from imeasure.names import MAX_GROUPS
from imeasure.trees import RELATIONS, ConstraintTree, Node, Operator, Product, Quantity, RelationTree, Sum

LONGEST = 3_000
"""Longest text, in characters, that is tried."""

# Blanks are taken all at once (*+) and never given back, so that many of them are not split up in every way there is.
_NAME = r"(?!(?:H|I|CE|KL)\b|[Mm]in|[Mm]ax)[A-Za-z][A-Za-z0-9]{0,99}(?![A-Za-z0-9])"
_GROUP = rf"{_NAME}(?:\ *+,\ *+{_NAME})*"
_GROUPS = rf"{_GROUP}(?:\ *+;\ *+{_GROUP}){{1,{MAX_GROUPS - 1}}}"
_TERM = re.compile(
    rf"""\ *+([-+]?)\ *+
    (?:(?:(\d{{1,9}})(?:\ *+/\ *+([1-9]\d{{0,8}}))?\ *+\*?\ *+)?
       (?:H\ *+([(\[])\ *+({_GROUP})|I\ *+([(\[])\ *+({_GROUPS}))(?:\ *+\|\ *+({_GROUP}))?\ *+([)\]])
      |(\d{{1,9}}))
    \ *+(<=|>=|==?|(?=[-+])|\Z)|(.)""",
    re.VERBOSE | re.DOTALL,
)
_CHAIN = re.compile(rf"\ *+{_GROUP}(?:\ *+->\ *+{_GROUP})+\ *+|\ *+{_GROUP}(?:\ *+-\ *+{_GROUP}){{2,}}\ *+")
_CLOSING = {"[": "]", "(": ")", "": ""}
_MINUS = Fraction(-1)
_UNITS = {value: Fraction(value) for value in range(10)}
"""Small numbers, made once."""


def read_plain(text: str) -> RelationTree | ConstraintTree | None:
    """Read a plain statement.

    Args:
        text: Any text.

    Returns:
        Its tree, or None if the text is not plain.

    Example:
        >>> read_plain("X,W -> Y -> Z").groups
        (('X', 'W'), ('Y',), ('Z',))
        >>> read_plain("beta*H[X]") is None
        True
    """
    if len(text) > LONGEST:
        return None
    if "(" not in text and "[" not in text and _CHAIN.fullmatch(text):
        return ConstraintTree("markov", tuple(map(_names, text.replace("->", "-").split("-"))), ())
    expressions: list[Node] = []
    operators: list[Operator] = []
    terms: list[Node] = []
    for sign, top, bottom, one, joint, two, groups, given, closing, constant, operator, other in _TERM.findall(text):
        if other or closing not in _CLOSING[one or two]:
            return None
        term: Node = Fraction(int(constant)) if constant else _quantity(joint, groups, given)
        if top:
            size = int(top)
            term = Product(Fraction(size, int(bottom)) if bottom else _UNITS.get(size) or Fraction(size), term)
        if sign == "-":
            term = Fraction(-int(constant)) if constant else Product(_MINUS, term)
        terms.append(term)
        if operator:
            operators.append(RELATIONS[operator])
            expressions.append(terms[0] if len(terms) == 1 else Sum(tuple(terms)))
            terms = []
    if not terms:
        return None
    expressions.append(terms[0] if len(terms) == 1 else Sum(tuple(terms)))
    return RelationTree(tuple(expressions), tuple(operators))


def _quantity(joint: str, groups: str, given: str) -> Quantity:
    condition = _names(given) if given else ()
    if joint:
        return Quantity("H", (_names(joint),), condition)
    return Quantity("I", tuple([_names(group) for group in groups.split(";")]), condition)


def _names(group: str) -> tuple[str, ...]:
    bare = group.replace(" ", "")
    return tuple(bare.split(",")) if "," in bare else (bare,)

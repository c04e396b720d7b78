r"""From text to a syntax tree: the one grammar of Python strings, command line and TOML files.

Hand-written recursive descent, so that reading a statement takes tens of microseconds and an error can say what was
expected at which character. Nothing here knows sympy, and no user text is ever evaluated.

::

    statement    := ("min" | "max") sum | sum (("<=" | ">=" | "=") sum)* | chain | independence
    chain        := group ("->" group)+           X,W -> Y -> Z; dashes between at least three groups too: X - Y - Z
    independence := group ("_||_" group)+ ("|" group)?
    sum          := ("+" | "-")? product (("+" | "-") product)*
    product      := factor (("*" | "/" | nothing) factor)*    nothing: 2 H[X], b H[X], (b-1) H[X], \beta\gamma; not a b
    factor       := ("+" | "-") factor | primary ("^" integer)?
    primary      := number | parameter | quantity | "(" sum ")"
    quantity     := ("H" | "I" | "CE" | "KL" | name) "[" group (";" group)* ("|" group)? "]"
    group        := variable ("," variable)*
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from imeasure.expressions import ExpressionReader
from imeasure.plain import read_plain
from imeasure.trees import (
    RELATIONS,
    ConstraintKind,
    ConstraintTree,
    Node,
    ObjectiveTree,
    Operator,
    Parameter,
    Power,
    Product,
    Quantity,
    Quotient,
    RelationTree,
    Sense,
    Statement,
    Sum,
    has_quantity,
)

__all__ = [
    "ConstraintTree",
    "Node",
    "ObjectiveTree",
    "Parameter",
    "Power",
    "Product",
    "Quantity",
    "Quotient",
    "RelationTree",
    "Statement",
    "Sum",
    "divisors",
    "has_quantity",
    "read",
]

FUNCTIONALS = ("CE", "KL")
"""Functionals that need no declaration."""


def read(text: str, functionals: Iterable[str] = ()) -> Statement:
    """Read a statement.

    Args:
        text: A statement in ASCII, Unicode or LaTeX.
        functionals: Names of functionals beyond ``CE`` and ``KL``, such as ``LogVar``.

    Returns:
        Its syntax tree.

    Raises:
        ParseError: If the text is not in the language; the message shows where and what was expected.

    Example:
        >>> read("X -> Y -> Z")
        ConstraintTree(kind='markov', groups=(('X',), ('Y',), ('Z',)), given=())
    """
    plain = read_plain(text) if isinstance(text, str) else None
    return plain or read_general(text, functionals)


def read_general(text: str, functionals: Iterable[str] = ()) -> Statement:
    """Read a statement by the whole grammar, which plain texts do not need.

    Args:
        text: A statement in ASCII, Unicode or LaTeX.
        functionals: Names of functionals beyond ``CE`` and ``KL``.

    Returns:
        Its syntax tree.

    Raises:
        ParseError: If the text is not in the language.
    """
    return _StatementReader(text, frozenset(FUNCTIONALS).union(functionals)).statement()


def divisors(text: str, functionals: Iterable[str] = ()) -> list[tuple[Node, int, int]]:
    """Return the divisors of a statement and where they stand, for the message about one that vanishes.

    Args:
        text: A statement that :func:`read` reads.
        functionals: Names of functionals beyond ``CE`` and ``KL``.

    Returns:
        Each divisor with the place of its first character, and one past its last; inner ones first.

    Example:
        >>> [place for _, *place in divisors("H[X]/(a-a) + H[Y]")]
        [[5, 10]]
    """
    reader = _StatementReader(text, frozenset(FUNCTIONALS).union(functionals))
    reader.statement()
    return reader.divisors


class _StatementReader(ExpressionReader):
    """A reader of whole statements."""

    def statement(self) -> Statement:
        if self.token.kind == "end":
            raise self.fail("the text is empty; expected a statement such as 'min I[X;Z] - beta*I[Y;Z]'")
        result: Statement
        if self.token.kind == "sense":
            sense: Sense = "max" if self.token.text == "max" else "min"
            self.position += 1
            result = ObjectiveTree(sense, self.expression())
        elif constraint := self.constraint():
            result = constraint
        else:
            expressions: list[Node] = [self.expression()]
            operators: list[Operator] = []
            while self.token.text in RELATIONS:
                operators.append(RELATIONS[self.token.text])
                self.position += 1
                expressions.append(self.expression())
            result = RelationTree(tuple(expressions), tuple(operators))
        if self.token.kind != "end":
            if self.token.text in ("<", ">"):
                raise self.fail("strict relations cannot be decided from entropies alone; use <= or >=")
            if self.token.text in RELATIONS:
                raise self.fail("an objective is not a relation; leave out 'min'/'max' or the relation")
            if self.token.text in (",", ";"):
                raise self.one_relation(self.token.text)
            raise self.expected("an operator or the end of the text")
        return result

    def constraint(self) -> ConstraintTree | None:
        kind: ConstraintKind
        kinds = {token.text for token in self.tokens if token.kind == "op"}
        if "->" in kinds:
            kind, separators = "markov", ("->",)
        elif "_||_" in kinds:
            kind, separators = "independence", ("_||_",)
        elif self.is_dashed_chain():
            kind, separators = "markov", ("-",)
        else:
            return None
        groups = [self.group("a variable")]
        while self.take(*separators):
            groups.append(self.group("a variable"))
        given: tuple[str, ...] = ()
        if kind == "independence" and self.take("|"):
            given = self.group("a variable to condition on")
        if len(groups) == 1:
            raise self.expected(f"'{separators[0]}'")
        if self.token.kind != "end":
            raise self.expected(f"',', '{separators[0]}' or the end of the text")
        return ConstraintTree(kind, tuple(groups), given)

    def is_dashed_chain(self) -> bool:
        kinds = "".join("n" if t.kind == "name" else t.text for t in self.tokens[:-1])
        return re.fullmatch(r"n(,n)*(-n(,n)*){2,}", kinds) is not None

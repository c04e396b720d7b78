r"""From text to a syntax tree: the one grammar of Python strings, command line and TOML files.

Hand-written recursive descent, so that reading a statement takes tens of microseconds and an error can say what was
expected at which character. Nothing here knows sympy, and no user text is ever evaluated.

::

    statement    := ("min" | "max") sum | sum (("<=" | ">=" | "=") sum)* | chain | independence
    chain        := group ("->" group)+           X,W -> Y -> Z; dashes between at least three groups too: X - Y - Z
    independence := group ("_||_" group)+ ("|" group)?
    sum          := ("+" | "-")? product (("+" | "-") product)*
    product      := factor (("*" | "/" | nothing) factor)*
    factor       := ("+" | "-") factor | primary ("^" integer)?
    primary      := number | parameter | quantity | "(" sum ")"
    quantity     := ("H" | "I" | "CE" | "KL" | name) "[" group (";" group)* ("|" group)? "]"
    group        := variable ("," variable)*
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from imeasure.errors import ParseError
from imeasure.lexer import Token, tokenize
from imeasure.names import MAX_GROUPS
from imeasure.numerals import read_number
from imeasure.plain import read_plain
from imeasure.trees import (
    ConstraintTree,
    Node,
    ObjectiveTree,
    Parameter,
    Power,
    Product,
    Quantity,
    Quotient,
    RelationTree,
    Statement,
    Sum,
    has_quantity,
    size,
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
    "has_quantity",
    "read",
]

MAX_DEPTH = 60
"""Deepest nesting of parentheses and signs that is read."""
MAX_FACTORS = 300
"""Most factors of one product."""
MAX_EXPONENT = 64
"""Largest exponent of a parameter or number."""
MAX_SUM_EXPONENT = 8
"""Largest exponent of an expression in parentheses."""
MAX_HEIGHT = 400
"""Most operations that stand inside one another."""
MAX_TERMS = 10_000
"""Most terms of an expression that is written out."""
MAX_DIGITS = 20_000
"""Most digits of all numbers of a text together."""
MAX_VARIABLES = 1000
"""Most variables of a text."""
FUNCTIONALS = ("CE", "KL")
"""Functionals that need no declaration."""

_RELATIONS = {"<=": "<=", ">=": ">=", "=": "=", "==": "="}
_CLOSING = {"[": "]", "(": ")"}


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
    return _Reader(text, frozenset(FUNCTIONALS).union(functionals)).statement()


class _Reader:
    def __init__(self, text: str, functionals: frozenset[str]) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.functionals = functionals
        self.position = 0
        self.depth = 0
        self.height = 0
        self.digits = 0
        self.variables: set[str] = set()

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def fail(self, problem: str, token: Token | None = None) -> ParseError:
        token = token or self.token
        return ParseError(problem, self.text, token.start, token.stop)

    def expected(self, what: str) -> ParseError:
        found = "the end of the text" if self.token.kind == "end" else repr(self.token.text)
        return self.fail(f"expected {what}, found {found}")

    def take(self, *texts: str) -> Token | None:
        token = self.token
        if token.kind == "op" and token.text in texts:
            self.position += 1
            return token
        return None

    def statement(self) -> Statement:
        if self.token.kind == "end":
            raise self.fail("the text is empty; expected a statement such as 'min I[X;Z] - beta*I[Y;Z]'")
        result: Statement
        if self.token.kind == "sense":
            sense = self.token.text
            self.position += 1
            result = ObjectiveTree(sense, self.expression())
        elif constraint := self.constraint():
            result = constraint
        else:
            expressions, operators = [self.expression()], []
            while self.token.text in _RELATIONS:
                operators.append(_RELATIONS[self.token.text])
                self.position += 1
                expressions.append(self.expression())
            result = RelationTree(tuple(expressions), tuple(operators))
        if self.token.kind != "end":
            if self.token.text in ("<", ">"):
                raise self.fail("strict relations cannot be decided from entropies alone; use <= or >=")
            if self.token.text in _RELATIONS:
                raise self.fail("an objective is not a relation; leave out 'min'/'max' or the relation")
            raise self.expected("an operator or the end of the text")
        return result

    def constraint(self) -> ConstraintTree | None:
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

    def group(self, what: str) -> tuple[str, ...]:
        names = [self.variable(what)]
        while self.take(","):
            names.append(self.variable("a variable behind ','"))
        return tuple(names)

    def variable(self, what: str) -> str:
        token = self.token
        if token.kind == "quantity" and self.tokens[self.position + 1].text not in _CLOSING:
            raise self.fail(f"{token.text} is the name of a quantity; rename the variable", token)
        if token.kind != "name":
            raise self.expected(what)
        self.position += 1
        self.variables.add(token.text)
        if len(self.variables) > MAX_VARIABLES:
            raise self.fail(f"a text with more than {MAX_VARIABLES} variables", token)
        return token.text

    def grown(self, height: int) -> int:
        self.height = max(height, self.height) + 1
        if self.height > MAX_HEIGHT:
            raise self.fail(f"nested deeper than {MAX_HEIGHT} operations")
        return self.height

    def spend(self, digits: int, token: Token) -> None:
        self.digits += digits
        if self.digits > MAX_DIGITS:
            raise self.fail(f"the numbers of the text have more than {MAX_DIGITS} digits together", token)

    def expression(self) -> Node:
        start = self.token
        found = self.sum()
        if size(found, MAX_TERMS) > MAX_TERMS:
            raise self.fail(f"written out, this has more than {MAX_TERMS} terms", start)
        return found

    def sum(self) -> Node:
        terms: list[Node] = []
        height = 0
        operator = self.take("+", "-")
        while operator or not terms:
            term = self.product()
            height = max(height, self.height)
            terms.append(_negate(term) if operator and operator.text == "-" else term)
            operator = self.take("+", "-")
        self.height = height + 1
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def product(self) -> Node:
        left, height = self.factor(), self.height
        for _ in range(MAX_FACTORS):
            start = self.token
            height = self.grown(height)
            if self.take("*"):
                right = self.factor()
            elif self.take("/"):
                right = self.factor()
                if has_quantity(right):
                    raise self.fail("a quantity cannot stand in a divisor", start)
                if not isinstance(right, Fraction):
                    left = Quotient(left, right)
                elif right == 0:
                    raise self.fail("division by zero", start)
                else:
                    left = Product(left, 1 / right) if not isinstance(left, Fraction) else left / right
                continue
            elif self.token.kind in ("name", "quantity", "frac") or self.token.text == "(":
                right = self.factor()
            else:
                return left
            if has_quantity(left) and has_quantity(right):
                raise self.fail(
                    "quantities cannot be multiplied with each other; expected a number or parameter", start
                )
            if isinstance(left, Fraction) and isinstance(right, Fraction):
                left = left * right
            else:
                left = Product(left, right)
        raise self.fail(f"a product of more than {MAX_FACTORS} factors")

    def factor(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels")
        if self.take("-"):
            result = _negate(self.factor())
        elif self.take("+"):
            result = self.factor()
        else:
            result = self.primary()
            if caret := self.take("^"):
                if has_quantity(result):
                    raise self.fail("a power of a quantity is not linear; expected a number or parameter", caret)
                result = self.power(result, self.exponent())
        self.depth -= 1
        return result

    def power(self, base: Node, exponent: int) -> Node:
        if isinstance(base, Sum | Product | Quotient) and abs(exponent) > MAX_SUM_EXPONENT:
            raise self.fail(f"the exponent of an expression in parentheses is at most {MAX_SUM_EXPONENT}")
        if not isinstance(base, Fraction):
            return Power(base, exponent)
        if base == 0 and exponent < 0:
            raise self.fail("division by zero", self.tokens[self.position - 1])
        if max(abs(base.numerator), base.denominator).bit_length() * abs(exponent) > 4000:
            raise self.fail("the power is too large", self.tokens[self.position - 1])
        self.spend(len(str(base)) * abs(exponent), self.tokens[self.position - 1])
        return base**exponent

    def exponent(self) -> int:
        brackets = self.take("(")
        sign = -1 if self.take("-") else 1
        token = self.token
        if (
            token.kind != "number"
            or not token.text.isdecimal()
            or len(token.text) > 4
            or int(token.text) > MAX_EXPONENT
        ):
            raise self.expected(f"an integer exponent up to {MAX_EXPONENT}")
        self.position += 1
        if brackets and not self.take(")"):
            raise self.expected("')'")
        return sign * int(token.text)

    def primary(self) -> Node:
        token = self.token
        self.height = 1
        if token.kind == "number":
            self.position += 1
            return self.number(token)
        if token.kind == "quantity":
            return self.quantity()
        if token.kind == "frac":
            self.position += 1
            left, right = self.parenthesised("'{'"), self.parenthesised("'{'")
            if has_quantity(right):
                raise self.fail("a quantity cannot stand in a divisor", token)
            if right == 0:
                raise self.fail("division by zero", token)
            return Quotient(left, right)
        if token.kind == "name":
            following = self.tokens[self.position + 1]
            if following.text in _CLOSING and (following.text == "[" or following.start == token.stop):
                return self.quantity()
            self.position += 1
            return Parameter(token.text)
        if token.text == "(":
            return self.parenthesised("'('")
        raise self.expected("a quantity such as H[Y|Z], a number or a parameter")

    def number(self, token: Token) -> Fraction:
        try:
            value = read_number(token.text)
        except ValueError:
            raise self.fail("the number is too long", token) from None
        mantissa, _, exponent = token.text.lower().partition("e")
        self.spend(len(mantissa) + abs(int(exponent or 0)), token)
        return value

    def parenthesised(self, what: str) -> Node:
        opening = self.take("(")
        if not opening:
            raise self.expected(what)
        inner = self.sum()
        if not self.take(")"):
            raise self.unclosed(opening)
        return inner

    def unclosed(self, opening: Token) -> ParseError:
        if self.token.kind == "end":
            return self.fail(f"'{opening.text}' is never closed; expected '{_CLOSING[opening.text]}'", opening)
        return self.expected(f"an operator or '{_CLOSING[opening.text]}'")

    def quantity(self) -> Node:
        name = self.token
        if name.text not in ("H", "I") and name.text not in self.functionals:
            known = ", ".join(["H", "I", *sorted(self.functionals)])
            raise self.fail(f"unknown quantity '{name.text}'; known are {known} (a product needs '*')", name)
        self.position += 1
        opening = self.take("[", "(")
        if not opening:
            raise self.expected("'['")
        if self.token.text == _CLOSING[opening.text]:
            raise self.fail(f"{name.text}{opening.text}{self.token.text} needs at least one variable", opening)
        groups = [self.group("a variable")]
        while self.take(";", ":"):
            groups.append(self.group("a variable"))
        given = self.group("a variable to condition on") if self.take("|") else ()
        if not self.take(_CLOSING[opening.text]):
            if self.token.kind == "end":
                raise self.unclosed(opening)
            raise self.expected(
                f"',' or '{_CLOSING[opening.text]}'" if given else f"',', ';', '|' or '{_CLOSING[opening.text]}'"
            )
        if name.text == "I" and len(groups) == 1:
            hint = ", as in I[X;Y]" if len(groups[0]) == 1 else ": ';' separates groups, ',' joins variables"
            raise self.fail(f"I needs at least two groups{hint}", name)
        if len(groups) > MAX_GROUPS:
            raise self.fail(f"a quantity has more than {MAX_GROUPS} groups", name)
        if name.text != "I" and len(groups) > 1:
            raise self.fail(f"{name.text} takes one group of variables; join them by ','", name)
        return Quantity(name.text, tuple(groups), given)


def _negate(node: Node) -> Node:
    return -node if isinstance(node, Fraction) else Product(Fraction(-1), node)

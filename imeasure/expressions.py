"""Expressions from text: sums of quantities with coefficients, the part of the grammar below statements.

Hand-written recursive descent over the tokens; :mod:`imeasure.syntax` shows the grammar and reads whole statements.
What is written small and would be large is refused while it is read: depths, heights, powers and long numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial

from imeasure.errors import ParseError
from imeasure.lexer import Token, tokenize
from imeasure.names import MAX_GROUPS
from imeasure.numerals import read_number
from imeasure.trees import Node, Parameter, Power, Product, Quantity, Quotient, Sum, has_quantity, size

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

_CLOSING = {"[": "]", "(": ")"}
_JOINING = frozenset(["and", "or", "if", "given", "when", "where", "with"])
_FUNCTION = re.compile(r"\s*(?P<value>\w+)\s*=\s*\w+\(\s*(?P<argument>\w+(?:\s*,\s*\w+)*)\s*\)\s*")


class ExpressionReader:
    """A reader of expressions, at some place of a text.

    Args:
        text: The text.
        functionals: Names of functionals that may occur.

    Raises:
        ParseError: If the text has a character that is in no token; by the methods, if it is not in the language.
    """

    def __init__(self, text: str, functionals: frozenset[str]) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.functionals = functionals
        self.position = 0
        self.depth = 0
        self.height = 0
        self.digits = 0
        self.variables: set[str] = set()
        self.divisors: list[tuple[Node, int, int]] = []

    @property
    def token(self) -> Token:
        """The token at this place."""
        return self.tokens[self.position]

    def fail(self, problem: str, token: Token | None = None) -> ParseError:
        """Return the error about a token, the one at this place by default."""
        token = token or self.token
        return ParseError(problem, self.text, token.start, token.stop)

    def expected(self, what: str) -> ParseError:
        """Return the error that something else was expected at this place."""
        found = repr(self.text[self.token.start : self.token.stop])
        return self.fail(f"expected {what}, found {'the end of the text' if self.token.kind == 'end' else found}")

    def one_relation(self, joining: str, token: Token | None = None) -> ParseError:
        """Return the error that a word or sign stands where it would join relations."""
        return self.fail(f"{joining!r} joins no relations; give one at a time, and facts as a list of relations", token)

    def take(self, *texts: str) -> Token | None:
        """Go on behind an operator that is one of some texts, and return it; stay and return None if there is none."""
        token = self.token
        if token.kind == "op" and token.text in texts:
            self.position += 1
            return token
        return None

    def group(self, what: str) -> tuple[str, ...]:
        """Read names of variables with commas between them; ``what`` says what is expected."""
        names = [self._variable(what)]
        while self.take(","):
            names.append(self._variable("a variable behind ','"))
        return tuple(names)

    def _variable(self, what: str) -> str:
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

    def _grown(self, height: int) -> int:
        self.height = max(height, self.height) + 1
        if self.height > MAX_HEIGHT:
            raise self.fail(f"nested deeper than {MAX_HEIGHT} operations")
        return self.height

    def _spend(self, digits: int, token: Token) -> None:
        self.digits += digits
        if self.digits > MAX_DIGITS:
            raise self.fail(f"the numbers of the text have more than {MAX_DIGITS} digits together", token)

    def expression(self) -> Node:
        """Read a sum, which is refused if it has too many terms when it is written out."""
        start = self.token
        found = self._sum()
        if size(found, MAX_TERMS) > MAX_TERMS:
            raise self.fail(f"written out, this has more than {MAX_TERMS} terms", start)
        return found

    def _sum(self) -> Node:
        terms: list[Node] = []
        height = 0
        operator = self.take("+", "-")
        while operator or not terms:
            term = self._product()
            height = max(height, self.height)
            terms.append(_negate(term) if operator and operator.text == "-" else term)
            operator = self.take("+", "-")
        self.height = height + 1
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def _product(self) -> Node:
        left = last = self._factor()
        height = self.height
        for _ in range(MAX_FACTORS):
            start = self.token
            height = self._grown(height)
            if self.take("*"):
                right = self._factor()
            elif self.take("/"):
                right = self._divisor(self._factor)
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
                right = self._beside(last)
            else:
                return left
            last = right
            if has_quantity(left) and has_quantity(right):
                raise self.fail(
                    "quantities cannot be multiplied with each other; expected a number or parameter", start
                )
            if isinstance(left, Fraction) and isinstance(right, Fraction):
                left = left * right
            else:
                left = Product(left, right)
        raise self.fail(f"a product of more than {MAX_FACTORS} factors")

    def _divisor(self, read: Callable[[], Node]) -> Node:
        """Read a divisor, and note where it stands: whether it vanishes is seen when parameters have cancelled."""
        start = self.token.start
        found = read()
        self.divisors.append((found, start, self.tokens[self.position - 1].stop))
        return found

    def _beside(self, last: Node) -> Node:
        """Read a factor before which no sign stands; a word or a line that only happens to follow is none."""
        before, token = self.tokens[self.position - 1], self.token
        between = self.text[before.stop : token.start]
        if "&" in between or token.text.lower() in _JOINING:
            raise self.one_relation("&" if "&" in between else token.text, token)
        factor = self._factor()
        is_word = token.kind == "name" and not isinstance(factor, Quantity) and not between.strip()
        if self.text.startswith("\\", before.start) or self.text.startswith("\\", token.start):
            return factor
        if "\n" in between or (is_word and (before.kind == "name" or isinstance(last, Quantity))):
            raise self.fail(f"expected an operator, found {token.text!r}; a product needs '*'", token)
        return factor

    def _factor(self) -> Node:
        start = self.token
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels")
        if self.take("-"):
            result = _negate(self._factor())
        elif self.take("+"):
            result = self._factor()
        else:
            result = self._primary()
            if caret := self.take("^"):
                if has_quantity(result):
                    raise self.fail("a power of a quantity is not linear; expected a number or parameter", caret)
                exponent = self._exponent()
                if exponent < 0:
                    self.divisors.append((result, start.start, caret.start))
                result = self._power(result, exponent)
        self.depth -= 1
        return result

    def _power(self, base: Node, exponent: int) -> Node:
        if isinstance(base, Sum | Product | Quotient) and abs(exponent) > MAX_SUM_EXPONENT:
            raise self.fail(f"the exponent of an expression in parentheses is at most {MAX_SUM_EXPONENT}")
        if not isinstance(base, Fraction):
            return Power(base, exponent)
        if base == 0 and exponent < 0:
            raise self.fail("division by zero", self.tokens[self.position - 1])
        if max(abs(base.numerator), base.denominator).bit_length() * abs(exponent) > 4000:
            raise self.fail("the power is too large", self.tokens[self.position - 1])
        self._spend(len(str(base)) * abs(exponent), self.tokens[self.position - 1])
        return base**exponent

    def _exponent(self) -> int:
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

    def _primary(self) -> Node:
        token = self.token
        self.height = 1
        if token.kind == "number":
            self.position += 1
            return self._number(token)
        if token.kind == "quantity":
            return self._quantity()
        if token.kind == "frac":
            self.position += 1
            left, right = self._parenthesised("'{'"), self._divisor(partial(self._parenthesised, "'{'"))
            if has_quantity(right):
                raise self.fail("a quantity cannot stand in a divisor", token)
            if right == 0:
                raise self.fail("division by zero", token)
            return Quotient(left, right)
        if token.kind == "name":
            following = self.tokens[self.position + 1]
            if following.text in _CLOSING and (following.text == "[" or following.start == token.stop):
                return self._quantity()
            self.position += 1
            return Parameter(token.text)
        if token.text == "(":
            return self._parenthesised("'('")
        raise self.expected("a quantity such as H[Y|Z], a number or a parameter")

    def _number(self, token: Token) -> Fraction:
        try:
            value = read_number(token.text)
        except ValueError:
            raise self.fail("the number is too long", token) from None
        mantissa, _, exponent = token.text.lower().partition("e")
        self._spend(len(mantissa) + abs(int(exponent or 0)), token)
        return value

    def _parenthesised(self, what: str) -> Node:
        opening = self.take("(")
        if not opening:
            raise self.expected(what)
        inner = self._sum()
        if not self.take(")"):
            raise self._unclosed(opening)
        return inner

    def _unclosed(self, opening: Token) -> ParseError:
        if self.token.kind == "end":
            return self.fail(f"'{opening.text}' is never closed; expected '{_CLOSING[opening.text]}'", opening)
        return self.expected(f"an operator or '{_CLOSING[opening.text]}'")

    def _unknown(self, name: Token) -> ParseError:
        known = ", ".join(["H", "I", *sorted(self.functionals)])
        hint = " (a product needs '*')"
        if function := _FUNCTION.fullmatch(self.text):
            value, argument = function["value"], re.sub(r"\s", "", function["argument"])
            hint = f"; that {value} is a function of {argument} is written H[{value}|{argument}] = 0"
        return self.fail(f"unknown quantity '{name.text}'; known are {known}{hint}", name)

    def _quantity(self) -> Node:
        name = self.token
        if name.text not in ("H", "I") and name.text not in self.functionals:
            raise self._unknown(name)
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
                raise self._unclosed(opening)
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

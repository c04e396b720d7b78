r"""Tokens of the language, from ASCII, Unicode and LaTeX alike.

LaTeX as papers print it is mapped token by token: ``\mathbb{I}[X; Z] - \beta\,\mathrm{H}[Y \mid Z]`` gives the same
tokens as ``I[X;Z] - beta*H[Y|Z]``, apart from the product sign.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from imeasure.errors import ParseError
from imeasure.quantities import canonical_name

MAX_LENGTH = 100_000
"""Longest text that is read, in characters."""


class Token(NamedTuple):
    """A token: ``kind`` is number, name, quantity, sense, frac, op or end."""

    kind: str
    text: str
    start: int
    stop: int


_STYLE = r"(?:mathbb|mathrm|mathcal|mathbf|mathit|mathsf|text|operatorname)"
_THETA = r"(?:\\[tT]heta|[tT]heta|[θΘ])"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+|\\[,;:!>\ ]|\\q?quad\b|\\left\b|\\right\b|\$|~|&|\\displaystyle\b|\\limits\b)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\d.]))
  | (?P<crossentropy>(?:\\{_STYLE}\{{H\}}|H)_(?:\{{{_THETA}\}}|{_THETA})(?![\w]))
  | (?P<hat>\\(?:wide)?hat(?:\{{(?P<hatted>[^\W\d]\w*)\}}|\s*(?P<hatted1>[^\W\d_])))
  | (?P<styled>\\{_STYLE}\{{(?P<inner>[^\W\d](?:\w|\\_)*)\}})
  | (?P<sense>(?:\\?arg[\s\\,!]*)?\\?(?:min|max)(?![A-Za-z0-9])(?:\s*_(?:\{{[^{{}}]*\}}|\\?\w+))?)
  | (?P<arrow>->|→|\\to\b|\\rightarrow\b|\\longrightarrow\b|<->|↔|\\leftrightarrow\b)
  | (?P<independent>_\|\|_|⊥+|⫫|\\perp(?:\s*(?:\\!)*\s*\\perp)?|\\indep\b|\\independent\b)
  | (?P<bar>\||\\mid\b|\\vert\b|∣|\\given\b)
  | (?P<times>\*\*|\*|·|×|⋅|\\cdot\b|\\times\b)
  | (?P<leq><=|≤|⩽|\\leqslant\b|\\leq\b|\\le\b)
  | (?P<geq>>=|≥|⩾|\\geqslant\b|\\geq\b|\\ge\b)
  | (?P<minus>--|[-−–—])
  | (?P<frac>\\[dt]?frac)
  | (?P<name>[^\W\d]\w*?_\{{\w+\}}|[^\W\d]\w*'*)
  | (?P<command>\\[A-Za-z]+|\\.)
  | (?P<op>==|[-+/^<>=,;:|()\[\]{{}}])
    """,
    re.VERBOSE,
)
_OPERATORS = {
    "arrow": "->",
    "independent": "_||_",
    "bar": "|",
    "leq": "<=",
    "geq": ">=",
    "minus": "-",
}
_BRACES = {"{": "(", "}": ")"}
_QUANTITIES = frozenset({"H", "I", "CE", "KL"})


def tokenize(text: str) -> list[Token]:
    r"""Split a text into tokens; the last one has the kind ``end``.

    Args:
        text: Any text.

    Returns:
        Its tokens, each with its place in the text.

    Raises:
        ParseError: If the text is too long or has a character that is not in the language.

    Example:
        >>> [token.text for token in tokenize(r"\beta\,\mathbb{I}[X; Z]")][:3]
        ['beta', 'I', '[']
    """
    if not isinstance(text, str):
        raise ParseError(f"expected a text, not {type(text).__name__}", repr(text)[:80], 0)
    if len(text) > MAX_LENGTH:
        raise ParseError(f"the text is longer than {MAX_LENGTH} characters", text[:60], 0)
    tokens: list[Token] = []
    position, end = 0, len(text)
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            problem = f"unexpected character {text[position]!r}"
            raise ParseError(problem, text, position)
        kind = str(match.lastgroup)
        if kind in ("hatted", "hatted1"):
            kind = "hat"
        elif kind == "inner":
            kind = "styled"
        position = match.end()
        if kind != "space":
            tokens.append(_token(kind, match, text))
    tokens.append(Token("end", "", end, end))
    return tokens


def _token(kind: str, match: re.Match[str], text: str) -> Token:
    start, stop, found = match.start(), match.end(), match.group()
    if kind in _OPERATORS:
        return Token("op", _OPERATORS[kind], start, stop)
    match kind:
        case "times":
            return Token("op", "^" if found == "**" else "*", start, stop)
        case "number" | "frac":
            return Token(kind, found, start, stop)
        case "sense":
            return Token("sense", "min" if "min" in found else "max", start, stop)
        case "crossentropy":
            return Token("quantity", "CE", start, stop)
        case "op":
            return Token("op", _BRACES.get(found, found), start, stop)
        case "hat":
            name = (match["hatted"] or match["hatted1"]) + "hat"
        case "styled":
            name = match["inner"].replace(r"\_", "_")
        case "command":
            name = canonical_name(found[1:])
            if name.lower() not in _GREEK_NAMES:
                raise ParseError(f"unknown LaTeX command '{found}'", text, start, stop)
        case _:
            name = re.sub(r"_\{(\w+)\}\Z", _subscript, found)
    return Token("quantity" if name in _QUANTITIES else "name", canonical_name(name), start, stop)


def _subscript(match: re.Match[str]) -> str:
    return match[1] if match[1].isdecimal() else "_" + match[1]


_GREEK_NAMES = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "varepsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "varphi",
        "chi",
        "psi",
        "omega",
    ]
)

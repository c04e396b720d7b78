r"""Tokens of the language, from ASCII, Unicode and LaTeX alike.

LaTeX as papers print it is mapped token by token: ``\mathbb{I}[X; Z] - \beta\,\mathrm{H}[Y \mid Z]`` gives the same
tokens as ``I[X;Z] - beta*H[Y|Z]``, apart from the product sign.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from imeasure.errors import ParseError
from imeasure.names import MAX_NAME, QUANTITY_NAMES, canonical_name

MAX_LENGTH = 100_000
"""Longest text that is read, in characters."""


class Token(NamedTuple):
    """A token: ``kind`` is number, name, quantity, sense, frac, op or end."""

    kind: str
    text: str
    start: int
    stop: int


_STYLE = r"(?:mathbb|mathrm|mathcal|mathbf|mathit|mathsf|boldsymbol|bm|text|operatorname)"
_SUB = r"(?:_(?:\{\w+\}|\d|[^\W\d_](?!\w)))?"
_THETA = r"(?:\\[tT]heta|[tT]heta|[θΘ])"
_AIM = r"(?:\\?arg(?:\\[,;:!]|\s)*)?\\?(?:min|max)"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+|\\[,;:!>\ ()\[\]]|\\q?quad\b|\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])
      |\$|~|&|\\displaystyle\b|\\limits\b|[.,]\s*\Z)
  | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\d_]|\.\d))
  | (?P<fraction>\\[dt]?frac\s*\d\s*[1-9](?!\d|\.\d)|\{{\s*\d+\s*\\over\s*[1-9]\d*\s*\}})
  | (?P<aim>\\underset\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}}\s*\{{\s*(?:\\operatorname\*?\{{\s*{_AIM}\s*\}}|{_AIM})\s*\}}
      |\\(?:operatorname\*?|mathrm|text)\{{\s*{_AIM}\s*\}}(?:\s*_(?:\{{[^{{}}]*\}}|\\?\w+))?)
  | (?P<crossentropy>(?:\\{_STYLE}\{{H\}}|H)_(?:\{{{_THETA}\}}|{_THETA})(?![\w]))
  | (?P<hat>\\(?:wide)?(?P<accent>hat|tilde|bar)(?:\{{(?P<hatted>[^\W\d]\w*)\}}|\s*(?P<hatted1>[^\W\d_])){_SUB})
  | (?P<styled>\\{_STYLE}\{{(?P<inner>[^\W\d](?:\w|\\_)*'*)\}}{_SUB})
  | (?P<sense>(?:\\?arg[\s\\,!]*)?\\?(?:[Mm]in|[Mm]ax)(?:i?mi[sz]e)?(?![A-Za-z0-9])
      (?:\s*_(?:\{{[^{{}}]*\}}|\\?\w+))?)
  | (?P<arrow>->|→|⟶|\\to\b|\\rightarrow\b|\\longrightarrow\b|<->|↔|\\leftrightarrow\b)
  | (?P<independent>_\|\|_|⊥+|⫫|\\perp(?:(?:\s|\\!)*\\perp)?|\\indep\b|\\independent\b)
  | (?P<bar>\||\\mid\b|\\vert\b|∣|\\given\b)
  | (?P<times>\*\*|\*|·|×|⋅|\\cdot\b|\\times\b)
  | (?P<leq><=|≤|⩽|\\leqslant\b|\\leq\b|\\le\b)
  | (?P<geq>>=|≥|⩾|\\geqslant\b|\\geq\b|\\ge\b)
  | (?P<minus>--|[-−–—])
  | (?P<frac>\\[dt]?frac)
  | (?P<name>[^\W\d]\w*?_\{{\w+\}}|[^\W\d][\w₀-₉]*['′]*)
  | (?P<command>\\[A-Za-z]+{_SUB}|\\.)
  | (?P<op>==|[-+/^<>=,;:|()\[\]{{}}])
    """,
    re.VERBOSE,
)
_PLAIN_TEXT = re.compile(r"(?!\s*(?:[Mm]in|[Mm]ax|arg))[A-Za-z0-9\s\[\]();:,|+*/^<>=.-]*")
_PLAIN = re.compile(
    r"\s*(?:([A-Za-z][A-Za-z0-9]*)|((?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?!\d|\.\d))"
    r"|(<->|->|--|\*\*|<=|>=|==|[-+*/^<>=,;:|()\[\]]))"
)
_PLAIN_OPERATORS = {"<->": "->", "--": "-", "**": "^"}
_OPERATORS = {
    "arrow": "->",
    "independent": "_||_",
    "bar": "|",
    "leq": "<=",
    "geq": ">=",
    "minus": "-",
}
_BRACES = {"{": "(", "}": ")"}


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
    if (plain := _plain_tokens(text)) is not None:
        return plain
    tokens: list[Token] = []
    position, end = 0, len(text)
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            problem = f"unexpected character {text[position]!r}"
            raise ParseError(problem, text, position)
        kind = str(match.lastgroup)
        if kind in ("hatted", "hatted1", "accent"):
            kind = "hat"
        elif kind == "inner":
            kind = "styled"
        position = match.end()
        if kind != "space":
            tokens.append(_token(kind, match, text))
    tokens.append(Token("end", "", end, end))
    return tokens


def _plain_tokens(text: str) -> list[Token] | None:
    """Return the tokens of plain ASCII text, ten times as fast, or None where the full table is needed."""
    if not _PLAIN_TEXT.fullmatch(text) or text.rstrip().endswith((".", ",")):
        return None
    tokens: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _PLAIN.match(text, position)
        if match is None or match.lastindex is None:
            return None
        start, stop = match.span(match.lastindex)
        position, found = stop, match[match.lastindex]
        if match.lastindex == 1:
            if stop - start > MAX_NAME:
                return None
            kind = "quantity" if found in QUANTITY_NAMES else "name"
        else:
            kind = "number" if match.lastindex == 2 else "op"
            found = _PLAIN_OPERATORS.get(found, found)
        tokens.append(Token(kind, found, start, stop))
    tokens.append(Token("end", "", len(text), len(text)))
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
        case "sense" | "aim":
            aims = re.findall("min|max", found.lower())
            return Token("sense", aims[-1 if found.startswith(r"\underset") else 0], start, stop)
        case "fraction":
            over = re.findall(r"\d+" if found.startswith("{") else r"\d", found)
            return Token("number", "/".join(over), start, stop)
        case "crossentropy":
            return Token("quantity", "CE", start, stop)
        case "op":
            return Token("op", _BRACES.get(found, found), start, stop)
        case "hat":
            name = (match["hatted"] or match["hatted1"]) + match["accent"] + _subscript(found)
        case "styled":
            name = match["inner"].replace(r"\_", "_") + _subscript(found)
        case "command":
            letter = found[1:].partition("_")[0]
            if letter.lower() not in _GREEK_NAMES:
                raise ParseError(f"unknown LaTeX command '\\{letter}'", text, start, stop)
            name = letter + _subscript(found)
        case _:
            name = found.partition("_{")[0] + (_subscript(found) if found.endswith("}") else "")
    return _named(name, text, start, stop)


def _named(name: str, text: str, start: int, stop: int) -> Token:
    if len(name) > MAX_NAME:
        raise ParseError(f"a name is longer than {MAX_NAME} characters", text, start, stop)
    return Token("quantity" if name in QUANTITY_NAMES else "name", canonical_name(name), start, stop)


def _subscript(found: str) -> str:
    """Return the subscript that ends a LaTeX name, as it is spelled in names: ``_{1}`` as 1, ``_{max}`` as _max."""
    match = re.search(r"_(?:\{(\w+)\}|(\w))\Z", found)
    if not match:
        return ""
    subscript = match[1] or match[2]
    return subscript if subscript.isdecimal() else "_" + subscript


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

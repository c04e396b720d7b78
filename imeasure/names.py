"""Names of variables and parameters: their one spelling, their order, and how they print."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

QUANTITY_NAMES = frozenset({"H", "I", "CE", "KL"})
"""Names of the language's quantities, which no variable can have."""

MAX_NAME = 100
"""Longest name of a variable or parameter, in characters."""

MAX_GROUPS = 12
"""Most groups of one quantity; the interaction information of n groups is a sum of 2^n joint entropies."""

_SUBSCRIPT = re.compile(r"(?<=[^\W\d_])_(\d+)\Z")
_GREEK = {
    symbol: unicodedata.name(symbol).rsplit(" ", 1)[1].lower().replace("lamda", "lambda")
    for symbol in "αβγδεζηθικλμνξοπρστυφχψω"
}
_LETTERS = {spelled: symbol for symbol, spelled in _GREEK.items() if symbol != "ς"}


@lru_cache(10_000)
def canonical_name(name: str) -> str:
    """Return the spelling that stands for a name however it was typed.

    Greek letters are spelled out, a circumflex is ``hat``, and a numeric subscript is a number: ``β``, ``Ŷ``, ``X₁``
    and ``X_1`` are ``beta``, ``Yhat``, ``X1`` and ``X1``.

    Args:
        name: A name as typed.

    Returns:
        Its one spelling.

    Example:
        >>> [canonical_name(name) for name in ("β", "Ŷ", "X₁", "X_1", "β_2")]
        ['beta', 'Yhat', 'X1', 'X1', 'beta2']
    """
    if not name.isascii():
        name = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", name).replace("\u0302", "hat"))
        name = name.replace("\u2032", "'")
        name = _GREEK.get(name[0], name[0]) + name[1:]
    return _SUBSCRIPT.sub(r"\1", name)


def unicode_name(name: str) -> str:
    """Return a name with a Greek letter for a spelled one; :func:`canonical_name` reads it back.

    Args:
        name: A parameter's name.

    Returns:
        The name, such as ``β1`` for ``beta1``; other names as they are.

    Example:
        >>> unicode_name("beta1"), unicode_name("alphabet")
        ('β1', 'alphabet')
    """
    letters = re.sub(r"\d+\Z", "", name)
    return _LETTERS.get(letters, letters) + name[len(letters) :]


@lru_cache(10_000)
def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts ``X2`` before ``X10``.

    Args:
        name: A variable's name.

    Returns:
        Its parts, digits as numbers.

    Example:
        >>> sorted(["X10", "X2"], key=natural_key)
        ['X2', 'X10']
    """
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)


@lru_cache(10_000)
def latex_name(name: str) -> str:
    r"""Return a variable's name in LaTeX: ``Yhat`` as ``\hat{Y}``, ``X1`` as ``X_{1}``.

    Args:
        name: A variable's name.

    Returns:
        LaTeX that the parser reads back as the same name.

    Example:
        >>> print(latex_name("Yhat"), latex_name("X12"))
        \hat{Y} X_{12}
    """
    if match := re.fullmatch(r"([^\W\d_])hat", name):
        return rf"\hat{{{match[1]}}}"
    if match := re.fullmatch(r"([^\W\d_])(\d+)", name):
        return f"{match[1]}_{{{match[2]}}}"
    escaped = name.replace("_", r"\_")
    return escaped if len(name) == 1 else rf"\mathrm{{{escaped}}}"

"""Expressions as people write them: entropies first, then informations, in the order of their names.

sympy's own printers work on quantities too; these keep the terms in the order in which papers print them and write
nothing that the parser does not read back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sympy

from imeasure.errors import NonlinearError
from imeasure.names import natural_key, unicode_name
from imeasure.quantities import Functional, Information
from imeasure.vocabulary import Names, spelled


def quantity_key(quantity: sympy.Expr) -> tuple[Any, ...]:
    """Return the sort key of a quantity: entropies, then informations, then functionals; small groups first.

    Args:
        quantity: An :class:`Information`, a :class:`Functional`, or anything else, which comes last.

    Returns:
        A key for ``sorted``.

    Example:
        >>> from imeasure import parse
        >>> terms = parse("I[Y;Z] + H[X,Z] + I[X;Z] + H[Z]").args
        >>> sorted(terms, key=quantity_key)
        [H[Z], H[X,Z], I[X;Z], I[Y;Z]]
    """
    if isinstance(quantity, Information):
        sizes = [len(group) for group in quantity.groups]
        names = [[natural_key(v.name) for v in group] for group in quantity.groups]
        condition = [natural_key(v.name) for v in quantity.given]
        return (0, len(sizes), sum(sizes), names, len(condition), condition)
    if isinstance(quantity, Functional):
        names = [[natural_key(v.name) for v in quantity.variables]]
        condition = [natural_key(v.name) for v in quantity.given]
        return (1, quantity.name, len(quantity.variables), names, len(condition), condition)
    return (2, str(quantity))


def ordered_terms(expression: sympy.Expr) -> list[sympy.Expr]:
    """Return the summands of an expression in printing order, a positive one first where there is one.

    Args:
        expression: A sympy expression.

    Returns:
        Its summands.
    """

    def key(term: sympy.Expr) -> tuple[Any, ...]:
        quantities = term.atoms(Information, Functional)
        return (0, *min(map(quantity_key, quantities))) if quantities else (1, sympy.default_sort_key(term))

    terms = sorted(sympy.Add.make_args(expression), key=key)
    first = next((i for i, term in enumerate(terms) if not _is_negative(term)), 0)
    return [terms[first], *terms[:first], *terms[first + 1 :]]


def to_text(expression: sympy.Expr, *, names: Names = "symbols") -> str:
    """Return an expression as text that the parser reads back.

    Args:
        expression: A sympy expression of quantities and parameters.
        names: ``"words"`` spells the quantities of X, Y and Z in words, such as Decoder Uncertainty.

    Returns:
        The text, such as ``H[Y|Z] + I[X;Z|Y]/(beta - 1)``; in words it is for people only.

    Raises:
        ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        NonlinearError: If it is no expression but text, an objective or a relation.

    Example:
        >>> from imeasure import parse
        >>> print(to_text(parse("I[X;Z|Y]/(beta - 1) + H[Y|Z]")))
        H[Y|Z] + I[X;Z|Y]/(beta - 1)
        >>> print(to_text(parse("I[X;Z|Y]/(beta - 1) + H[Y|Z]"), names="words"))
        Decoder Uncertainty + Redundant Information/(beta - 1)
    """
    return spelled(_join(expression, sympy.sstr), names)


def to_unicode(expression: sympy.Expr, *, names: Names = "symbols") -> str:
    """Return an expression in Unicode, Greek parameters as letters.

    Args:
        expression: A sympy expression of quantities and parameters.
        names: ``"words"`` spells the quantities of X, Y and Z in words, such as Decoder Uncertainty.

    Returns:
        The text, such as ``I[X;Z] - β*I[Y;Z]``.

    Raises:
        ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        NonlinearError: If it is no expression but text, an objective or a relation.

    Example:
        >>> from imeasure import parse
        >>> print(to_unicode(parse("I[X;Z] - beta*I[Y;Z]")))
        I[X;Z] - β*I[Y;Z]
    """
    plain = _sympified(expression)
    letters = {symbol: sympy.Symbol(unicode_name(symbol.name), real=True) for symbol in plain.free_symbols}
    return to_text(plain.xreplace(letters), names=names)


def to_latex(expression: sympy.Expr, *, names: Names = "symbols") -> str:
    r"""Return an expression in LaTeX, terms in printing order.

    Args:
        expression: A sympy expression of quantities and parameters.
        names: ``"words"`` spells the quantities of X, Y and Z in words, such as Decoder Uncertainty.

    Returns:
        LaTeX without delimiters.

    Raises:
        ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        NonlinearError: If it is no expression but text, an objective or a relation.

    Example:
        >>> from imeasure import parse
        >>> print(to_latex(parse("I[X;Z] - beta*I[Y;Z]")))
        \mathrm{I}[X;Z] - \beta \mathrm{I}[Y;Z]
    """
    return spelled(_join(expression, _latex), names)


def _latex(term: sympy.Expr) -> str:
    """Return a term in LaTeX, with a space between names that would run together, as ``a b`` does."""
    return re.sub(r"(\\[A-Za-z]+ )|(?<=[A-Za-z}]) (?=[A-Za-z])", lambda found: found[1] or r" \, ", sympy.latex(term))


def _join(expression: sympy.Expr, spell: Callable[[sympy.Expr], str]) -> str:
    pieces: list[str] = []
    for term in ordered_terms(_sympified(expression)):
        negative = _is_negative(term)
        text = spell(-term if negative else term)
        if pieces:
            pieces.append(" - " if negative else " + ")
        elif negative:
            pieces.append("-")
        pieces.append(text)
    return "".join(pieces)


def _sympified(expression: sympy.Expr) -> sympy.Expr:
    try:
        return sympy.sympify(expression, strict=True)
    except sympy.SympifyError:
        raise NonlinearError(
            f"expected an expression of quantities such as H[Y|Z], not '{expression}'; parse() reads text, and str() "
            "writes objectives and relations"
        ) from None


def _is_negative(term: sympy.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)

"""Formulas as MathML, which browsers show without any library: quantities, canonical forms, derivations."""

import re
from typing import Any

from markupsafe import Markup
from sympy.printing.mathml import MathMLPresentationPrinter

import imeasure
from imeasure.names import unicode_name
from imeasure.printing import ordered_terms


def formula(expression: Any) -> Markup:
    """Return an expression as MathML, its terms in printing order.

    Args:
        expression: A sympy expression of quantities and parameters.

    Example:
        >>> formula(imeasure.parse("H[Z]"))
        Markup('<math><mrow><mi mathvariant="normal">H</mi><mo>[</mo><mi>Z</mi><mo>]</mo></mrow></math>')
    """
    return Markup("<math>{}</math>").format(_sum(expression))


def canonical(form: imeasure.CanonicalForm) -> Markup:
    """Return a canonical form as MathML, with its weight.

    Args:
        form: The canonical form.
    """
    if form.weight.is_Number:
        return formula(form.expression)
    plain = form.weight.is_Symbol
    symbol = form.weight if plain else form.weight_symbol
    regularizer = _sum(form.regularizer)
    if form.regularizer.is_Add:
        regularizer = Markup("<mo>(</mo>{}<mo>)</mo>").format(regularizer)
    whole = Markup('{}<mo>+</mo>{}<mspace width="0.17em"/>{}').format(_sum(form.loss), _sum(symbol), regularizer)
    if not plain:
        whole += Markup('<mo>,</mo><mspace width="1.5em"/>{}<mo>=</mo>{}').format(_sum(symbol), _sum(form.weight))
    return Markup("<math>{}</math>").format(whole)


def greek(text: str) -> str:
    """Return text in which names of Greek letters are letters.

    Example:
        >>> greek("beta > 1")
        'β > 1'
    """
    return re.sub(r"[A-Za-z_]\w*", lambda found: unicode_name(found[0]), text)


def steps(derivation: imeasure.Derivation) -> list[tuple[str, Markup, str]]:
    """Return the lines of a derivation: relation to the line before, expression, and the rule in words.

    Args:
        derivation: The derivation.
    """
    lines = [("", formula(derivation.start), "")]
    return lines + [
        ("=" if step.kind == "equal" else "≃", formula(step.after), greek(step.note)) for step in derivation.steps
    ]


def _sum(expression: Any) -> Markup:
    printer, pieces = _Printer(), Markup()
    for term in ordered_terms(expression):
        negative = bool(term.as_coeff_Mul()[0] < 0)
        if pieces or negative:
            pieces += Markup("<mo>{}</mo>").format("\u2212" if negative else "+")
        text = printer.doprint(-term if negative else term).replace("<mo>-</mo>", "<mo>\u2212</mo>")
        pieces += Markup(text)  # noqa: S704 - the printer escapes its text
    return pieces


class _Printer(MathMLPresentationPrinter):
    """sympy's printer, which also knows quantities."""

    def __init__(self) -> None:
        super().__init__({"mul_symbol": ""})

    def _print_Information(self, quantity: imeasure.Information) -> Any:
        return self._quantity("H" if len(quantity.groups) == 1 else "I", quantity.groups, quantity.given)

    def _print_Functional(self, quantity: imeasure.Functional) -> Any:
        return self._quantity(quantity.name, [quantity.variables], quantity.given)

    def _quantity(self, letter: str, groups: Any, given: Any) -> Any:
        row = self.dom.createElement("mrow")
        name = self._part("mi", letter)
        name.setAttribute("mathvariant", "normal")
        row.appendChild(name)
        row.appendChild(self._part("mo", "["))
        for index, group in enumerate(groups):
            if index:
                row.appendChild(self._part("mo", ";"))
            self._names(row, group)
        if given:
            row.appendChild(self._part("mo", "|"))
            self._names(row, given)
        row.appendChild(self._part("mo", "]"))
        return row

    def _names(self, row: Any, variables: Any) -> None:
        for index, variable in enumerate(variables):
            if index:
                row.appendChild(self._part("mo", ","))
            row.appendChild(self._part("mi", variable.name))

    def _part(self, tag: str, text: str) -> Any:
        part = self.dom.createElement(tag)
        part.appendChild(self.dom.createTextNode(text))
        return part

"""What a loss computes, as data: its terms in the order in which they are evaluated and printed."""

import dataclasses
from typing import Any

import sympy

import imeasure
from ibtrain.guarantee import Guarantee
from ibtrain.surrogates import Surrogate


@dataclasses.dataclass(frozen=True)
class Term:
    """One summand of a loss.

    Args:
        coefficient: Its factor, a sympy expression of parameters.
        quantities: The quantities of the objective that it bounds.
        surrogate: What is computed in their place.
    """

    coefficient: Any
    quantities: tuple[str, ...]
    surrogate: Surrogate


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a loss computes, term by term.

    Args:
        form: The canonical form it was compiled from.
        kind: The latent's kind.
        terms: The summands, in the order in which they are evaluated and printed.
        weight_symbol: The regularizer's weight where it is a parameter, else None.
        weight: The weight as an expression of the objective's own parameters.
        guarantee: The proof that the loss bounds the objective; None where there is none.
        doubt: Why there is none.
        floors: Summands of the objective in whose place 0 is computed, a bound where entropies are not negative.
        is_drawn: Whether samples of a categorical latent are drawn, rather than all its values enumerated.
    """

    form: imeasure.CanonicalForm
    kind: str
    terms: tuple[Term, ...]
    weight_symbol: Any
    weight: Any
    guarantee: Guarantee | None = None
    doubt: str = ""
    floors: tuple[str, ...] = ()
    is_drawn: bool = False

    @property
    def formula(self) -> str:
        """The loss as one line of text."""
        return " + ".join(_product(term) for term in self.terms).replace("+ -", "- ") or "0"

    @property
    def latex(self) -> str:
        """The loss in LaTeX, with the formulas of the surrogates."""
        parts = []
        for term in self.terms:
            factor = "" if term.coefficient == 1 else f"{_bracketed(term.coefficient, sympy.latex(term.coefficient))} "
            body = term.surrogate.latex
            parts.append(f"{factor}\\left({body}\\right)" if factor else body)
        text = " + ".join(parts).replace("+ -", "- ")
        return text if self.guarantee is not None else rf"{text} \quad \text{{(no guarantee)}}"

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the table: term, coefficient, surrogate, formula, side of bound, guarantee."""
        return tuple(
            (
                ", ".join(term.quantities),
                str(term.coefficient),
                term.surrogate.name,
                term.surrogate.formula,
                f"{term.surrogate.side} of {term.surrogate.quantity}",
                "no guarantee" if self.guarantee is None else "proved",
            )
            for term in self.terms
        )

    def __str__(self) -> str:
        header = ("term", "coefficient", "surrogate", "formula", "side of bound", "guarantee")
        table = (header, *self.rows())
        widths = [max(len(row[column]) for row in table) for column in range(len(header))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        lines.append(f"loss = {self.formula}")
        if self.weight_symbol is not None and self.weight != self.weight_symbol:
            lines.append(f"{self.weight_symbol} = {self.weight}")
        lines += [f"0 stands for {floor}, which is at most 0" for floor in self.floors]
        if self.guarantee is None:
            lines.append(f"no guarantee: {self.doubt}")
        else:
            lines.append(str(self.guarantee))
        return "\n".join(lines)


def _product(term: Term) -> str:
    if term.coefficient == 1:
        return term.surrogate.name
    if term.coefficient == -1:
        return f"-{term.surrogate.name}"
    return f"{_bracketed(term.coefficient, str(term.coefficient))}*{term.surrogate.name}"


def _bracketed(expression: Any, text: str) -> str:
    return f"({text})" if isinstance(expression, sympy.Add) else text

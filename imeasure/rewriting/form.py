"""The canonical form of an objective: a loss plus a weight times a regularizer, checked without the search for it.

Its derivation leads from the objective to it, and :meth:`CanonicalForm.verify` replays each step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import sympy

from imeasure.constants import is_constant
from imeasure.derivation import Derivation, read_step, same_terms
from imeasure.errors import DerivationError
from imeasure.exchange import entry, expression, format_of, loaded, model_data, objective, read_model, reading
from imeasure.model import Model
from imeasure.printing import to_latex, to_text
from imeasure.quantities import param
from imeasure.signs import Conditions, holds_everywhere
from imeasure.statements import Objective
from imeasure.vocabulary import Names, spelled


@dataclass(frozen=True)
class CanonicalForm:
    """``loss + weight * regularizer``, with the exact relation to the objective it stands for.

    Attributes:
        objective: The objective as given.
        model: The model that the form stands on.
        loss: The loss term, such as ``H[Y|Z]``.
        weight: The regularizer's weight, positive wherever the conditions hold; 0 if there is no regularizer.
        regularizer: The regularizer, such as ``I[X;Z|Y]``.
        scale: ``objective = scale * expression + constant``; positive for a minimum, negative for a maximum.
        constant: What the model makes constant.
        conditions: The parameter values for which the objective has this form.
        derivation: The steps from the objective to ``expression``.
        alternatives: Other forms of the same objective, each with its own conditions; worked out and verified when
            they are looked at.

    Example:
        >>> from imeasure import simplify
        >>> form = simplify("min I[X;Z] - beta*I[Y;Z]")
        >>> print(form)
        H[Y|Z] + b*I[X;Z|Y] with b = 1/(beta - 1), for beta > 1
        >>> form.verify()
        True
    """

    objective: Objective
    model: Model
    loss: sympy.Expr
    weight: sympy.Expr
    regularizer: sympy.Expr
    scale: sympy.Expr
    constant: sympy.Expr
    conditions: Conditions
    derivation: Derivation
    alternatives: Sequence[CanonicalForm] = ()

    @property
    def expression(self) -> sympy.Expr:
        """``loss + weight * regularizer``."""
        return self.loss + self.weight * self.regularizer

    @property
    def weight_symbol(self) -> sympy.Symbol:
        """A symbol for the weight that is no parameter of the objective: ``b`` where possible."""
        taken = {symbol.name for symbol in self.objective.expression.free_symbols}
        names = ["b", "w", *(f"b{i}" for i in range(1, len(taken) + 2))]
        return param(next(name for name in names if name not in taken))

    def verify(self) -> bool:
        """Check the form and its alternatives exactly, without the search that found them.

        Returns:
            True.

        Raises:
            DerivationError: Saying what does not hold.
        """
        if any((other.objective, other.model) != (self.objective, self.model) for other in self.alternatives):
            raise DerivationError("an alternative is the form of another objective or stands on another model")
        return all(form.verify_alone() for form in (self, *self.alternatives))

    def verify_alone(self) -> bool:
        """Check the form as :meth:`verify` does, its alternatives left out.

        Returns:
            True.

        Raises:
            DerivationError: Saying what does not hold.
        """
        difference = self.objective.expression - self.scale * self.expression - self.constant
        if self.model.reduce(difference) != 0:
            raise DerivationError("the objective is not scale * expression + constant under the model")
        if not is_constant(self.constant, self.model):
            raise DerivationError(f"{to_text(self.constant)} is not constant under the model")
        factor = self.scale if self.objective.sense == "min" else -self.scale
        for name, coefficient in (("scale", factor), ("weight", self.weight)):
            if coefficient != 0 and not holds_everywhere(coefficient, self.conditions, self.model):
                raise DerivationError(f"the {name} {coefficient} has the wrong sign somewhere in {self.conditions}")
        if factor == 0:
            raise DerivationError("the scale is zero")
        if not self.conditions.satisfiable:
            raise DerivationError("the conditions hold for no value of the parameters")
        if (self.derivation.model, self.derivation.conditions) != (self.model, self.conditions):
            raise DerivationError("the derivation stands on another model or other conditions than the form")
        begins = same_terms(self.derivation.start, self.objective.expression)
        if not (begins and same_terms(self.derivation.end, self.expression)):
            raise DerivationError("the derivation does not lead from the objective to the form")
        return self.derivation.verify()

    @property
    def _is_plain(self) -> bool:
        return bool(self.weight.is_Number or self.weight.is_Symbol)

    def _body(self, spell: Callable[[sympy.Expr], str], brackets: tuple[str, str]) -> str:
        if self.weight == 0:
            return spell(self.loss)
        if self.weight == 1:
            return f"{spell(self.loss)} + {spell(self.regularizer)}"
        shown = self.weight if self._is_plain else self.weight_symbol
        if not self.regularizer.is_Add:
            return f"{spell(self.loss)} + {spell(shown * self.regularizer)}"
        opening, closing = brackets
        return f"{spell(self.loss)} + {spell(shown)}{opening}{spell(self.regularizer)}{closing}"

    def to_text(self, *, names: Names = "symbols") -> str:
        """Return the form as one line of text.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            The line.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.

        Example:
            >>> from imeasure import simplify
            >>> simplify("min I[X;Z] - beta*I[Y;Z]").to_text(names="words")
            'Decoder Uncertainty + b*Redundant Information with b = 1/(beta - 1), for beta > 1'
        """
        text = self._body(to_text, ("*(", ")"))
        if not self._is_plain:
            text += f" with {self.weight_symbol} = {self.weight}"
        return spelled(f"{text}, for {self.conditions}" if self.conditions else text, names)

    def to_latex(self, *, names: Names = "symbols") -> str:
        """Return the form in LaTeX, without delimiters.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            LaTeX.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        text = self._body(to_latex, (r" \left(", r"\right)"))
        if not self._is_plain:
            text += rf",\quad {sympy.latex(self.weight_symbol)} = {sympy.latex(self.weight)}"
        if self.conditions:
            text += rf",\quad {self.conditions.to_latex()}"
        return spelled(text, names)

    def to_html(self, *, names: Names = "symbols") -> str:
        """Return the form with its derivation and alternatives in HTML, formulas in LaTeX between dollars.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            HTML.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        others = "".join(f"<p>also ${escape(form.to_latex(names=names))}$</p>" for form in self.alternatives)
        return f"<p>${escape(self.to_latex(names=names))}$</p>{self.derivation.to_html(names=names)}{others}"

    def __str__(self) -> str:
        return self.to_text()

    def _repr_latex_(self) -> str:
        return f"${self.to_latex()}$"

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_dict(self) -> dict[str, Any]:
        """Return the form as plain data: every expression as text that :func:`imeasure.parse` reads.

        Raises:
            ModelError: If a set of parameter values is no union of intervals and points.
        """
        result = {"format": format_of("canonical form"), "objective": str(self.objective), **self._parts()}
        result["model"] = model_data(self.model)
        if self.alternatives:
            result["alternatives"] = [other._parts() for other in self.alternatives]
        return result

    def _parts(self) -> dict[str, Any]:
        return {
            "form": str(self),
            "loss": to_text(self.loss),
            "weight": to_text(self.weight),
            "regularizer": to_text(self.regularizer),
            "expression": to_text(self.expression),
            "scale": to_text(self.scale),
            "constant": to_text(self.constant),
            "conditions": self.conditions.texts(),
            "values": self.conditions.to_dict(),
            "derivation": [step.to_dict() for step in self.derivation.steps],
        }

    def to_json(self) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    @classmethod
    def from_dict(cls, data: Any) -> CanonicalForm:
        """Read a form from what :meth:`to_dict` returned, and verify it with its alternatives.

        The entry ``form`` is for people and is not read.

        Args:
            data: Plain data.

        Returns:
            The form; coefficients equal those written, and are written alike where they are rational numbers.

        Raises:
            DerivationError: If the data are of another form, or do not hold.
        """
        with reading("canonical form"):
            model = read_model(entry(data, "model", dict))
            goal = objective(data, "objective", model.functionals)
            others = entry(data, "alternatives", list) if "alternatives" in data else []
            form = _read(data, goal, model, tuple(_read(other, goal, model, ()) for other in others))
            form.verify()
        return form

    @classmethod
    def from_json(cls, text: str) -> CanonicalForm:
        """Read a form from what :meth:`to_json` returned, and verify it with its alternatives.

        Args:
            text: JSON text.

        Returns:
            The form.

        Raises:
            DerivationError: If the text is of another form, or does not hold.

        Example:
            >>> from imeasure import simplify
            >>> form = simplify("min I[X;Z] - beta*I[Y;Z]")
            >>> CanonicalForm.from_json(form.to_json()) == form
            True
        """
        return cls.from_dict(loaded(text, "canonical form"))


def _read(data: Any, goal: Objective, model: Model, alternatives: tuple[CanonicalForm, ...]) -> CanonicalForm:
    declared = model.functionals
    conditions = Conditions.from_dict(entry(data, "values", dict))
    steps = tuple(read_step(step, declared) for step in entry(data, "derivation", list))
    form = CanonicalForm(
        objective=goal,
        model=model,
        loss=expression(data, "loss", declared),
        weight=expression(data, "weight", declared),
        regularizer=expression(data, "regularizer", declared),
        scale=expression(data, "scale", declared),
        constant=expression(data, "constant", declared),
        conditions=conditions,
        derivation=Derivation(goal.expression, steps, model, conditions),
        alternatives=alternatives,
    )
    shown = expression(data, "expression", declared)
    if not same_terms(shown, form.expression) or entry(data, "conditions", list) != conditions.texts():
        raise DerivationError("what it shows is not what it holds")
    return form

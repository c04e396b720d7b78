"""Derivations: how an objective turns into its canonical form, one rule a line, each line checked on its own.

A step either rewrites (the two sides are equal under the model), drops a constant, divides by a positive factor, or
turns a maximum into a minimum. :meth:`Derivation.verify` replays the steps with the model's exact normal form; it knows
nothing of how they were found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import sympy

from imeasure.constants import facts_of, is_constant
from imeasure.errors import DerivationError, ParseError
from imeasure.exchange import entry, expression, format_of, loaded, model_data, read_model, reading
from imeasure.measure import entropy_form
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.printing import to_latex, to_text
from imeasure.signs import Conditions, holds_everywhere
from imeasure.statements import Relation
from imeasure.terms import collected, variables_of
from imeasure.vocabulary import Names, spelled

BY, DIVIDE = ", by ", "divide by "
CHAIN_RULE, MODEL, COLLECT = "chain rule", "model", "collect"
DROP, SCALE, NEGATE = "drop constant", "positive factor", "maximum to minimum"
RULES = {"equal": {CHAIN_RULE, MODEL, COLLECT}, "drop": {DROP}, "scale": {SCALE}, "negate": {NEGATE}}
"""The rules of each kind of step."""


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Attributes:
        rule: The rule's name, such as ``chain rule``.
        before: The expression before.
        after: The expression after.
        kind: ``equal``, ``drop`` (a constant), ``scale`` (``before = factor * after``, factor positive) or ``negate``.
        used: What the rule used: an identity, a fact, or a factor.
    """

    rule: str
    before: sympy.Expr
    after: sympy.Expr
    kind: Literal["equal", "drop", "scale", "negate"]
    used: str = ""
    factor: sympy.Expr = sympy.S.One

    @property
    def note(self) -> str:
        """The rule and what it used, as text."""
        return f"{self.rule}: {self.used}" if self.used else self.rule

    def _note_latex(self) -> str:
        if not self.used:
            return rf"\text{{{_escaped(self.rule)}}}"
        parts = self.used.split(BY)
        by = rf"\text{{{BY}}}".join(", ".join(map(_fact_latex, part.split(", "))) for part in parts)
        if self.kind == "scale":
            by = rf"\text{{{DIVIDE}}}{to_latex(self.factor)}"
        return rf"\text{{{_escaped(self.rule)}: }}{by}"

    def to_dict(self) -> dict[str, Any]:
        """Return the step as plain data."""
        return {
            "rule": self.rule,
            "used": self.used,
            "kind": self.kind,
            "before": to_text(self.before),
            "after": to_text(self.after),
            "factor": to_text(self.factor),
        }


@dataclass(frozen=True)
class Derivation:
    """The steps from an objective's expression to its canonical form.

    Attributes:
        start: The expression of the objective.
        steps: The steps, each beginning where the one before ends.
        model: The model under which they hold.
        conditions: The parameter values for which they hold.

    Example:
        >>> from imeasure import simplify
        >>> print(simplify("min H[Y|Z] + I[X;Z|Y]").derivation.to_text(names="words"))
           Decoder Uncertainty + Redundant Information
        >>> print(simplify("max I[Y;Z]").derivation)
           I[Y;Z]
         ~ -I[Y;Z]         [maximum to minimum]
         = H[Y|Z] - H[Y]   [chain rule: I[Y;Z] = H[Y] - H[Y|Z]]
         ~ H[Y|Z]          [drop constant: -H[Y]]
    """

    start: sympy.Expr
    steps: tuple[Step, ...]
    model: Model
    conditions: Conditions

    @property
    def end(self) -> sympy.Expr:
        """The expression that the derivation arrives at."""
        return self.steps[-1].after if self.steps else self.start

    def verify(self) -> bool:
        """Replay every step exactly, and check what it says it used.

        Returns:
            True.

        Raises:
            DerivationError: Naming the first step that does not hold.
        """
        current = self.start
        for number, step in enumerate(self.steps, 1):
            if not same_terms(step.before, current):
                raise DerivationError(f"step {number} ({step.rule}) does not begin where the one before ends")
            reason = self._objection(step)
            if reason:
                raise DerivationError(
                    f"step {number} ({step.rule}) does not hold: {reason}\n    {to_text(step.before)}\n"
                    f"    {to_text(step.after)}"
                )
            current = step.after
        return True

    def _objection(self, step: Step) -> str:
        checks = {"equal": self._unequal, "drop": self._variable, "scale": self._unscaled, "negate": _unopposed}
        check = checks.get(step.kind)
        if check is None:
            return f"unknown kind of step '{step.kind}'"
        if step.rule not in RULES[step.kind]:
            return f"'{step.rule}' is no rule for a step of kind '{step.kind}'"
        if step.kind != "scale" and step.factor != 1:
            return f"a step of kind '{step.kind}' has no factor, and this one has {to_text(step.factor)}"
        return check(step)

    def _unequal(self, step: Step) -> str:
        if self.model.reduce(step.before - step.after) != 0:
            return "the two sides differ under the model"
        return "" if step.rule == COLLECT and not step.used else self._misquoted(step)

    def _misquoted(self, step: Step) -> str:
        """Return what is wrong with the identity and the facts that a step quotes."""
        identity, _, facts = step.used.partition(BY)
        quoted = self._parsed(identity)
        if not isinstance(quoted, Relation) or quoted.operators != ("=",):
            return f"'{identity}' is no identity"
        difference = quoted.expressions[0] - quoted.expressions[1]
        if step.rule == CHAIN_RULE:
            return (
                "" if not facts and same_for_any_variables(*quoted.expressions) else f"'{step.used}' is no chain rule"
            )
        names = self.model.covering(variables_of(difference))
        unknown = set(facts.split(", ") if facts else ()).difference(facts_of(self.model, names)[0])
        if unknown:
            return f"the model does not say {' and '.join(sorted(unknown))}"
        return "" if self.model.reduce(difference) == 0 else f"'{identity}' does not hold under the model"

    def _parsed(self, text: str) -> Any:
        try:
            return parse(text, functionals=self.model.functionals)
        except ParseError:
            return None

    def _variable(self, step: Step) -> str:
        dropped = step.before - step.after
        if not is_constant(dropped, self.model):
            return "what is dropped is not constant"
        quoted = self._parsed(step.used)
        said = isinstance(quoted, sympy.Expr) and same_for_any_variables(quoted, dropped)
        return "" if said else f"'{step.used}' is not what is dropped"

    def _unscaled(self, step: Step) -> str:
        if not same_for_any_variables(step.before, step.factor * step.after):
            return "the two sides differ by another factor"
        if step.used != f"{DIVIDE}{to_text(step.factor)}":
            return f"'{step.used}' is not what is done"
        positive = holds_everywhere(step.factor, self.conditions, self.model)
        return "" if positive else f"the factor {step.factor} is not positive for {self.conditions}"

    def to_text(self, *, names: Names = "symbols") -> str:
        """Return the derivation as text, one rule a line.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            The lines; ``=`` stands before equal expressions, ``~`` where a constant or a positive factor was dropped.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        texts = [to_text(step.after, names=names) for step in self.steps]
        width = max(map(len, texts), default=0)
        lines = [f"   {to_text(self.start, names=names)}"]
        for step, text in zip(self.steps, texts, strict=True):
            sign = "=" if step.kind == "equal" else "~"
            lines.append(f" {sign} {text:<{width}}   [{spelled(step.note, names)}]")
        return "\n".join(lines)

    def to_latex(self, *, names: Names = "symbols") -> str:
        """Return the derivation in LaTeX, an ``align*`` with one rule a line.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            LaTeX.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        lines = [rf"& {to_latex(self.start)}"]
        for step in self.steps:
            sign = "=" if step.kind == "equal" else r"\simeq"
            lines.append(rf"{sign}\;& {to_latex(step.after)} && {step._note_latex()}")
        body = " \\\\\n".join(lines)
        return spelled(f"\\begin{{align*}}\n{body}\n\\end{{align*}}", names)

    def to_html(self, *, names: Names = "symbols") -> str:
        """Return the derivation as a table in HTML, formulas in LaTeX between dollars.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            HTML.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        rows = [f"<tr><td></td><td>${escape(to_latex(self.start))}$</td><td></td></tr>"]
        for step in self.steps:
            sign = "=" if step.kind == "equal" else "≃"
            rows.append(
                f'<tr><td>{sign}</td><td style="text-align:left">${escape(to_latex(step.after))}$</td>'
                f'<td style="text-align:left">{escape(step.note)}</td></tr>'
            )
        return spelled(f"<table>{''.join(rows)}</table>", names)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def _repr_latex_(self) -> str:
        return self.to_latex()

    def to_dict(self) -> dict[str, Any]:
        """Return the derivation as plain data: every expression as text that :func:`imeasure.parse` reads.

        Raises:
            ModelError: If a set of parameter values is no union of intervals and points.
        """
        return {
            "format": format_of("derivation"),
            "start": to_text(self.start),
            "steps": [step.to_dict() for step in self.steps],
            "model": model_data(self.model),
            "conditions": self.conditions.to_dict(),
        }

    def to_json(self) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    @classmethod
    def from_dict(cls, data: Any) -> Derivation:
        """Read a derivation from what :meth:`to_dict` returned, and verify it.

        Args:
            data: Plain data.

        Returns:
            The derivation.

        Raises:
            DerivationError: If the data are of another form, or a step does not hold.
        """
        with reading("derivation"):
            model = read_model(entry(data, "model", dict))
            declared = model.functionals
            derivation = cls(
                expression(data, "start", declared),
                tuple(read_step(step, declared) for step in entry(data, "steps", list)),
                model,
                Conditions.from_dict(entry(data, "conditions", dict)),
            )
            derivation.verify()
        return derivation

    @classmethod
    def from_json(cls, text: str) -> Derivation:
        """Read a derivation from what :meth:`to_json` returned, and verify it.

        Args:
            text: JSON text.

        Returns:
            The derivation.

        Raises:
            DerivationError: If the text is of another form, or a step does not hold.

        Example:
            >>> from imeasure import simplify
            >>> derivation = simplify("min H[Z] - beta*I[Y;Z]").derivation
            >>> Derivation.from_json(derivation.to_json()) == derivation
            True
        """
        return cls.from_dict(loaded(text, "derivation"))


def read_step(data: Any, functionals: tuple[str, ...] = ()) -> Step:
    """Return the step that :meth:`Step.to_dict` wrote.

    Args:
        data: A dictionary.
        functionals: Names of functionals beyond ``CE`` and ``KL`` that may occur.

    Returns:
        The step, not verified.

    Raises:
        InformationError: If a text is not in the language.
        KeyError: If an entry is missing.
        TypeError: If an entry is of another type.
    """
    return Step(
        entry(data, "rule", str),
        expression(data, "before", functionals),
        expression(data, "after", functionals),
        entry(data, "kind", str),  # type: ignore[arg-type]  # Derivation.verify refuses other kinds
        entry(data, "used", str),
        expression(data, "factor", functionals),
    )


def _fact_latex(text: str) -> str:
    try:
        statement = parse(text)
    except ParseError:
        return rf"\text{{{_escaped(text)}}}"
    return to_latex(statement) if isinstance(statement, sympy.Expr) else statement._repr_latex_().strip("$")


def _escaped(text: str) -> str:
    special = {"\\": r"\backslash ", "^": r"\^{}", "~": r"\~{}"} | {c: f"\\{c}" for c in "{}$&%#_"}
    return "".join(special.get(character, character) for character in text)


def _unopposed(step: Step) -> str:
    return "" if same_for_any_variables(step.before, -step.after) else "the two sides are not opposite"


def same_terms(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Return whether two expressions have equal coefficients of the same quantities.

    Args:
        left: A sympy expression.
        right: Another one.

    Returns:
        Whether they are the same sum, however the coefficients are written.
    """
    return bool(left == right) or bool(collected(left - right) == 0)


def same_for_any_variables(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Return whether two expressions are equal for all random variables, without any model.

    Args:
        left: A sympy expression.
        right: Another one.

    Returns:
        Whether they have the same joint entropies.
    """
    return bool(left == right) or entropy_form(left - right).is_zero()

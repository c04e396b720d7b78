"""What it means that two objectives are equivalent, in a form that can be checked alone.

They are the same up to a positive factor and a constant, for some map between their parameters. What
:func:`imeasure.rewriting.comparison.equivalent` found is verified here without the search that found it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy

from imeasure.constants import is_constant
from imeasure.errors import DerivationError
from imeasure.exchange import entry, expression, format_of, loaded, model_data, objective, read_model, reading
from imeasure.model import Model
from imeasure.printing import to_latex, to_text
from imeasure.quantities import param
from imeasure.rewriting.parameters import demands, meets, read_value, value_data
from imeasure.signs import Conditions, holds_everywhere
from imeasure.statements import Objective
from imeasure.vocabulary import Names, spelled


@dataclass(frozen=True)
class Equivalence:
    """Whether two objectives have the same minimisers, and how their values relate.

    Where it holds, ``second = scale * first + constant`` with the solution put into the second objective (into the
    first, for a parameter that only the first one has). Where both have a parameter that was solved for, values, scale,
    constant and conditions speak of that of the first, and texts say whose it is: ``beta_first``, ``beta_second``.

    Attributes:
        first: The first objective.
        second: The second objective.
        model: The model under which they are compared.
        holds: Whether they are equivalent for some parameter values; ``conditions`` says for which.
        scale: The factor; negative if one objective is a minimum and the other a maximum.
        constant: What the model makes constant.
        solution: The values of the parameters solved for, in terms of the others; some may stay free.
            Where it does not hold, values that only a range or the sign of the scale excludes.
        conditions: The parameter values for which the scale has the right sign, and the solution is real and in range.
        obstacle: Where it does not hold, what would have to be constant.

    Example:
        >>> from imeasure import equivalent
        >>> found = equivalent("min I[X;Z] - beta*I[Y;Z]", "max I[Y;Z] - beta*I[X;Z]", solve_for="beta")
        >>> print(found)
        equivalent with beta_second = 1/beta_first: second = (-1/beta_first) * first, for beta_first > 0
    """

    first: Objective
    second: Objective
    model: Model
    holds: bool
    scale: sympy.Expr = sympy.S.Zero
    constant: sympy.Expr = sympy.S.Zero
    solution: Mapping[sympy.Symbol, sympy.Expr] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=Conditions)
    obstacle: sympy.Expr = sympy.S.Zero

    def __bool__(self) -> bool:
        return self.holds

    @property
    def free(self) -> tuple[sympy.Symbol, ...]:
        """Parameters that the solution leaves free, in the order of their names."""
        given = self.first.expression.free_symbols | self.second.expression.free_symbols.difference(self.solution)
        used = set().union(*(value.free_symbols for value in self.solution.values()))
        return tuple(sorted(used - given, key=str))

    @property
    def _shared(self) -> frozenset[sympy.Symbol]:
        """Parameters of both objectives that have another value in each."""
        both = self.first.expression.free_symbols & self.second.expression.free_symbols
        return frozenset(symbol for symbol in both if self.solution.get(symbol, symbol) != symbol)

    def _of_first(self, expression: sympy.Basic) -> sympy.Basic:
        return expression.xreplace({symbol: param(f"{symbol}_first") for symbol in self._shared})

    def _said(self, solution: Mapping[sympy.Symbol, sympy.Expr]) -> dict[sympy.Symbol, sympy.Basic]:
        """Return values with names that say whose parameters they speak of."""
        shared = self._shared
        return {param(f"{s}_second") if s in shared else s: self._of_first(value) for s, value in solution.items()}

    @property
    def _said_conditions(self) -> Conditions:
        """The conditions with names that say whose parameters they speak of."""
        sets = tuple((self._of_first(symbol), values) for symbol, values in self.conditions.sets)
        return Conditions(sets, tuple(map(self._of_first, self.conditions.relations)))

    def verify(self) -> bool:
        """Check the relation exactly, without the search that found it.

        Returns:
            True.

        Raises:
            DerivationError: If the objectives are not equivalent, or not in the way that is said.
        """
        if not self.holds:
            raise DerivationError(f"'{self.first}' and '{self.second}' are not known to be equivalent")
        left, right = substituted(self.first, self.second, self.solution)
        if self.model.reduce(right - self.scale * left - self.constant) != 0:
            raise DerivationError("the second objective is not scale * first + constant under the model")
        if not is_constant(self.constant, self.model):
            raise DerivationError(f"{to_text(self.constant)} is not constant under the model")
        sign = 1 if self.first.sense == self.second.sense else -1
        if not holds_everywhere(sign * self.scale, self.conditions, self.model):
            raise DerivationError(f"the scale {self.scale} has the wrong sign somewhere in {self.conditions}")
        if not meets(demands(self.solution, self.model), self.conditions, self.model):
            raise DerivationError(f"a value solved for is not real or not in its range somewhere in {self.conditions}")
        return True

    def to_text(self, *, names: Names = "symbols") -> str:
        """Return the answer as one line of text.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            The line.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        if not self.holds:
            if self.solution:
                needed = ", ".join(f"{symbol} = {value}" for symbol, value in self._said(self.solution).items())
                return f"not equivalent: {needed} is out of range or gives the factor between them the wrong sign"
            if self.obstacle == 0:
                return "not equivalent: the factor between them has the wrong sign"
            reason = f"not equivalent: {to_text(self.obstacle)} is in the way; they would be if it were constant"
            return spelled(reason, names)
        said = {symbol: value for symbol, value in self.solution.items() if value != symbol}
        solved = ", ".join(f"{symbol} = {value}" for symbol, value in self._said(said).items())
        if self.free:
            solved += f"{', ' if solved else ''}any {', '.join(map(str, self.free))}"
        text = f"equivalent{f' with {solved}' if solved else ''}: second = ({self._of_first(self.scale)}) * first"
        if self.constant != 0:
            text += f" + constant, constant {to_text(self._of_first(self.constant))}"
        return spelled(f"{text}, for {self._said_conditions}" if self.conditions else text, names)

    def to_latex(self, *, names: Names = "symbols") -> str:
        """Return the answer in LaTeX, without delimiters.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            LaTeX.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        if not self.holds:
            reason = rf"\text{{: }} {to_latex(self.obstacle)} \text{{ is not constant}}" if self.obstacle != 0 else ""
            return spelled(rf"\text{{not equivalent}}{reason}", names)
        sides = substituted(self.first, self.second, self.solution)
        first, second = (to_latex(self._of_first(side)) for side in sides)
        lines = [rf"{second} = {sympy.latex(self._of_first(self.scale))} \left({first}\right)"]
        lines[0] += rf" + {_bracketed(self._of_first(self.constant))}" if self.constant != 0 else ""
        solution = self._said(self.solution)
        lines += [f"{sympy.latex(symbol)} = {sympy.latex(value)}" for symbol, value in solution.items()]
        lines += [self._said_conditions.to_latex()] if self.conditions else []
        return spelled(r",\quad ".join(lines), names)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_latex_(self) -> str:
        return f"${self.to_latex()}$"

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data.

        Raises:
            ModelError: If a set of parameter values is no union of intervals and points.
        """
        return {
            "format": format_of("equivalence"),
            "first": str(self.first),
            "second": str(self.second),
            "model": model_data(self.model),
            "holds": self.holds,
            "scale": value_data(self.scale),
            "constant": value_data(self.constant),
            "solution": {str(symbol): value_data(value) for symbol, value in self.solution.items()},
            "conditions": self.conditions.texts(),
            "values": self.conditions.to_dict(),
            "obstacle": to_text(self.obstacle),
        }

    def to_json(self) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    @classmethod
    def from_dict(cls, data: Any) -> Equivalence:
        """Read an answer from what :meth:`to_dict` returned; one that holds is verified.

        Args:
            data: Plain data.

        Returns:
            The answer.

        Raises:
            DerivationError: If the data are of another form, or the objectives are not equivalent in this way.
        """
        with reading("equivalence"):
            model = read_model(entry(data, "model", dict))
            declared = model.functionals
            solution = entry(data, "solution", dict)
            found = cls(
                objective(data, "first", declared),
                objective(data, "second", declared),
                model,
                entry(data, "holds", bool),
                read_value(data, "scale"),
                read_value(data, "constant", declared),
                {param(name): read_value(solution, name) for name in solution},
                Conditions.from_dict(entry(data, "values", dict)),
                expression(data, "obstacle", declared),
            )
            if entry(data, "conditions", list) != found.conditions.texts():
                raise DerivationError("the conditions that it shows are not those that it holds")
            if found.holds:
                found.verify()
                if found.obstacle != 0:
                    raise DerivationError("it holds, and yet names an obstacle")
        return found

    @classmethod
    def from_json(cls, text: str) -> Equivalence:
        """Read an answer from what :meth:`to_json` returned; one that holds is verified.

        Args:
            text: JSON text.

        Returns:
            The answer.

        Raises:
            DerivationError: If the text is of another form, or the objectives are not equivalent in this way.

        Example:
            >>> from imeasure import equivalent
            >>> found = equivalent("min H[Y|Z]", "max I[Y;Z]")
            >>> Equivalence.from_json(found.to_json()) == found
            True
        """
        return cls.from_dict(loaded(text, "equivalence"))


def substituted(
    first: Objective, second: Objective, values: Mapping[sympy.Symbol, sympy.Expr]
) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the expressions of two objectives with values put into the second (the first, where only that has them).

    Args:
        first: An objective.
        second: Another one.
        values: Values of parameters.

    Returns:
        The two expressions.
    """
    of_second = {s: v for s, v in values.items() if s in second.expression.free_symbols}
    of_first = {s: v for s, v in values.items() if s not in of_second}
    return (
        first.expression.subs(of_first, simultaneous=True),
        second.expression.subs(of_second, simultaneous=True),
    )


def _bracketed(expression: sympy.Expr) -> str:
    text = to_latex(expression)
    return rf"\left({text}\right)" if expression.is_Add or text.startswith("-") else text

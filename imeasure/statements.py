"""What a text can say besides an expression: relations, objectives, Markov chains and independences.

Frozen data over sympy expressions; each prints as text that the parser reads back as the same object.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import sympy

from imeasure.errors import ParseError
from imeasure.printing import to_latex, to_text
from imeasure.quantities import Information, RandomVariable
from imeasure.trees import ConstraintKind, Operator, Sense


@dataclass(frozen=True)
class Relation:
    """A chain of expressions joined by ``<=``, ``>=`` or ``=``.

    Attributes:
        expressions: At least two sympy expressions.
        operators: The relations between them, one fewer.

    Example:
        >>> from imeasure import parse
        >>> print(parse("I[X;Z|Y] <= H[Z|Y] <= H[Z]"))
        I[X;Z|Y] <= H[Z|Y] <= H[Z]
    """

    expressions: tuple[sympy.Expr, ...]
    operators: tuple[Operator, ...]

    def __post_init__(self) -> None:
        if len(self.expressions) != len(self.operators) + 1 or not self.operators:
            raise ParseError("a relation needs one operator between each two expressions", str(self.operators), 0)

    def links(self) -> tuple[Relation, ...]:
        """Return the relations between neighbours: one of two expressions for each operator."""
        pairs = zip(self.expressions, self.expressions[1:], self.operators, strict=False)
        return tuple(Relation((left, right), (operator,)) for left, right, operator in pairs)

    def __str__(self) -> str:
        parts = [to_text(self.expressions[0])]
        for operator, expression in zip(self.operators, self.expressions[1:], strict=True):
            parts += [operator, to_text(expression)]
        return " ".join(parts)

    def _repr_latex_(self) -> str:
        signs = {"<=": r"\leq", ">=": r"\geq", "=": "="}
        parts = [to_latex(self.expressions[0])]
        for operator, expression in zip(self.operators, self.expressions[1:], strict=True):
            parts += [signs[operator], to_latex(expression)]
        return f"${' '.join(parts)}$"


@dataclass(frozen=True)
class Objective:
    """An expression to minimise or maximise.

    Attributes:
        sense: ``"min"`` or ``"max"``.
        expression: A sympy expression, linear in its quantities.

    Example:
        >>> from imeasure import parse
        >>> print(parse("min I[X;Z] - beta*I[Y;Z]"))
        min I[X;Z] - beta*I[Y;Z]
    """

    sense: Sense
    expression: sympy.Expr

    def __str__(self) -> str:
        return f"{self.sense} {to_text(self.expression)}"

    def _repr_latex_(self) -> str:
        return rf"$\{self.sense} {to_latex(self.expression)}$"


@dataclass(frozen=True)
class Constraint:
    """A Markov chain ``X,W -> Y -> Z`` or an independence ``X _||_ Y | Z`` of groups of variables.

    Attributes:
        kind: ``"markov"`` or ``"independence"``.
        groups: The groups, at least two.
        given: Variables conditioned on (independence only).

    Example:
        >>> from imeasure import parse
        >>> [str(quantity) for quantity in parse("X -> Y -> Z -> W").vanishing()]
        ['I[W,Z;X|Y]', 'I[W;X,Y|Z]']
    """

    kind: ConstraintKind
    groups: tuple[tuple[RandomVariable, ...], ...]
    given: tuple[RandomVariable, ...] = ()

    def vanishing(self) -> tuple[sympy.Expr, ...]:
        """Return the conditional mutual informations whose vanishing says the same.

        For a chain these are past and future given each inner group; for an independence, each group and those before.
        """
        if self.kind == "markov":
            cuts = range(1, len(self.groups) - 1)
            parts = [(self.groups[:cut], self.groups[cut + 1 :], self.groups[cut]) for cut in cuts]
        else:
            parts = [(self.groups[:cut], self.groups[cut : cut + 1], self.given) for cut in range(1, len(self.groups))]
        quantities = (Information([chain(*left), chain(*right)], given) for left, right, given in parts)
        return tuple(quantity for quantity in quantities if quantity != 0)

    def _render(self, separator: str, bar: str) -> str:
        text = separator.join(",".join(v.name for v in group) for group in self.groups)
        return text + (bar + ",".join(v.name for v in self.given) if self.given else "")

    def __str__(self) -> str:
        return self._render(" -> " if self.kind == "markov" else " _||_ ", " | ")

    def _repr_latex_(self) -> str:
        separator = r" \to " if self.kind == "markov" else r" \perp "
        return "$" + self._render(separator, r" \mid ") + "$"

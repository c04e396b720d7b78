"""Equivalent objectives: the same up to a positive factor and a constant, for some map between their parameters.

Modulo what the model makes constant an objective is a vector over atoms whose entries are rational functions of the
parameters. Two objectives are equivalent exactly if one vector is a positive multiple of the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy

from imeasure.constants import as_constant, is_constant
from imeasure.elimination import Column, column_quantity, combination
from imeasure.errors import DerivationError, NonlinearError, UnknownVariableError, unknown
from imeasure.exchange import as_model, entry, expression, format_of, loaded, model_data, objective, read_model, reading
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.printing import to_latex, to_text
from imeasure.quantities import param
from imeasure.rewriting.parameters import allowed, demands, meets, minors, named, read_value, solutions, value_data
from imeasure.rewriting.quotient import Quotient, quotient
from imeasure.signs import Conditions, holds_everywhere, positive
from imeasure.statements import Objective
from imeasure.terms import as_expression, collected, variables_of
from imeasure.vocabulary import Names, spelled


@dataclass(frozen=True)
class Equivalence:
    """Whether two objectives have the same minimisers, and how their values relate.

    Where it holds, ``second = scale * first + constant`` with the solution put into the second objective (into the
    first, for a parameter that only the first one has).

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
        >>> found = equivalent("min I[X;Z] - beta*I[Y;Z]", "max I[Y;Z] - beta*I[X;Z]", solve_for="beta")
        >>> print(found)
        equivalent with beta = 1/beta: second = (-1/beta) * first, for beta > 0
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

    def verify(self) -> bool:
        """Check the relation exactly, without the search that found it.

        Returns:
            True.

        Raises:
            DerivationError: If the objectives are not equivalent, or not in the way that is said.
        """
        if not self.holds:
            raise DerivationError(f"'{self.first}' and '{self.second}' are not known to be equivalent")
        left, right = _substituted(self.first, self.second, self.solution)
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
                needed = ", ".join(f"{symbol} = {value}" for symbol, value in self.solution.items())
                return f"not equivalent: {needed} is out of range or gives the factor between them the wrong sign"
            if self.obstacle == 0:
                return "not equivalent: the factor between them has the wrong sign"
            reason = f"not equivalent: {to_text(self.obstacle)} is in the way; they would be if it were constant"
            return spelled(reason, names)
        solved = ", ".join(f"{symbol} = {value}" for symbol, value in self.solution.items() if value != symbol)
        if self.free:
            solved += f"{', ' if solved else ''}any {', '.join(map(str, self.free))}"
        text = f"equivalent{f' with {solved}' if solved else ''}: second = ({self.scale}) * first"
        if self.constant != 0:
            text += f" + constant, constant {to_text(self.constant)}"
        return spelled(f"{text}, for {self.conditions}" if self.conditions else text, names)

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
        first, second = (to_latex(side) for side in _substituted(self.first, self.second, self.solution))
        lines = [rf"{second} = {sympy.latex(self.scale)} \left({first}\right)"]
        lines[0] += rf" + {_bracketed(self.constant)}" if self.constant != 0 else ""
        lines += [f"{sympy.latex(symbol)} = {sympy.latex(value)}" for symbol, value in self.solution.items()]
        lines += [self.conditions.to_latex()] if self.conditions else []
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
            >>> found = equivalent("min H[Y|Z]", "max I[Y;Z]")
            >>> Equivalence.from_json(found.to_json()) == found
            True
        """
        return cls.from_dict(loaded(text, "equivalence"))


def _bracketed(expression: sympy.Expr) -> str:
    text = to_latex(expression)
    return rf"\left({text}\right)" if expression.is_Add or text.startswith("-") else text


def equivalent(
    first: str | Objective,
    second: str | Objective,
    *,
    model: Model | str | None = None,
    solve_for: str | sympy.Symbol | Iterable[str | sympy.Symbol] = (),
) -> Equivalence:
    """Decide whether two objectives have the same minimisers, solving for parameters if asked to.

    Args:
        first: An objective.
        second: Another one. A parameter of the same name in both has the same value, unless it is solved for.
        model: The model, by default :func:`imeasure.supervised`; in a graph given as text X and Y are data.
        solve_for: Parameters of the second objective (of the first, where only that one has it) to be expressed by the
            others.

    Returns:
        The answer, verified where it holds.

    Raises:
        ParseError: If a text is not in the language.
        NonlinearError: If a statement is no objective, or not linear in its quantities, or the equations for the
            parameters have no solution by rational functions and square roots that was found.
        UnknownVariableError: If a parameter to be solved for does not occur, or a variable is not in the model.
        UndefinedQuantityError: If a quantity has no value under the model.

    Example:
        >>> ib = "min I[X;Z] - beta*I[Y;Z]"
        >>> form = "min H[Y|Z] + H[Z|Y] + g*(H[Y|Z] - H[Z|Y]) + (g - 1)*H[Z|X]"
        >>> found = equivalent(ib, form, solve_for="g")
        >>> found.solution, found.scale
        ({g: (beta - 2)/beta}, 2/beta)
        >>> print(equivalent(ib, "min H[Z] - beta*I[Y;Z]"))
        not equivalent: H[Z|X] is in the way; they would be if it were constant
    """
    model = as_model(model, of_objective=True)
    left, right = _objective(first), _objective(second)
    for side in (left, right):
        model.require_defined(side.expression)
    unknowns = _unknowns(solve_for, left, right)
    fresh = {symbol: sympy.Dummy(symbol.name, real=True) for symbol in unknowns}
    a, b = _substituted(left, right, fresh)
    space = quotient(model, model.covering(variables_of(a + b)), homogeneous=True)
    vectors = _vector(a, space), _vector(b, space)
    equations = minors(*vectors)
    found, complete = solutions(equations, list(fresh.values()))
    excluded: dict[sympy.Symbol, sympy.Expr] = {}
    for values in found:
        answer = _related(left, right, named(values, fresh, left.expression.free_symbols), model, space)
        if answer is not None and answer.conditions.satisfiable:
            answer.verify()
            return answer
        excluded = excluded or dict(answer.solution if answer else {})
    if not complete:
        written = [str(one.subs({dummy: symbol for symbol, dummy in fresh.items()})) for one in equations[:3]]
        raise NonlinearError(
            f"no solution for {', '.join(map(str, unknowns))} by rational functions and square roots was found, and "
            f"others are not excluded: {' = '.join([*written, '0'])}; solve for parameters that occur linearly"
        )
    if excluded:
        return Equivalence(left, right, model, holds=False, solution=excluded)
    sign = 1 if left.sense == right.sense else -1
    free = fresh and not fresh.keys() & dict(model.ranges).keys()  # a solution outside a range would be none
    obstacle = _single_obstacle(*vectors, list(fresh.values()), sign, model, space) if free else None
    return Equivalence(left, right, model, holds=False, obstacle=obstacle or _obstacle(left, right, model, space))


def _objective(statement: str | Objective) -> Objective:
    read = parse(statement) if isinstance(statement, str) else statement
    if not isinstance(read, Objective):
        raise NonlinearError(f"expected an objective such as 'min I[X;Z] - beta*I[Y;Z]', not '{statement}'")
    return Objective(read.sense, as_expression(read.expression))


def _unknowns(
    solve_for: str | sympy.Symbol | Iterable[str | sympy.Symbol], first: Objective, second: Objective
) -> list[sympy.Symbol]:
    listed = solve_for.replace(",", " ").split() if isinstance(solve_for, str) else solve_for
    listed = [listed] if isinstance(listed, sympy.Symbol) else listed
    listed = list(listed) if isinstance(listed, Iterable) else [None]
    if not all(isinstance(item, str | sympy.Symbol) for item in listed):
        raise UnknownVariableError(f"solve_for names parameters, such as 'beta' or ['a', 'g'], not {solve_for!r}")
    symbols = list(dict.fromkeys(param(str(item)) for item in listed))
    known = sorted(map(str, first.expression.free_symbols | second.expression.free_symbols))
    for symbol in symbols:
        if str(symbol) not in known:
            raise UnknownVariableError(unknown("parameter", str(symbol), known))
    return symbols


def _substituted(
    first: Objective, second: Objective, values: Mapping[sympy.Symbol, sympy.Expr]
) -> tuple[sympy.Expr, sympy.Expr]:
    of_second = {s: v for s, v in values.items() if s in second.expression.free_symbols}
    of_first = {s: v for s, v in values.items() if s not in of_second}
    return (
        first.expression.subs(of_first, simultaneous=True),
        second.expression.subs(of_second, simultaneous=True),
    )


def _vector(expression: sympy.Expr, space: Quotient) -> dict[Column, sympy.Expr]:
    coordinates, form = space.coordinates(expression)
    return {column: form.coefficient(value) for column, value in coordinates.items()}


def _related(
    first: Objective, second: Objective, solution: Mapping[sympy.Symbol, sympy.Expr], model: Model, space: Quotient
) -> Equivalence | None:
    solution = {symbol: sympy.factor(value) for symbol, value in solution.items()}
    left, right = _substituted(first, second, solution)
    a, b = _vector(left, space), _vector(right, space)
    if not a or not b:
        scale = sympy.S.One if first.sense == second.sense else sympy.S.NegativeOne
        if a or b:
            return None
    else:
        column = next(iter(a))
        scale = sympy.factor(b.get(column, sympy.S.Zero) / a[column])
        if set(a) != set(b) or any(sympy.cancel(b[c] - scale * a[c]) != 0 for c in a):
            return None
    sign = 1 if first.sense == second.sense else -1
    constant = as_constant(right - scale * left, model)
    if constant is None:
        return None
    conditions = allowed([sign * scale], demands(solution, model), model)
    return Equivalence(first, second, model, True, scale, collected(constant), solution, conditions)


def _single_obstacle(
    a: dict[Column, sympy.Expr],
    b: dict[Column, sympy.Expr],
    unknowns: list[sympy.Symbol],
    sign: int,
    model: Model,
    space: Quotient,
) -> sympy.Expr | None:
    """Return the simplest quantity modulo which some values of the unknowns make two vectors proportional, if any."""
    for candidate in space.candidates:
        left, right = _without(a, candidate.vector), _without(b, candidate.vector)
        if not left or not right:
            continue
        column = next(iter(left))
        for values in solutions(minors(left, right), unknowns)[0]:
            scale = sympy.factor((right.get(column, sympy.S.Zero) / left[column]).subs(values))
            if scale == 0 or scale.has(sympy.nan, sympy.zoo):
                continue
            if positive([sign * scale], model).satisfiable:
                return candidate.quantity
    return None


def _without(vector: dict[Column, sympy.Expr], other: Mapping[Column, Any]) -> dict[Column, sympy.Expr]:
    """Return a vector modulo another one, without the other's first column."""
    exact = {column: sympy.Rational(value) for column, value in other.items()}
    pivot, entry = next(iter(exact.items()))
    factor = vector.get(pivot, sympy.S.Zero) / entry
    rest = {column: vector.get(column, sympy.S.Zero) - factor * value for column, value in exact.items()}
    return {column: value for column, value in (vector | rest).items() if sympy.cancel(value) != 0}


def _obstacle(first: Objective, second: Objective, model: Model, space: Quotient) -> sympy.Expr:
    """Return the simplest expression that would have to be constant for the objectives to be equivalent."""
    a, b = _vector(first.expression, space), _vector(second.expression, space)
    sign = 1 if first.sense == second.sense else -1
    ratios = list(dict.fromkeys(sympy.factor(b[c] / a[c]) for c in a if c in b))
    if len(ratios) == 1 and not space.coordinates(second.expression - ratios[0] * first.expression)[0]:
        return sympy.S.Zero
    found: list[tuple[int, sympy.Expr]] = []
    for ratio in [r for r in ratios if positive([sign * r], model).satisfiable] or [sympy.Integer(sign)]:
        rest, form = space.coordinates(second.expression - ratio * first.expression)
        for place, candidate in enumerate(space.candidates):
            if combination(rest, [candidate.vector]) is not None:
                found.append((place, candidate.quantity))
                break
        else:
            atoms = (form.coefficient(value) * column_quantity(column, space.names) for column, value in rest.items())
            found.append((len(space.candidates), sympy.Add(*atoms)))
    return min(found, key=lambda pair: (pair[0], str(pair[1])))[1]

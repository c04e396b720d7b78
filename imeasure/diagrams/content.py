"""What a diagram says: for each atom its name, its value, its coefficient, and whether it is there at all.

Everything here is symbolic or numeric and knows no picture.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import sympy

from imeasure.diagrams.chains import chain_of, interval_atoms
from imeasure.diagrams.naming import between, shortest
from imeasure.diagrams.valuation import read_values
from imeasure.errors import ConfigError, ModelError, NonlinearError
from imeasure.measure import atom, atom_coefficients, entropy_form, mask_of
from imeasure.model import MAX_VARIABLES, Model
from imeasure.names import MAX_GROUPS
from imeasure.parser import parse
from imeasure.quantities import Information
from imeasure.signs import Conditions, holds_everywhere
from imeasure.statements import Objective
from imeasure.terms import variables_of

MAX_BARS = 16
"""Most variables whose atoms are counted out one by one."""

Trend = Literal["minimised", "maximised", "positive", "negative", "depends", ""]


@dataclass(frozen=True)
class Atom:
    """One atom of a diagram.

    Attributes:
        mask: Bitmask of the variables that contain it.
        quantity: The atom.
        name: The shortest quantity that the model makes equal to it.
        value: Nats, if values were given.
        coefficient: In the highlighted expression; zero if it does not occur.
        trend: What an optimiser does to it; of an expression that is no objective, its coefficient's sign.
        dropped: Whether it is part of a constant that was left out.
    """

    mask: int
    quantity: Information
    name: Information
    value: float | None = None
    coefficient: sympy.Expr = sympy.S.Zero
    trend: Trend = ""
    dropped: bool = False


@dataclass(frozen=True, eq=False)
class Content:
    """Everything a diagram shows.

    Attributes:
        names: The variables.
        model: The model.
        atoms: The atoms that the model does not make zero, by bitmask.
        title: Lines above the picture.
        left_out: How many atoms with a height are not among ``atoms``.
        bound: No height left out is larger than this.
        zeros: How many atoms have height zero and are not among ``atoms`` for that.
    """

    names: tuple[str, ...]
    model: Model
    atoms: Mapping[int, Atom]
    title: str = ""
    left_out: int = 0
    bound: float = 0.0
    zeros: int = 0

    @cached_property
    def masks(self) -> frozenset[int]:
        """Bitmasks of the atoms."""
        return frozenset(self.atoms)


def content(
    model: Model,
    names: tuple[str, ...],
    *,
    values: Any = None,
    highlight: Any = None,
    dropped: Any = None,
    conditions: Conditions | None = None,
    title: str = "",
    most: int | None = None,
) -> Content:
    """Collect what a diagram shows.

    Args:
        model: The model; atoms that its equations make zero are left out.
        names: The variables.
        values: A distribution over the variables, or a mapping from atoms to nats.
        highlight: An expression or objective whose coefficients are shown.
        dropped: An expression whose atoms count as constants that were left out.
        conditions: Parameter values under which signs are decided, beside the model's ranges.
        title: Lines above the picture.
        most: Keep only so many atoms, those whose value, or else coefficient, is largest in absolute value.

    Returns:
        The content.

    Raises:
        UnknownVariableError: If values or expressions speak of other variables.
        NonlinearError: If an expression has terms outside the measure.
        ModelError: If there are too many variables to know which atoms vanish, or values contradict the model.
        ConfigError: If only some are to be kept and there is nothing, or only zeros, to compare them by.
    """
    chain = chain_of(model, names)
    if chain is not None and len(names) > MAX_GROUPS:
        raise ModelError(f"a Markov chain is drawn with up to {MAX_GROUPS} variables, not {len(names)}")
    zero: frozenset[int] = frozenset()
    if chain is None:
        zero = _vanishing(model, names)
        masks = [mask for mask in range(1, 1 << len(names)) if mask not in zero]
    else:
        masks = sorted(interval_atoms(chain))
    numbers = {} if values is None else read_values(values, names, masks)
    coefficients = _coefficients(highlight.expression if isinstance(highlight, Objective) else highlight, names)
    constants = _coefficients(dropped, names)
    left_out, bound, zeros = 0, 0.0, 0
    if most is not None:
        heights = numbers if values is not None else _heights(coefficients, names, masks)
        listed = sorted((m for m in heights if heights[m]), key=lambda m: (-abs(heights[m]), m.bit_count(), m))
        if not listed:
            given = (
                "all that are given are zero" if heights else "give values=, or highlight= with numbers as coefficients"
            )
            raise ConfigError(f"bars need heights; {given}")
        zeros = len(masks if values is None else heights) - len(listed)
        masks, rest = listed[:most], listed[most:]
        left_out, bound = len(rest), abs(heights[rest[0]]) if rest else 0.0
    atoms = {}
    for mask in masks:
        coefficient = coefficients.get(mask, sympy.S.Zero)
        atoms[mask] = Atom(
            mask,
            atom(mask, names),
            shortest(mask, names, zero) if chain is None else between(mask, names, chain),
            numbers.get(mask),
            coefficient,
            _trend(coefficient, highlight, conditions or Conditions(), model),
            mask in constants and coefficient == 0,
        )
    return Content(names, model, MappingProxyType(atoms), title, left_out, bound, zeros)


def subject(what: Any) -> tuple[Model, tuple[str, ...], Any]:
    """Tell a model from an expression, objective or names of sets.

    Args:
        what: A model, a graph as text, an expression or objective, or names such as ``"X Y Z"``.

    Returns:
        The model, the variables, and the expression to highlight, if any.

    Raises:
        ConfigError: If it is none of these.
        ModelError: If a model has no variables.
    """
    if isinstance(what, Model):
        if not what.variables:
            raise ModelError("the model names no variables; give it a graph, or draw an expression")
        return what, what.variables, None
    if isinstance(what, str) and "[" not in what and "(" not in what:
        listed = what.replace(",", " ").split()
        if not listed:
            raise ConfigError(
                "there is nothing to draw; give names such as 'X Y Z', a graph such as 'Y -> X -> Z', "
                "or an expression such as 'I[X;Y]'"
            )
        model = Model(what) if "->" in what or "→" in what else Model(fixed=listed)
        return model, model.variables, None
    shown = as_highlight(what, "a diagram shows a model, an expression, an objective or a canonical form")
    return Model(), variables_of(shown.expression if isinstance(shown, Objective) else shown), shown


def as_highlight(what: Any, wanted: str = "highlight= is an expression or an objective") -> sympy.Expr | Objective:
    """Return an expression or objective with at least one quantity.

    Args:
        what: Text, an expression or an objective.
        wanted: How a complaint begins.

    Returns:
        The expression or objective.

    Raises:
        ConfigError: If it is none, or speaks of no variables.
    """
    shown = parse(what) if isinstance(what, str) else what
    expression = shown.expression if isinstance(shown, Objective) else shown
    if not isinstance(expression, sympy.Expr):
        raise ConfigError(f"{wanted}, not {what!r}")
    if not variables_of(expression):
        raise ConfigError(f"{wanted}; {what!r} has no quantity such as I[X;Y]")
    return shown


def _vanishing(model: Model, names: tuple[str, ...]) -> frozenset[int]:
    if not (model.nodes or model.assumptions):
        if len(names) > MAX_BARS:
            raise ModelError(f"{len(names)} variables have {2 ** len(names) - 1} atoms; draw {MAX_BARS} at most")
        return frozenset()
    if len(names) > MAX_VARIABLES:
        raise ModelError(f"which atoms vanish is worked out for up to {MAX_VARIABLES} variables, not {len(names)}")
    index = {name: i for i, name in enumerate(names)}
    return frozenset(
        mask_of((v for group in quantity.groups for v in group), index) for quantity in model.vanishing_atoms(names)
    )


def _coefficients(expression: Any, names: tuple[str, ...]) -> dict[int, sympy.Expr]:
    if expression is None:
        return {}
    form = entropy_form(expression, names)
    if form.functionals:
        raise NonlinearError(f"{next(iter(form.functionals))} has no place in a diagram; it is not a measure of atoms")
    return {m: sympy.expand(form.coefficient(c)) for m, c in enumerate(atom_coefficients(form)) if m and c != 0}


def _heights(
    coefficients: Mapping[int, sympy.Expr], names: tuple[str, ...], masks: Collection[int]
) -> dict[int, float]:
    for mask, coefficient in coefficients.items():
        if coefficient.free_symbols:
            raise ConfigError(
                f"bars need numbers, and the coefficient of {atom(mask, names)} is {coefficient}; put numbers for its "
                "parameters, for example with .subs"
            )
    return {mask: float(coefficients[mask]) for mask in masks if mask in coefficients}


def _trend(coefficient: sympy.Expr, highlight: Any, conditions: Conditions, model: Model) -> Trend:
    if coefficient == 0:
        return ""
    above = holds_everywhere(coefficient, conditions, model)
    if not above and not holds_everywhere(-coefficient, conditions, model):
        return "depends"
    if isinstance(highlight, Objective):
        return "minimised" if above == (highlight.sense == "min") else "maximised"
    return "positive" if above else "negative"

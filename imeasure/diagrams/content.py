"""What a diagram says: for each atom its name, its value, its coefficient, and whether it is there at all.

Everything here is symbolic or numeric and knows no picture. Names are shortened where the model makes a shorter
quantity equal (``I[Y;Z]`` for ``I[X;Y;Z]`` in the chain ``Y -> X -> Z``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import sympy

from imeasure.diagrams.chains import chain_of, interval_atoms
from imeasure.distribution import Distribution
from imeasure.errors import ConfigError, ModelError, NonlinearError, UnknownVariableError
from imeasure.measure import as_expression, atom, atom_coefficients, entropy_form, mask_of, members, variables_of
from imeasure.model import MAX_VARIABLES, Model
from imeasure.parser import parse
from imeasure.quantities import Information
from imeasure.signs import Conditions, holds_everywhere
from imeasure.statements import Objective

Trend = Literal["minimised", "maximised", "depends", ""]


@dataclass(frozen=True)
class Atom:
    """One atom of a diagram.

    Attributes:
        mask: Bitmask of the variables that contain it.
        quantity: The atom.
        name: The shortest quantity that the model makes equal to it.
        value: Nats, if values were given.
        coefficient: In the highlighted expression; zero if it does not occur.
        trend: What an optimiser does to it.
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
        title: Line above the picture.
    """

    names: tuple[str, ...]
    model: Model
    atoms: Mapping[int, Atom]
    title: str = ""

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
) -> Content:
    """Collect what a diagram shows.

    Args:
        model: The model; atoms that its equations make zero are left out.
        names: The variables.
        values: A distribution over the variables, or a mapping from atoms to nats.
        highlight: An expression or objective whose coefficients are shown.
        dropped: An expression whose atoms count as constants that were left out.
        conditions: Parameter values under which signs are decided, beside the model's ranges.
        title: Line above the picture.

    Returns:
        The content.

    Raises:
        UnknownVariableError: If values or expressions speak of other variables.
        NonlinearError: If an expression has terms outside the measure.
        ModelError: If there are too many variables to know which atoms vanish, or values contradict the model.
    """
    chain = chain_of(model, names)
    if chain is None:
        zero = _vanishing(model, names)
        masks = [mask for mask in range(1, 1 << len(names)) if mask not in zero]
        called = {mask: _shortest(mask, names, zero) for mask in masks}
    else:
        masks = sorted(interval_atoms(chain))
        called = {mask: _between(mask, names, chain) for mask in masks}
    numbers = _values(values, names, frozenset(masks))
    sense = highlight.sense if isinstance(highlight, Objective) else "min"
    expression = highlight.expression if isinstance(highlight, Objective) else highlight
    coefficients = _coefficients(expression, names)
    constants = _coefficients(dropped, names)
    atoms = {}
    for mask in masks:
        quantity = atom(mask, names)
        coefficient = coefficients.get(mask, sympy.S.Zero)
        atoms[mask] = Atom(
            mask,
            quantity,
            called[mask],
            numbers.get(mask),
            coefficient,
            _trend(coefficient if sense == "min" else -coefficient, conditions or Conditions(), model),
            mask in constants and coefficient == 0,
        )
    return Content(names, model, MappingProxyType(atoms), title)


def subject(what: Any) -> tuple[Model, tuple[str, ...], Any]:
    """Tell a model from an expression, objective or number of sets.

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
    if isinstance(what, str):
        if "[" not in what and "(" not in what:
            model = Model(what) if "->" in what or "→" in what else Model(fixed=what.replace(",", " ").split())
            return model, model.variables, None
        what = parse(what)
    expression = what.expression if isinstance(what, Objective) else what
    if not isinstance(expression, sympy.Expr):
        raise ConfigError(f"a diagram shows a model, an expression, an objective or a canonical form, not {what!r}")
    return Model(), variables_of(expression), what


def _vanishing(model: Model, names: tuple[str, ...]) -> frozenset[int]:
    if not (model.nodes or model.assumptions):
        return frozenset()
    if len(names) > MAX_VARIABLES:
        raise ModelError(f"which atoms vanish is worked out for up to {MAX_VARIABLES} variables, not {len(names)}")
    index = {name: i for i, name in enumerate(names)}
    return frozenset(
        mask_of((v for group in quantity.groups for v in group), index) for quantity in model.vanishing_atoms(names)
    )


def _between(mask: int, names: tuple[str, ...], chain: list[int]) -> Information:
    """The shortest quantity equal to an atom of a chain: its two ends, given the neighbours beyond."""
    places = [place for place, bit in enumerate(chain) if mask >> bit & 1]
    ends = dict.fromkeys(names[chain[place]] for place in (places[0], places[-1]))
    beyond = [names[chain[p]] for p in (places[0] - 1, places[-1] + 1) if 0 <= p < len(chain)]
    result: Information = Information([[name] for name in ends], beyond)
    return result


def _shortest(mask: int, names: tuple[str, ...], zero: frozenset[int]) -> Information:
    """The quantity of fewest letters whose atoms, but for this one, all vanish."""
    full = (1 << len(names)) - 1
    everything = np.arange(1, full + 1)
    alive = np.array([m not in zero for m in everything])
    best: tuple[int, int, int, int] | None = None
    for inside in _submasks(mask):
        for outside in (*_submasks(full & ~mask), 0):
            covered = everything[((everything & inside) == inside) & ((everything & outside) == 0) & alive]
            if covered.tolist() == [mask]:
                key = (inside.bit_count() + outside.bit_count(), outside.bit_count(), inside, outside)
                best = key if best is None else min(best, key)
    inside, outside = (mask, full & ~mask) if best is None else best[2:]
    result: Information = Information([[name] for name in members(inside, names)], list(members(outside, names)))
    return result


def _submasks(mask: int) -> list[int]:
    found, part = [], mask
    while part:
        found.append(part)
        part = (part - 1) & mask
    return found


def _values(values: Any, names: tuple[str, ...], shown: frozenset[int]) -> dict[int, float]:
    if values is None:
        return {}
    if isinstance(values, Distribution):
        if missing := [name for name in names if name not in values.names]:
            raise UnknownVariableError(
                f"the distribution has no variable {missing[0]}; it has {', '.join(values.names)}"
            )
        numbers = values.marginal(names).measure().values
        largest = float(np.abs(numbers).max())
        for mask in range(1, 1 << len(names)):
            if mask not in shown and abs(numbers[mask]) > 1e-6 * max(largest, 1.0):
                raise ModelError(
                    f"the values contradict the model: {atom(mask, names)} is {numbers[mask]:.4g}, the model makes it 0"
                )
        return {mask: float(numbers[mask]) for mask in range(1, 1 << len(names))}
    if not isinstance(values, Mapping):
        raise ConfigError(f"values are a Distribution or a mapping from atoms to nats, not {type(values).__name__}")
    index = {name: i for i, name in enumerate(names)}
    found: dict[int, float] = {}
    for key, number in values.items():
        form = entropy_form(as_expression(key), names)
        terms = [(m, c) for m, c in enumerate(atom_coefficients(form)) if c != 0 and m in shown]
        if len(terms) != 1 or terms[0][1] != 1:
            raise ConfigError(f"{key} is not one atom over {', '.join(index)}; values are given atom by atom")
        try:
            value = float(number)
        except (TypeError, ValueError):
            raise ConfigError(f"the value of {key} is {number!r}, which is no number of nats") from None
        if not math.isfinite(value) or found.get(terms[0][0], value) != value:
            raise ConfigError(f"the value of {key} is {number!r}; every atom needs one finite number of nats")
        found[terms[0][0]] = value
    return found


def _coefficients(expression: Any, names: tuple[str, ...]) -> dict[int, sympy.Expr]:
    if expression is None:
        return {}
    form = entropy_form(expression, names)
    if form.functionals:
        raise NonlinearError(f"{next(iter(form.functionals))} has no place in a diagram; it is not a measure of atoms")
    return {m: sympy.expand(form.coefficient(c)) for m, c in enumerate(atom_coefficients(form)) if m and c != 0}


def _trend(coefficient: sympy.Expr, conditions: Conditions, model: Model) -> Trend:
    if coefficient == 0:
        return ""
    if coefficient.is_Rational:
        return "minimised" if coefficient > 0 else "maximised"
    if holds_everywhere(coefficient, conditions, model):
        return "minimised"
    return "maximised" if holds_everywhere(-coefficient, conditions, model) else "depends"


def in_unit(value: float, unit: str) -> float:
    """Convert nats.

    Args:
        value: Nats.
        unit: ``"nats"`` or ``"bits"``.

    Returns:
        The value in the unit.

    Raises:
        ConfigError: If there is no such unit.
    """
    if unit not in {"nats", "bits"}:
        raise ConfigError(f"unit must be 'nats' or 'bits', not {unit!r}")
    return value if unit == "nats" else value / float(np.log(2.0))


def compact(value: float | Fraction) -> str:
    """Write a number with three significant digits at most, with a proper minus sign.

    Args:
        value: The number.

    Returns:
        Text.

    Example:
        >>> compact(-0.693147), compact(1e-17)
        ('−0.693', '0')
    """
    text = f"{float(value):.3f}".rstrip("0").rstrip(".")
    return "0" if text in {"0", "-0"} else text.replace("-", "−")

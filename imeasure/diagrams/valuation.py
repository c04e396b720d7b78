"""Numbers in diagrams: reading them for each atom, their units, and how they are written.

Values come from a distribution or are listed by atom; what contradicts the model's zeros is refused, not drawn.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import sympy

from imeasure.distribution import Distribution
from imeasure.errors import ConfigError, ModelError, UnknownVariableError
from imeasure.measure import atom, atom_coefficients, entropy_form
from imeasure.terms import as_expression, variables_of

_NOISE = 1e-11
_CONTRADICTION = 1e-6
_MOST_DECIMALS, _LARGE = 3, 1e5
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def read_values(values: Any, names: tuple[str, ...], shown: Collection[int]) -> dict[int, float]:
    """Return the value of each atom.

    Args:
        values: A distribution over the variables, dit's and data frames among them, or a mapping from atoms to nats.
        names: The variables.
        shown: Bitmasks of the atoms that the model does not make zero.

    Returns:
        Nats by bitmask; of a distribution, what lies within rounding of zero, by the largest value, is zero.

    Raises:
        UnknownVariableError: If the distribution lacks a variable.
        ModelError: If an atom has a value that the model makes zero.
        ConfigError: If the values are of another kind, or a mapping does not give one finite number atom by atom.

    Example:
        >>> read_values({"I[X;Y]": 0.5}, ("X", "Y"), {1, 2, 3})
        {3: 0.5}
    """
    if not isinstance(values, Distribution | Mapping) and (
        hasattr(values, "get_rv_names") or hasattr(values, "to_numpy")
    ):
        values = Distribution.read(values)
    measured = isinstance(values, Distribution)
    found = _measured(values, names, shown) if measured else _listed(values, names, shown)
    largest = max([*map(abs, found.values()), 1.0])
    return {mask: 0.0 if measured and abs(value) <= _NOISE * largest else value for mask, value in found.items()}


def _measured(values: Distribution, names: tuple[str, ...], shown: Collection[int]) -> dict[int, float]:
    if missing := [name for name in names if name not in values.names]:
        raise UnknownVariableError(f"the distribution has no variable {missing[0]}; it has {', '.join(values.names)}")
    numbers = values.marginal(names).measure().values
    largest = float(np.abs(numbers).max())
    kept = np.zeros(len(numbers), dtype=bool)
    kept[list(shown)] = True
    against = np.flatnonzero((np.abs(numbers) > _CONTRADICTION * max(largest, 1.0)) & ~kept)
    if against.size:
        mask = int(against[0])
        raise ModelError(
            f"the values contradict the model: {atom(mask, names)} is {numbers[mask]:.4g}, the model makes it 0"
        )
    return {mask: float(numbers[mask]) for mask in shown}


def _listed(values: Any, names: tuple[str, ...], shown: Collection[int]) -> dict[int, float]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"values are a Distribution or a mapping from atoms to nats, not {type(values).__name__}")
    if not values:
        raise ConfigError("values= is empty; give numbers such as {'I[X;Y]': 0.5}, or leave it out")
    found: dict[int, float] = {}
    for key, number in values.items():
        mask = one_atom(key, names, shown)
        try:
            value = math.nan if isinstance(number, bool | str) else float(number)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise ConfigError(f"the value of {key} is {number!r}; every atom needs one finite number of nats")
        if found.setdefault(mask, value) != value:
            raise ConfigError(f"the value of {key} is {number!r}, and {found[mask]!r} where it was named before")
    return found


def one_atom(key: Any, names: tuple[str, ...], shown: Collection[int]) -> int:
    """Return the one region that a quantity is.

    Args:
        key: A quantity, as text or sympy.
        names: The variables.
        shown: Bitmasks of the atoms that the model does not make zero.

    Returns:
        The region's bitmask.

    Raises:
        ConfigError: If the quantity is none, or covers several regions.
        UnknownVariableError: If it speaks of other variables.

    Example:
        >>> one_atom("H[X|Y]", ("X", "Y"), {1, 2, 3})
        1
    """
    if not isinstance(key, str | sympy.Expr):
        raise ConfigError(f"regions are named by quantities such as 'I[X;Y]', not by {key!r}")
    expression = as_expression(key)
    form = entropy_form(expression, names)
    terms = [(m, c) for m, c in enumerate(atom_coefficients(form)) if c != 0 and m in shown]
    is_measure = variables_of(expression) and not form.functionals and not form.constant
    if len(terms) != 1 or terms[0][1] != 1 or not is_measure:
        raise ConfigError(f"{key} is not one atom over {', '.join(names)}; give one region at a time")
    return terms[0][0]


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
    return value if unit == "nats" else value / math.log(2.0)


def compact(value: float) -> str:
    """Write a number with a proper minus sign: three decimals, or as many as two digits take; four digits above one.

    Args:
        value: The number.

    Returns:
        Text; small and large numbers as powers of ten.

    Example:
        >>> compact(-0.693147), compact(0.0027182), compact(0.00012345), compact(0.0)
        ('−0.693', '0.0027', '1.2·10⁻⁴', '0')
    """
    if value == 0:
        return "0"
    size = abs(value)
    power = int(f"{size:.1e}".split("e")[1])
    if -3 <= power <= 4:
        text, tail = f"{size:.{max(3 - max(power, 0), 1 - power, 0)}f}", ""
    else:
        text, tail = f"{size:.1e}".split("e")[0], f"·10{str(power).translate(_SUPERSCRIPTS)}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return ("−" if value < 0 else "") + text + tail


def decimals(values: Iterable[float]) -> int:
    """Return how many decimals the numbers of one picture are written with: as many as one of them needs, up to three.

    Args:
        values: The numbers.

    Returns:
        The decimals.

    Example:
        >>> decimals([0.5, 0.25, 1e-7]), decimals([1.0, -1.0])
        (2, 0)
    """
    needed = (compact(value).partition(".")[2] for value in values if "·" not in compact(value))
    return min(max(map(len, needed), default=0), _MOST_DECIMALS)


def evenly(value: float, places: int) -> str:
    """Write a number with so many decimals; what that would not show as :func:`compact` does.

    Args:
        value: The number.
        places: How many decimals.

    Returns:
        Text.

    Example:
        >>> [evenly(value, 3) for value in (0.53, -0.0066, 0.0, 1.2e-7)]
        ['0.530', '−0.007', '0', '1.2·10⁻⁷']
    """
    text = f"{abs(value):.{places}f}"
    if value == 0 or float(text) == 0 or abs(value) >= _LARGE:
        return compact(value)
    return ("−" if value < 0 else "") + text

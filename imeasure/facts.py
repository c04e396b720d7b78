"""What users say about variables and parameters, read and checked: fixed variables, assumptions, kinds, ranges.

What a text says is parsed once; what no model could hold, such as an empty range, is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

import sympy

from imeasure.errors import ModelError, shown, unknown
from imeasure.names import natural_key
from imeasure.parser import parse
from imeasure.quantities import RandomVariable, param
from imeasure.statements import Constraint, Relation
from imeasure.terms import as_expression, variables_of

Kind = Literal["discrete", "continuous", "noisy", "noiseless"]
KINDS: tuple[Kind, ...] = ("discrete", "continuous", "noisy", "noiseless")
"""What a variable can be: ``noisy`` is continuous with independent zero-entropy noise, so that ``H[Z|...] >= 0``;
``noiseless`` is a continuous deterministic map of the variable's parents, which leaves some quantities undefined."""


def statement_variables(statement: Relation | Constraint) -> tuple[str, ...]:
    """Return the names of the variables of a relation or constraint.

    Args:
        statement: A relation or constraint.

    Returns:
        The names, repetitions left out.
    """
    if isinstance(statement, Constraint):
        names = [v.name for group in (*statement.groups, statement.given) for v in group]
    else:
        names = [name for expression in statement.expressions for name in variables_of(expression)]
    return tuple(dict.fromkeys(names))


def read_fixed(fixed: Iterable[Any]) -> tuple[tuple[str, ...], tuple[sympy.Expr, ...]]:
    """Return the names and the quantities that are declared constant.

    Args:
        fixed: Names (several in one text may be separated by commas), random variables, quantities as text or sympy.

    Returns:
        Names in natural order, and quantities.

    Raises:
        ModelError: If it is nothing of the kind.
        ParseError: If a text is not in the language.
    """
    if not isinstance(fixed, Iterable | RandomVariable | sympy.Expr):
        raise ModelError(f"fixed is a name, a quantity, or several of them, not {shown(fixed)}")
    names, constants = [], []
    for item in [fixed] if isinstance(fixed, str | RandomVariable | sympy.Expr) else fixed:
        if isinstance(item, RandomVariable):
            names.append(item.name)
        elif isinstance(item, str) and "[" not in item and "(" not in item:
            names += [RandomVariable(name.strip()).name for name in item.split(",")]
        else:
            constants.append(as_expression(item))
    return tuple(sorted(set(names), key=natural_key)), tuple(constants)


def read_assumption(fact: Any, functionals: tuple[str, ...] = ()) -> Relation | Constraint:
    """Return an assumption as an object.

    Args:
        fact: Text, a relation or a constraint.
        functionals: Names of functionals that may occur.

    Returns:
        The relation or constraint.

    Raises:
        ParseError: If the text is not in the language.
        ModelError: If it is no relation, chain or independence.
    """
    statement = parse(fact, functionals=functionals) if isinstance(fact, str) else fact
    if not isinstance(statement, Relation | Constraint):
        raise no_fact(fact)
    return statement


def no_fact(statement: object) -> ModelError:
    """Return the error about a statement that cannot be assumed.

    Args:
        statement: Text or object.

    Returns:
        The error, to be raised.
    """
    return ModelError(
        f"'{statement}' is no fact; expected a relation such as 'H[Y|X] = 0', a Markov chain such as 'X -> Y -> Z', or "
        "an independence such as 'X _||_ Y | Z'"
    )


def read_kinds(kinds: Mapping[str, str]) -> tuple[tuple[str, Kind], ...]:
    """Return the kinds of variables in order.

    Args:
        kinds: Kind by name.

    Returns:
        Pairs of name and kind.

    Raises:
        ModelError: If a kind is unknown.
    """
    for kind in kinds.values():
        if kind not in KINDS:
            raise ModelError(unknown("kind", kind, KINDS))
    return tuple(sorted((RandomVariable(name).name, cast("Kind", kind)) for name, kind in kinds.items()))


def read_ranges(ranges: Mapping[Any, Any]) -> tuple[tuple[sympy.Symbol, sympy.Set], ...]:
    """Return the ranges of parameters in order.

    Args:
        ranges: By parameter a sympy set, or the two ends of an open interval: numbers, or text such as ``"1/2"``.

    Returns:
        Pairs of symbol and set.

    Raises:
        ModelError: If they are no mapping, or a range is empty or neither a set nor a pair of numbers.
    """
    if not isinstance(ranges, Mapping):
        raise ModelError(f"ranges are given by parameter, such as {{'beta': (0, 1)}}, not as {shown(ranges)}")
    result: dict[sympy.Symbol, sympy.Set] = {}
    for key, value in ranges.items():
        if not isinstance(key, str | sympy.Symbol):
            raise ModelError(f"a range belongs to a parameter, given by its name or symbol, not to {key!r}")
        symbol = param(str(key))
        if symbol in result:
            raise ModelError(f"{symbol} has two ranges; give the one set of its values")
        values = value if isinstance(value, sympy.Set) else _interval(symbol, value)
        if values.intersect(sympy.S.Reals) == sympy.S.EmptySet:
            raise ModelError(f"the range of {symbol} is empty; no value satisfies it")
        result[symbol] = values
    return tuple(sorted(result.items(), key=lambda pair: str(pair[0])))


def _interval(symbol: sympy.Symbol, ends: Any) -> sympy.Set:
    try:
        low, high = (_end(end) for end in ([] if isinstance(ends, str) else ends))
        return sympy.Interval.open(low, high)
    except (TypeError, ValueError, sympy.SympifyError):
        raise ModelError(f"the range of {symbol} is a sympy set or a pair of numbers, not {ends!r}") from None


def _end(end: Any) -> sympy.Expr:
    infinite = {"oo": sympy.oo, "-oo": -sympy.oo, "inf": sympy.oo, "-inf": -sympy.oo}
    if isinstance(end, str):
        end = infinite[end.strip()] if end.strip() in infinite else as_expression(end)
    value = sympy.sympify(end, strict=True)
    if not value.is_extended_real:
        raise ValueError(f"{end} is no real number")
    return value

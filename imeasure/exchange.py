"""What crosses the border: models given as the text of a graph, and models, ranges and statements as plain data.

Everything that is read here comes from outside: whatever is wrong with it ends in one error that says what.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import networkx as nx
import sympy

from imeasure.errors import DerivationError, InformationError, ModelError, shown
from imeasure.learning import supervised
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.printing import to_text
from imeasure.statements import Objective
from imeasure.terms import as_expression, collected

T = TypeVar("T")
MAX_STEPS = 1000
"""Most entries of a list that is read."""
MAX_DEGREE = 12
"""Highest degree of a polynomial whose root is read."""
_LARGE = 10**12
_KINDS: dict[type, str] = {
    list: "a list",
    str: "a text",
    dict: "an object",
    int: "a whole number",
    bool: "true or false",
}
_MODEL = ("nodes", "edges", "fixed", "assume", "kinds", "functionals", "ranges")


def as_model(model: Model | str | None, *, of_objective: bool = False) -> Model:
    """Return a model given as object, as the text of a graph, or not at all.

    Args:
        model: A model, text such as ``"Y -> X -> Z"``, or None.
        of_objective: Whether the model is that of an objective. Then X and Y are data in a graph given as text, and
            None stands for :func:`imeasure.supervised` instead of no facts.

    Returns:
        The model.

    Raises:
        ParseError: If the text is not in the language.
        ModelError: If the graph has a cycle, an objective's has neither X nor Y, or the argument is neither of these.

    Example:
        >>> print(as_model("Y -> X -> Z", of_objective=True))
        X -> Z; Y -> X; fixed: X, Y
    """
    if isinstance(model, Model):
        return model
    if model is None:
        return supervised() if of_objective else Model()
    if not isinstance(model, str):
        raise ModelError(f"a model is a Model or the text of a graph such as 'Y -> X -> Z', not {model!r}")
    known = Model(model)
    if not of_objective:
        return known
    data = [name for name in ("X", "Y") if name in known.variables]
    if not data:
        raise ModelError(f"neither X nor Y is in '{model}'; say which variables are data: Model('{model}', fixed=...)")
    return Model(model, fixed=data)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever goes wrong while data are read into one error.

    Args:
        what: What is read, such as ``canonical form``.

    Yields:
        Nothing.

    Raises:
        DerivationError: If the block raises any error of bad input.
    """
    try:
        yield
    except InformationError as error:
        raise DerivationError(f"the {what} cannot be read: {error}") from error
    except KeyError as error:
        raise DerivationError(f"the {what} is damaged: it lacks the entry {error}") from None
    except (TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise DerivationError(f"the {what} is damaged: {error}") from None


def loaded(text: str, what: str) -> dict[str, Any]:
    """Return the object that a JSON text holds.

    Args:
        text: JSON text.
        what: What it should describe; its entry ``format`` says so.

    Returns:
        The object.

    Raises:
        DerivationError: If the text is not JSON, or not an object of that format.
    """
    if not isinstance(text, str):
        raise DerivationError(f"a {what} is JSON text, not {type(text).__name__}")
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except RecursionError:
        raise DerivationError(f"the JSON text is nested too deeply for a {what}") from None
    except json.JSONDecodeError as error:
        raise DerivationError(f"a {what} is JSON text: {error}") from None
    except ValueError as error:
        raise DerivationError(f"the {what} is damaged: {error}") from None
    known = format_of(what)
    if isinstance(data, dict) and (other := str(data.get("format"))) != known and other[:-1] == known[:-1]:
        raise DerivationError(f"the {what} was written by another version, as {shown(other)}; this one reads '{known}'")
    if not isinstance(data, dict) or data.get("format") != known:
        raise DerivationError(f"not a {what}: expected an object whose 'format' is '{format_of(what)}'")
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the entry {shown(twice)} is there twice")
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def format_of(what: str) -> str:
    """Return what the entry ``format`` of some data says."""
    return f"imeasure {what} 1"


def entry(data: Any, key: str, kind: type[T]) -> T:
    """Return an entry of some data.

    Args:
        data: A dictionary.
        key: The entry's name.
        kind: Its type.

    Returns:
        The entry.

    Raises:
        KeyError: If there is none.
        TypeError: If it is of another type.
        ValueError: If it is a list too long to be genuine.
    """
    value = data[key]
    if type(value) is not kind:
        raise TypeError(f"'{key}' has to be {_KINDS[kind]}, not {shown(value)}")
    if isinstance(value, list) and len(value) > MAX_STEPS:
        raise ValueError(f"'{key}' has more than {MAX_STEPS} entries")
    return value


def expression(data: Any, key: str, functionals: tuple[str, ...] = ()) -> sympy.Expr:
    """Return the expression that an entry spells.

    Args:
        data: A dictionary.
        key: The entry's name.
        functionals: Names of functionals beyond ``CE`` and ``KL`` that may occur.

    Returns:
        The expression.

    Raises:
        InformationError: If the text is no expression of the language.
    """
    text = entry(data, key, str)
    plain = as_expression(parse(text, functionals=functionals))
    # The parser multiplies numbers into sums; what was written factored is to come back factored.
    return plain if to_text(plain) == text else collected(plain)


def objective(data: Any, key: str, functionals: tuple[str, ...] = ()) -> Objective:
    """Return the objective that an entry spells.

    Args:
        data: A dictionary.
        key: The entry's name.
        functionals: Names of functionals beyond ``CE`` and ``KL`` that may occur.

    Returns:
        The objective.

    Raises:
        InformationError: If the text is not in the language.
        TypeError: If it is no objective.
    """
    read = parse(entry(data, key, str), functionals=functionals)
    if not isinstance(read, Objective):
        raise TypeError(f"'{key}' should be an objective, not {shown(str(read))}")
    return read


def set_data(values: sympy.Set) -> list[Any]:
    """Return a set of numbers as data: points and intervals.

    Args:
        values: A union of finite sets and intervals.

    Returns:
        A list of dictionaries, rational numbers as text.

    Raises:
        ModelError: If the set is of another kind.

    Example:
        >>> set_data(sympy.Interval.open(1, sympy.oo))
        [{'interval': ['1', 'oo', True, True]}]
    """
    parts = values.args if isinstance(values, sympy.Union) else (values,)
    if values is sympy.S.EmptySet:
        return []
    if values is sympy.S.Reals:
        parts = (sympy.Interval(-sympy.oo, sympy.oo),)
    if not all(isinstance(part, sympy.FiniteSet | sympy.Interval) for part in parts):
        raise ModelError(f"the set {values} cannot be written as data; use intervals and points")
    return [
        {"points": list(map(_end_data, part))}
        if isinstance(part, sympy.FiniteSet)
        else {"interval": [_end_data(part.start), _end_data(part.end), bool(part.left_open), bool(part.right_open)]}
        for part in parts
    ]


def _end_data(end: sympy.Expr) -> Any:
    """Return a number as text, an irrational one as a polynomial and its place among the real roots."""
    if end.is_Rational or end.is_infinite:
        return str(end)
    polynomial = sympy.minimal_polynomial(end, sympy.Dummy(), polys=True)
    near = [abs(sympy.N(root - end, 30)) for root in polynomial.real_roots()]
    return {"coefficients": list(map(str, polynomial.all_coeffs())), "root": near.index(min(near))}


def read_set(data: Any) -> sympy.Set:
    """Return the set that :func:`set_data` wrote.

    Args:
        data: A list of dictionaries.

    Returns:
        The set.

    Raises:
        InformationError: If a number is not in the language.
        TypeError: If the data are of another form.
    """
    parts: list[sympy.Set] = []
    for part in entry({"set": data}, "set", list):
        if "points" in part:
            parts.append(sympy.FiniteSet(*(_end(text) for text in entry(part, "points", list))))
        else:
            interval = entry(part, "interval", list)
            if len(interval) != 4 or not all(isinstance(end, bool) for end in interval[2:]):
                raise TypeError("an interval holds two ends, and for each whether it is left out")
            low, high, left, right = interval
            parts.append(sympy.Interval(_end(low), _end(high), left, right))
    return sympy.Union(*parts)


def _end(text: Any) -> sympy.Expr:
    if text in ("oo", "-oo"):
        return sympy.oo if text == "oo" else -sympy.oo
    if isinstance(text, dict):
        coefficients = [_end(coefficient) for coefficient in texts(text, "coefficients")]
        if not 2 < len(coefficients) <= MAX_DEGREE + 1 or not all(
            c.is_Integer and abs(c) < _LARGE for c in coefficients
        ):
            raise ValueError(f"an irrational number is a root of integers of degree 2 to {MAX_DEGREE}")
        roots = sympy.Poly(coefficients, sympy.Dummy()).real_roots()
        return roots[range(len(roots)).index(entry(text, "root", int))]
    value = expression({"end": text}, "end")
    if not value.is_Rational:
        raise TypeError(f"{shown(text)} is no rational number")
    return value


def model_data(model: Model) -> dict[str, Any]:
    """Return a model as data.

    Args:
        model: The model.

    Returns:
        A dictionary of texts.

    Raises:
        ModelError: If a range cannot be written.

    Example:
        >>> model_data(supervised())["edges"]
        [['X', 'Z'], ['Y', 'X']]
    """
    return {
        "nodes": list(model.nodes),
        "edges": [list(edge) for edge in model.edges],
        "fixed": [*model.fixed, *map(to_text, model.constants)],
        "assume": [str(fact) for fact in model.assumptions],
        "kinds": dict(model.kinds),
        "functionals": list(model.functionals),
        "ranges": {str(symbol): set_data(values) for symbol, values in model.ranges},
    }


def read_model(data: Any) -> Model:
    """Return the model that :func:`model_data` wrote.

    Args:
        data: A dictionary.

    Returns:
        The model.

    Raises:
        InformationError: If a text is not in the language, or the model contradicts itself.
        KeyError: If an entry is missing.
        TypeError: If an entry is of another type.
    """
    require_entries(data, _MODEL, "the model")
    graph = nx.DiGraph()
    graph.add_nodes_from(texts(data, "nodes"))
    graph.add_edges_from(_edge(edge) for edge in entry(data, "edges", list))
    ranges = entry(data, "ranges", dict)
    return Model(
        graph if graph else None,
        fixed=texts(data, "fixed"),
        assume=texts(data, "assume"),
        kinds=entry(data, "kinds", dict),
        ranges={name: read_set(values) for name, values in ranges.items()},
        functionals=texts(data, "functionals"),
    )


def require_entries(data: Any, names: Iterable[str], what: str) -> None:
    """Refuse data that have another entry than those of some names.

    Args:
        data: A dictionary.
        names: The names.
        what: What the data are, for the message.

    Raises:
        TypeError: If the data are no dictionary.
        ValueError: If an entry is unknown.
    """
    if not isinstance(data, dict):
        raise TypeError(f"{what} has to be an object, not {shown(data)}")
    if strange := sorted(set(data) - set(names)):
        raise ValueError(f"{what} has the unknown entry {shown(strange[0])}")


def _edge(data: Any) -> tuple[str, str]:
    if not (isinstance(data, list) and len(data) == 2 and all(isinstance(name, str) for name in data)):
        raise TypeError(f"an edge is a list of two names, not {shown(data)}")
    return data[0], data[1]


def texts(data: Any, key: str) -> list[str]:
    """Return an entry that is a list of texts.

    Args:
        data: A dictionary.
        key: The entry's name.

    Returns:
        The texts.

    Raises:
        KeyError: If there is none.
        TypeError: If it is of another type.
    """
    found = entry(data, key, list)
    if not all(isinstance(item, str) for item in found):
        raise TypeError(f"an entry of '{key}' has to be a text")
    return found

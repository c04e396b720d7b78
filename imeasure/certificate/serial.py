"""Certificates as plain data: texts for the claim and the facts, groups of names for the steps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import networkx as nx
import sympy

from imeasure.certificate.problem import Problem, read_problem
from imeasure.certificate.steps import Combination, Key
from imeasure.errors import DerivationError, InformationError, unknown
from imeasure.model import Model
from imeasure.parser import parse

FORMAT = "imeasure certificate 1"
"""What the first entry of the data says."""

MAX_DIGITS = 4000
"""Most characters of a multiplier."""

_MASKS = {"I": 3, "H": 2, "ZY": 5, "Jensen": 3}
_ENTRIES = {"I": 3, "H": 2, "ZY": 5, "Jensen": 5, "fact": 1, "one": 0, "KL": 1}
_RATIONAL = re.compile(r"-?[0-9]+(/0*[1-9][0-9]*)?")


def to_data(problem: Problem, parts: Iterable[Combination]) -> dict[str, Any]:
    """Return a certificate as data that JSON can hold.

    Args:
        problem: The claim with its facts.
        parts: The combination of each part.

    Returns:
        A dictionary of texts, numbers as texts.
    """
    return {
        "format": FORMAT,
        "claim": problem.claim,
        "given": list(problem.given),
        "model": None if problem.model is None else _model_data(problem.model),
        "functionals": list(problem.functionals),
        "parts": [
            [[str(multiplier), *_key_data(key, problem)] for key, multiplier in combination.items()]
            for combination in parts
        ],
    }


def from_data(data: Any) -> tuple[Problem, tuple[Combination, ...]]:
    """Read a certificate from data.

    Args:
        data: What :func:`to_data` returned.

    Returns:
        The problem and the combinations.

    Raises:
        DerivationError: If the data are not of that form.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise DerivationError(f"not a certificate: expected an object whose 'format' is '{FORMAT}'")
    _require_keys(data, ("format", "claim", "given", "model", "functionals", "parts"), "the certificate")
    claim = _text(data["claim"], "'claim'")
    given = [_text(fact, "a fact in 'given'") for fact in _list(data["given"], "'given'")]
    functionals = [_text(name, "a name in 'functionals'") for name in _list(data["functionals"], "'functionals'")]
    try:
        model = None if data["model"] is None else _model(data["model"])
        problem = read_problem(claim, model, given, functionals)
    except DerivationError:
        raise
    except InformationError as error:
        raise DerivationError(f"the certificate cannot be read: {error}") from error
    parts = []
    for part in _list(data["parts"], "'parts'"):
        combination: Combination = {}
        for line in _list(part, "a part"):
            if not isinstance(line, list) or len(line) < 2:
                raise _damaged(
                    "a line of a part has to be a list of a multiplier, a kind and what the kind needs", line
                )
            step = _key(line[1:], problem)
            combination[step] = combination.get(step, 0) + _multiplier(line[0])
        parts.append(combination)
    return problem, tuple(parts)


def _damaged(expected: str, found: Any) -> DerivationError:
    text = repr(found)
    return DerivationError(
        f"the certificate is damaged: {expected}, not {text if len(text) < 60 else text[:56] + '...'}"
    )


def _require_keys(data: Any, names: tuple[str, ...], what: str) -> None:
    if not isinstance(data, dict):
        raise _damaged(f"{what} has to be an object", data)
    for name in names:
        if name not in data:
            raise DerivationError(f"the certificate is damaged: {what} lacks the entry '{name}'")
    for name in data:
        if name not in names:
            raise DerivationError(f"the certificate is damaged: {what} has the unknown entry '{name}'")


def _list(data: Any, what: str) -> list[Any]:
    if not isinstance(data, list):
        raise _damaged(f"{what} has to be a list", data)
    return data


def _text(data: Any, what: str) -> str:
    if not isinstance(data, str):
        raise _damaged(f"{what} has to be a text", data)
    return data


def _multiplier(data: Any) -> Fraction:
    if not isinstance(data, str) or not _RATIONAL.fullmatch(data):
        raise _damaged("a multiplier has to be a text such as '2' or '-1/3'", data)
    if len(data) > MAX_DIGITS:
        raise DerivationError(f"the certificate is damaged: a multiplier has more than {MAX_DIGITS} characters")
    return Fraction(data)


def _key_data(key: Key, problem: Problem) -> list[Any]:
    kind, *rest = key
    count = _MASKS.get(kind, 0)
    return [kind, *(list(problem.names.members(mask)) for mask in rest[:count]), *rest[count:]]


def _key(data: list[Any], problem: Problem) -> Key:
    kind, *rest = data
    index = problem.names.index
    if not isinstance(kind, str) or kind not in _ENTRIES or len(rest) != _ENTRIES[kind]:
        raise _damaged("unknown step: a step has to be one that a certificate's text shows", data)
    count = _MASKS.get(kind, 0)
    masks = []
    for group in rest[:count]:
        members = {_text(name, "a variable") for name in _list(group, "a group of variables")}
        if strange := sorted(members - index.keys()):
            raise DerivationError(f"the certificate is damaged: {unknown('variable', strange[0], list(index))}")
        masks.append(sum(index[name] for name in members))
    for entry in rest[count:]:
        if kind == "fact" and type(entry) is not int:
            raise _damaged("unknown step: a fact has to be the number of one", entry)
        if kind != "fact":
            _text(entry, "a functional")
    return (kind, *masks, *rest[count:])


def _model_data(model: Model) -> dict[str, Any]:
    return {
        "nodes": list(model.nodes),
        "edges": [list(edge) for edge in model.edges],
        "assume": [str(fact) for fact in model.assumptions],
        "kinds": dict(model.kinds),
        "functionals": list(model.functionals),
        "ranges": {str(symbol): _range_data(values) for symbol, values in model.ranges},
    }


def _range_data(values: sympy.Set) -> list[Any]:
    parts = values.args if isinstance(values, sympy.Union) else (values,)
    if all(isinstance(part, sympy.FiniteSet | sympy.Interval) for part in parts):
        return [
            {"points": [str(v) for v in part]}
            if isinstance(part, sympy.FiniteSet)
            else {"interval": [str(part.start), str(part.end), bool(part.left_open), bool(part.right_open)]}
            for part in parts
        ]
    raise DerivationError(f"the range {values} cannot be written; use intervals")


def _range(data: Any) -> sympy.Set:
    parts: list[sympy.Set] = []
    for part in _list(data, "a range"):
        if isinstance(part, dict) and "points" in part:
            _require_keys(part, ("points",), "a range")
            parts.append(sympy.FiniteSet(*(_end(point) for point in _list(part["points"], "'points'"))))
        else:
            _require_keys(part, ("interval",), "a range")
            interval = _list(part["interval"], "'interval'")
            if len(interval) != 4 or not all(isinstance(end, bool) for end in interval[2:]):
                raise _damaged("'interval' has to hold two ends, and for each whether it is left out", interval)
            parts.append(sympy.Interval(_end(interval[0]), _end(interval[1]), *interval[2:]))
    return sympy.Union(*parts)


def _end(data: Any) -> sympy.Expr:
    text = _text(data, "the end of a range")
    if text in ("oo", "-oo"):
        return sympy.oo if text == "oo" else -sympy.oo
    value = parse(text)
    if not isinstance(value, sympy.Expr) or not value.is_Rational:
        raise _damaged("the end of a range has to be a rational number, oo or -oo", text)
    return value


def _model(data: Any) -> Model:
    _require_keys(data, ("nodes", "edges", "assume", "kinds", "functionals", "ranges"), "the model")
    lists = {
        name: [_text(entry, f"an entry of '{name}'") for entry in _list(data[name], f"'{name}'")]
        for name in ("nodes", "assume", "functionals")
    }
    graph = nx.DiGraph()
    graph.add_nodes_from(lists["nodes"])
    for edge in _list(data["edges"], "'edges'"):
        if len(_list(edge, "an edge")) != 2:
            raise _damaged("an edge has to join two nodes", edge)
        graph.add_edge(*(_text(node, "a node") for node in edge))
    for name in ("kinds", "ranges"):
        if not isinstance(data[name], dict):
            raise _damaged(f"'{name}' has to be an object", data[name])
    return Model(
        graph if graph.nodes else None,
        assume=lists["assume"],
        kinds={name: _text(kind, "a kind") for name, kind in data["kinds"].items()},
        ranges={name: _range(values) for name, values in data["ranges"].items()},
        functionals=lists["functionals"],
    )

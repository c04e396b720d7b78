"""Certificates as plain data: texts for the claim and the facts, groups of names for the steps."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import networkx as nx
import sympy

from imeasure.certificate.problem import Problem, read_problem
from imeasure.certificate.steps import Combination, Key
from imeasure.errors import DerivationError, InformationError
from imeasure.model import Model
from imeasure.parser import parse

FORMAT = "imeasure certificate 1"
"""What the first entry of the data says."""

_MASKS = {"I": 3, "H": 2, "ZY": 5, "Jensen": 3}


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
    try:
        model = None if data["model"] is None else _model(data["model"])
        problem = read_problem(data["claim"], model, data["given"], data["functionals"])
        parts = []
        for part in data["parts"]:
            combination: Combination = {}
            for multiplier, *key in part:
                step = _key(key, problem)
                combination[step] = combination.get(step, 0) + Fraction(multiplier)
            parts.append(combination)
    except InformationError as error:
        raise DerivationError(f"the certificate cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise DerivationError(f"the certificate is damaged: {type(error).__name__} {error}") from None
    return problem, tuple(parts)


def _key_data(key: Key, problem: Problem) -> list[Any]:
    kind, *rest = key
    count = _MASKS.get(kind, 0)
    return [kind, *(list(problem.names.members(mask)) for mask in rest[:count]), *rest[count:]]


def _key(data: list[Any], problem: Problem) -> Key:
    kind, *rest = data
    index = problem.names.index
    count = _MASKS.get(kind, 0)
    arity = {"fact": 1, "one": 0, "KL": 1, "Jensen": 5}.get(kind, count)
    if kind not in ("I", "H", "ZY", "Jensen", "fact", "one", "KL") or len(rest) != arity:
        raise DerivationError(f"unknown step {data}")
    masks = [sum({index[name] for name in group}) for group in rest[:count]]
    if kind == "fact" and not isinstance(rest[0], int):
        raise DerivationError(f"unknown step {data}")
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


def _range(data: list[Any]) -> sympy.Set:
    parts: list[sympy.Set] = []
    for part in data:
        if "points" in part:
            parts.append(sympy.FiniteSet(*map(_end, part["points"])))
        else:
            low, high, left, right = part["interval"]
            parts.append(sympy.Interval(_end(low), _end(high), left, right))
    return sympy.Union(*parts)


def _end(text: str) -> sympy.Expr:
    if text in ("oo", "-oo"):
        return sympy.oo if text == "oo" else -sympy.oo
    return parse(text)


def _model(data: dict[str, Any]) -> Model:
    graph = nx.DiGraph([tuple(edge) for edge in data["edges"]])
    graph.add_nodes_from(data["nodes"])
    ranges = {name: _range(values) for name, values in data["ranges"].items()}
    return Model(
        graph if data["nodes"] else None,
        assume=data["assume"],
        kinds=data["kinds"],
        ranges=ranges,
        functionals=data["functionals"],
    )

"""Certificates as plain data: texts for the claim and the facts, groups of names for the steps.

They are read strictly: whatever is not written as :func:`to_data` writes it is refused, and nothing of it is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from imeasure.certificate.problem import Problem, read_problem
from imeasure.certificate.steps import Combination, Key
from imeasure.errors import shown, unknown
from imeasure.exchange import entry, format_of, model_data, read_model, reading, require_entries, texts

MAX_DIGITS = 4000
"""Most characters of a multiplier."""

_CERTIFICATE = ("format", "claim", "given", "model", "functionals", "parts")
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
        "format": format_of("certificate"),
        "claim": problem.claim,
        "given": list(problem.given),
        "model": None if problem.model is None else model_data(problem.model),
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
    with reading("certificate"):
        require_entries(data, _CERTIFICATE, "the certificate")
        model = None if data["model"] is None else read_model(data["model"])
        problem = read_problem(entry(data, "claim", str), model, texts(data, "given"), texts(data, "functionals"))
        parts = tuple(_combination(part, problem) for part in entry(data, "parts", list))
    return problem, parts


def _combination(data: Any, problem: Problem) -> Combination:
    combination: Combination = {}
    for line in _list(data, "a part"):
        if not isinstance(line, list) or len(line) < 2:
            raise _damaged("a line of a part has to be a list of a multiplier, a kind and what the kind needs", line)
        step = _key(line[1:], problem)
        combination[step] = combination.get(step, 0) + _multiplier(line[0])
    return combination


def _damaged(expected: str, found: Any) -> TypeError:
    return TypeError(f"{expected}, not {shown(found)}")


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
        raise ValueError(f"a multiplier has more than {MAX_DIGITS} characters")
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
            raise ValueError(unknown("variable", strange[0], list(index)))
        masks.append(sum(index[name] for name in members))
    for value in rest[count:]:
        if kind == "fact" and type(value) is not int:
            raise _damaged("unknown step: a fact has to be the number of one", value)
        if kind != "fact":
            _text(value, "a functional")
    return (kind, *masks, *rest[count:])

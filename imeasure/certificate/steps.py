"""Steps of a proof: Shannon's basic inequalities, facts, and the few rules beyond them, as exact rows.

A step is a key, a small tuple; a combination gives each step its rational multiplier. The basic inequalities are
``I[A;B|C] >= 0`` for any groups and ``H[A|C] >= 0`` for variables that are not continuous; each is a sum of elemental
ones (R. W. Yeung, "A Framework for Linear Information Inequalities", 1997).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import lcm
from typing import Any

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import ONE, Number, Row, add, exact, information, quantity_text
from imeasure.shannon import bits

Key = tuple[Any, ...]
"""``("I", a, b, c)``, ``("H", a, c)``, ``("fact", k)``, ``("one",)``, ``("KL", text)``, ``("Jensen", y, x, z)`` or
``("ZY", a, b, c, d, given)``, with bitmasks."""

Combination = dict[Key, Number]
"""Multiplier of each step."""


def step_row(key: Key, problem: Problem) -> Row:
    """Return the row of a step, which is zero for an equality and at least zero otherwise.

    Args:
        key: The step.
        problem: The problem whose facts it may use.

    Returns:
        The row.
    """
    match key:
        case ("I", a, b, c):
            return information([a, b], c)
        case ("H", a, c):
            return information([a], c)
        case ("fact", k):
            return problem.facts[k].row
        case ("one",):
            return {ONE: 1}
        case ("KL", text):
            return {text: 1}
        case ("ZY", a, b, c, d, given):
            return zhang_yeung(a, b, c, d, given)
    return _jensen(*key[1:])


def _jensen(y: int, x: int, z: int, left: str, right: str) -> Row:
    row = information([y], z)
    add(row, information([y], x), -1)
    return add(row, {right: 1, left: -1})


def zhang_yeung(a: int, b: int, c: int, d: int, given: int) -> Row:
    """Return the Zhang-Yeung inequality, which holds for distributions but does not follow from Shannon's.

    ``I[A;B] + I[A;C,D] + 3 I[C;D|A] + I[C;D|B] - 2 I[C;D] >= 0``, everything given G (Zhang and Yeung, 1998).

    Args:
        a: Bitmask of A.
        b: Bitmask of B.
        c: Bitmask of C.
        d: Bitmask of D.
        given: Bitmask of G.

    Returns:
        The row.
    """
    row: Row = {}
    for factor, pair, condition in (
        (1, [a, b], 0),
        (1, [a, c | d], 0),
        (3, [c, d], a),
        (1, [c, d], b),
        (-2, [c, d], 0),
    ):
        add(row, information(pair, condition | given), factor)
    return row


def objection(key: Key, multiplier: Number, problem: Problem) -> str | None:
    """Return why a step is not allowed, or None if it is.

    Args:
        key: The step.
        multiplier: Its multiplier.
        problem: The problem.

    Returns:
        The reason, or None.
    """
    if key[0] == "fact":
        if not 0 <= key[1] < len(problem.facts):
            return "a fact that was not given"
        if problem.facts[key[1]].equality:
            return None
    if multiplier < 0:
        return "a negative multiple of an inequality"
    match key:
        case ("H", a, _) if not problem.nonnegative(a):
            return "an entropy of a continuous variable, which can be negative"
        case ("I" | "ZY", *groups, given) if not problem.nonnegative(_repeated(groups) & ~given):
            return "an information of a continuous variable with itself, which is an entropy and can be negative"
        case ("Jensen", y, x, z, left, right) if (y, x, z, left, right) not in jensen_pairs(problem):
            return "a use of Jensen's inequality that the model's graph does not justify"
        case ("KL", text) if not str(text).startswith("KL["):
            return "a functional that is not a divergence"
    return None


def _repeated(groups: Iterable[int]) -> int:
    """Return the variables that occur in more than one group."""
    seen = twice = 0
    for group in groups:
        twice |= seen & group
        seen |= group
    return twice


def jensen_pairs(problem: Problem) -> list[tuple[int, int, int, str, str]]:
    """Return where ``CE[Y|X] <= CE[Y|Z]`` holds: the prediction averages the decoder over Z, drawn from X alone.

    Args:
        problem: The problem.

    Returns:
        Bitmasks of Y, X and Z, and the texts of ``KL[Y|X]`` and ``KL[Y|Z]``, for every such pair that occurs.
    """
    if "jensen" not in problem.cache:
        problem.cache["jensen"] = list(_jensen_pairs(problem))
    pairs: list[tuple[int, int, int, str, str]] = problem.cache["jensen"]
    return pairs


def _jensen_pairs(problem: Problem) -> Any:
    model = problem.model
    if model is None or not model.edges:
        return
    index = problem.names.index
    found: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for text in sorted(functionals_of(problem)):
        if text.startswith("KL["):
            left, _, right = text[3:-1].partition("|")
            found[text] = frozenset(left.split(",")), frozenset(filter(None, right.split(",")))
    for first, (y, x) in found.items():
        for second, (other, z) in found.items():
            if first == second or y != other or not z or not x or x & z:
                continue
            parents = {source for source, target in model.edges if target in z} - z
            if parents == x and not y & z and not y & x and model.separated(y, z, x):
                masks = [sum(index[name] for name in group) for group in (y, x, z)]
                yield masks[0], masks[1], masks[2], first, second


def functionals_of(problem: Problem) -> set[str]:
    """Return the texts of the functionals that occur in a problem.

    Args:
        problem: The problem.

    Returns:
        The texts.
    """
    rows = [fact.row for fact in problem.facts] + [link.row for link in problem.links if link.row]
    found = {column for row in rows for column in row if isinstance(column, str)}
    return found | set(problem.cache.get("functionals", ()))


def elemental(key: Key, everything: int) -> list[Key]:
    """Return the elemental inequalities whose sum a basic inequality is; other steps stay as they are.

    ``I[A;B|C]`` is a sum of ``I[i;j|K]`` by the chain rule; ``H[A|C]`` is one of ``H[i|all others]`` and ``I[i;j|K]``.

    Args:
        key: The step.
        everything: Bitmask of all variables.

    Returns:
        Steps whose groups are single variables.

    Example:
        >>> elemental(("I", 1, 6, 0), 7)
        [('I', 1, 2, 0), ('I', 1, 4, 2)]
        >>> elemental(("H", 1, 0), 3)
        [('H', 1, 2), ('I', 1, 2, 0)]
    """
    if key[0] not in ("I", "H"):
        return [key]
    found: list[Key] = []
    if key[0] == "I":
        _, left, right, given = key
        for i in bits(left & ~given):
            one, before = 1 << i, given | left & ((1 << i) - 1)
            found += [("I", one, 1 << j, before | right & ((1 << j) - 1)) for j in bits(right & ~given)]
        return found
    _, left, given = key
    for i in bits(left & ~given):
        one, before = 1 << i, given | left & ((1 << i) - 1)
        others = everything & ~one
        found.append(("H", one, others))
        rest = others & ~before
        found += [("I", one, 1 << j, before | rest & ((1 << j) - 1)) for j in bits(rest)]
    return found


def step_text(key: Key, problem: Problem) -> str:
    """Return a step as people write it.

    Args:
        key: The step.
        problem: The problem.

    Returns:
        Text such as ``I[X;Z|Y] >= 0``.
    """
    names = problem.names
    match key:
        case ("I", a, b, c):
            return f"{quantity_text([a, b], c, names)} >= 0"
        case ("H", a, c):
            return f"{quantity_text([a], c, names)} >= 0"
        case ("fact", k):
            return problem.facts[k].text
        case ("one",):
            return "1 >= 0"
        case ("KL", text):
            return f"{text} >= 0"
        case ("ZY", a, b, c, d, given):
            groups = "; ".join(",".join(names.members(mask)) for mask in (a, b, c, d))
            condition = ",".join(names.members(given))
            return f"Zhang-Yeung({groups}{' | ' + condition if condition else ''}) >= 0"
    return f"{key[4].replace('KL', 'CE', 1)} <= {key[5].replace('KL', 'CE', 1)}"


def total(combination: Combination, problem: Problem) -> Row:
    """Return the sum of a combination's rows.

    Args:
        combination: Multiplier of each step.
        problem: The problem.

    Returns:
        The sum, exact.
    """
    # Integers are added many times as fast as fractions.
    scale = lcm(*[multiplier.denominator for multiplier in combination.values()])
    row: Row = {}
    for key, multiplier in combination.items():
        add(row, step_row(key, problem), multiplier if scale == 1 else exact(Fraction(multiplier * scale)))
    return row if scale == 1 else {column: exact(Fraction(value, scale)) for column, value in row.items()}

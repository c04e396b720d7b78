"""Permutations of variables that leave a claim and its facts as they are, and what they identify.

Averaging over such permutations maps polymatroids to polymatroids, so that a symmetric claim can be decided on orbits
of sets; a proof there becomes a proof of the claim when each step is replaced by the mean of its images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from operator import or_

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import Row, add
from imeasure.certificate.steps import Combination, Key
from imeasure.prove.combine import combine
from imeasure.prove.limits import LOOK, LimitReached, Limits
from imeasure.shannon import bits

Permutation = tuple[int, ...]
"""For each variable the variable that takes its place."""

Tagged = tuple[int, Row]
"""A row with the number of its sort: only rows of the same sort may be exchanged."""

LARGEST = 50_000
"""Largest orbit that is enumerated."""
LEAVES = 400
"""Most permutations that are tried in the search for generators."""


def permute(mask: int, permutation: Permutation) -> int:
    """Return the image of a set.

    Args:
        mask: The set.
        permutation: The permutation.

    Returns:
        Its image.

    Example:
        >>> permute(0b011, (2, 0, 1))
        5
    """
    result = 0
    for bit in bits(mask):
        result |= 1 << permutation[bit]
    return result


def generators(rows: Sequence[Tagged], count: int, limits: Limits) -> list[Permutation]:
    """Return generators of the group of permutations that map the rows onto each other, tag by tag.

    Args:
        rows: The rows, entropies only.
        count: Number of variables.
        limits: Limits of the search.

    Returns:
        Generators other than the identity; the search is bounded, so that some may be missing.
    """
    frozen = {(tag, frozenset(row.items())) for tag, row in rows}

    def keeps(permutation: Permutation) -> bool:
        if count > LOOK:
            limits.require_time()
        return all(
            (tag, frozenset((permute(int(mask), permutation), value) for mask, value in items)) in frozen
            for tag, items in frozen
        )

    found: list[Permutation] = []
    heads: list[int] = []
    for point in range(count):
        for head in heads:
            exchange = _exchange(head, point, count)
            if keeps(exchange):
                found.append(exchange)
                break
        else:
            heads.append(point)
    start = _refine([0] * count, rows, count)
    fixed: list[int] = []
    budget = [LEAVES]
    for point in heads:
        cell = [i for i in heads if start[i] == start[point] and i > point]
        reached = _orbit(point, [g for g in found if all(g[i] == i for i in fixed)])
        for other in cell:
            if other in reached:
                continue
            left = _individualise([*fixed, point], start)
            right = _individualise([*fixed, other], start)
            permutation = _match(left, right, rows, count, keeps, budget)
            if permutation is not None:
                found.append(permutation)
                reached = _orbit(point, [g for g in found if all(g[i] == i for i in fixed)])
        fixed.append(point)
    return found if len(found) <= count else _joining(found, count)


def _joining(group: list[Permutation], count: int) -> list[Permutation]:
    """Return those generators that join orbits of variables; they generate a subgroup, usually all of the group."""
    kept: list[Permutation] = []
    for permutation in group:
        if any(permutation[i] not in _orbit(i, kept) for i in range(count)):
            kept.append(permutation)
    return kept


def _exchange(first: int, second: int, count: int) -> Permutation:
    return tuple(second if i == first else first if i == second else i for i in range(count))


def _orbit(point: int, group: list[Permutation]) -> set[int]:
    reached, frontier = {point}, [point]
    while frontier:
        here = frontier.pop()
        for permutation in group:
            if permutation[here] not in reached:
                reached.add(permutation[here])
                frontier.append(permutation[here])
    return reached


def _individualise(points: list[int], colours: list[int]) -> list[int]:
    result = [colour * (len(points) + 1) for colour in colours]
    for position, point in enumerate(points):
        result[point] += position + 1
    return result


def _refine(colours: list[int], rows: Sequence[Tagged], count: int) -> list[int]:
    """Colour variables by the rows they occur in until nothing changes; colours do not depend on their order."""
    while True:
        seen: list[list[int]] = [[] for _ in range(count)]
        for tag, row in rows:
            inner = [(mask, (value, tuple(sorted(colours[i] for i in bits(int(mask)))))) for mask, value in row.items()]
            shape = hash((tag, tuple(sorted(key for _, key in inner))))
            for mask, key in inner:
                mark = hash((key, shape))
                for i in bits(int(mask)):
                    seen[i].append(mark)
        keys = [(colours[i], tuple(sorted(seen[i]))) for i in range(count)]
        order = {key: number for number, key in enumerate(sorted(set(keys)))}
        refined = [order[key] for key in keys]
        if len(order) == len(set(colours)):
            return refined
        colours = refined


def _match(
    left: list[int],
    right: list[int],
    rows: Sequence[Tagged],
    count: int,
    keeps: Callable[[Permutation], bool],
    budget: list[int],
) -> Permutation | None:
    """Return a permutation in the group that carries one colouring to the other."""
    left, right = _refine(left, rows, count), _refine(right, rows, count)
    if sorted(left) != sorted(right) or budget[0] <= 0:
        return None
    cells: dict[int, list[int]] = {}
    for i, colour in enumerate(left):
        cells.setdefault(colour, []).append(i)
    open_cells = [cell for cell in cells.values() if len(cell) > 1]
    images: dict[int, list[int]] = {}
    for i, colour in enumerate(right):
        images.setdefault(colour, []).append(i)
    # Taking the members of each cell in order is often right at once, and always when they are interchangeable.
    budget[0] -= 1
    guess = [0] * count
    for colour, cell in cells.items():
        for i, image in zip(cell, images[colour], strict=True):
            guess[i] = image
    if keeps(tuple(guess)):
        return tuple(guess)
    if not open_cells:
        return None
    point = open_cells[0][0]
    for image in images[left[point]]:
        found = _match(_individualise([point], left), _individualise([image], right), rows, count, keeps, budget)
        if found is not None:
            return found
    return None


def _interchangeable(group: Iterable[Permutation]) -> list[list[int]] | None:
    """Return the classes of variables that may be exchanged freely if that is all of the group, otherwise None."""
    classes: list[set[int]] = []
    for permutation in group:
        moved = {i for i, image in enumerate(permutation) if i != image}
        if len(moved) != 2:
            return None
        joined = [members for members in classes if members & moved]
        classes = [members for members in classes if not members & moved]
        classes.append(moved.union(*joined))
    return [sorted(members) for members in classes]


def _prefixes(members: list[int]) -> list[int]:
    """Return the masks of the first none, one, two, ... of some variables."""
    return list(accumulate((1 << i for i in members), or_, initial=0))


class Orbits:
    """Orbits of sets under a group given by generators.

    Args:
        group: Generators.
        problem: The problem whose facts the group permutes.
    """

    def __init__(self, group: Iterable[Permutation], problem: Problem) -> None:
        self.group = tuple(group)
        self.problem = problem
        self._least: dict[int, int] = {}
        classes = _interchangeable(self.group)
        self._classes = None if classes is None else [_prefixes(members) for members in classes]
        self._facts = {
            (fact.equality, frozenset(fact.row.items())): k for k, fact in reversed(list(enumerate(problem.facts)))
        }

    def least(self, mask: int) -> int:
        """Return the least set of the orbit of a set."""
        if self._classes is not None:
            for prefixes in self._classes:
                inside = mask & prefixes[-1]
                mask = mask ^ inside | prefixes[inside.bit_count()]
            return mask
        found = self._least.get(mask)
        if found is None:
            orbit, frontier = {mask}, [mask]
            while frontier:
                here = frontier.pop()
                for permutation in self.group:
                    image = permute(here, permutation)
                    if image not in orbit:
                        orbit.add(image)
                        frontier.append(image)
                if len(orbit) > LARGEST:
                    raise LimitReached(f"an orbit of sets has more than {LARGEST} members")
            found = min(orbit)
            for member in orbit:
                self._least[member] = found
        return found

    def row(self, row: Row) -> Row:
        """Return a row with each set replaced by the least of its orbit."""
        result: Row = {}
        for column, value in row.items():
            add(result, {self.least(column) if isinstance(column, int) and column else column: value})
        return result

    def spread(self, proof: Combination) -> Combination:
        """Return the mean of a proof's images under the group.

        Args:
            proof: The proof.

        Returns:
            A proof that is symmetric itself.
        """
        result: Combination = {}
        for key, multiplier in proof.items():
            start = self._image(key, tuple(range(len(self.problem.names))))
            orbit, frontier = {start}, [start]
            while frontier:
                here = frontier.pop()
                for permutation in self.group:
                    image = self._image(here, permutation)
                    if image not in orbit:
                        orbit.add(image)
                        frontier.append(image)
                if len(orbit) > LARGEST:
                    raise LimitReached(f"a symmetric proof has more than {LARGEST} steps of one sort")
            share = Fraction(multiplier) / len(orbit)
            combine(result, dict.fromkeys(sorted(orbit), share))
        return result

    def _image(self, key: Key, permutation: Permutation) -> Key:
        kind, *rest = key
        if kind == "fact":
            fact = self.problem.facts[rest[0]]
            moved = frozenset((permute(int(mask), permutation), value) for mask, value in fact.row.items())
            return kind, self._facts[fact.equality, moved]
        images = [permute(mask, permutation) for mask in rest]
        if kind == "I":
            first, second = sorted(images[:2])
            return kind, first, second, images[2]
        return (kind, *images)

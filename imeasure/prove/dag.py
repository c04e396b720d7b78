"""Conditional independences that form a directed acyclic graph, and the proofs of what the graph separates.

A list of facts ``I[v; earlier | parents] = 0`` along an order of the variables is a graph's ordered local Markov
property; everything that the graph separates then follows (Verma and Pearl, 1988). Here each such consequence comes
with its proof from the facts and Shannon's inequalities, found by removing one variable after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from imeasure.certificate.problem import Fact, Problem
from imeasure.certificate.rows import Number, exact
from imeasure.certificate.steps import Combination
from imeasure.prove.combine import combine
from imeasure.shannon import bits


def independence(fact: Fact) -> tuple[int, int, int, Number] | None:
    """Return A, B, C and the factor if a fact says ``factor * I[A;B|C] = 0`` for disjoint groups.

    Args:
        fact: A fact.

    Returns:
        Bitmasks and the factor, or None.
    """
    row = fact.row
    if not fact.equality or len(row) not in (3, 4) or not all(isinstance(c, int) and c for c in row):
        return None
    ordered = sorted(row, key=lambda mask: int(mask).bit_count())
    joint, given = int(ordered[-1]), int(ordered[0]) if len(row) == 4 else 0
    first, second = int(ordered[-2]), int(ordered[-3])
    factor = row[first]
    if first | second != joint or first & second != given or row[second] != factor or row[joint] != -factor:
        return None
    if given and row[given] != -factor:
        return None
    return first & ~given, second & ~given, given, factor


@dataclass(frozen=True)
class Local:
    """What is known of one variable: it is independent of ``others`` given ``parents``.

    Attributes:
        bit: The variable's bit.
        parents: Bitmask.
        others: Bitmask of the earlier variables that are not parents.
        proof: Proof of ``-I[v; others | parents] >= 0``.
    """

    bit: int
    parents: int
    others: int
    proof: Combination


class Dag:
    """A graph that some of a problem's facts amount to.

    Attributes:
        order: The variables' bits, parents first.
        local: What is known of each variable.
        facts: Positions of the facts that were used.
    """

    def __init__(self, order: list[int], local: dict[int, Local], facts: set[int]) -> None:
        self.order, self.local, self.facts = order, local, facts
        self.everything = 0
        for bit in order:
            self.everything |= bit
        self._moral: dict[int, dict[int, int]] = {}

    def ancestors(self, mask: int) -> int:
        """Return a set together with all ancestors of its members."""
        result = mask
        for bit in reversed(self.order):
            if result & bit:
                result |= self.local[bit].parents
        return result

    def relevant(self, kept: int, *, contract: bool = True) -> int:
        """Return the variables that matter to statements about some of them, exactly.

        Descendants that are not kept are constants without loss, and a variable with a single child can be taken to be
        the tuple of its parents.

        Args:
            kept: Bitmask of the variables that occur in statements.
            contract: Whether to replace variables by tuples of their parents (not possible for continuous ones).

        Returns:
            Bitmask of the variables to reason about.
        """
        active = self.ancestors(kept)
        children = dict.fromkeys(bits_of(active), 0)
        parents = {bit: self.local[bit].parents & active for bit in bits_of(active)}
        for bit, above in parents.items():
            for parent in bits_of(above):
                children[parent] |= bit
        changed = contract
        while changed:
            changed = False
            for bit in self.order:
                if bit & active & ~kept and children[bit].bit_count() <= 1:
                    child, above = children[bit], parents[bit]
                    active &= ~bit
                    if child:
                        parents[child] = parents[child] & ~bit | above
                    for parent in bits_of(above):
                        children[parent] = children[parent] & ~bit | child
                    changed = True
        return active

    def neighbours(self, mask: int) -> dict[int, int]:
        """Return for each member of a set the members that nothing in the set separates it from.

        Args:
            mask: The set S.

        Returns:
            By bit: those b for which a and b are not separated given the rest of S.
        """
        found = self._moral.get(mask)
        if found is None:
            found = self._moral[mask] = self._neighbours(mask)
        return found

    def moral(self, within: int) -> dict[int, int]:
        """Return the moral graph of an ancestral set as neighbours by bit."""
        edges = dict.fromkeys(bits_of(within), 0)
        for bit in edges:
            family = self.local[bit].parents | bit
            for member in bits_of(family):
                edges[member] |= family & ~member
        return edges

    def _neighbours(self, mask: int) -> dict[int, int]:
        within = self.ancestors(mask)
        edges = self.moral(within)
        hidden = within & ~mask
        result = {bit: edges[bit] & mask for bit in bits_of(mask)}
        while hidden:
            component, border = reach(hidden & -hidden, edges, hidden)
            hidden &= ~component
            border &= mask
            for bit in bits_of(border):
                result[bit] |= border & ~bit
        return result

    def separates(self, left: int, right: int, given: int) -> bool:
        """Return whether the graph separates two groups given a third; the three are disjoint."""
        edges = self.moral(self.ancestors(left | right | given))
        side, _ = reach(left, edges, self.ancestors(left | right | given) & ~given)
        return not side & right

    def separate(self, left: int, right: int, given: int) -> Combination:
        """Return the proof of ``-I[A;B|C] >= 0`` for groups that the graph separates.

        Args:
            left: Bitmask of A.
            right: Bitmask of B.
            given: Bitmask of C.

        Returns:
            The proof.
        """
        within = self.ancestors(left | right | given)
        edges = self.moral(within)
        side, _ = reach(left, edges, within & ~given)
        other = within & ~given & ~side
        result: Combination = {}
        if side & ~left:
            combine(result, {("I", side & ~left, right, given | left): 1})
        if other & ~right:
            combine(result, {("I", side, other & ~right, given | right): 1})
        return combine(result, self._split(side, other, given))

    def _split(self, left: int, right: int, given: int) -> Combination:
        result: Combination = {}
        while left and right:
            last = next(bit for bit in reversed(self.order) if bit & (left | right | given))
            if last & given:
                given &= ~last
                own, far = (right, left) if self.local[last].parents & right else (left, right)
                combine(result, {("I", last, far, given): 1})
                combine(result, self._alone(last, far, given | own))
            elif last & left:
                left &= ~last
                combine(result, self._alone(last, right, given | left))
            else:
                right &= ~last
                combine(result, self._alone(last, left, given | right))
        return result

    def _alone(self, bit: int, others: int, given: int) -> Combination:
        """Proof of ``-I[v; others | given] >= 0`` for earlier variables, the parents among the given ones."""
        known = self.local[bit]
        result = dict(known.proof)
        extra = given & ~known.parents
        if extra:
            combine(result, {("I", bit, extra, known.parents): 1})
        rest = known.others & ~extra & ~others
        if rest:
            combine(result, {("I", bit, rest, known.parents | extra | others): 1})
        return result


def reach(start: int, edges: dict[int, int], within: int) -> tuple[int, int]:
    """Return what is connected to a set inside another one, and the border of that.

    Args:
        start: Bitmask to start from.
        edges: Neighbours by bit.
        within: Bitmask of where one may go.

    Returns:
        The component and all its neighbours.
    """
    component, border, frontier = start, 0, start
    while frontier:
        bit = frontier & -frontier
        frontier ^= bit
        border |= edges[bit]
        fresh = edges[bit] & within & ~component
        component |= fresh
        frontier |= fresh
    return component, border & ~component


def bits_of(mask: int) -> Iterable[int]:
    """Return the single-bit masks of a mask, lowest first."""
    return [1 << position for position in bits(mask)]


Known = tuple[int, int, int, int, Number]
"""Position of a fact, its groups A, B and C, and its factor."""


def find_dag(problem: Problem) -> Dag | None:
    """Return the graph that a problem's independences amount to, as far as they do.

    Args:
        problem: The problem.

    Returns:
        The graph over all the problem's variables, or None if no fact fits.
    """
    found: list[Known] = []
    for position, fact in enumerate(problem.facts):
        if (parts := independence(fact)) is not None:
            found.append((position, *parts))
    if not found:
        return None
    found.sort(key=lambda item: (item[1] | item[2] | item[3]).bit_count())
    everything = (1 << len(problem.names)) - 1
    ascending = _ascending(found, everything)
    if len(ascending.facts) == len(found):
        return ascending
    descending = _descending(found, everything)
    return max(ascending, descending, key=lambda dag: len(dag.facts))


def _descending(found: list[Known], everything: int) -> Dag:
    """Take away last variables one after the other, each with a fact that, weakened, parts it from what remains.

    ``I[A;B|C] = 0`` says of v in A that it is independent of what remains of B given C and what remains of A, whenever
    C remains; so a list of independences among all variables, each variable's own beside them, is read as a graph.
    """
    local: list[Local] = []
    rest = everything
    while rest:
        choices = [
            (((given | first & rest) & ~bit).bit_count(), (first | second | given).bit_count(), bit, position, side)
            for position, left, right, given, _ in found
            if not given & ~rest and not rest & ~(left | right | given)
            for side, (first, second) in enumerate(((left, right), (right, left)))
            if second & rest
            for bit in bits_of(first & rest)
        ]
        if choices:
            *_, bit, position, side = min(choices)
            left, right, given, factor = next(item[1:] for item in found if item[0] == position)
            first, second = (right, left) if side else (left, right)
            kept, others = first & rest & ~bit, second & rest
            proof: Combination = {("fact", position): exact(-1 / Fraction(factor))}
            for one, other, condition in (
                (first, second & ~rest, given | others),
                (first & ~rest, others, given | kept | bit),
                (kept, others, given),
            ):
                if one and other:
                    combine(proof, {("I", one, other, condition): 1})
            local.append(Local(bit, given | kept, others, proof))
        else:
            inside = [union for _, a, b, c, _ in found if (union := a | b | c) & ~rest == 0 and union != rest]
            bit = next(iter(bits_of(rest & ~max(inside, key=int.bit_count, default=0))))
            local.append(Local(bit, rest & ~bit, 0, {}))
        rest &= ~bit
    local.reverse()
    return _closed([known.bit for known in local], {known.bit: known for known in local}, found, set())


def _closed(order: list[int], local: dict[int, Local], found: list[Known], used: set[int]) -> Dag:
    """Return a graph whose facts are those that it is known to imply, and all others that it implies."""
    dag = Dag(order, local, used)
    for position, left, right, given, _ in found:
        if position not in used and dag.separates(left, right, given):
            used.add(position)
    return dag


def _ascending(found: list[Known], everything: int) -> Dag:
    """Add groups of variables one after the other, each with a fact about itself and all earlier ones."""
    seen = 0
    order: list[int] = []
    local: dict[int, Local] = {}
    used: set[int] = set()

    def append(bit: int, parents: int, others: int, proof: Combination) -> None:
        order.append(bit)
        local[bit] = Local(bit, parents, others, proof)

    for position, first, second, given, factor in found:
        union = first | second | given
        fresh = union & ~seen
        if seen & ~union or not fresh:
            continue
        block, earlier = (first, second) if not first & seen else (second, first)
        if block & seen:
            continue
        for bit in bits_of(fresh & ~block):
            append(bit, seen, 0, {})
            seen |= bit
        reverse: Combination = {("fact", position): exact(-1 / Fraction(factor))}
        before = 0
        for bit in bits_of(block):
            proof = dict(reverse)
            after = block & ~before & ~bit
            if before:
                combine(proof, {("I", before, earlier, given): 1})
            if after:
                combine(proof, {("I", after, earlier, given | before | bit): 1})
            append(bit, given | before, earlier, proof)
            before |= bit
        seen |= block
        used.add(position)
    for bit in bits_of(everything & ~seen):
        append(bit, seen, 0, {})
        seen |= bit
    return _closed(order, local, found, used)

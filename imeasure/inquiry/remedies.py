"""What would make a claim true: the weakest extra facts, and the nearest true claim.

Both try a finite list in a fixed order and return only what the prover proves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from time import monotonic

import sympy

from imeasure.certificate.problem import Statement, listed_facts, read_problem
from imeasure.errors import NonlinearError
from imeasure.facts import statement_variables
from imeasure.measure import members
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.prove.decide import check
from imeasure.prove.verdict import Verdict
from imeasure.quantities import Information
from imeasure.rewriting.shapes import shape_quantity, shapes
from imeasure.shannon import subsets
from imeasure.statements import Relation

Facts = tuple[Relation, ...]
_ZERO = sympy.S.Zero


def conditions(
    relation: Statement,
    *,
    model: Model | str | None = None,
    given: Statement | Iterable[Statement] = (),
    most: int = 500,
) -> tuple[Facts, ...]:
    """Return the weakest additional facts under which a relation becomes provable.

    Candidates are single conditional independences ``I[A;B|C] = 0``, of single variables first and then of groups, and
    functional dependences ``H[A|C] = 0`` of single variables A; if none suffices, pairs of them without the groups. A
    set that implies another one found is left out.

    Args:
        relation: The relation, as text or object.
        model: What is known.
        given: More facts.
        most: Most independences of groups, and most pairs of facts, that are tried.

    Returns:
        The sets of facts; one empty set if the relation is provable as it is, nothing if no candidate helps. Markov
        conditions come first, then independences, then dependences.

    Raises:
        InformationError: As :func:`imeasure.check`.

    Example:
        >>> for facts in conditions("I[X;Z] >= I[Y;Z]"):
        ...     print(*facts)
        I[Y;Z|X] = 0
        I[Y;Z] = 0
    """
    known = listed_facts(given)
    if check(relation, model=model, given=known):
        return ((),)
    problem = read_problem(relation, model, known)
    names = tuple(sorted(problem.variables))

    def still_open(offered: Iterable[Information]) -> list[Relation]:
        facts = (Relation((quantity, _ZERO), ("=",)) for quantity in offered)
        return [fact for fact in facts if not check(fact, model=model, given=known)]

    plain = list(_candidates(names))
    independences = still_open(quantity for quantity in plain if len(quantity.groups) == 2)
    grouped = still_open(islice(_of_groups(names), most))
    dependences = still_open(quantity for quantity in plain if len(quantity.groups) == 1)
    singles = [(fact,) for fact in (*independences, *grouped, *dependences)]
    for sets in (singles, islice(combinations([*independences, *dependences], 2), most)):
        found: list[tuple[Relation, ...]] = [
            facts for facts in sets if check(relation, model=model, given=[*known, *facts])
        ]
        if found:
            return tuple(facts for facts in found if not _stronger(facts, found, model, known))
    return ()


def _of_groups(names: tuple[str, ...]) -> Iterator[Information]:
    """Yield informations with more than one variable in a group, the fewest variables first."""
    for given, blocks in shapes(len(names), 2):
        if len(blocks) == 2 and any(block.bit_count() > 1 for block in blocks):
            yield shape_quantity((given, blocks), names)


def _candidates(names: tuple[str, ...]) -> Iterator[Information]:
    """Yield informations of pairs with a condition, then without, then conditional entropies."""
    everything = (1 << len(names)) - 1
    conditions_of = sorted(subsets(everything), key=lambda mask: (mask == 0, mask.bit_count(), mask))
    for mask in conditions_of:
        for pair in combinations([name for i, name in enumerate(names) if not mask >> i & 1], 2):
            yield Information([[name] for name in pair], members(mask, names))
    for mask in conditions_of:
        for i, name in enumerate(names):
            if not mask >> i & 1:
                yield Information([[name]], members(mask, names))


def _stronger(facts: Facts, found: list[Facts], model: Model | str | None, known: list[Statement]) -> bool:
    for other in found:
        if other is facts:
            continue
        implies = all(check(fact, model=model, given=[*known, *facts]) for fact in other)
        if implies:
            back = all(check(fact, model=model, given=[*known, *other]) for fact in facts)
            if not back or found.index(other) < found.index(facts):
                return True
    return False


def hints(
    relation: str | Relation | Verdict,
    *,
    model: Model | str | None = None,
    given: Statement | Iterable[Statement] = (),
    functionals: Iterable[str] = (),
    seconds: float = 60.0,
) -> tuple[Relation, ...]:
    """Return the proved relations that differ from a claim in one quantity's condition or groups.

    Args:
        relation: A relation that is not provable, or the verdict of :func:`imeasure.check`, which brings its model
            and its facts.
        model: What is known.
        given: More facts.
        functionals: Names of functionals beyond ``CE`` and ``KL`` that occur.
        seconds: Time after which no further relation is tried.

    Returns:
        The nearest relations, those in which one variable was added to or taken from a condition or a group; nothing if
        the claim is proved as it is.

    Raises:
        InformationError: As :func:`imeasure.check`.

    Example:
        >>> print(*hints("H[X|Y] = H[X|Y,Z] + I[X;Z]"))
        H[X|Y] = H[X|Y,Z] + I[X;Z|Y]
        >>> print(*hints(check("I[X;Z] = I[Y;Z]", model="Y -> X -> Z")))
        I[X;Z] = I[X,Y;Z]
    """
    end = monotonic() + seconds
    known = listed_facts(given)
    if isinstance(relation, Verdict):
        problem = relation.problem
        model, functionals = model or problem.model, (*functionals, *problem.functionals)
        known = [*problem.given, *known]
        verdict: Verdict | None = relation
        relation = problem.claim
    else:
        verdict = None
    declared = tuple(dict.fromkeys(functionals))
    read = parse(relation, functionals=declared) if isinstance(relation, str) else relation
    if not isinstance(read, Relation):
        raise NonlinearError(f"expected a relation such as 'I[X;Z] <= H[Z]', not '{relation}'")
    if verdict or check(read, model=model, given=known, functionals=declared, seconds=seconds):
        return ()
    names = statement_variables(read)
    changed: dict[Relation, None] = {}
    for place, expression in enumerate(read.expressions):
        for quantity in sorted(expression.atoms(Information), key=lambda q: (-len(q.groups), str(q))):
            for other in _neighbours(quantity, names):
                sides = list(read.expressions)
                sides[place] = expression.xreplace({quantity: other})
                if any(side.atoms(Information) for side in sides) and sides[place] not in (0, *read.expressions):
                    changed[Relation(tuple(sides), read.operators)] = None
    found: list[Relation] = []
    for claim in changed:
        left = end - monotonic()
        if left <= 0:
            break
        if check(claim, model=model, given=known, functionals=declared, seconds=left):
            found.append(claim)
    return tuple(found)


def _neighbours(quantity: Information, names: Iterable[str]) -> Iterator[Information]:
    """Yield the quantities with one variable more or less in the condition, then in a group."""
    groups = [[v.name for v in group] for group in quantity.groups]
    condition = [v.name for v in quantity.given]
    inside = {name for group in groups for name in group}
    for name in names:
        if name in condition:
            yield Information(groups, [other for other in condition if other != name])
        elif name not in inside:
            yield Information(groups, [*condition, name])
    for place, group in enumerate(groups):
        for name in names:
            if name in condition or (name in inside and name not in group):
                continue
            changed = [n for n in group if n != name] if name in group else [*group, name]
            if changed:
                yield Information([*groups[:place], changed, *groups[place + 1 :]], condition)

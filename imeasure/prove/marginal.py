"""Few variables of a graph: all that it separates among them cuts out a face, on which their claims are decided.

A claim about some variables of a graph needs no others than those that :meth:`imeasure.prove.dag.Dag.relevant` keeps;
the separations among these are facts of a smaller problem, each with its proof from the facts of the graph.
"""

from __future__ import annotations

from imeasure.certificate.rows import Row, information
from imeasure.certificate.steps import Combination
from imeasure.prove.combine import combine
from imeasure.prove.dag import bits_of
from imeasure.prove.markov import MarkovSpace
from imeasure.prove.rays import LARGEST, Face, on_rays, rays
from imeasure.shannon import subsets


def prove(space: MarkovSpace, row: Row) -> Combination | None:
    """Return a proof from what a graph separates among the variables that matter, or None.

    Args:
        space: The graph's space.
        row: The row that has to be at least zero.

    Returns:
        The proof; None too where other facts, continuous variables or more than four variables are involved.
    """
    members = list(bits_of(space.active))
    if not 0 < len(members) <= LARGEST or space.facts or space.problem.real:
        return None
    place = {sum(members[i] for i in bits): mask for mask, bits in enumerate(_bits(len(members)))}
    if not all(column in place for column in row):
        return None
    masks = list(place)
    known = rays(len(members))
    separated = [
        (i, j, given)
        for position, i in enumerate(members)
        for j in members[position + 1 :]
        for given in subsets(space.active & ~i & ~j)
        if not space.dag.neighbours(i | j | given)[i] & j
    ]
    moved: Row = {place[int(column)]: value for column, value in row.items()}
    rows = [information([place[i], place[j]], place[given]) for i, j, given in separated]
    found = on_rays([moved, *rows], known)
    if found is None:
        return None
    (values, scale), *facts = found
    face = Face(known, facts)
    proof = face.prove(values, scale) if face.broken(values) is None else None
    if proof is None:
        return None
    result: Combination = {}
    for (kind, *rest), multiplier in proof.items():
        if kind == "fact":
            combine(result, space.dag.separate(*separated[rest[0]]), -multiplier)
        else:
            combine(result, {(kind, *(masks[mask] for mask in rest)): multiplier})
    return result


def _bits(count: int) -> list[list[int]]:
    return [[i for i in range(count) if mask >> i & 1] for mask in range(1 << count)]

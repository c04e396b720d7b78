"""The prover's peers that solve linear programs in floating point: scipy's linprog and a bare HiGHS.

Both read the statement with this project's reader. Nothing is kept from one call to the next.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import highspy
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack

from imeasure.certificate.problem import read_problem
from imeasure.certificate.targets import targets
from imeasure.shannon import elementals

_LARGEST_DENSE = 7


def linprog_decides(claim: str, facts: Sequence[str]) -> bool:
    """Say whether a claim follows, as a plain user of scipy would.

    Every elemental inequality becomes a row (dense up to 7 variables, sparse beyond), facts become further rows, and
    one program is solved for an inequality, two for an equation; the first part that fails ends it.
    """
    problem = read_problem(claim, given=facts)
    count = len(problem.names)
    rows = [elemental.entropies() for elemental in elementals(count)]
    matrix = np.stack([_dense(row, count) for row in rows]) if count <= _LARGEST_DENSE else _sparse(rows, count)
    stack = np.vstack if count <= _LARGEST_DENSE else vstack
    upper = -stack([matrix, *(_dense(fact.row, count)[None] for fact in problem.facts if not fact.equality)])
    given = [_dense(fact.row, count) for fact in problem.facts if fact.equality]
    equal = None if not given else np.array(given) if count <= _LARGEST_DENSE else csr_array(np.array(given))
    for target in targets(problem):
        done = linprog(
            _dense(target.row, count),
            A_ub=upper,
            b_ub=np.zeros(upper.shape[0]),
            A_eq=equal,
            b_eq=np.zeros(len(given)) if given else None,
            bounds=[(0, 0), *[(0, 1)] * ((1 << count) - 1)],
            method="highs",
        )
        if done.fun < -1e-7:
            return False
    return True


def highs_decides(claim: str) -> bool:
    """Say whether an inequality holds, by one HiGHS program that gets rows as they are violated."""
    problem = read_problem(claim)
    count = len(problem.names)
    table = _quadruples(count)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    size = 1 << count
    upper = np.ones(size)
    upper[0] = 0
    cost = _dense(targets(problem)[0].row, count)
    solver.addCols(size, cost, np.zeros(size), upper, 0, np.zeros(size, np.int32), np.zeros(0, np.int32), np.zeros(0))
    _add_rows(solver, table[:: max(1, len(table) // 500)])
    while True:
        solver.run()
        point = np.array(solver.getSolution().col_value)
        slack = point[table[:, 0]] + point[table[:, 1]] - point[table[:, 2]] - point[table[:, 3]]
        violated = np.flatnonzero(slack < -1e-7)
        if not len(violated):
            return bool(solver.getObjectiveValue() > -1e-7)
        _add_rows(solver, table[violated[np.argsort(slack[violated])[:300]]])


def _dense(row: Mapping[int, Any], count: int) -> np.ndarray:
    vector = np.zeros(1 << count)
    for mask, value in row.items():
        vector[mask] = float(value)
    return vector


def _sparse(rows: Sequence[Mapping[int, Any]], count: int) -> csr_array:
    places = [(i, mask, value) for i, row in enumerate(rows) for mask, value in row.items()]
    i, mask, value = zip(*places, strict=True)
    return coo_array((value, (i, mask)), shape=(len(rows), 1 << count)).tocsr()


def _quadruples(count: int) -> np.ndarray:
    """Return the elemental inequalities as masks a, b, c, d of H[a] + H[b] - H[c] - H[d] >= 0."""
    size = 1 << count
    quadruples = []
    for i in range(count):
        quadruples.append((size - 1, 0, (size - 1) ^ 1 << i, 0))
        for j in range(i + 1, count):
            rest = [mask for mask in range(size) if not mask & (1 << i | 1 << j)]
            quadruples += [(mask | 1 << i, mask | 1 << j, mask | 1 << i | 1 << j, mask) for mask in rest]
    return np.array(quadruples)


def _add_rows(solver: highspy.Highs, part: np.ndarray) -> None:
    keep = part > 0
    signs = np.tile([1.0, 1.0, -1.0, -1.0], (len(part), 1))
    starts = np.concatenate([[0], np.cumsum(keep.sum(1))[:-1]]).astype(np.int32)
    many, entries = len(part), int(keep.sum())
    lower, upper = np.zeros(many), np.full(many, np.inf)
    solver.addRows(many, lower, upper, entries, starts, part[keep].astype(np.int32), signs[keep])

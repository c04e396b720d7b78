"""The linear program behind a proof, and the exact solution on the support that a float solver finds.

Minimise the target over polymatroids in the unit box; elemental rows are added where the current point violates them.
If the minimum is zero, the dual multipliers prove the target; they are solved for again in rationals on their support.
HiGHS is used directly (Huangfu and Hall, 2018), python-flint for the exact solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import flint
import highspy
import numpy as np
import numpy.typing as npt

from imeasure.certificate.rows import Column, Number, Row, add, exact, magnitude
from imeasure.certificate.steps import Combination
from imeasure.prove.combine import combine
from imeasure.prove.limits import LimitReached, Limits

FIRST = 500
"""About as many elemental rows are there from the start."""
ADDED = 300
"""At least as many violated rows are added at once."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

TOLERANCE = 1e-9
"""Multipliers below are taken to be zero; a wrong guess is found out by the exact solution."""


DENOMINATORS = (1, 2, 3, 4, 6, 12)
"""Multipliers often have one of these."""
NEAR = 1e-6
"""How far rounding may go; the exact sum decides."""


def silent_solver() -> Any:
    """Return a HiGHS solver that prints nothing and answers the same every time."""
    # The documented class prints a banner when it is made, which would spoil JSON on standard output.
    solver: Any = highspy.Highs.__bases__[0]()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 1)
    return solver


@dataclass(frozen=True, slots=True)
class ProofRow:
    """A row of the program with the proof that it is at least zero (and at most, for an equality)."""

    row: Row
    proof: Combination
    equality: bool = False
    reverse: Combination | None = None
    """The proof that the row is at most zero."""


@dataclass
class Elementals:
    """Candidate rows ``h(S) + h(T) - h(J) - h(K) >= 0`` by column number; -1 stands for zero."""

    s: Integers
    t: Integers
    j: Integers
    k: Integers
    proofs: Sequence[Combination]

    @classmethod
    def none(cls) -> Elementals:
        """Return no candidates."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, empty, empty, ())

    def __len__(self) -> int:
        return len(self.s)


@dataclass
class Program:
    """Polymatroids on given columns, obeying given rows.

    Attributes:
        columns: The columns; entropies are boxed between 0 (or -1) and 1, functionals between -1 and 1.
        rows: Facts and other rows that are always there.
        elementals: Rows that are added as needed.
        floors: Lower end of each column's box, and the proof of it being zero where it is.
    """

    columns: list[Column]
    rows: list[ProofRow]
    elementals: Elementals
    floors: list[Combination | None]
    limits: Limits
    _solver: Any = field(default=None, repr=False)
    _loaded: list[int] = field(default_factory=list, repr=False)
    index: dict[Column, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.index = {column: i for i, column in enumerate(self.columns)}

    def minimise(self, target: Row) -> tuple[float, Floats]:
        """Return the least value of a target over the program's cone, cut off by the box, and where it is taken.

        Args:
            target: The target.

        Returns:
            The value (scaled so that the target's largest coefficient is 1) and the point.

        Raises:
            LimitReached: If a limit is reached.
        """
        solver = self._load(target)
        while True:
            self.limits.require_time()
            solver.setOptionValue("time_limit", float(solver.getRunTime() + max(self.limits.left, 0.01)))
            solver.run()
            status = solver.getModelStatus()
            if status == highspy.HighsModelStatus.kTimeLimit:
                raise LimitReached(f"the time limit of {self.limits.seconds:g} s was reached")
            if status != highspy.HighsModelStatus.kOptimal:
                raise LimitReached(f"the solver stopped: {solver.modelStatusToString(status)}")
            point = np.array(solver.getSolution().col_value)
            if not self._separate(point):
                return solver.getObjectiveValue(), point

    def contains(self, point: dict[Column, Fraction]) -> bool:
        """Return whether a rational point obeys every row exactly.

        Args:
            point: Values by column.

        Returns:
            Whether it lies in the cone.
        """
        for row in self.rows:
            value = sum(factor * point[column] for column, factor in row.row.items())
            if value < 0 or (row.equality and value != 0):
                return False
        h = [*(point[column] for column in self.columns), Fraction(0)]
        if any(value < 0 for value, floor in zip(h, self.floors, strict=False) if floor is not None):
            return False
        e = self.elementals
        quadruples = zip(e.s.tolist(), e.t.tolist(), e.j.tolist(), e.k.tolist(), strict=True)
        return all(h[s] + h[t] >= h[j] + h[k] for s, t, j, k in quadruples)

    def prove(self) -> Combination | None:
        """Return the exact proof of the target that was minimised last, or None if its support does not solve it.

        Returns:
            A combination of steps, not yet corrected for sets that are not members of the lattice.
        """
        solution = self._solver.getSolution()
        duals = list(solution.row_dual)
        size = float(max((magnitude(value) for value in self._target.values()), default=1))
        support: list[tuple[Row, ProofRow]] = []
        guesses: list[float] = []
        for position, dual in enumerate(duals):
            if abs(dual) > TOLERANCE:
                row = self._row(position)
                support.append((row.row, row))
                scale = float(max(map(magnitude, row.row.values()))) if position < len(self.rows) else 1.0
                guesses.append(dual * size / scale)
        for position, dual in enumerate(solution.col_dual):
            floor = self.floors[position]
            if dual > TOLERANCE and floor is not None:
                support.append(({self.columns[position]: 1}, ProofRow({}, floor)))
                guesses.append(dual * size)
        rows = [row for row, _ in support]
        multipliers = rounded_multipliers(rows, self._target, guesses) or exact_multipliers(rows, self._target)
        if multipliers is None:
            return None
        result: Combination = {}
        for (_, proof_row), multiplier in zip(support, multipliers, strict=True):
            if multiplier >= 0:
                combine(result, proof_row.proof, multiplier)
            elif proof_row.reverse is not None:
                combine(result, proof_row.reverse, -multiplier)
            else:
                return None
        return result

    def _row(self, position: int) -> ProofRow:
        if position < len(self.rows):
            return self.rows[position]
        number = self._loaded[position - len(self.rows)]
        e = self.elementals
        row: Row = {}
        for columns, sign in ((e.s, 1), (e.t, 1), (e.j, -1), (e.k, -1)):
            if columns[number] >= 0:
                add(row, {self.columns[columns[number]]: sign})
        return ProofRow(row, e.proofs[number])

    def _load(self, target: Row) -> Any:
        self._target = target
        size = max((magnitude(value) for value in target.values()), default=1)
        cost = np.zeros(len(self.columns))
        for column, value in target.items():
            cost[self.index[column]] = float(value) / float(size)
        if self._solver is None:
            self._solver = self._new_solver(cost)
        else:
            count = len(self.columns)
            self._solver.changeColsCost(count, np.arange(count, dtype=np.int32), cost)
            self._solver.clearSolver()
        return self._solver

    def _new_solver(self, cost: Floats) -> Any:
        solver = silent_solver()
        solver.setOptionValue("presolve", "off")
        count = len(self.columns)
        lower = np.array([-1.0 if floor is None else 0.0 for floor in self.floors])
        starts, indices, values = [0], [], []
        for row in self.rows:
            scale = float(max(map(magnitude, row.row.values())))
            for column, value in row.row.items():
                indices.append(self.index[column])
                values.append(float(value) / scale)
            starts.append(len(indices))
        upper = np.array([0.0 if row.equality else highspy.kHighsInf for row in self.rows])
        solver.addCols(
            count, cost, lower, np.ones(count), 0, np.zeros(count, np.int32), np.zeros(0, np.int32), np.zeros(0)
        )
        if self.rows:
            solver.addRows(
                len(self.rows),
                np.zeros(len(self.rows)),
                upper,
                len(indices),
                np.array(starts[:-1], np.int32),
                np.array(indices, np.int32),
                np.array(values),
            )
        self._add(solver, self._first())
        return solver

    def _first(self) -> Integers:
        count = len(self.elementals)
        if count <= 1000:
            return np.arange(count)
        e = self.elementals
        single = np.flatnonzero((e.t < 0) & (e.k >= 0))[:FIRST]
        return np.union1d(single, np.arange(0, count, max(1, count // FIRST)))

    def _add(self, solver: Any, numbers: Integers) -> None:
        if not len(numbers):
            return
        e = self.elementals
        columns = np.stack([e.s[numbers], e.t[numbers], e.j[numbers], e.k[numbers]], axis=1)
        signs = np.tile(np.array([1.0, 1.0, -1.0, -1.0]), (len(numbers), 1))
        kept = columns >= 0
        twice = (columns[:, 0] == columns[:, 1]) & kept[:, 0]
        signs[twice, 0] = 2.0
        kept[twice, 1] = False
        starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))[:-1]]).astype(np.int32)
        solver.addRows(
            len(numbers),
            np.zeros(len(numbers)),
            np.full(len(numbers), highspy.kHighsInf),
            int(kept.sum()),
            starts,
            columns[kept].astype(np.int32),
            signs[kept],
        )
        self._loaded.extend(numbers.tolist())

    def _separate(self, point: Floats) -> bool:
        e = self.elementals
        if len(self._loaded) == len(e):
            return False
        h = np.append(point, 0.0)
        slack = h[e.s] + h[e.t] - h[e.j] - h[e.k]
        slack[self._loaded] = 0.0
        violated = np.flatnonzero(slack < -1e-7)
        if not len(violated):
            return False
        most = max(ADDED, len(self.columns))
        if len(violated) > most:
            order = np.argpartition(slack[violated], most)[:most]
            violated = np.sort(violated[order])
        self._add(self._solver, violated)
        return True


def rounded_multipliers(rows: list[Row], target: Row, guesses: list[float]) -> list[Number] | None:
    """Solve ``sum of multipliers * rows = target`` exactly where the multipliers are simple fractions.

    Args:
        rows: The rows.
        target: The target.
        guesses: The multipliers, rounded.

    Returns:
        Exact multipliers, or None if the simple fractions nearby are not a solution.

    Example:
        >>> rounded_multipliers([{1: 1, 2: -1}, {2: 1}], {1: 3}, [3.0000000001, 2.9999999999])
        [3, 3]
    """
    values = np.array(guesses)
    for bottom in DENOMINATORS:
        tops = np.rint(values * bottom)
        if not len(tops) or np.abs(values * bottom - tops).max() > NEAR:
            continue
        found = [int(top) for top in tops.tolist()]
        rest: Row = {column: bottom * value for column, value in target.items()}
        for row, top in zip(rows, found, strict=True):
            add(rest, row, -top)
        return None if rest else [exact(Fraction(top, bottom)) for top in found]
    return None


def exact_multipliers(rows: list[Row], target: Row) -> list[Number] | None:
    """Solve ``sum of multipliers * rows = target`` exactly.

    Args:
        rows: Rows, usually independent.
        target: The target.

    Returns:
        Exact multipliers, or None if there are none.

    Example:
        >>> exact_multipliers([{1: 1, 2: -1}, {2: 1}], {1: 3})
        [Fraction(3, 1), Fraction(3, 1)]
    """
    columns = sorted({c for row in rows for c in row} | set(target), key=str)
    place = {column: i for i, column in enumerate(columns)}
    count = len(rows)
    entries: list[Any] = [0] * (len(columns) * (count + 1))
    for number, row in enumerate([*rows, target]):
        for column, value in row.items():
            entries[place[column] * (count + 1) + number] = _flint(value)
    if not columns:
        return [0] * count
    echelon, rank = flint.fmpq_mat(len(columns), count + 1, entries).rref()
    result: list[Number] = [0] * count
    for i in range(rank):
        pivot = next(j for j in range(count + 1) if echelon[i, j] != 0)
        if pivot == count:
            return None
        exact: Any = echelon[i, count]
        result[pivot] = Fraction(int(exact.p), int(exact.q))
    return result


def _flint(value: Number) -> Any:
    return value if isinstance(value, int) else flint.fmpq(value.numerator, value.denominator)

"""Families of joint tables with smooth parameters, and the gradients of entropies along them.

The outcomes of a mechanism are weighted by products of free conditional probabilities, each a softmax of logits; an
entropy's gradient in the outcomes' probabilities is ``-ln p`` of the cell that they fall into, less one.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from imeasure.certificate.rows import ONE, Column, Number, Row
from imeasure.distribution import Distribution
from imeasure.prove.dag import Dag, bits_of

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Items = tuple[tuple[tuple[Column, Number], ...], ...]
"""The columns and coefficients of rows."""

TINY = 1e-300
"""Added before logarithms, so that ``0 ln 0`` is zero."""


@dataclass(frozen=True, eq=False)
class Mechanism:
    """Outcomes whose probabilities are products of free conditional ones.

    Attributes:
        labels: The value of each variable at each outcome, shape (outcomes, n).
        parts: For each outcome the conditional probabilities that are multiplied, shape (outcomes, parameters), 0 or 1.
        group: For each parameter the conditional distribution it belongs to.
    """

    labels: Integers
    parts: Floats
    group: Integers

    @property
    def size(self) -> int:
        """The number of outcomes."""
        return len(self.labels)

    def is_trivial(self) -> bool:
        """Return whether fewer than two variables vary."""
        return int((self.labels != self.labels[0]).any(axis=0).sum()) < 2

    @cached_property
    def _indicator(self) -> Floats:
        return np.asarray(np.eye(int(self.group.max()) + 1)[self.group])

    def logits(self, generator: np.random.Generator, count: int) -> Floats:
        """Draw starting points: every other one with most probabilities near zero.

        Args:
            generator: Source of randomness.
            count: How many.

        Returns:
            Shape (count, parameters).
        """
        drawn = generator.normal(size=(count, len(self.group)))
        drawn[1::2] *= 3.0
        return drawn

    def conditionals(self, logits: Floats) -> Floats:
        """Return the conditional probabilities at some points, shape (points, parameters)."""
        weights = np.exp(np.clip(logits, -60.0, 60.0))
        return np.asarray(weights / (weights @ self._indicator)[:, self.group])

    def probabilities(self, logits: Floats) -> Floats:
        """Return the outcomes' probabilities at some points, shape (points, outcomes)."""
        return np.asarray(np.exp(np.log(self.conditionals(logits) + TINY) @ self.parts.T))

    def gradients(self, logits: Floats, rows: list[Row]) -> tuple[Floats, Floats]:
        """Return the values of rows and their gradients in the logits.

        Args:
            logits: Points, shape (points, parameters).
            rows: Rows over joint entropies and the constant.

        Returns:
            Shapes (points, rows) and (points, rows, parameters).
        """
        member, weights, constants = self._layout(tuple(tuple(row.items()) for row in rows))
        theta = self.conditionals(logits)
        p = np.exp(np.log(theta + TINY) @ self.parts.T)
        cells = p @ member
        logs = np.log(cells + TINY)
        values = -(cells * logs) @ weights.T + constants
        slopes = -(logs + 1.0)[:, None, :] * weights[None, :, :] @ member.T
        moved = (p[:, None, :] * slopes) @ self.parts
        sums = (moved @ self._indicator)[:, :, self.group]
        return values, moved - theta[:, None, :] * sums

    def entropies(self, logits: Floats, row: Row) -> Floats:
        """Return a row's values at some points."""
        member, weights, constants = self._layout((tuple(row.items()),))
        cells = self.probabilities(logits) @ member
        return np.asarray((-(cells * np.log(cells + TINY)) @ weights.T + constants)[:, 0])

    def _layout(self, rows: Items) -> tuple[Floats, Floats, Floats]:
        """Return which outcomes fall into which cells of the marginals, and each row's coefficients of the cells."""
        if rows not in self._layouts:
            masks = sorted({int(c) for row in rows for c, _ in row if c != ONE})
            columns, owners = [], []
            for mask in masks:
                axes = [i for i in range(self.labels.shape[1]) if mask >> i & 1]
                _, cell = np.unique(self.labels[:, axes], axis=0, return_inverse=True)
                block = np.eye(int(cell.max()) + 1)[cell.ravel()]
                columns.append(block)
                owners += [mask] * block.shape[1]
            weights = np.array([[float(dict(row).get(mask, 0)) for mask in owners] for row in rows])
            constants = np.array([float(dict(row).get(ONE, 0)) for row in rows])
            self._layouts[rows] = (np.concatenate(columns, axis=1), weights, constants)
        return self._layouts[rows]

    @cached_property
    def _layouts(self) -> dict[Items, tuple[Floats, Floats, Floats]]:
        return {}

    def rational(self, logits: Floats, denominator: int) -> list[Fraction] | None:
        """Return the outcomes' probabilities with every conditional one rounded to fractions of a denominator.

        Args:
            logits: One point.
            denominator: The denominator.

        Returns:
            Probabilities that sum to one, or None if a conditional distribution is rounded away.
        """
        counts = np.rint(self.conditionals(logits[None, :])[0] * denominator).astype(np.int64).tolist()
        sums = [0] * (int(self.group.max()) + 1)
        for count, group in zip(counts, self.group.tolist(), strict=True):
            sums[group] += count
        if not all(sums):
            return None
        shares = [Fraction(count, sums[group]) for count, group in zip(counts, self.group.tolist(), strict=True)]
        used = [np.flatnonzero(row).tolist() for row in self.parts]
        return [prod((shares[i] for i in row), start=Fraction(1)) for row in used]

    def table(self, cells: list[Fraction] | list[float], names: tuple[str, ...]) -> Distribution:
        """Return the joint distribution of the variables.

        Args:
            cells: The outcomes' probabilities.
            names: The variables' names.

        Returns:
            The distribution.
        """
        found: dict[tuple[int, ...], Any] = {}
        for label, cell in zip(self.labels.tolist(), cells, strict=True):
            if cell:
                found[tuple(label)] = found.get(tuple(label), 0) + cell
        return Distribution.read(found, names, normalize=isinstance(cells[0], float))


def full(count: int, alphabet: int) -> Mechanism:
    """Return the mechanism of all tables.

    Args:
        count: Number of variables.
        alphabet: Number of values of each.

    Returns:
        The mechanism.

    Example:
        >>> full(3, 2).size
        8
    """
    labels = np.array(list(product(range(alphabet), repeat=count)), dtype=np.int64)
    return Mechanism(labels, np.eye(len(labels)), np.zeros(len(labels), dtype=np.int64))


def factors(dag: Dag, count: int, alphabet: int) -> Mechanism:
    """Return the mechanism of all tables that factorise by a graph.

    Args:
        dag: The graph.
        count: Number of variables.
        alphabet: Number of values of each.

    Returns:
        The mechanism.
    """
    labels = np.array(list(product(range(alphabet), repeat=count)), dtype=np.int64)
    blocks, groups, known = [], [], 0
    for bit in dag.order:
        axes = [b.bit_length() - 1 for b in bits_of(dag.local[bit].parents)]
        _, context = np.unique(labels[:, axes], axis=0, return_inverse=True)
        context = context.ravel() if axes else np.zeros(len(labels), dtype=np.int64)
        blocks.append(np.eye((int(context.max()) + 1) * alphabet)[context * alphabet + labels[:, bit.bit_length() - 1]])
        groups.append(known + np.repeat(np.arange(int(context.max()) + 1), alphabet))
        known += int(context.max()) + 1
    return Mechanism(labels, np.concatenate(blocks, axis=1), np.concatenate(groups))


SHAPES = ((4,), (5,), (6,), (2, 2), (2, 3), (3, 3), (2, 2, 2), (2, 4), (8,))
"""Sizes of the independent roots of random mechanisms."""


def rooted(count: int, number: int, generator: np.random.Generator, dependences: list[tuple[int, int]]) -> Mechanism:
    """Return a random mechanism whose variables are functions of independent roots.

    Args:
        count: Number of variables.
        number: Which shape the roots have.
        generator: Source of randomness.
        dependences: Pairs of variables that are determined, and those that determine them.

    Returns:
        The mechanism.
    """
    shape = SHAPES[number % len(SHAPES)]
    outcomes = np.array(list(product(*map(range, shape))), dtype=np.int64)
    labels = np.stack([_function(outcomes, generator) for _ in range(count)], axis=1)
    for target, source in dependences:
        axes = [b.bit_length() - 1 for b in bits_of(source)]
        for bit in bits_of(target):
            labels[:, bit.bit_length() - 1] = _function(labels[:, axes], generator) if axes else 0
    parts = np.concatenate([np.eye(size)[outcomes[:, root]] for root, size in enumerate(shape)], axis=1)
    return Mechanism(labels, parts, np.repeat(np.arange(len(shape)), shape))


def _function(arguments: Integers, generator: np.random.Generator) -> Integers:
    """Return a random function of some of the arguments, with two or three values."""
    kept = np.flatnonzero(generator.random(arguments.shape[1]) < 0.6)
    kept = kept if len(kept) else generator.integers(0, arguments.shape[1], 1)
    _, cell = np.unique(arguments[:, kept], axis=0, return_inverse=True)
    values = generator.integers(0, int(generator.integers(2, 4)), int(cell.max()) + 1)
    return np.asarray(values[cell.ravel()], dtype=np.int64)

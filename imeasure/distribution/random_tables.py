"""Random exact distributions, unstructured or factorising by a directed acyclic graph.

A table that factorises by a graph obeys all of the graph's d-separations (Pearl, Probabilistic Reasoning in Intelligent
Systems, 1988, ch. 3), so it can test claims that stand on a model. Small denominators keep all sums exact in float64.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from imeasure.distribution.tables import MAX_AXES, MAX_CELLS, MAX_FLOAT_CELLS, Table, from_array, read_names
from imeasure.errors import ConfigError, ModelError, UnknownVariableError, unknown
from imeasure.model import Model


@dataclass(frozen=True)
class Recipe:
    """How a table is drawn.

    Attributes:
        alphabet: Number of values, of all variables or of each.
        exact: Fractions with small denominators rather than floats.
        deterministic: Variables that become functions of their parents, or the probability with which each does.
        denominator: Common denominator of each conditional table's fractions; without a graph, per cell of the table.

    Raises:
        ConfigError: If one of them is out of range.
    """

    alphabet: int | Mapping[str, int]
    exact: bool
    deterministic: float | Collection[str]
    denominator: int

    def __post_init__(self) -> None:
        if not _is_count(self.denominator):
            raise ConfigError(f"denominator must be a whole number of at least 1, not {self.denominator!r}")
        object.__setattr__(self, "denominator", int(self.denominator))  # powers of numpy's integers overflow
        chance = self.deterministic
        if isinstance(chance, float | int) and not 0 <= chance <= 1:
            raise ConfigError(f"deterministic must be names or a probability from 0 to 1, not {chance!r}")

    def shape(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Return the number of values of each variable.

        Args:
            names: The variables.

        Returns:
            One number per name.

        Raises:
            ModelError: If a variable has no values, or the table would be too large.
            UnknownVariableError: If ``alphabet`` names a variable that is not there.
        """
        if isinstance(self.alphabet, Mapping):
            given = {read_names(name)[0]: size for name, size in self.alphabet.items()}
            if missing := [name for name in given if name not in names]:
                raise UnknownVariableError(unknown("variable", missing[0], names))
            sizes = tuple(given.get(name, 2) for name in names)
        else:
            sizes = (self.alphabet,) * len(names)
        if not all(map(_is_count, sizes)):
            raise ModelError(f"every variable needs a whole number of values, at least one value; got {sizes}")
        shape = tuple(map(int, sizes))
        cells, most = math.prod(shape), MAX_CELLS if self.exact else MAX_FLOAT_CELLS
        if cells > most:
            kind, remedy = ("exact ", "exact=False or ") if self.exact else ("", "")
            raise ModelError(
                f"{cells} {kind}cells are too many (at most {most}); take {remedy}fewer variables or values"
            )
        if len(names) > MAX_AXES:
            raise ModelError(f"a table has at most {MAX_AXES} variables, not {len(names)}; take fewer")
        return shape

    def functions(self, names: tuple[str, ...], generator: np.random.Generator) -> Iterator[bool]:
        """Say of each variable in turn whether it becomes a function of its parents.

        Args:
            names: The variables.
            generator: Source of randomness, asked once per variable when it comes to that one.

        Yields:
            Whether it does.

        Raises:
            UnknownVariableError: If ``deterministic`` names a variable that is not there.
        """
        if isinstance(self.deterministic, float | int):
            for _ in names:
                yield bool(generator.random() < self.deterministic)
            return
        chosen = read_names(self.deterministic) if self.deterministic else ()
        if missing := [name for name in chosen if name not in names]:
            raise UnknownVariableError(unknown("variable", missing[0], names))
        yield from (name in chosen for name in names)


def generator_of(seed: Any) -> np.random.Generator:
    """Return a generator of random numbers.

    Args:
        seed: A whole number of at least zero, or a generator.

    Returns:
        The generator.

    Raises:
        ConfigError: If it is neither.
    """
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise ConfigError(f"a seed is a whole number of at least 0 or a numpy generator, not {seed!r}") from None


def draw(variables: Any, recipe: Recipe, generator: np.random.Generator) -> Table:
    """Draw a table, by a graph if there is one.

    Args:
        variables: Names; a graph as text, as ``networkx.DiGraph``, or a model with or without a graph.
        recipe: How.
        generator: Source of randomness.

    Returns:
        The table.

    Raises:
        ConfigError: If there is no graph by which a variable could be deterministic.
        ModelError: If the graph has a directed cycle.
        UnknownVariableError: If the recipe names a variable that is not there.
    """
    if isinstance(variables, str) and ("->" in variables or "→" in variables):
        variables = Model(variables)
    if isinstance(variables, Model):
        variables = variables.digraph() if variables.nodes else variables.variables
    if hasattr(variables, "predecessors"):
        return random_factored_table(variables, recipe, generator)
    if recipe.deterministic:
        raise ConfigError("deterministic makes variables functions of their parents; give a graph such as 'X -> Z'")
    return random_table(variables, recipe, generator)


def random_table(names: Any, recipe: Recipe, generator: np.random.Generator) -> Table:
    """Draw a table without structure: uniform over the simplex, or over its lattice points.

    Args:
        names: The variables.
        recipe: How.
        generator: Source of randomness.

    Returns:
        The table.

    Raises:
        UnknownVariableError: If the recipe names a variable that is not there.
    """
    labels = read_names(names)
    shape = recipe.shape(labels)
    cells = math.prod(shape)
    if not recipe.exact:
        return from_array(generator.dirichlet(np.ones(cells)).reshape(shape), labels)
    total = recipe.denominator * cells
    return from_array(_fractions(_composition(total, cells, 1, generator)[0].reshape(shape), total), labels)


def random_factored_table(graph: Any, recipe: Recipe, generator: np.random.Generator) -> Table:
    """Draw conditional tables for the nodes of a graph and multiply them.

    Args:
        graph: ``networkx.DiGraph`` whose nodes are names.
        recipe: How.
        generator: Source of randomness.

    Returns:
        The table, axes in the order of the graph's nodes.

    Raises:
        ModelError: If the graph has a directed cycle.
        UnknownVariableError: If the recipe names a variable that is not there.
    """
    if not nx.is_directed_acyclic_graph(graph):
        raise ModelError("the graph must be a directed acyclic graph; remove the cycle or direct the edges")
    nodes = list(graph.nodes)
    labels = read_names([str(node) for node in nodes])
    shape = recipe.shape(labels)
    total = recipe.denominator ** len(nodes)
    dtype = np.int64 if total < 2**62 else object
    joint: NDArray[Any] = np.ones((1,) * len(nodes), dtype=dtype if recipe.exact else np.float64)
    for axis, is_function in enumerate(recipe.functions(labels, generator)):
        parents = sorted(nodes.index(parent) for parent in graph.predecessors(nodes[axis]))
        rows = math.prod(shape[parent] for parent in parents)
        size = shape[axis]
        table: NDArray[Any]
        if is_function:
            table = np.eye(size, dtype=np.int64)[generator.integers(size, size=rows)] * recipe.denominator
        elif recipe.exact:
            table = _composition(recipe.denominator, size, rows, generator)
        else:
            table = generator.dirichlet(np.ones(size), size=rows) * recipe.denominator
        axes = [*parents, axis]
        factor = table.reshape([shape[i] for i in axes]).transpose(np.argsort(axes))
        joint = joint * factor.reshape([shape[i] if i in axes else 1 for i in range(len(nodes))])
    return from_array(_fractions(joint, total) if recipe.exact else joint / total, labels)


def _is_count(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and int(number) >= 1


def _composition(total: int, parts: int, rows: int, generator: np.random.Generator) -> NDArray[Any]:
    """Rows of non-negative integers with a given sum, uniform over all such rows (stars and bars)."""
    scores = generator.random((rows, total + parts - 1))
    bars = np.sort(np.argsort(scores, axis=1)[:, : parts - 1], axis=1)
    edges = np.hstack([np.full((rows, 1), -1), bars, np.full((rows, 1), total + parts - 1)])
    return np.asarray(np.diff(edges, axis=1) - 1)


def _fractions(counts: NDArray[Any], total: int) -> NDArray[Any]:
    return np.asarray(np.frompyfunc(lambda count: Fraction(int(count), total), 1, 1)(counts))

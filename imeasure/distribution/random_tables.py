"""Random exact distributions, unstructured or factorising by a directed acyclic graph.

A table that factorises by a graph obeys all of the graph's d-separations (Pearl, Probabilistic Reasoning in Intelligent
Systems, 1988, ch. 3), so it can test claims that stand on a model. Small denominators keep all sums exact in float64.
"""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from imeasure.distribution.tables import Table, from_array, read_names
from imeasure.errors import ModelError, UnknownVariableError, unknown
from imeasure.model import Model


def draw(
    variables: Any,
    alphabet: int | Mapping[str, int],
    generator: np.random.Generator,
    *,
    exact: bool,
    deterministic: float | Collection[str],
    denominator: int,
) -> Table:
    """Draw a table, by a graph if there is one.

    Args:
        variables: Names; a graph as text, as ``networkx.DiGraph``, or a model with or without a graph.
        alphabet: Number of values, of all variables or of each.
        generator: Source of randomness.
        exact: Fractions rather than floats.
        deterministic: As in :func:`random_factored_table`.
        denominator: As in the functions below.

    Returns:
        The table.

    Raises:
        ModelError: If the graph has a directed cycle.
        UnknownVariableError: If an option names a variable that is not there.
    """
    if isinstance(variables, str) and ("->" in variables or "→" in variables):
        variables = Model(variables)
    if isinstance(variables, Model):
        variables = variables.digraph() if variables.nodes else variables.variables
    if hasattr(variables, "predecessors"):
        return random_factored_table(
            variables, alphabet, generator, exact=exact, deterministic=deterministic, denominator=denominator
        )
    return random_table(variables, alphabet, generator, exact=exact, denominator=denominator)


def random_table(
    names: str | Sequence[str],
    alphabet: int | Mapping[str, int],
    generator: np.random.Generator,
    *,
    exact: bool,
    denominator: int,
) -> Table:
    """Draw a table without structure: uniform over the simplex, or over its lattice points.

    Args:
        names: The variables.
        alphabet: Number of values, of all variables or of each.
        generator: Source of randomness.
        exact: Fractions rather than floats.
        denominator: Common denominator per variable, of the fractions.

    Returns:
        The table.

    Raises:
        UnknownVariableError: If ``alphabet`` names a variable that is not there.
    """
    labels = read_names(names)
    shape = _shape(labels, alphabet)
    cells = int(np.prod(shape))
    if not exact:
        return from_array(generator.dirichlet(np.ones(cells)).reshape(shape), labels)
    total = denominator * cells
    return from_array(_fractions(_composition(total, cells, 1, generator)[0].reshape(shape), total), labels)


def random_factored_table(
    graph: Any,
    alphabet: int | Mapping[str, int],
    generator: np.random.Generator,
    *,
    exact: bool,
    deterministic: float | Collection[str],
    denominator: int,
) -> Table:
    """Draw conditional tables for the nodes of a graph and multiply them.

    Args:
        graph: ``networkx.DiGraph`` whose nodes are names.
        alphabet: Number of values, of all variables or of each.
        generator: Source of randomness.
        exact: Fractions rather than floats.
        deterministic: Variables that become functions of their parents, or the probability with which each does.
        denominator: Common denominator of each conditional table.

    Returns:
        The table, axes in the order of the graph's nodes.

    Raises:
        ModelError: If the graph has a directed cycle.
        UnknownVariableError: If ``alphabet`` or ``deterministic`` names a variable that is not there.
    """
    if not nx.is_directed_acyclic_graph(graph):
        raise ModelError("the graph must be a directed acyclic graph; remove the cycle or direct the edges")
    nodes = list(graph.nodes)
    labels = read_names([str(node) for node in nodes])
    shape = _shape(labels, alphabet)
    if not isinstance(deterministic, float | int) and (missing := [v for v in deterministic if v not in labels]):
        raise UnknownVariableError(unknown("variable", missing[0], labels))
    total = denominator ** len(nodes)
    dtype = np.int64 if total < 2**62 else object
    joint: NDArray[Any] = np.ones((1,) * len(nodes), dtype=dtype if exact else np.float64)
    for axis, node in enumerate(nodes):
        parents = sorted(nodes.index(parent) for parent in graph.predecessors(node))
        rows = int(np.prod([shape[parent] for parent in parents]))
        size = shape[axis]
        table: NDArray[Any]
        if _is_deterministic(labels[axis], deterministic, generator):
            table = np.eye(size, dtype=np.int64)[generator.integers(size, size=rows)] * denominator
        elif exact:
            table = _composition(denominator, size, rows, generator)
        else:
            table = generator.dirichlet(np.ones(size), size=rows) * denominator
        axes = [*parents, axis]
        order = np.argsort(axes)
        factor = table.reshape([shape[i] for i in axes]).transpose(order)
        joint = joint * factor.reshape([shape[i] if i in axes else 1 for i in range(len(nodes))])
    return from_array(_fractions(joint, total) if exact else joint / total, labels)


def _shape(names: tuple[str, ...], alphabet: int | Mapping[str, int]) -> tuple[int, ...]:
    if isinstance(alphabet, Mapping):
        if missing := [name for name in alphabet if name not in names]:
            raise UnknownVariableError(unknown("variable", missing[0], names))
        sizes = tuple(alphabet.get(name, 2) for name in names)
    else:
        sizes = (alphabet,) * len(names)
    if min(sizes, default=1) < 1:
        raise ModelError(f"every variable needs at least one value, got alphabets {sizes}")
    return sizes


def _composition(total: int, parts: int, rows: int, generator: np.random.Generator) -> NDArray[Any]:
    """Rows of non-negative integers with a given sum, uniform over all such rows (stars and bars)."""
    scores = generator.random((rows, total + parts - 1))
    bars = np.sort(np.argsort(scores, axis=1)[:, : parts - 1], axis=1)
    edges = np.hstack([np.full((rows, 1), -1), bars, np.full((rows, 1), total + parts - 1)])
    return np.asarray(np.diff(edges, axis=1) - 1)


def _is_deterministic(name: str, deterministic: float | Collection[str], generator: np.random.Generator) -> bool:
    if isinstance(deterministic, float | int):
        return bool(generator.random() < deterministic)
    return name in deterministic


def _fractions(counts: NDArray[Any], total: int) -> NDArray[Any]:
    return np.asarray(np.frompyfunc(lambda count: Fraction(int(count), total), 1, 1)(counts))

"""Markov chains: recognising one, and knowing its atoms without working them out.

In a Markov chain an atom has a measure only if its variables are neighbours in the chain (T. Kawabata and R. W. Yeung,
The Structure of the I-Measure of a Markov Chain, 1992), so longer chains can be drawn than other sets.
"""

from collections.abc import Sequence

import networkx as nx

from imeasure.model import Model


def chain_order(graph: nx.DiGraph | None) -> tuple[str, ...] | None:
    """Return the order of a graph that says exactly a Markov chain.

    Args:
        graph: A directed acyclic graph, or None.

    Returns:
        The nodes from one end to the other; None if the graph is no path, or has a node with two parents.

    Example:
        >>> chain_order(nx.DiGraph([("X", "Y"), ("X", "Z")]))
        ('Y', 'X', 'Z')
    """
    if graph is None or len(graph) < 2 or not nx.is_weakly_connected(graph):
        return None
    neighbours = graph.to_undirected()
    degrees = dict(neighbours.degree())
    ends = sorted(str(node) for node, degree in degrees.items() if degree == 1)
    if len(ends) != 2 or max(degrees.values()) > 2 or max(dict(graph.in_degree()).values()) > 1:
        return None
    path = nx.shortest_path(neighbours, *ends)
    forward = graph.has_edge(path[0], path[1]) or not graph.has_edge(path[-1], path[-2])
    return tuple(path if forward else path[::-1])


def interval_atoms(order: Sequence[int]) -> frozenset[int]:
    """Return the atoms that a Markov chain leaves.

    Args:
        order: Bits of the variables along the chain.

    Returns:
        Bitmasks of runs of neighbours.

    Example:
        >>> sorted(interval_atoms([0, 1, 2]))
        [1, 2, 3, 4, 6, 7]
    """
    runs = (order[start:stop] for start in range(len(order)) for stop in range(start + 1, len(order) + 1))
    return frozenset(sum(1 << bit for bit in run) for run in runs)


def chain_of(model: Model, names: Sequence[str]) -> list[int] | None:
    """Return the order of the variables if a model says that they form a Markov chain, and nothing else.

    Args:
        model: The model.
        names: The variables of a picture.

    Returns:
        Their bits along the chain, or None.

    Example:
        >>> chain_of(Model("Y -> X -> Z"), ["X", "Y", "Z"])
        [1, 0, 2]
    """
    order = chain_order(model.digraph()) if model.nodes and not model.assumptions else None
    return None if order is None or set(order) != set(names) else [names.index(name) for name in order]

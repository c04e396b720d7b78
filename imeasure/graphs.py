"""Directed acyclic graphs as models: reading them, and the conditional independences that d-separation gives.

J. Pearl, "Probabilistic Reasoning in Intelligent Systems", 1988. The graphs themselves are networkx's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise, product

import networkx as nx

from imeasure.errors import ModelError, ParseError
from imeasure.measure import members
from imeasure.names import natural_key
from imeasure.parser import parse
from imeasure.quantities import RandomVariable
from imeasure.shannon import Elemental, elementals
from imeasure.statements import Constraint

BOTH_WAYS = ("<->", "↔", "\\leftrightarrow")
"""Arrows that a graph cannot have."""


def read_graph(graph: str | nx.DiGraph | None) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the nodes and edges of a graph.

    Args:
        graph: Text such as ``"Y -> X -> Z; W -> Z"``, a ``networkx.DiGraph``, or None.

    Returns:
        Nodes in natural order, and edges in order.

    Raises:
        ParseError: If the text is not in the language.
        ModelError: If the graph is empty or has a cycle, or an arrow points both ways.

    Example:
        >>> read_graph("Y -> X -> Z")
        (('X', 'Y', 'Z'), (('X', 'Z'), ('Y', 'X')))
    """
    if graph is None:
        return (), ()
    digraph = nx.DiGraph()
    if isinstance(graph, str):
        for part in re.split(r"[;\n]", graph):
            if not part.strip():
                continue
            if any(arrow in part for arrow in BOTH_WAYS):
                raise ModelError(
                    f"'{part.strip()}' says no direction; a graph has arrows 'X -> Y', or a common cause "
                    "'U -> X; U -> Y'. A Markov chain that is read both ways is a fact: assume=['X <-> Y <-> Z']"
                )
            if "->" not in part and "→" not in part and "\\to" not in part:
                digraph.add_nodes_from(RandomVariable(name.strip()).name for name in part.split(","))
                continue
            chain = parse(part)
            if not isinstance(chain, Constraint):
                raise ParseError("a graph consists of chains such as 'Y -> X -> Z', separated by ';'", graph, 0)
            for sources, targets in pairwise(chain.groups):
                digraph.add_edges_from((a.name, b.name) for a, b in product(sources, targets))
    elif isinstance(graph, nx.DiGraph):
        digraph.add_nodes_from(RandomVariable(str(node)).name for node in graph)
        digraph.add_edges_from((RandomVariable(str(a)).name, RandomVariable(str(b)).name) for a, b in graph.edges)
    else:
        raise ModelError(f"a graph is text such as 'Y -> X -> Z' or a networkx.DiGraph, not {type(graph).__name__}")
    if not nx.is_directed_acyclic_graph(digraph):
        cycle = [source for source, _ in nx.find_cycle(digraph)]
        raise ModelError(f"the graph has a cycle: {' -> '.join([*cycle, cycle[0]])}")
    if not digraph:
        raise ModelError("the graph is empty; expected chains such as 'Y -> X -> Z'")
    return tuple(sorted(digraph, key=natural_key)), tuple(sorted(digraph.edges))


@lru_cache(maxsize=256)
def separations(
    nodes: tuple[str, ...], edges: tuple[tuple[str, str], ...], among: tuple[str, ...] | None = None
) -> tuple[Elemental, ...]:
    """Return the elemental informations that d-separation makes zero.

    Args:
        nodes: The graph's nodes.
        edges: Its edges.
        among: The nodes that the informations are of, by default all; bit i stands for ``among[i]``.

    Returns:
        Every d-separated ``I(i;j|K)``.

    Example:
        >>> [e.quantity(("X", "Y", "Z")) for e in separations(("X", "Y", "Z"), (("Y", "X"), ("X", "Z")))]
        [I[Y;Z|X]]
    """
    graph = nx.DiGraph(list(edges))
    graph.add_nodes_from(nodes)
    named = nodes if among is None else among
    return tuple(
        Elemental(i, j, given)
        for i, j, given in elementals(len(named))
        if i != j and nx.is_d_separator(graph, {named[i]}, {named[j]}, set(members(given, named)))
    )


def uninfluenced(graph: nx.DiGraph, names: Iterable[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return for each name that has descendants the other nodes, which are no descendants of it.

    Args:
        graph: A directed acyclic graph.
        names: Variables; those that are no nodes are left out.

    Example:
        >>> uninfluenced(nx.DiGraph([("Y", "X"), ("X", "Z"), ("Z", "Yhat")]), ["Z", "Yhat"])
        (('Z', ('X', 'Y')),)
    """
    behind = {name: nx.descendants(graph, name) for name in names if name in graph}
    return tuple(
        (name, tuple(sorted(set(graph) - below - {name}, key=natural_key))) for name, below in behind.items() if below
    )

"""Models: what is known about the variables, and the exact normal form of an expression modulo that knowledge.

A directed acyclic graph contributes its d-separated elemental informations (J. Pearl, "Probabilistic Reasoning in
Intelligent Systems", 1988), an assumption its linear equation. :meth:`Model.reduce` eliminates them exactly over the
integers with python-flint; two expressions are equal under the model's equations if and only if their normal forms are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import networkx as nx
import sympy

from imeasure.coordinates import Space
from imeasure.elimination import Column, column_quantity
from imeasure.equations import Known
from imeasure.errors import ModelError, UndefinedQuantityError, UnknownVariableError, unknown
from imeasure.facts import Kind, read_assumption, read_fixed, read_kinds, read_ranges, statement_variables
from imeasure.graphs import read_graph, uninfluenced
from imeasure.measure import EntropyForm, atom, entropy_form, mask_of
from imeasure.names import natural_key
from imeasure.quantities import Information, RandomVariable
from imeasure.statements import Constraint, Relation
from imeasure.terms import Terms, as_expression, exact_terms, variables_of

MAX_VARIABLES = 8
"""Most variables among which facts are eliminated."""


@dataclass(frozen=True, init=False)
class Model:
    """What is known about the variables of an expression.

    Args:
        graph: Text (``"Y -> X -> Z -> Yhat; X, W -> Z"``: chains separated by ``;``, groups by ``,``) or a
            ``networkx.DiGraph`` whose nodes are names. Its facts are those of d-separation: variables without a
            common ancestor are independent.
        fixed: Variables whose joint law is data, so that measures of them alone are constants; or quantities (text or
            sympy) that are constants, such as ``"H[Z|X]"`` for fixed independent noise.
        assume: Relations (text or :class:`Relation`), Markov chains and independences.
        kinds: Kind of each variable: ``"discrete"`` (default), ``"continuous"``, ``"noisy"``, ``"noiseless"``.
        ranges: For each parameter the sympy set of its values, or a pair of ends of an open interval.
        functionals: Names of functionals beyond ``CE`` and ``KL`` that the assumptions use, such as ``LogVar``.

    Raises:
        ParseError: If a text is not in the language.
        ModelError: If the graph has a cycle, a kind is unknown, a range is empty, or the facts contradict each other.

    Example:
        >>> model = Model("Y -> X -> Z", fixed=("X", "Y"))
        >>> model.reduce("I[X;Z] - I[X;Z|Y]")
        I[X;Y;Z]
        >>> model.reduce("I[Y;Z|X]")
        0
    """

    edges: tuple[tuple[str, str], ...]
    nodes: tuple[str, ...]
    fixed: tuple[str, ...]
    constants: tuple[sympy.Expr, ...]
    assumptions: tuple[Relation | Constraint, ...]
    kinds: tuple[tuple[str, Kind], ...]
    ranges: tuple[tuple[sympy.Symbol, sympy.Set], ...]
    functionals: tuple[str, ...]

    def __init__(
        self,
        graph: str | nx.DiGraph | None = None,
        *,
        fixed: Iterable[str | RandomVariable | sympy.Expr] = (),
        assume: Iterable[str | Relation | Constraint] = (),
        kinds: Mapping[str, str] | None = None,
        ranges: Mapping[str | sympy.Symbol, sympy.Set | tuple[Any, Any]] | None = None,
        functionals: Iterable[str] = (),
    ) -> None:
        declared, assumed = tuple(sorted(functionals)), [assume] if isinstance(assume, str) else assume
        nodes, edges = read_graph(graph)
        names, constants = read_fixed(fixed)
        fields = {
            "edges": edges,
            "nodes": nodes,
            "fixed": names,
            "constants": constants,
            "assumptions": tuple(read_assumption(fact, declared) for fact in assumed),
            "kinds": read_kinds(kinds or {}),
            "ranges": read_ranges(ranges or {}),
            "functionals": declared,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        if nodes:
            for name in (*names, *dict(self.kinds), *self._mentioned()):
                self.require(name)

    def _mentioned(self) -> Iterator[str]:
        for fact in self.assumptions:
            yield from statement_variables(fact)
        for constant in self.constants:
            yield from variables_of(constant)

    def require(self, name: str) -> None:
        """Refuse a variable that the model's graph does not have.

        Args:
            name: A variable's name.

        Raises:
            UnknownVariableError: If the model has a graph and the name is not in it.
        """
        if self.nodes and name not in self.nodes:
            graph = f"{name if name.isidentifier() and len(name) <= 20 else 'W'} -> X -> Z"
            raise UnknownVariableError(
                f"{unknown('variable', name, self.nodes)}; a variable is declared by the graph, as in model='{graph}'"
            )

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of all variables the model speaks of, in natural order."""
        if self.nodes:
            return self.nodes
        return tuple(sorted({*self.fixed, *dict(self.kinds), *self._mentioned()}, key=natural_key))

    def covering(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the model's variables together with those of a statement.

        Args:
            names: The statement's variables.

        Returns:
            All names in natural order.

        Raises:
            UnknownVariableError: If the model has a graph and a name is not in it.
        """
        for name in names:
            self.require(name)
        return tuple(sorted({*self.variables, *names}, key=natural_key))

    def kind(self, name: str) -> Kind:
        """Return the kind of a variable, ``"discrete"`` unless said otherwise."""
        return dict(self.kinds).get(name, "discrete")

    def digraph(self) -> nx.DiGraph:
        """Return the graph as a new ``networkx.DiGraph``."""
        graph = nx.DiGraph()
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from(self.edges)
        return graph

    def separated(self, left: Iterable[str], right: Iterable[str], given: Iterable[str] = ()) -> bool:
        """Return whether the graph separates two groups of variables given a third (d-separation).

        Args:
            left: Names of the first group.
            right: Names of the second group.
            given: Names of the condition; the three are disjoint.

        Returns:
            Whether they are separated; False without a graph.

        Example:
            >>> Model("Y -> X -> Z").separated(["Y"], ["Z"], ["X"])
            True
        """
        return bool(self.nodes) and bool(nx.is_d_separator(self.digraph(), set(left), set(right), set(given)))

    def assuming(self, given: Iterable[str | Relation | Constraint]) -> Model:
        """Return the model with more assumptions.

        Args:
            given: Equations, Markov chains and independences, as text or objects.

        Returns:
            A new model.

        Raises:
            ParseError: If a text is not in the language.
            UnknownVariableError: If the model has a graph and a variable is not in it.
        """
        facts = [given] if isinstance(given, str) else list(given)
        return Model(
            self.digraph() if self.nodes else None,
            fixed=(*self.fixed, *self.constants),
            assume=(*self.assumptions, *facts),
            kinds=dict(self.kinds),
            ranges=dict(self.ranges),
            functionals=self.functionals,
        )

    def range(self, parameter: sympy.Symbol) -> sympy.Set:
        """Return the values a parameter may take.

        Args:
            parameter: The parameter's symbol.

        Returns:
            A sympy set, the real numbers unless said otherwise.
        """
        return dict(self.ranges).get(parameter, sympy.S.Reals)

    def reduce(self, expression: sympy.Expr | str) -> sympy.Expr:
        """Return the normal form of an expression: a sum of atoms that no equation of the model reduces further.

        The normal form is unique: two expressions have the same one if and only if the model's equations make them
        equal. A vanishing information or entropy contributes every elemental that vanishes with it, and assumptions
        contribute the equalities that they force by squeezing inequalities together. A model of more than eight
        variables is reduced over those that bear on the expression's, or, where these are too many and nothing is
        assumed beside the graph, over the expression's own variables and what the graph separates among them.

        Args:
            expression: A sympy expression or text.

        Returns:
            The normal form, over all variables of the model if they are at most eight.

        Raises:
            ParseError: If the text is not in the language.
            NonlinearError: If the expression is not linear in its quantities.
            UnknownVariableError: If the model has a graph and a variable is not in it.
            UndefinedQuantityError: If a quantity has no value under the model.
            ModelError: If there are too many variables, or the model contradicts itself.

        Example:
            >>> Model("Y -> X -> Z").reduce("H[Z]")
            H[Z|X,Y] + I[X;Z|Y] + I[X;Y;Z]
        """
        expression = as_expression(expression)
        names = self._involved(variables_of(expression))
        coordinates, terms = self.coordinates(expression, names)
        return sympy.Add(
            *(terms.coefficient(value) * column_quantity(column, names) for column, value in coordinates.items())
        )

    def coordinates(
        self, expression: sympy.Expr | str, names: tuple[str, ...] | None = None
    ) -> tuple[dict[Column, Any], Terms]:
        """Return the normal form as exact coefficients of atoms (bitmask), functionals, and the constant (None).

        Args:
            expression: A sympy expression or text.
            names: The variables to use, at least those of the model and the expression.

        Returns:
            Coefficients, zeros left out, and the terms whose coefficients they are sums of.

        Raises:
            InformationError: As :meth:`reduce`.
        """
        expression = as_expression(expression)
        names = self._involved(variables_of(expression)) if names is None else names
        self.require_defined(expression)
        terms = exact_terms(expression)
        return _space(self, names).coordinates(terms), terms

    def _involved(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the variables over which an expression is reduced: the model's, or if too many those that matter."""
        everything = self.covering(names)
        if len(everything) <= MAX_VARIABLES or not (self.nodes or self.assumptions):
            return everything
        relevant = self.known.relevant(names)
        if len(relevant) > MAX_VARIABLES and not self.assumptions:
            relevant = names
        return tuple(sorted(relevant, key=natural_key))

    @property
    def floors(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Noisy variables that influence others, each with the variables that it does not influence.

        Given the latter, the noise keeps its entropy, so the variable's is at least zero. What the variable influences
        may tell of the noise itself, so given that nothing is known.

        Example:
            >>> Model("Y -> X -> Z -> Yhat", kinds={"Z": "noisy"}).floors
            (('Z', ('X', 'Y')),)
        """
        return uninfluenced(self.digraph(), [name for name, kind in self.kinds if kind == "noisy"])

    @property
    def known(self) -> Known:
        """What the model says of entropies."""
        kinds = {name: kind for name, kind in self.kinds if kind != "discrete"}
        return Known(self.nodes, self.edges, self.assumptions, kinds, dict(self.floors))

    def require_defined(self, expression: sympy.Expr) -> None:
        """Refuse quantities that have no finite value because a continuous variable is a noiseless map of another.

        Args:
            expression: A sympy expression.

        Raises:
            UndefinedQuantityError: Naming the quantity, the reason and the remedy.
        """
        for name, kind in self.kinds:
            if kind != "noiseless":
                continue
            parents = tuple(source for source, target in self.edges if target == name)
            for quantity in sorted(expression.atoms(Information), key=str):
                form = entropy_form(quantity, self.covering(variables_of(quantity)))
                together = mask_of((name, *parents), {n: i for i, n in enumerate(form.names)})
                if sum(value for mask, value in form.terms.items() if mask & together == together):
                    raise UndefinedQuantityError(
                        f"{quantity} has no finite value: {name} is continuous and a noiseless map of "
                        f"{', '.join(parents)}. Add independent noise to {name}: its kind is then 'noisy' "
                        "(latent='noisy' in supervised learning)"
                    )

    def vanishing_atoms(self, names: tuple[str, ...] | None = None) -> tuple[Information, ...]:
        """Return the atoms that the model's equations make zero.

        Args:
            names: The variables whose atoms are meant, by default the model's.

        Returns:
            The atoms as quantities.

        Example:
            >>> Model("Y -> X -> Z").vanishing_atoms()
            (I[Y;Z|X],)
        """
        names = self.variables if names is None else self.covering(names)
        rows = _space(self, names).rows
        return tuple(atom(mask, names) for mask in range(1, 1 << len(names)) if rows.get(mask) == ())

    def equations(self, names: tuple[str, ...]) -> tuple[tuple[str, EntropyForm], ...]:
        """Return the model's equations over some variables: name and form of each expression that is zero.

        Args:
            names: The variables, at least the model's.

        Returns:
            Pairs of a readable name and the entropy form that vanishes.
        """
        return tuple(self.known.equations(names))

    def __str__(self) -> str:
        joined = {name for edge in self.edges for name in edge}
        parts = [f"{a} -> {b}" for a, b in self.edges] + [name for name in self.nodes if name not in joined]
        fixed = [*self.fixed, *map(str, self.constants)]
        parts += [f"fixed: {', '.join(fixed)}"] if fixed else []
        parts += [f"assuming {', '.join(map(str, self.assumptions))}"] if self.assumptions else []
        parts += [f"{name} {kind}" for name, kind in self.kinds if kind != "discrete"]
        parts += [f"{symbol} in {values}" for symbol, values in self.ranges]
        return "; ".join(parts) or "no facts"


@lru_cache(maxsize=256)
def _space(model: Model, names: tuple[str, ...]) -> Space:
    if not (model.nodes or model.assumptions):
        return Space(names, {})
    if len(names) > MAX_VARIABLES:
        raise ModelError(
            f"facts are eliminated among up to {MAX_VARIABLES} variables, and {len(names)} are involved here: "
            f"{', '.join(names)}; ask about fewer of them, or prove relations with check"
        )
    return Space(names, model.known.rows(names))

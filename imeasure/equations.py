"""What a model's graph and assumptions say of entropies, as equations and inequalities over some variables.

A graph gives its d-separated elemental informations, a vanishing quantity every elemental that vanishes with it, and
inequalities that squeeze each other further equations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy

from imeasure.elimination import Rows, columns_of, eliminate, substitute
from imeasure.errors import ModelError
from imeasure.facts import Kind, statement_variables
from imeasure.graphs import separations
from imeasure.measure import EntropyForm, entropy_form, mask_of
from imeasure.quantities import Functional, Information
from imeasure.shannon import Elemental, bits, elementals, vanishing_entropy, vanishing_information
from imeasure.squeeze import forced
from imeasure.statements import Constraint, Relation


@dataclass(frozen=True)
class Known:
    """What is known of some variables.

    Attributes:
        nodes: The nodes of a graph.
        edges: Its edges.
        assumptions: Relations and constraints.
        kinds: Kinds of variables that are not discrete.
        floors: For noisy variables that influence others, the variables they do not influence: given these alone, the
            entropy is at least zero.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    assumptions: tuple[Relation | Constraint, ...]
    kinds: Mapping[str, Kind]
    floors: Mapping[str, tuple[str, ...]]

    def equations(self, names: tuple[str, ...]) -> Iterator[tuple[str, EntropyForm]]:
        """Yield what the graph and the assumptions make zero, without what inequalities force.

        Args:
            names: Variables; what is known of others is left out.

        Yields:
            A readable name and the form that vanishes.
        """
        index = {name: i for i, name in enumerate(names)}
        among = tuple(node for node in self.nodes if node in index)
        places = [index[node] for node in among]
        for elemental in separations(self.nodes, self.edges, among):
            moved = {_moved(mask, places): value for mask, value in elemental.entropies().items()}
            yield f"{elemental.quantity(among)} = 0", EntropyForm(names, moved, {}, 0)
        for fact in self._inside(names):
            if isinstance(fact, Constraint):
                expressions = fact.vanishing()
            else:
                equations = (link for link in fact.links() if link.operators == ("=",))
                expressions = tuple(link.expressions[0] - link.expressions[1] for link in equations)
            for expression in expressions:
                yield str(fact), entropy_form(expression, names)
                for elemental in self._vanishing_with(expression, index):
                    yield str(fact), EntropyForm(names, elemental.entropies(), {}, 0)

    def inequalities(self, names: tuple[str, ...]) -> Iterator[tuple[str, EntropyForm]]:
        """Yield what is at least zero: elementals, divergences, assumptions, and the constant 1.

        Args:
            names: Variables; what is known of others is left out.

        Yields:
            A readable name and the form.
        """
        yield "1", EntropyForm(names, {}, {}, 1)
        for e in elementals(len(names)):
            may_be_negative = self.kinds.get(names[e.i]) in ("continuous", "noiseless") or names[e.i] in self.floors
            if e.i != e.j or not may_be_negative:
                yield f"{e.quantity(names)}", EntropyForm(names, e.entropies(), {}, 0)
        index = {name: i for i, name in enumerate(names)}
        for name, others in self.floors.items():
            if name in index:
                given = mask_of([other for other in others if other in index], index)
                terms = {given | 1 << index[name]: 1, **({given: -1} if given else {})}
                yield f"H of {name} given what it does not influence", EntropyForm(names, terms, {}, 0)
        functionals: dict[Functional, None] = {}
        for fact in self._inside(names):
            if isinstance(fact, Constraint):
                continue
            for link in fact.links():
                left, right = link.expressions
                form = entropy_form(right - left if link.operators == ("<=",) else left - right, names)
                functionals.update(dict.fromkeys(form.functionals))
                if link.operators != ("=",):
                    yield str(fact), form
        for functional in functionals:
            if functional.name == "KL":
                yield str(functional), EntropyForm(names, {}, {functional: 1}, 0)

    def rows(self, names: tuple[str, ...]) -> Rows:
        """Return everything that vanishes, in echelon form.

        Args:
            names: Variables; what is known of others is left out.

        Returns:
            For each eliminated coordinate the rest of its row.

        Raises:
            ModelError: If the facts contradict each other, or a coefficient is a parameter.
        """
        own = list(self.equations(names))
        rows = eliminate(own, len(names))
        if not self._inside(names):
            return rows
        listed = list(self.inequalities(names))
        for text, form in listed:
            if form.domain is not None:
                raise ModelError(f"'{text}' has a parameter as coefficient; a model's facts have rational ones")
        squeezed = forced([substitute(columns_of(form), rows) for _, form in listed])
        if 0 in squeezed:
            facts = ", ".join(dict.fromkeys(str(fact) for fact in self.assumptions))
            raise ModelError(f"the facts contradict each other: {facts}")
        more = [(f"{listed[i][0]} = 0", listed[i][1]) for i in squeezed if substitute(columns_of(listed[i][1]), rows)]
        return eliminate([*own, *more], len(names)) if more else rows

    def relevant(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the variables that bear on some others: ancestors, and what assumptions link with them.

        All others can be drawn afterwards, whatever the distribution of these.

        Args:
            names: Variables.

        Returns:
            The variables and those that bear on them, in the order of first appearance.
        """
        kept = self._ancestors(names)
        groups = [self._ancestors(statement_variables(fact)) for fact in self.assumptions]
        grown = True
        while grown:
            linked = {name: None for group in groups if group.keys() & kept.keys() for name in group}
            grown = not linked.keys() <= kept.keys()
            kept |= linked
        return tuple(kept)

    def _ancestors(self, names: tuple[str, ...]) -> dict[str, None]:
        kept = dict.fromkeys(names)
        for name in (found := list(names)):
            for source, target in self.edges:
                if target == name and source not in kept:
                    kept[source] = None
                    found.append(source)
        return kept

    def _inside(self, names: tuple[str, ...]) -> list[Relation | Constraint]:
        return [fact for fact in self.assumptions if set(statement_variables(fact)) <= set(names)]

    def _vanishing_with(self, expression: sympy.Expr, index: Mapping[str, int]) -> Iterator[Elemental]:
        quantity = expression if isinstance(expression, Information) else -expression
        if not isinstance(quantity, Information) or len(quantity.groups) > 2:
            return
        given = mask_of(quantity.given, index)
        left, right = mask_of(quantity.groups[0], index), mask_of(quantity.groups[-1], index)
        shared = left & right
        if shared and not any(name in self.kinds for name, i in index.items() if shared >> i & 1):
            yield from vanishing_entropy(shared, given, len(index))
        yield from vanishing_information(left & ~shared, right & ~shared, given | shared)


def _moved(mask: int, positions: list[int]) -> int:
    return sum(1 << positions[bit] for bit in bits(mask))

"""What is to be proved, and from what: a claim and its facts as exact rows, read once and shared by search and check.

A Markov chain contributes one vanishing information for each link, a graph its ordered local Markov property: each
variable is independent of the earlier ones given its parents (J. Pearl, 1988), which implies every d-separation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

import sympy

from imeasure import syntax
from imeasure.certificate.rows import Names, Parametric, Row, add, information, quantity_text, row_of
from imeasure.errors import ConfigError, ModelError, NonlinearError, ParseError, UndefinedQuantityError
from imeasure.facts import no_fact
from imeasure.model import Model
from imeasure.names import natural_key
from imeasure.parser import parse, to_sympy
from imeasure.quantities import Functional
from imeasure.statements import Constraint, Relation

_NOTHING = Fraction(0)
_FUNCTIONAL = re.compile(r"[^\W\d_]\w*['\u2032]*")
_TAKEN = ("H", "I", "CE", "KL", "H_theta", "min", "max")

Statement = str | Relation | Constraint
"""A relation, Markov chain or independence, as text or object."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A row that is known to vanish, or to be at least zero.

    Attributes:
        wording: What it says, or what makes that text when it is looked at.
        source: The statement it comes from, as written.
        row: The row.
        equality: Whether the row vanishes.
    """

    wording: str | Callable[[], str] = field(compare=False, repr=False)
    source: str
    row: Row
    equality: bool

    @property
    def text(self) -> str:
        """What the fact says, such as ``I[X;Z|Y] = 0``."""
        return self.wording if isinstance(self.wording, str) else self.wording()


@dataclass(frozen=True, slots=True)
class Link:
    """One comparison of the claim.

    Attributes:
        left: Left side, as a syntax tree.
        operator: ``<=``, ``>=`` or ``=``.
        right: Right side.
        row: Left side minus right side, or None where a parameter occurs.
        sides: Both sides as rows, or None where a parameter occurs.
    """

    left: syntax.Node
    operator: str
    right: syntax.Node
    row: Row | None
    sides: tuple[Row, Row] | None


@dataclass(frozen=True)
class Problem:
    """A claim with its facts.

    Attributes:
        claim: The claim as text.
        given: The facts given with it, as texts.
        model: The model, or None.
        functionals: Names of declared functionals.
        names: The variables' bits.
        links: The claim's comparisons.
        facts: All facts: given, assumed by the model, and those of its graph.
        real: Bitmask of the variables whose conditional entropies may be negative (continuous ones).
    """

    claim: str
    given: tuple[str, ...]
    model: Model | None
    functionals: tuple[str, ...]
    names: Names
    links: tuple[Link, ...]
    facts: tuple[Fact, ...]
    real: int
    cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of all variables, in the order of their bits."""
        return tuple(self.names.index)

    def nonnegative(self, variables: int) -> bool:
        """Return whether every conditional entropy of some variables is at least zero."""
        return not variables & self.real

    def ranges(self) -> dict[sympy.Symbol, sympy.Set]:
        """Return the ranges of parameters that the model gives."""
        return dict(self.model.ranges) if self.model is not None else {}


def read_problem(
    claim: Statement,
    model: Model | str | None = None,
    given: Statement | Iterable[Statement] = (),
    functionals: Iterable[str] = (),
) -> Problem:
    """Read a claim with its facts.

    Args:
        claim: A relation, Markov chain or independence.
        model: A model, the text of its graph, or None.
        given: More facts.
        functionals: Names of functionals beyond ``CE`` and ``KL``.

    Returns:
        The problem.

    Raises:
        ParseError: If a text is not in the language, or is not a statement of the right sort.
        NonlinearError: If a fact has a parameter.
        UnknownVariableError: If the model has a graph and a variable is not in it.
        UndefinedQuantityError: If a quantity has no value under the model.
        ModelError: If the model is none.
        ConfigError: If the facts or the functionals are not listed, or a functional has no name.

    Example:
        >>> problem = read_problem("I[X;Z] <= I[X;Y]", given="X -> Y -> Z")
        >>> problem.variables, [fact.text for fact in problem.facts]
        (('X', 'Z', 'Y'), ['I[X;Z|Y] = 0'])
    """
    model = Model(model) if isinstance(model, str) else model
    if not isinstance(model, Model | None):
        raise ModelError(f"a model is a Model, the text of a graph such as 'Y -> X -> Z', or None, not {model!r}")
    listed = listed_facts(given)
    declared = set(_declared(functionals)) | set(() if model is None else model.functionals)
    for statement in (claim, *listed):
        if isinstance(statement, Relation):
            declared |= _functionals(statement)
    texts = [_text(fact, "fact") for fact in listed]
    claim_text = _text(claim, "relation")
    known = tuple(sorted(declared - {"CE", "KL"}))
    names = Names()
    trees = [syntax.read(text, known) for text in (claim_text, *texts)]
    links = tuple(_links(trees[0], claim_text, names))
    facts = [fact for tree, text in zip(trees[1:], texts, strict=True) for fact in _facts(tree, text, names)]
    real = 0
    if model is not None:
        if spread := {name: kind for name, kind in model.kinds if kind != "discrete"}:
            for tree in trees:
                _require_apart(tree, spread)
        for assumption in model.assumptions:
            text = str(assumption)
            facts += _facts(syntax.read(text, (*known, *_functionals(assumption))), text, names)
        for name in names.index:
            model.require(name)
        names.mask(model.nodes)
        facts += _graph_facts(model, names)
        floors = dict(model.floors)
        for name, others in floors.items():
            text = f"H[{name}|{','.join(others)}] >= 0" if others else f"H[{name}] >= 0"
            facts += _facts(syntax.read(text, known), text, names)
        for name, kind in model.kinds:
            if kind in ("continuous", "noiseless") or name in floors:
                real |= names.mask((name,))
            if kind == "noiseless":
                _require_defined(model, (claim_text, *texts), known)
    return Problem(claim_text, tuple(texts), model, known, names, links, tuple(facts), real)


def listed_facts(given: Any) -> list[Statement]:
    """Return facts as a list, one alone as a list of it.

    Args:
        given: A text, an object, or an iterable of them.

    Returns:
        The facts.

    Raises:
        ConfigError: If it is none of these.
    """
    return _listed(given, "given", "a fact or a list of facts, such as 'X -> Y -> Z'")


def _listed(entries: Any, name: str, expected: str) -> list[Any]:
    if isinstance(entries, str | Relation | Constraint):
        return [entries]
    if not isinstance(entries, Iterable) or isinstance(entries, bytes | Mapping):
        raise ConfigError(f"{name} takes {expected}, not {entries!r}")
    return list(entries)


def _declared(names: Any) -> list[str]:
    found = _listed(names, "functionals", "the name of a functional or a list of names, such as 'LogVar'")
    for name in found:
        if not isinstance(name, str) or not _FUNCTIONAL.fullmatch(name) or name in _TAKEN:
            known = f"; {name} needs no declaration" if name in ("H", "I", "CE", "KL") else ""
            raise ConfigError(
                f"the name of a functional is a letter followed by letters or digits, not {name!r}{known}"
            )
    return found


def _functionals(statement: Statement) -> set[str]:
    if isinstance(statement, Relation):
        return {f.name for expression in statement.expressions for f in expression.atoms(Functional)}
    return set()


def _text(statement: Any, what: str) -> str:
    if isinstance(statement, str):
        if not statement.strip():
            raise ParseError(f"the text is empty; expected a {what} such as 'H[X|Y] <= H[X]'", statement, 0)
        return statement
    if isinstance(statement, Relation | Constraint):
        return str(statement)
    raise ParseError(f"expected a {what} such as 'H[X|Y] <= H[X]', not {type(statement).__name__}", str(statement), 0)


def _links(tree: syntax.Statement, text: str, names: Names) -> Iterator[Link]:
    if isinstance(tree, syntax.ConstraintTree):
        for _, vanishing, quantity in _vanishing(tree, names):
            yield Link(quantity, "=", _NOTHING, vanishing, (vanishing, {}))
        return
    if not isinstance(tree, syntax.RelationTree) or not tree.operators:
        raise ParseError("expected a relation with <=, >= or =, such as 'H[X|Y] <= H[X]'", text, 0, len(text))
    for left, operator, right in zip(tree.expressions, tree.operators, tree.expressions[1:], strict=False):
        try:
            sides = row_of(left, names), row_of(right, names)
        except Parametric:
            _give_bits(left, names)
            _give_bits(right, names)
            yield Link(left, operator, right, None, None)
        else:
            yield Link(left, operator, right, add(dict(sides[0]), sides[1], -1), sides)


def _give_bits(node: syntax.Node, names: Names) -> None:
    for _, groups, given in _quantities(node):
        for group in (*groups, given):
            names.mask(group)


def _vanishing(tree: syntax.ConstraintTree, names: Names) -> Iterator[tuple[Callable[[], str], Row, syntax.Quantity]]:
    groups = tree.groups
    for position in range(1, len(groups)):
        if tree.kind == "independence":
            past, given = groups[:position], tree.given
        elif position > 1:
            past, given = groups[: position - 1], groups[position - 1]
        else:
            continue
        earlier = tuple(dict.fromkeys(name for group in past for name in group))
        left, right, condition = names.mask(earlier), names.mask(groups[position]), names.mask(given)
        row = information([left, right], condition)
        if row:
            wording = partial(_vanishes, left & ~condition, right & ~condition, condition, names)
            yield wording, row, syntax.Quantity("I", (earlier, groups[position]), given)


def _vanishes(left: int, right: int, given: int, names: Names) -> str:
    return f"{quantity_text([left, right], given, names)} = 0"


def _facts(tree: syntax.Statement, source: str, names: Names) -> Iterator[Fact]:
    if isinstance(tree, syntax.ConstraintTree):
        for wording, row, _ in _vanishing(tree, names):
            yield Fact(wording, source, row, equality=True)
        return
    if not isinstance(tree, syntax.RelationTree) or not tree.operators:
        raise no_fact(source)
    alone = len(tree.operators) == 1
    for left, operator, right in zip(tree.expressions, tree.operators, tree.expressions[1:], strict=False):
        try:
            row = add(row_of(left, names), row_of(right, names), -1)
        except Parametric:
            raise NonlinearError(f"'{source}' has a parameter; facts have rational coefficients") from None
        text = source if alone else str(Relation((to_sympy(left), to_sympy(right)), (operator,)))
        if operator == "<=":
            row = {column: -value for column, value in row.items()}
        if row or not alone:
            yield Fact(text, source, row, equality=operator == "=")


def _graph_facts(model: Model, names: Names) -> Iterator[Fact]:
    order = topological(model.nodes, model.edges)
    seen: list[str] = []
    for node in order:
        parents = [name for name in seen if (name, node) in set(model.edges)]
        others = [name for name in seen if name not in parents]
        if others:
            left, right, given = names.mask((node,)), names.mask(others), names.mask(parents)
            yield Fact(
                partial(_vanishes, left, right, given, names),
                "the model's graph",
                information([left, right], given),
                equality=True,
            )
        seen.append(node)


def topological(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    """Return the nodes of an acyclic graph, parents first, otherwise in natural order.

    Args:
        nodes: The nodes.
        edges: Pairs of parent and child.

    Returns:
        The nodes in order.

    Example:
        >>> topological("XYZ", [("Y", "X"), ("X", "Z")])
        ['Y', 'X', 'Z']
    """
    parents: dict[str, set[str]] = {node: set() for node in sorted(nodes, key=natural_key)}
    for source, target in edges:
        parents[target].add(source)
    order: list[str] = []
    while parents:
        node = next(node for node, above in parents.items() if not above & parents.keys())
        order.append(node)
        del parents[node]
    return order


def _require_apart(tree: syntax.Statement, spread: Mapping[str, str]) -> None:
    """Refuse quantities that are infinite because a variable with a density stands in two of their groups."""
    if isinstance(tree, syntax.ConstraintTree):
        groups = tree.groups
        if tree.kind == "independence":
            _require_groups_apart("I", groups, tree.given, spread)
        else:
            for position in range(2, len(groups)):
                earlier = tuple(name for group in groups[: position - 1] for name in group)
                _require_groups_apart("I", (earlier, groups[position]), groups[position - 1], spread)
    elif isinstance(tree, syntax.RelationTree):
        for expression in tree.expressions:
            for name, groups, given in _quantities(expression):
                if name in ("H", "I"):
                    _require_groups_apart(name, groups, given, spread)


def _require_groups_apart(
    name: str, groups: tuple[tuple[str, ...], ...], given: tuple[str, ...], spread: Mapping[str, str]
) -> None:
    seen = set(given) if name == "H" else set()
    for group in groups:
        for variable in dict.fromkeys(group):
            if variable in seen and variable in spread and (name == "H" or variable not in given):
                text = f"{name}[{';'.join(map(','.join, groups))}{'|' * bool(given)}{','.join(given)}]"
                reason, remedy = (
                    ("its entropy given itself is minus infinity", "leave it out on one side of the bar")
                    if name == "H"
                    else ("it tells infinitely much of itself", f"write H[{variable}] if its entropy is meant")
                )
                raise UndefinedQuantityError(
                    f"{text} has no finite value: {variable} is {spread[variable]}, and {reason}; {remedy}, or let "
                    f"{variable} be discrete"
                )
        seen.update(group)


def _quantities(node: syntax.Node) -> Iterator[syntax.Quantity]:
    match node:
        case syntax.Quantity():
            yield node
        case syntax.Sum(terms):
            for term in terms:
                yield from _quantities(term)
        case syntax.Product(left, right) | syntax.Quotient(left, right):
            yield from _quantities(left)
            yield from _quantities(right)


def _require_defined(model: Model, texts: Iterable[str], functionals: tuple[str, ...]) -> None:
    for text in texts:
        statement = parse(text, functionals=functionals)
        if isinstance(statement, Relation):
            for expression in statement.expressions:
                model.require_defined(expression)

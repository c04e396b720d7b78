"""``bounds``: the named quantities that provably lie above or below a quantity, the tightest first.

The prover decides each inequality, so every bound has a certificate; a bound that another one implies is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from time import monotonic

import sympy

from imeasure.certificate import Certificate
from imeasure.errors import ConfigError
from imeasure.exchange import as_model
from imeasure.learning import supervised
from imeasure.model import Model
from imeasure.printing import to_latex, to_text
from imeasure.prove.decide import check
from imeasure.prove.verdict import Verdict
from imeasure.rewriting.quotient import quotient
from imeasure.statements import Relation
from imeasure.terms import as_expression, variables_of
from imeasure.vocabulary import Names, spelled

_ZERO = sympy.S.Zero


@dataclass(frozen=True)
class Bound:
    """A quantity on one side of another.

    Attributes:
        quantity: The bound.
        relation: What was proved.
        certificate: The proof.
    """

    quantity: sympy.Expr
    relation: Relation
    certificate: Certificate


@dataclass(frozen=True)
class Bounds:
    """The proved bounds of a quantity.

    Attributes:
        quantity: The quantity.
        lower: Lower bounds; none comes after one that it is known to be at least as tight as.
        upper: Upper bounds, ordered likewise.
        model: The model.

    Example:
        >>> print(bounds("H[Z|Y]"))
        I[X;Z|Y] <= H[Z|Y] <= H[Z] <= H[Y,Z] <= H[X,Y,Z]
        also below: H[Z|X]
        also above: H[X,Z|Y], H[X,Z]
    """

    quantity: sympy.Expr
    lower: tuple[Bound, ...]
    upper: tuple[Bound, ...]
    model: Model

    def verify(self) -> bool:
        """Check every bound's certificate by exact addition.

        Returns:
            True.

        Raises:
            DerivationError: If one does not hold.
        """
        return all(bound.certificate.verify() for bound in (*self.lower, *self.upper))

    def to_text(self, *, names: Names = "symbols") -> str:
        """Return the tightest chain, and what else is below and above.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            One line for the chain, and at most two more.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        if self._is_zero:
            return spelled(f"{to_text(self.quantity)} = 0", names)
        below, above = self._chain(self.lower, below=True), self._chain(self.upper, below=False)
        lines = [" <= ".join(to_text(q) for q in (*reversed(below), self.quantity, *above))]
        for word, chain, found in (("below", below, self.lower), ("above", above, self.upper)):
            others = [to_text(bound.quantity) for bound in found if bound.quantity not in chain]
            if others:
                lines.append(f"also {word}: {', '.join(others)}")
        return spelled("\n".join(lines), names)

    def to_latex(self, *, names: Names = "symbols") -> str:
        """Return the tightest chain in LaTeX, without delimiters.

        Args:
            names: ``"words"`` spells the quantities of X, Y and Z in words.

        Returns:
            LaTeX.

        Raises:
            ConfigError: If ``names`` is neither ``"symbols"`` nor ``"words"``.
        """
        if self._is_zero:
            return spelled(f"{to_latex(self.quantity)} = 0", names)
        below, above = self._chain(self.lower, below=True), self._chain(self.upper, below=False)
        return spelled(r" \leq ".join(map(to_latex, (*reversed(below), self.quantity, *above))), names)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_latex_(self) -> str:
        return f"${self.to_latex()}$"

    @property
    def _is_zero(self) -> bool:
        return all(_ZERO in (bound.quantity for bound in side) for side in (self.lower, self.upper))

    def _chain(self, found: tuple[Bound, ...], *, below: bool) -> list[sympy.Expr]:
        chain: list[sympy.Expr] = []
        for bound in found:
            if not chain or _ordered(self.model, *((bound.quantity, chain[-1])[:: 1 if below else -1])):
                chain.append(bound.quantity)
        return chain


def bounds(
    quantity: str | sympy.Expr,
    *,
    model: Model | str | None = None,
    among: Iterable[str | sympy.Expr] | None = None,
    seconds: float = 30.0,
) -> Bounds:
    """Return the proved lower and upper bounds of a quantity.

    Args:
        quantity: A quantity or an expression.
        model: The model or the text of its graph, by default :func:`imeasure.supervised`.
        among: The quantities to compare with; by default every entropy and mutual information of the model's variables
            that is not equal to a simpler one under the model, and 0 where that says more than they do.
        seconds: Time after which no further quantity is tried and no further pair of bounds compared.

    Returns:
        The bounds with their certificates.

    Raises:
        ParseError: If a text is not in the language.
        UnknownVariableError: If a variable is not in the model.
        UndefinedQuantityError: If a quantity has no value under the model.
        ConfigError: If ``seconds`` is no positive number.

    Example:
        >>> print(bounds("I[Y;Z|X]"))
        I[Y;Z|X] = 0
        >>> print(bounds("I[A;B;C]", model="A -> C; B -> C"))
        I[A;B;C] <= 0
    """
    model = supervised() if model is None else as_model(model)
    wanted = as_expression(quantity)
    model.require_defined(wanted)
    end = monotonic() + _seconds(seconds)
    if among is None:
        if model.reduce(wanted) == 0:
            return Bounds(wanted, _zero(model, wanted, below=True), _zero(model, wanted, below=False), model)
        names = variables_of(wanted)
        # Where no fact holds a number, entropies have any scale, so that 0 alone is comparable with a constant.
        space = quotient(model, model.covering(names), homogeneous=False) if names or model.assumptions else None
        offered = [candidate.quantity for candidate in space.candidates] if space else []
    else:
        offered = [as_expression(item) for item in among]
    offered = [q for q in offered if model.reduce(q - wanted) != 0]
    sides: list[tuple[Bound, ...]] = []
    for below in (True, False):
        zero = _zero(model, wanted, below=below) if among is None else ()
        # What lies above zero says less than zero does.
        listed = [q for q in offered if below or not zero or not _ordered(model, _ZERO, q)]
        found = [bound for q in listed if monotonic() < end and (bound := _proved(model, q, wanted, below=below))]
        if below and any(_ordered(model, _ZERO, bound.quantity) for bound in found[:1]):
            zero = ()
        sides.append(_tightest([*found, *zero], model, below=below, end=end))
    lower, upper = sides
    return Bounds(wanted, lower, upper, model)


def _seconds(seconds: float) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise ConfigError(f"seconds is a positive number, such as 30, not {seconds!r}")
    return seconds


def _zero(model: Model, wanted: sympy.Expr, *, below: bool) -> tuple[Bound, ...]:
    bound = _proved(model, _ZERO, wanted, below=below)
    return () if bound is None else (bound,)


def _proved(model: Model, quantity: sympy.Expr, wanted: sympy.Expr, *, below: bool) -> Bound | None:
    relation = Relation((quantity, wanted) if below else (wanted, quantity), ("<=",))
    certificate = _checked(model, relation).certificate
    return None if certificate is None else Bound(quantity, relation, certificate)


def _ordered(model: Model, low: sympy.Expr, high: sympy.Expr) -> bool:
    return bool(_checked(model, Relation((low, high), ("<=",))))


def _checked(model: Model, relation: Relation) -> Verdict:
    # Only a proof counts here, so no distribution that refutes is searched for.
    return check(relation, model=model, numerical=False)


def _tightest(found: list[Bound], model: Model, *, below: bool, end: float) -> tuple[Bound, ...]:
    rest = sorted(found, key=partial(_simple_key, below=below))
    result: list[Bound] = []
    order = {
        (a.quantity, b.quantity): monotonic() < end
        and _ordered(model, *((b.quantity, a.quantity) if below else (a.quantity, b.quantity)))
        for a in rest
        for b in rest
        if a is not b
    }
    while rest:
        tight = [b for b in rest if not any(order[a.quantity, b.quantity] for a in rest if a is not b)]
        chosen = (tight or rest)[0]
        result.append(chosen)
        rest.remove(chosen)
    return tuple(result)


def _simple_key(bound: Bound, *, below: bool) -> tuple[object, ...]:
    groups = getattr(bound.quantity, "groups", ((),))
    size = sum(map(len, (*groups, getattr(bound.quantity, "given", ()))))
    return (-len(groups) if below else len(groups), size, to_text(bound.quantity))

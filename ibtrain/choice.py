"""Which surrogates may stand for a term, and which of them are tightest: every answer is a proof.

A combination S of surrogates bounds a term q up to a constant c if q <= S + c follows from the surrogates' axioms and
from what is known of the latent. The constants that are tried are exact: what remains where the difference is constant,
else the constant entropy of the noise, else 0.
"""

import dataclasses
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import sympy

import imeasure
from ibtrain.surrogates import Surrogate
from imeasure.constants import as_constant

Parts = tuple[tuple[int, Surrogate], ...]
"""Factors and surrogates."""


@dataclasses.dataclass(frozen=True)
class Combination:
    """Multiples of surrogates that together lie above a quantity, or above its negative.

    Args:
        parts: Factors and surrogates; none where the bound is 0.
        constant: What has to be added.
    """

    parts: Parts
    constant: Any

    @property
    def expression(self) -> Any:
        """The surrogates as functionals, and the constant."""
        return sympy.Add(*(factor * functional_of(entry) for factor, entry in self.parts), self.constant)


@lru_cache(maxsize=512)
def read(text: str, name: str = "") -> Any:
    """Return what a text says, read once.

    Args:
        text: An expression or a relation in imeasure's language.
        name: A functional that may occur.
    """
    return imeasure.parse(text, functionals=[name] if name else ())


def functional_of(entry: Surrogate) -> Any:
    """Return a surrogate as a functional, which imeasure knows by nothing but its axioms.

    Args:
        entry: The surrogate.

    Example:
        >>> from ibtrain.surrogates import surrogate
        >>> functional_of(surrogate("LogVar[Z|Y]"))
        LogVar[Z|Y]
    """
    return read(entry.name, entry.functional)


def axioms_of(entries: Iterable[Surrogate]) -> tuple[str, ...]:
    """Return the axioms of surrogates, without those that imeasure has built in.

    A cross-entropy CE[A|B] is above H[A|B] by what it means.

    Args:
        entries: The surrogates.

    Example:
        >>> from ibtrain.surrogates import surrogate
        >>> axioms_of([surrogate("CE[Y|Z]"), surrogate("LogVar[Z|Y]")])
        ('LogVar[Z|Y] >= H[Z|Y]',)
    """
    return tuple(dict.fromkeys(entry.axiom for entry in entries if entry.functional != "CE"))


def declared(entries: Iterable[Surrogate]) -> tuple[str, ...]:
    """Return the names of surrogates that imeasure has to be told of; it knows CE itself.

    Args:
        entries: The surrogates.

    Example:
        >>> from ibtrain.surrogates import surrogate
        >>> declared([surrogate("CE[Y|Z]"), surrogate("LogVar[Z|Y]")])
        ('LogVar',)
    """
    return tuple(dict.fromkeys(entry.functional for entry in entries if entry.functional != "CE"))


def sign_of(coefficient: Any, model: imeasure.Model) -> int | None:
    """Return 1 for a coefficient that is never negative, -1 for one never positive, None where that is not decided.

    Args:
        coefficient: An expression of parameters.
        model: The model, for the parameters' ranges.

    Example:
        >>> model = imeasure.Model(ranges={"gamma": sympy.Interval(0, sympy.oo)})
        >>> gamma, a = imeasure.param("gamma"), imeasure.param("a")
        >>> sign_of(gamma, model), sign_of(-2 * gamma, model), sign_of(gamma * a, model)
        (1, -1, None)
    """
    return _sign(sympy.sympify(coefficient, strict=True), model.ranges)


@lru_cache(maxsize=512)
def _sign(coefficient: Any, ranges: tuple[tuple[sympy.Symbol, sympy.Set], ...]) -> int | None:
    if coefficient.is_number:
        return 1 if coefficient >= 0 else -1
    model = imeasure.Model(ranges=dict(ranges))
    witness = imeasure.H[imeasure.RandomVariable("A")]
    try:
        for sign in (1, -1):
            if imeasure.check(imeasure.Relation((0 * witness, sign * coefficient * witness), ("<=",)), model=model):
                return sign
    except imeasure.NonlinearError:
        return None
    return None


def combinations(
    quantity: Any,
    sign: int | None,
    entries: tuple[Surrogate, ...],
    model: imeasure.Model,
    noise: Any,
    names: frozenset[str],
) -> tuple[Combination, ...]:
    """Return the combinations that provably bound a quantity, in the order of the registry.

    A combination with a part that only makes the bound worse is left out.

    Args:
        quantity: The quantity q.
        sign: 1 to bound q from above, -1 to bound -q, None where only equality will do.
        entries: The surrogates that may be used, each with its axiom.
        model: What is known.
        noise: The entropy of the latent given its inputs.
        names: The surrogates that may take the term's place; the others may only add the noise's entropy to it.

    Returns:
        One surrogate each, or one and the entropy of the noise.
    """
    return _combinations(quantity, sign, entries, model, noise, names)


@lru_cache(maxsize=1024)
def _combinations(
    quantity: Any,
    sign: int | None,
    entries: tuple[Surrogate, ...],
    model: imeasure.Model,
    noise: Any,
    names: frozenset[str],
) -> tuple[Combination, ...]:
    wanted = quantity if sign is None else sign * quantity
    is_known = as_constant(noise, model) is not None
    noises = [entry for entry in entries if entry.side == "exact" and read(entry.quantity) == noise and not is_known]
    found: list[Combination] = []
    for entry in entries:
        if entry.name not in names:
            continue
        for factor in _factors(entry, sign, quantity, model):
            parts: list[Parts] = [((factor, entry),)]
            if factor == 1 and read(entry.quantity) != quantity:
                parts += [((1, entry), (-1, other)) for other in noises if other is not entry]
            bounds = (_bounding(wanted, sign is None, part, model) for part in parts)
            useful = [bound for bound in bounds if bound and not _is_idle(wanted, bound, model)]
            found += useful if entry.side == "exact" else useful[:1]
    return tuple(found)


def _factors(entry: Surrogate, sign: int | None, quantity: Any, model: imeasure.Model) -> tuple[int, ...]:
    own = read(entry.quantity)
    if own == quantity and entry.side == "exact":
        return (1 if sign is None else sign,)
    if as_constant(own, model) is not None and own != quantity:
        return ()
    if entry.side == "exact":
        return (1,) if sign is None else (1, -1)
    factor = 1 if entry.side == "upper" else -1
    return () if sign is None or (own == quantity and sign != factor) else (factor,)


def _value(parts: Parts) -> Any:
    return sympy.Add(*(factor * read(entry.quantity) for factor, entry in parts))


def _bounding(wanted: Any, is_equal: bool, parts: Parts, model: imeasure.Model) -> Combination | None:
    difference = sympy.expand(wanted - _value(parts))
    constant = as_constant(difference, model)
    if constant is not None:
        return Combination(parts, constant)
    if is_equal:
        return None
    for offered in (*(-one for one in model.constants), sympy.S.Zero):
        if _is_at_most(difference, offered, model):
            return Combination(parts, offered)
    return None


def _is_idle(wanted: Any, bound: Combination, model: imeasure.Model) -> bool:
    """Return whether the bound would be lower with a part left out, or with all of them."""
    if _is_at_most(wanted, sympy.S.Zero, model) and _is_at_most(
        sympy.S.Zero, _value(bound.parts) + bound.constant, model
    ):
        return True
    for index, part in enumerate(bound.parts):
        rest = (*bound.parts[:index], *bound.parts[index + 1 :])
        is_more = _is_at_most(sympy.S.Zero, _value((part,)), model)
        if is_more and _is_at_most(wanted, _value(rest) + bound.constant, model):
            return True
    return False


def _is_at_most(left: Any, right: Any, model: imeasure.Model) -> bool:
    difference = sympy.expand(left - right)
    if difference == 0:
        return True
    return bool(imeasure.check(imeasure.Relation((difference, sympy.S.Zero), ("<=",)), model=model))


def tightest(found: tuple[Combination, ...], entries: tuple[Surrogate, ...], model: imeasure.Model) -> Combination:
    """Return the first combination that no other is known to be below.

    Args:
        found: Combinations that bound the same term.
        entries: All surrogates whose order may be used.
        model: What is known.
    """
    best = found[0]
    for other in found[1:]:
        if _is_below(other, best, entries, model) and not _is_below(best, other, entries, model):
            best = other
    return best


@lru_cache(maxsize=1024)
def _is_below(left: Combination, right: Combination, entries: tuple[Surrogate, ...], model: imeasure.Model) -> bool:
    known = [relation for entry in entries for relation in (*axioms_of([entry]), *entry.orders)]
    claim = imeasure.Relation((left.expression, right.expression), ("<=",))
    return bool(imeasure.check(claim, model=model, given=known, functionals=declared(entries)))

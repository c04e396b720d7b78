"""From an objective to a loss: every term of the canonical form gets surrogates that bound it, and the whole is proved.

The canonical form comes from `imeasure.simplify`; which surrogates bound which term is found by proof from their axioms
and from what is known of the latent. Then one certificate is made for the whole loss over the parameters' whole range.
"""

import dataclasses
import functools
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import sympy

import imeasure
from ibtrain.bottlenecks import Bottleneck, CategoricalBottleneck
from ibtrain.choice import Combination, axioms_of, combinations, declared, functional_of, read, sign_of, tightest
from ibtrain.errors import ConfigError, UnsoundLossError
from ibtrain.facts import Roles, facts, roles_of
from ibtrain.guarantee import Guarantee
from ibtrain.loss import Loss
from ibtrain.plan import Plan, Term
from ibtrain.surrogates import KINDS, SURROGATES, Surrogate, surrogate
from imeasure.constants import as_constant
from imeasure.errors import shown, unknown
from imeasure.signs import positive

_STANDARD = ("H[Y|Z]", "I[X;Y|Z]", "H[Z]", "H[Z|Y]", "H[Z|X]", "I[X;Z]", "I[X;Z|Y]", "I[Y;Z]")
_NEAREST = 5
_NOISE = (
    "add zero-entropy noise, AdditiveNoise() or DropoutBottleneck(variance=1/(2*pi*e)), so that the latent is "
    "'noisy' or 'noisy dropout'"
)


def compile(  # noqa: A001 - the public name says what it does
    form_or_text: imeasure.CanonicalForm | str,
    *,
    latent: Bottleneck | str,
    surrogates: Sequence[str | Surrogate] | str | Surrogate | None = None,
    guarantee: Literal["require", "warn"] = "require",
    dimensions: int | None = None,
    classes: int | None = None,
) -> Loss:
    """Turn an objective into a loss that is proved to bound it, up to constants.

    The regularizer's weight becomes the parameter `gamma` (the form's own weight symbol, if the objective uses that
    name), which can be set itself or through the objective's parameters. A weight on `SquaredNorm[Z]` is the weight on
    E||Z||^2 itself.

    Args:
        form_or_text: A canonical form, or an objective as text, which is simplified under `imeasure.supervised()`.
        latent: The bottleneck that makes the latent, or its kind: `"noisy"`, `"additive"`, `"gaussian"`,
            `"categorical"`, `"dropout"` or `"noisy dropout"`.
        surrogates: Surrogates to use, by name or as entries of your own, each for the terms that it bounds; for the
            other terms the tightest ones that cost B*K operations and learn nothing.
        guarantee: `"require"` refuses a loss without a proof; `"warn"` makes it, warns, and says so in the plan.
        dimensions: Number K of the latent's dimensions, for surrogates that learn a law of the latent.
        classes: Number C of classes, for surrogates that learn.

    Returns:
        The loss, with its plan and its guarantee.

    Raises:
        UnsoundLossError: If a term has no proved bound: the message names it, the fact that is missing and a remedy.
        ConfigError: If no surrogate fits a term (the nearest ones are listed), a named one fits none, two fit the
            same, or what was given is no objective or no known kind of latent.
        InformationError: Whatever `imeasure.simplify` raises on the text.

    References:
        Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 6.

    Example:
        >>> loss = compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy", surrogates=["LogVar[Z]"])
        >>> loss
        Loss(CE[Y|Z] + gamma*LogVar[Z])
        >>> print(loss.guarantee.relation)
        H[Y|Z] + gamma*I[X;Z|Y] <= CE[Y|Z] - gamma*H[Z|X] + gamma*LogVar[Z]
    """
    if guarantee not in ("require", "warn"):
        raise ConfigError(f"guarantee is 'require' or 'warn', not {guarantee!r}")
    kind = _kind(latent)
    form = canonical_form(form_or_text)
    plan = _Compiler(form, kind, surrogates, is_strict=guarantee == "require").plan()
    if isinstance(latent, CategoricalBottleneck) and latent.straight_through:
        plan = dataclasses.replace(plan, is_drawn=True)
    if plan.guarantee is None:
        warnings.warn(f"{plan.formula}: {plan.doubt}", stacklevel=2)
    return Loss(plan, dimensions=dimensions, classes=classes)


def canonical_form(form_or_text: imeasure.CanonicalForm | str) -> imeasure.CanonicalForm:
    """Return the canonical form of an objective, and refuse what is none.

    Args:
        form_or_text: A canonical form, or an objective as text, which is simplified under `imeasure.supervised()`.

    Raises:
        ConfigError: If it is no objective.
        InformationError: Whatever `imeasure.simplify` raises on the text.

    Example:
        >>> print(canonical_form("min I[X;Z] - beta*I[Y;Z]").loss)
        H[Y|Z]
    """
    try:
        form = imeasure.simplify(form_or_text) if isinstance(form_or_text, str) else form_or_text
    except imeasure.UnknownVariableError as error:
        raise _of_another_graph(str(form_or_text)) or error from None
    if not isinstance(form, imeasure.CanonicalForm):
        raise ConfigError(
            "compile needs an objective such as 'min I[X;Z] - beta*I[Y;Z]', or a canonical form, not "
            f"{shown(form_or_text)}"
        )
    return form


def _of_another_graph(text: str) -> imeasure.UnknownVariableError | None:
    """Return what is wrong with an objective in variables that the data and the latent are not; None if all are."""
    known = imeasure.supervised().variables
    found = imeasure.parse(text)
    if not isinstance(found, imeasure.Objective):
        return None
    names = sorted({variable.name for variable in found.expression.atoms(imeasure.RandomVariable)} - set(known))
    said = unknown("variable", names[0], known) if names else ""
    return imeasure.UnknownVariableError(f"{said}; write the objective in these") if said else None


def _listed(surrogates: Sequence[str | Surrogate] | str | Surrogate | None) -> tuple[str | Surrogate, ...]:
    given = (surrogates,) if isinstance(surrogates, str | Surrogate) else () if surrogates is None else surrogates
    if not isinstance(given, Sequence):
        raise ConfigError(f"surrogates are names or ibtrain.surrogates.Surrogate objects in a list, not {given!r}")
    for one in given:
        if isinstance(one, Surrogate) and one.functional in ("CE", "Floor") and SURROGATES.get(one.name) is not one:
            raise ConfigError(
                f"{one.name} has a meaning of its own, so a surrogate of yours cannot be called that: call it "
                f"Own{one.name}, with its own axiom"
            )
    return tuple(given)


def _kind(latent: Bottleneck | str) -> str:
    if isinstance(latent, Bottleneck):
        return latent.kind
    if not isinstance(latent, str) or latent not in KINDS:
        raise ConfigError(
            f"there are no surrogates for a latent {latent!r}; possible: {', '.join(KINDS)}, or a bottleneck"
        )
    return latent


@dataclasses.dataclass(frozen=True)
class _Bounded:
    """A term with its bound.

    Args:
        coefficient: The term's coefficient.
        quantity: Its quantity.
        factor: By what the bound is multiplied: the coefficient or its negative.
        bound: The bound.
    """

    coefficient: Any
    quantity: Any
    factor: Any
    bound: Combination


class _Compiler:
    """Collects the bounds of all terms, then proves the whole."""

    def __init__(
        self,
        form: imeasure.CanonicalForm,
        kind: str,
        surrogates: Sequence[str | Surrogate] | str | Surrogate | None,
        *,
        is_strict: bool,
    ) -> None:
        self.form, self.kind, self.is_strict = form, kind, is_strict
        self.roles: Roles = roles_of(form)
        self.weight_symbol = None if form.weight.is_number else _weight_symbol(form)
        self.weight = form.weight if self.weight_symbol is None else self.weight_symbol
        self.model = facts(form, self.roles, kind, self.weight_symbol)
        given = _listed(surrogates)
        self.entries = self.roles.entries(tuple(one for one in given if isinstance(one, Surrogate)))
        self.preferred = tuple(dict.fromkeys(self.entry(one) for one in given))
        self.doubts: list[UnsoundLossError] = []

    def entry(self, given: str | Surrogate) -> Surrogate:
        """Return a named or given surrogate in the objective's own variables."""
        by_name = {entry.name: entry for entry in self.entries}
        if isinstance(given, str) and given.replace(" ", "") in by_name:
            return by_name[given.replace(" ", "")]
        if not isinstance(given, str | Surrogate):
            raise ConfigError(f"a surrogate is named, or an ibtrain.surrogates.Surrogate, not {given!r}")
        return self.roles.renamed(surrogate(given) if isinstance(given, str) else given)

    def plan(self) -> Plan:
        """Return the plan of the loss."""
        bounded = [self.bounded(coefficient, quantity) for coefficient, quantity in self.summands()]
        self.require_use(bounded)
        chosen: dict[str, Term] = {}
        constant, floors = sympy.S.Zero, []
        for one in bounded:
            constant += one.factor * one.bound.constant
            for multiple, entry in one.bound.parts:
                if entry.functional == "Floor":
                    floors.append(str(one.coefficient * one.quantity))
                    continue
                earlier = chosen.get(entry.name, Term(sympy.S.Zero, (), entry))
                quantities = tuple(dict.fromkeys((*earlier.quantities, str(one.quantity))))
                coefficient = sympy.factor(earlier.coefficient + multiple * one.factor)
                chosen[entry.name] = Term(coefficient, quantities, entry)
        order = [entry.name for entry in self.entries]
        terms = sorted(
            (term for term in chosen.values() if term.coefficient != 0), key=lambda t: order.index(t.surrogate.name)
        )
        plan = Plan(
            form=self.form,
            kind=self.kind,
            terms=tuple(terms),
            weight_symbol=self.weight_symbol,
            weight=self.form.weight,
            floors=tuple(floors),
        )
        proof = None if self.doubts else self.proof(plan, sympy.expand(constant))
        doubt = str(self.doubts[0]) if self.doubts else ""
        return dataclasses.replace(plan, guarantee=proof, doubt=doubt)

    def summands(self) -> list[tuple[Any, Any]]:
        """Return coefficient and quantity of each term, the loss first."""
        expression = sympy.expand(self.form.loss + self.weight * self.form.regularizer)
        found: dict[Any, Any] = {self.form.loss: sympy.S.Zero}
        for summand in sympy.Add.make_args(expression):
            quantities = summand.atoms(imeasure.Information) | summand.atoms(imeasure.Functional)
            if len(quantities) != 1:
                raise ConfigError(f"{summand} is not a multiple of one quantity, so no loss can be made of it")
            (quantity,) = quantities
            found[quantity] = found.get(quantity, 0) + summand.coeff(quantity)
        factored = ((sympy.factor(coefficient), quantity) for quantity, coefficient in found.items())
        return [(coefficient, quantity) for coefficient, quantity in factored if coefficient != 0]

    def bounded(self, coefficient: Any, quantity: Any) -> _Bounded:
        """Return a term's bound: of the preferred surrogates, else the tightest by default."""
        sign = sign_of(coefficient, self.model)
        factor = -coefficient if sign == -1 else coefficient
        named = frozenset(entry.name for entry in self.preferred)
        default = frozenset(entry.name for entry in self.entries if entry.is_default)
        for names in (named, default):
            found = self.found(quantity, sign, names, is_relaxed=False)
            if names is named:
                self.require_one(found, quantity)
            if found:
                return _Bounded(coefficient, quantity, factor, tightest(found, self.entries, self.model))
            relaxed = self.found(quantity, sign, names, is_relaxed=True)
            if relaxed:
                self.doubt(self.unsound(coefficient, quantity, relaxed[0]))
                return _Bounded(coefficient, quantity, factor, relaxed[0])
        if sign is None and (undecided := self.undecided(coefficient, quantity)) is not None:
            raise undecided
        raise ConfigError(self.no_fit(coefficient, quantity, sign))

    def found(
        self, quantity: Any, sign: int | None, names: frozenset[str], *, is_relaxed: bool
    ) -> tuple[Combination, ...]:
        """Return sound combinations, or those that zero-entropy noise would make sound."""
        if not names:
            return ()
        if not is_relaxed:
            usable = tuple(entry for entry in self.entries if self.kind in entry.latents)
            return combinations(quantity, sign, usable, self.model, self.roles.noise, names)
        usable = tuple(entry for entry in self.entries if self.kind in entry.computable)
        kind = self.kind if self.kind == "categorical" else "noisy"
        relaxed = facts(self.form, self.roles, kind, self.weight_symbol)
        found = combinations(quantity, sign, usable, relaxed, self.roles.noise, names)
        if found or sign != 1:
            return found
        replacing = (entry for entry in usable if entry.name in names and quantity in map(read, entry.replaces))
        return tuple(Combination(((1, entry),), sympy.S.Zero) for entry in replacing if not entry.is_default)

    def doubt(self, error: UnsoundLossError) -> None:
        """Refuse the loss, or remember why it has no guarantee."""
        if self.is_strict:
            raise error
        self.doubts.append(error)

    def unsound(self, coefficient: Any, quantity: Any, bound: Combination) -> UnsoundLossError:
        """Return what is missing for a bound that holds only with zero-entropy noise, or not at all."""
        term = _spelled(coefficient, quantity)
        main = bound.parts[0][1]
        if quantity in map(read, main.replaces) and self.kind in main.latents and main.quantity != str(quantity):
            missing = f"{main.name} is above {main.quantity}, which may be less than {quantity}"
            return UnsoundLossError(term, missing, f"name another surrogate, such as {self.sound_one(quantity)}")
        missing = f"{self.roles.noise} >= 0 is not available for a continuous latent"
        if self.kind not in main.latents:
            missing += f", and {main.axiom} is not known on a {self.kind} latent"
        return UnsoundLossError(term, missing, _NOISE)

    def sound_one(self, quantity: Any) -> str:
        """Return the name of a default surrogate that bounds a quantity from above."""
        default = frozenset(entry.name for entry in self.entries if entry.is_default)
        found = self.found(quantity, 1, default, is_relaxed=False)
        return found[0].parts[0][1].name if found else "none: there is no sound one on this latent"

    def undecided(self, coefficient: Any, quantity: Any) -> UnsoundLossError | None:
        """Return what would decide the sign of a coefficient, if a bound is known for either sign."""
        every = frozenset(entry.name for entry in self.entries)
        ranges = {symbol: values.interior for symbol, values in self.model.ranges}
        ways = []
        for sign in (1, -1):
            found = self.found(quantity, sign, every, is_relaxed=False)
            if found:
                condition = positive([sign * coefficient], imeasure.Model(ranges=ranges))
                ways.append(f"{found[0].parts[0][1].name} would do for {condition}")
        if not ways:
            return None
        missing = f"the sign of the coefficient {coefficient} is not decided ({', '.join(ways)})"
        remedy = "give the parameter its range: imeasure.simplify(..., model=imeasure.Model(..., ranges={...}))"
        return UnsoundLossError(_spelled(coefficient, quantity), missing, remedy)

    def no_fit(self, coefficient: Any, quantity: Any, sign: int | None) -> str:
        """Return the message for a term that no surrogate fits, with the nearest ones."""
        about = {variable.name for variable in quantity.atoms(imeasure.RandomVariable)}
        usable = [entry for entry in self.entries if self.kind in entry.computable]
        near = sorted(usable, key=lambda entry: len(about ^ _names(entry.quantity)))[:_NEAREST]
        listed = "; ".join(
            f"{e.name} ({e.side} {'value' if e.side == 'exact' else 'bound'} of {e.quantity})" for e in near
        )
        needed = {
            1: "its exact value or an upper bound",
            -1: "its exact value or a lower bound",
            None: "its exact value",
        }
        term = _spelled(coefficient, quantity)
        return f"no surrogate fits the term {term}, which needs {needed[sign]}; the nearest are {listed}"

    def require_one(self, found: tuple[Combination, ...], quantity: Any) -> None:
        """Refuse two preferred surrogates for one term."""
        mains = list(dict.fromkeys(bound.parts[0][1].name for bound in found))
        if len(mains) > 1:
            raise ConfigError(f"{' and '.join(mains)} both stand for {quantity}: name one of them")

    def require_use(self, bounded: list[_Bounded]) -> None:
        """Refuse a preferred surrogate that no term uses."""
        used = {entry.name for one in bounded for _, entry in one.bound.parts}
        for entry in self.preferred:
            if entry.name in used:
                continue
            if self.kind not in entry.computable:
                raise ConfigError(
                    f"{entry.name} cannot be computed on a {self.kind} latent, but on {', '.join(entry.computable)}"
                )
            fits = [text for text in _STANDARD if self.fits(read(text), entry)] if self.roles == Roles() else []
            stands = f"; it may stand for {', '.join(fits)}" if fits else ""
            raise ConfigError(f"the surrogate {entry.name} fits no term of {self.form.expression!s}{stands}")

    def fits(self, quantity: Any, entry: Surrogate) -> bool:
        """Return whether a surrogate bounds a quantity, or its negative."""
        names = frozenset([entry.name])
        return any(self.found(quantity, sign, names, is_relaxed=False) for sign in (1, -1))

    def proof(self, plan: Plan, constant: Any) -> Guarantee | None:
        """Return the proof of the whole loss."""
        used = [term.surrogate for term in plan.terms]
        loss = sympy.Add(*(term.coefficient * functional_of(term.surrogate) for term in plan.terms))
        form = self.form
        if as_constant(form.objective.expression - form.scale * form.expression, self.model) is None:
            missing = f"the canonical form stands on facts that a {self.kind} latent does not have: {form.model}"
            self.doubt(
                UnsoundLossError(str(form.objective), missing, "simplify the objective under a model without them")
            )
            return None
        axioms = axioms_of(used)
        relation = Guarantee.relation_of(form, self.weight, loss, constant)
        verdict = imeasure.check(relation, model=self.model, given=axioms, functionals=declared(used))
        if verdict.certificate is None:
            missing = f"{relation} is {verdict.status}"
            self.doubt(UnsoundLossError(str(form.expression), missing, "name other surrogates"))
            return None
        return Guarantee(form, self.model, self.weight, loss, constant, axioms, verdict.certificate)


def _weight_symbol(form: imeasure.CanonicalForm) -> Any:
    gamma = imeasure.param("gamma")
    return form.weight_symbol if gamma in form.objective.expression.free_symbols else gamma


def _spelled(coefficient: Any, quantity: Any) -> str:
    return str(quantity) if coefficient == 1 else str(coefficient * quantity)


@functools.cache
def _names(quantity: str) -> set[str]:
    return {variable.name for variable in read(quantity).atoms(imeasure.RandomVariable)}

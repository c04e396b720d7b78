"""From an objective to a loss: every term of the canonical form gets a surrogate that bounds it from the right side.

The canonical form comes from `imeasure.simplify`; which surrogate fits which term is data in `ibtrain.surrogates`. A
term with a negative coefficient takes only a surrogate that is exact or bounds it from below. The plan states the
side of each bound; that the whole loss bounds the objective is not proved here, and the plan says so.
"""

from collections.abc import Sequence
from typing import Any

import sympy

import imeasure
from ibtrain.bottlenecks import AdditiveNoise
from ibtrain.errors import ConfigError
from ibtrain.loss import Loss, Plan, Term
from ibtrain.surrogates import SURROGATES, Surrogate, surrogate


def compile(  # noqa: A001 - the public name says what it does
    form_or_text: imeasure.CanonicalForm | str,
    *,
    latent: AdditiveNoise | str,
    surrogates: Sequence[str] | str | None = None,
) -> Loss:
    """Turn an objective into a loss: one surrogate for each term of its canonical form.

    The regularizer's weight becomes the parameter `gamma` (the form's own weight symbol, if the objective uses that
    name), which can be set itself or through the objective's parameters. A weight on `SquaredNorm[Z]` is the weight on
    E||Z||^2 itself.

    Args:
        form_or_text: A canonical form, or an objective as text, which is simplified under
            `imeasure.supervised(latent=...)`.
        latent: Kind of latent, `"noisy"`, or the bottleneck that makes it.
        surrogates: Names of surrogates to prefer, or one name, each for the terms that it fits; by default the
            tightest.

    Returns:
        The loss, with its plan.

    Raises:
        ConfigError: If no surrogate fits a term (the nearest ones are listed), a named one fits none, two fit the
            same, or what was given is no objective or no known kind of latent.
        InformationError: Whatever `imeasure.simplify` raises on the text.

    References:
        Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 6.

    Example:
        >>> loss = compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy", surrogates=["LogVar[Z]"])
        >>> loss.plan.formula
        'CE[Y|Z] + gamma*LogVar[Z]'
        >>> loss
        Loss(CE[Y|Z] + gamma*LogVar[Z])
    """
    kind = "noisy" if isinstance(latent, AdditiveNoise) else latent
    kinds = sorted({kind for entry in SURROGATES.values() for kind in entry.latents})
    if kind not in kinds:
        raise ConfigError(f"there are no surrogates for a latent {kind!r}; possible: {', '.join(kinds)}")
    form = form_or_text
    if isinstance(form, str):
        form = imeasure.simplify(form, model=imeasure.supervised(latent="noisy"))
    if not isinstance(form, imeasure.CanonicalForm):
        raise ConfigError(f"compile needs an objective as text or a canonical form, not {form!r}")
    names = (surrogates,) if isinstance(surrogates, str) else surrogates or ()
    preferred = [surrogate(name) for name in dict.fromkeys(names)]
    weight_symbol = None if form.weight.is_number else _weight_symbol(form)
    weight = form.weight if weight_symbol is None else weight_symbol
    expression = sympy.expand(form.loss + weight * form.regularizer)
    chosen: dict[str, Term] = {}
    for summand in sympy.Add.make_args(expression):
        coefficient, quantity = _split(summand)
        entry = _fitting(quantity, coefficient, kind, preferred)
        earlier = chosen.get(entry.name, Term(sympy.Integer(0), (), entry))
        quantities = tuple(dict.fromkeys((*earlier.quantities, str(quantity))))
        chosen[entry.name] = Term(earlier.coefficient + coefficient, quantities, entry)
    for entry in preferred:
        if entry.name not in chosen:
            for term in chosen.values():
                if term.surrogate in preferred and set(term.quantities) & set(entry.stands_for):
                    raise ConfigError(
                        f"{term.surrogate.name} and {entry.name} both stand for {', '.join(term.quantities)}: "
                        "name one of them"
                    )
            raise ConfigError(
                f"the surrogate {entry.name} fits no term of {form.expression!s}; "
                f"it may stand for {', '.join(entry.stands_for)}"
            )
    order = list(SURROGATES)
    terms = sorted(
        (term for term in chosen.values() if term.coefficient != 0), key=lambda t: order.index(t.surrogate.name)
    )
    return Loss(Plan(form=form, terms=tuple(terms), weight_symbol=weight_symbol, weight=form.weight))


def _weight_symbol(form: imeasure.CanonicalForm) -> Any:
    gamma = imeasure.param("gamma")
    return form.weight_symbol if gamma in form.objective.expression.free_symbols else gamma


def _split(summand: Any) -> tuple[Any, Any]:
    quantities = summand.atoms(imeasure.Information) | summand.atoms(imeasure.Functional)
    if len(quantities) != 1:
        raise ConfigError(f"{summand} is not a multiple of one quantity, so no loss can be made of it")
    (quantity,) = quantities
    return sympy.factor(summand.coeff(quantity)), quantity


def _fitting(quantity: Any, coefficient: Any, kind: str, preferred: Sequence[Surrogate]) -> Surrogate:
    text = str(quantity)
    sides = ("exact", "lower") if coefficient.could_extract_minus_sign() else ("exact", "upper")
    candidates = [*preferred, *SURROGATES.values()]
    for entry in candidates:
        if text in entry.stands_for and entry.side in sides and kind in entry.latents:
            return entry
    about = {variable.name for variable in quantity.atoms(imeasure.RandomVariable)}
    near = [e for e in SURROGATES.values() if about & set(e.quantity) and kind in e.latents]
    listed = "; ".join(f"{e.name} ({e.side} bound of {e.quantity})" for e in near or SURROGATES.values())
    raise ConfigError(
        f"no surrogate fits the term {coefficient}*{text}, which needs {_needed(sides)}; the nearest are {listed}"
    )


def _needed(sides: tuple[str, ...]) -> str:
    return f"its exact value or {'a lower' if 'lower' in sides else 'an upper'} bound"

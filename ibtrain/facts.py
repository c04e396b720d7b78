"""What is known of an objective's variables once its latent is of a kind: the model that a loss is proved in.

Objectives call their variables as they like; who is input, target and latent follows from the graph and the loss term.
Zero-entropy noise is what makes entropies of a continuous latent behave as those of a discrete one: Kirsch, Lyle and
Gal, "Unpacking Information Bottlenecks" (2020), section 6.1.
"""

import dataclasses
import functools
from typing import Any

import sympy

import imeasure
from ibtrain.errors import ConfigError
from ibtrain.surrogates import KINDS, SURROGATES, Surrogate

_KINDS = {
    "noisy": "noisy",
    "additive": "continuous",
    "gaussian": "continuous",
    "categorical": "discrete",
    "dropout": "continuous",
    "noisy dropout": "noisy",
}
_CONSTANT_NOISE = ("noisy", "additive")
_STEPS = 10**6


@dataclasses.dataclass(frozen=True)
class Roles:
    """Who is who among an objective's variables.

    Args:
        inputs: What the encoder sees.
        target: What the decoder predicts.
        latent: The latent.
        decoder: What the decoder sees.
    """

    inputs: tuple[str, ...] = ("X",)
    target: tuple[str, ...] = ("Y",)
    latent: str = "Z"
    decoder: tuple[str, ...] = ("Z",)

    def entries(self, offered: tuple[Surrogate, ...] = ()) -> tuple[Surrogate, ...]:
        """Return surrogates in the objective's own variables.

        Args:
            offered: Entries of the user's, which take the place of those of the same name.

        Example:
            >>> roles = Roles(inputs=("X1",), target=("X2",), latent="Z1", decoder=("Z1",))
            >>> [entry.name for entry in roles.entries()][:2]
            ['CE[X2|Z1]', 'Prediction[X2|Z1]']
        """
        result: dict[str, Surrogate] = {}
        for entry in map(self.renamed, SURROGATES.values()):
            if len(entry.needs) < len(result.get(entry.name, entry).needs) or entry.name not in result:
                result[entry.name] = entry
        result.update({entry.name: entry for entry in map(self.renamed, offered)})
        return tuple(result.values())

    def renamed(self, entry: Surrogate) -> Surrogate:
        """Return a surrogate in the objective's own variables.

        Args:
            entry: The surrogate; what it says of X, Y and Z is said of inputs, target and latent, or of what the
                decoder sees if it needs the decoder's outputs.
        """
        return _renamed(self, entry)

    @property
    def noise(self) -> Any:
        """The entropy of the latent given its inputs."""
        return imeasure.Information([[self.latent]], list(self.inputs))


@functools.lru_cache(maxsize=512)
def _renamed(roles: Roles, entry: Surrogate) -> Surrogate:
    if roles == Roles():
        return entry
    own = {"X": roles.inputs, "Y": roles.target, "Z": (roles.latent,)}
    if "logits" in entry.needs and roles.decoder != (roles.latent,):
        return dataclasses.replace(entry, orders=()).renamed({**own, "Z": roles.decoder})
    return entry.renamed(own)


def roles_of(form: imeasure.CanonicalForm) -> Roles:
    """Return the roles of a form's variables.

    The loss term H[T|D] says what is predicted and from what. The latent is the variable in D, or behind it, that data
    lead to; its parents are the inputs.

    Args:
        form: A canonical form.

    Raises:
        ConfigError: If the loss is no conditional entropy, or no latent is behind it.

    Example:
        >>> roles_of(imeasure.simplify("min I[X;Z] - beta*I[Y;Z]"))
        Roles(inputs=('X',), target=('Y',), latent='Z', decoder=('Z',))
    """
    loss, model = form.loss, form.model
    if not isinstance(loss, imeasure.Information) or len(loss.groups) != 1 or not loss.given:
        raise ConfigError(
            f"a loss has one latent and one decoder, so the loss term is an entropy such as H[Y|Z], not {loss}: "
            "split the objective, and add the losses of its parts"
        )
    target = tuple(variable.name for variable in loss.groups[0])
    decoder = tuple(variable.name for variable in loss.given)
    behind = [name for name in decoder if name not in model.fixed]
    while behind:
        name = behind.pop(0)
        parents = tuple(source for source, aim in model.edges if aim == name)
        if set(parents) & set(model.fixed) or not model.nodes:
            return Roles(parents or ("X",), target, name, decoder)
        behind += [parent for parent in parents if parent not in model.fixed]
    raise ConfigError(f"no latent is behind {loss}: the model {model} has no variable that data lead to")


def facts(form: imeasure.CanonicalForm, roles: Roles, kind: str, weight: sympy.Symbol | None) -> imeasure.Model:
    """Return what may be used to prove that a loss bounds an objective.

    It is the graph, the data and the parameters' ranges of the form's model, assumptions that do not speak of the
    latent, and what the latent's kind adds: whether its entropies are at least 0, and whether the noise's is constant.

    Args:
        form: The canonical form.
        roles: Who is who.
        kind: The latent's kind.
        weight: The parameter that is the regularizer's weight; it may be any number that is not negative.

    Raises:
        ConfigError: If there is no such kind.

    Example:
        >>> form = imeasure.simplify("min I[X;Z] - beta*I[Y;Z]")
        >>> print(facts(form, Roles(), "noisy", imeasure.param("gamma")))
        X -> Z; Y -> X; fixed: X, Y, H[Z|X]; Z noisy; beta in Interval.open(1, oo); gamma in Interval(0, oo)
    """
    if kind not in KINDS:
        raise ConfigError(f"there are no surrogates for a latent {kind!r}; possible: {', '.join(KINDS)}")
    model = form.model
    ranges = {symbol: model.range(symbol).intersect(values) for symbol, values in form.conditions.sets}
    ranges = {symbol: _widened(values) for symbol, values in {**dict(model.ranges), **ranges}.items()}
    if weight is not None:
        ranges[weight] = sympy.Interval(0, sympy.oo)
    fixed = [*model.fixed, *([roles.noise] if kind in _CONSTANT_NOISE else [])]
    kept = [fact for fact in model.assumptions if roles.latent not in _variables(fact)]
    return imeasure.Model(
        model.digraph() if model.nodes else None,
        fixed=fixed,
        assume=kept,
        kinds={**dict(model.kinds), roles.latent: _KINDS[kind]},
        ranges=ranges,
        functionals=model.functionals,
    )


def _widened(values: sympy.Set) -> sympy.Set:
    """Return an interval that holds another and ends at fractions, which exact proofs need."""
    if not isinstance(values, sympy.Interval) or all(end.is_Rational or end.is_infinite for end in values.args[:2]):
        return values
    low, high = values.start, values.end
    low = low if low.is_Rational or low.is_infinite else sympy.floor(low * _STEPS) / _STEPS
    high = high if high.is_Rational or high.is_infinite else sympy.ceiling(high * _STEPS) / _STEPS
    return sympy.Interval(low, high, values.left_open, values.right_open)


def _variables(fact: imeasure.Relation | imeasure.Constraint) -> set[str]:
    if isinstance(fact, imeasure.Constraint):
        return {variable.name for group in (*fact.groups, fact.given) for variable in group}
    atoms = (expression.atoms(imeasure.RandomVariable) for expression in fact.expressions)
    return {variable.name for found in atoms for variable in found}

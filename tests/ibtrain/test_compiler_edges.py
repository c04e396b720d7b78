"""What a stranger may give to a loss: odd names, wrong targets, latents of another kind, and edges of numbers."""

import dataclasses
import json
import warnings

import pytest
import sympy
import torch
from torch import nn
from worlds import CLASSES, SIZE, same_as_source, world

from ibtrain import (
    AdditiveNoise,
    CategoricalBottleneck,
    ConfigError,
    DropoutBottleneck,
    GaussianBottleneck,
    UnsoundLossError,
    compile,  # noqa: A004 - the public name
)
from ibtrain.functional import decoder_cross_entropy
from ibtrain.guarantee import Guarantee
from ibtrain.loss import Loss
from ibtrain.plan import Term
from ibtrain.surrogates import Surrogate, surrogate
from imeasure import DerivationError

NAMES = ["noise", "shares", "counts", "members", "variance", "likelihood", "ce_y_z", "LOG_2_PI_E", "centres", "logits"]
NAMES += ["target", "torch", "lambda", "is", "len", "logvar_z_y", "alone", "noise_variance", "latent"]


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_may_have_any_name(name):
    loss = compile("min H[Y|Z] + a^2*H[Z|Y] + a*H[Z]", latent="gaussian")
    coefficient = sympy.Symbol(name) * (1 + sympy.Symbol(name + "_"))
    terms = (dataclasses.replace(term, coefficient=coefficient) for term in loss.plan.terms[1:])
    plan = dataclasses.replace(loss.plan, terms=(*loss.plan.terms[:1], *terms))
    assert same_as_source(Loss(plan), "gaussian", {name: 0.7, name + "_": 0.4})


def test_lines_are_shared_only_while_their_values_hold():
    plan = compile("min H[Y|Z]", latent="gaussian").plan
    terms = [Term(sympy.Integer(2), (), surrogate(name)) for name in ("CE[Z|Y]", "CE[Z]", "LogVar[Z]", "LogVar[Z|Y]")]
    one = dataclasses.replace(plan, terms=(*plan.terms, *terms))
    assert same_as_source(Loss(one, dimensions=SIZE, classes=CLASSES), "gaussian", {})


@pytest.mark.parametrize("name", ["class", "torch", "Tensor", "1", 3])
def test_a_function_is_called_by_a_free_name(name):
    with pytest.raises(ConfigError, match="a function cannot be called"):
        compile("min H[Y|Z]", latent="noisy").source(name)


@pytest.mark.parametrize("names", [None, "Exact[Y|Z]", "Prediction[Y|Z]"])
@pytest.mark.parametrize("samples", [1, 4])
def test_drawn_codes_have_code_of_their_own_and_codes_are_not_mistaken_for_them(names, samples):
    torch.manual_seed(0)
    bottleneck = CategoricalBottleneck(straight_through=True, samples=samples)
    latent, decoder = bottleneck(torch.randn(6, 4)), nn.Linear(4, 3)
    logits, target = decoder(latent.samples), torch.arange(6) % 3
    objective, given = "min I[X;Z] - beta*I[Y;Z]", {"log_probabilities": latent.log_probabilities}
    given |= {"logits": logits, "target": target, "gamma": 0.3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = compile(objective, latent=bottleneck, surrogates=names, guarantee="warn")
        other = compile(objective, latent="categorical", surrogates=names, guarantee="warn")
    namespace, enumerated = {}, {}
    exec(loss.source(), namespace)
    exec(other.source(), enumerated)
    code = namespace["loss"].__code__
    wanted = loss(latent, logits, target, gamma=0.3).total
    found = namespace["loss"](**{key: given[key] for key in code.co_varnames[: code.co_argcount]})
    torch.testing.assert_close(found, wanted)
    if names != "Exact[Y|Z]":
        with pytest.raises(ValueError, match="those of the K codes"):
            enumerated["loss"](**given)


@pytest.mark.parametrize("wrong", [-100, -1, CLASSES])
@pytest.mark.parametrize("kind", ["noisy", "categorical"])
@pytest.mark.parametrize("names", [None, "Prediction[Y|Z]", "InfoNCE[Y,Z]"])
def test_targets_outside_of_the_classes_are_never_scored(wrong, kind, names):
    if kind == "categorical" and names == "InfoNCE[Y,Z]":
        return
    one = world(kind, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = compile("min H[Y|Z]", latent=kind, surrogates=names, guarantee="warn")
    target = one.batch.target.clone()
    target[0] = wrong
    namespace = {}
    exec(loss.source(), namespace)
    given = {"logits": one.batch.logits, "target": target, "log_probabilities": one.batch.latent.log_probabilities}
    code = namespace["loss"].__code__
    with pytest.raises((IndexError, RuntimeError), match=r"out of (bounds|range)"):
        namespace["loss"](**{key: given[key] for key in code.co_varnames[: code.co_argcount]})
    with pytest.raises(ConfigError, match=r"classes from 0 to 2"):
        loss(one.batch.latent, one.batch.logits, target)


def test_a_parameter_cannot_be_called_self():
    loss = compile("min H[Y|Z] + a*H[Z|Y]", latent="noisy")
    terms = tuple(dataclasses.replace(term, coefficient=sympy.Symbol("self")) for term in loss.plan.terms)
    with pytest.raises(ConfigError, match="give it another name"):
        Loss(dataclasses.replace(loss.plan, terms=terms))


def test_ignored_targets_of_torch_are_scored_as_any_others_are_not():
    logits, target = torch.randn(2, 5, 3), torch.tensor([0, 1, 2, -100, 1])
    latent = AdditiveNoise(samples=2)(torch.randn(5, 4))
    with pytest.raises(ConfigError, match="leave out inputs that have no class"):
        compile("min H[Y|Z]", latent="noisy")(latent, logits, target)


MISFITS = [
    ("noisy", GaussianBottleneck(), "a tensor"),
    ("noisy", AdditiveNoise(variance=0.01), r"noise of variance 0\.01, whose entropy is negative"),
    ("noisy", CategoricalBottleneck(), "is categorical"),
    ("noisy", DropoutBottleneck(rate=0.5, variance=1.0), "is a dropout latent"),
    ("additive", GaussianBottleneck(), "a tensor"),
    ("gaussian", DropoutBottleneck(rate=0.5), "has no noise"),
    ("gaussian", DropoutBottleneck(rate=0.5, variance=1.0), "no closed form"),
    ("categorical", AdditiveNoise(), "has no log_probabilities"),
    ("dropout", CategoricalBottleneck(), "is categorical"),
    ("noisy dropout", DropoutBottleneck(rate=0.5, variance=0.01), "entropy is negative"),
]


@pytest.mark.parametrize(("kind", "bottleneck", "message"), MISFITS)
def test_a_latent_of_another_kind_is_refused(kind, bottleneck, message):
    latent = bottleneck(torch.randn(6, 4))
    logits = torch.zeros(*latent.samples.shape[:2], 3)
    with pytest.raises(ConfigError, match=message):
        compile("min H[Y|Z]", latent=kind)(latent, logits, torch.arange(6) % 3)
    assert compile("min H[Y|Z]", latent=bottleneck)(latent, logits, torch.arange(6) % 3).total > 0


def test_what_is_no_latent_and_logits_of_other_samples_are_refused():
    loss, latent = compile("min H[Y|Z]", latent="noisy"), AdditiveNoise(samples=2)(torch.randn(6, 4))
    target = torch.arange(6) % 3
    for wrong in (None, latent.samples, tuple(latent)):
        with pytest.raises(ConfigError, match=r"a loss needs the ibtrain\.Latent"):
            loss(wrong, torch.zeros(2, 6, 3), target)
    with pytest.raises(ConfigError, match=r"give decoder\(latent\.samples\)"):
        loss(latent, torch.zeros(3, 6, 3), target)
    for logits, classes, message in (
        (None, target, "logits must be a tensor, not NoneType"),
        (torch.zeros(2, 6, 3), target.tolist(), "target must be a tensor, not list"),
    ):
        with pytest.raises(ConfigError, match=message):
            loss(latent, logits, classes)
    with pytest.raises(ConfigError, match=r"give torch\.tensor\(target\)"):
        decoder_cross_entropy(torch.zeros(2, 6, 3), target.tolist())


def test_a_range_whose_ends_are_no_fractions_is_no_reason_to_fail():
    with pytest.raises(UnsoundLossError, match=r"the sign of the coefficient .* is not decided"):
        compile("min -0.3*I[X;Z] - 0.3*I[X;Z|Y] - b^2*H[Z|X]", latent="gaussian")


def own(**changes):
    entry = {"name": "Own[Z]", "quantity": "H[Z]", "side": "upper", "latents": ("noisy",), "formula": "f"}
    return Surrogate(**{**entry, "evaluate": lambda batch: batch.logits.mean(), **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 5}, "is called like a quantity"),
        ({"name": "H[Z]"}, r"call it OwnH\[Z\]"),
        ({"name": "I[Z]"}, "is the name of a quantity"),
        ({"name": "KL[Z]"}, "is the name of a quantity"),
        ({"quantity": 5}, "as text"),
        ({"evaluate": 5}, "a function evaluate"),
        ({"latents": "noisy"}, "latents of Own.* is a tuple of texts"),
        ({"orders": 5}, "orders of Own.* is a tuple of texts"),
    ],
)
def test_an_entry_that_cannot_be_one_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        own(**changes)


@pytest.mark.parametrize("name", ["CE[Z]", "Floor[Z]", "CE[Y|Z]"])
def test_heads_with_a_meaning_of_their_own_are_reserved(name):
    with pytest.raises(ConfigError, match="has a meaning of its own"):
        compile("min H[Y|Z] + a*H[Z]", latent="noisy", surrogates=[own(name=name)])
    assert compile("min H[Y|Z]", latent="noisy", surrogates=[surrogate("CE[Y|Z]")]).guarantee.verify()


def test_surrogates_that_are_no_list_are_refused():
    with pytest.raises(ConfigError, match="in a list, not 5"):
        compile("min H[Y|Z]", latent="noisy", surrogates=5)


@pytest.mark.parametrize("value", [torch.zeros(3), torch.tensor(1), None, 1.0])
def test_a_surrogate_returns_a_scalar(value):
    loss = compile("min H[Y|Z] + a*H[Z]", latent="noisy", surrogates=[own(evaluate=lambda batch: value)]).set(gamma=1)
    latent = AdditiveNoise()(torch.randn(6, 4))
    with pytest.raises(ConfigError, match=r"evaluate of Own\[Z\] must return a scalar tensor"):
        loss(latent, torch.zeros(1, 6, 3), torch.arange(6) % 3)


def test_straight_through_codes_can_be_mapped_over_with_gradients():
    weights, inputs = torch.randn(3, 4, 4), torch.randn(6, 4)
    bottleneck = CategoricalBottleneck(straight_through=True, samples=2)

    def value(weight):
        return (bottleneck(inputs @ weight).samples * torch.arange(4.0)).mean()

    gradients = torch.func.vmap(torch.func.grad(value), randomness="different")(weights)
    assert gradients.shape == weights.shape
    assert gradients.abs().sum() > 0


def test_signs_are_written_once_in_latex():
    plan = compile("min H[Y|Z]", latent="gaussian").plan
    term = Term(-sympy.Symbol("a"), (), surrogate("Noise[Z|X]"))
    assert "+ -" not in dataclasses.replace(plan, terms=(*plan.terms, term)).latex


def test_a_guarantee_that_says_what_it_does_not_prove_is_refused():
    guarantee = compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy").guarantee
    data = json.loads(guarantee.to_json())
    assert Guarantee.from_json(json.dumps(data)).verify()
    with pytest.raises(DerivationError, match="the guarantee says H"):
        Guarantee.from_json(json.dumps({**data, "relation": "H[Y|Z] <= 0"}))


def test_a_value_of_probability_zero_is_the_same_in_module_and_text():
    features = torch.randn(6, 4)
    features[0, 1] = -torch.inf
    latent, logits, target = CategoricalBottleneck()(features), torch.randn(4, 1, 3), torch.arange(6) % 3
    loss, namespace = compile("min I[X;Z] - beta*I[Y;Z]", latent="categorical"), {}
    exec(loss.source(), namespace)
    given = {"logits": logits, "target": target, "log_probabilities": latent.log_probabilities, "gamma": 0.3}
    torch.testing.assert_close(namespace["loss"](**given), loss(latent, logits, target, gamma=0.3).total)


@pytest.mark.parametrize("variance", [None, 0.1])
@pytest.mark.parametrize("name", ["LogVar[Z]", "LogVar[Z|Y]", "LogDet[Z]", "LogDet[Z|Y]"])
def test_a_dropout_latent_of_singular_covariance_is_the_same_in_module_and_text(name, variance):
    bottleneck = DropoutBottleneck(rate=0.5, samples=2, variance=variance)
    features = (torch.randn(8, 12, dtype=torch.float64) * (torch.arange(12) > 0)).requires_grad_()
    latent, target = bottleneck(features), torch.arange(8) % CLASSES
    logits, namespace = torch.randn(2, 8, CLASSES, dtype=torch.float64), {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = compile("min H[Y|Z] + gamma*H[Z]", latent="dropout", surrogates=name, guarantee="warn").set(b=0.1)
    exec(loss.source(), namespace)
    given = {"centres": latent.centres, "noise_variance": latent.noise_variance, "b": loss.values["b"]}
    values = loss(latent, logits, target).total, namespace["loss"](logits, target, **given)
    gradients = [torch.autograd.grad(value, features, retain_graph=True)[0] for value in values]
    assert values[0].isfinite()
    rounding = 1e-3 if variance is None and "LogDet" in name else 1e-9  # 1e-16 beside a floor of 1e-12, times the rank
    torch.testing.assert_close(values[1], values[0], rtol=rounding, atol=rounding)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=rounding, atol=rounding)

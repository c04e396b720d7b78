"""Bottleneck, surrogates, compiler and loss: what is printed is what is computed."""

import copy
import io
import math
import pickle

import pytest
import torch
from torch import nn

import imeasure
from ibtrain import AdditiveNoise, BottleneckNetwork, ConfigError, compile  # noqa: A004 - the public name
from ibtrain.networks import MLP

IB = "min I[X;Z] - beta*I[Y;Z]"
REGULARIZERS = ("LogVar[Z|Y]", "LogVar[Z]", "SquaredNorm[Z]")


@pytest.fixture
def batch():
    torch.manual_seed(0)
    network = BottleneckNetwork(MLP(6, [16], 4), AdditiveNoise(samples=2), nn.Linear(4, 3))
    inputs, target = torch.randn(12, 6), torch.arange(12) % 3
    return network, inputs, target


@pytest.mark.parametrize("name", REGULARIZERS)
def test_plan_and_terms_agree_and_every_parameter_has_a_gradient(batch, name):
    network, inputs, target = batch
    loss = compile(IB, latent="noisy", surrogates=[name]).set(gamma=0.5)
    latent, logits = network(inputs)
    value = loss(latent, logits, target)
    assert [term.surrogate.name for term in loss.plan.terms] == list(value.terms)
    assert [row[2] for row in loss.plan.rows()] == list(value.terms) == ["CE[Y|Z]", name]
    torch.testing.assert_close(value.total, value.terms["CE[Y|Z]"] + 0.5 * value.terms[name])
    assert loss.plan.formula == f"CE[Y|Z] + gamma*{name}"
    assert all(row[-1] == "proved" for row in loss.plan.rows())
    value.total.backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0


def test_the_weight_follows_from_the_objective_parameter(batch):
    network, inputs, target = batch
    loss = compile(IB, latent="noisy")
    latent, logits = network(inputs)
    by_beta = loss(latent, logits, target, beta=3.0).total
    assert torch.equal(by_beta, loss(latent, logits, target, gamma=0.5).total)
    assert torch.equal(by_beta, loss.set(beta=3)(latent, logits, target).total)
    beta = torch.tensor(3.0, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(latent, logits, target, beta=beta).total, beta)
    torch.testing.assert_close(gradient, -loss(latent, logits, target).terms["LogVar[Z|Y]"] / 4)


def test_parameters_are_saved_with_the_module(batch):
    network, inputs, target = batch
    latent, logits = network(inputs)
    first, second = compile(IB, latent="noisy").set(gamma=0.25), compile(IB, latent="noisy")
    with pytest.raises(ConfigError, match=r"needs a value for gamma: loss\.set\(gamma=\.\.\.\)"):
        second(latent, logits, target)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(latent, logits, target).total, second(latent, logits, target).total)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"beta": 0.5}, r"beta > 1, but beta = 0\.5"),
        ({"beta": 1}, r"beta > 1, but beta = 1\.0"),
        ({"gamma": -1.0}, "must not be negative"),
        ({"delta": 1.0}, "'delta' is not a parameter"),
        ({"beta": "x"}, "beta must be a number, not 'x'"),
        ({"gamma": True}, "gamma must be a number"),
        ({"gamma": math.inf}, "gamma must be finite"),
        ({"gamma": math.nan}, "gamma must be finite"),
        ({"gamma": 10**400}, "gamma must be finite"),
        ({"beta": 3, "gamma": 7}, "gamma follows from beta: give gamma alone"),
    ],
)
def test_wrong_parameters_are_refused_when_set_and_when_given_with_the_call(parameters, message, batch):
    network, inputs, target = batch
    loss = compile(IB, latent="noisy")
    with pytest.raises(ConfigError, match=message):
        loss.set(**parameters)
    with pytest.raises(ConfigError, match=message):
        loss(*network(inputs), target, **parameters)


def test_tensors_are_checked_when_they_are_set():
    loss = compile(IB, latent="noisy")
    assert loss.set(gamma=torch.tensor(0.25)).values["gamma"].item() == 0.25
    with pytest.raises(ConfigError, match="must not be negative"):
        loss.set(gamma=torch.tensor(-1.0))
    with pytest.raises(ConfigError, match="must be a number"):
        loss.set(gamma=torch.ones(2))


def _saved(module):
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)), _saved])
def test_a_loss_can_be_copied_pickled_and_saved_whole(again, batch):
    network, inputs, target = batch
    loss = compile(IB, latent="noisy", surrogates="LogVar[Z]").set(beta=11)
    latent, logits = network(inputs)
    other = again(loss)
    assert str(other.plan) == str(loss.plan)
    assert torch.equal(other(latent, logits, target).total, loss(latent, logits, target).total)
    assert torch.equal(other(latent, logits, target, beta=3).total, loss(latent, logits, target, gamma=0.5).total)
    other.set(gamma=5)
    assert loss.values["gamma"].item() == pytest.approx(0.1)
    file = io.BytesIO()
    torch.save(loss.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file))
    assert torch.equal(other.values["gamma"], loss.values["gamma"])


def test_the_plan_says_what_each_surrogate_bounds_and_shows_the_constant():
    plan = compile(IB, latent="noisy").plan
    assert [row[4] for row in plan.rows()] == ["upper of H[Y|Z]", "upper of H[Z|Y]"]
    assert str(plan.guarantee.constant) == "-gamma*H[Z|X]"
    assert "proved: H[Y|Z] + gamma*I[X;Z|Y] <= CE[Y|Z] - gamma*H[Z|X] + gamma*LogVar[Z|Y]" in str(plan)


def test_a_plan_names_each_quantity_once():
    rows = compile("min H[Z] - a*H[Z|X] - b*H[Z|X] - beta*I[Y;Z]", latent="noisy").plan.rows()
    assert [row[0] for row in rows] == ["H[Y|Z]", "H[Z|Y]", "H[Z|X]"]


def test_one_surrogate_is_enough_and_two_for_one_term_are_too_many():
    assert compile(IB, latent="noisy", surrogates="LogVar[Z]").plan.formula == "CE[Y|Z] + gamma*LogVar[Z]"
    with pytest.raises(ConfigError, match=r"LogVar\[Z\|Y\] and LogVar\[Z\] both stand for I\[X;Z\|Y\]: name one"):
        compile(IB, latent="noisy", surrogates=["LogVar[Z]", "LogVar[Z|Y]"])
    with pytest.raises(ConfigError, match="or a canonical form, not 3"):
        compile(3, latent="noisy")


@pytest.mark.parametrize(
    "objective",
    [
        "min I[X;Z] - beta*I[Y;Z]",
        "min I[X;Z] + beta*I[X;Y|Z]",
        "min H[Z] - beta*I[Y;Z]",
        "max I[Y;Z] - beta*I[X;Z]",
        "min I[X;Z|Y] - I[Y;Z]",
        "min H[Z] - a*H[Z|X] - beta*I[Y;Z]",
        "min H[Y|Z] + H[Z|Y]",
    ],
)
def test_the_objectives_of_the_paper_compile(objective, batch):
    network, inputs, target = batch
    loss = compile(objective, latent="noisy")
    latent, logits = network(inputs)
    values = dict.fromkeys(loss.parameter_names, 0.5)
    value = loss(latent, logits, target, **values)
    assert value.total.isfinite()
    assert next(iter(value.terms)) == "CE[Y|Z]"


def test_an_objective_that_fixes_its_weight_has_no_parameter():
    loss = compile("min I[X;Z|Y] - I[Y;Z]", latent="noisy")
    assert loss.weight_name is None
    assert loss.parameter_names == ()


def test_errors_name_the_nearest():
    with pytest.raises(ConfigError, match=r"did you mean 'LogVar\[Z\|Y\]'"):
        compile(IB, latent="noisy", surrogates=["LogVra[Z|Y]"])
    with pytest.raises(ConfigError, match=r"fits no term of .*; it may stand for H\[Z\|X\]"):
        compile(IB, latent="noisy", surrogates=["Noise[Z|X]"])
    with pytest.raises(ConfigError, match="no surrogates for a latent 'nosiy'"):
        compile(IB, latent="nosiy")
    with pytest.raises(ConfigError, match="'require' or 'warn'"):
        compile(IB, latent="noisy", guarantee="none")
    with pytest.raises(ConfigError, match=r"Rate\[Z\|X\] cannot be computed on a categorical latent"):
        compile(IB, latent="categorical", surrogates="Rate[Z|X]")
    form = imeasure.simplify("min H[Y|Z] + beta*H[X|Y,Z]")
    with pytest.raises(ConfigError, match="no surrogate fits the term"):
        compile(form.alternatives[0], latent="noisy")
    with pytest.raises(ConfigError, match=r"no surrogate fits the term H\[X\|Y,Z\].* nearest are [^;]*(;[^;]*){4}$"):
        compile("min H[Y|Z] - I[X;Z|Y]", latent="categorical")


def test_additive_noise_flattens_wraps_and_knows_its_entropy():
    torch.manual_seed(0)
    bottleneck = AdditiveNoise(nn.Conv2d(1, 2, 3), samples=4)
    latent = bottleneck(torch.randn(5, 1, 8, 8))
    assert latent.samples.shape == (4, 5, 72)
    assert latent.conditional_entropy == pytest.approx(0, abs=1e-12)
    assert AdditiveNoise(variance=1.0).entropy(3) == pytest.approx(1.5 * math.log(2 * math.pi * math.e))
    large = AdditiveNoise(variance=0.25, samples=4000)(torch.zeros(10, 3))
    assert (large.samples - large.mean).var().item() == pytest.approx(0.25, rel=0.02)
    assert AdditiveNoise()(torch.zeros(5)).samples.shape == (1, 5, 1)
    assert AdditiveNoise()(torch.zeros(5, 2, dtype=torch.bfloat16)).samples.dtype == torch.float32


@pytest.mark.parametrize("options", [{"variance": 0.0}, {"variance": math.nan}, {"samples": 0}])
def test_impossible_noise_is_refused(options):
    with pytest.raises(ConfigError):
        AdditiveNoise(**options)


def test_gamma_can_be_mapped_over(batch):
    network, inputs, target = batch
    loss = compile(IB, latent="noisy")
    latent, logits = network(inputs)
    gammas = torch.tensor([0.1, 1.0, 10.0])
    mapped = torch.func.vmap(lambda gamma: loss(latent, logits, target, gamma=gamma).total)(gammas)
    looped = torch.stack([loss(latent, logits, target, gamma=gamma).total for gamma in gammas])
    torch.testing.assert_close(mapped, looped)

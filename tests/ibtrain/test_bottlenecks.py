"""Every bottleneck: shapes, law of the samples, gradients, precision, evaluation, saving, refusals."""

import copy
import io
import math

import pytest
import torch
from torch import nn

from ibtrain import (
    AdditiveNoise,
    Bottleneck,
    CategoricalBottleneck,
    ConfigError,
    DropoutBottleneck,
    GaussianBottleneck,
    Latent,
)
from ibtrain.bottlenecks import ZERO_ENTROPY_VARIANCE

INPUTS = torch.linspace(-1, 1, 40).reshape(10, 4)


def layer(outputs=6):
    torch.manual_seed(0)
    return nn.Linear(4, outputs)


def dropout_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 6))


MAKERS = {
    "additive": lambda: AdditiveNoise(layer(), samples=3),
    "gaussian": lambda: GaussianBottleneck(layer(12), samples=3),
    "gaussian exp": lambda: GaussianBottleneck(layer(12), deviation="exp", samples=3),
    "categorical": lambda: CategoricalBottleneck(layer()),
    "straight-through": lambda: CategoricalBottleneck(layer(), straight_through=True, samples=3),
    "dropout": lambda: DropoutBottleneck(layer(), rate=0.3, samples=3),
    "noisy dropout": lambda: DropoutBottleneck(layer(), rate=0.3, samples=3, variance=0.1),
    "dropout network": lambda: DropoutBottleneck(dropout_network(), samples=3),
}


@pytest.fixture(params=MAKERS)
def bottleneck(request):
    return MAKERS[request.param]()


def test_no_bottleneck_is_left_out():
    assert {type(make()) for make in MAKERS.values()} == set(Bottleneck.__subclasses__())


def test_shapes_and_what_is_known_fit_together(bottleneck):
    latent = bottleneck(INPUTS)
    assert isinstance(latent, Latent)
    if latent.enumerated:
        assert torch.equal(latent.samples, torch.eye(6).unsqueeze(1))
        assert torch.allclose(latent.log_weights.exp().sum(dim=0), torch.ones(10))
    else:
        assert latent.samples.shape == (3, 10, 6)
        assert latent.log_weights is None
    if latent.mean is not None:
        assert latent.centres.shape[1:] == (10, 6)
        assert torch.equal(latent.centres[0], latent.mean if latent.mean.ndim == 2 else latent.mean[0])


def test_gradients_reach_every_parameter(bottleneck):
    latent = bottleneck(INPUTS)
    known = [value for value in (latent.samples, latent.log_probabilities) if value is not None]
    weights = torch.arange(6.0)
    sum((value * weights).sin().sum() for value in known).backward()
    for parameter in bottleneck.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
    assert bottleneck.layer is not None


def test_under_autocast_the_latent_is_float32(bottleneck):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        latent = bottleneck(INPUTS)
    for value in latent:
        if isinstance(value, torch.Tensor):
            assert value.dtype == torch.float32


def test_double_precision_is_kept(bottleneck):
    latent = bottleneck.double()(INPUTS.double())
    assert latent.samples.dtype == torch.float64


def test_evaluation_is_as_random_as_training(bottleneck):
    bottleneck.eval()
    one, two = bottleneck(INPUTS), bottleneck(INPUTS)
    assert torch.equal(one.samples, two.samples) == one.enumerated


def test_one_seed_one_latent_also_after_saving_and_copying(bottleneck):
    def draw(module):
        torch.manual_seed(3)
        return module.eval()(INPUTS).samples

    file = io.BytesIO()
    torch.save(bottleneck.state_dict(), file)
    file.seek(0)
    other = copy.deepcopy(bottleneck)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    other.load_state_dict(torch.load(file))
    assert torch.equal(draw(bottleneck), draw(other))


def test_any_feature_shape_is_flattened_and_a_vector_is_a_column():
    latent = AdditiveNoise()(torch.arange(24.0).reshape(2, 3, 4))
    assert torch.equal(latent.mean, torch.arange(24.0).reshape(2, 12))
    assert AdditiveNoise()(torch.zeros(5)).mean.shape == (5, 1)
    halves = GaussianBottleneck(deviation="exp")(torch.arange(16.0).reshape(1, 4, 2, 2) / 100)
    assert torch.equal(halves.mean, torch.arange(8.0).reshape(1, 8) / 100)
    assert torch.allclose(halves.noise_std, (torch.arange(8.0, 16.0) / 100).exp())


MANY = 40_000


@torch.no_grad()
def test_samples_have_the_law_that_the_latent_states():
    torch.manual_seed(1)
    for make in (
        lambda: AdditiveNoise(layer(), variance=0.3, samples=MANY),
        lambda: GaussianBottleneck(layer(12), samples=MANY),
    ):
        latent = make()(INPUTS)
        error = 5 * math.sqrt(float(torch.as_tensor(latent.noise_variance).max()) / MANY)
        assert (latent.samples.mean(dim=0) - latent.mean).abs().max() < error
        spread = (latent.samples - latent.mean).square().mean(dim=0)
        assert torch.allclose(spread, torch.as_tensor(latent.noise_variance).expand_as(spread), rtol=0.05)
    latent = CategoricalBottleneck(layer(), straight_through=True, samples=MANY)(INPUTS)
    assert (latent.samples.mean(dim=0) - latent.log_probabilities.exp()).abs().max() < 5 * 0.5 / math.sqrt(MANY)
    assert torch.equal(latent.samples.round(decimals=5).sum(dim=-1), torch.ones(MANY, 10))


def test_the_straight_through_gradient_is_that_of_the_probabilities():
    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    weights = torch.arange(5.0, dtype=torch.float64)
    latent = CategoricalBottleneck(straight_through=True)(logits)
    (gradient,) = torch.autograd.grad((latent.samples * weights).sum(), logits)
    (expected,) = torch.autograd.grad((logits.softmax(dim=1) * weights).sum(), logits)
    assert torch.allclose(gradient, expected)


def test_dropout_keeps_the_mean_and_drops_at_its_rate():
    torch.manual_seed(2)
    latent = DropoutBottleneck(rate=0.3, samples=MANY)(torch.ones(2, 3))
    assert (latent.samples == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert latent.samples.mean().item() == pytest.approx(1, abs=0.01)
    assert latent.noise_std is None
    noisy = DropoutBottleneck(rate=0.3, samples=MANY, variance=0.2)(torch.ones(2, 3))
    assert (noisy.samples - noisy.mean).square().mean().item() == pytest.approx(0.2, rel=0.02)
    assert noisy.noise_std == math.sqrt(0.2)


def test_only_dropout_stays_active_in_evaluation():
    bottleneck = DropoutBottleneck(dropout_network(), samples=8).eval()
    assert not bottleneck.layer[1].training
    assert bottleneck.layer[2].training
    before = bottleneck.layer[1].running_mean.clone()
    samples = bottleneck(INPUTS).samples
    assert samples.std(dim=0).min() > 0
    assert torch.equal(before, bottleneck.layer[1].running_mean)
    outer = nn.Sequential(bottleneck).train().eval()
    assert outer[0].layer[2].training


def test_noise_entropies_are_exact():
    assert AdditiveNoise()(INPUTS).conditional_entropy == pytest.approx(0, abs=1e-12)
    half = AdditiveNoise(variance=ZERO_ENTROPY_VARIANCE / 4)
    assert half(INPUTS).conditional_entropy == pytest.approx(-4 * math.log(2))
    assert half.entropy(100) == pytest.approx(-100 * math.log(2))
    gaussian = GaussianBottleneck(deviation="exp")(torch.cat([INPUTS, INPUTS], dim=1))
    expected = (0.5 * math.log(2 * math.pi * math.e) + INPUTS).sum(dim=1).mean()
    assert gaussian.conditional_entropy.item() == pytest.approx(expected.item(), rel=1e-5)
    categorical = CategoricalBottleneck()(torch.zeros(3, 8))
    assert categorical.conditional_entropy.item() == pytest.approx(math.log(8))


def test_kinds_say_which_facts_hold():
    assert AdditiveNoise().kind == "noisy"
    assert AdditiveNoise(variance=ZERO_ENTROPY_VARIANCE * 0.999).kind == "additive"
    assert GaussianBottleneck().kind == "gaussian"
    assert CategoricalBottleneck().kind == "categorical"
    assert DropoutBottleneck(rate=0.5).kind == "dropout"
    assert DropoutBottleneck(rate=0.5, variance=0.01).kind == "dropout"
    assert DropoutBottleneck(rate=0.5, variance=ZERO_ENTROPY_VARIANCE).kind == "noisy dropout"


def test_a_vanishing_deviation_is_held_at_its_floor():
    latent = GaussianBottleneck()(torch.tensor([[1.0, -400.0]]))
    assert latent.noise_std.item() == pytest.approx(1e-6)
    assert latent.conditional_entropy.isfinite()


def test_samples_differ_between_mapped_models_if_asked(bottleneck):
    def sample(inputs):
        return bottleneck.eval()(inputs).samples

    samples = torch.func.vmap(sample, randomness="different")(torch.stack([INPUTS, INPUTS]))
    assert torch.equal(samples[0], samples[1]) == bottleneck(INPUTS).enumerated


REFUSED = {
    "positive and finite": lambda: AdditiveNoise(variance=0.0),
    "finite, not nan": lambda: AdditiveNoise(variance=math.nan),
    "variance must be": lambda: DropoutBottleneck(rate=0.5, variance=-1.0),
    "at least one sample": lambda: AdditiveNoise(samples=0),
    "whole number": lambda: GaussianBottleneck(samples=1.5),
    "Module": lambda: AdditiveNoise(lambda x: x),
    "'softplus' or 'exp'": lambda: GaussianBottleneck(deviation="square"),
    "2K features": lambda: GaussianBottleneck()(torch.zeros(2, 3)),
    "leave samples out": lambda: CategoricalBottleneck(samples=2),
    "nothing is dropped": lambda: DropoutBottleneck(layer()),
    "dropout of its own": lambda: DropoutBottleneck(dropout_network(), rate=0.5),
    "between 0 and 1": lambda: DropoutBottleneck(rate=1.0),
    "batch dimension": lambda: AdditiveNoise()(torch.tensor(1.0)),
    "at least one number": lambda: AdditiveNoise()(torch.zeros(0, 4)),
    "floating-point": lambda: AdditiveNoise()(torch.zeros(2, 3, dtype=torch.long)),
    "no centres": lambda: CategoricalBottleneck()(INPUTS).centres,
    "closed form": lambda: DropoutBottleneck(rate=0.5, variance=1.0)(INPUTS).conditional_entropy,
}


@pytest.mark.parametrize("message", REFUSED)
def test_bad_options_and_features_are_refused(message):
    with pytest.raises(ConfigError, match=message):
        REFUSED[message]()

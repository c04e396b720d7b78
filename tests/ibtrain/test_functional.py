"""Every bound against its closed form and against laws of known entropy, in more than one dimension."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from ibtrain import functional

TWO_PI_E = 2 * math.pi * math.e


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_cross_entropies_equal_numpy():
    logits, target = draw(0, 3, 5, 4), torch.tensor([0, 3, 1, 1, 2])
    q = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(-1, keepdims=True)
    chosen = np.stack([q[:, b, y] for b, y in enumerate(target)], axis=1)
    assert functional.decoder_cross_entropy(logits, target).item() == pytest.approx(-np.log(chosen).mean(), rel=1e-12)
    expected = -np.log(chosen.mean(0)).mean()
    assert functional.prediction_cross_entropy(logits, target).item() == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_prediction_cross_entropy_is_below_decoder_cross_entropy(seed, samples):
    logits, target = draw(seed, samples, 6, 3), torch.arange(6) % 3
    prediction = functional.prediction_cross_entropy(logits, target)
    decoder = functional.decoder_cross_entropy(logits, target)
    assert prediction <= decoder + 1e-12
    if samples == 1:
        assert torch.isclose(prediction, decoder)


def test_log_variance_equals_numpy():
    latent = draw(1, 2, 7, 3) * torch.tensor([0.1, 1.0, 5.0])
    flat = latent.reshape(14, 3).numpy()
    expected = 0.5 * np.log(TWO_PI_E * (flat.var(0) + 0.3)).sum()
    assert functional.log_variance(latent, noise_variance=0.3).item() == pytest.approx(expected, rel=1e-12)


def test_conditional_log_variance_equals_numpy():
    latent, target = draw(2, 2, 9, 3), torch.tensor([0, 0, 0, 0, 2, 2, 2, 3, 3])
    expected = sum(
        (target == c).double().mean().item()
        * 0.5
        * np.log(TWO_PI_E * (latent[:, target == c].reshape(-1, 3).numpy().var(0) + 0.2)).sum()
        for c in (0, 2, 3)
    )
    value = functional.conditional_log_variance(latent, target, 5, noise_variance=0.2)
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_a_single_class_member_without_noise_joins_the_largest_class():
    latent, target = draw(3, 1, 6, 2), torch.tensor([0, 0, 0, 1, 2, 2])
    merged = torch.tensor([0, 0, 0, 0, 2, 2])
    value = functional.conditional_log_variance(latent, target, 3)
    assert torch.isclose(value, functional.conditional_log_variance(latent, merged, 3))
    assert value.isfinite()


def test_a_single_class_member_with_noise_has_the_entropy_of_the_noise():
    latent, target = draw(4, 1, 2, 3), torch.tensor([0, 1])
    value = functional.conditional_log_variance(latent, target, 2, noise_variance=0.5)
    assert value.item() == pytest.approx(1.5 * math.log(TWO_PI_E * 0.5), rel=1e-12)


@pytest.mark.parametrize("dimensions", [1, 2, 7])
def test_bounds_are_tight_for_the_gaussian_they_refer_to(dimensions):
    pairs = draw(5, 50_000, dimensions)
    latent = torch.cat([pairs, -pairs])
    latent = (latent / latent.square().mean(0).sqrt() * 0.7).unsqueeze(0)
    entropy = dimensions / 2 * math.log(TWO_PI_E * 0.49)
    assert functional.log_variance(latent).item() == pytest.approx(entropy, rel=1e-10)
    assert functional.squared_norm_bound(latent, scale=0.7).item() == pytest.approx(entropy, rel=1e-10)
    for scale in (0.3, 0.69, 0.71, 2.0):
        assert functional.squared_norm_bound(latent, scale=scale).item() > entropy


def mixture_entropy(means, variance, grid):
    density = np.mean([np.exp(-((grid - m) ** 2) / (2 * variance)) for m in means], 0)
    density /= math.sqrt(2 * math.pi * variance)
    logs = np.log(np.where(density > 0, density, 1))
    return -(density * logs).sum() * (grid[1] - grid[0])


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.floats(0.05, 2.0), st.floats(0.2, 3.0))
@settings(max_examples=30, deadline=None)
def test_all_bounds_lie_above_the_entropy_of_a_mixture(means, variance, scale):
    grid = np.linspace(-20, 20, 8001)
    target = torch.tensor([0, 0, 1, 1])
    column = torch.tensor(means, dtype=torch.float64)
    latent = torch.stack([column, column, column], dim=1).unsqueeze(0)
    independent = 3 * mixture_entropy(means, variance, grid)
    joint_latent = column.reshape(1, 4, 1)
    entropy = mixture_entropy(means, variance, grid)
    given_class = 0.5 * (mixture_entropy(means[:2], variance, grid) + mixture_entropy(means[2:], variance, grid))
    slack = 1e-6
    assert functional.log_variance(latent, noise_variance=variance).item() >= independent - slack
    assert functional.squared_norm_bound(latent, scale=scale, noise_variance=variance).item() >= independent - slack
    assert functional.log_variance(joint_latent, noise_variance=variance).item() >= entropy - slack
    bound = functional.conditional_log_variance(joint_latent, target, 2, noise_variance=variance)
    assert bound.item() >= given_class - slack
    assert bound <= functional.log_variance(joint_latent, noise_variance=variance) + slack


def test_analytic_noise_variance_is_the_limit_of_sampled_noise():
    means, target = 2 * draw(6, 1, 8, 3), torch.arange(8) % 2
    noisy = means + math.sqrt(0.4) * draw(7, 40_000, 8, 3)
    for bound in (
        functional.log_variance,
        functional.squared_norm,
        functional.squared_norm_bound,
        lambda latent, **noise: functional.conditional_log_variance(latent, target, 2, **noise),
    ):
        assert bound(means, noise_variance=0.4).item() == pytest.approx(bound(noisy).item(), rel=5e-3)


def test_the_factor_of_the_squared_norm_is_one_at_the_default_scale():
    latent = draw(8, 1, 5, 4)
    difference = functional.squared_norm_bound(latent) - functional.squared_norm(latent)
    assert difference.item() == pytest.approx(2 * math.log(math.pi), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_is_lifted(dtype):
    latent, target = draw(9, 1, 16, 3).to(dtype), torch.arange(16) % 4
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = functional.conditional_log_variance(latent, target, 4)
    assert value.dtype == torch.float32
    reference = functional.conditional_log_variance(latent.double(), target, 4)
    assert value.item() == pytest.approx(reference.item(), rel=1e-5)


def test_conditional_log_variance_maps_over_a_batch_of_models():
    latents, target = draw(10, 4, 1, 12, 3), torch.arange(12) % 5
    mapped = torch.func.vmap(lambda z: functional.conditional_log_variance(z, target, 5))(latents)
    looped = torch.stack([functional.conditional_log_variance(z, target, 5) for z in latents])
    assert torch.allclose(mapped, looped)

"""Values against independent references, and every bound on its side of the truth."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
from functionals import CLASSES, tensors
from hypothesis import given, settings, strategies as st
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal, kl_divergence

from ibtrain import functional as f
from imeasure import Distribution

T = tensors()
NOISE = T.variance.numpy()
POINTS = T.latent.numpy()
LABELS = T.target.numpy()
SAMPLES, BATCH, SIZE = POINTS.shape
SHARES = {c: count / BATCH for c, count in Counter(LABELS.tolist()).items()}


def covariance(chosen, noise):
    points = POINTS[:, chosen].reshape(-1, SIZE)
    centred = points - points.mean(0)
    return centred.T @ centred / len(points) + np.diag(noise[chosen].mean(0))


def gaussian(matrix):
    return MultivariateNormal(torch.zeros(len(matrix), dtype=torch.float64), torch.from_numpy(matrix)).entropy().item()


def test_moment_bounds_are_entropies_of_gaussians_with_the_moments_of_the_mixture():
    everything = np.ones(BATCH, dtype=bool)
    whole = covariance(everything, NOISE)
    parts = {c: covariance(c == LABELS, NOISE) for c in SHARES}
    assert f.log_determinant(T.latent, noise_variance=T.variance).item() == pytest.approx(gaussian(whole))
    assert f.log_variance(T.latent, noise_variance=T.variance).item() == pytest.approx(
        gaussian(np.diag(np.diag(whole)))
    )
    expected = sum(share * gaussian(parts[c]) for c, share in SHARES.items())
    value = f.conditional_log_determinant(T.latent, T.target, CLASSES, noise_variance=T.variance)
    assert value.item() == pytest.approx(expected)
    expected = sum(share * gaussian(np.diag(np.diag(parts[c]))) for c, share in SHARES.items())
    value = f.conditional_log_variance(T.latent, T.target, CLASSES, noise_variance=T.variance)
    assert value.item() == pytest.approx(expected)


def test_noise_may_be_one_number_one_per_dimension_or_one_per_input():
    per_dimension = torch.tensor([0.2, 0.5, 1.5], dtype=torch.float64)
    full = per_dimension.expand(BATCH, SIZE)
    number = torch.full((BATCH, SIZE), 0.3, dtype=torch.float64)
    for bound in (
        f.log_variance,
        f.log_determinant,
        f.squared_norm,
        f.squared_norm_bound,
        f.gaussian_kl_to_prior,
        f.pairwise_information_bound,
        f.pairwise_entropy_bound,
        lambda z, **k: f.conditional_log_variance(z, T.target, CLASSES, **k),
        lambda z, **k: f.conditional_log_determinant(z, T.target, CLASSES, **k),
        lambda z, **k: f.marginal_cross_entropy(z, mean=T.mean, log_scale=T.log_scale, **k),
        lambda z, **k: f.pairwise_conditional_entropy_bound(z, T.target, **k),
    ):
        assert torch.isclose(bound(T.latent, noise_variance=per_dimension), bound(T.latent, noise_variance=full))
        assert torch.isclose(bound(T.latent, noise_variance=0.3), bound(T.latent, noise_variance=number))


def test_the_determinant_of_a_singular_covariance_stays_a_finite_upper_bound():
    latent = torch.randn(1, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    value = f.log_determinant(latent)
    assert value.isfinite()
    assert torch.autograd.grad(value, latent)[0].isfinite().all()
    full = torch.randn(1, 50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    assert f.log_determinant(full).item() == pytest.approx(f.log_determinant(full, noise_variance=1e-300).item())
    assert f.log_determinant(full) >= f.log_determinant(full, noise_variance=1e-300)
    points, target = full[:, :7], torch.tensor([0, 0, 0, 1, 2, 2, 2])
    merged = f.conditional_log_determinant(points, torch.tensor([0, 0, 0, 0, 2, 2, 2]), 3)
    assert torch.isclose(f.conditional_log_determinant(points, target, 3), merged)


def test_cross_entropies_of_enumerated_samples_are_sums_over_the_codes():
    q = T.code_logits[:, 0].softmax(dim=1).numpy()
    p = T.log_probabilities.exp().numpy()
    decoder = -np.mean([sum(p[b, k] * math.log(q[k, y]) for k in range(SIZE)) for b, y in enumerate(LABELS)])
    prediction = -np.mean([math.log(sum(p[b, k] * q[k, y] for k in range(SIZE))) for b, y in enumerate(LABELS)])
    weights = T.log_probabilities.T
    wide = T.code_logits.expand(SIZE, BATCH, CLASSES)
    for logits in (T.code_logits, wide):
        assert f.decoder_cross_entropy(logits, T.target, log_weights=weights).item() == pytest.approx(decoder)
        assert f.prediction_cross_entropy(logits, T.target, log_weights=weights).item() == pytest.approx(prediction)


def test_equal_weights_are_no_weights():
    weights = torch.full((SAMPLES, BATCH), -math.log(SAMPLES), dtype=torch.float64)
    for loss in (f.decoder_cross_entropy, f.prediction_cross_entropy):
        assert torch.isclose(loss(T.logits, T.target), loss(T.logits, T.target, log_weights=weights))


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 5))
@settings(max_examples=20)
def test_categorical_entropies_are_those_of_the_joint_distribution(seed, size, classes):
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(7, size, generator=generator, dtype=torch.float64).mul(3).log_softmax(dim=1)
    target = torch.randint(classes, (7,), generator=generator)
    pmf = np.zeros((7, classes, size))
    pmf[np.arange(7), target.numpy()] = table.exp().numpy() / 7
    joint = Distribution(pmf, "X Y Z", normalize=True)
    expected = {
        "H[Y|Z]": f.decoder_uncertainty(table, target, classes),
        "H[Z]": f.categorical_entropy(table),
        "H[Z|Y]": f.categorical_conditional_entropy(table, target, classes),
        "H[Z|X]": f.categorical_noise_entropy(table),
        "I[X;Z]": f.categorical_information(table),
        "I[X;Z|Y]": f.categorical_conditional_information(table, target, classes),
        "I[Y;Z]": f.categorical_label_information(table, target, classes),
    }
    for quantity, value in expected.items():
        assert value.item() == pytest.approx(joint.value(quantity), abs=1e-12), quantity


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_the_optimal_decoder_attains_the_decoder_uncertainty_and_no_other_is_below(seed):
    values = tensors(seed)
    uncertainty = f.decoder_uncertainty(values.log_probabilities, values.target, CLASSES)
    weights = values.log_probabilities.T
    joint = weights.exp() @ torch.nn.functional.one_hot(values.target, CLASSES).double()
    optimal = (joint / joint.sum(dim=1, keepdim=True)).log().clamp(min=-700).unsqueeze(1)
    found = f.decoder_cross_entropy(optimal, values.target, log_weights=weights)
    assert found.item() == pytest.approx(uncertainty.item(), rel=1e-12)
    other = f.decoder_cross_entropy(values.code_logits, values.target, log_weights=weights)
    assert other >= uncertainty
    assert f.prediction_cross_entropy(values.code_logits, values.target, log_weights=weights) <= other


def test_hard_assignments_have_finite_gradients():
    logits = torch.tensor([[0.0, -math.inf], [-math.inf, 0.0]], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0, 1])
    for value in (
        f.categorical_information(logits.log_softmax(dim=1)),
        f.categorical_conditional_information(logits.log_softmax(dim=1), target, 2),
        f.decoder_uncertainty(logits.log_softmax(dim=1), target, 2),
    ):
        assert torch.autograd.grad(value, logits)[0].isfinite().all()


def encoder(variance):
    return Independent(Normal(T.latent, variance.sqrt()), 1)


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5])
def test_the_divergence_from_the_prior_is_that_of_torch(scale):
    prior = Independent(Normal(torch.zeros(SIZE, dtype=torch.float64), scale), 1)
    expected = kl_divergence(encoder(T.variance), prior.expand((SAMPLES, BATCH))).mean()
    value = f.gaussian_kl_to_prior(T.latent, noise_variance=T.variance, scale=scale)
    assert value.item() == pytest.approx(expected.item())


def test_the_divergence_from_the_prior_is_the_norm_less_the_noise_entropy():
    """E KL(p(z|x) || N(0, s^2 I)) = E||Z||^2/(2 s^2) + K/2 ln(2 pi s^2) - H[Z|X], for every s and K."""
    for scale in (0.5, 2.0):
        bound = f.squared_norm_bound(T.latent, scale=scale, noise_variance=T.variance)
        value = f.gaussian_kl_to_prior(T.latent, noise_variance=T.variance, scale=scale)
        assert torch.isclose(value, bound - f.gaussian_noise_entropy(T.variance))


def test_noise_entropies_are_those_of_torch():
    entropies = Independent(Normal(torch.zeros(BATCH, SIZE), T.variance.sqrt()), 1).entropy()
    assert torch.allclose(f.gaussian_entropy(T.variance), entropies)
    assert torch.isclose(f.gaussian_noise_entropy(T.variance), entropies.mean())


def cross_entropy(p, q):
    return p.entropy() + kl_divergence(p, q)


def test_learned_gaussians_give_the_cross_entropy_of_torch():
    marginal = Independent(Normal(T.mean, T.log_scale.exp()), 1)
    expected = cross_entropy(encoder(T.variance), marginal.expand((SAMPLES, BATCH))).mean()
    value = f.marginal_cross_entropy(T.latent, mean=T.mean, log_scale=T.log_scale, noise_variance=T.variance)
    assert value.item() == pytest.approx(expected.item())
    sampled = f.marginal_cross_entropy(T.latent, mean=T.mean, log_scale=T.log_scale)
    assert sampled.item() == pytest.approx(-marginal.log_prob(T.latent).mean().item())
    backward = Independent(Normal(T.means[T.target], T.log_scales[T.target].exp()), 1)
    expected = cross_entropy(encoder(T.variance), backward.expand((SAMPLES, BATCH))).mean()
    value = f.class_conditional_cross_entropy(
        T.latent, T.target, means=T.means, log_scales=T.log_scales, noise_variance=T.variance
    )
    assert value.item() == pytest.approx(expected.item())


def test_a_learned_mixture_gives_the_density_of_torch():
    mixture = MixtureSameFamily(Categorical(logits=T.weights), Independent(Normal(T.means, T.log_scales.exp()), 1))
    value = f.mixture_marginal_cross_entropy(T.latent, means=T.means, log_scales=T.log_scales, logits=T.weights)
    assert value.item() == pytest.approx(-mixture.log_prob(T.latent).mean().item())


@pytest.mark.parametrize("per_input", [True, False])
def test_pairwise_bounds_are_sums_over_all_pairs(per_input):
    variance = T.variance if per_input else torch.full_like(T.variance, 0.7)
    gaussians = [
        Independent(Normal(T.latent[s, b], variance[b].sqrt()), 1) for s, b in itertools.product(range(2), range(BATCH))
    ]
    labels = [*LABELS, *LABELS]
    divergence = np.array([[kl_divergence(p, q).item() for q in gaussians] for p in gaussians])
    everyone = -np.mean([math.log(np.mean(np.exp(-row))) for row in divergence])
    same = np.equal.outer(labels, labels)
    classmates = -np.mean([math.log(np.mean(np.exp(-row[own]))) for row, own in zip(divergence, same, strict=True)])
    noise = variance if per_input else 0.7
    entropy = np.mean([p.entropy().item() for p in gaussians])
    assert f.pairwise_information_bound(T.latent, noise_variance=noise).item() == pytest.approx(everyone)
    assert f.pairwise_entropy_bound(T.latent, noise_variance=noise).item() == pytest.approx(everyone + entropy)
    value = f.pairwise_conditional_information_bound(T.latent, T.target, noise_variance=noise)
    assert value.item() == pytest.approx(classmates)
    value = f.pairwise_conditional_entropy_bound(T.latent, T.target, noise_variance=noise)
    assert value.item() == pytest.approx(classmates + entropy)


def test_pairwise_bounds_do_not_lose_digits_far_from_the_origin():
    near = T.latent.float()
    value = f.pairwise_information_bound(near + 1000.0, noise_variance=0.7)
    moved = (near + 1000.0).double() - 1000.0
    assert value.item() == pytest.approx(f.pairwise_information_bound(moved, noise_variance=0.7).item(), rel=1e-6)


def test_info_nce_is_the_mean_log_share_of_the_right_candidate():
    scores = T.scores.numpy()
    expected = np.mean([row[i] - math.log(np.mean(np.exp(row))) for i, row in enumerate(scores)])
    assert f.info_nce(T.scores).item() == pytest.approx(expected)
    wide = f.info_nce(T.scores[:4], positives=torch.tensor([3, 2, 1, 0]))
    expected = np.mean([scores[i, 3 - i] - math.log(np.mean(np.exp(scores[i]))) for i in range(4)])
    assert wide.item() == pytest.approx(expected)
    assert f.info_nce(50 * T.scores) <= math.log(BATCH)


def test_info_nce_lies_below_the_information_of_a_gaussian_pair():
    rho, size = 0.8, 16
    information = -0.5 * math.log(1 - rho**2)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3000, size, generator=generator, dtype=torch.float64)
    z = rho * x + math.sqrt(1 - rho**2) * torch.randn(3000, size, generator=generator, dtype=torch.float64)
    conditional = Normal(rho * x.unsqueeze(1), math.sqrt(1 - rho**2))
    best = torch.stack([f.info_nce(s) for s in conditional.log_prob(z.unsqueeze(2))])
    error = best.std().item() / math.sqrt(len(best))
    assert 0.8 * information < best.mean().item() < information + 2 * error
    wrong = torch.stack([f.info_nce(-s) for s in conditional.log_prob(z.unsqueeze(2))[:300]])
    assert wrong.mean().item() < 0


GRID = np.linspace(-16, 16, 321)
PLANE = torch.from_numpy(np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 2))
CELL = (GRID[1] - GRID[0]) ** 2


def plane_entropy(means, variances):
    """The entropy of a mixture of Gaussians in two dimensions, by integration."""
    logs = Normal(means[:, None], variances[:, None].sqrt()).log_prob(PLANE).sum(-1)
    log_density = logs.logsumexp(0) - math.log(len(means))
    return -(log_density.exp() * log_density).sum().item() * CELL


@given(st.integers(0, 10_000), st.floats(0.2, 3.0), st.floats(0.3, 3.0))
@settings(max_examples=12)
def test_upper_bounds_lie_above_the_entropies_of_a_mixture_in_the_plane(seed, spread, scale):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    means, variances, target = spread * draw(6, 2), (draw(6, 2) / 2).exp(), torch.tensor([0, 0, 0, 1, 1, 2])
    latent = means.unsqueeze(0)
    entropy = plane_entropy(means, variances)
    conditional = sum(
        (target == c).double().mean().item() * plane_entropy(means[target == c], variances[target == c])
        for c in range(3)
    )
    noise = f.gaussian_noise_entropy(variances).item()
    upper = {
        "log_variance": f.log_variance(latent, noise_variance=variances),
        "log_determinant": f.log_determinant(latent, noise_variance=variances),
        "squared_norm_bound": f.squared_norm_bound(latent, scale=scale, noise_variance=variances),
        "marginal": f.marginal_cross_entropy(latent, mean=draw(2), log_scale=draw(2), noise_variance=variances),
        "pairwise": f.pairwise_entropy_bound(latent, noise_variance=variances),
        "prior": f.gaussian_kl_to_prior(latent, noise_variance=variances, scale=scale) + noise,
        "pairwise information": f.pairwise_information_bound(latent, noise_variance=variances) + noise,
    }
    for name, value in upper.items():
        assert value.item() >= entropy - 1e-6, name
    upper = {
        "log_variance": f.conditional_log_variance(latent, target, 3, noise_variance=variances),
        "log_determinant": f.conditional_log_determinant(latent, target, 3, noise_variance=variances),
        "pairwise": f.pairwise_conditional_entropy_bound(latent, target, noise_variance=variances),
        "backward": f.class_conditional_cross_entropy(
            latent, target, means=draw(3, 2), log_scales=draw(3, 2), noise_variance=variances
        ),
        "information": f.pairwise_conditional_information_bound(latent, target, noise_variance=variances) + noise,
    }
    for name, value in upper.items():
        assert value.item() >= conditional - 1e-6, name


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=20)
def test_the_bounds_are_ordered_as_hadamard_and_conditioning_say(seed, size):
    t = tensors(seed, size=size)
    noise = {"noise_variance": t.variance}
    whole, diagonal = f.log_determinant(t.latent, **noise), f.log_variance(t.latent, **noise)
    classes = f.conditional_log_determinant(t.latent, t.target, CLASSES, **noise)
    assert classes <= whole + 1e-12
    assert whole <= diagonal + 1e-12
    assert classes <= f.conditional_log_variance(t.latent, t.target, CLASSES, **noise) + 1e-12
    assert f.conditional_log_variance(t.latent, t.target, CLASSES, **noise) <= diagonal + 1e-12
    best = t.latent.flatten(0, 1)
    variance = (best.var(dim=0, correction=0) + t.variance.mean(dim=0)).log() / 2
    fitted = f.marginal_cross_entropy(t.latent, mean=best.mean(dim=0), log_scale=variance, **noise)
    assert torch.isclose(fitted, diagonal)
    assert f.pairwise_information_bound(t.latent, **noise) <= math.log(2 * BATCH) + 1e-12

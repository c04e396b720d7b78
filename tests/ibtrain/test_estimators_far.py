"""The mixture estimator where means lie extremely far apart, or the noise is tiny: exact, or at least never NaN."""

import math

import numpy as np
import pytest
import torch

from ibtrain.estimators import mixture
from ibtrain.estimators.components import Components
from ibtrain.estimators.pairwise import closed_bounds
from ibtrain.estimators.posterior import posterior


def outlier(size, width, generator, far=1e11):
    means = torch.randn(size, width, generator=generator, dtype=torch.float64)
    means[-1] = far
    return means


def pairs(size, width, generator, apart=1e7):
    centres = apart * torch.randn(size // 2, width, generator=generator, dtype=torch.float64)
    shift = torch.randn(size, width, generator=generator, dtype=torch.float64) / math.sqrt(width)
    return centres.repeat_interleave(2, 0) + shift


@pytest.mark.parametrize("own_noise", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("small", [4096, 0], ids=["float64", "float32"])
@pytest.mark.parametrize("width", [1, 10])
@pytest.mark.parametrize("place", [outlier, pairs])
def test_far_means_equal_direct_differences(monkeypatch, place, width, small, own_noise):
    monkeypatch.setattr("ibtrain.estimators.components.SMALL", small)
    generator = torch.Generator().manual_seed(0)
    means = place(600, width, generator)
    labels = (torch.arange(600) % 2).sort().values
    means = means[torch.randperm(600, generator=generator)]
    variance = torch.ones(600, width, dtype=torch.float64)
    if own_noise:
        variance += torch.rand(600, width, generator=generator, dtype=torch.float64)
    chosen = torch.arange(600)
    noise = variance.sqrt() * torch.randn(600, width, generator=generator, dtype=torch.float64)
    rows = means + noise
    components = Components(means, variance if own_noise else None, labels)
    floor = (noise.square() / variance + variance.log()).sum(1) / -2
    found = posterior(rows, floor, components)
    delta = (means[:, None] - means).square()
    weights = ((means[:, None] - means + noise[:, None]).square() / variance + variance.log()).sum(2) / -2
    shares = torch.softmax(weights, dim=1)
    tolerance = 1e-6 if small else 1e-4
    error = found.component_entropy() - torch.special.entr(shares).sum(1)
    assert float(error.mean()) == pytest.approx(0, abs=1e-6)
    assert float(error.abs().max()) < tolerance
    by_class = torch.stack([shares[:, labels == label].sum(1) for label in (0, 1)], dim=1)
    error = found.class_entropy() - torch.special.entr(by_class).sum(1)
    assert float(error.mean()) == pytest.approx(0, abs=1e-6)
    assert float(error.abs().max()) < tolerance
    middle = (variance[:, None] + variance) / 2
    distance = (delta / middle / 8 + (middle.square() / (variance[:, None] * variance)).log() / 4).sum(2)
    divergence = ((delta + variance[:, None]) / variance - 1 - (variance[:, None] / variance).log()).sum(2) / 2
    for side, gaps in zip(
        closed_bounds(components, chosen, 0.0, with_labels=True), (distance, divergence), strict=True
    ):
        total = math.log(600) - float((-gaps).logsumexp(1).mean())
        inside = gaps.masked_fill(labels[:, None] != labels, math.inf)
        assert side["I[X;Z]"].value == pytest.approx(total, abs=1e-6)
        assert side["I[X;Z|Y]"].value == pytest.approx(math.log(300) - float((-inside).logsumexp(1).mean()), abs=1e-6)


@pytest.mark.parametrize("size", [100, 4500])
@pytest.mark.parametrize(
    ("scale", "variance"), [(1e19, 1.0), (1e99, 1.0), (1.0, 1e-39), (1.0, 1e-320), (1e99, 1e-320), (1e90, "own")]
)
def test_samples_told_apart_have_the_information_of_their_number(size, scale, variance):
    rng = np.random.default_rng(1)
    means = scale * rng.standard_normal((size, 3))
    noise = np.exp(rng.standard_normal((size, 1))) if variance == "own" else variance
    found = mixture(means, noise, np.arange(size) % 2, samples=50)
    assert found["I[X;Z]"].value == pytest.approx(math.log(size), abs=1e-9)
    assert found["I[Y;Z]"].value == pytest.approx(math.log(2), abs=1e-9)
    assert math.isfinite(found["H[Z]"].value)
    for bounds in (found.lower, found.upper):
        assert bounds["I[X;Z|Y]"].value == pytest.approx(math.log(size / 2), abs=1e-9)
        assert bounds["I[X;Z]"].value <= math.log(size)


@pytest.mark.parametrize("spread", [0.5, 2.0, 100.0])
def test_rounding_never_puts_a_bound_beyond_the_cap_or_the_other_bound(spread):
    means = spread * np.random.default_rng(0).standard_normal((4500, 30))
    found = mixture(means, 1.0, samples=300)
    assert found.lower["I[X;Z]"].value <= found.upper["I[X;Z]"].value <= math.log(4500)

"""The mixture estimator against brute force, closed forms, and its own identities and bounds."""

import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from ibtrain.estimators import mixture
from ibtrain.estimators.components import Block, Bundle, Components, cut
from ibtrain.estimators.mixtures import stratified
from ibtrain.estimators.pairwise import closed_bounds
from ibtrain.estimators.posterior import posterior
from imeasure.errors import ConfigError, UndefinedQuantityError

ZERO_ENTROPY = 1 / (2 * math.pi * math.e)
PLANE = ["H[Z]", "H[Z|X]", "I[X;Z]", "H[Z|Y]", "I[Y;Z]", "I[X;Z|Y]", "H[Y|Z]", "I[X;Y|Z]"]


def problem(size, width, spread, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(size) % 3
    means = spread * torch.randn(size, width, generator=generator, dtype=torch.float64)
    return means + spread * labels[:, None], labels, generator


def noises(width, size, generator):
    random = torch.rand(size, width, generator=generator, dtype=torch.float64)
    return [ZERO_ENTROPY, 0.02 + random[0] / 10, 0.02 + random[:, :1] / 10, 0.02 + random / 10]


@pytest.mark.parametrize("kind", range(4))
@pytest.mark.parametrize(("width", "spread"), [(1, 1.0), (5, 0.3), (60, 0.06)])
def test_agrees_with_naive_monte_carlo(kind, width, spread):
    means, labels, generator = problem(240, width, spread)
    noise = noises(width, 240, generator)[kind]
    found = mixture(means, noise, labels, samples=4000)
    variance = torch.as_tensor(noise, dtype=torch.float64).expand(240, width)
    origin = torch.randint(240, (3000,), generator=generator)
    z = means[origin] + variance[origin].sqrt() * torch.randn(3000, width, generator=generator, dtype=torch.float64)
    terms = ((z[:, None] - means) ** 2 / variance + (2 * math.pi * variance).log()).sum(2) / -2
    total = terms.logsumexp(1) - math.log(240)
    same = labels[origin][:, None] == labels
    inside = terms.masked_fill(~same, -math.inf).logsumexp(1) - same.sum(1).log()
    own = terms.gather(1, origin[:, None])[:, 0]
    naive = {"H[Z]": -total, "H[Z|Y]": -inside, "I[X;Z]": own - total, "I[Y;Z]": inside - total, "H[Z|X]": -own}
    for quantity, values in naive.items():
        error = math.hypot(float(values.std()) / math.sqrt(3000), found[quantity].standard_error)
        assert abs(found[quantity].value - float(values.mean())) < 4.5 * error + 1e-9


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(1, 8), st.floats(0.01, 30), st.integers(0, 10**6))
def test_identities_caps_and_bounds(size, width, spread, seed):
    means, labels, _ = problem(size, width, spread, seed)
    found = mixture(means, ZERO_ENTROPY, labels, samples=3 * size, seed=seed)
    value = {q: found[q].value for q in PLANE}
    assert value["H[Z]"] == pytest.approx(value["H[Z|X]"] + value["I[X;Z]"], abs=1e-9)
    assert value["I[X;Z]"] == pytest.approx(value["I[Y;Z]"] + value["I[X;Z|Y]"], abs=1e-9)
    assert value["H[Y|Z]"] == value["I[X;Y|Z]"]
    shares = torch.bincount(labels).double() / size
    entropy = float(torch.special.entr(shares).sum())
    assert value["H[Y|Z]"] + value["I[Y;Z]"] == pytest.approx(entropy, abs=1e-9)
    assert -1e-9 <= value["I[X;Z]"] <= math.log(size) + 1e-9
    assert value["I[Y;Z]"] <= entropy + 1e-9
    for quantity in ("H[Z]", "I[X;Z]", "H[Z|Y]", "I[X;Z|Y]"):
        slack = 6 * found[quantity].standard_error + 1e-9
        assert found.lower[quantity].value <= value[quantity] + slack
        assert value[quantity] <= found.upper[quantity].value + slack


@pytest.mark.parametrize("width", [1, 10, 100])
def test_noise_of_zero_entropy_adds_none(width):
    found = mixture(torch.zeros(500, width), ZERO_ENTROPY)
    assert found["H[Z|X]"].value == pytest.approx(0, abs=1e-9)
    assert found["H[Z]"].value == pytest.approx(0, abs=1e-6)
    apart = mixture(100.0 * torch.arange(500)[:, None].expand(500, width), ZERO_ENTROPY)
    assert apart["H[Z]"].value == pytest.approx(math.log(500), abs=1e-9)
    assert apart["I[X;Z]"].value == apart["H[Z]"].value - apart["H[Z|X]"].value
    assert any("ln N" in flag for flag in apart["I[X;Z]"].flags)


@pytest.mark.parametrize(("width", "spread", "centre"), [(1, 1.0, 0), (20, 0.2, 1e3), (100, 0.06, 0), (100, 1.0, 1e4)])
def test_float32_tiles_match_float64_brute_force(monkeypatch, width, spread, centre):
    monkeypatch.setattr("ibtrain.estimators.components.SMALL", 0)
    means, labels, generator = problem(1500, width, spread)
    order = torch.sort(labels, stable=True).indices
    means, labels = (means[order] + centre) / math.sqrt(ZERO_ENTROPY), labels[order]
    origin = torch.arange(0, 1500, 5)
    noise = torch.randn(300, width, generator=generator, dtype=torch.float64)
    rows = means[origin] + noise
    found = posterior(rows, noise.square().sum(1) / -2, Components(means, None, labels))
    exact = torch.softmax((rows[:, None] - means).square().sum(2) / -2, dim=1)
    entropy = torch.special.entr(exact).sum(1)
    by_class = torch.zeros(300, 3, dtype=torch.float64).index_add_(1, labels, exact)
    assert float((found.component_entropy() - entropy).mean()) == pytest.approx(0, abs=1e-6)
    assert float((found.class_entropy() - torch.special.entr(by_class).sum(1)).mean()) == pytest.approx(0, abs=1e-6)
    assert float((found.component_entropy() - entropy).abs().max()) < 1e-4


@pytest.mark.parametrize("small", [4096, 0], ids=["float64", "float32"])
@pytest.mark.parametrize("own_noise", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("apart", [0.5, 100.0])
def test_many_classes_match_brute_force(monkeypatch, apart, own_noise, small):
    monkeypatch.setattr("ibtrain.estimators.components.SMALL", small)
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(150, (900,), generator=generator).sort().values
    labels = torch.unique(labels, return_inverse=True)[1]
    means = torch.randn(900, 6, generator=generator, dtype=torch.float64)
    means += apart * torch.randn(150, 6, generator=generator, dtype=torch.float64)[labels]
    variance = 0.5 + torch.rand(900, 6, generator=generator, dtype=torch.float64)
    noise = torch.randn(900, 6, generator=generator, dtype=torch.float64)
    if not own_noise:
        variance = torch.ones_like(variance)
    rows = means + variance.sqrt() * noise
    floor = (noise.square() + variance.log()).sum(1) / -2
    components = Components(means, variance if own_noise else None, labels)
    found = posterior(rows, floor, components)
    exact = torch.softmax((((rows[:, None] - means).square() / variance) + variance.log()).sum(2) / -2, dim=1)
    by_class = torch.zeros(900, int(labels.max()) + 1, dtype=torch.float64).index_add_(1, labels, exact)
    for ours, theirs in ((found.component_entropy(), exact), (found.class_entropy(), by_class)):
        error = ours - torch.special.entr(theirs).sum(1)
        assert float(error.mean()) == pytest.approx(0, abs=1e-6)
        assert float(error.abs().max()) < 1e-4
    kinds = {type(block) for block in cut(components)}
    assert kinds == {Block if own_noise or apart < 1 else Bundle}


@pytest.mark.parametrize("spread", [0.5, 1e5])
def test_bundles_of_uneven_classes_say_what_blocks_say(monkeypatch, spread):
    generator = torch.Generator().manual_seed(1)
    labels = (30 * torch.rand(500, generator=generator).square()).long()
    means = spread * torch.randn(500, 4, generator=generator, dtype=torch.float64)
    means += 100 * spread * torch.randn(30, 4, generator=generator, dtype=torch.float64)[labels]
    bundled = mixture(means, 1.0, labels, samples=3000)
    monkeypatch.setattr("ibtrain.estimators.components.BUNDLED", 1000)
    apart = mixture(means, 1.0, labels, samples=3000)
    for group in ("quantities", "lower", "upper"):
        for quantity, found in getattr(bundled, group).items():
            expected = getattr(apart, group)[quantity]
            assert found.value == pytest.approx(expected.value, abs=1e-12)
            assert found.standard_error == pytest.approx(expected.standard_error, abs=1e-12)


@pytest.mark.parametrize("small", [4096, 0], ids=["float64", "float32"])
def test_weights_far_above_the_known_one_do_not_overflow(monkeypatch, small):
    monkeypatch.setattr("ibtrain.estimators.components.SMALL", small)
    means = torch.tensor([[0.0], [16.0], [16.5], [17.0]], dtype=torch.float64)
    rows = torch.tensor([[0.1], [16.2]], dtype=torch.float64)
    found = posterior(rows, rows[:, 0].square() / -2, Components(means, None, torch.zeros(4, dtype=torch.int64)))
    exact = torch.softmax((rows - means[:, 0]).square() / -2, dim=1)
    expected = torch.special.entr(exact).sum(1)
    assert found.component_entropy().tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_a_class_whose_weights_vanish_in_float32_adds_nothing(monkeypatch):
    monkeypatch.setattr("ibtrain.estimators.components.SMALL", 0)
    monkeypatch.setattr("ibtrain.estimators.components.BLOCK", 200)
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(400, 120, generator=generator, dtype=torch.float64)
    means = 7 * directions / directions.norm(dim=1, keepdim=True)
    labels = torch.arange(400) // 200
    means[200:, 0] += 14
    noise = torch.randn(400, 120, generator=generator, dtype=torch.float64)
    rows = means + noise
    found = posterior(rows, noise.square().sum(1) / -2, Components(means, None, labels))
    exact = torch.softmax((rows[:, None] - means).square().sum(2) / -2, dim=1)
    expected = torch.special.entr(exact).sum(1)
    assert found.component_entropy().tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert found.class_entropy().tolist() == pytest.approx([0.0] * 400, abs=1e-9)


def test_bounds_are_those_of_all_pairs():
    means, labels, _ = problem(90, 3, 0.3)
    order = torch.sort(labels, stable=True).indices
    means, labels = means[order], labels[order]
    everything = torch.arange(90)
    variance = torch.full((90, 3), 0.05, dtype=torch.float64)
    shared = closed_bounds(Components(means / math.sqrt(0.05), None, labels), everything, 1.5, with_labels=True)
    own = closed_bounds(Components(means, variance, labels), everything, 1.5, with_labels=True)
    distance = (means[:, None] - means).square().sum(2) / 0.05
    for side, factor in ((0, 8), (1, 2)):
        closed = 1.5 + math.log(90) - float((-distance / factor).logsumexp(1).mean())
        assert shared[side]["H[Z]"].value == pytest.approx(closed, abs=1e-6)
        for quantity, bound in own[side].items():
            assert shared[side][quantity].value == pytest.approx(bound.value, abs=1e-6)
            assert bound.side == ("lower", "upper")[side]


def test_standard_errors_cover_the_spread():
    means, labels, _ = problem(2000, 4, 0.4)
    runs = [mixture(means, ZERO_ENTROPY, labels, samples=400, seed=seed, bounds=False) for seed in range(40)]
    for quantity in ("H[Z]", "I[Y;Z]", "I[X;Z|Y]", "H[Y|Z]"):
        spread = np.std([run[quantity].value for run in runs], ddof=1)
        stated = np.mean([run[quantity].standard_error for run in runs])
        assert 0.6 * spread < stated < 2.5 * spread


def test_order_of_samples_shift_and_rotation_do_not_matter():
    means, labels, generator = problem(300, 4, 0.3)
    plain = mixture(means, ZERO_ENTROPY, labels, samples=6000)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=generator, dtype=torch.float64)).Q
    order = torch.randperm(300, generator=generator)
    moved = mixture((means @ rotation + 50)[order], ZERO_ENTROPY, labels[order], samples=6000, seed=1)
    for quantity in PLANE:
        error = math.hypot(plain[quantity].standard_error, moved[quantity].standard_error)
        assert moved[quantity].value == pytest.approx(plain[quantity].value, abs=5 * error + 1e-9)


def test_types_of_input_do_not_matter():
    means, labels, _ = problem(200, 3, 0.25)
    means = means.float()
    names = np.array(["cat", "dog", "eel"])[labels.numpy()]
    one = mixture(means, ZERO_ENTROPY, labels)
    other = mixture(means.double().numpy(), torch.tensor(ZERO_ENTROPY, dtype=torch.float64), names)
    assert {q: e.value for q, e in one.quantities.items()} == {q: e.value for q, e in other.quantities.items()}
    assert pickle.loads(pickle.dumps(one)) == one


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_devices_agree():
    means, labels, _ = problem(500, 20, 0.2)
    here, there = (mixture(means.to(d), ZERO_ENTROPY, labels.to(d)) for d in ("cpu", "cuda"))
    for quantity in PLANE:
        assert there[quantity].value == pytest.approx(here[quantity].value, abs=1e-5)


def test_refusals():
    with pytest.raises(UndefinedQuantityError, match="add noise"):
        mixture([[0.0], [1.0]], 0.0)
    with pytest.raises(UndefinedQuantityError, match="1 of 2 samples of means hold NaN or inf"):
        mixture([[0.0], [math.nan]], 1.0)
    with pytest.raises(ConfigError, match="noise_variance must be"):
        mixture([[0.0], [1.0]], torch.ones(3))
    with pytest.raises(ConfigError, match="one label for each"):
        mixture([[0.0], [1.0]], 1.0, [1, 2, 3])
    with pytest.raises(ConfigError, match="samples must be"):
        mixture([[0.0], [1.0]], 1.0, samples=1)


def test_single_draws_take_the_pooled_spread():
    values = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    mean, error = stratified(values, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 2]))
    assert mean == pytest.approx(8 / 3)
    assert error == pytest.approx(math.sqrt(3 * 0.5) / 3)

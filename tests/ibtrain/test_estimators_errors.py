"""Standard errors of estimates from samples: they are the spread over data sets, and cover the truth as often as said."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from ibtrain.estimators import (
    knn,
    ksg,
    ksg_conditional,
    permutation_null,
    subsampling_error,
)
from ibtrain.estimators.neighbours import nearest, nearest_in_sets
from ibtrain.estimators.subsampling import error_of_mean

GAUSS = math.log(2 * math.pi * math.e) / 2


def test_null_and_subsampling_cover_the_truth():
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(20):
        x, noise = rng.standard_normal((2, 600))
        y = 0.6 * x + 0.8 * noise
        error = subsampling_error(ksg, x, y)
        hits += abs(ksg(x, y).value + math.log(0.64) / 2) < 2 * error
    assert hits >= 16
    x, y = rng.standard_normal((2, 400))
    null = permutation_null(ksg, x, y, repeats=40)
    assert np.mean(null) == pytest.approx(0, abs=0.03)
    assert np.quantile(null, 0.01) - 0.02 < ksg(x, y).value < np.quantile(null, 0.99) + 0.02


def spread(estimate, draw, repeats, error=None):
    """Return the root of the mean square of the stated errors over the spread of the values, on independent data."""
    data = [draw(np.random.default_rng([12, number])) for number in range(repeats)]
    found = [estimate(*sets) for sets in data]
    errors = [one.standard_error for one in found] if error is None else [error(*sets) for sets in data[:60]]
    return math.sqrt(np.mean(np.square(errors))) / np.std([one.value for one in found], ddof=1)


def spreads(draw, repeats, **options):
    """Return the same for each quantity of knn, and the number by which chance alone may move it, twice its own error."""
    found = [knn(*draw(np.random.default_rng([17, number])), **options) for number in range(repeats)]
    ratios = {}
    for quantity in found[0].quantities:
        values, errors = ([getattr(one[quantity], field) for one in found] for field in ("value", "standard_error"))
        ratios[quantity] = math.sqrt(np.mean(np.square(errors))) / np.std(values, ddof=1)
    return ratios, 2 / math.sqrt(2 * repeats)


def classes(size, width, count, apart):
    centres = apart * np.random.default_rng(5).standard_normal((count, width)) / math.sqrt(width)

    def draw(rng):
        labels = rng.integers(count, size=size)
        return centres[labels] + rng.standard_normal((size, width)), labels

    return draw


def pairs(size, width, rho):
    def draw(rng):
        x, noise = rng.standard_normal((2, size, width))
        return x, rho * x + math.sqrt(1 - rho**2) * noise

    return draw


def test_stated_errors_are_the_spread_over_data_sets():
    assert spread(ksg, pairs(300, 1, 0.5), 250) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize(("width", "options"), [(1, {}), (20, {}), (5, {"norm": "maximum"}), (5, {"k": 10})])
def test_errors_of_entropies_are_the_spread_in_any_dimension(width, options):
    ratios, chance = spreads(lambda rng: (rng.standard_normal((300, width)),), 120, **options)
    assert ratios["H[Z]"] == pytest.approx(1.05, abs=0.15 + chance)


@pytest.mark.parametrize(("width", "count", "apart"), [(2, 10, 0.0), (5, 3, 1.5), (5, 10, 4.0)])
def test_errors_beside_labels_are_the_spread(width, count, apart):
    ratios, chance = spreads(classes(300, width, count, apart), 100)
    for ratio in ratios.values():
        assert ratio == pytest.approx(1.05, abs=0.15 + chance)


def test_the_uncertainty_of_a_label_that_is_seen_has_a_small_error():
    rng = np.random.default_rng(18)
    labels = rng.choice(3, 300, p=[0.7, 0.2, 0.1])
    found = knn(rng.standard_normal((300, 2)) + 50 * labels[:, None], labels)
    assert found["I[Y;Z]"].standard_error > 0.03
    assert found["H[Y|Z]"].standard_error < 0.01
    assert found["I[X;Y|Z]"].standard_error == found["H[Y|Z]"].standard_error


@pytest.mark.parametrize("norm", ["euclidean", "maximum"])
def test_sets_are_searched_as_if_each_were_alone(norm):
    generator = torch.Generator().manual_seed(3)
    points = torch.randn(4, 60, 3, generator=generator, dtype=torch.float64)
    labels = torch.stack([torch.randperm(60, generator=generator) % count for count in (1, 2, 5, 20)])
    found = nearest_in_sets(points, labels, [1, 4], norm=norm)
    for number, (part, classes_of_part) in enumerate(zip(points, labels, strict=True)):
        rows = slice(60 * number, 60 * number + 60)
        alone = nearest(part, classes_of_part, [1, 4], norm=norm)
        torch.testing.assert_close(found.overall[rows], alone.overall)
        torch.testing.assert_close(found.within[rows], alone.within)
        torch.testing.assert_close(found.rivals[rows], alone.rivals)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "width", "rho"), [(300, 1, 0.0), (300, 1, 0.9), (300, 2, 0.5), (1000, 1, 0.5)])
def test_stated_errors_are_the_spread_for_any_dependence(size, width, rho):
    assert spread(ksg, pairs(size, width, rho), 600) == pytest.approx(1, abs=0.15)


@pytest.mark.slow
def test_stated_errors_are_the_spread_for_conditional_and_extrapolated_information():
    def chain(rng):
        x, y, z = rng.standard_normal((3, 300))
        return x + z, y + z, z

    assert spread(ksg_conditional, chain, 300) == pytest.approx(1, abs=0.15)
    for options in ({"variant": 2}, {"k": 10}, {"norm": "maximum"}, {"extrapolate": True}):
        assert spread(lambda x, y, options=options: ksg(x, y, **options), pairs(300, 1, 0.5), 300) == pytest.approx(
            1, abs=0.15
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [ksg, lambda x, y: knn(np.c_[x, y])["H[Z]"], lambda x, y: knn(y, x[:, 0] > 0)["I[Y;Z]"]],
    ids=["ksg", "entropy", "ross"],
)
def test_subsampling_errors_are_the_spread_over_data_sets(estimator):
    found = spread(estimator, pairs(300, 2, 0.5), 400, partial(subsampling_error, estimator))
    assert 0.9 < found < 1.2


def test_errors_that_cannot_be_told_are_flagged():
    rng = np.random.default_rng(15)
    few = ksg(*rng.standard_normal((2, 15)))
    assert any("too few to measure the standard error" in flag for flag in few.flags)
    wide = ksg(*rng.standard_normal((2, 100, 5)))
    assert any("standard error may be too small by a quarter" in flag for flag in wide.flags)
    assert ksg(*rng.standard_normal((2, 16)), k=1).flags == ()
    assert "15 samples are too few to measure the standard error" in knn(rng.standard_normal((15, 2)))["H[Z]"].flags[0]
    many = knn(rng.standard_normal((400, 2)), np.arange(400) % 100)
    assert any("400 samples in 100 classes are too few to measure" in flag for flag in many["I[Y;Z]"].flags)
    assert knn(rng.standard_normal((300, 2)), np.arange(300) % 10)["I[Y;Z]"].flags == ()


def test_rare_classes_that_parts_miss_leave_the_error_finite():
    rng = np.random.default_rng(19)
    labels = np.r_[np.zeros(5, int), 1 + np.arange(395) % 2]
    found = knn(rng.standard_normal((400, 2)), labels)
    plain = knn(rng.standard_normal((400, 2)), 1 + np.arange(400) % 2)
    for quantity in ("H[Z|Y]", "I[Y;Z]", "H[Y|Z]"):
        assert found[quantity].standard_error == pytest.approx(plain[quantity].standard_error, rel=0.5)


def test_errors_never_fall_below_those_of_independent_terms():
    terms = torch.randn(64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    parts = terms.sort().values.view(8, 8).T.contiguous()[None]
    assert error_of_mean(terms, parts) == pytest.approx(float(terms.std()) / 8)
    assert error_of_mean(terms, terms.sort().values.view(1, 8, 8)) > 1.5 * float(terms.std()) / 8


@pytest.mark.parametrize("search", ["tree", "tiles"])
def test_errors_are_of_the_same_parts_however_they_are_searched(search):
    x, y = np.random.default_rng(16).standard_normal((2, 192))
    found = ksg(x, x + y, norm="maximum", search=search)
    assert found.standard_error == pytest.approx(ksg(x, x + y).standard_error, rel=1e-9)

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


def pairs(size, width, rho):
    def draw(rng):
        x, noise = rng.standard_normal((2, size, width))
        return x, rho * x + math.sqrt(1 - rho**2) * noise

    return draw


def test_stated_errors_are_the_spread_over_data_sets():
    assert spread(ksg, pairs(300, 1, 0.5), 250) == pytest.approx(1, abs=0.12)


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

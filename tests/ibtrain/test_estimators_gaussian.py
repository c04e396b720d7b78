"""Gaussian estimates: exact arithmetic as the reference, singular covariances refused, errors that cover the truth."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.special import digamma

from ibtrain.estimators import gaussian, gaussian_information, knn
from imeasure.errors import UndefinedQuantityError

RNG = np.random.default_rng(3)
WIDE = RNG.standard_normal((400, 5))


def exact_entropy(points):
    rows = [[Fraction(value) for value in row] for row in points.tolist()]
    size = len(rows)
    mean = [sum(column) / size for column in zip(*rows, strict=True)]
    (a, b), (_, d) = (
        [sum((r[i] - mean[i]) * (r[j] - mean[j]) for r in rows) / (size - 1) for j in (0, 1)] for i in (0, 1)
    )
    corrections = sum(math.log((size - 1) / 2) - digamma((size - 1 - i) / 2) for i in (0, 1))
    return (math.log(a * d - b * b) + corrections) / 2 + math.log(2 * math.pi * math.e)


@pytest.mark.parametrize("apart", [0.0, 1e6, 1e7, 1e8])
def test_clusters_far_apart_lose_nothing(apart):
    points = np.random.default_rng(5).standard_normal((200, 2)) + apart * (np.arange(200) % 2)[:, None]
    assert gaussian(points)["H[Z]"].value == pytest.approx(exact_entropy(points), abs=1e-6)


@pytest.mark.parametrize("scale", [1e-160, 1e-30, 1e30, 1e99])
@pytest.mark.parametrize("shrinkage", ["none", "ledoit-wolf"])
def test_scale_adds_its_logarithm(scale, shrinkage):
    plain, scaled = (gaussian(factor * WIDE, shrinkage=shrinkage)["H[Z]"].value for factor in (1.0, scale))
    assert scaled == pytest.approx(plain + 5 * math.log(scale), abs=1e-6)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("offset", [0.0, 0.1, 1 / 3, 123.456])
@pytest.mark.parametrize("size", [12, 100, 400])
def test_constant_and_dependent_columns_are_refused(size, offset, kind):
    wide = WIDE[:size]
    labels = np.arange(size) % 2
    for column in (np.full(size, offset), wide.sum(1) + offset, 0.1 * wide[:, 0] + offset):
        latent = np.c_[wide, column].astype(kind)
        for call in (
            gaussian,
            lambda z: gaussian(z, labels),
            lambda z: gaussian_information(z[:, :-1], z[:, -1]),
        ):
            with pytest.raises(UndefinedQuantityError, match="singular"):
                call(latent)


def test_advice_never_names_what_is_already_on():
    with pytest.raises(UndefinedQuantityError) as refused:
        gaussian(np.full((9, 2), 0.1), shrinkage="ledoit-wolf")
    assert "ledoit-wolf" not in str(refused.value)
    assert math.isfinite(gaussian(np.c_[WIDE, WIDE[:, 0]], shrinkage="ledoit-wolf")["H[Z]"].value)
    with pytest.raises(
        UndefinedQuantityError, match=r"^in a class with 1 of the samples, .* needs \d+ samples or more"
    ):
        gaussian(WIDE, np.arange(len(WIDE)) == 0)


def test_neighbours_do_without_the_gaussian_bound_where_it_has_none():
    apart = np.random.default_rng(0).standard_normal((300, 2)) + 1e13 * (np.arange(300) % 2)[:, None]
    assert math.isfinite(knn(apart, np.arange(300) % 2)["H[Z]"].value)


def correlated(rng, size, width, correlation):
    x, noise = rng.standard_normal((2, size, width))
    return gaussian_information(x, correlation * x + math.sqrt(1 - correlation**2) * noise)


def labelled(rng, size, apart):
    labels = rng.integers(3, size=size)
    return gaussian(rng.standard_normal((size, 4)) + apart * labels[:, None], labels)["I[Y;Z]"]


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng: correlated(rng, 400, 1, 0.0), 0.0),
        (lambda rng: correlated(rng, 400, 10, 0.0), 0.0),
        (lambda rng: correlated(rng, 400, 1, 0.6), -math.log(0.64) / 2),
        (lambda rng: correlated(rng, 400, 10, 0.6), -5 * math.log(0.64)),
        (lambda rng: labelled(rng, 400, 0.0), 0.0),
        (lambda rng: labelled(rng, 400, 2.0), None),
        (lambda rng: gaussian(rng.standard_normal((150, 100)))["H[Z]"], 50 * math.log(2 * math.pi * math.e)),
    ],
    ids=["single", "ten", "single related", "ten related", "labels", "labels related", "narrow"],
)
def test_standard_errors_cover_the_truth_and_are_not_too_large(draw, truth):
    found = [draw(np.random.default_rng(seed)) for seed in range(50)]
    values, errors = (np.array([getattr(e, name) for e in found]) for name in ("value", "standard_error"))
    away = np.abs(values - (values.mean() if truth is None else truth))
    assert (away < 2 * errors).sum() >= 43
    assert (away < errors).sum() >= 26
    assert 0.6 * values.std() < errors.mean() < 1.6 * values.std()

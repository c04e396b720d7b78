"""What no estimator can answer is refused in the project's own words, and samples in any layout are read alike."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import digamma

from ibtrain.estimators import (
    categorical,
    gaussian,
    gaussian_information,
    knn,
    knn_by_k,
    ksg,
    ksg_conditional,
    mixture,
    noise_calibration,
    permutation_null,
    subsampling_error,
)
from imeasure.errors import ConfigError, InformationError, UndefinedQuantityError

SAMPLE = np.random.default_rng(0).standard_normal((40, 2))
LINE, SIDE = np.random.default_rng(1).standard_normal((2, 40))
LABELS = np.arange(40) % 2
TAKING_SAMPLES = {
    "mixture": lambda data: mixture(data, 0.1, samples=50),
    "knn": knn,
    "gaussian": gaussian,
    "ksg": lambda data: ksg(data, LINE),
    "ksg_conditional": lambda data: ksg_conditional(LINE, SIDE, data),
    "gaussian_information": lambda data: gaussian_information(LINE, data),
    "permutation_null": lambda data: permutation_null(ksg, LINE, data, repeats=2),
    "subsampling_error": lambda data: subsampling_error(lambda z: knn(z, k=1)["H[Z]"], data),
}
NO_SAMPLES = {
    "text": "abc",
    "nothing": None,
    "texts": ["a", "b"],
    "ragged": [[1.0], [1.0, 2.0]],
    "mapping": {"a": 1},
    "set": {1.0, 2.0},
    "generator": iter([1.0, 2.0]),
    "number": 3.0,
    "empty": [],
    "no samples": np.zeros((0, 3)),
    "no dimensions": np.zeros((5, 0)),
    "three axes": np.zeros((4, 2, 2)),
    "one sample": [[1.0, 2.0]],
    "nan": [[math.nan]] * 40,
    "inf": [[math.inf]] * 40,
    "huge": np.linspace(-1e300, 1e300, 40),
    "too long": [10**400] * 40,
    "complex": torch.ones(40, dtype=torch.complex64),
    "dates": np.arange("2020-01-01", "2020-02-10", dtype="datetime64[D]"),
    "objects": np.array([object()] * 40),
    "masked": np.ma.array(LINE, mask=LINE > 1),
    "meta": torch.empty(40, 2, device="meta"),
}


@pytest.mark.parametrize("data", NO_SAMPLES.values(), ids=NO_SAMPLES)
@pytest.mark.parametrize("estimator", TAKING_SAMPLES.values(), ids=TAKING_SAMPLES)
def test_what_is_no_sample_is_refused(estimator, data):
    with pytest.raises((ConfigError, UndefinedQuantityError)):
        estimator(data)


@pytest.mark.parametrize(
    "data",
    [
        SAMPLE[::-1],
        SAMPLE.astype(">f8"),
        SAMPLE.astype(np.longdouble),
        np.asfortranarray(SAMPLE),
        torch.from_numpy(SAMPLE).T.contiguous().T,
        torch.from_numpy(SAMPLE).requires_grad_(),
        SAMPLE.tolist(),
    ],
    ids=["reversed", "big endian", "long", "Fortran", "transposed", "with history", "lists"],
)
@pytest.mark.parametrize("estimator", TAKING_SAMPLES.values(), ids=TAKING_SAMPLES)
def test_any_layout_of_samples_is_read(estimator, data):
    expected = estimator(
        np.ascontiguousarray(data.detach() if isinstance(data, torch.Tensor) else data, dtype=np.float64)
    )
    assert str(estimator(data)) == str(expected)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1],
        np.zeros((40, 2)),
        1,
        None,
        "a" * 40,
        [[1], [1, 2]] * 20,
        LINE,
        [math.nan] * 40,
        [math.inf, *[0] * 39],
        [None, *["a"] * 39],
        [object() for _ in range(40)],
        set(range(40)),
        {},
        torch.empty(40, device="meta"),
        np.ma.array(LABELS, mask=LINE > 1),
    ],
)
def test_what_is_no_partition_is_refused(labels):
    for estimate in (
        lambda: mixture(SAMPLE, 0.1, labels, 50),
        lambda: knn(SAMPLE, labels),
        lambda: gaussian(SAMPLE, labels),
        lambda: categorical({"X": LABELS, "Y": labels}, ["I[X;Y]"]),
    ):
        if labels is not None:
            with pytest.raises((ConfigError, UndefinedQuantityError)):
                estimate()


def test_options_of_the_wrong_kind_are_refused():
    refused = [
        *(partial(knn, SAMPLE, k=k) for k in (0, -1, 40, 1.5, "3", None, True, math.nan, 10**30)),
        *(partial(knn_by_k, SAMPLE, ks=ks) for ks in ((), 3, "3", (0,), (1.5,), None)),
        *(partial(ksg, LINE, SIDE, k=k) for k in (0, 40, 2.5, "3", None, True)),
        *(partial(ksg, LINE, SIDE, variant=v) for v in (0, 3, "1", True, None)),
        *(partial(knn, SAMPLE, norm=n) for n in ("l1", None, 2)),
        *(partial(ksg, LINE, SIDE, norm=n) for n in ("l1", None, 2)),
        *(partial(knn, SAMPLE, search=n) for n in ("ball", None)),
        *(partial(ksg, LINE, SIDE, search=n) for n in ("ball", None)),
        *(partial(knn, SAMPLE, jitter=j) for j in (-1, math.nan, math.inf, "a", None, True, 1j, [0.1])),
        *(partial(knn, SAMPLE, standardize=s) for s in ("yes", None, 1)),
        *(partial(ksg, LINE, SIDE, ranks=s) for s in ("yes", None, 1)),
        *(partial(mixture, SAMPLE, noise) for noise in ("a", None, True, -1, math.nan, [], [1, 2, 3], {"a": 1}, 1j)),
        *(partial(knn, SAMPLE, noise_variance=noise) for noise in ("a", True, 0, math.inf, [1, 2, 3], [[1.0]], 1j)),
        *(partial(mixture, SAMPLE, 0.1, samples=s) for s in (0, 1, -5, 2.5, "a", None, math.nan, True, 10**30)),
        *(partial(mixture, SAMPLE, 0.1, seed=s) for s in ("a", -1, 1.5, None, 2**70, True)),
        *(partial(mixture, SAMPLE, 0.1, bounds=s) for s in ("no", None, 1)),
        *(partial(gaussian, SAMPLE, shrinkage=s) for s in ("x", None, 1)),
        *(partial(categorical, {"Y": LABELS}, ["H[Y]"], correction=c) for c in ("x", None)),
        *(
            partial(categorical, v, ["H[Y]"])
            for v in (None, {}, {"Y": []}, {1: LABELS}, "abc", {"Y": LABELS, "X": [0]})
        ),
        *(partial(categorical, {"Y": LABELS}, q) for q in (None, "H[Y]", ["beta*H[Y]"], ["CE[Y|Y]"])),
        *(partial(noise_calibration, size, 2) for size in (0, 1, 2.5, "3", None, 10**30, 2**31 - 1)),
        *(partial(noise_calibration, 20, width) for width in (0, 1.5, None)),
        *(partial(noise_calibration, 20, 2, noise_variance=noise) for noise in (0, -1, "a", None, [1.0], math.nan)),
        *(partial(permutation_null, e, LINE, SIDE, repeats=2) for e in (None, 3, lambda x, y: 1.0, knn)),
        *(partial(permutation_null, ksg, LINE, SIDE, repeats=r) for r in (0, 1.5, "a")),
        *(partial(subsampling_error, ksg, LINE, SIDE, parts=p) for p in ((), 3, "4", (1,), (2.5,), (100,))),
        partial(subsampling_error, ksg),
        partial(subsampling_error, ksg, LINE, SIDE[:5]),
    ]
    for call in refused:
        with pytest.raises(InformationError):
            call()


def test_atoms_within_a_dimension_are_flagged():
    rng = np.random.default_rng(4)
    latent = np.c_[rng.standard_normal(400), np.maximum(rng.standard_normal(400), 0)]
    share = f"{np.mean(latent[:, 1] == 0):.2%}"
    flags = knn(latent)["H[Z]"].flags
    assert any(flag.startswith("1 of 2 dimensions of Z hold one value again and again") for flag in flags)
    assert any(share in flag for flag in flags)
    assert not any("again" in flag for flag in knn(latent, jitter=0.01)["H[Z]"].flags)
    assert not any("again" in flag for flag in knn(latent[:, :1])["H[Z]"].flags)


@pytest.mark.parametrize("far", [1e11, 1e13, 1e15])
def test_one_value_far_away_makes_no_ties(far):
    rng = np.random.default_rng(5)
    sample = rng.standard_normal((300, 1))
    sample[0] = far
    found = knn(sample, standardize=False)["H[Z]"]
    distances = np.abs(sample - sample.T)
    np.fill_diagonal(distances, np.inf)
    radius = np.sort(distances, axis=1)[:, 2]
    expected = digamma(300) - digamma(3) + math.log(2) + np.log(radius).mean()
    assert found.value == pytest.approx(expected, abs=1e-6)
    assert found.flags == ()


@pytest.mark.parametrize("variant", [1, 2])
@pytest.mark.parametrize("far", [1e11, 1e12, 1e13])
def test_tree_and_tiles_agree_beside_a_value_far_away(far, variant):
    x, noise = np.random.default_rng(6).standard_normal((2, 500))
    y = x + noise
    x[0] = far
    tree, tiles = (ksg(x, y, variant=variant, search=search).value for search in ("tree", "tiles"))
    assert tree == pytest.approx(tiles, abs=1e-9)


def test_information_above_what_samples_can_show_is_flagged():
    x, noise = np.random.default_rng(7).standard_normal((2, 500, 3))
    found = ksg(x, x + 1e-4 * noise, extrapolate=True, k=1)
    assert found.value > math.log(500)
    assert found.flags == ("above ln N = 6.21: more than N samples can show",)
    assert ksg(x, noise).flags == ()


def test_zero_is_printed_without_a_sign():
    assert "H[Y|Z] = 0.000 ± 0.000 nats" in str(knn(SAMPLE, np.zeros(40)))


@pytest.mark.parametrize("variant", [1, 2])
def test_information_at_its_ceiling_is_flagged(variant):
    found = ksg(LINE, 2 * LINE, variant=variant)
    assert found.value == pytest.approx(digamma(40) - digamma(3) - (variant == 2) / 3)
    assert found.flags[0].startswith("within 1 % of ")
    assert not ksg(LINE, LINE + 0.1 * SIDE, variant=variant).flags


def test_an_excess_within_the_error_is_not_flagged():
    labels = np.r_[np.zeros(500), np.ones(20)]
    for seed in range(5):
        found = knn(np.random.default_rng(seed).standard_normal((520, 2)) + 50 * labels[:, None], labels)
        assert not any("0.00 nats" in flag for flag in found["I[Y;Z]"].flags)
        assert found["H[Y|Z]"].flags == found["I[Y;Z]"].flags


@pytest.mark.parametrize("size", [3, 4, 10, 30])
def test_samples_too_few_to_be_parted_are_refused_with_the_option(size):
    with pytest.raises(ConfigError, match="part"):
        subsampling_error(ksg, LINE[:size], SIDE[:size])


def test_distances_too_small_for_the_arithmetic_are_refused():
    with pytest.raises(UndefinedQuantityError, match="too small"):
        knn(1e-170 * SAMPLE, standardize=False)


@pytest.mark.parametrize(
    "labels",
    [
        torch.from_numpy(LABELS).to(torch.bfloat16),
        torch.from_numpy(LABELS).to_sparse(),
        torch.from_numpy(LABELS).double().requires_grad_(),
        LABELS > 0,
        LABELS.astype(str),
        -1000 * LABELS,
        [2**63 + label if label else -1 for label in LABELS.tolist()],
        np.datetime64("2020-01-01") + LABELS,
    ],
    ids=["bfloat16", "sparse", "with history", "truth", "texts", "negative", "long", "dates"],
)
def test_labels_of_any_kind_are_a_partition(labels):
    expected = categorical({"X": LABELS, "Y": LABELS}, ["I[X;Y]"])["I[X;Y]"].value
    assert categorical({"X": LABELS, "Y": labels}, ["I[X;Y]"])["I[X;Y]"].value == pytest.approx(expected, abs=1e-12)
    assert knn(SAMPLE, labels)["I[Y;Z]"].value == knn(SAMPLE, LABELS)["I[Y;Z]"].value


@pytest.mark.parametrize(
    "labels",
    [
        np.where(LABELS > 0, np.datetime64("NaT"), np.datetime64("2020-01-01")),
        [math.nan, *["a"] * 39],
        ["a", 1] * 20,
        [frozenset([label]) for label in LABELS.tolist()],
    ],
    ids=["no dates", "nan among texts", "numbers among texts", "sets"],
)
def test_labels_that_numpy_would_merge_are_refused(labels):
    with pytest.raises((ConfigError, UndefinedQuantityError), match=r"missing|compared"):
        knn(SAMPLE, labels)


def test_long_integers_beside_negative_ones_stay_apart():
    codes = [-1, 2**63, 2**63 + 1, 2**63 + 2] * 10
    assert categorical({"Y": codes}, ["H[Y]"])["H[Y]"].value == pytest.approx(math.log(4))


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-30, 1e-12, 1e12, 1e30, 1e90])
def test_scale_changes_no_information_and_shifts_entropies(scale):
    flat = knn(SAMPLE, LABELS), ksg(SAMPLE, LINE), ksg(SAMPLE, LINE, variant=2), ksg_conditional(LINE, SAMPLE, SIDE)
    scaled = scale * SAMPLE
    found = knn(scaled, LABELS), ksg(scaled, LINE), ksg(scaled, LINE, variant=2), ksg_conditional(LINE, scaled, SIDE)
    assert found[0]["I[Y;Z]"].value == pytest.approx(flat[0]["I[Y;Z]"].value, abs=1e-9)
    assert found[0]["H[Z]"].value == pytest.approx(flat[0]["H[Z]"].value + 2 * math.log(scale), abs=1e-6)
    for one, other in zip(flat[1:], found[1:], strict=True):
        assert other.value == pytest.approx(one.value, abs=1e-9)
        assert other.standard_error == pytest.approx(one.standard_error, abs=1e-9)


def test_samples_too_close_for_their_own_units_are_refused_by_every_neighbour():
    for estimate in (
        lambda z: knn(z, standardize=False),
        lambda z: ksg(z, LINE, standardize=False),
        lambda z: ksg_conditional(LINE, z, SIDE, standardize=False),
    ):
        estimate(1e-90 * SAMPLE)
        with pytest.raises(UndefinedQuantityError, match="scale the samples up"):
            estimate(1e-200 * SAMPLE)


@pytest.mark.parametrize("jitter", [1e-300, 1e-18, 1e300])
def test_jitter_that_does_nothing_or_everything_is_refused(jitter):
    with pytest.raises(ConfigError, match="jitter"):
        ksg(SAMPLE.round(), LINE, jitter=jitter)


@pytest.mark.parametrize("shrinkage", ["none", "ledoit-wolf"])
def test_a_class_of_one_has_no_covariance(shrinkage):
    with pytest.raises(UndefinedQuantityError, match="coarser labels"):
        gaussian(SAMPLE, np.r_[LABELS[:-1], 9], shrinkage=shrinkage)

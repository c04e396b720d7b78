"""Estimators that see only samples: against brute force and closed forms, their laws, refusals and flags."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.special import digamma
from sklearn.covariance import ledoit_wolf
from sklearn.feature_selection import mutual_info_classif

import ibtrain.estimators
from ibtrain.estimators import (
    Estimate,
    Estimates,
    categorical,
    gaussian,
    gaussian_information,
    knn,
    knn_by_k,
    ksg,
    ksg_conditional,
    noise_calibration,
)
from ibtrain.estimators.halves import nearest_by_halves
from ibtrain.estimators.logdet import shrunk_covariance
from ibtrain.estimators.neighbours import nearest
from ibtrain.estimators.runtime import full_precision
from imeasure.errors import ConfigError, UndefinedQuantityError, UnknownVariableError

GAUSS = math.log(2 * math.pi * math.e) / 2


def brute(points, classes, ks, norm):
    distances = torch.cdist(
        points, points, p=2.0 if norm == "euclidean" else math.inf, compute_mode="donot_use_mm_for_euclid_dist"
    )
    distances.fill_diagonal_(math.inf)
    same = classes[:, None] == classes
    within = distances.masked_fill(~same, math.inf).sort(dim=1).values[:, : max(ks)]
    members = same.sum(1)
    rivals = []
    for k in ks:
        reach = within.gather(1, (members - 2).clamp(max=k - 1)[:, None])
        rivals.append(((distances <= reach) & ~same).sum(1))
    return distances.sort(dim=1).values[:, : max(ks)], within, torch.stack(rivals, dim=1)


def clusters(size, width, classes, apart, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (size,), generator=generator)
    labels = torch.cat([labels, torch.arange(classes), torch.arange(classes)])
    centres = apart * torch.randn(classes, width, generator=generator, dtype=torch.float64)
    return torch.randn(len(labels), width, generator=generator, dtype=torch.float64) + centres[labels], labels


@pytest.mark.parametrize("norm", ["euclidean", "maximum"])
@pytest.mark.parametrize("search", ["tree", "tiles"])
@pytest.mark.parametrize(
    ("size", "width", "classes", "apart"),
    [(900, 1, 3, 1.0), (900, 1, 1, 0.0), (900, 4, 40, 2.0), (1200, 12, 3, 0.5), (1500, 100, 4, 0.3), (900, 30, 3, 1e5)],
)
def test_searches_equal_brute_force(size, width, classes, apart, search, norm):
    size = size // 3 if search == "tree" else size
    points, labels = clusters(size, width, classes, apart)
    found = nearest(points, labels, [1, 3, 7], norm=norm, search=search)
    overall, within, rivals = brute(points, labels, [1, 3, 7], norm)
    assert torch.allclose(found.overall, overall, rtol=1e-6, atol=0)
    assert torch.allclose(found.within, within, rtol=1e-6, atol=0)
    assert torch.equal(found.rivals, rivals)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 70),
    st.integers(1, 12),
    st.integers(1, 20),
    st.sampled_from([torch.float32, torch.float64]),
    st.data(),
)
def test_halves_equal_brute_force(size, width, most, dtype, data):
    points, _ = clusters(size - 2, width, 1, 0.0, seed=data.draw(st.integers(0, 999)))
    points = (points * 10 ** data.draw(st.floats(-3, 3)))[:size]
    points -= points.mean(0)
    most = min(most, size - 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ibtrain.estimators.halves.BLOCK", data.draw(st.sampled_from([8, 16, 1024])))
        distances, certain = nearest_by_halves(points, most, dtype)
    expected = brute(points, torch.zeros(size, dtype=torch.int64), [most], "euclidean")[0]
    assert torch.allclose(distances[certain], expected[certain], rtol=1e-9, atol=0)
    assert dtype == torch.float32 or float(certain.double().mean()) > 0.9


def test_threads_share_the_work():
    points, _ = clusters(3000, 20, 1, 0.0)
    classes = torch.zeros(len(points), dtype=torch.int64)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(nearest(points, classes, [3]).overall)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_far_clusters_without_labels_fall_back_to_exact_distances():
    points, labels = clusters(600, 1, 2, 0.0)
    points = points + 1e5 * labels[:, None]
    found = nearest(points, torch.zeros_like(labels), [3], search="tiles")
    assert torch.allclose(found.overall, brute(points, torch.zeros_like(labels), [3], "euclidean")[0], rtol=1e-6)


def test_tf32_and_bfloat16_are_off_inside():
    torch.set_float32_matmul_precision("medium")
    try:
        with full_precision():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_information_with_labels_equals_sklearn():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=800)
    sample = labels + rng.standard_normal(800)
    theirs = mutual_info_classif(sample[:, None], labels, n_neighbors=3, random_state=0)[0]
    assert knn(sample, labels)["I[Y;Z]"].value == pytest.approx(theirs, abs=1e-3)


def test_labels_are_a_partition():
    rng = np.random.default_rng(1)
    labels = rng.integers(10, size=3000)
    sample = 20.0 * rng.permutation(10)[labels][:, None] + rng.standard_normal((3000, 3))
    found = knn(sample, labels)
    assert found["H[Y|Z]"].value == pytest.approx(0, abs=1e-2)
    renamed = knn(sample, np.array(list("jcahgbdfei"))[labels])
    for quantity, estimate in found.quantities.items():
        assert renamed[quantity].value == pytest.approx(estimate.value, abs=1e-12)


def test_second_variant_and_euclidean_volume_are_right():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 4000))
    assert ksg(x, y, variant=2).value == pytest.approx(0, abs=0.04)
    both = np.stack([x, y], axis=1)
    assert knn(both, norm="euclidean")["H[Z]"].value == pytest.approx(2 * GAUSS, abs=0.08)
    assert knn(both, norm="maximum")["H[Z]"].value == pytest.approx(2 * GAUSS, abs=0.08)


@pytest.mark.parametrize("variant", [1, 2])
@pytest.mark.parametrize("width", [1, 2])
def test_tree_and_tiles_count_alike(width, variant):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, 700, width))
    values = [ksg(x, x + y, variant=variant, norm="maximum", search=s).value for s in ("tree", "tiles")]
    assert values[0] == pytest.approx(values[1], abs=1e-12)
    values = [ksg_conditional(x, y, x + y, norm="maximum", search=s).value for s in ("tree", "tiles")]
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_ksg_equals_its_definition():
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((2, 300))
    y = x + y
    x, y = (v / v.std(ddof=1) for v in (x, y))
    dx, dy = (np.abs(v[:, None] - v) for v in (x, y))
    joint = np.maximum(dx, dy)
    np.fill_diagonal(joint, np.inf)
    reach = np.sort(joint, axis=1)[:, 2:3]
    inside = [(d < reach).sum(1) - 1 for d in (dx, dy)]
    expected = digamma(3) + digamma(300) - np.mean(digamma(inside[0] + 1) + digamma(inside[1] + 1))
    assert ksg(x, y).value == pytest.approx(expected, abs=1e-10)


def test_scale_does_not_matter_when_standardised():
    rng = np.random.default_rng(5)
    x, noise = rng.standard_normal((2, 1500))
    y = x + 0.3 * noise
    assert ksg(x, 10 * y).value == pytest.approx(ksg(x, y).value, abs=1e-9)
    wide = np.stack([x, 10 * y], axis=1)
    assert "standardised" in knn(wide)["H[Z]"].estimator
    shifted = knn(wide * 3 - 7)["H[Z]"].value
    assert shifted == pytest.approx(knn(wide)["H[Z]"].value + 2 * math.log(3), abs=1e-9)
    assert "not standardised" in knn(wide, standardize=False)["H[Z]"].estimator


def test_rotation_and_order_do_not_matter():
    rng = np.random.default_rng(6)
    points, labels = clusters(600, 5, 3, 1.0)
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    order = rng.permutation(len(points))
    moved = knn((points.numpy() @ rotation)[order], labels.numpy()[order], standardize=False)
    for quantity, estimate in knn(points, labels, standardize=False).quantities.items():
        assert moved[quantity].value == pytest.approx(estimate.value, abs=1e-9)


def test_monotone_maps_do_not_matter_to_ranks():
    rng = np.random.default_rng(7)
    x, noise = rng.standard_normal((2, 800))
    y = x + noise
    assert ksg(np.exp(x), y**3, ranks=True).value == pytest.approx(ksg(x, y, ranks=True).value, abs=1e-9)


def test_several_k_come_from_one_search():
    points, labels = clusters(500, 3, 4, 1.0)
    several = knn_by_k(points, labels, ks=(1, 4))
    for k in (1, 4):
        for quantity, estimate in knn(points, labels, k=k).quantities.items():
            assert several[k][quantity] == estimate


def test_values_below_zero_are_not_clipped():
    rng = np.random.default_rng(8)
    values = [ksg(*rng.standard_normal((2, 200))).value for _ in range(30)]
    assert min(values) < 0 < max(values)
    assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / math.sqrt(30))


def test_ties_are_refused_unless_jittered():
    rng = np.random.default_rng(9)
    sample = rng.standard_normal((200, 2))
    sample[:10] = sample[0]
    with pytest.raises(UndefinedQuantityError, match=r"5\.00% of the samples of Z .* largest group has 10"):
        knn(sample)
    jittered = knn(sample, jitter=1e-3)["H[Z]"]
    assert any("jitter of 0.001" in flag for flag in jittered.flags)
    with pytest.raises(UndefinedQuantityError, match="Treat the variable as labels"):
        ksg(rng.standard_normal(200), rng.integers(3, size=200))
    pair = rng.standard_normal((400, 2))
    pair[1] = pair[0]
    assert any("0.50%" in flag for flag in knn(pair)["H[Z]"].flags)


def test_broken_samples_are_refused():
    with pytest.raises(UndefinedQuantityError, match="1 of 10 samples of Z hold NaN or inf"):
        knn([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, math.inf])
    with pytest.raises(UndefinedQuantityError, match="dimension 1 of Z is constant"):
        knn(np.stack([np.arange(20.0), np.ones(20)], axis=1))
    with pytest.raises(ConfigError, match="k must be at least 1"):
        knn(np.arange(3.0), k=3)
    with pytest.raises(ConfigError, match="equally many samples"):
        ksg(np.arange(10.0), np.arange(9.0))
    with pytest.raises(ConfigError, match="k-d tree knows only the maximum norm"):
        ksg(np.random.default_rng(0).standard_normal((20, 2)), np.arange(20.0), search="tree")


def test_small_classes_follow_the_rule():
    rng = np.random.default_rng(10)
    labels = np.r_[np.zeros(100), np.ones(2), 2]
    found = knn(rng.standard_normal((103, 2)), labels)
    assert found["I[Y;Z]"].size == 102
    flags = found["I[Y;Z]"].flags
    assert any(flag.startswith("1 samples alone") for flag in flags)
    assert any(flag.startswith("1 classes have 3 members or fewer") for flag in flags)
    with pytest.raises(UndefinedQuantityError, match="every class"):
        knn(rng.standard_normal((5, 2)), range(5))


def test_impossible_levels_are_flagged():
    noise = 1 / (2 * math.pi * math.e)
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(400, 60, generator=generator)
    found = knn(sample, torch.arange(400) % 2, noise_variance=noise)
    assert any("above the Gaussian bound" in flag for flag in found["H[Z]"].flags)
    assert any("above ln N = 5.99" in flag for flag in found["I[X;Z]"].flags)
    assert found["H[Z|X]"].value == pytest.approx(0, abs=1e-9)


def test_noise_in_100_dimensions_shows_its_bias():
    assert noise_calibration(10_000, 100).value == pytest.approx(16.3, abs=0.3)
    assert noise_calibration(5_000, 1, repeats=3).value == pytest.approx(0, abs=0.05)


def test_gaussian_estimates_match_closed_forms():
    rng = np.random.default_rng(12)
    mixing = rng.standard_normal((6, 6))
    labels = rng.integers(2, size=6000)
    sample = rng.standard_normal((6000, 6)) @ mixing
    found = gaussian(sample, labels, noise_variance=1e-3)
    truth = 6 * GAUSS + np.linalg.slogdet(mixing)[1]
    assert found["H[Z]"].value == pytest.approx(truth, abs=4 * found["H[Z]"].standard_error)
    assert found["H[Z]"].side == found["I[X;Z]"].side == "upper"
    assert found["I[Y;Z]"].value == pytest.approx(0, abs=0.01)
    small = rng.standard_normal((30, 6))
    values = [gaussian(rng.standard_normal((30, 6)))["H[Z]"].value for _ in range(200)]
    assert np.mean(values) == pytest.approx(6 * GAUSS, abs=0.08)
    ours, weight = shrunk_covariance(torch.from_numpy(small))
    theirs, their_weight = ledoit_wolf(small)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-10)
    assert weight == pytest.approx(their_weight)
    assert math.isfinite(gaussian(rng.standard_normal((20, 30)), shrinkage="ledoit-wolf")["H[Z]"].value)
    with pytest.raises(UndefinedQuantityError, match="shrinkage"):
        gaussian(rng.standard_normal((20, 30)))
    x, y, z = rng.standard_normal((3, 4000))
    assert gaussian_information(x, x + y + z, x + y).value == pytest.approx(0, abs=0.005)


def test_miller_madow_corrects_the_plug_in_value():
    rng = np.random.default_rng(13)
    draws = [rng.integers(8, size=60) for _ in range(300)]
    values = {
        c: np.mean([categorical({"X": d}, ["H[X]"], correction=c)["H[X]"].value for d in draws])
        for c in ("plug-in", "miller-madow")
    }
    assert values["plug-in"] < math.log(8) - 0.04
    assert values["miller-madow"] == pytest.approx(math.log(8), abs=0.01)
    with pytest.raises(UnknownVariableError):
        categorical({"X": [0, 1]}, ["H[Y]"])


def test_public_names_are_all_there():
    for name in ibtrain.estimators.__all__:
        assert getattr(ibtrain.estimators, name).__doc__
    with pytest.raises(UnknownVariableError, match="there are: H"):
        Estimates({"H[Z]": Estimate("H[Z]", 0.0)})["I[Y;Z]"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_devices_agree():
    points, labels = clusters(2000, 40, 4, 0.5)
    here, there = (knn(points.to(d), labels.to(d)) for d in ("cpu", "cuda"))
    for quantity, estimate in here.quantities.items():
        assert there[quantity].value == pytest.approx(estimate.value, abs=1e-9)


def test_both_float_types_agree():
    points, labels = clusters(500, 20, 4, 0.5)
    rounded = points.float()
    for quantity, estimate in knn(rounded, labels).quantities.items():
        assert knn(rounded.double(), labels)[quantity].value == pytest.approx(estimate.value, abs=1e-12)


def test_a_tree_measures_the_samples_themselves():
    generator = torch.Generator().manual_seed(0)
    points = 1e-3 * torch.randn(240, 1, generator=generator, dtype=torch.float64)
    points[120:] += 1e6
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(math.inf)
    found = nearest(points, torch.zeros(240, dtype=torch.int64), (1, 3), search="tree")
    assert found.overall.equal(distances.topk(3, dim=1, largest=False).values)

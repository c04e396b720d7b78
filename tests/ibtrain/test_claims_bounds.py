"""C1, C3, C8 and C9: what is never above what, on rows where the verdict is known."""

import math

import pytest
from claim_rows import chain, cross_entropies, found_in, only, row

from ibtrain import Config
from ibtrain.claims import bounds


def test_c1_passes_and_reports_median_and_range_of_the_final_gaps():
    finding = bounds.cross_entropies(found_in(cross_entropies([0.002, 0.004, 0.5])))
    gap = only(finding, "gap")
    assert finding.verdict == "PASS"
    assert gap.found == pytest.approx(0.004)
    assert gap.seeds == 3
    assert gap.spread == "0.002 to 0.5 over seeds"
    assert finding.explanation == ""


def test_c1_fails_by_the_gap_and_says_by_how_much():
    finding = bounds.cross_entropies(found_in(cross_entropies([0.02, 0.03, 0.04])))
    assert finding.verdict == "FAIL"
    assert "the gap ends at 0.03 nats, 3 times the 0.01 nats that were fixed" in finding.explanation


def test_c1_fails_at_one_violation_of_any_run_and_names_it():
    finding = bounds.cross_entropies(found_in(cross_entropies([0.001, 0.002], prediction=-2e-5)))
    assert finding.verdict == "FAIL"
    part = only(finding, "violations of prediction")
    assert (part.found, part.value) == (6, "6 of 6")
    assert "2e-05 nats in epoch" in finding.explanation
    assert "(log Var[Z], gamma 0.1, seed 0)" in finding.explanation


def test_c1_leaves_1e_5_to_rounding():
    assert bounds.cross_entropies(found_in(cross_entropies([0.001], prediction=-9e-6))).verdict == "PASS"


def test_c1_needs_a_categorical_run_that_minimised_the_decoder_cross_entropy():
    rows = [one for one in cross_entropies([0.001]) if one.quantity != "decoder uncertainty"]
    finding = bounds.cross_entropies(found_in(rows))
    assert finding.verdict == "not run"
    assert "To run it: ibtrain reproduce fig3 --preset digits" in finding.explanation


@pytest.mark.parametrize(("excess", "verdict"), [(-0.1, "PASS"), (5e-6, "PASS"), (2e-5, "FAIL")])
def test_c3_compares_the_error_of_drawn_labels_with_its_bound(excess, verdict):
    rows = [
        row("decoder cross-entropy", 0.7, method="training data"),
        row("sampled error", 1 - math.exp(-0.7) + excess, method="training data"),
    ]
    finding = bounds.drawn_error(found_in(rows))
    assert finding.verdict == verdict
    assert finding.parts[0].found == (verdict == "FAIL")
    assert "nats" not in finding.explanation


def test_c3_is_not_run_without_the_error():
    assert bounds.drawn_error(found_in([row("decoder cross-entropy", 0.7)])).verdict == "not run"


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ({}, "PASS"),
        ({"entropy": 1.3}, "PASS"),
        ({"entropy": 1.2}, "FAIL"),
        ({"bound": 2.81}, "PASS"),
        ({"bound": 2.79}, "FAIL"),
        ({"redundant": 1.79}, "FAIL"),
    ],
)
def test_c8_allows_two_standard_errors_of_both(numbers, verdict):
    errors = 2 * math.hypot(0.1, 0.1)
    assert 1.5 - 1.3 < errors < 1.5 - 1.2
    assert bounds.entropies(found_in(chain(**numbers))).verdict == verdict


def test_c8_names_the_run_that_breaks_it_and_only_reports_neighbours():
    good, bad = chain(seed=0), chain(seed=1, entropy=0.5)
    finding = bounds.entropies(found_in([*good, *bad]))
    assert "H[Z|Y] <= H[Z] is broken at 1 of 2 places: by 1 nats in epoch 1" in finding.explanation
    assert "seed 1" in finding.explanation
    neighbours = chain(seed=1, entropy=0.5, method="knn, Euclidean")
    finding = bounds.entropies(found_in([*good, *neighbours]))
    assert finding.verdict == "PASS"
    assert only(finding, "H[Z|Y] <= H[Z], nearest").status == "reported"


def test_c8_speaks_of_noise_of_zero_entropy_alone():
    config = Config().with_options(["bottleneck.noise_variance=0.001"])
    assert bounds.entropies(found_in(chain(redundant=9.0), config)).verdict == "not run"
    assert bounds.entropies(found_in(chain(redundant=9.0, latent="dropout"))).verdict == "not run"


@pytest.mark.parametrize(
    ("label", "input_", "verdict"), [(2.0, 7.0, "PASS"), (2.31, 7.0, "FAIL"), (2.0, 7.1, "FAIL"), (2.3, 7.01, "PASS")]
)
def test_c9_compares_with_what_there_is(label, input_, verdict):
    rows = [
        row("I[Y;Z]", label, error=1.0),
        row("I[X;Z]", input_, error=1.0),
        row("H[Y]", 2.3, method="training data"),
        row("ln N", 7.01, method="training data"),
    ]
    assert bounds.limits(found_in(rows)).verdict == verdict
    neighbours = [row("I[X;Z]", 9.0, method="knn, Euclidean", seed=seed, latent="noise") for seed in (0, 1)]
    limits = [
        row("ln N", limit, method="training data", seed=seed, latent="noise") for seed, limit in ((0, 7), (1, 11))
    ]
    finding = bounds.limits(found_in([*rows, *neighbours, *limits]))
    assert finding.verdict == verdict
    assert only(finding, "I[X;Z] <= ln N, nearest").value == "1 of 2"
    assert "no run has I[Y;Z] by nearest neighbours" in only(finding, "I[Y;Z] <= H[Y], nearest").note


def test_c9_is_not_run_without_the_mixture_estimator():
    rows = [row("I[X;Z]", 9.0, method="knn"), row("ln N", 7.0, method="training data")]
    assert bounds.limits(found_in(rows)).verdict == "not run"


def test_c9_does_not_deny_the_nearest_neighbours_that_it_counts():
    """Behind dropout they give I[Y;Z], but no I[X;Z]."""
    rows = [row("I[Y;Z]", 2.0, method="knn", latent="dropout"), row("H[Y]", 2.3, method="t", latent="dropout")]
    finding = bounds.limits(found_in(rows))
    assert finding.verdict == "not run"
    assert only(finding, "I[Y;Z] <= H[Y], nearest").value == "0 of 1"
    assert only(finding, "I[X;Z] <= ln N, nearest").note == "no run has I[X;Z] by nearest neighbours and ln N"
    assert "no run has I[Y;Z] by the mixture estimator and H[Y], and nearest neighbours decide nothing" in (
        finding.explanation
    )

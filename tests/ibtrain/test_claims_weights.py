"""C5 to C7: what grows and falls with gamma, on rows where the verdict is known."""

import math

import pytest
from claim_rows import GAMMAS, THREE, both_entropies, falling, found_in, only, over_gamma, row

from ibtrain.claims import weights


def test_c5_passes_and_lets_the_mixture_decide_beside_neighbours():
    rising = both_entropies(lambda s, g, seed: g, method="knn, Euclidean")
    finding = weights.falling_entropies(found_in([*both_entropies(), *rising]))
    assert finding.verdict == "PASS"
    part = only(finding, "gamma and H[Z], log Var[Z], mixture")
    assert part.found < -0.98
    assert (part.seeds, part.runs) == (2, 10)
    neighbours = only(finding, "gamma and H[Z], log Var[Z], knn")
    assert neighbours.status == "reported"
    assert neighbours.found > 0.9


def test_c5_fails_by_one_surrogate_and_says_at_which_gamma():
    def bump(surrogate, gamma, seed):
        return 20.0 if surrogate == "LogVar[Z]" and gamma >= 0.1 else falling(surrogate, gamma, seed)

    finding = weights.falling_entropies(found_in(both_entropies(bump)))
    assert finding.verdict == "FAIL"
    assert "H[Z] rises from 12 to 20 nats (standard errors 0.071 and 0.071) between gamma = 0.01 and 0.1" in (
        finding.explanation
    )


def test_c5_lowest_entropy_is_by_means_over_seeds_and_ties_are_lowest():
    def tied(surrogate, gamma, seed):
        return 10 - math.log10(gamma + 1e-9)

    assert weights.falling_entropies(found_in(both_entropies(tied))).verdict == "PASS"

    def higher(surrogate, gamma, seed):
        return tied(surrogate, gamma, seed) + 0.5 * (surrogate == weights.NORM and gamma == 1e-3)

    finding = weights.falling_entropies(found_in(both_entropies(higher)))
    lowest = only(finding, "lowest")
    assert (lowest.value, lowest.needed) == ("2 of 3", "all")
    assert "at gamma = 0.001 log Var[Z] is lower by 0.5 (± 0.1) nats" in finding.explanation


@pytest.mark.parametrize("options", [{"surrogates": THREE[:2]}, {"gammas": (0.0, 0.1, 1.0)}])
def test_c5_needs_three_surrogates_and_three_gammas_above_zero(options):
    finding = weights.falling_entropies(found_in(both_entropies(**options)))
    assert finding.verdict == "not run"
    assert "ibtrain reproduce fig5" in finding.explanation


def curve(shift=0.0, noise=0.0):
    """Points on one saturating curve, one regularizer shifted, the seeds apart."""

    def preserved(surrogate, gamma, seed):
        return 7 - 1.4 * (math.log10(gamma + 1e-9) + 4) if gamma else 8.0

    def residual(surrogate, gamma, seed):
        x = preserved(surrogate, gamma, seed)
        return 2 * math.exp(-x / 2) + shift * (surrogate == weights.NORM) + noise * (-1) ** (seed + GAMMAS.index(gamma))

    return [
        *over_gamma(preserved, quantity="I[X;Z]"),
        *over_gamma(residual, quantity="I[X;Y|Z]"),
    ]


def test_c6_passes_on_one_curve():
    finding = weights.saturation(found_in(curve()))
    assert finding.verdict == "PASS"
    assert only(finding, "variance explained by a falling curve, E").found == pytest.approx(100)
    assert only(finding, "difference").found == pytest.approx(0, abs=1e-9)
    assert not [part for part in finding.parts if "largest distance" in part.what]


def test_c6_reports_the_distance_where_both_curves_have_points():
    dense = tuple(10.0 ** (power / 5) for power in range(-20, 6))

    def preserved(surrogate, gamma, seed):
        return -math.log10(gamma)

    def residual(surrogate, gamma, seed):
        return math.log10(gamma) + (0.3 if surrogate == weights.NORM else 0.0)

    options = {"gammas": dense, "seeds": (0,)}
    rows = [
        *over_gamma(preserved, quantity="I[X;Z]", **options),
        *over_gamma(residual, quantity="I[X;Y|Z]", **options),
    ]
    part = only(weights.saturation(found_in(rows)), "largest distance")
    assert part.status == "reported"
    assert part.found == pytest.approx(100 * 0.3 / 5.3)


def test_c6_fails_where_a_curve_lies_apart_and_says_where():
    finding = weights.saturation(found_in(curve(shift=0.3)))
    assert finding.verdict == "FAIL"
    assert "differ by" in finding.explanation
    assert "there E||Z||² leads from (" in finding.explanation
    assert only(finding, "difference").found > 10


def test_c6_fails_where_no_falling_curve_explains_the_points():
    finding = weights.saturation(found_in(curve(noise=2.0)))
    assert finding.verdict == "FAIL"
    assert "a falling curve explains only" in finding.explanation


def test_c6_is_not_run_without_overlap_or_surrogates():
    def apart(surrogate, gamma, seed):
        return 100 * THREE.index(surrogate) + gamma

    rows = [*over_gamma(apart, quantity="I[X;Z]"), *over_gamma(lambda s, g, seed: -g, quantity="I[X;Y|Z]")]
    finding = weights.saturation(found_in(rows))
    assert finding.verdict == "not run"
    assert "the curves do not overlap" in finding.explanation
    assert weights.saturation(found_in([row("H[Z]", 1.0)])).verdict == "not run"


def over_epochs(loss, *, error=0.1, seeds=(0, 1), gammas=GAMMAS, flags=""):
    for gamma in gammas:
        for seed in seeds:
            same = {"gamma": gamma, "seed": seed, "surrogate": weights.NORM, "latent": "noise", "error": error}
            for epoch, value in ((1, 3.0), (2, 6.0), (3, 6.0 - loss(gamma, seed))):
                yield row("I[X;Z]", value, epoch=epoch, flags=flags, **same)


def test_c7_passes_if_a_majority_loses_more_than_three_standard_errors():
    finding = weights.compression(found_in(over_epochs(lambda gamma, seed: 0.5 if gamma >= 1e-2 else 0.0)))
    assert finding.verdict == "PASS"
    deciding = finding.parts[0]
    assert (deciding.value, deciding.needed) == ("3 of 5", "more than half")
    beside = only(finding, "gamma = 0.01,")
    assert (beside.status, beside.found) == ("reported", pytest.approx(0.5))
    assert beside.note == "largest after epoch 2 of 3"
    assert beside.spread.startswith("± 0.1,")


def test_c7_fails_within_three_standard_errors_and_shows_gamma_zero_beside():
    finding = weights.compression(found_in(over_epochs(lambda gamma, seed: 0.29)))
    assert finding.verdict == "FAIL"
    assert only(finding, "gamma = 0,").found == pytest.approx(0.29)
    assert "at 0 of 5 gammas above 0: gamma = 0.0001 loses 0.29 (± 0.1) nats" in finding.explanation


def test_c7_does_not_count_gamma_zero_and_takes_the_spread_of_seeds_for_an_error():
    alone = over_epochs(lambda gamma, seed: 5.0, gammas=(0.0,))
    assert weights.compression(found_in(alone)).verdict == "not run"
    apart = over_epochs(lambda gamma, seed: 5.0 * seed, gammas=(0.1,), error=1e-6)
    assert weights.compression(found_in(apart)).verdict == "FAIL"


def test_c7_needs_three_epochs_and_says_where_the_estimate_is_saturated():
    assert weights.compression(found_in(over_gamma(falling, quantity="I[X;Z]"))).verdict == "not run"
    flagged = weights.compression(found_in(over_epochs(lambda gamma, seed: 1.0, flags="within 1 % of ln N = 7.27")))
    assert "within 1 % of ln N" in flagged.parts[1].note

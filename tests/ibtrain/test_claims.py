"""Every claim passes, fails and is not run on rows where the verdict is known; none of them trains anything."""

import json
import math

import pytest
import torch

from ibtrain import Config, ConfigError, claims, sweep
from ibtrain.claims import (
    Finding,
    Part,
    bounds,
    by_data,
    decoder,
    judge,
    scaling,
    to_json,
    to_markdown,
    weights,
)
from ibtrain.records import Record, collect
from ibtrain.runs import Row

THREE = weights.SURROGATES
GAMMAS = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def row(quantity, value, *, epoch=1, gamma=0.1, seed=0, surrogate="LogVar[Z]", method="mixture", error=0.0, **fields):
    run = f"{surrogate}, {gamma}, {seed}, {fields.get('loss', '')}, {fields.get('latent', '')}"
    return Row(run, epoch, gamma, surrogate, seed, quantity, method, "two-sided", value, error, **fields)


def found_in(rows, config=None):
    runs = {}
    for one in rows:
        runs.setdefault(one.run, []).append(one)
    (found,) = by_data([Record(run, tuple(own), config) for run, own in runs.items()])
    return found


def only(finding, word):
    (part,) = [part for part in finding.parts if word in part.what]
    return part


# C1 and C3: cross-entropies


def cross_entropies(gaps, *, prediction=0.1, uncertainty=None, epochs=3):
    for seed, gap in enumerate(gaps):
        for epoch in range(1, epochs + 1):
            same = {"seed": seed, "epoch": epoch, "loss": "CE[Y|Z]", "latent": "categorical", "method": "training data"}
            upper = 2.0 / epoch
            lower = upper - (gap if epoch == epochs else 0.5)
            yield row("decoder cross-entropy", upper, **same)
            yield row("prediction cross-entropy", upper - prediction, **same)
            yield row("decoder uncertainty", lower if uncertainty is None else uncertainty, **same)
            yield row("sampled error", 1 - math.exp(-upper) - 0.01, **same)


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
    assert "(gamma 0.1, seed 0)" in finding.explanation


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


# C2: the optimal decoder


def random_encoder(dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(40, 7, generator=generator, dtype=dtype)
    return torch.nn.Parameter(scores), torch.randint(4, (40,), generator=generator)


def test_c2_holds_for_an_encoder_in_double_precision_and_fails_in_sixteen_bits():
    scores, targets = random_encoder()
    right = decoder.compared(lambda: scores.log_softmax(dim=-1), [scores], targets, place="here")
    assert [part.status for part in right] == ["holds", "holds"]
    assert right[0].found < 1e-12
    scores, targets = random_encoder(torch.bfloat16)
    rounded = decoder.compared(lambda: scores.log_softmax(dim=-1), [scores], targets, place="here")
    assert [part.status for part in rounded] == ["fails", "fails"]
    assert rounded[1].note.startswith("the gradients differ by a relative")


def test_c2_says_that_no_trained_run_was_there():
    finding = decoder.optimal_decoder(found_in([row("H[Z]", 1.0)]))
    assert finding.verdict == "PASS"
    assert finding.seeds == 0
    assert "on a random encoder" in finding.parts[0].spread
    assert "no run with a categorical latent and a checkpoint" in finding.parts[0].spread


def test_c2_is_measured_on_the_encoder_of_a_trained_run(tmp_path):
    options = [
        "bottleneck.kind=categorical",
        "objective.statement=min H[Y|Z]",
        "objective.gamma=0",
        "training.epochs=1",
    ]
    config = Config().with_options([*options, "network.hidden=[16]", "network.latent=5"])
    sweep([config], tmp_path, accelerator="cpu")
    (found,) = by_data(collect([tmp_path]))
    finding = decoder.optimal_decoder(found)
    assert finding.verdict == "PASS"
    assert finding.parts[0].spread == f"on the run {config.digest} (seed 0), 1,437 training samples"
    (tmp_path / "runs" / config.digest / "checkpoint.pt").write_bytes(b"damaged")
    finding = decoder.optimal_decoder(found)
    assert "on a random encoder" in finding.parts[0].spread
    assert "cannot read the checkpoint" in finding.parts[0].spread


# C4: scaling


def scaled(latent, entropies, errors, *, seed=0, method="knn", config=None):
    for epoch, (entropy, error) in enumerate(zip(entropies, errors, strict=True), start=1):
        same = {"seed": seed, "epoch": epoch, "latent": latent}
        yield row("H[Z]", entropy, method=method, **same)
        yield row("train accuracy", 1 - error / 100, method="training data", **same)


FREE = (50, 0, -60, -110)
BOUND = (80, 40, 20, 7)


def test_c4_passes_where_noise_matters_and_scale_does_not():
    rows = [
        one
        for seed in (0, 1, 2)
        for one in (
            *scaled("dropout", FREE, (1.0, 1.1, 1.3, 30.0), seed=seed),
            *scaled("noisy-dropout", BOUND, (1.0, 1.5, 4.0, 7.0 + seed), seed=seed),
        )
    ]
    finding = scaling.scaled_down(found_in(rows))
    assert finding.verdict == "PASS"
    flat, rising = finding.parts
    assert (flat.found, flat.seeds) == (pytest.approx(0.3), 3)
    assert rising.found == pytest.approx(7.0)
    assert rising.spread == "6 to 8 over seeds"


def test_c4_fails_where_the_error_moves_without_noise_and_stays_with_it():
    rows = [*scaled("dropout", FREE, (1.0, 1.1, 3.0, 3.0)), *scaled("noisy-dropout", BOUND, (1.0, 1.0, 1.0, 2.0))]
    finding = scaling.scaled_down(found_in(rows))
    assert finding.verdict == "FAIL"
    assert "the error rose by 2 points while the entropy fell by 100 nats" in finding.explanation
    assert (
        "the error rose by 1 points by the time the entropy reached 10 % of its start, 4 points" in finding.explanation
    )


def test_c4_is_not_run_where_the_entropy_did_not_fall_far_enough():
    rows = [*scaled("dropout", (50, 20, -20), (1, 1, 1)), *scaled("noisy-dropout", (80, 40, 30), (1, 2, 9))]
    finding = scaling.scaled_down(found_in(rows))
    assert finding.verdict == "not run"
    assert "fell by 70 nats only" in finding.explanation
    assert "37.5 % of its start" in finding.explanation


def test_c4_begins_where_the_scale_begins_to_fall():
    config = Config().with_options(["scaling.start=1", "scaling.hold=1", "bottleneck.kind=dropout"])
    rows = list(scaled("dropout", (40, *FREE), (9.0, 1.0, 1.1, 1.3, 1.3)))
    part = scaling.scaled_down(found_in(rows, config)).parts[0]
    assert part.found == pytest.approx(0.3)
    assert scaling.scaled_down(found_in(rows)).parts[0].found == pytest.approx(0.3)


# C5 to C7: gamma


def over_gamma(value, *, quantity="H[Z]", surrogates=THREE, gammas=GAMMAS, seeds=(0, 1), error=0.1, method="mixture"):
    for surrogate in surrogates:
        for gamma in gammas:
            for seed in seeds:
                same = {"gamma": gamma, "seed": seed, "surrogate": surrogate, "latent": "noise"}
                yield row(quantity, value(surrogate, gamma, seed), method=method, error=error, **same)


def falling(surrogate, gamma, seed):
    return 10 - math.log10(gamma + 1e-9) - 2 * (surrogate == weights.NORM) + 0.01 * seed


def both_entropies(value=falling, **options):
    return [one for quantity in ("H[Z]", "H[Z|Y]") for one in over_gamma(value, quantity=quantity, **options)]


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


# C8 and C9: order and limits


def chain(
    *, redundant=1.0, conditional=1.5, entropy=3.0, bound=4.0, error=0.1, latent="noise", method="mixture", **same
):
    numbers = {"I[X;Z|Y]": redundant, "H[Z|Y]": conditional, "H[Z]": entropy}
    rows = [row(name, value, error=error, latent=latent, method=method, **same) for name, value in numbers.items()]
    return [*rows, row("log Var[Z]", bound, method="training data", latent=latent, **same)]


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
    assert only(finding, "nearest").value == "1 of 2"


def test_c9_is_not_run_without_the_mixture_estimator():
    rows = [row("I[X;Z]", 9.0, method="knn"), row("ln N", 7.0, method="training data")]
    assert bounds.limits(found_in(rows)).verdict == "not run"


# The table


def test_runs_on_two_data_sets_are_judged_apart():
    digits = Record("a", tuple(chain()), Config())
    mnist = Record("b", tuple(chain(entropy=0.0)), Config().with_options(["data.name=mnist"]))
    first, second = judge([digits, mnist])
    assert (first.data, second.data) == ("digits", "mnist")
    verdicts = [{finding.claim.name: finding.verdict for finding in judged.findings} for judged in (first, second)]
    assert [one["C8"] for one in verdicts] == ["PASS", "FAIL"]


def test_comparisons_stay_within_the_largest_setting():
    other = Config().with_options(["network.latent=3"])
    rows = [Record(one.run, (one,), Config()) for one in both_entropies()]
    strange = [
        Record(f"{one.run} strange", (Row(**{**vars(one), "run": f"{one.run} strange"}),), other)
        for one in both_entropies(lambda s, g, seed: g, surrogates=THREE[:1])
    ]
    (found,) = by_data([*rows, *strange])
    assert weights.falling_entropies(found).verdict == "PASS"


def test_without_runs_there_is_nothing_to_judge():
    with pytest.raises(ConfigError, match="no finished run"):
        judge([])


def test_tables_hold_every_claim_and_escape_what_markdown_would_read():
    rows = [*chain(entropy=0.5), *cross_entropies([0.5])]
    config = Config().with_options(["data.name=images", 'data.folder="a|<b>"'])
    every = judge([Record("a", tuple(rows), config)])
    text = to_markdown(every, note="Made by hand.")
    assert text.count("\n### C") == 9
    assert "Made by hand." in text
    assert "a\\|&lt;b&gt;" in text
    assert "<b>" not in text
    listed = json.loads(to_json(every))
    assert [claim["name"] for claim in listed[0]["claims"]] == [f"C{number}" for number in range(1, 10)]
    assert listed[0]["claims"][0]["verdict"] == "FAIL"
    assert listed[0]["claims"][0]["parts"][-1]["found"] == 0.5
    for finding in every[0].findings:
        assert bool(finding.explanation) == (finding.verdict != "PASS")


def test_a_claim_without_a_deciding_part_is_not_run():
    claim = claims.CLAIMS[0]
    assert Finding(claim, ()).verdict == "not run"
    assert Finding(claim, (Part("beside", "reported", 1.0),)).verdict == "not run"


def test_every_claim_of_the_ledger_is_there():
    assert [claim.name for claim in claims.CLAIMS] == [f"C{number}" for number in range(1, 10)]
    assert all(claim.says and claim.test and claim.figures for claim in claims.CLAIMS)

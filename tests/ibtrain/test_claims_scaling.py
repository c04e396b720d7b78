"""C4: a latent that is scaled down, on rows where the verdict is known."""

import pytest
from claim_rows import found_in, row

from ibtrain import Config
from ibtrain.claims import scaling


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


def test_c4_is_not_run_where_the_scale_was_held_to_the_end_or_no_error_was_measured():
    config = Config().with_options(["scaling.start=1", "scaling.hold=9", "bottleneck.kind=dropout"])
    rows = list(scaled("dropout", FREE, (1.0, 1.1, 1.3, 1.3)))
    held = scaling.scaled_down(found_in(rows, config))
    assert (held.verdict, held.parts[0].status) == ("not run", "missing")
    assert "the scale of no run without noise fell: more epochs" in held.explanation
    alone = [one for one in rows if one.quantity == "H[Z]"]
    assert "no run without noise was scaled down" in scaling.scaled_down(found_in(alone)).explanation


def test_c4_begins_where_the_scale_begins_to_fall():
    config = Config().with_options(["scaling.start=1", "scaling.hold=1", "bottleneck.kind=dropout"])
    rows = list(scaled("dropout", (40, *FREE), (9.0, 1.0, 1.1, 1.3, 1.3)))
    part = scaling.scaled_down(found_in(rows, config)).parts[0]
    assert part.found == pytest.approx(0.3)
    assert scaling.scaled_down(found_in(rows)).parts[0].found == pytest.approx(0.3)

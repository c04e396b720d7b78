"""Every invariant is reported by its name when it is broken, and not before."""

import dataclasses
import math

import pytest

from ibtrain import Config, train
from ibtrain.runs import Row
from ibtrain.training import Evaluation, broken_invariants, broken_lines, loop

GOOD = Evaluation(
    accuracy=0.9,
    decoder_cross_entropy=0.5,
    prediction_cross_entropy=0.4,
    sampled_error=0.3,
    decoder_uncertainty=0.2,
    standard_error=0.01,
)
SAMPLES, LABELS = 100, math.log(10)


def row(quantity, value, error=0.01, estimator="mixture"):
    return Row("r", 1, 0.1, "LogVar[Z]", 0, quantity, estimator, "two-sided", value, error)


def broken(evaluation=GOOD, rows=(), is_nonnegative=True):
    return broken_invariants(evaluation, rows, samples=SAMPLES, label_entropy=LABELS, is_nonnegative=is_nonnegative)


@pytest.mark.parametrize(
    ("name", "changes", "rows"),
    [
        ("prediction cross-entropy <= decoder cross-entropy", {"prediction_cross_entropy": 0.51}, []),
        ("error of drawn labels <= 1 - exp(-decoder cross-entropy)", {"sampled_error": 1 - math.exp(-0.5) + 2e-5}, []),
        ("H[Y|Z] <= decoder cross-entropy", {"decoder_uncertainty": 0.51}, []),
        ("H[Y|Z] <= decoder cross-entropy", {}, [row("H[Y|Z]", 0.57)]),
        ("I[X;Z] <= ln N", {}, [row("I[X;Z]", math.log(SAMPLES) + 0.031)]),
        ("I[Y;Z] <= H[Y]", {}, [row("I[Y;Z]", LABELS + 0.031)]),
        *[
            (f"{quantity} >= 0", {}, [row(quantity, -0.031)])
            for quantity in ("H[Z]", "H[Z|Y]", "H[Z|X]", "I[X;Z]", "I[Y;Z]", "I[X;Z|Y]", "I[X;Y|Z]", "H[Y|Z]")
        ],
        ("H[Z|Y] >= 0", {}, [row("H[Z|Y]", -2e-5, 0.0, "exact")]),
        ("H[Z|Y] >= 0", {}, [row("H[Z|Y]", -2e-5, math.nan)]),
    ],
)
def test_what_is_broken_is_named(name, changes, rows):
    assert broken(dataclasses.replace(GOOD, **changes), rows) == (name,)


def test_what_holds_within_the_errors_is_not_reported():
    rows = [
        row("H[Y|Z]", 0.55),
        row("I[X;Z]", math.log(SAMPLES) + 0.029),
        row("I[Y;Z]", LABELS + 0.029),
        row("H[Z|Y]", -0.029),
    ]
    assert broken(rows=rows) == ()


def test_entropies_of_a_latent_with_less_noise_may_be_negative():
    assert broken(rows=[row("H[Z|Y]", -3.0)], is_nonnegative=False) == ()


def test_nearest_neighbours_are_no_bounds():
    assert broken(rows=[row("I[X;Z]", 99.0, estimator="knn"), row("H[Z|Y]", -3.0, estimator="knn")]) == ()


def test_a_broken_invariant_of_a_run_is_in_its_rows_and_told_at_the_end(monkeypatch):
    """An estimate far above ln N stands for an estimator that went wrong."""
    measure = loop.plane.measure

    def wrong(latent, labels, config, *, epoch):
        return tuple(
            dataclasses.replace(one, value=99.0) if one.quantity == "I[X;Z]" else one
            for one in measure(latent, labels, config, epoch=epoch)
        )

    monkeypatch.setattr(loop.plane, "measure", wrong)
    config = Config().with_options(["training.epochs=2", "network.hidden=[16]", "plane.samples=100", "plane.every=1"])
    trained = train(config, accelerator="cpu")
    assert [epoch.broken for epoch in trained.epochs] == [("I[X;Z] <= ln N",)] * 2
    name = f"{config.digest} (log Var[Z|Y], gamma 0.01, seed 0)"
    assert broken_lines(trained.rows) == (f"broken in run {name}, epoch 1, 2: I[X;Z] <= ln N",)


@pytest.mark.parametrize("kind", ["noise", "gaussian", "categorical"])
def test_nothing_is_broken_in_an_ordinary_run(kind):
    config = Config().with_options(
        ["training.epochs=3", "network.hidden=[32]", "plane.every=1", f"bottleneck.kind={kind}", "bottleneck.samples=2"]
    )
    assert [epoch.broken for epoch in train(config, accelerator="cpu").epochs] == [()] * 3

"""Runs that are trained together give the numbers of runs alone, up to the rounding of sums."""

import dataclasses
import io
import subprocess
import sys

import pytest
from rich.console import Console

from ibtrain import Config, ConfigError, executors, runs, sweep
from ibtrain.executors import InProcess, Place, Together
from ibtrain.sweeps import grid
from ibtrain.training import groups, steps, together

SHORT = Config().with_options(
    [
        "training.epochs=3",
        "training.patience=0",
        "network.hidden=[16]",
        "network.latent=3",
        "plane.samples=100",
        "plane.every=2",
        "data.samples=400",
    ]
)
VARIED = {"objective.gamma": [0.01, 1.0], "seed": [0, 1]}
ALWAYS = Together(is_measured=False)


def numbers(rows):
    return [(row.run, row.epoch, row.quantity, row.estimator) for row in rows], [row.value for row in rows]


class StoppedError(BaseException):
    """What stops a sweep between two epochs."""


@pytest.mark.parametrize(
    "options",
    [
        ["bottleneck.kind=noise", "bottleneck.samples=2", "network.decoder=[8]", "training.schedule=cosine"],
        ["bottleneck.kind=gaussian", "training.optimizer=sgd", "training.weight_decay=0.001"],
        ["bottleneck.kind=categorical", "training.optimizer=adamw", "training.weight_decay=0.01"],
        ["objective.surrogate=CE[Z|Y]", "bottleneck.kind=gaussian"],
    ],
    ids=["noise", "gaussian", "categorical", "learned"],
)
def test_all_numbers_of_every_epoch_are_equal_to_a_millionth(tmp_path, options):
    base = SHORT.with_options(options)
    members = ((0.01, 0, 0.001), (1.0, 0, 0.01), (0.01, 1, 0.01), (1.0, 1, 0.001))
    configs = [
        base.with_options([f"objective.gamma={gamma}", f"seed={seed}", f"training.learning_rate={rate}"])
        for gamma, seed, rate in members
    ]
    alone = sweep(configs, tmp_path / "alone", accelerator="cpu")
    names, values = numbers(sweep(configs, tmp_path / "together", accelerator="cpu", executor=ALWAYS))
    expected_names, expected = numbers(alone)
    assert names == expected_names
    assert values == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert len({row.value for row in alone if row.quantity == "loss" and row.epoch == 1}) == len(configs)


def test_a_stopped_group_goes_on_alone_and_a_run_that_was_alone_goes_on_together(tmp_path):
    configs = grid(SHORT, VARIED)
    place = Place(runs.Runs(tmp_path / "runs"), "cpu", tmp_path, download=False)

    def stop(config, epoch):
        if config == configs[1] and epoch.number == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        list(ALWAYS.outcomes(configs, place, stop))
    walked = []
    executors.train_run(configs[3], place, lambda config, epoch: walked.append(epoch.number))
    assert walked == [1, 2, 3]

    rows = sweep(configs, tmp_path, accelerator="cpu", executor=ALWAYS)
    expected = sweep(configs, tmp_path / "alone", accelerator="cpu")
    assert numbers(rows)[1] == pytest.approx(numbers(expected)[1], rel=1e-6, abs=1e-6)
    lines = [(place.runs.folder(config) / "metrics.jsonl").read_text().count("\n") for config in configs]
    assert lines == [3, 3, 3, 3]


def test_a_member_whose_loss_is_not_finite_ends_alone(tmp_path):
    configs = grid(SHORT, {"training.learning_rate": [0.001, 1e30], "seed": [0, 1]})
    with pytest.raises(ConfigError, match=r"(?s)2 of 4 runs failed.*lower training\.learning_rate"):
        sweep(configs, tmp_path, accelerator="cpu", executor=ALWAYS)
    found = runs.read_rows(tmp_path / "results.csv")
    assert {row.run for row in found} == {config.digest for config in configs[:2]}
    expected = sweep(configs[:2], tmp_path / "alone", accelerator="cpu")
    assert numbers(found)[1] == pytest.approx(numbers(expected)[1], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "is_grouped"),
    [
        ([], True),
        (["data.name=mnist"], True),
        (["network.name=cnn"], False),
        (["bottleneck.kind=dropout"], False),
        (["training.precision=bf16-mixed"], False),
        (["training.compile=true"], False),
        (["scaling.start=1"], False),
        (["data.augment=true"], False),
    ],
)
def test_only_small_networks_of_one_shape_are_grouped(options, is_grouped):
    configs = grid(SHORT.with_options(options), {"seed": [0, 1, 2]})
    assert [len(group) for group in groups(configs, limit=32)] == ([3] if is_grouped else [1, 1, 1])


def test_groups_hold_what_differs_in_nothing_but_seed_gamma_and_rate():
    configs = grid(
        SHORT, {"network.hidden": [[16], [32]], "objective.gamma": [0.1, 1], "training.learning_rate": [1, 2]}
    )
    found = groups(configs, limit=3)
    assert [len(group) for group in found] == [3, 1, 3, 1]
    assert sorted(config.digest for group in found for config in group) == sorted(c.digest for c in configs)
    assert all(len({config.network for config in group}) == 1 for group in found)


@pytest.mark.parametrize("pays", [True, False])
def test_the_measurement_decides_and_changes_no_run(tmp_path, monkeypatch, pays):
    """The clock is replaced, for what it says is not the same twice."""
    configs = grid(SHORT, VARIED)
    real, asked = together._pays, []

    def decide(members, number):
        choice = real(members, number)
        asked.append(len(members))
        return dataclasses.replace(choice, is_stacked=pays)

    monkeypatch.setattr(together, "_pays", decide)
    console = Console(file=io.StringIO(), width=300)
    rows = sweep(configs, tmp_path / "together", accelerator="cpu", executor=Together(), console=console)
    alone = sweep(configs, tmp_path / "alone", accelerator="cpu", executor=InProcess())
    assert asked == [4]
    said = "stacked: a step of 4 runs takes " if pays else "one by one: a step of 4 runs takes "
    assert f"4 runs {said}" in console.file.getvalue()
    for config in configs:
        folder = runs.Runs(tmp_path / "together" / "runs").folder(config)
        assert (folder / "together.txt").read_text().startswith(f"from epoch 1 on {said}")
    if not pays:
        assert repr(rows) == repr(alone)
    assert numbers(rows)[1] == pytest.approx(numbers(alone)[1], rel=1e-6, abs=1e-6)


@pytest.fixture
def walked_into(monkeypatch):
    """Let something happen in the first steps of networks."""

    def walk_into(accident, times):
        forward, left = steps.TrainingStep.forward, [accident] * times

        def accidentally(step, inputs, *others):
            if left:
                left.pop()(inputs)
            return forward(step, inputs, *others)

        monkeypatch.setattr(steps.TrainingStep, "forward", accidentally)

    return walk_into


def test_members_that_vmap_cannot_map_are_trained_one_by_one(tmp_path, walked_into):
    configs = grid(SHORT, VARIED)
    expected = sweep(configs, tmp_path / "alone", accelerator="cpu")
    walked_into(lambda inputs: inputs.sum().item(), times=100)
    console = Console(file=io.StringIO(), width=300)
    rows = sweep(configs, tmp_path / "together", accelerator="cpu", executor=Together(), console=console)
    assert repr(rows) == repr(expected)
    assert "4 runs one by one: vmap cannot map this network or loss" in console.file.getvalue()


def test_runs_without_a_group_say_so(tmp_path):
    console = Console(file=io.StringIO(), width=300)
    configs = grid(SHORT, {"network.hidden": [[16], [8]]})
    sweep(configs, tmp_path, accelerator="cpu", executor=Together(), console=console)
    assert "2 runs one by one: no other run is left" in console.file.getvalue()


def test_an_error_that_is_not_of_vmap_is_told(tmp_path, walked_into):
    walked_into(lambda inputs: inputs @ inputs, times=1)
    with pytest.raises(ConfigError, match=r"(?s)4 of 4 runs failed.*RuntimeError: .*error\.txt"):
        sweep(grid(SHORT, VARIED), tmp_path, accelerator="cpu", executor=Together())


def test_a_group_needs_a_member():
    with pytest.raises(ConfigError, match="at least one run"):
        Together(limit=0)


@pytest.mark.slow
def test_together_and_alone_share_a_folder_at_the_same_time(tmp_path):
    (tmp_path / "config.toml").write_text(SHORT.to_toml())
    command = [sys.executable, "-m", "ibtrain", "sweep", str(tmp_path / "config.toml"), "--accelerator", "cpu"]
    command += ["--vary", "objective.gamma=0.01,1.0", "--vary", "seed=0,1", "--out", str(tmp_path / "out")]
    both = [subprocess.Popen([*command, *more], stdout=subprocess.DEVNULL) for more in ([], ["--together"])]
    assert [process.wait(timeout=600) for process in both] == [0, 0]
    expected = sweep(grid(SHORT, VARIED), tmp_path / "alone", accelerator="cpu")
    found = runs.read_rows(tmp_path / "out" / "results.csv")
    assert numbers(found)[1] == pytest.approx(numbers(expected)[1], rel=1e-6, abs=1e-6)

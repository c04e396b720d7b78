"""Runs that are stopped go on exactly; what cannot be read is said; nothing that was kept is lost."""

import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

import imeasure
from ibtrain import Config, ConfigError, runs, sweep, train
from ibtrain.guarantee import Guarantee
from ibtrain.runs import Row
from ibtrain.training.documents import code_versions, documents
from ibtrain.training.progress import (
    CHECKPOINT,
    METRICS,
    Epoch,
    append_epoch,
    load_checkpoint,
    read_epochs,
    save_checkpoint,
)

SHORT = Config().with_options(
    ["training.epochs=4", "network.hidden=[32]", "network.latent=4", "plane.samples=200", "objective.gamma=0.1"]
)


class StoppedError(Exception):
    """What stops a run between two epochs."""


def stop_after(number):
    def stop(epoch):
        if epoch.number == number:
            raise StoppedError

    return stop


def numbers(trained):
    return [(row.epoch, row.quantity, row.estimator, row.value) for row in trained.rows]


@pytest.mark.parametrize("kind", ["noise", "gaussian", "categorical", "dropout", "noisy-dropout"])
def test_a_stopped_run_ends_with_the_numbers_of_one_that_was_not(tmp_path, kind):
    statement = "min H[Y|Z]" if kind in ("dropout", "noisy-dropout") else "min I[X;Z] - beta*I[Y;Z]"
    gamma = "0" if statement == "min H[Y|Z]" else "0.1"
    config = SHORT.with_options(
        [f"bottleneck.kind={kind}", f"objective.statement={statement}", f"objective.gamma={gamma}", "plane.every=2"]
        + (['plane.estimators=["knn"]'] if "dropout" in kind else [])
    )
    whole = train(config, accelerator="cpu")
    for number in (1, 2, 3):
        with pytest.raises(StoppedError):
            train(config, accelerator="cpu", folder=tmp_path, on_epoch=stop_after(number))
    resumed = train(config, accelerator="cpu", folder=tmp_path)
    assert repr(numbers(resumed)) == repr(numbers(whole))
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name])


def test_the_rate_follows_half_a_cosine_also_in_a_run_that_was_stopped(tmp_path):
    config = SHORT.with_options(["training.schedule=cosine", "training.learning_rate=0.002"])
    with pytest.raises(StoppedError):
        train(config, accelerator="cpu", folder=tmp_path, on_epoch=stop_after(2))
    resumed = train(config, accelerator="cpu", folder=tmp_path)
    rates = [epoch.learning_rate for epoch in resumed.epochs]
    assert rates == pytest.approx([0.002, 0.001 + 0.001 * math.sqrt(0.5), 0.001, 0.001 - 0.001 * math.sqrt(0.5)])
    assert repr(numbers(resumed)) == repr(numbers(train(config, accelerator="cpu")))


def test_checkpoints_are_made_as_often_as_the_configuration_says(tmp_path):
    config = SHORT.with_options(["training.checkpoint_every=3"])
    with pytest.raises(StoppedError):
        train(config, accelerator="cpu", folder=tmp_path, on_epoch=stop_after(2))
    assert load_checkpoint(tmp_path, digest=config.digest) is None
    walked = []
    train(config, accelerator="cpu", folder=tmp_path, on_epoch=lambda epoch: walked.append(epoch.number))
    assert walked == [1, 2, 3, 4]
    assert load_checkpoint(tmp_path, digest=config.digest)["epoch"] == 4
    lines = [json.loads(line)["number"] for line in (tmp_path / METRICS).read_text().splitlines()]
    assert lines == [1, 2, 1, 2, 3, 4]


@pytest.mark.slow
def test_a_killed_process_goes_on_with_equal_numbers(tmp_path):
    config = SHORT.with_options(["training.epochs=30"])
    (tmp_path / "config.toml").write_text(config.to_toml())
    command = [sys.executable, "-m", "ibtrain", "train", str(tmp_path / "config.toml"), "--accelerator", "cpu", "--out"]
    folder = tmp_path / "killed" / "runs" / config.digest
    for epochs in (1, 4, 9):
        process = subprocess.Popen([*command, str(tmp_path / "killed")], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        path = folder / METRICS
        while not (path.is_file() and path.read_text().count("\n") >= epochs):
            assert process.poll() is None
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (folder / "results.csv").exists()
    subprocess.run([*command, str(tmp_path / "killed")], check=True, stdout=subprocess.DEVNULL, timeout=180)
    sweep([config], tmp_path / "whole", accelerator="cpu")
    results = [(tmp_path / name / "results.csv").read_bytes() for name in ("killed", "whole")]
    assert results[0] == results[1]
    assert (folder / METRICS).read_text().count("\n") >= 30


def test_a_line_that_was_cut_off_is_left_out_and_never_joined_with_the_next(tmp_path):
    epochs = train(SHORT, accelerator="cpu").epochs
    append_epoch(tmp_path, epochs[0])
    append_epoch(tmp_path, epochs[1])
    path = tmp_path / METRICS
    path.write_bytes(path.read_bytes()[:-25])
    append_epoch(tmp_path, epochs[1])
    assert [epoch.loss for epoch in read_epochs(tmp_path, until=2)] == [epochs[0].loss, epochs[1].loss]
    with pytest.raises(ConfigError, match="has no epoch 3"):
        read_epochs(tmp_path, until=3)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x80\x04K\x01.", "half"])
def test_an_unreadable_checkpoint_is_said_and_kept(tmp_path, content):
    train(SHORT, accelerator="cpu", folder=tmp_path)
    path = tmp_path / CHECKPOINT
    broken = path.read_bytes()[: path.stat().st_size // 2] if content == "half" else content
    path.write_bytes(broken)
    with pytest.raises(
        ConfigError, match=r"cannot read the checkpoint .* delete it to train the run from its beginning"
    ):
        train(SHORT, accelerator="cpu", folder=tmp_path)
    assert path.read_bytes() == broken


@pytest.mark.parametrize("epoch", [None, "2", -1, 2.0])
def test_a_checkpoint_of_no_epoch_is_refused(tmp_path, epoch):
    save_checkpoint(tmp_path, {"digest": SHORT.digest, "epoch": epoch})
    with pytest.raises(ConfigError, match=r"checkpoint .* delete it to train the run from its beginning"):
        load_checkpoint(tmp_path, digest=SHORT.digest)


def test_a_checkpoint_may_claim_any_number_of_epochs(tmp_path):
    with pytest.raises(ConfigError, match=r"has no epoch 1, though the checkpoint beside it was made after epoch"):
        read_epochs(tmp_path, until=10**18)


ROW = Row("a", 1, 0.1, "LogVar[Z]", 0, "H[Z]", "mixture", "two-sided", 1.0)
EPOCH = Epoch(1, 0.5, {"CE[Y|Z]": 0.5}, 0.9, 0.8, 1e-3, rows=(ROW,), broken=("name",))


def test_an_epoch_is_read_back():
    assert Epoch.from_json(EPOCH.to_json()).to_json() == EPOCH.to_json()


def strictly(text):
    """Read JSON as a program does that knows no other numbers than those of the standard."""

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_line_is_json_whatever_the_numbers_are_and_is_read_back():
    values = {"value": math.nan, "standard_error": math.inf}
    epoch = dataclasses.replace(EPOCH, terms={"CE[Y|Z]": -math.inf}, rows=(dataclasses.replace(ROW, **values),))
    written = strictly(epoch.to_json())
    assert written["rows"][0]["value"] is None
    assert (written["rows"][0]["standard_error"], written["terms"]["CE[Y|Z]"]) == ("inf", "-inf")
    again = Epoch.from_json(epoch.to_json())
    assert repr(again) == repr(epoch)


def test_every_line_of_a_run_is_json(tmp_path):
    train(SHORT.with_options(["training.epochs=1"]), accelerator="cpu", folder=tmp_path)
    (line,) = (tmp_path / METRICS).read_text().splitlines()
    assert None in [row["standard_error"] for row in strictly(line)["rows"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "1"},
        {"number": []},
        {"loss": "0.5"},
        {"loss": 10**400},
        {"terms": {"CE[Y|Z]": "0.5"}},
        {"number": None},
        {"broken": None},
        {"rows": [{**dataclasses.asdict(ROW), "run": None}]},
        {"terms": ["CE[Y|Z]"]},
        {"rows": [{**dataclasses.asdict(ROW), "value": "1"}]},
        {"rows": 3},
        {"colour": 3},
    ],
)
def test_a_line_with_other_values_is_no_epoch(changes):
    with pytest.raises(ValueError, match="no epoch"):
        Epoch.from_json(json.dumps(json.loads(EPOCH.to_json()) | changes))


def test_a_line_that_nests_without_end_is_no_epoch():
    with pytest.raises(ValueError, match="no epoch"):
        Epoch.from_json("[" * 100_000)


def test_a_checkpoint_never_executes_anything(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    torch.save({"digest": SHORT.digest, "epoch": 1, "step": Harm()}, tmp_path / CHECKPOINT)
    with pytest.raises(ConfigError, match="cannot read the checkpoint"):
        train(SHORT, accelerator="cpu", folder=tmp_path)
    assert not (tmp_path / "harm").exists()


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    train(SHORT, accelerator="cpu", folder=tmp_path)
    with pytest.raises(ConfigError, match="is of the configuration"):
        train(SHORT.with_options(["seed=7"]), accelerator="cpu", folder=tmp_path)


def test_a_checkpoint_of_another_format_is_refused_with_the_reason(tmp_path):
    save_checkpoint(tmp_path, {"digest": SHORT.digest, "epoch": 1, "format": 7})
    with pytest.raises(
        ConfigError, match=r"another version, in format 7 \(this one reads 1\): go on with that version"
    ):
        train(SHORT, accelerator="cpu", folder=tmp_path)


def test_other_code_that_goes_on_with_a_run_is_noted_below_the_first(tmp_path, monkeypatch):
    with pytest.raises(StoppedError):
        train(SHORT, accelerator="cpu", folder=tmp_path, on_epoch=stop_after(2))
    first = (tmp_path / "versions.txt").read_text()
    monkeypatch.setattr("ibtrain.training.documents.code_versions", lambda: "python 4\n")
    train(SHORT, accelerator="cpu", folder=tmp_path)
    assert (tmp_path / "versions.txt").read_text() == f"{first}\nfrom epoch 3 on\npython 4\n"


def test_the_commit_of_a_checkout_is_noted():
    root = Path(documents.__code__.co_filename).parents[2]
    if not (root / ".git").exists():
        pytest.skip("not a checkout")
    found = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("no git")
    (line,) = [line for line in code_versions().splitlines() if line.startswith("commit ")]
    assert line.removesuffix("-dirty") == f"commit {found.stdout.strip()}"


def test_a_run_folder_of_another_version_is_refused_and_named(tmp_path):
    folder = runs.Runs(tmp_path / "runs").begin(SHORT)
    (folder / "config.toml").write_text("colour = 3\n" + SHORT.to_toml())
    with pytest.raises(
        ConfigError, match=r"config\.toml was changed or written by another version: unknown key 'colour'"
    ):
        sweep([SHORT], tmp_path, accelerator="cpu")


def test_a_changed_configuration_in_a_run_folder_is_refused_and_the_other_runs_go_on(tmp_path):
    other = SHORT.with_options(["seed=1"])
    folder = runs.Runs(tmp_path / "runs").begin(SHORT)
    (folder / "config.toml").write_text(SHORT.to_toml().replace("seed = 0", "seed = 5", 1))
    with pytest.raises(ConfigError, match=r"(?s)1 of 2 runs failed.*config\.toml was changed") as caught:
        sweep([SHORT, other], tmp_path, accelerator="cpu")
    assert SHORT.digest in str(caught.value)
    assert {row.run for row in runs.read_rows(tmp_path / "results.csv")} == {other.digest}


def test_a_run_that_fails_leaves_the_others_alone(tmp_path):
    bad = SHORT.with_options(["training.learning_rate=1e30"])
    with pytest.raises(
        ConfigError, match=r"1 of 2 runs failed, the others are finished:\n.*lower training\.learning_rate"
    ) as caught:
        sweep([bad, SHORT], tmp_path, accelerator="cpu")
    assert f"\n  {bad.digest} (training.learning_rate=1e+30): the loss is nan" in str(caught.value)
    assert {row.run for row in runs.read_rows(tmp_path / "results.csv")} == {SHORT.digest}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_said(tmp_path):
    (tmp_path / METRICS).symlink_to("/dev/full")
    with pytest.raises(ConfigError, match="make room"):
        train(SHORT, accelerator="cpu", folder=tmp_path)


def test_a_run_folder_says_what_the_run_is(tmp_path):
    sweep([SHORT], tmp_path, accelerator="cpu")
    folder = tmp_path / "runs" / SHORT.digest
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "config.toml",
        "canonical.txt",
        "canonical.json",
        "plan.txt",
        "guarantee.json",
        "versions.txt",
        "results.csv",
        "results.csv.sha256",
        METRICS,
        CHECKPOINT,
    }
    versions = (folder / "versions.txt").read_text()
    assert f"torch {torch.__version__}" in versions
    assert f"imeasure {version('imeasure')}" in versions
    guarantee = Guarantee.from_json((folder / "guarantee.json").read_text())
    assert guarantee.verify()
    assert imeasure.CanonicalForm.from_json((folder / "canonical.json").read_text()).verify()
    rows = runs.read_rows(folder / "results.csv")
    assert all(math.isfinite(row.value) for row in rows)

"""Data, training, sweeps, runs, pictures and commands, on short runs."""

import dataclasses
import io
import json
import math
import os
import re
import subprocess
import sys
import time
import tomllib

import pytest
import torch
from click.testing import CliRunner
from programs import started, stopped
from rich.console import Console

from ibtrain import Config, ConfigError, InformationError, datasets, drawing, experiments, report, runs, sweep, train
from ibtrain.cli import cli
from ibtrain.runs import Row
from ibtrain.training import build_loss

SHORT = Config().with_options(
    ["training.epochs=2", "network.hidden=[32]", "network.latent=4", "plane.samples=200", "objective.gamma=0.1"]
)


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "ibtrain", *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def test_the_split_is_honest_seeded_and_stratified():
    one, two, other = datasets.digits(seed=0), datasets.digits(seed=0), datasets.digits(seed=1)
    assert torch.equal(one.test_inputs, two.test_inputs)
    assert not torch.equal(one.test_inputs, other.test_inputs)
    assert len(one.train_targets) + len(one.test_targets) == 1797
    assert abs(one.train_inputs.mean().item()) < 1e-5
    assert one.train_inputs.std().item() == pytest.approx(1, abs=1e-4)
    assert one.test_targets.bincount().min() >= 34
    assert one.input_size == 64
    with pytest.raises(ConfigError, match=r"test_fraction=0\.001"):
        datasets.digits(test_fraction=0.001)


def test_training_twice_is_equal_bit_by_bit_and_leaves_the_generator_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two = train(SHORT, accelerator="cpu"), train(SHORT, accelerator="cpu")
    assert torch.equal(before, torch.get_rng_state())
    for name, value in one.network.state_dict().items():
        assert torch.equal(value, two.network.state_dict()[name])
    assert one.epochs == two.epochs
    assert [row.value for row in one.rows] == [row.value for row in two.rows]
    other = train(SHORT.with_options(["seed=1"]), accelerator="cpu")
    assert other.epochs != one.epochs


def test_a_run_learns_and_its_rows_say_what_they_are():
    trained = train(SHORT.with_options(["training.epochs=8", "objective.gamma=0.001"]), accelerator="cpu")
    assert trained.epochs[-1].loss < trained.epochs[0].loss
    assert trained.epochs[-1].test_accuracy > 0.5
    last = {row.quantity: row for row in trained.rows if row.epoch == 8}
    assert {"loss", "CE[Y|Z]", "LogVar[Z|Y]", "test accuracy", "H[Z|Y]", "I[X;Z]", "I[X;Y|Z]"} <= last.keys()
    assert last["CE[Y|Z]"].side == "upper"
    assert last["I[X;Z]"].estimator == "mixture"
    assert last["I[X;Z]"].value <= last["ln N"].value == pytest.approx(math.log(1437))
    assert last["I[Y;Z]"].value <= last["H[Y]"].value <= math.log(10)
    for name, entropy in (("log Var[Z]", "H[Z]"), ("log Var[Z|Y]", "H[Z|Y]")):
        assert last[name].side == "upper"
        assert last[name].value >= last[entropy].value
    loss = last["CE[Y|Z]"].value + 0.001 * last["LogVar[Z|Y]"].value
    assert last["loss"].value == pytest.approx(loss, rel=1e-5)


def test_a_loss_that_stops_being_finite_is_an_error_with_a_remedy():
    with pytest.raises(ConfigError, match=r"lower training\.learning_rate"):
        train(SHORT.with_options(["training.learning_rate=1e30"]), accelerator="cpu")


def test_an_objective_that_fixes_its_weight_wants_that_gamma():
    fixed = SHORT.with_options(["objective.statement=min I[X;Z|Y] - I[Y;Z]"])
    with pytest.raises(ConfigError, match=r"set objective\.gamma to 1"):
        train(fixed, accelerator="cpu")
    assert train(fixed.with_options(["objective.gamma=1"]), accelerator="cpu").loss.weight_name is None
    third = SHORT.with_options("objective.statement=min H[Y|Z] + 1/3*H[Z|Y]")
    with pytest.raises(ConfigError, match=r"set objective\.gamma to 0\.333333, or write a parameter"):
        build_loss(third)
    assert build_loss(third.with_options("objective.gamma=0.333333")).weight_name is None


def test_half_precision_on_a_cpu_is_refused_rather_than_replaced():
    with pytest.raises(ConfigError, match="'16-mixed' needs a GPU; on a CPU there is 'bf16-mixed'"):
        train(SHORT.with_options(["training.precision=16-mixed"]), accelerator="cpu")


@pytest.mark.parametrize("accelerator", ["gpux", "tpu"])
def test_an_accelerator_that_is_not_there_is_refused(accelerator):
    with pytest.raises(ConfigError, match=f"cannot train on accelerator '{accelerator}'"):
        train(SHORT, accelerator=accelerator)


def test_rows_survive_the_file(tmp_path):
    rows = (Row("r", 1, 0.1, "LogVar[Z|Y]", 0, "I[X;Z]", "mixture", "two-sided", 1 / 3, 0.1, 'a, "b"; c'),)
    runs.write_rows(tmp_path / "results.csv", rows)
    assert runs.read_rows(tmp_path / "results.csv") == rows
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
    (tmp_path / "results.csv").write_text("nonsense\n1\n")
    for text in ("", "nonsense\n1\n", ",".join(runs.COLUMNS), ",".join(runs.COLUMNS) + "\nr,1\n"):
        (tmp_path / "results.csv").write_text(text)
        with pytest.raises(ConfigError, match="delete the file"):
            runs.read_rows(tmp_path / "results.csv")


@pytest.mark.parametrize("kept", [0, 3, 0.5])
def test_results_that_were_cut_short_are_not_taken_for_a_finished_run(tmp_path, kept):
    rows = [Row(SHORT.digest, epoch, 0.1, "LogVar[Z]", 0, "loss", "mean", "exact", 1.0) for epoch in (1, 2, 3)]
    stored = runs.Runs(tmp_path / "runs")
    stored.begin(SHORT)
    stored.store(SHORT, rows)
    path = stored.folder(SHORT) / "results.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:kept]) if isinstance(kept, int) else "".join(lines)[:-3])
    with pytest.raises(ConfigError, match=r"results\.csv.*delete the f"):
        sweep([SHORT], tmp_path, accelerator="cpu")
    assert list(runs.read_rows(tmp_path / "results.csv")) == []


def test_a_sweep_keeps_the_rows_of_earlier_sweeps(tmp_path):
    one, two = (SHORT.with_options([f"seed={seed}"]) for seed in (1, 2))
    first = sweep([one], tmp_path, accelerator="cpu")
    second = sweep([two], tmp_path, accelerator="cpu")
    assert {row.run for row in second} == {two.digest}
    table = runs.read_rows(tmp_path / "results.csv")
    assert [row.value for row in table] == [row.value for row in (*second, *first)]
    sweep([one], tmp_path, accelerator="cpu")
    assert [row.run for row in runs.read_rows(tmp_path / "results.csv")] == [row.run for row in (*first, *second)]


@pytest.mark.parametrize(
    ("options", "accelerator", "message"),
    [
        (["objective.statement=min I[X;Z] - beta*"], "cpu", "expected"),
        (["objective.statement=I[X;Z]"], "cpu", r"needs an objective such as .*, not 'I\[X;Z\]'"),
        (["objective.statement=import os"], "cpu", "a product needs"),
        (["objective.statement=min I[X;Z] - 2*I[Q;Z]"], "cpu", "'Q'. Known: X, Y, Z; write the objective in these$"),
        (["objective.surrogate=LogVra[Z]"], "cpu", r"did you mean 'LogVar\[Z\]'"),
        (["objective.surrogate=CE[Y|Z]"], "cpu", r"does not stand for the regularizer I\[X;Z\|Y\]"),
        (["objective.statement=min I[X;Z] - gamma*I[Y;Z]"], "cpu", "give the parameter another name"),
        (["objective.statement=min H[Z] - a*H[Z|X] - beta*I[Y;Z]"], "cpu", "write numbers for a"),
        (["objective.statement=min H[Y|Z]"], "cpu", r"set objective\.gamma to 0"),
        (["objective.statement=min H[Y|Z]", "objective.surrogate=LogVar[Z]"], "cpu", "has no regularizer"),
        (["data.test_fraction=0.001"], "cpu", "cannot split the digits"),
        ([], "gpux", "cannot train on accelerator 'gpux'"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(tmp_path, options, accelerator, message):
    with pytest.raises(InformationError, match=message):
        sweep([SHORT, SHORT.with_options(options)], tmp_path, accelerator=accelerator)
    assert not list(tmp_path.iterdir())


def test_an_objective_without_a_regularizer_is_trained():
    options = ["objective.statement=min H[Y|Z]", "objective.gamma=0"]
    trained = train(SHORT.with_options(options), accelerator="cpu")
    assert trained.loss.plan.formula == "CE[Y|Z]"
    assert {(row.surrogate, row.gamma) for row in trained.rows} == {("", 0.0)}


def test_without_a_name_the_tightest_surrogate_is_used_and_named_in_the_rows():
    assert SHORT.objective.surrogate == ""
    assert {row.surrogate for row in train(SHORT, accelerator="cpu").rows} == {"LogVar[Z|Y]"}


def test_a_sweep_skips_finished_runs(tmp_path):
    configs = [SHORT.with_options([f"objective.gamma={gamma}"]) for gamma in (0.01, 1.0)]
    first = sweep(configs[:1], tmp_path, accelerator="cpu")
    written = (tmp_path / "runs" / configs[0].digest / "results.csv").stat().st_mtime_ns
    both = sweep(configs, tmp_path, accelerator="cpu")
    assert (tmp_path / "runs" / configs[0].digest / "results.csv").stat().st_mtime_ns == written
    assert [row.value for row in both[: len(first)]] == [row.value for row in first]
    assert {row.run for row in both} == {config.digest for config in configs}
    assert len(runs.read_rows(tmp_path / "results.csv")) == len(both)
    stored = (tmp_path / "runs" / configs[0].digest / "config.toml").read_text()
    assert Config.from_toml(stored) == configs[0]


def test_falls_compares_with_the_standard_errors():
    def curve(*values):
        return [
            Row(f"r{i}", 1, 10.0**i, "LogVar[Z]", 0, "H[Z]", "mixture", "two-sided", v, 0.01)
            for i, v in enumerate(values)
        ]

    assert report.falls(curve(5, 3, 3.01, 0), "H[Z]") == {"LogVar[Z]": True}
    assert report.falls(curve(5, 3, 3.5, 0), "H[Z]") == {"LogVar[Z]": False}
    assert report.falls(curve(5, 5), "H[Z]") == {"LogVar[Z]": False}


def _printed(rows, width):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(report.summary(rows), crop=False)
    return console.file.getvalue()


def _plane(surrogate, gamma, flags=""):
    one = Row(f"{surrogate}{gamma}", 1, gamma, surrogate, 0, "I[X;Z]", "mixture", "two-sided", 7.25, 0.01, flags)
    return [one, dataclasses.replace(one, quantity="I[X;Y|Z]", value=0.125, flags="")]


def test_flagged_values_are_marked_in_the_table():
    text = _printed([*_plane("LogVar[Z]", 0.1, "within 1 % of ln N = 7.27"), *_plane("LogVar[Z]", 1.0)], 80)
    assert text.count("7.250*") == 1
    assert text.count("7.250 ") == 1
    assert "* within 1 % of ln N = 7.27" in text
    assert "*" not in _printed(_plane("LogVar[Z]", 1.0), 80)


def test_the_table_names_the_estimators_of_its_numbers():
    measured = [dataclasses.replace(one, estimator="knn, k = 3") for one in _plane("LogVar[Z]", 1.0)]
    assert "informations in nats (knn, training data)" in " ".join(_printed(measured, 80).split())
    assert "informations in nats (mixture, training data)" in " ".join(_printed(_plane("LogVar[Z]", 1.0), 80).split())


def test_numbers_are_not_cut_short_beside_a_wide_label():
    text = _printed(_plane("AVeryLongNameOfABound[Z|Y] + AnotherVeryLongNameOfABound[Z|Y]", 0.1), 40)
    for whole in ("7.250", "0.125", "I[X;Y|Z]"):
        assert whole in text
    assert "…" not in text


def test_flagged_points_change_the_picture(tmp_path):
    for name, flags in (("plain", ""), ("flagged", "within 1 % of ln N")):
        drawing.draw_plane([*_plane("LogVar[Z]", 0.1, flags), *_plane("LogVar[Z|Y]", 1.0)], tmp_path / f"{name}.png")
    assert (tmp_path / "plain.png").read_bytes() != (tmp_path / "flagged.png").read_bytes()


def test_an_empty_picture_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="nothing to draw"):
        drawing.draw_plane([], tmp_path / "plane.png")


def test_the_short_demo_from_end_to_end(tmp_path):
    result = CliRunner().invoke(cli, ["demo", "--fast", "--out", str(tmp_path), "--accelerator", "cpu"])
    assert result.exit_code == 0, result.output
    for text in ("b = 1/(beta - 1)", "chain rule", "proved: ", "log Var[Z|Y]", "H[Z|Y] falls as gamma grows"):
        assert text in result.output
    assert (tmp_path / "plane.png").read_bytes()[:4] == b"\x89PNG"
    assert tomllib.loads((tmp_path / "config.toml").read_text())["data"]["name"] == "digits"
    assert json.loads((tmp_path / "canonical.json").read_text())["weight"] == "1/(beta - 1)"
    assert "H[Y|Z]" in (tmp_path / "canonical.txt").read_text()
    assert experiments.Experiment.load(tmp_path) == experiments.DEMO_FAST
    plans = (tmp_path / "plan.txt").read_text()
    assert all(f"loss = CE[Y|Z] + gamma*{name}\n" in plans for name in experiments.SURROGATES)
    rows = runs.read_rows(tmp_path / "results.csv")
    assert len({row.run for row in rows}) == len(experiments.DEMO_FAST.configs())
    assert {row.surrogate for row in rows} == set(experiments.SURROGATES)


def test_the_full_demo_has_what_it_promises():
    assert len(experiments.DEMO.varied["objective.gamma"]) >= 6
    assert set(experiments.DEMO.varied["objective.surrogate"]) == {"LogVar[Z|Y]", "LogVar[Z]", "SquaredNorm[Z]"}


@pytest.mark.parametrize(
    "text", ["", "name = 'x'\n", "name = 'x'\nvaried = 3\n", "name = 'x'\n[varied]\nseed = 1\n", "[varied\n"]
)
def test_a_sweep_file_that_cannot_be_used_is_refused(tmp_path, text):
    experiments.DEMO.save(tmp_path)
    (tmp_path / "sweep.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"cannot read the sweep .*sweep\.toml"):
        experiments.Experiment.load(tmp_path)


@pytest.mark.parametrize("stop", ["KeyboardInterrupt", "click.Abort"])
def test_ctrl_c_before_the_first_run_ends_with_130(stop):
    code = f"import click, ibtrain.cli\n@ibtrain.cli.cli.command()\ndef stop():\n    raise {stop}\nibtrain.cli.main()"
    result = subprocess.run([sys.executable, "-c", code, "stop"], capture_output=True, text=True, check=False)
    assert result.returncode == 130
    assert result.stderr.strip() == "stopped"


def test_usage_errors_and_help_have_their_exit_statuses():
    wrong, helped = run("train"), run("--help")
    assert (wrong.returncode, helped.returncode) == (2, 0)
    assert "Missing argument 'CONFIG'" in wrong.stderr
    assert "Usage:" in helped.stdout


def test_bad_input_is_one_line_on_standard_error(tmp_path):
    (tmp_path / "config.toml").write_text("sede = 1\n")
    result = run("train", str(tmp_path / "config.toml"))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == "error: unknown key 'sede' in the configuration: did you mean 'seed'?\n"


def test_the_train_command_trains_what_the_file_says(tmp_path):
    (tmp_path / "config.toml").write_text(SHORT.to_toml())
    path = str(tmp_path / "config.toml")
    arguments = ["train", path, "--set", "seed=4", "--out", str(tmp_path), "--accelerator", "cpu"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert runs.Runs(tmp_path / "runs").is_finished(SHORT.with_options(["seed=4"]))


def test_ctrl_c_leaves_readable_results(tmp_path):
    code = (
        "import dataclasses, ibtrain; e = ibtrain.experiments;"
        "long = e.DEMO_FAST.base.with_options(['training.epochs=100000']);"
        "first = e.DEMO_FAST.configs()[0];"
        "e.Experiment.configs = lambda self: (first, long);"
        "import ibtrain.cli; ibtrain.cli.main()"
    )
    flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {}
    results = tmp_path / "results.csv"
    deadline = time.monotonic() + 180
    with started(code, "demo", "--fast", "--out", tmp_path, "--accelerator", "cpu", **flags) as process:
        while not (results.is_file() and results.read_text().count("\n") > 1):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        status, errors = stopped(process)
    assert status == 130
    assert errors.startswith("stopped: 1 of 2 runs are finished")
    assert "Traceback" not in errors
    rows = runs.read_rows(results)
    assert {row.run for row in rows} == {experiments.DEMO_FAST.configs()[0].digest}
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("name", ["compile", "Config", "training"])
def test_without_the_libraries_for_training_the_package_says_how_to_get_them(name):
    code = f"import sys; sys.modules['torch'] = sys.modules['tomli_w'] = None; import ibtrain; ibtrain.{name}"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    said = rf".*ConfigError: ibtrain\.{name} needs \w+, which is not installed: pip install 'imeasure\[train\]'"
    assert re.fullmatch(said, result.stderr.splitlines()[-1])


def test_importing_the_package_is_light():
    code = "import sys, ibtrain; assert not {'torch', 'sympy', 'matplotlib', 'lightning_fabric'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""A sweep gives the same numbers, whoever trains: this process, workers, shards, Ray, several processes for one run."""

import contextlib
import os
import subprocess
import sys
import time

import pytest
import torch
from click.testing import CliRunner
from mutations import watched
from programs import run_in_process

from ibtrain import Config, ConfigError, runs, sweep, train
from ibtrain.cli import cli, main
from ibtrain.executors import OnRay, Workers
from ibtrain.sweeps import grid

SHORT = Config().with_options(
    ["training.epochs=2", "network.hidden=[16]", "network.latent=3", "plane.samples=100", "objective.gamma=0.1"]
)
FOUR = grid(SHORT, {"objective.gamma": [0.01, 1.0], "seed": [0, 1]})


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return sweep(FOUR, tmp_path_factory.mktemp("alone"), accelerator="cpu")


def test_a_grid_is_every_combination():
    assert [(config.objective.gamma, config.seed) for config in FOUR] == [(0.01, 0), (0.01, 1), (1.0, 0), (1.0, 1)]
    with pytest.raises(ConfigError, match="unknown key"):
        grid(SHORT, {"sede": [1]})
    one, other = grid(SHORT, {"network.hidden": [(8, 4)], "training.compile": [True, False]})
    assert (one.network.hidden, one.training.compile, other.training.compile) == ((8, 4), True, False)
    for values in ("LogVar[Z]", 3):
        with pytest.raises(ConfigError, match=r"objective\.surrogate is varied over a list of values, not over"):
            grid(SHORT, {"objective.surrogate": values})


def test_a_sweep_without_end_is_refused_before_it_is_written_out(tmp_path):
    (tmp_path / "config.toml").write_text(SHORT.to_toml())
    values = ",".join(map(str, range(1000)))
    arguments = ["--vary", f"seed={values}", "--vary", f"plane.seed={values}", "--out", str(tmp_path / "out")]
    with watched("a sweep"):
        result = CliRunner().invoke(cli, ["sweep", str(tmp_path / "config.toml"), *arguments])
    assert result.exit_code == 2
    assert result.stderr == (
        "error: 1000 seed x 1000 plane.seed are 1000000 runs, more than 100000: vary fewer values, or make several "
        "sweeps\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_workers_give_the_numbers_of_one_process(alone, tmp_path):
    rows = sweep(FOUR, tmp_path, accelerator="cpu", executor=Workers(2))
    assert repr(rows) == repr(alone)


@pytest.mark.slow
def test_ray_gives_the_numbers_of_one_process(alone, tmp_path):
    pytest.importorskip("ray")
    rows = sweep(FOUR, tmp_path, accelerator="cpu", executor=OnRay())
    assert repr(rows) == repr(alone)


PART = """
import sys
from pathlib import Path
from ibtrain import Config, sweep
from ibtrain.executors import Outcome
from ibtrain.runs import Row
from ibtrain.sweeps import grid

class Ready:
    def outcomes(self, configs, place, on_epoch):
        print("ready", flush=True)
        input()
        for config in configs:
            place.runs.begin(config)
            row = Row(config.digest, 1, 0.1, "LogVar[Z]", config.seed, "loss", "mean", "exact", 1.0)
            place.runs.store(config, [row])
            yield Outcome(config)

configs = grid(Config(), {"seed": range(12)})
sweep(configs, sys.argv[1], accelerator="cpu", shard=(int(sys.argv[2]), 2), executor=Ready())
"""


@pytest.mark.slow
def test_two_shards_at_the_same_time_never_lose_a_finished_run_from_the_table(tmp_path):
    """The runs are not trained, only stored, so that both processes renew the table as often as they can."""
    command, pipes = [sys.executable, "-c", PART, str(tmp_path)], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with contextlib.ExitStack() as stack:
        shards = [stack.enter_context(subprocess.Popen([*command, index], text=True, **pipes)) for index in ("1", "2")]
        assert [shard.stdout.readline() for shard in shards] == ["ready\n"] * 2
        for shard in shards:
            shard.stdin.write("\n")
            shard.stdin.close()
        seen = set()
        while any(shard.poll() is None for shard in shards):
            found = {row.seed for row in runs.read_rows(tmp_path / "results.csv")}
            assert found >= seen
            seen = found
            time.sleep(0.01)
    assert [shard.returncode for shard in shards] == [0, 0]
    assert [row.seed for row in runs.read_rows(tmp_path / "results.csv")] == list(range(12))


def test_shards_share_the_work_and_the_table(alone, tmp_path):
    first = sweep(FOUR, tmp_path, accelerator="cpu", shard=(1, 3))
    assert {row.run for row in first} == {FOUR[0].digest, FOUR[3].digest}
    sweep(FOUR, tmp_path, accelerator="cpu", shard=(2, 3))
    rows = sweep(FOUR, tmp_path, accelerator="cpu", shard=(3, 3))
    assert repr(rows) == repr(alone)
    assert repr(runs.read_rows(tmp_path / "results.csv")) == repr(alone)


def test_a_run_whose_results_are_damaged_fails_alone(alone, tmp_path):
    sweep(FOUR[:1], tmp_path, accelerator="cpu")
    results = tmp_path / "runs" / FOUR[0].digest / "results.csv"
    results.write_bytes(results.read_bytes()[:-30])
    with pytest.raises(ConfigError, match=f"1 of 4 runs failed, the others are finished:\n  {FOUR[0].digest}"):
        sweep(FOUR, tmp_path, accelerator="cpu")
    rest = [row for row in alone if row.run != FOUR[0].digest]
    assert repr(list(runs.read_rows(tmp_path / "results.csv"))) == repr(rest)


@pytest.mark.parametrize("shard", [(0, 2), (3, 2), (1, 0)])
def test_a_shard_that_does_not_exist_is_refused(tmp_path, shard):
    with pytest.raises(ConfigError, match="a shard is i/n with i from 1 to n"):
        sweep(FOUR, tmp_path, accelerator="cpu", shard=shard)


@pytest.mark.parametrize("make", [lambda: Workers(0), lambda: OnRay(gpus=-1), lambda: OnRay(cpus=0)])
def test_executors_refuse_what_cannot_be(make):
    with pytest.raises(ConfigError):
        make()


@pytest.mark.slow
def test_two_sweeps_on_one_folder_train_every_run_once(alone, tmp_path):
    (tmp_path / "config.toml").write_text(SHORT.to_toml())
    command = [sys.executable, "-m", "ibtrain", "sweep", str(tmp_path / "config.toml"), "--accelerator", "cpu"]
    command += ["--vary", "objective.gamma=0.01,1.0", "--vary", "seed=0,1", "--out", str(tmp_path / "out")]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert repr(runs.read_rows(tmp_path / "out" / "results.csv")) == repr(alone)
    for config in FOUR:
        assert (tmp_path / "out" / "runs" / config.digest / "metrics.jsonl").read_text().count("\n") == 2


@pytest.mark.slow
def test_two_processes_train_one_run_as_one_process_does(tmp_path):
    config = SHORT.with_options(["bottleneck.noise_variance=1e-12", "training.batch_size=500"])
    (tmp_path / "config.toml").write_text(config.to_toml())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "ibtrain"]
    command += ["train", str(tmp_path / "config.toml"), "--accelerator", "cpu", "--out", str(tmp_path / "two")]
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, timeout=300)
    shared = runs.read_rows(tmp_path / "two" / "results.csv")
    alone = train(config, accelerator="cpu").rows
    losses = [
        [row.value for row in rows if row.quantity in ("loss", "LogVar[Z|Y]", "CE[Y|Z]")] for rows in (shared, alone)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vary", "seed"], "needs a key and values"),
        (["--vary", "seed=1,,2"], "needs a key and values"),
        (["--vary", "sede=1"], "unknown key 'sede'"),
        (["--vary", "network.hidden=[8,8],[16],[]", "--vary", f"seed={','.join('1' * 40000)}"], "3 network.hidden x"),
        (["--shard", "1"], "--shard needs I/N"),
        (["--shard", "5/4"], "--shard needs I/N with I from 1 to N, for example 1/4, not '5/4'"),
        (["--workers", "2", "--ray"], "leave out --workers, --together or --ray"),
        (["--together", "--ray"], "leave out --workers, --together or --ray"),
        (["--gpus", "0.5"], "add --ray"),
        (["--set", "data.name=mnist", "--data", "nothing"], "Dataset not found; give --download to fetch it"),
    ],
)
def test_bad_options_are_one_line_on_standard_error(tmp_path, monkeypatch, capsys, arguments, message):
    (tmp_path / "config.toml").write_text(SHORT.to_toml())
    out = tmp_path / "out"
    arguments = ["sweep", tmp_path / "config.toml", "--out", out, *arguments]
    assert run_in_process(monkeypatch, main, *arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert len(errors.splitlines()) == 1
    assert not out.exists()


def test_the_seed_of_the_process_does_not_matter(alone, tmp_path):
    torch.manual_seed(99)
    assert repr(sweep(FOUR[:1], tmp_path, accelerator="cpu")) == repr(
        tuple(r for r in alone if r.run == FOUR[0].digest)
    )

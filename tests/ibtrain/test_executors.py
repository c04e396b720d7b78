"""Those who train the runs of a sweep: a run that is lost is said, the others go on; what is trained elsewhere is seen."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from programs import started, stopped
from rich.console import Console

from ibtrain import Config, ConfigError, runs, sweep
from ibtrain.executors import InProcess, OnRay, Place, Workers
from ibtrain.executors.run import failure
from ibtrain.live import LiveView
from ibtrain.sweeps import grid
from ibtrain.training.progress import METRICS

SHORT = Config().with_options(
    ["training.epochs=3", "network.hidden=[16]", "network.latent=3", "plane.samples=100", "objective.gamma=0.1"]
)
ENDLESS = SHORT.with_options(["training.epochs=100000"])
HAS_PROC = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's list of processes")


def place(folder):
    return Place(runs=runs.Runs(folder), accelerator="cpu", data_root=Path("data"), download=False)


def descendants(pid):
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in path.read_text().split()]
        except OSError:
            continue
        found += [one for child in children for one in (child, *descendants(child))]
    return found


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@HAS_PROC
def test_a_killed_worker_fails_its_run_alone(tmp_path):
    configs = [ENDLESS, *grid(SHORT, {"seed": [1, 2, 3]})]
    seen = []

    def kill(config, epoch):
        seen.append((config.digest, epoch.number))
        if config == ENDLESS and epoch.number == 2:
            workers = [
                pid
                for pid in descendants(os.getpid())
                if f"{ENDLESS.digest}/run.lock"
                in " ".join(map(str, map(Path.resolve, Path(f"/proc/{pid}/fd").glob("*"))))
            ]
            for pid in workers:
                os.kill(pid, signal.SIGKILL)

    outcomes = {
        outcome.config: outcome.error for outcome in Workers(2).outcomes(configs, place(tmp_path / "runs"), kill)
    }
    assert set(outcomes) == set(configs)
    assert "was killed" in outcomes[ENDLESS]
    assert [error for config, error in outcomes.items() if config != ENDLESS] == ["", "", ""]
    assert {(config.digest, 3) for config in configs[1:]} <= set(seen)


@pytest.mark.slow
@HAS_PROC
@pytest.mark.parametrize("options", [[], ["--workers", "2"], ["--ray"]], ids=["alone", "workers", "ray"])
def test_ctrl_c_ends_all_processes_with_130_and_the_same_command_goes_on(tmp_path, options):
    if "--ray" in options:
        pytest.importorskip("ray")
    (tmp_path / "config.toml").write_text(ENDLESS.to_toml())
    arguments = ["sweep", tmp_path / "config.toml", "--accelerator", "cpu", "--vary", "seed=0,1"]
    arguments += ["--out", tmp_path / "out", *options]
    folders = [runs.Runs(tmp_path / "out" / "runs").folder(ENDLESS.with_options([f"seed={seed}"])) for seed in (0, 1)]
    with started("import ibtrain.cli; ibtrain.cli.main()", *arguments) as process:
        wait_until(lambda: process.poll() is not None or any((folder / METRICS).is_file() for folder in folders))
        assert process.poll() is None, process.communicate()
        family = descendants(process.pid)
        status, errors = stopped(process)
    assert status == 130
    *others, last = errors.strip().splitlines()
    assert last.startswith("stopped: 0 of 2 runs are finished")
    assert all("ray" in line.lower() for line in others)
    wait_until(lambda: not any(map(is_running, family)))


@pytest.mark.slow
@HAS_PROC
def test_workers_end_when_the_sweep_is_killed(tmp_path):
    (tmp_path / "config.toml").write_text(ENDLESS.to_toml())
    command = [sys.executable, "-m", "ibtrain", "sweep", str(tmp_path / "config.toml"), "--accelerator", "cpu"]
    command += ["--out", str(tmp_path / "out"), "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_until((runs.Runs(tmp_path / "out" / "runs").folder(ENDLESS) / METRICS).is_file)
    started = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not any(map(is_running, started)))


@pytest.mark.slow
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "[::1]:1", "127.0.0.1:100000"])
def test_a_cluster_that_is_not_there_is_said_in_one_line(tmp_path, address):
    pytest.importorskip("ray")
    with pytest.raises(
        ConfigError, match=rf"^cannot reach Ray at {re.escape(address)}: .*; look whether it runs there"
    ):
        sweep([SHORT], tmp_path, accelerator="cpu", executor=OnRay(address))


@pytest.mark.slow
def test_ray_that_does_not_start_in_time_is_said_in_one_line(tmp_path, monkeypatch):
    """Ray waits for half a minute, and raises this where the machine is too busy."""
    ray = pytest.importorskip("ray")

    def init(**options):
        raise Exception("The current node timed out during startup. This\ncould happen because")  # noqa: TRY002 - Ray's

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(
        ConfigError, match=r"^cannot start Ray on this machine: The current node timed out during startup"
    ):
        sweep([SHORT], tmp_path, accelerator="cpu", executor=OnRay())


def test_whatever_a_run_fails_of_is_told_and_the_others_go_on(tmp_path, monkeypatch):
    """A bug of a data set's reader stands for what nobody foresaw."""
    from ibtrain.training import loop

    load = loop.load_data

    def load_or_fail(config, **options):
        if config.split_seed == 9:
            raise RuntimeError("the device ran\nout of memory")
        return load(config, **options)

    monkeypatch.setattr(loop, "load_data", load_or_fail)
    configs = [SHORT.with_options(["data.split_seed=9"]), SHORT]
    here = place(tmp_path / "runs")
    first, second = InProcess().outcomes(configs, here, lambda config, epoch: None)
    assert first.error.startswith("RuntimeError: the device ran out of memory (where it happened stands in ")
    assert "in load_or_fail" in (here.runs.folder(configs[0]) / "error.txt").read_text()
    assert second.error == ""
    assert here.runs.is_finished(SHORT)


def test_bars_show_the_terms_of_the_loss(tmp_path):
    console = Console(width=160, file=io.StringIO(), force_terminal=True, color_system=None)
    sweep([SHORT], tmp_path, accelerator="cpu", console=console)
    shown = console.file.getvalue()
    assert "1/1 runs" in shown
    assert "3/3 epochs" in shown
    for text in ("CE[Y|Z] ", "LogVar[Z|Y] ", "gamma 0.1", "test "):
        assert text in shown


def test_curves_for_tensorboard_hold_every_epoch_once_also_when_a_run_goes_on(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    seen = []
    for _ in InProcess().outcomes([SHORT], place(tmp_path / "runs"), lambda config, epoch: seen.append(epoch)):
        pass
    for epochs in (seen[:2], seen):
        with LiveView(None, total=1, done=0, curves=tmp_path / "tensorboard") as view:
            for epoch in epochs:
                view.epoch(SHORT, epoch)
    found = accumulator.EventAccumulator(str(tmp_path / "tensorboard" / SHORT.digest)).Reload()
    tags = found.Tags()["scalars"]
    assert {"loss", "terms/CE[Y|Z]", "terms/LogVar[Z|Y]", "accuracy/test", "mixture/I[X;Z]"} <= set(tags)
    losses = found.Scalars("loss")
    assert [scalar.step for scalar in losses] == [1, 2, 3]
    assert [scalar.value for scalar in losses] == pytest.approx([epoch.loss for epoch in seen], rel=1e-6)


def test_a_view_counts_no_epochs_before_a_run_tells_its_own():
    console = Console(file=io.StringIO(), width=120)
    with LiveView(console, total=2, done=2):
        pass
    said = console.file.getvalue()
    assert "2/2 runs" in said
    assert "None" not in said


def test_without_tensorboard_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=r"pip install 'imeasure\[tensorboard\]'"):
        sweep([SHORT], tmp_path, accelerator="cpu", tensorboard=True)
    assert not list(tmp_path.rglob("*.csv"))


def test_workers_and_ray_are_refused_under_torchrun(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for executor in (Workers(2), OnRay()):
        with pytest.raises(ConfigError, match="leave out workers, Ray and together"):
            sweep([SHORT], tmp_path, accelerator="cpu", executor=executor)


def test_a_run_without_room_says_what_to_make_smaller(tmp_path):
    with pytest.raises(RuntimeError, match="allocate memory") as caught:
        torch.empty(2**50)
    assert failure(caught.value, tmp_path).startswith("this run takes more memory than there is: make network.latent,")
    with pytest.raises(MemoryError) as caught:
        bytearray(2**60)
    assert failure(caught.value, tmp_path).startswith("this run takes more memory than there is")
    assert failure(ValueError("a\nb"), tmp_path).startswith("ValueError: a b")

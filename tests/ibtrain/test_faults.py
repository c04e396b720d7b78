"""Disks that are full, folders that cannot be written, names with spaces: clear errors, and nothing is lost."""

import os
import subprocess

import pytest
from click.testing import CliRunner

from ibtrain import Config, ConfigError, runs, sweep
from ibtrain.cli import cli
from ibtrain.sweeps import grid

SHORT = Config().with_options(
    ["training.epochs=4", "network.hidden=[64]", "network.latent=8", "plane.samples=100", "objective.gamma=0.1"]
)


class Mounted:
    """A small file system in memory, where the system lets us mount one."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self("-t", "tmpfs", "-o", "size=256k", "tmpfs")

    def __call__(self, *options):
        try:
            subprocess.run(["mount", *options, str(self.folder)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"mounting is not allowed here: {error}")

    def remount(self, options):
        self("-o", f"remount,{options}")


@pytest.fixture
def small(tmp_path):
    mounted = Mounted(tmp_path / "small")
    yield mounted
    subprocess.run(["umount", str(mounted.folder)], check=True)


def test_runs_that_met_a_full_disk_go_on_when_there_is_room_with_equal_numbers(small, tmp_path):
    configs = grid(SHORT, {"seed": [0, 1]})
    expected = sweep(configs, tmp_path / "roomy", accelerator="cpu")
    with pytest.raises(ConfigError, match=r"(?s)failed.*No space left on device; choose another folder or make room"):
        sweep(configs, small.folder, accelerator="cpu")
    stored = runs.Runs(small.folder / "runs")
    assert not all(map(stored.is_finished, configs))
    assert all(stored.rows(digest) for digest in stored.finished())
    assert not list(small.folder.rglob(".*.*"))
    small.remount("size=16m")
    assert repr(sweep(configs, small.folder, accelerator="cpu")) == repr(expected)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(small, tmp_path):
    (tmp_path / "config.toml").write_text(SHORT.to_toml())
    small.remount("ro")
    arguments = ["train", str(tmp_path / "config.toml"), "--accelerator", "cpu", "--out", str(small.folder / "out")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: cannot write ")
    assert line.endswith("; choose another folder")


def test_a_finished_run_can_be_read_where_nothing_can_be_written(small, tmp_path):
    small.remount("size=16m")
    (tmp_path / "config.toml").write_text(SHORT.with_options(["training.epochs=1"]).to_toml())
    arguments = ["train", str(tmp_path / "config.toml"), "--accelerator", "cpu", "--out", str(small.folder)]
    first = CliRunner().invoke(cli, arguments)
    small.remount("ro")
    again = CliRunner().invoke(cli, arguments)
    assert (again.exit_code, again.stderr) == (0, ""), again.stderr
    assert again.stdout.splitlines()[-1] == first.stdout.splitlines()[-1]


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(ConfigError, match=r"cannot (write|use)"):
        sweep([SHORT], tmp_path, accelerator="cpu")
    assert (tmp_path / "runs").read_text() == ""


def test_paths_may_have_spaces_and_any_letters(tmp_path):
    place = tmp_path / "größe 42 – 数据 [x]"
    place.mkdir()
    (place / "my config.toml").write_text(SHORT.with_options(["training.epochs=1"]).to_toml(), encoding="utf-8")
    arguments = ["sweep", str(place / "my config.toml"), "--out", str(place / "the runs"), "--accelerator", "cpu"]
    for _ in range(2):
        result = CliRunner().invoke(cli, [*arguments, "--vary", "seed=0,1"])
        assert result.exit_code == 0, result.output
    assert len(runs.read_rows(place / "the runs" / "results.csv")) > 0
    assert len(list((place / "the runs" / "runs").iterdir())) == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_said(tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(ConfigError, match="cannot write"):
        sweep([SHORT], tmp_path / "out", accelerator="cpu")

"""How the program ends, whatever happens to it: stopped, unread, on full disks, with strange paths and terminals."""

import os
import re
import shlex
import time
from pathlib import Path

import numpy as np
import pytest
from programs import shell, started, stopped, works_as_its_help_says
from untrained import SHORT, refused, run, store_two

from ibtrain.cli import cli


@pytest.fixture
def finished(tmp_path):
    return store_two(tmp_path / "runs")


WRITING = (
    ["plane", "RUNS", "--out", "AT.png"],
    ["claims", "RUNS", "--out", "AT.md"],
    ["report", "RUNS", "--out", "AT.html"],
)


@pytest.mark.parametrize("command", WRITING, ids=lambda command: command[0])
def test_where_nothing_can_be_written_is_said(finished, tmp_path, command):
    (tmp_path / "file").write_text("")
    place = [part.replace("RUNS", str(finished)).replace("AT", str(tmp_path / "file" / "a")) for part in command]
    assert "cannot write" in refused(run(*place))
    assert (tmp_path / "file").read_text() == ""


def test_paths_may_have_any_letters_begin_with_a_dash_and_lead_through_links(finished, tmp_path, monkeypatch):
    place = tmp_path / "größe – 数据 [x] 1"
    place.mkdir()
    monkeypatch.chdir(place)
    os.symlink(finished, "-runs [1]")
    np.savez("-ä b.npz", Z=np.random.default_rng(0).normal(size=(50, 1)))
    assert run("estimate", "--quantity", "H[Z]", "--", "-ä b.npz").exit_code == 0
    for command in WRITING:
        name = "-" + command[-1].replace("AT", "ü [1]")
        result = run(command[0], "--out", name, "--", "-runs [1]")
        assert result.exit_code == 0, result.output
        assert Path(name).stat().st_size > 100
    assert not [name for name in os.listdir() if name.startswith(".")]


def test_narrow_terminals_lose_nothing_and_files_get_no_colours(finished):
    wide = run("claims", finished, env={"COLUMNS": "200"}).output
    for environment in ({"COLUMNS": "40"}, {"COLUMNS": "200", "NO_COLOR": "1"}):
        shown = run("claims", finished, env=environment).output
        assert "\x1b" not in shown
        assert "…" not in shown
        assert sorted("".join(shown.split()).replace("─", "")) == sorted("".join(wide.split()).replace("─", ""))


EXAMPLES = ("compile", "estimate", "plane", "claims", "report")


@pytest.mark.parametrize("command", EXAMPLES)
def test_the_example_of_a_commands_help_works(command, finished, monkeypatch):
    works(command, finished.parent, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("command", [name for name in cli.commands if name not in EXAMPLES])
def test_the_examples_that_train_work(command, finished, monkeypatch):
    works(command, finished.parent, monkeypatch)


def works(command, folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "config.toml").write_text(SHORT.to_toml())
    rng = np.random.default_rng(0)
    np.savez("latents.npz", Z=rng.normal(size=(90, 2)), Y=rng.integers(3, size=90))
    works_as_its_help_says(run, "ibtrain", command)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there are other pipes there")
def test_a_reader_that_goes_away_and_a_full_disk_end_the_program(finished):
    closed = shell("ibtrain compile --table | true; exit ${PIPESTATUS[0]}")
    assert (closed.returncode, closed.stderr) == (141, "")
    closed = shell(f"ibtrain claims {shlex.quote(str(finished))} | true; exit ${{PIPESTATUS[0]}}")
    assert (closed.returncode, closed.stderr) == (141, "")
    if Path("/dev/full").exists():
        full = shell("ibtrain compile IB --source > /dev/full")
        assert (full.returncode, full.stderr) == (2, "error: cannot write the output: No space left on device\n")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["estimate", "reproduce"])
def test_ctrl_c_ends_with_130_and_without_a_traceback(command, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", X=rng.normal(size=(60_000, 4)), Y=rng.normal(size=(60_000, 4)))
    arguments = {
        "estimate": [str(tmp_path / "a.npz"), "--estimator", "ksg", *["--quantity", "I[X;Y]"] * 50],
        "reproduce": ["fig6", "--preset", "digits", "--out", str(tmp_path / "out"), "--accelerator", "cpu"],
    }[command]
    code = "import ibtrain.cli, torch; print('ready', flush=True); ibtrain.cli.main()"
    with started(code, command, *arguments) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(5)
        assert process.poll() is None
        status, errors = stopped(process)
    assert status == 130
    assert re.fullmatch(r"\n?stopped.*\n", errors)

"""How the program ends, whatever happens to it: stopped, unread, on full disks, on narrow and on closed terminals."""

import json
import os
import random
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from mutations import watched
from programs import shell, started, stopped, works_as_its_help_says

from imeasure import check, objectives
from imeasure.cli import main

HAS_FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
NAMES = [f"X{i}" for i in range(300)]
DRAWN = random.Random(0)
TANGLED = " >= ".join(" + ".join(f"H[{','.join(DRAWN.sample(NAMES[:60], 5))}]" for _ in range(80)) for _ in range(2))
"""A relation over sixty variables."""
FALSE = f"H[{','.join(NAMES[:200])}] >= {' + '.join(f'H[{name}]' for name in NAMES[:200])}"
"""A relation over two hundred variables whose counterexample is not found in a long time."""


def run(*arguments, **options):
    return CliRunner().invoke(main, list(arguments), **options)


@pytest.mark.parametrize("command", [name for name in main.commands if name not in ("ledger", "objectives")])
def test_the_example_of_a_commands_help_works(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text("X,Y,p\n0,0,1/2\n1,1,1/2\n")
    if command == "verify":
        check("H[X|Y] <= H[X]").certificate.to_json("proof.json")
    works_as_its_help_says(run, "imeasure", command)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["ledger", "objectives"])
def test_the_examples_that_take_longer_work(command):
    works_as_its_help_says(run, "imeasure", command)


def test_a_word_that_is_not_in_the_glossary_is_bad_input():
    for options in ([], ["--json"]):
        result = run("glossary", "decoder certainty", *options)
        assert result.exit_code == 2
        assert result.stderr.startswith("error: unknown word 'decoder certainty'; did you mean 'Decoder Uncertainty'?")


def test_the_command_points_to_its_own_options():
    proved = run("check", "H[X|Y] <= H[X]").output
    assert proved == "proved: H[X|Y] <= H[X]\nby a certificate of 1 step\n(--explain prints the proof)\n"
    explained = run("check", "H[X|Y] <= H[X]", "--explain").output
    assert "Proof of H[X|Y] <= H[X]" in explained
    assert "--explain" not in explained
    assert "imeasure.hints" not in run("check", "H[X] <= H[Y]").output


@pytest.mark.skipif(os.name == "nt", reason="there are other pipes there")
def test_a_reader_that_goes_away_ends_the_program_silently():
    for command in ("imeasure objectives", "imeasure check 'H[X|Y] <= H[X]'", "imeasure --help"):
        closed = shell(f"{command} | true; exit ${{PIPESTATUS[0]}}")
        assert (closed.returncode, closed.stderr) == (141, ""), command


@HAS_FULL
@pytest.mark.parametrize("command", ["check 'H[X|Y] <= H[X]'", "objectives", "--help"])
def test_a_full_disk_behind_the_output_is_said(command):
    result = shell(f"imeasure {command} > /dev/full")
    assert (result.returncode, result.stderr) == (2, "error: cannot write the output: No space left on device\n")


@HAS_FULL
@pytest.mark.parametrize("command", ["simplify IBx", "simplify --no-such-option IB"])
def test_a_full_disk_behind_the_errors_leaves_the_exit_status(command):
    result = shell(f"imeasure {command} 2> /dev/full")
    assert (result.returncode, result.stdout) == (2, "")


@pytest.mark.skipif(os.name == "nt", reason="there are other shells there")
def test_a_program_without_an_output_ends_as_always():
    assert shell("imeasure check 'H[X] <= H[Y]' >&-").returncode == 1


def test_letters_that_a_terminal_lacks_do_not_end_the_program():
    result = shell("imeasure glossary 'H[Я]'", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    drawn = shell("imeasure simplify 'H[Я] + H[X] - H[X]'", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (drawn.returncode, drawn.stderr) == (0, "")


def test_narrow_terminals_lose_nothing_and_files_get_no_colours():
    for environment in ({"COLUMNS": "40"}, {"COLUMNS": "200", "NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = run("objectives", env=environment).output
        assert "\x1b" not in shown
        assert "…" not in shown
        cells = [re.split("[│┃]", line)[1:-1] for line in shown.splitlines() if line.startswith(("│", "┃"))]
        columns = ["".join("".join(column).split()) for column in zip(*cells, strict=True)]
        for entry in objectives.values():
            assert "".join(entry.name.split()) in columns[0]
            assert "".join(entry.statement.split()) in columns[1]
            assert "".join(entry.reference.split()) in columns[3]


# Calls the program over and over, so that no machine is too fast for the signal to find it at work.
ENDLESS = """
import imeasure.cli, imeasure.prove
print("ready", flush=True)
while True:
    try:
        imeasure.cli.main()
    except SystemExit as end:
        if end.code not in (0, 1):
            raise
"""


@pytest.mark.parametrize("command", [["check", FALSE, "--seconds", "600"], ["ledger"]], ids=["check", "ledger"])
def test_ctrl_c_ends_with_130_and_one_word(command):
    with started(ENDLESS, *command) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)
        assert process.poll() is None
        status, errors = stopped(process)
    assert (status, errors.split()) == (130, ["stopped"])


def over(count, kind):
    names = NAMES[:count]
    joint, singles = f"H[{','.join(names)}]", " + ".join(f"H[{name}]" for name in names)
    return {
        "true": f"{joint} <= {singles}",
        "false": FALSE,
        "a part": f"{joint} <= H[{','.join(names[: count // 2])}]",
        "tangled": TANGLED,
    }[kind]


@pytest.mark.parametrize(
    ("kind", "right"),
    [("true", {"proved"}), ("a part", {"refuted"}), ("false", {"refuted", "undecided"}), ("tangled", {"refuted"})],
)
def test_relations_of_many_variables_end_in_the_time_that_they_are_given(kind, right):
    with watched(kind, 120):
        verdict = check(over(200, kind), seconds=3)
    assert verdict.status in right, str(verdict)[-200:]  # three seconds are enough for "false" on some machines
    assert verdict.certificate is None or verdict.certificate.verify()
    assert str(verdict).startswith(verdict.status)
    if kind == "a part":
        assert verdict.counterexample.names == ("X199",)


def test_more_variables_than_can_be_searched_are_undecided():
    result = run("check", " + ".join(f"H[X{i}]" for i in range(400)) + " >= 0", "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["reason"] == "more than 300 variables are involved"

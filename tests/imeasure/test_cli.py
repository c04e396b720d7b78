import json
import subprocess
import sys
import warnings

import click
import pytest
from click.testing import CliRunner

from imeasure.cli import main
from imeasure.command_line import CommandLine


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_simplify_prints_form_derivation_and_alternatives():
    result = run("simplify", "min I[X;Z] - beta*I[Y;Z]")
    assert result.exit_code == 0
    assert result.output.startswith("H[Y|Z] + b*I[X;Z|Y] with b = 1/(beta - 1), for beta > 1\n")
    assert "[drop constant: (1 - beta)*H[Y]]" in result.output
    assert "also: H[Y|Z] + b*(H[Z|Y] - H[Z|X])" in result.output


def test_without_a_command_help_is_shown_line_by_line():
    result = run()
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: main [OPTIONS] COMMAND [ARGS]...\n\n")
    assert "\n  simplify " in result.stderr


def test_a_warning_is_one_line():
    @click.command()
    def doubt():
        warnings.warn("no proof", stacklevel=1)

    program = CommandLine("program", extra="train", commands={"doubt": doubt})
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = CliRunner().invoke(program, ["doubt"])
    assert result.stderr == "warning: no proof\n"
    assert result.exit_code == 0


def test_simplify_as_json():
    data = json.loads(run("simplify", "min I[X;Z] - beta*I[Y;Z]", "--json").output)
    assert data["loss"] == "H[Y|Z]"
    assert data["weight"] == "1/(beta - 1)"
    assert data["regularizer"] == "I[X;Z|Y]"
    assert data["conditions"] == ["beta > 1"]


def test_simplify_with_model_options():
    noisy = ["--latent", "noisy", "--encoder", "deterministic"]
    assert run("simplify", "min I[X;Z] - 2*I[Y;Z]", *noisy).output.startswith("H[Y|Z] + H[Z|Y]\n")
    given = run("simplify", "min I[X;Z] - 2*I[Y;Z]", "--model", "Y -> X -> Z", "--given", "H[Z|X] = 0")
    assert given.output.startswith("H[Y|Z] + H[Z|Y]\n")
    renamed = run("simplify", "min I[A;T] - 2*I[B;T]", "--model", "B -> A -> T", "--fixed", "A,B", "--loss", "H[B|T]")
    assert renamed.output.startswith("H[B|T] + I[A;T|B]\n")


def test_objectives():
    listed = json.loads(run("objectives", "--json").output)
    assert [row["name"] for row in listed][:3] == ["IB", "IB-residual", "DIB"]
    assert "H[Y|Z] + b*H[Z|Y] with b = 1/(beta - 1), for beta > 1" in [row["form"] for row in listed]
    assert run("objectives").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["simplify", "min I[X;Z - b"], "expected ',', ';', '|' or ']', found '-'"),
        (["simplify", "min H[Z]", "--fixed", "X"], "--fixed describes"),
        (
            ["simplify", "IB", "--encoder", "deterministic", "--latent", "continuous"],
            "Add independent noise to Z: its kind is then 'noisy' (--latent noisy in supervised learning)",
        ),
        (["simplify", "min H[Z]", "--model", "X -> Z", "--weights"], "describe the built-in model"),
        (["simplify", ""], "the text is empty"),
        (["simplify", "min I[X;Z] - I[Y;Z]"], "no loss term is left"),
        (
            ["simplify", "min I[X;Z] - 2*I[Y;Q]"],
            "unknown variable 'Q'. Known: X, Y, Z; a variable is declared by the graph, as in --model 'Q -> X -> Z'",
        ),
        (["simplify", "min H[Z]", "--model", "Z -> Z"], "cycle"),
        (["simplify", "min H[Z]", "--given", "Z = f(X)"], "that Z is a function of X is written H[Z|X] = 0"),
    ],
)
def test_bad_input_ends_with_status_two_and_no_traceback(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output + result.stderr


CTRL_C_WHILE_CLICK_IS_LOADED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Press:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Press())
from {program}.__main__ import main
main()
"""


@pytest.mark.parametrize("program", ["imeasure", "ibtrain"])
def test_ctrl_c_while_a_program_loads_ends_it_silently(program):
    code = CTRL_C_WHILE_CLICK_IS_LOADED.format(program=program)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")

import pytest
from click.testing import CliRunner

from imeasure.cli import main
from imeasure.command_line import CommandLine
from imeasure.diagram_cli import COMMANDS

TABLE = "X,Y,p\n0,0,1/2\n1,1,1/2\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "table.csv").write_text(TABLE)
    program = CommandLine("imeasure", extra="plots", commands={command.name: command for command in COMMANDS})

    def invoke(*arguments):
        return CliRunner().invoke(program, [a.replace("@", str(tmp_path) + "/") for a in arguments])

    return invoke


def test_diagram_writes_files(run, tmp_path):
    result = run("diagram", "X Y", "--values", "@table.csv", "-o", "@d.svg")
    assert result.exit_code == 0
    assert "atom-3" in (tmp_path / "d.svg").read_text()
    result = run("diagram", "min I[X;Z] - beta*I[Y;Z]", "--canonical", "-o", "@d.png")
    assert result.exit_code == 0
    assert (tmp_path / "d.png").exists()
    assert run("diagram", "I[X;Z|Y]", "--model", "Y -> X -> Z", "--names", "words", "-o", "@e.pdf").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("diagram", "X Y", "-o", "@d.gif"), "name the file .svg, .png or .pdf"),
        (("diagram", "X Y", "--unit", "bits", "-o", "@d.svg"), "--unit bits needs numbers; give --values"),
        (("diagram", "X Y", "--names", "values", "-o", "@d.svg"), "--names values needs numbers; give --values"),
        (("diagram", "X -> Y", "--model", "Y -> X", "-o", "@d.svg"), "'X -> Y' is none; leave it out"),
        (("diagram", "X + Y", "--canonical", "-o", "@d.svg"), "needs an objective such as 'min I[X;Z]"),
        (("diagram", "X Y", "--canonical", "-o", "@d.svg"), "a product needs '*'"),
        (("diagram", "min H[X|Y]", "--canonical", "--kind", "sets", "-o", "@d.svg"), "leave out --values"),
        (("diagram", "", "-o", "@d.svg"), "there is nothing to draw; give names"),
        (
            ("diagram", "I[X;Y]", "--values", "@table.csv", "-o", "@d.svg"),
            "two pictures: --values over a model or names",
        ),
        (("diagram", "X Y W", "--values", "@table.csv", "-o", "@d.svg"), "no variable W"),
    ],
)
def test_bad_input_ends_with_status_two_and_a_message(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_canonical_uses_the_model_as_simplify_does(tmp_path):
    arguments = ["diagram", "min I[X;Z] - beta*I[Y;Z]", "--canonical"]
    result = CliRunner().invoke(main, [*arguments, "--model", "Y -> X -> Z", "-o", str(tmp_path / "a.svg")])
    assert result.exit_code == 0, result.output
    plain = CliRunner().invoke(main, [*arguments, "-o", str(tmp_path / "b.svg")])
    assert plain.exit_code == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_files_that_cannot_be_written_are_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["diagram", "X Y", "-o", str(tmp_path / "file" / "a.svg")])
    assert result.exit_code == 2
    assert "cannot write" in result.stderr

import json
import math

import pytest
from click.testing import CliRunner

from imeasure import Distribution
from imeasure.cli import main

FILES = {
    "table.csv": "X,Y,p\n0,0,1/2\n1,1,1/2\n",
    "other.csv": "Y,X,p\n0,0,1/4\n0,1,1/4\n1,0,1/4\n1,1,1/4\n",
    "never.csv": "X,Y,p\n0,0,1\n",
    "counts.csv": "X;Y;q\n0;0;3\n1;1;3\n",
    "twice.csv": "X,p,count\n0,1,1\n",
    "plain.csv": "0,0,1/2\n1,1,1/2\n",
}


@pytest.fixture
def run(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)

    def invoke(*arguments):
        return CliRunner().invoke(main, ["measure", *(a.replace("@", f"{tmp_path}/") for a in arguments)])

    return invoke


def test_every_atom_or_the_expressions_asked_for_are_printed(run):
    assert run("@table.csv", "--unit", "bits").output == ("H[X|Y]   0.000000\nH[Y|X]   0.000000\nI[X;Y]   1.000000\n")
    assert run("@table.csv", "2*H[X] + H[Y|X]").output == "2*H[X] + H[Y|X]   1.386294\n"
    printed = json.loads(run("@table.csv", "I[X;Y]", "--json").output)
    assert printed == {"unit": "nats", "values": {"I[X;Y]": pytest.approx(math.log(2))}}


def test_parameters_and_comparisons_go_to_the_expressions_that_have_them(run):
    printed = run("@table.csv", "β*H[X]", "CE[Y|X]", "--set", "beta=1/2", "--against", "@other.csv", "--unit", "bits")
    assert printed.output == "beta*H[X]   0.500000\nCE[Y|X]     1.000000\n"
    assert run("@table.csv", "against*H[X]", "--set", "against=2").output == "against*H[X]   1.386294\n"
    assert run("@table.csv", "KL[X]", "--against", "@never.csv").output == "KL[X]   inf\n"
    assert (
        json.loads(run("@table.csv", "KL[X]", "--against", "@never.csv", "--json").output)["values"]["KL[X]"] == "inf"
    )


def test_files_of_other_forms(run):
    expected = run("@table.csv").output
    assert run("@counts.csv", "--normalize", "--probability", "q").output == expected
    assert run("@plain.csv", "--names", "X Y").output == expected
    assert run("@plain.csv", "--names", "X Y", "--probability", "p").output == expected
    assert run("@plain.csv", "--names", "X Y q", "--probability", "q").output == expected


def test_columns_that_no_expression_names_are_not_looked_at(run, tmp_path):
    rows = [[str(i >> j & 1) for j in range(26)] for i in range(50)]
    lines = [[f"V{j}" for j in range(26)], *rows]
    (tmp_path / "many.csv").write_text("\n".join(map(",".join, lines)))
    assert run("@many.csv", "I[V0;V1]").exit_code == 0
    refused = run("@many.csv")
    assert refused.exit_code == 2
    assert len(refused.stderr) < 160
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("@table.csv", "min H[X]"), "is an objective"),
        (("@table.csv", ""), "an expression is empty; give one such as 'I[X;Y]', or none at all"),
        (("@plain.csv", "--names", "X"), "has 3 cells, and there are 1 names: X; name every column"),
        (("@table.csv", "H[V]"), "unknown variable 'V'"),
        (("@table.csv", "beta*H[X]"), "parameter beta has no value; give one: --set beta=2"),
        (("@table.csv", "H[X]", "--set", "beta=2"), "unknown parameter 'beta'"),
        (("@table.csv", "beta*H[X]", "--set", "beta"), "gives no number"),
        (("@table.csv", "beta*H[X]", "--set", "beta=nan"), "--set beta=nan gives no number"),
        (("@table.csv", "beta*H[X]", "--set", "beta=1", "--set", "β=2"), "two values"),
        (("@table.csv", "--set", "beta=2"), "are for expressions"),
        (("@table.csv", "H[X]", "--against", "@other.csv"), "no expression has them"),
        (("@table.csv", "CE[X]"), "CE[X] compares two distributions; give the second one as --against q"),
        (("@counts.csv", "--probability", "q"), "correct the table, or pass --normalize for weights"),
        (("@twice.csv",), "each be the probabilities; say which as --probability\n"),
        (("@table.csv", "--names", "X Y p"), "names the columns itself; leave --names out"),
        (("@plain.csv",), "or give them as --names 'X Y'"),
        (("@plain.csv",), "has to name the columns"),
        (("@table.csv", "--probability", "r"), "unknown column 'r'"),
    ],
)
def test_bad_input_ends_with_status_two_and_a_message(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr


def test_the_printed_atoms_are_those_of_the_distribution(run, tmp_path):
    p = Distribution.random("A B C", 2, 5)
    lines = ["A,B,C,p", *(",".join(map(str, row)) for row in p.rows())]
    (tmp_path / "random.csv").write_text("\n".join(lines))
    printed = json.loads(run("@random.csv", "--json").output)["values"]
    assert printed == {str(quantity): pytest.approx(value, abs=1e-14) for quantity, value in p.measure().items()}

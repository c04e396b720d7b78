import json

import pytest
from click.testing import CliRunner

from imeasure import objectives, simplify
from imeasure.cli import main


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_an_expression_takes_no_loss():
    result = run("simplify", "H[Z]", "--loss", "H[Y|Z]")
    assert result.exit_code == 2
    assert "--loss is for objectives" in result.stderr


@pytest.mark.parametrize("name", ["prediction", "conditional-IB", "InfoMax", "IB"])
def test_objectives_of_the_catalogue_bring_their_graph(name):
    result = run("equivalent", name, name)
    assert result.output == "equivalent: second = (1) * first\n"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("VIB", "H[Y|Z] + b*I[X;Z|Y] with b = beta/(1 - beta), for 0 < beta < 1"),
        ("InfoMax", str(simplify("max I[X;Z]", model=objectives["InfoMax"].model(), loss=objectives["InfoMax"].loss))),
    ],
)
def test_an_objective_is_simplified_by_its_name(name, form):
    result = run("simplify", name)
    assert result.exit_code == 0
    assert result.output.startswith(f"{form}\n")


@pytest.mark.parametrize(
    ("word", "nearest"), [("IBB", "; did you mean 'IB'?"), ("info-max", "; did you mean 'InfoMax'?"), ("beta", ".")]
)
@pytest.mark.parametrize("command", [["simplify"], ["equivalent", "IB"]], ids=["simplify", "equivalent"])
def test_a_word_that_names_no_objective_is_refused(command, word, nearest):
    result = run(*command, word)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: unknown objective '{word}'{nearest} Known: IB, ")
    assert result.stderr.endswith("; one of your own is written like 'min I[X;Z] - beta*I[Y;Z]'\n")


@pytest.mark.parametrize("expression", ["2*beta", "3", "beta + gamma"])
def test_expressions_without_a_quantity_are_expressions(expression):
    assert run("simplify", expression).output.startswith(f"{expression}\nproved shortest\n")


def test_an_expression_with_a_parameter_may_be_meant_as_an_objective():
    assert "write 'min' or 'max' before it" in run("simplify", "I[X;Z] - beta*I[Y;Z]").output
    assert run("simplify", "H[X] + H[Y|X]").output == "H[X,Y]\nproved shortest\n"


def test_objectives_on_different_graphs_need_a_model():
    result = run("equivalent", "IB", "prediction")
    assert result.exit_code == 2
    assert "choose one as --model" in result.stderr
    assert run("equivalent", "IB", "prediction", "--model", "Y -> X -> Z -> Yhat").exit_code == 1


def test_the_glossary_answers_alike_in_text_and_json():
    assert run("glossary", "H[Y|Z]").output == "Decoder Uncertainty\n"
    assert json.loads(run("glossary", "H[Y|Z]", "--json").output) == {"H[Y|Z]": "Decoder Uncertainty"}


@pytest.mark.parametrize("word", ["nonsense", "H[Q]"])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_word_that_the_glossary_lacks_is_bad_input(word, options):
    result = run("glossary", word, *options)
    assert (result.exit_code, result.stdout) == (2, "")

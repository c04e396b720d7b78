import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from imeasure import glossary, ledger, parse
from imeasure.cli import main
from imeasure.inquiry.numbers import numerical
from imeasure.inquiry.report import ledger_page, ledger_rows


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("entry", ledger, ids=lambda entry: entry.label)
def test_statements_of_the_paper_have_their_verdict(entry):
    verdict = entry.verdict()
    if entry.label == "(10)":
        assert verdict.status == "refuted"
        assert [str(other) for other in entry.corrections()] == ["H[X|Y] = H[X|Y,Z] + I[X;Z|Y]"]
    elif entry.kind == "continuous":
        assert verdict.status != "proved"
    else:
        assert verdict.status == "proved"
        assert verdict.certificate.verify()


def test_the_page_of_the_documentation_is_what_the_command_prints():
    page = Path(__file__).parents[2] / "docs" / "reference" / "ledger.md"
    assert page.read_text(encoding="utf-8") == ledger_page(ledger_rows())


@pytest.mark.parametrize("entry", numerical, ids=lambda entry: entry.label)
def test_statements_about_densities_hold_in_numbers_and_errata_are_shown(entry):
    found = entry.check()
    assert found.holds
    assert found == entry.check()
    assert bool(found.erratum) == (entry.label in ("Thm. 2, A.6", "6.2", "A.8, decoder"))


def test_quantities_in_words_on_the_command_line():
    assert run("simplify", "min I[X;Z] - 2*I[Y;Z]", "--names", "words").output.startswith(
        "Decoder Uncertainty + Redundant Information\n"
    )
    assert run("bounds", "H[Z|Y]", "--names", "words").output.startswith(
        "Redundant Information <= Reverse Decoder Uncertainty <= H[Z]"
    )
    assert "Encoding Uncertainty is in the way" in run("equivalent", "IB", "DIB", "--names", "words").output
    assert run("simplify", "H[Z|X] + I[X;Z]", "--names", "letters").exit_code == 2


def test_a_refuted_relation_comes_with_a_true_one():
    refuted = run("check", "H[X|Y] = H[X|Y,Z] + I[X;Z]", "--model", "Y -> X -> Z")
    assert refuted.exit_code == 1
    assert refuted.output.endswith("true instead: H[X|Y] = H[X|Y,Z] + I[X;Z|Y]\n")
    data = json.loads(run("check", "H[X|Y] = H[X|Y,Z] + I[X;Z]", "--json").output)
    assert data["true_instead"] == ["H[X|Y] = H[X|Y,Z] + I[X;Z|Y]"]


def test_commands():
    assert "refuted   true: H[X|Y] = H[X|Y,Z] + I[X;Z|Y]" in run("ledger").output
    rows = json.loads(run("ledger", "--json").output)
    assert rows["relations"][0]["verdict"] == "proved"
    assert rows["objectives"][0]["form"] == "H[Y|Z] + b*I[X;Z|Y] with b = 1/(beta - 1), for beta > 1"
    assert [row["holds"] for row in rows["equivalences"]] == [True] * 8 + [False]
    assert {row["verdict"] for row in rows["numbers"]} == {"holds in numbers"}
    assert run("bounds", "H[Z|Y]").output.startswith("I[X;Z|Y] <= H[Z|Y] <= H[Z]")
    assert json.loads(run("bounds", "H[Z|Y]", "--json").output)["upper"][0] == "H[Z]"
    assert run("conditions", "I[X;Z] >= I[Y;Z]").output.startswith("true given I[Y;Z|X] = 0\n")
    assert run("conditions", "I[X;Z] >= I[Y;Z]", "--model", "Y -> X -> Z").output == "true as it is\n"
    nothing = run("conditions", "H[X] + 1 <= 0")
    assert (nothing.exit_code, nothing.output) == (1, "nothing was found that makes it true\n")
    assert run("glossary", "residual information").output == "I[X;Y|Z]\n"
    assert run("glossary", "nothing of the sort").exit_code == 2
    assert json.loads(run("glossary", "--json").output)["Nuisance"] == "H[X|Y]"


def test_equivalent_command():
    assert run("equivalent", "IB", "VIB", "--solve-for", "beta").output == (
        "equivalent with beta_second = 1/beta_first: second = (-1/beta_first) * first, for beta_first > 0\n"
    )
    different = run("equivalent", "IB", "DIB")
    assert different.exit_code == 1
    assert "H[Z|X] is in the way" in different.output
    assert json.loads(run("equivalent", "IB", "CEB", "--solve-for", "beta", "--json").output)["solution"] == {
        "beta": "2"
    }


def test_simplify_command_takes_expressions():
    assert run("simplify", "H[X] + H[Y] - H[X,Y]").output == "I[X;Y]\nproved shortest\n"
    assert run("simplify", "H[Z] - I[Y;Z] - H[Z|X]", "--model", "Y -> X -> Z").output.startswith("I[X;Z|Y]\n")
    assert json.loads(run("simplify", "H[X|Y]", "--given", "X _||_ Y", "--json").output)["expression"] == "H[X]"


def test_the_glossary_reads_both_ways():
    for name, quantity in glossary.items():
        assert glossary[name.lower()] == quantity
        assert glossary[quantity] == name
    assert "H[Q]" not in glossary
    assert glossary.spell(parse("H[Z|Y] + I[X;Z|Y]/2")) == "Reverse Decoder Uncertainty + Redundant Information/2"

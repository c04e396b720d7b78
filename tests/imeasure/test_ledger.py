"""The identities of Kirsch, Lyle and Gal (2020), each with its verdict, with and without the paper's model."""

import pytest

from imeasure import Distribution, Model, check, parse

CHAIN = Model("Y -> X -> Z")
WEIGHTS = Model("Y -> X -> Z; W -> Z")

WITH_MODEL = [
    "I[X;Y] = I[X;Y|Z] + I[Y;Z]",
    "I[X;Z] = I[X;Z|Y] + I[Y;Z]",
    "H[Y|Z] = I[X;Y|Z] + H[Y|X]",
    "H[Z|Y] = I[X;Z|Y] + H[Z|X]",
    "H[Y] = H[Y|X] + I[Y;Z] + I[X;Y|Z]",
    "H[Z] = H[Z|X] + I[Y;Z] + I[X;Z|Y]",
    "I[X;Y|Z] = H[Y|Z] - H[Y|X]",
    "I[X;Z|Y] = H[Z|Y] - H[Z|X]",
    "I[X;Y;Z] = I[Y;Z]",
]
ALWAYS = [
    "I[X;Y] = H[Y] - H[Y|X]",
    "I[X;Z] = H[Z] - H[Z|X]",
    "I[Y;Z] = H[Y] - H[Y|Z] = H[Z] - H[Z|Y]",
    "H[Z|Y] + H[Y] = H[Y|Z] + H[Z]",
    "H[Y|Z] + H[Z|Y] = 2*H[Y|Z] + H[Z] - H[Y]",
    "H[X|Y] = H[X|Y,Z] + I[X;Z|Y]",
    "CE[Y|Z] = H[Y|Z] + KL[Y|Z]",
]
WRONG = "H[X|Y] = H[X|Y,Z] + I[X;Z]"


def sides(relation, distribution):
    left, right = relation.expressions
    return distribution.value(left), distribution.value(right)


@pytest.mark.parametrize("statement", [*WITH_MODEL, *ALWAYS])
def test_identities_are_proved_under_the_model(statement):
    verdict = check(statement, model=CHAIN)
    assert verdict.status == "proved"
    assert verdict


@pytest.mark.parametrize("statement", ALWAYS)
def test_identities_of_any_variables_are_proved_without_it(statement):
    assert check(statement).status == "proved"


@pytest.mark.parametrize("statement", [*WITH_MODEL, WRONG])
def test_identities_of_the_model_are_refuted_without_it(statement):
    verdict = check(statement)
    assert verdict.status == "refuted"
    assert isinstance(verdict.counterexample, Distribution)
    left, right = sides(parse(statement), verdict.counterexample)
    assert abs(left - right) > 1e-6


def test_equation_ten_is_wrong_even_under_the_model():
    verdict = check(WRONG, model=CHAIN)
    assert verdict.status == "refuted"
    left, right = sides(parse(WRONG), verdict.counterexample)
    assert abs(left - right) > 1e-6
    assert verdict.counterexample.value("I[Y;Z|X]") == pytest.approx(0, abs=1e-12)


def test_encoding_uncertainty_of_a_bayesian_encoder():
    assert check("H[Z|X] = I[Z;W|X] + H[Z|X,W]")
    assert check("H[Z|X] = I[Z;W|X] + H[Z|X,W]", model=WEIGHTS)


def test_zero_of_a_two_variable_quantity_does_not_empty_the_region():
    xor = Distribution.named("xor")
    names = xor.names
    assert xor.value(f"I[{names[0]};{names[1]}]") == pytest.approx(0, abs=1e-12)
    assert xor.value(f"I[{';'.join(names)}]") < 0

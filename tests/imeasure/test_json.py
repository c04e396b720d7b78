"""Forms, derivations and equivalences through JSON, text and LaTeX, and data that nobody should trust."""

import json

import pytest
import sympy
from hypothesis import given, settings, strategies as st
from strategies import expressions

from imeasure import (
    CanonicalForm,
    Conditions,
    ConfigError,
    DegenerateObjectiveError,
    Derivation,
    DerivationError,
    Equivalence,
    Model,
    ModelError,
    Objective,
    equivalent,
    objectives,
    param,
    parse,
    simplify,
    supervised,
    to_latex,
    to_text,
)
from imeasure.exchange import as_model, model_data, read_model, read_set, set_data
from imeasure.signs import holds_everywhere, positive
from imeasure.terms import collected

beta, gamma = param("beta"), param("gamma")
COEFFICIENTS = ["1", "beta", "(1 - beta)", "gamma", "1/(beta - 1)", "2*(beta - 1)", "beta*gamma", "beta^2", "1/2", "3"]
QUANTITIES = ["H[Z]", "H[Z|Y]", "H[Z|X]", "I[X;Z]", "I[Y;Z]", "H[Y|Z]", "I[X;Z|Y]"]
TERM = st.tuples(st.sampled_from("+-"), st.sampled_from(COEFFICIENTS), st.sampled_from(QUANTITIES))


def form_of(terms, sense):
    text = " ".join(f"{sign} {coefficient}*{quantity}" for sign, coefficient, quantity in terms)
    try:
        return simplify(f"{sense} {text}")
    except DegenerateObjectiveError:
        return None


@given(st.lists(TERM, min_size=2, max_size=4), st.sampled_from(["min", "max"]))
@settings(max_examples=10)
def test_every_symbolic_form_verifies_and_reads_back(terms, sense):
    form = form_of(terms, sense)
    if form is None:
        return
    assert form.verify()
    again = CanonicalForm.from_json(form.to_json())
    assert (again.loss, again.conditions, again.model) == (form.loss, form.conditions, form.model)
    assert len(again.alternatives) == len(form.alternatives)
    for one, other in zip((form, *form.alternatives), (again, *again.alternatives), strict=True):
        assert collected(one.expression - other.expression) == 0
        assert Derivation.from_json(one.derivation.to_json()).verify()


@given(st.lists(st.integers(-4, 4), min_size=4, max_size=4), st.sampled_from(["min", "max"]))
@settings(max_examples=25)
def test_forms_with_numbers_read_back_as_equal_objects(weights, sense):
    expression = sum(w * parse(q) for w, q in zip(weights, QUANTITIES, strict=False))
    try:
        form = simplify(Objective(sense, expression))
    except DegenerateObjectiveError:
        return
    again = CanonicalForm.from_json(form.to_json())
    assert again == form
    assert again.to_json() == form.to_json()


@pytest.mark.parametrize("entry", objectives.values(), ids=lambda entry: entry.name)
def test_the_catalogue_reads_back_as_equal_objects(entry):
    form = simplify(entry.objective(), model=entry.model(), loss=entry.loss)
    assert CanonicalForm.from_json(form.to_json()) == form
    assert Derivation.from_json(form.derivation.to_json()) == form.derivation


@given(expressions())
@settings(max_examples=40)
def test_expressions_read_back_from_text_and_latex(expression):
    assert collected(parse(to_text(expression)) - expression) == 0
    assert collected(parse(to_latex(expression)) - expression) == 0


@pytest.mark.parametrize(
    ("first", "second", "solve_for"),
    [("IB", "VIB", "beta"), ("CEB", "IB", "beta"), ("IB", "IB-entropy-distance", "g"), ("IB", "DIB", "")],
)
def test_equivalences_read_back(first, second, solve_for):
    found = equivalent(objectives[first].statement, objectives[second].statement, solve_for=solve_for)
    again = Equivalence.from_json(found.to_json())
    assert again == found
    assert str(again) == str(found)


@given(
    st.lists(st.tuples(st.fractions(-3, 3, max_denominator=5), st.fractions(0, 3, max_denominator=5)), min_size=1),
    st.booleans(),
)
@settings(max_examples=30)
def test_sets_of_numbers_read_back(pairs, opened):
    values = sympy.Union(
        *(sympy.Interval(sympy.Rational(a), sympy.Rational(a + b), opened, not opened) for a, b in pairs)
    )
    assert read_set(json.loads(json.dumps(set_data(values)))) == values


@pytest.mark.parametrize("coefficient", [beta**2 - 3, beta**3 + beta**2 - 4 * beta + 3, beta**2 - beta - 1])
def test_irrational_conditions_read_back(coefficient):
    found = positive([coefficient], Model())
    again = Conditions.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert holds_everywhere(coefficient, again, Model())


def test_models_read_back():
    model = Model(
        "Y -> X -> Z; W -> Z",
        fixed=("X", "Y", "H[Z|X]"),
        assume=["H[Z|X,W] = 0", "W _||_ X"],
        kinds={"Z": "noisy"},
        ranges={"beta": (1, "oo"), "a": sympy.FiniteSet(1, 2)},
    )
    assert read_model(json.loads(json.dumps(model_data(model)))) == model
    assert read_model(model_data(Model())) == Model()


FORM = json.loads(simplify("min I[X;Z] - beta*I[Y;Z]").to_json())


def changed(path, value):
    data = json.loads(json.dumps(FORM))
    *outer, last = path
    inner = data
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], "imeasure certificate 1"),
        (["loss"], "H[Y"),
        (["loss"], 3),
        (["loss"], "H[Y|Z] >= 0"),
        (["weight"], "1/(beta - 2)"),
        (["weight"], "1/0"),
        (["weight"], "sqrt(beta)"),
        (["regularizer"], "I[X;Z]"),
        (["scale"], "1 - beta"),
        (["constant"], "H[Z]"),
        (["expression"], "H[Y|Z]"),
        (["objective"], "H[Y|Z]"),
        (["conditions"], ["always"]),
        (["values"], {}),
        (["values", "sets", "beta"], [{"interval": ["0", "oo", True, True]}]),
        (["values", "sets", "beta"], [{"interval": ["0", "oo", 1, 1]}]),
        (["values", "sets", "beta"], [{"coefficients": ["1"], "root": 0}]),
        (["values", "relations"], ["H[X] > 0"]),
        (["values", "relations"], ["__import__('os') > 0"]),
        (["model"], None),
        (["model", "edges"], [["X", "Z"], ["Z", "X"]]),
        (["model", "edges"], [["X"]]),
        (["model", "fixed"], ["X"]),
        (["model", "nodes"], ["X; Y"]),
        (["model", "kinds"], {"Z": "magic"}),
        (["model", "ranges"], {"beta": [{"points": ["oo"]}]}),
        (["derivation"], []),
        (["derivation"], [{}] * 2000),
        (["derivation", 0, "rule"], "because"),
        (["derivation", 0, "kind"], "magic"),
        (["derivation", 0, "used"], "I[X;Z] = I[X;Z|Y] + I[Y;Z], by aliens"),
        (["derivation", 1, "after"], "0"),
        (["alternatives"], [{}]),
        (["alternatives", 0, "weight"], "7"),
    ],
)
def test_damaged_forms_are_refused(path, value):
    with pytest.raises(DerivationError):
        CanonicalForm.from_json(changed(path, value))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "{" * 5000, "[" * 100_000, "NaN", 3, None, b"{}"])
@pytest.mark.parametrize("kind", [CanonicalForm, Derivation, Equivalence])
def test_what_is_no_json_of_ours_is_refused(kind, text):
    with pytest.raises(DerivationError):
        kind.from_json(text)


@pytest.mark.parametrize(
    ("key", "value"), [("scale", "-1"), ("solution", {"beta": "beta"}), ("holds", 1), ("conditions", []), ("first", "")]
)
def test_damaged_equivalences_are_refused(key, value):
    data = equivalent(objectives["IB"].statement, objectives["VIB"].statement, solve_for="beta").to_dict()
    data[key] = value
    with pytest.raises(DerivationError):
        Equivalence.from_dict(data)


def test_models_are_read_from_text():
    assert as_model(None, of_objective=True) == supervised()
    assert as_model("Y -> X -> Z", of_objective=True) == Model("Y -> X -> Z", fixed=("X", "Y"))
    assert as_model("Y -> X -> Z") == Model("Y -> X -> Z")
    assert str(simplify("min H[Z] - 2*I[Y;Z]", model="Y -> X -> Z")) == str(simplify("min H[Z] - 2*I[Y;Z]"))
    assert simplify("H[Z] - I[Y;Z] - H[Z|X]", model="Y -> X -> Z") == parse("I[X;Z|Y]")
    assert equivalent("min H[Y|Z]", "max I[Y;Z]", model="Y -> X -> Z")
    with pytest.raises(ModelError, match="which variables are data"):
        simplify("min I[A;T] - 2*I[B;T]", model="B -> A -> T", loss="H[B|T]")
    with pytest.raises(ModelError, match="the text of a graph"):
        simplify("min H[Y|Z] + H[Z]", model=3)


def test_words_replace_exactly_the_quantities_that_have_them():
    form = simplify("min I[X;Z] - beta*I[Y;Z]")
    assert form.to_text(names="words").startswith("Decoder Uncertainty + b*Redundant Information with")
    assert r"\text{Decoder Uncertainty}" in form.to_latex(names="words")
    assert r"\mathrm" not in form.to_latex(names="words")
    html = form.to_html(names="words")
    assert "chain rule: Preserved Relevant Information = H[Y] - Decoder Uncertainty" in html
    assert form.to_text() == str(form)
    assert to_text(parse("H[Y|Z,W] + CE[Y|Z]"), names="words") == "H[Y|W,Z] + Decoder Cross-Entropy"
    assert to_text(parse("LH[Y|Z]", functionals=["LH"]), names="words") == "LH[Y|Z]"
    for method in (form.to_text, form.to_latex, form.to_html, form.derivation.to_text):
        with pytest.raises(ConfigError, match="unknown spelling"):
            method(names="letters")


@pytest.mark.parametrize(
    ("known", "follows", "answer"),
    [
        ([beta * gamma, gamma], beta, True),
        ([beta * gamma], gamma, False),
        ([(beta - 1) * (gamma + 1)], (gamma + 1) / (beta - 1), True),
        ([(beta - 1) * (gamma + 1), 1 - beta], -1 - gamma, True),
        ([beta * gamma], beta**2, True),
        ([gamma], beta**2, False),
    ],
)
def test_signs_follow_from_products(known, follows, answer):
    assert holds_everywhere(follows, positive(known, Model()), Model()) is answer


def test_conditions_that_follow_are_left_out_and_contradictions_found():
    assert positive([beta * gamma + 1, (beta * gamma + 1) * (gamma - beta), gamma - beta], Model()).texts() == [
        "beta*gamma + 1 > 0",
        "-beta + gamma > 0",
    ]
    assert not positive([beta - gamma, gamma - beta], Model()).satisfiable
    assert not positive([beta - gamma, beta + gamma, (beta + gamma) * (gamma - beta)], Model()).satisfiable

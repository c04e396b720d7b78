import pytest
import sympy
from hypothesis import given, settings
from strategies import expressions

from imeasure import Distribution, objectives, param, parse, simplify, to_latex, to_text

FORMS = {
    "weights": "H[Y|Z] + beta*H[Z|X], for beta > 0",
    "prediction": "H[Y|Yhat] + b*I[X;Z] with b = 1/beta, for beta > 0",
    "multi-view": "H[X2|Z1] + b*I[X1;Z1|X2] with b = 1/beta, for beta > 0",
    "multi-view-both": "H[X1|Z2] + H[X2|Z1] + b*I[X1,Z2;X2,Z1] with b = 1/beta, for beta > 0",
    "conditional-IB": "H[Y|C,Z] + b*I[X;Z|C,Y] with b = 1/(beta - 1), for beta > 1",
    "privacy-funnel": "H[X|Z] + beta*I[S;Z], for beta > 0",
    "InfoMax": "H[X|Z]",
}


def form_of(entry):
    return simplify(entry.objective(), model=entry.model(), loss=entry.loss)


@pytest.mark.parametrize("name", FORMS)
def test_richer_settings(name):
    form = form_of(objectives[name])
    assert str(form) == FORMS[name]
    assert form.verify()


@pytest.mark.parametrize("entry", objectives.values(), ids=lambda entry: entry.name)
def test_a_name_stands_for_the_statement_its_graph_and_its_loss(entry):
    assert str(simplify(entry.name)) == str(form_of(entry))


@pytest.mark.parametrize("entry", objectives.values(), ids=lambda entry: entry.name)
def test_scale_and_constant_hold_in_numbers(entry):
    form = form_of(entry)
    at = {param("beta"): sympy.Rational(1, 2) if entry.name == "VIB" else 3}
    at |= {param("g"): sympy.Rational(1, 3), param("a"): sympy.Rational(2, 5)}
    table = Distribution.random(entry.graph, alphabet=2, seed=4)
    for one in (form, *form.alternatives):
        if any(at[symbol] not in values for symbol, values in one.conditions.sets):
            continue
        left, expression, constant = (
            table.value(sympy.sympify(e).subs(at)) for e in (one.objective.expression, one.expression, one.constant)
        )
        assert left == pytest.approx(float(sympy.sympify(one.scale).subs(at)) * expression + constant, abs=1e-9)


@pytest.mark.parametrize("entry", objectives.values(), ids=lambda entry: entry.name)
def test_forms_read_back_from_text_latex_and_json(entry):
    form = form_of(entry)
    data = form.to_dict()
    for key in ("loss", "weight", "regularizer", "expression", "scale", "constant"):
        assert sympy.simplify(parse(data[key]) - getattr(form, key)) == 0
    assert parse(data["objective"]) == form.objective
    assert sympy.simplify(parse(to_latex(form.expression)) - form.expression) == 0
    again = simplify(data["objective"], model=entry.model(), loss=data["loss"])
    assert again.to_json() == form.to_json()


@given(expressions(symbolic=False))
@settings(max_examples=40, deadline=None)
def test_shortest_expressions_read_back(expression):
    result = simplify(expression)
    assert parse(to_text(result)) == result
    assert sympy.expand(parse(to_latex(result)) - result) == 0


def test_a_loss_of_ones_own():
    form = simplify("min CE[Y|Z] + beta*H[Z]", loss="CE[Y|Z]")
    assert (form.loss, form.regularizer, form.weight) == (parse("CE[Y|Z]"), parse("H[Z]"), param("beta"))

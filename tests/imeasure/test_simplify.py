import re
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings, strategies as st

from imeasure import (
    DegenerateObjectiveError,
    Distribution,
    H,
    I,
    Model,
    ModelError,
    NonlinearError,
    Objective,
    UndefinedQuantityError,
    UnknownVariableError,
    equivalent,
    objectives,
    param,
    parse,
    rvs,
    shortest,
    simplify,
    supervised,
)

a, beta, g = param("a"), param("beta"), param("g")
OPEN = sympy.Interval.open

# The ledger's objective table: statement, regularizer, weight, scale, values of the parameter, an alternative.
TABLE = [
    ("min I[X;Z] - beta*I[Y;Z]", "I[X;Z|Y]", 1 / (beta - 1), beta - 1, {beta: OPEN(1, sympy.oo)}, ("H[Z|Y] - H[Z|X]", 1 / (beta - 1))),
    ("min I[X;Z] + beta*I[X;Y|Z]", "I[X;Z|Y]", 1 / (beta - 1), beta - 1, {beta: OPEN(1, sympy.oo)}, ("H[Z|Y] - H[Z|X]", 1 / (beta - 1))),
    ("min H[Z] - beta*I[Y;Z]", "H[Z|Y]", 1 / (beta - 1), beta - 1, {beta: OPEN(1, sympy.oo)}, ("H[Z]", 1 / beta)),
    ("max I[Y;Z] - beta*I[X;Z]", "I[X;Z|Y]", beta / (1 - beta), beta - 1, {beta: OPEN(0, 1)}, ("H[Z|Y] - H[Z|X]", beta / (1 - beta))),
    ("min I[X;Z|Y] - I[Y;Z]", "I[X;Z|Y]", 1, 1, {}, ("H[Z|Y] - H[Z|X]", 1)),
    ("min H[Z] - a*H[Z|X] - beta*I[Y;Z]", "H[Z|Y] - a*H[Z|X]", 1 / (beta - 1), beta - 1, {beta: OPEN(1, sympy.oo)}, None),
    ("min H[Y|Z] + H[Z|Y]", "H[Z|Y]", 1, 1, {}, ("H[Z]", sympy.Rational(1, 2))),
    ("min H[Y|Z] + H[Z|Y] + g*(H[Y|Z] - H[Z|Y]) + (g-1)*H[Z|X]", "I[X;Z|Y]", (1 - g) / (1 + g), 1 + g, {g: OPEN(-1, 1)}, ("H[Z|Y] - H[Z|X]", (1 - g) / (1 + g))),
    ("min H[Y|Z] + H[Z|Y] + g*(H[Y|Z] - H[Z|Y])", "H[Z|Y]", (1 - g) / (1 + g), 1 + g, {g: OPEN(-1, 1)}, ("H[Z]", (1 - g) / 2)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "regularizer", "weight", "scale", "values", "alternative"), TABLE)
def test_the_objectives_of_the_paper(text, regularizer, weight, scale, values, alternative):
    form = simplify(text)
    assert form.loss == parse("H[Y|Z]")
    assert form.regularizer == parse(regularizer)
    assert sympy.simplify(form.weight - weight) == 0
    assert sympy.simplify(form.scale - scale) == 0
    assert dict(form.conditions.sets) == values
    assert not form.conditions.relations
    assert form.verify()
    if alternative:
        wanted, wanted_weight = alternative
        found = [other for other in form.alternatives if other.regularizer == parse(wanted)]
        assert [sympy.simplify(other.weight - wanted_weight) for other in found] == [0]


def test_the_catalogue_holds_the_table():
    assert [entry.objective() for entry in objectives.values()][: len(TABLE)] == [parse(row[0]) for row in TABLE]
    for entry in objectives.values():
        form = simplify(entry.objective(), model=entry.model(), loss=entry.loss)
        for name, text in entry.ranges.items():
            if param(name) in dict(form.conditions.sets):
                assert text in form.conditions.texts()


@pytest.mark.parametrize("text", [row[0] for row in TABLE])
@pytest.mark.parametrize("seed", range(3))
def test_scale_and_constant_hold_in_numbers(text, seed):
    form = simplify(text)
    values = {
        param("beta"): sympy.Rational(1, 2) if text.startswith("max") else 3,
        g: sympy.Rational(1, 3),
        a: sympy.Rational(2, 5),
    }
    distribution = Distribution.random("Y -> X -> Z", alphabet=3, seed=seed)

    def value(expression):
        return distribution.value(sympy.sympify(expression).subs(values))

    for one in (form, *form.alternatives):
        if not all(values[symbol] in allowed for symbol, allowed in one.conditions.sets):
            continue
        right = float(sympy.sympify(one.scale).subs(values)) * value(one.expression) + value(one.constant)
        assert value(one.objective.expression) == pytest.approx(right, abs=1e-9)
        for step in one.derivation.steps:
            if step.kind == "equal":
                assert value(step.before) == pytest.approx(value(step.after), abs=1e-9)


def test_deterministic_encoder_with_fixed_noise_makes_ib_and_dib_the_same():
    for model in (supervised("noisy", "deterministic"), supervised("discrete", "deterministic")):
        ib = simplify("min I[X;Z] - beta*I[Y;Z]", model=model)
        dib = simplify("min H[Z] - beta*I[Y;Z]", model=model)
        assert ib.expression == dib.expression == parse("H[Y|Z] + H[Z|Y]/(beta - 1)")
        assert ib.conditions == dib.conditions
    stochastic = simplify("min I[X;Z] - beta*I[Y;Z]")
    assert stochastic.regularizer != dib.regularizer


def test_network_weights():
    form = simplify("min I[X;Z] - beta*I[Y;Z]", model=supervised(weights=True))
    assert str(form) == "H[Y|Z] + b*I[X;Z|Y] with b = 1/(beta - 1), for beta > 1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min I[X;Z] - 1/2*I[Y;Z]", "the coefficient of H[Y|Z] is -1/2"),
        ("min H[Z] - 1/2*I[Y;Z]", "carry nothing about Y"),
        ("min I[X;Z] - I[Y;Z]", "no loss term is left"),
        ("max I[Y;Z] - I[X;Z]", "no loss term is left"),
        ("min I[X;Z]", "the coefficient of H[Y|Z] is -1"),
        ("min H[X,Y]", "constant under the model"),
        ("max H[Z|X]", "nothing in it says Y; name the loss term with loss="),
        ("min I[X;Y] + H[Z|X] - I[Y;Z|X] - H[Z|X]", "constant under the model"),
    ],
)
def test_degenerate_objectives_are_refused(text, message):
    with pytest.raises(DegenerateObjectiveError) as error:
        simplify(text)
    assert message in str(error.value)


def test_ranges_decide_what_is_degenerate():
    def model(low, high):
        return Model("Y -> X -> Z", fixed=("X", "Y"), ranges={"beta": (low, high)})

    with pytest.raises(DegenerateObjectiveError, match="choose beta > 1"):
        simplify("min I[X;Z] - beta*I[Y;Z]", model=model(0, 1))
    inside = simplify("min I[X;Z] - beta*I[Y;Z]", model=model(2, 5))
    assert not inside.conditions
    across = simplify("min I[X;Z] - beta*I[Y;Z]", model=model(0, 5))
    assert dict(across.conditions.sets) == {beta: OPEN(1, 5)}


def test_bad_input():
    with pytest.raises(UnknownVariableError, match="did you mean 'Z'"):
        simplify("min I[X;Zz] - I[Y;Zz]")
    with pytest.raises(NonlinearError, match="expected an objective"):
        simplify("H[Y|Z] >= 0")
    with pytest.raises(UndefinedQuantityError, match="Add independent noise"):
        simplify("min I[X;Z] - beta*I[Y;Z]", model=supervised("continuous", "deterministic"))


def test_objectives_without_regularizer():
    form = simplify("max I[Y;Z]")
    assert (form.expression, form.weight, form.regularizer, form.scale) == (parse("H[Y|Z]"), 0, 0, -1)
    assert form.constant == parse("H[Y]")
    assert str(form) == "H[Y|Z]"


def test_equally_short_regularizers_of_two_terms_are_listed():
    form = simplify("min H[Z] - a*H[Z|X] - beta*I[Y;Z]")
    assert form.regularizer == parse("H[Z|Y] - a*H[Z|X]")
    found = [other.regularizer for other in form.alternatives]
    assert found
    assert all(len(regularizer.args) == 2 for regularizer in found)
    assert any(other.has(parse("I[X;Z|Y]")) for other in found)
    assert form.verify()


def test_weight_symbol_avoids_the_parameters():
    assert simplify("min I[X;Z] - beta*I[Y;Z]").weight_symbol == param("b")
    assert simplify("min I[X;Z] - b*I[Y;Z]").weight_symbol == param("w")


def test_several_parameters_become_relations():
    form = simplify("min g*I[X;Z] - beta*I[Y;Z]")
    texts = form.conditions.texts()
    assert "g > 0" in texts
    assert form.verify()
    assert form.weight == parse("g/(beta - g)") or sympy.simplify(form.weight - g / (beta - g)) == 0


@given(st.integers(-4, 4), st.integers(-4, 4), st.integers(-4, 4), st.sampled_from(["min", "max"]))
@settings(max_examples=80)
def test_every_numeric_objective_has_a_verified_form_or_a_reason(x, y, z, sense):
    expression = parse(f"{x}*H[Z] + {y}*H[Z|Y] + {z}*H[Z|X] + H[X]")
    try:
        form = simplify(Objective(sense, expression))
    except DegenerateObjectiveError:
        return
    assert form.verify()
    assert form.weight >= 0
    assert parse(str(form).split(" with ")[0]).expand() == form.expression.expand() or form.weight_symbol.name in str(
        form
    )


def test_opposite_signs_are_degenerate():
    with pytest.raises(DegenerateObjectiveError):
        simplify("min (a - c)*H[Y|Z] + (c - a)*H[Z|Y]")


@pytest.mark.parametrize(
    ("text", "graph", "loss"),
    [
        ("min a*I[Z;Yhat] - 5*I[Y;Yhat]", "Y -> X -> Z -> Yhat", "H[Y|Yhat]"),
        ("max -3*I[Z;V] + (1-a)*I[Y;V] + a*H[Z|X]", "Y -> X -> Z -> V", "H[Y|V]"),
        ("min a*H[V|Y] + c*I[Z;V]", "Y -> X -> Z -> V", "H[Y|V]"),
    ],
)
def test_coefficients_stay_exact_in_longer_chains(text, graph, loss):
    form = simplify(text, model=graph, loss=loss)
    assert form.verify()
    assert not any(one.expression.has(sympy.Float) for one in (form, *form.alternatives))


@pytest.mark.parametrize(("text", "scale"), [("min H[X|Z]", 1), ("max I[X;Z]", -1)])
def test_the_loss_may_be_hidden_in_a_quantity_of_other_variables(text, scale):
    form = simplify(text)
    assert str(form) == "H[Y|Z] + H[X|Y,Z]"
    assert form.scale == scale


@pytest.mark.parametrize("loss", ["a*H[Y|Z]", "(a - g)*H[Y|Z] + H[Z]"])
def test_a_loss_with_a_parameter_is_refused(loss):
    with pytest.raises(NonlinearError, match="has a parameter; give one whose coefficients are numbers"):
        simplify("min H[Y|Z] + a*I[X;Z]", loss=loss)


@pytest.mark.parametrize("loss", ["0", "7", "H[X]", 7])
def test_a_constant_loss_is_refused(loss):
    with pytest.raises(DegenerateObjectiveError, match=f"the loss {re.escape(str(loss))} is constant"):
        simplify("min H[Y|Z] + a*I[X;Z]", loss=loss)


def test_a_divergence_that_stands_in_the_way_is_named():
    with pytest.raises(DegenerateObjectiveError, match=re.escape("CE[Y|Z] can be named with loss=")):
        simplify("min CE[Y|Z] + a*I[X;Z]")


@pytest.mark.parametrize("values", [{"a": 1, "b": 3, "c": 0}, {"a": 1, "b": 3, "c": -1}, {"a": 1, "b": 3, "c": 2}])
def test_each_of_two_terms_may_carry_the_weight(values):
    form = simplify("min a*I[X;Z] - b*I[Y;Z] + c*H[Z|X]")
    numbers = {param(name): value for name, value in values.items()}
    assert any(one.conditions.as_sympy().subs(numbers) == sympy.true for one in (form, *form.alternatives))
    assert form.verify()


@pytest.mark.parametrize("weight", [0.1 + 0.2, 2**0.5, -0.9643329988281466])
def test_floats_are_the_decimals_that_they_are_read_from(weight):
    x, y, z = rvs("X Y Z")
    form = simplify(Objective("min", I[x:z] - (abs(weight) + 2) * I[y:z]))
    assert form.verify()
    assert form.scale == Fraction(repr(abs(weight) + 2)) - 1
    assert (
        shortest(weight * H[x] + weight * H[y] - weight * H[x, y]).expression == sympy.Rational(repr(weight)) * I[x:y]
    )


@pytest.mark.parametrize("assumption", ["positive", "integer", "nonzero", "negative", "real", "complex"])
def test_a_parameter_is_its_name_whatever_sympy_assumes_of_it(assumption):
    x, y, z = rvs("X Y Z")
    beta = sympy.Symbol("beta", **{assumption: True})
    objective = Objective("min", I[x:z] - beta * I[y:z])
    assert simplify(objective) == simplify("min I[X;Z] - beta*I[Y;Z]")
    assert equivalent(objective, "min I[X;Z] - beta*I[Y;Z]").holds


@pytest.mark.parametrize("weight", [sympy.sqrt(2), sympy.pi, sympy.exp(param("b")), sympy.sqrt(param("b"))])
def test_coefficients_beyond_rational_functions_are_refused(weight):
    x, y, z = rvs("X Y Z")
    with pytest.raises(NonlinearError, match="no rational function of parameters"):
        simplify(Objective("min", I[x:z] - weight * I[y:z]))


def test_facts_about_too_many_variables_are_refused_at_once(monkeypatch):
    chain = "Y -> X -> Z; Z -> A1 -> A2 -> A3 -> A4 -> A5 -> A6 -> A7"
    monkeypatch.setattr(Model, "equations", lambda *_: pytest.fail("the equations were listed"))
    with pytest.raises(ModelError, match="among up to 8 variables"):
        simplify("min I[X;Z] - beta*I[Y;Z]", model=chain)


def test_advice_says_where_the_ranges_stand_against_it():
    model = Model("Y -> X -> Z", fixed=("X", "Y"), ranges={"beta": (1, sympy.oo)})
    with pytest.raises(DegenerateObjectiveError, match="choose beta < 1 and let the model's ranges have it"):
        simplify("min (1 - beta)*H[Y|Z] + H[Z|Y]", model=model)

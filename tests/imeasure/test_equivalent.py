import itertools
import re
from dataclasses import replace

import pytest
import sympy
from hypothesis import given, settings, strategies as st

from imeasure import (
    ConfigError,
    DerivationError,
    Distribution,
    Equivalence,
    Model,
    NonlinearError,
    Objective,
    UnknownVariableError,
    equivalent,
    objectives,
    param,
    parse,
    supervised,
)
from imeasure.signs import Conditions

beta, g = param("beta"), param("g")
IB, DIB, VIB, CEB = (objectives[name].statement for name in ("IB", "DIB", "VIB", "CEB"))
EDM, IB_EDM, DIB_EDM = (
    objectives[name].statement for name in ("entropy-distance", "IB-entropy-distance", "DIB-entropy-distance")
)

TABLE = [
    (IB, IB_EDM, "g", {g: 1 - 2 / beta}, 2 / beta),
    (DIB, DIB_EDM, "g", {g: 1 - 2 / beta}, 2 / beta),
    (IB, VIB, "beta", {beta: 1 / beta}, -1 / beta),
    (CEB, IB, "beta", {beta: 2}, 1),
    (IB, CEB, "beta", {beta: 2}, 1),
    (EDM, DIB, "beta", {beta: 2}, 1),
    (IB, "min I[X;Z] + beta*I[X;Y|Z]", "", {}, 1),
    ("min H[Y|Z] + g*H[Z]", DIB, "beta", {beta: 1 / g}, 1 / g),
]


@pytest.mark.parametrize(("first", "second", "solve_for", "solution", "scale"), TABLE)
def test_parameter_maps_are_found(first, second, solve_for, solution, scale):
    found = equivalent(first, second, solve_for=solve_for)
    assert found
    assert found.verify()
    assert set(found.solution) == set(solution)
    assert all(sympy.simplify(found.solution[symbol] - value) == 0 for symbol, value in solution.items())
    assert sympy.simplify(found.scale - scale) == 0


def test_names_of_the_catalogue_are_their_statements_on_their_graphs():
    assert equivalent("IB", "VIB", solve_for="beta") == equivalent(IB, VIB, solve_for="beta")
    funnel = objectives["privacy-funnel"]
    assert equivalent("privacy-funnel", funnel.statement) == equivalent(
        funnel.statement, funnel.statement, model=funnel.model()
    )
    with pytest.raises(
        ConfigError, match=r"on different graphs, InfoMax on 'X -> Z' and IB on .*; choose one as model="
    ):
        equivalent("InfoMax", "IB")
    assert equivalent("InfoMax", "max I[X;Z]", model="Y -> X -> Z")
    with pytest.raises(UnknownVariableError, match="unknown objective 'VBI'; did you mean 'VIB'"):
        equivalent("IB", "VBI")


@pytest.mark.parametrize(("first", "second", "solve_for", "solution", "scale"), TABLE)
def test_values_are_related_on_random_distributions(first, second, solve_for, solution, scale):
    found = equivalent(first, second, solve_for=solve_for)
    left, right = found.first.expression, found.second.expression
    mine = {s: v for s, v in found.solution.items() if s not in right.free_symbols}
    left, right = left.subs(mine), right.subs(found.solution, simultaneous=True)
    numbers = {beta: sympy.Rational(7, 2), g: sympy.Rational(1, 3)}
    for seed in range(3):
        distribution = Distribution.random("Y -> X -> Z", alphabet=3, seed=seed)
        a, b, constant = (distribution.value(sympy.sympify(e).subs(numbers)) for e in (left, right, found.constant))
        assert b == pytest.approx(float(sympy.sympify(found.scale).subs(numbers)) * a + constant, abs=1e-9)


def test_ib_and_dib_are_equivalent_only_for_deterministic_encoders():
    for solve_for in ("", "beta"):
        found = equivalent(IB, DIB, solve_for=solve_for)
        assert not found
        assert found.obstacle == parse("H[Z|X]")
        assert str(found) == "not equivalent: H[Z|X] is in the way; they would be if it were constant"
    for model in (supervised("noisy", "deterministic"), supervised(encoder="deterministic")):
        same = equivalent(IB, DIB, model=model)
        assert same
        assert same.scale == 1
    with pytest.raises(DerivationError):
        equivalent(IB, DIB).verify()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("min -beta*I[Y;Z]", "max beta*H[X,Y|Z]"),
        ("min I[X;Z]", "max I[X;Z] + H[Z|X]"),
        ("min I[X;Z] - 2*I[Y;Z]", "max I[X;Z] - 3*I[Y;Z]"),
        ("min H[Z]", "min H[Y|Z]"),
    ],
)
def test_objectives_are_equivalent_where_the_obstacle_is_constant(first, second):
    obstacle = equivalent(first, second).obstacle
    if obstacle.free_symbols:
        obstacle = obstacle.subs(beta, 3)
        first, second = first.replace("beta", "3"), second.replace("beta", "3")
    assert equivalent(first, second, model=Model("Y -> X -> Z", fixed=("X", "Y", str(obstacle))))


def test_the_sense_decides_the_sign():
    assert not equivalent("min H[Z]", "max H[Z]")
    assert str(equivalent("min H[Z]", "max H[Z]")) == "not equivalent: the factor between them has the wrong sign"
    assert equivalent("min H[Z]", "min 3*H[Z] + H[X]").constant == parse("H[X]")
    assert equivalent("min H[Y|Z]", "max I[Y;Z]").scale == -1


def test_conditions_say_where_it_holds():
    found = equivalent("min H[Z]", "min beta*H[Z]")
    assert found.conditions.texts() == ["beta > 0"]
    negative = Model("Y -> X -> Z", fixed="X,Y", ranges={"beta": (-1, 0)})
    assert not equivalent("min H[Z]", "min beta*H[Z]", model=negative)


def test_several_parameters():
    found = equivalent("min H[Z] - 3*H[Z|X] - 5*I[Y;Z]", "min H[Z] - a*H[Z|X] - beta*I[Y;Z]", solve_for=["a", "beta"])
    assert found.solution == {param("a"): 3, beta: 5}


def test_bad_input():
    with pytest.raises(NonlinearError, match="expected an objective"):
        equivalent("H[X]", IB)
    with pytest.raises(UnknownVariableError, match="did you mean 'beta'"):
        equivalent(IB, DIB, solve_for="bta")


QUANTITIES = ["H[Z]", "H[Z|Y]", "H[Z|X]", "I[X;Z]", "I[Y;Z]"]


@given(st.lists(st.integers(-3, 3), min_size=5, max_size=5).filter(any), st.integers(1, 5), st.integers(-3, 3))
@settings(max_examples=40, deadline=None)
def test_positive_multiples_plus_constants_are_equivalent(weights, factor, shift):
    expression = sum(w * parse(q) for w, q in zip(weights, QUANTITIES, strict=True))
    other = Objective("min", factor * expression + shift * parse("H[X|Y]"))
    found = equivalent(Objective("min", expression), other)
    assert found
    back = equivalent(other, Objective("min", expression))
    assert back
    assert found.model.reduce(expression) == 0 or sympy.simplify(found.scale * back.scale) == 1


def test_only_listed_pairs_of_the_catalogue_are_equivalent_as_written():
    names = ["IB", "IB-residual", "DIB", "CEB", "entropy-distance"]
    pairs = {
        (a, b) for a, b in itertools.combinations(names, 2) if equivalent(*(objectives[n].statement for n in (a, b)))
    }
    assert pairs == {("IB", "IB-residual")}


RANGED = Model("Y -> X -> Z", fixed="X,Y", ranges={"g": (0, 1)})
FREE = [
    (IB, "min a*I[X;Z] - g*I[Y;Z]", "a,g", None, ("a",), "a > 0"),
    ("max H[X|Z]", "min g*H[Z|X] + h*I[X;Z] - H[X|Z]", "g h", None, ("h",), "h > -1"),
    (IB, "min a*H[Y|Z] + c*I[X;Z|Y]", "a c", None, ("c",), "c > 0"),
    ("min a*H[Y|Z]", "min b*H[Y|Z]", "b", None, ("b",), "a*b > 0"),
    ("min a*H[Y|Z]", "min a*H[Y|Z]", "a", None, ("t",), "a*t > 0"),
    (IB, "min I[X;Z] - (g^3+h)*I[Y;Z]", "g h", None, ("g",), "always"),
    ("min H[Y|Z] + 0*H[Z|X]", "min 2*H[Y|Z]", "", None, (), "always"),
    (IB, "min g^2*I[X;Z] - I[Y;Z]", "g", None, (), "beta > 0"),
    (IB, "min g^2*I[X;Z] - beta*I[Y;Z]", "g", None, (), "always"),
    (IB, "min I[X;Z] - (g^2+g)*I[Y;Z]", "g", None, (), "beta >= -1/4"),
    ("min I[X;Z] - 2*I[Y;Z]", "min I[X;Z] - (g^5+g)*I[Y;Z]", "g", None, (), "always"),
    (IB, "min I[X;Z] - g*I[Y;Z]", "g", RANGED, (), "0 < beta < 1"),
    (IB, "min g^2*I[X;Z] - I[Y;Z]", "g", RANGED, (), "beta > 1"),
]


@pytest.mark.parametrize(("first", "second", "solve_for", "model", "free", "conditions"), FREE)
def test_parameters_may_stay_free_and_values_are_real_and_in_range(first, second, solve_for, model, free, conditions):
    found = equivalent(first, second, solve_for=solve_for, model=model)
    assert found
    assert found.verify()
    assert tuple(map(str, found.free)) == free
    assert str(found.conditions) == conditions
    assert Equivalence.from_json(found.to_json()) == found
    assert "_" not in re.sub("_first|_second", "", str(found))


def test_what_only_the_range_excludes_is_said():
    found = equivalent("min I[X;Z] - 3*I[Y;Z]", "min I[X;Z] - g*I[Y;Z]", solve_for="g", model=RANGED)
    assert not found
    assert str(found) == "not equivalent: g = 3 is out of range or gives the factor between them the wrong sign"
    assert Equivalence.from_json(found.to_json()) == found
    assert not equivalent("min I[X;Z] + 2*I[Y;Z]", "min I[X;Z] - g^2*I[Y;Z]", solve_for="g")


def test_equations_of_higher_degree_are_not_taken_for_unsolvable():
    for power in (3, 5):
        with pytest.raises(NonlinearError, match="solve for parameters that occur linearly"):
            equivalent(IB, f"min I[X;Z] - (g^{power} + g)*I[Y;Z]", solve_for="g")


@pytest.mark.parametrize("solve_for", [3, [3], None])
def test_what_names_no_parameter_is_refused(solve_for):
    with pytest.raises(UnknownVariableError, match="solve_for names parameters"):
        equivalent(IB, DIB, solve_for=solve_for)


def test_a_value_out_of_its_range_is_found_by_verification():
    found = equivalent(IB, "min I[X;Z] - g*I[Y;Z]", solve_for="g", model=RANGED)
    with pytest.raises(DerivationError, match="not in its range"):
        replace(found, conditions=Conditions()).verify()


@pytest.mark.parametrize("edge", [[None, "Z"], [True, "Z"], ["Q"], "QZ", ["X", 3]])
def test_damaged_edges_are_refused(edge):
    data = equivalent("min H[Y|Z]", "max I[Y;Z]").to_dict()
    data["model"]["edges"].append(edge)
    with pytest.raises(DerivationError, match="an edge is a list of two names"):
        Equivalence.from_dict(data)


def test_an_answer_that_holds_names_no_obstacle():
    data = equivalent("min H[Y|Z]", "max I[Y;Z]").to_dict() | {"obstacle": "H[Z]"}
    with pytest.raises(DerivationError, match="names an obstacle"):
        Equivalence.from_dict(data)


@pytest.mark.parametrize(
    ("second", "graph", "obstacle"),
    [
        ("min I[X;Z] - g*I[Y;Z] + H[Z|X]", "Y -> X -> Z", "H[Z|X]"),
        ("min 2*I[X;Z] - 2*g*I[Y;Z] - 3*H[Z|X]", "Y -> X -> Z", "H[Z]"),
        ("min 2*I[X;Z] - g*I[Y;Z] + H[W|X,Y,Z]", "Y -> X -> Z; W -> Z", "H[W|X,Z]"),
    ],
)
def test_the_obstacle_is_one_quantity_whose_constancy_would_do(second, graph, obstacle):
    first = "min I[X;Z] - beta*I[Y;Z]"
    found = equivalent(first, second, solve_for="g", model=Model(graph, fixed=("X", "Y")))
    assert (found.holds, str(found.obstacle)) == (False, obstacle)
    assert equivalent(first, second, solve_for="g", model=Model(graph, fixed=("X", "Y", obstacle))).holds


def test_a_parameter_of_both_is_told_apart_in_texts():
    found = equivalent("max I[Y;Z] - beta*H[Z]", "min c*H[Z] + beta*(H[Y|Z] - H[Y])", solve_for="beta")
    assert (
        str(found)
        == "equivalent with beta_second = c/beta_first: second = (-c/beta_first) * first, for beta_first*c > 0"
    )
    assert r"\beta_{second} = \frac{c}{\beta_{first}}" in found.to_latex()
    same = equivalent(IB, IB, solve_for="beta")
    assert "beta_" not in str(same)
    refused = equivalent(
        IB, VIB, solve_for="beta", model=Model("Y -> X -> Z", fixed=("X", "Y"), ranges={"beta": (1, 2)})
    )
    assert not re.search(r"\bbeta\b", str(refused))

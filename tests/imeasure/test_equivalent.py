import itertools

import pytest
import sympy
from hypothesis import given, settings, strategies as st

from imeasure import (
    DerivationError,
    Distribution,
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

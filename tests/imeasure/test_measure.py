from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import sympy
from hypothesis import given, strategies as st
from strategies import NAMES, expressions

from imeasure import Distribution, H, I, Measure, NonlinearError, UnknownVariableError, param, parse, rvs
from imeasure.measure import entropy_form, members
from imeasure.terms import linear_terms
from imeasure.transforms import atoms_from_entropies, entropies_from_atoms, moebius, zeta

X, Y, Z = rvs("X Y Z")
beta = param("beta")


def brute_force_zeta(values):
    return [sum(v for subset, v in enumerate(values) if subset & mask == subset) for mask in range(len(values))]


@given(st.integers(0, 5).flatmap(lambda n: st.lists(st.integers(-9, 9), min_size=2**n, max_size=2**n)))
def test_zeta_is_the_sum_over_subsets_and_moebius_its_inverse(values):
    assert zeta(values).tolist() == brute_force_zeta(values)
    assert moebius(zeta(values)).tolist() == values


def test_transforms_are_batched_and_exact():
    rng = np.random.default_rng(0)
    batch = rng.normal(size=(3, 2, 16))
    np.testing.assert_allclose(zeta(batch)[2, 1], brute_force_zeta(batch[2, 1]))
    exact = [Fraction(1, 3)] * 8
    assert zeta(np.array(exact, dtype=object))[-1] == Fraction(8, 3)


@pytest.mark.parametrize("count", range(1, 7))
def test_atoms_and_entropies_are_two_coordinates_of_the_same_thing(count):
    entropies = np.concatenate([[0], np.random.default_rng(count).normal(size=2**count - 1)])
    atoms = atoms_from_entropies(entropies)
    for mask in range(1, 2**count):
        inside = sum(atoms[other] for other in range(2**count) if other & mask)
        assert inside == pytest.approx(entropies[mask])
    np.testing.assert_allclose(entropies_from_atoms(atoms), entropies)


def test_atoms_of_the_textbook_quantities():
    assert str(Measure.of("H[X] - H[X|Y]")) == "I[X;Y]"
    assert Measure.of("I[X;Y]", ("X", "Y", "Z")).to_sympy() == parse("I[X;Y;Z] + I[X;Y|Z]")
    assert Measure.of("H[X,Y] - H[Y|X] - H[X]").to_sympy() == 0
    assert Measure.of("beta*H[X|Y] + CE[X|Y] - 3").rest == parse("KL[X|Y] - 3")


def test_coefficients_stay_exact():
    form = entropy_form(H[X] / (beta - 1) + sympy.Rational(1, 3) * H[X] - H[X | Y] * beta)
    assert form.coefficients[1] == sympy.factor(1 / (beta - 1) + sympy.Rational(1, 3))
    assert entropy_form("1/3*H[X] + 2/3*H[X] - H[X]").is_zero()
    assert entropy_form(0.1 * H[X] - sympy.Rational(1, 10) * H[X]).is_zero()
    assert entropy_form(H[X] / (beta**2 - 1) - H[X] / ((beta - 1) * (beta + 1))).is_zero()
    assert entropy_form(sympy.exp(beta) * H[X] - sympy.exp(beta) * H[X | Y] - sympy.exp(beta) * I[X:Y]).is_zero()


@given(expressions(), expressions(), st.integers(-3, 3))
def test_the_measure_is_linear(a, b, factor):
    left = Measure.of(a + factor * b, NAMES).to_sympy()
    right = Measure.of(a, NAMES).to_sympy() + factor * Measure.of(b, NAMES).to_sympy()
    assert entropy_form(left - right, NAMES).is_zero()


@given(expressions(symbolic=False), st.integers(0, 50))
def test_the_measure_has_the_value_of_the_expression(expression, seed):
    distribution = Distribution.random(NAMES, seed=seed)
    entropies = distribution.entropies()
    form = entropy_form(expression, NAMES)
    value = sum(float(c) * entropies[mask] for mask, c in form.terms.items())
    atoms = Measure.of(expression, NAMES).coefficients
    assert value == pytest.approx(sum(float(c) * distribution.value(q) for q, c in atoms.items()), abs=1e-9)


def test_interaction_information_of_exclusive_or_is_negative():
    xor = np.log(2) * np.array([0, 1, 1, 2, 1, 2, 2, 2])
    assert atoms_from_entropies(xor)[7] == pytest.approx(-np.log(2))


def test_many_variables_are_sparse():
    names = tuple(f"X{i}" for i in range(60))
    form = entropy_form(f"I[{';'.join(names[:2])}|{','.join(names[2:])}]", names)
    assert len(form.terms) == 4
    with pytest.raises(NonlinearError, match="atoms"):
        Measure.of(f"H[{','.join(names)}]")


@pytest.mark.parametrize("expression", [H[X] * H[Y], H[X] ** 2, 1 / H[X], sympy.exp(H[X])])
def test_only_linear_expressions_are_measures(expression):
    with pytest.raises(NonlinearError):
        linear_terms(expression)


def test_unknown_variables_are_named():
    with pytest.raises(UnknownVariableError, match="did you mean 'X'"):
        entropy_form("H[X1]", ("X", "Y"))


def test_members_follow_the_bits():
    names = ("A", "B", "C")
    for size in range(4):
        for chosen in combinations(range(3), size):
            assert members(sum(1 << i for i in chosen), names) == tuple(names[i] for i in chosen)

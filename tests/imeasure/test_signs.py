"""The signs of coefficients of several parameters: what ranges and other conditions settle, and what stays open."""

import itertools
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings, strategies as st

from imeasure import CanonicalForm, DegenerateObjectiveError, DerivationError, Model, param, simplify
from imeasure.printing import to_text
from imeasure.signs import holds_everywhere, positive
from imeasure.terms import as_expression

A, B, C = map(param, "abc")
BETA = param("beta")
UNIT, UPWARDS = (0, 1), (0, sympy.oo)


@pytest.mark.parametrize(
    ("coefficients", "ranges", "texts"),
    [
        (["a + b"], {"a": UPWARDS, "b": UPWARDS}, []),
        (["a + b"], {"a": UPWARDS}, ["a + b > 0"]),
        (["1 - a*b"], {"a": UNIT, "b": UNIT}, []),
        (["1 - a*b"], {"a": UNIT, "b": sympy.Interval(0, 1)}, []),
        (["1 - a*b"], {"a": sympy.Interval(0, 1), "b": sympy.Interval(0, 1)}, ["-a*b + 1 > 0"]),
        (["a - b"], {"a": (2, 3), "b": UNIT}, []),
        (["b - a"], {"a": (2, 3), "b": UNIT}, ["False"]),
        (["a - b"], {"a": sympy.FiniteSet(1, 2), "b": (-sympy.oo, 0)}, []),
        (["a - b"], {"a": sympy.Union(sympy.Interval.open(2, 3), sympy.Interval.open(4, 5)), "b": UNIT}, []),
        (["a^2 + b^2 + 1"], {}, []),
        (["a^2 + b^2"], {}, ["a**2 + b**2 > 0"]),
        (["a^2 - 2*a*b + b^2 + 1"], {}, []),
        (["a^2 + a*b + b^2 + 1"], {}, []),
        (["a^2 + 3*a*b + b^2 + 1"], {}, ["a**2 + 3*a*b + b**2 + 1 > 0"]),
        (["a^2 + b^2 + c^2 - a*b - b*c - a*c + 1"], {}, []),
        (["a - b", "a - b + 1"], {}, ["a - b > 0"]),
        (["a - b", "a - 2*b"], {"b": UNIT}, ["a - 2*b > 0"]),
        (["a - b", "c*(a - b + 1)"], {}, ["a - b > 0", "c*(a - b + 1) > 0"]),
    ],
)
def test_only_what_is_open_becomes_a_condition(coefficients, ranges, texts):
    assert positive(map(as_expression, coefficients), Model(ranges=ranges)).texts() == texts


@pytest.mark.parametrize("weight", ["b - a", "b - a - 1", "2*b - 2*a", "(b - a)/(a - b)^2"])
def test_conditions_that_exclude_each_other_are_no_form(weight):
    assert not positive([A - B, as_expression(weight)], Model()).satisfiable
    assert not positive([as_expression(weight), A - B], Model()).satisfiable


@pytest.mark.parametrize("text", ["min (a - b)*H[Z]", "min (b - a)*H[Z]", "min (a - b)*H[Y|Z] + (b - a - 1)*H[Z|Y]"])
def test_no_form_holds_nowhere(text):
    with pytest.raises(DegenerateObjectiveError):
        simplify(text)


def test_a_coefficient_that_is_always_positive_needs_no_condition():
    form = simplify("min (a^2 + b^2 + 1)*H[Y|Z] + H[Z|Y]")
    assert not form.conditions
    assert form.verify()
    text = form.to_json().replace('"relations": []', '"relations": ["a**2 + b**2 + 1 > 0"]', 1)
    with pytest.raises(DerivationError):
        CanonicalForm.from_json(text)


LINEAR = st.builds(lambda i, j, k, m: i * A + j * B + k * C + m, *[st.integers(-2, 2)] * 4)
ENDS = st.sampled_from([(-sympy.oo, sympy.oo), (0, sympy.oo), (-sympy.oo, 1), (0, 1), (-1, 2)])


@given(st.lists(LINEAR, min_size=1, max_size=3), LINEAR, ENDS, ENDS)
@settings(max_examples=10, deadline=None)
def test_what_is_said_to_follow_holds_in_numbers(known, claim, of_a, of_b):
    model = Model(ranges={"a": of_a, "b": of_b})
    conditions = positive(known, model)
    follows = [one for one in (claim, -claim) if holds_everywhere(one, conditions, model)]
    allowed, known_at, follows_at = (
        sympy.lambdify((A, B, C), what, modules="math") for what in (conditions.as_sympy(), known, follows)
    )
    for point in itertools.product([Fraction(n, 3) for n in (-16, -5, -2, -1, 1, 2, 4, 19)], repeat=3):
        if of_a[0] < point[0] < of_a[1] and of_b[0] < point[1] < of_b[1]:
            inside = all(value > 0 for value in known_at(*point))
            assert inside == bool(allowed(*point))
            assert not inside or (conditions.satisfiable and all(value > 0 for value in follows_at(*point)))


@pytest.mark.parametrize(
    ("expressions", "texts"),
    [
        ([BETA - 1], ["beta > 1"]),
        ([BETA, 1 - BETA], ["0 < beta < 1"]),
        ([(BETA**2 - 4)], ["beta < -2 or beta > 2"]),
        ([1 / BETA], ["beta > 0"]),
        ([BETA**2 + 1], []),
        ([A * BETA], ["a*beta > 0"]),
        ([A, BETA], ["a > 0", "beta > 0"]),
    ],
)
def test_conditions(expressions, texts):
    assert positive(expressions, Model()).texts() == texts


def test_conditions_use_the_ranges():
    model = Model(ranges={"a": (0, sympy.oo)})
    assert positive([A * BETA], model).texts() == ["beta > 0"]
    assert not positive([-A], model).satisfiable
    assert to_text(
        simplify("min H[Y|Z] + a*H[Z|Y]", model=Model("Y -> X -> Z", fixed="X,Y", ranges={"a": (0, 1)})).expression
    )

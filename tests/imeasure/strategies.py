"""Hypothesis strategies for expressions of the language."""

from fractions import Fraction

from hypothesis import strategies as st

from imeasure import Functional, Information, param

NAMES = ("X", "Y", "Z", "W")


@st.composite
def quantities(draw, names=NAMES, functionals=False):
    groups = draw(st.lists(st.sets(st.sampled_from(names), min_size=1), min_size=1, max_size=3))
    given = draw(st.sets(st.sampled_from(names), max_size=2))
    if functionals and draw(st.booleans()):
        return Functional(draw(st.sampled_from(["CE", "KL"])), groups[0], given)
    return Information(groups, given)


def numbers():
    return st.fractions(min_value=-5, max_value=5, max_denominator=7)


@st.composite
def coefficients(draw):
    beta, gamma = param("beta"), param("gamma")
    pool = [1, beta, gamma, beta - 1, 1 / (beta - 1), beta * gamma, beta**2, (1 - gamma) / (1 + gamma)]
    return draw(st.sampled_from(pool)) * _sympy(draw(numbers()))


@st.composite
def expressions(draw, names=NAMES, functionals=False, symbolic=True):
    count = draw(st.integers(1, 4))
    total = 0
    for _ in range(count):
        coefficient = draw(coefficients()) if symbolic else _sympy(draw(numbers()))
        total += coefficient * draw(quantities(names, functionals))
    return total


def _sympy(value):
    from sympy import Rational

    return Rational(Fraction(value))

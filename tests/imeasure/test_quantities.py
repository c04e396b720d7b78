import pickle

import pytest
import sympy
from hypothesis import given
from strategies import quantities

from imeasure import Functional, H, I, Information, ParseError, RandomVariable, param, rvs
from imeasure.names import canonical_name

W, X, Y, Z = rvs("W X Y Z")
beta = param("beta")


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (H[Y | Z], "H[Y|Z]"),
        (H[X, Y | Z, W], "H[X,Y|W,Z]"),
        (I[X : Z | Y], "I[X;Z|Y]"),
        (I[X:Y:Z], "I[X;Y;Z]"),
        (I[X, W:Z], "I[W,X;Z]"),
        (I[X:Y, W | Z], "I[W,Y;X|Z]"),
        (Functional("CE", [Y], [Z]), "CE[Y|Z]"),
    ],
)
def test_subscripts_read_as_printed(quantity, text):
    assert str(quantity) == text


def test_equal_quantities_are_equal_objects():
    assert I[X:Z] == I[Z:X]
    assert H[X, Y] == H[Y, X]
    assert I[X:X] == H[X]
    assert I[X:X, Y] == H[X]
    assert H[X, X | Y, Y] == H[X | Y]
    assert I[X, Z : Y | Z] == I[X : Y | Z]
    assert hash(I[X:Z]) == hash(I[Z:X])


def test_what_is_conditioned_on_has_no_entropy():
    assert H[X | X] == 0
    assert I[X : Y | X] == 0


def test_sympy_arithmetic():
    expression = I[X:Z] - beta * I[Y:Z]
    assert expression.diff(beta) == -I[Y:Z]
    assert expression.subs(beta, 2) == I[X:Z] - 2 * I[Y:Z]
    assert expression.subs(X, W) == I[W:Z] - beta * I[Y:Z]
    assert expression.free_symbols == {beta}
    assert (beta * expression - expression).expand().collect(I[X:Z]).coeff(I[X:Z]) == beta - 1
    assert sympy.latex(H[Y | Z] / (beta - 1)) == r"\frac{\mathrm{H}[Y \mid Z]}{\beta - 1}"
    assert sympy.pretty(beta * H[X]) == "β⋅H[X]"
    assert "mathrm{I}[X;Z]" in expression._repr_latex_()


def test_random_variables_are_not_numbers():
    with pytest.raises(TypeError):
        X + 1
    with pytest.raises(ParseError, match="a letter followed by"):
        RandomVariable("2X")
    with pytest.raises(ParseError, match="expected names"):
        rvs("  ")


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (lambda: I[X], "at least two groups"),
        (lambda: H[X:Y], "one group"),
        (lambda: Information([]), "at least one variable"),
        (lambda: Information([[]]), "at least one variable"),
        (lambda: I[X | Y : Z], "condition is the last"),
        (lambda: param("1b"), "a letter followed by"),
    ],
)
def test_malformed_quantities_are_refused(build, problem):
    with pytest.raises(ParseError, match=problem):
        build()


def test_spellings_of_names():
    assert param("β") == param("beta")
    assert canonical_name("λ") == "lambda"
    assert RandomVariable("Ŷ") == RandomVariable("Yhat")
    assert sympy.latex(H[RandomVariable("Yhat"), RandomVariable("X1")]) == r"\mathrm{H}[X_{1},\hat{Y}]"


@given(quantities(functionals=True))
def test_quantities_survive_pickling_and_rebuilding(quantity):
    assert pickle.loads(pickle.dumps(quantity)) == quantity
    if quantity != 0:
        assert quantity.func(*quantity.args) == quantity

"""What a table may hold, how it is drawn at random, sampled and shown."""

import math
import pickle
from decimal import Decimal
from fractions import Fraction
from html import escape

import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st

from imeasure import Model, parse, rvs
from imeasure.distribution import EXAMPLES, Distribution
from imeasure.errors import ConfigError, ModelError, ParseError, UnknownVariableError

LN2 = math.log(2.0)


def test_exact_tables_stay_exact():
    p = Distribution([["1/3", "0"], ["1/6", "0.5"]], "X Y")
    assert p.exact
    assert p.pmf[1, 1] == Fraction(1, 2)
    assert p.marginal("Y").pmf.tolist() == [Fraction(1, 2), Fraction(1, 2)]
    assert p.condition(Y=0).pmf.tolist() == [Fraction(2, 3), Fraction(1, 3)]
    assert Distribution(parse("1/4") * np.array([1, 3]), "X").pmf.tolist() == [Fraction(1, 4), Fraction(3, 4)]
    assert not Distribution([[0.25, 0.25], [0.5, 0]], "X Y").exact


def test_events_take_symbols_and_other_spellings():
    X, Y = rvs("X Y")
    p = Distribution.named("xor")
    assert p.condition({X: 1, Y: np.int64(0)}) == p.condition(X=1, Y=0)
    assert Distribution([0.25, 0.75], "Ŷ").marginal("Yhat").names == ("Yhat",)
    assert Distribution([0.25, 0.75], X).names == ("X",)
    with pytest.raises(ModelError, match="gives X two values"):
        p.condition({X: 1}, X=0)
    with pytest.raises(ModelError, match="an event is a dictionary"):
        p.condition("X=1")
    with pytest.raises(UnknownVariableError, match="0, 1, 2, 3, 4, 5, 6, 7 and 2 more"):
        Distribution.named("shifted").condition(X=[1])


def test_samples_keep_what_outcomes_are():
    pairs = Distribution.read({((0, 1), True): "1/2", ((1, 1), False): "1/2"}, "X Y")
    assert set(map(tuple, pairs.sample(20))) == {((0, 1), True), ((1, 1), False)}
    assert pairs.sample(0).shape == (0, 2)
    huge = Distribution.read({(2**70,): 1}, "X")
    assert huge.sample(1).tolist() == [[2**70]]
    for size in (-1, 2.5, True, "3"):
        with pytest.raises(ConfigError, match="size of a sample"):
            huge.sample(size)
    with pytest.raises(ConfigError, match="a seed is"):
        huge.sample(1, seed=-1)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from(["Y -> X -> Z", "A -> C; B -> C; C -> D", "X -> Y; X -> Z; X -> W"]))
def test_random_distributions_obey_their_graph(seed, graph):
    model = Model(graph)
    p = Distribution.random(model, 2, seed)
    assert p.pmf.sum() == 1
    assert set(p.names) == set(model.variables)
    for atom in model.vanishing_atoms():
        if len(atom.groups) == 2:
            assert p.value(atom) == pytest.approx(0.0, abs=1e-14)


def test_random_options():
    chain = "X0 -> X1 -> X2 -> X3 -> X4 -> X5 -> X6"
    assert Distribution.random(chain, np.int64(2), denominator=np.int64(1000)) == Distribution.random(
        chain, denominator=1000
    )
    with pytest.raises(ModelError, match=r"8589934592 cells are too many .* take fewer variables or values"):
        Distribution.random([f"X{i}" for i in range(33)], exact=False)
    with pytest.raises(ModelError, match="at most 32 variables, not 40"):
        Distribution.random([f"X{i}" for i in range(40)], 1)
    assert Distribution.random("X -> Y", seed=1, deterministic={"Y"}).value("H[Y|X]") == 0
    assert Distribution.random("X -> Y", seed=1, deterministic=1.0).value("H[X,Y]") == 0
    assert Distribution.random("X -> Y", {"Y": 5}, exact=False).pmf.shape == (2, 5)
    assert Distribution.random("X Y", seed=3) == Distribution.random("X Y", seed=3)
    generator = np.random.default_rng(0)
    assert Distribution.random("X Y", 4, generator) != Distribution.random("X Y", 4, generator)
    with pytest.raises(UnknownVariableError, match="unknown variable 'W'"):
        Distribution.random("X -> Y", deterministic={"W"})
    with pytest.raises(UnknownVariableError, match="unknown variable 'W'"):
        Distribution.random("X Y", {"W": 3})
    for alphabet in (0, 2.5, "3", True):
        with pytest.raises(ModelError, match="at least one value"):
            Distribution.random("X Y", alphabet)
    with pytest.raises(ModelError, match="take exact=False"):
        Distribution.random("X Y", 10**4)
    with pytest.raises(ConfigError, match="give a graph"):
        Distribution.random("X Y", deterministic={"Y"})
    with pytest.raises(ConfigError, match="from 0 to 1"):
        Distribution.random("X -> Y", deterministic=2)
    with pytest.raises(ConfigError, match="denominator must be"):
        Distribution.random("X -> Y", denominator=0)
    with pytest.raises(ConfigError, match="a seed is"):
        Distribution.random("X -> Y", seed="one")
    assert Distribution.random("X -> Yhat", deterministic="Yhat").value("H[Yhat|X]") == 0


@pytest.mark.parametrize(
    ("pmf", "names", "error", "message"),
    [
        ([0.5, 0.6], "X", ModelError, "sum to 1.1, not to 1; correct the table, or pass normalize=True"),
        ([1.5, -0.5], "X", ModelError, r"p\(X=1\) = -0.5 is negative"),
        ([[0.5, float("nan")], [0.25, 0.25]], "X Y", ModelError, r"p\(X=0, Y=1\) = nan is not a finite number"),
        ([0.5, 0.5], "X Y", ModelError, "a table of 1 axes needs as many names, got 2: X Y"),
        ([[0.5, 0.5]], "X X", ModelError, "variable X is named twice"),
        ([[0.5], [0.25, 0.25]], "X Y", ModelError, "differ in length"),
        ([[], []], "X Y", ModelError, "no cells"),
        (["half", "half"], "X", ModelError, "'half' is not a probability"),
        ([0.5j, 0.5], "X", ModelError, "real numbers"),
        ([0.5, 0.5], "1X", ParseError, "name"),
        (["1/3", "1/3"], "X", ModelError, "sum to 2/3"),
        ([[0.5, 0.5]], None, ModelError, "names are a text such as 'X Y'"),
        ([0.5, 0.5], 7, ModelError, "names are a text such as 'X Y'"),
        ([1.0], "", ModelError, "there are no names"),
        ({0: 1.0}, None, ModelError, r"dict is not an array; Distribution.read\(source\)"),
        ("table.csv", "X", ModelError, "str is not an array"),
        ([0.5, None], "X", ModelError, r"p\(X=1\): None is not a probability"),
        ([Decimal("inf"), 0], "X", ModelError, "is not a probability"),
        ([b"1", b"0"], "X", ModelError, "real numbers"),
        ([0, 0], "X", ModelError, "every probability is zero"),
        ([1e308, 1e308], "X", ModelError, "sum to inf"),
        (np.ma.masked_array([0.5, 0.5], [False, True]), "X", ModelError, r"p\(X=1\) is masked; fill it"),
        (np.array([0.5, 0.5001], np.float32), "X", ModelError, "sum to 1.0001"),
    ],
)
def test_bad_tables_are_refused_with_what_is_wrong(pmf, names, error, message):
    with pytest.raises(error, match=message):
        Distribution(pmf, names)


def test_nearly_normalised_tables_are_divided_by_their_sum():
    p = Distribution([0.1] * 10, "X")
    assert p.pmf.sum() == pytest.approx(1.0, abs=1e-15)
    assert not Distribution(["0.3333333333", "0.3333333333", "0.3333333333"], "X").exact
    assert Distribution([1, 3], "X", normalize=True).pmf.tolist() == [Fraction(1, 4), Fraction(3, 4)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_narrow_floats_are_normalised_at_their_own_precision(dtype):
    table = np.random.default_rng(0).dirichlet(np.ones(60)).reshape(5, 12)
    p = Distribution(table.astype(dtype), "X Y")
    assert p.pmf.dtype == np.float64
    assert p.pmf.sum() == pytest.approx(1.0, abs=1e-15)
    assert p.value("I[X;Y]") == pytest.approx(
        Distribution(table, "X Y").value("I[X;Y]"), abs=4 * float(np.finfo(dtype).eps)
    )


@pytest.mark.parametrize(
    "half",
    [1, True, np.uint8(1), Fraction(1, 2), Decimal("0.5"), "1/2", "0.5", "5e-1", sympy.Rational(1, 2), np.int64(3)],
)
def test_every_exact_number_stays_exact(half):
    p = Distribution(np.array([half, half], dtype=object), "X", normalize=True)
    assert p.pmf.tolist() == [Fraction(1, 2)] * 2


def test_huge_weights_and_other_floats_are_read():
    assert Distribution([1e308, 1e308], "X", normalize=True).pmf.tolist() == [0.5, 0.5]
    assert Distribution([sympy.sqrt(2), sympy.Float(1)], "X", normalize=True).pmf[0] == pytest.approx(2 - math.sqrt(2))
    assert Distribution(np.ma.masked_array([0.5, 0.5]), "X").value("H[X]") == pytest.approx(LN2)
    assert Distribution(np.array([True, False]), "X").exact
    assert Distribution([0.5, 0.5], "X", [(True, "ja")]).rows() == [(True, 0.5), ("ja", 0.5)]


def test_examples_have_the_names_of_the_paper_too():
    assert Distribution.named("A.4") == Distribution.named("shifted")
    assert Distribution.named("XOR") == Distribution.named("xor")
    with pytest.raises(UnknownVariableError, match="unknown distribution '4'"):
        Distribution.named(4)


def test_bad_events_are_refused():
    p = Distribution.named("xor")
    with pytest.raises(ModelError, match="probability zero"):
        Distribution.named("giant-bit").condition(X=0, Y=1)
    with pytest.raises(UnknownVariableError, match="X has no value 2; it has 0, 1"):
        p.condition(X=2)
    with pytest.raises(ModelError, match="names every variable"):
        p.condition(X=0, Y=0, Z=0)
    with pytest.raises(UnknownVariableError, match="unknown variable 'V'"):
        p.marginal("V")
    with pytest.raises(UnknownVariableError, match="did you mean 'xor'"):
        Distribution.named("xorr")
    with pytest.raises(ModelError, match=r"outcomes of lengths \(1,\)"):
        Distribution([0.5, 0.5], "X", [["a"]])


def test_the_measure_of_too_many_variables_is_refused():
    many = Distribution(np.full((2,) * 21, 0.5**21), [f"X{i}" for i in range(21)])
    with pytest.raises(ModelError, match="at most 20 variables are enumerated, take a marginal"):
        many.measure()


def test_a_distribution_is_a_value():
    p = Distribution.named("and")
    for one in (p, *(Distribution.random("X Y Z", seed=seed, exact=False) for seed in range(20))):
        again = pickle.loads(pickle.dumps(one))
        assert again == one
        assert not again.pmf.flags.writeable
    assert hash(p) == hash(Distribution.named("and"))
    assert p != Distribution.named("xor")
    assert p != "and"
    assert repr(p) == "<Distribution of X, Y, Z: 2 x 2 x 2, 4 outcomes, exact>"
    with pytest.raises(AttributeError):
        p.names = ("A",)
    with pytest.raises(ValueError, match="read-only"):
        p.pmf[0] = 0
    assert p.rows()[0] == (0, 0, 0, Fraction(1, 4))
    assert "<th>Z</th>" in p._repr_html_()
    assert str(Distribution.random("A B C D E F", seed=1, denominator=9)).splitlines()[-1].startswith("... and")


def test_examples_show_themselves_in_notebooks():
    for example in EXAMPLES.values():
        page = example._repr_html_()
        assert page.count("<tr>") == len(example.probabilities) + 2
        assert escape(example.what) in page

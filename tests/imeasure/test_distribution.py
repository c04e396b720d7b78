import itertools
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
from imeasure.distribution.entropies import _reduce, entropy_vector, entropy_vector_of_counts
from imeasure.errors import (
    ConfigError,
    ModelError,
    NonlinearError,
    ParseError,
    UndefinedQuantityError,
    UnknownVariableError,
)

LN2 = math.log(2.0)


def entropy_of(table):
    """Entropy in exact-rounded sums, straight from the definition."""
    return math.fsum(-float(p) * math.log(p) for p in np.asarray(table).ravel() if p > 0)


def reference(distribution):
    n = len(distribution.names)
    return [
        entropy_of(distribution.pmf.sum(axis=tuple(i for i in range(n) if not mask >> i & 1))) for mask in range(1 << n)
    ]


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 4), min_size=1, max_size=5), st.booleans())
def test_entropies_are_those_of_the_definition(seed, sizes, exact):
    names = [f"X{i}" for i in range(len(sizes))]
    p = Distribution.random(names, dict(zip(names, sizes, strict=True)), seed, exact=exact)
    assert p.exact is exact
    np.testing.assert_allclose(p.entropies(), reference(p), rtol=1e-13, atol=1e-14)


def test_entropies_of_large_and_wide_tables_go_through_every_path():
    generator = np.random.default_rng(0)
    wide = generator.dirichlet(np.ones(60)).reshape(30, 2)
    many = generator.dirichlet(np.ones(2**14)).reshape((2,) * 14)
    for table in (wide, many):
        h = entropy_vector(table)
        for mask in (1, 2, 3, len(h) - 1):
            rest = tuple(i for i in range(table.ndim) if not mask >> i & 1)
            assert h[mask] == pytest.approx(entropy_of(table.sum(axis=rest)), rel=1e-13)
    assert not h.flags.writeable


def test_splitting_a_table_changes_nothing(monkeypatch):
    p = Distribution.random("A B C D", {"A": 3}, 1, exact=False).probabilities
    whole = entropy_vector(p)
    monkeypatch.setattr("imeasure.distribution.entropies._BLOCK_CELLS", 10)
    np.testing.assert_allclose(entropy_vector(p), whole, rtol=1e-14)
    assert _reduce(np.ones(1), (), np.log).tolist() == [0.0]


@pytest.mark.parametrize("denominator", [10**6, 10**12, 10**40])
def test_small_entropies_keep_their_digits(denominator):
    p = Fraction(1, denominator)
    expected = float(p) * (math.log(denominator) + 1.0 - float(p) / 2)
    counts = np.array([1, denominator - 1], dtype=object)
    assert entropy_vector_of_counts(counts, denominator)[1] == pytest.approx(expected, rel=1e-14)


def test_exact_tables_stay_exact():
    p = Distribution([["1/3", "0"], ["1/6", "0.5"]], "X Y")
    assert p.exact
    assert p.pmf[1, 1] == Fraction(1, 2)
    assert p.marginal("Y").pmf.tolist() == [Fraction(1, 2), Fraction(1, 2)]
    assert p.condition(Y=0).pmf.tolist() == [Fraction(2, 3), Fraction(1, 3)]
    assert Distribution(parse("1/4") * np.array([1, 3]), "X").pmf.tolist() == [Fraction(1, 4), Fraction(3, 4)]
    assert not Distribution([[0.25, 0.25], [0.5, 0]], "X Y").exact


def test_marginals_follow_the_order_of_the_names():
    p = Distribution.random("A B C", {"A": 2, "B": 3, "C": 4}, 0)
    for names in itertools.permutations("ABC", 2):
        q = p.marginal(names)
        gone = ({"A", "B", "C"} - set(names)).pop()
        summed = p.pmf.sum(axis="ABC".index(gone))
        assert q.names == names
        np.testing.assert_array_equal(q.pmf, summed if names == tuple(sorted(names)) else summed.T)
    np.testing.assert_array_equal(p.marginal("C A B").pmf, p.pmf.transpose(2, 0, 1))


def test_conditioning_averages_to_the_conditional_entropy():
    p = Distribution.random("X Y Z", 3, 5)
    weights = p.marginal("Z").probabilities
    average = sum(w * p.condition(Z=z).value("I[X;Y]") for z, w in enumerate(weights))
    assert average == pytest.approx(p.value("I[X;Y|Z]"), abs=1e-13)
    assert p.condition({"Z": 1}, X=0).names == ("Y",)


@pytest.mark.parametrize(
    ("name", "expression", "expected"),
    [
        ("xor", "I[X;Y]", 0),
        ("xor", "I[X;Y|Z]", LN2),
        ("xor", "I[X;Y;Z]", -LN2),
        ("giant-bit", "I[X;Y;Z]", LN2),
        ("copy", "I[X,Y;Z]", 2 * LN2),
        ("copy", "H[Z|X,Y]", 0),
        ("independent", "I[X,Y;Z] + I[X;Y]", 0),
        ("noiseless", "I[X;Z]", LN2),
        ("noiseless", "H[Y|Z]", 0),
        ("and", "H[Z]", 2 * LN2 - 0.75 * math.log(3)),
        ("shifted", "I[X;Z]", math.log(10)),
    ],
)
def test_named_distributions_have_their_values(name, expression, expected):
    assert Distribution.named(name).value(expression) == pytest.approx(expected, abs=1e-14)


def test_the_four_atoms_break_ingleton():
    gap = "I[A;B] - I[A;B|C] - I[A;B|D] - I[C;D]"
    assert Distribution.named("four-atom").value(gap) > 0.1
    assert set(EXAMPLES) >= {"xor", "copy", "giant-bit", "four-atom", "shifted"}


def test_values_take_parameters_constants_and_sympy():
    p = Distribution.named("xor")
    assert p.value("beta*H[X] + 1/2", beta=3) == pytest.approx(3 * LN2 + 0.5)
    assert p.value(parse("H[X] - H[Y]")) == 0
    with pytest.raises(UnknownVariableError, match="beta has no value; give it as beta="):
        p.value("beta*H[X]")
    with pytest.raises(UnknownVariableError, match="has no parameter gamma"):
        p.value("H[X]", gamma=1)
    with pytest.raises(UnknownVariableError, match="unknown variable 'W'"):
        p.value("H[W]")
    with pytest.raises(NonlinearError):
        p.value(parse("H[X]") * parse("H[Y]"))


def test_cross_entropy_and_divergence_against_a_second_distribution():
    p = Distribution.random("Y Z", 3, 1)
    q = Distribution.random("Z Y", 3, 2, denominator=50)
    kl = sum(
        float(p.pmf[y, z]) * math.log(float(p.pmf[y, z] / p.pmf[:, z].sum()) / float(q.pmf[z, y] / q.pmf[z].sum()))
        for y in range(3)
        for z in range(3)
        if p.pmf[y, z] > 0
    )
    assert p.value("KL[Y|Z]", against=q) == pytest.approx(kl, rel=1e-12)
    assert p.value("CE[Y|Z]", against=q) == pytest.approx(kl + p.value("H[Y|Z]"), rel=1e-12)
    assert p.value("KL[Y|Z]", against=p) == pytest.approx(0.0, abs=1e-15)
    never = Distribution([[1, 0], [0, 0]], "X Y")
    assert Distribution.read({(0, 0): "1/2", (1, 0): "1/2"}, "X Y").marginal("X").value(
        "KL[X]", against=never.marginal("X")
    ) == float("inf")
    with pytest.raises(UndefinedQuantityError, match="against=q"):
        p.value("KL[Y|Z]")
    with pytest.raises(UndefinedQuantityError, match=r"CE\[Y\|Z\] compares two"):
        p.value("CE[Y|Z]")
    with pytest.raises(ConfigError, match="not ndarray; an array q becomes one"):
        p.value("KL[Y]", against=np.full(3, 1 / 3))
    with pytest.raises(ConfigError, match="no CE or KL"):
        p.value("H[Y]", against=q)
    with pytest.raises(UnknownVariableError, match="against: unknown variable 'Z'"):
        p.value("KL[Z]", against=q.marginal("Y"))
    with pytest.raises(UndefinedQuantityError, match="is a name"):
        p.value(parse("LogVar[Y|Z]", functionals=["LogVar"]))


def test_divergence_between_tables_that_list_other_outcomes():
    p = Distribution.read({("a", 0): "1/2", ("b", 1): "1/2"}, "Y Z")
    q = Distribution.read({("c", 0): "1/4", ("b", 1): "1/4", ("a", 0): "1/4", ("a", 1): "1/4"}, "Y Z")
    assert p.value("KL[Y|Z]", against=q) == pytest.approx(LN2)
    assert q.value("KL[Y|Z]", against=p) == float("inf")
    assert p.value("KL[Y]", against=q) == pytest.approx(-math.log(2 * math.sqrt(1 / 8)))
    with pytest.raises(ModelError, match="values of Y in common; here it has 'a', 'b', in the one against 0, 1"):
        p.value("KL[Y]", against=Distribution([0.5, 0.5], "Y"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "two", "1/0", sympy.I, sympy.Symbol("b")])
def test_parameters_are_finite_real_numbers(value):
    with pytest.raises(ConfigError, match="parameter beta needs a finite real number"):
        Distribution.named("xor").value("beta*H[X]", beta=value)


def test_parameters_may_be_written_in_many_ways():
    p = Distribution.named("xor")
    for two in (2, 2.0, "2", np.float32(2), Fraction(2), sympy.Integer(2), sympy.sqrt(4)):
        assert p.value("beta*H[X]", beta=two) == pytest.approx(2 * LN2)
    assert p.value("beta*H[X]", beta=sympy.sqrt(2)) == pytest.approx(math.sqrt(2) * LN2)


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


def test_few_of_many_variables_are_taken_from_their_marginal():
    p = Distribution.random([f"X{i}" for i in range(16)], exact=False, seed=1)
    q = p.marginal("X3 X14")
    assert p.value("I[X3;X14] + 1") == pytest.approx(q.value("I[X3;X14] + 1"), abs=1e-14)
    assert "_entropies" not in p.__dict__
    assert repr(p).endswith("65536 outcomes, float>")
    assert str(p).endswith("and 65504 more")
    many = Distribution(np.ones((1,) * 30), [f"X{i}" for i in range(30)])
    assert many.value("H[X1,X7]") == 0
    with pytest.raises(ModelError, match="30 variables have 2\\^30 joint entropies"):
        many.measure()


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_exact_values_agree_with_floats(seed):
    p = Distribution.random("X -> Y -> Z", seed=seed, denominator=6)
    for expression in ("H[X,Y|Z]", "I[X;Y;Z]", "3*H[Z] - 1/2*I[X;Y|Z]"):
        assert float(p.exact_value(expression)) == pytest.approx(p.value(expression), abs=1e-12)
    assert p.exact_value("I[X;Z|Y]") == 0


def test_exact_values_are_closed_forms():
    assert str(Distribution.named("xor").exact_value("beta*H[X]")) == "beta*log(2)"
    with pytest.raises(ModelError, match="floats"):
        Distribution([0.5, 0.5], "X").exact_value("H[X]")
    with pytest.raises(UndefinedQuantityError, match="no exact value"):
        Distribution.named("xor").exact_value("KL[X]")


def test_the_measure_sums_to_every_entropy():
    p = Distribution.random("A B C D", 2, 4)
    atoms = p.measure()
    for mask in range(1, 16):
        total = sum(atoms[part] for part in range(1, 16) if part & mask)
        assert total == pytest.approx(p.entropies()[mask], abs=1e-13)
    assert atoms["I[A;B|C]"] == pytest.approx(p.value("I[A;B|C]"), abs=1e-13)
    assert len(atoms) == len(list(atoms.items())) == 15
    assert "I[A;B;C;D]" in str(atoms)
    assert "<table>" in atoms._repr_html_()
    assert repr(atoms) == "<Atoms of A, B, C, D: 15 values in nats>"


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


def test_a_distribution_is_a_value():
    p = Distribution.named("and")
    assert pickle.loads(pickle.dumps(p)) == p
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

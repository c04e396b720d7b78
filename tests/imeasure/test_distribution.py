"""Values of distributions are those of the definitions."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st

from imeasure import parse
from imeasure.distribution import EXAMPLES, Distribution
from imeasure.distribution.entropies import _reduce, entropy_vector, entropy_vector_of_counts
from imeasure.errors import ConfigError, ModelError, NonlinearError, UndefinedQuantityError, UnknownVariableError

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
    everywhere = Distribution(np.full((2, 2), 0.25), "X Y")
    with pytest.raises(UndefinedQuantityError, match="subtracts infinities"):
        everywhere.value("CE[X] - CE[Y]", against=never)
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


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), None, "two", "1/0", "1e9999999", sympy.I, sympy.Symbol("b")]
)
def test_parameters_are_finite_real_numbers(value):
    with pytest.raises(ConfigError, match="parameter beta needs a finite real number"):
        Distribution.named("xor").value("beta*H[X]", beta=value)


def test_parameters_may_be_written_in_many_ways():
    p = Distribution.named("xor")
    for two in (2, 2.0, "2", np.float32(2), Fraction(2), sympy.Integer(2), sympy.sqrt(4)):
        assert p.value("beta*H[X]", beta=two) == pytest.approx(2 * LN2)
    assert p.value("beta*H[X]", beta=sympy.sqrt(2)) == pytest.approx(math.sqrt(2) * LN2)
    assert p.value("expression*H[X] + self", expression=2, self=1) == pytest.approx(2 * LN2 + 1)


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


def test_atoms_give_the_value_of_every_expression_that_is_a_sum_of_them():
    p = Distribution.random("X Y Z", 3, 5)
    atoms = p.measure()
    for text in ("1/2 + 2*H[X|Y] - I[X;Z]", "I[X;Y;Z]", "H[X,Y,Z]", "3"):
        assert atoms[text] == pytest.approx(p.value(text), abs=1e-12)
    with pytest.raises(UndefinedQuantityError, match=r"KL\[X\] is no sum of atoms"):
        atoms["CE[X]"]
    with pytest.raises(UnknownVariableError, match="beta has no value"):
        atoms["beta*H[X]"]

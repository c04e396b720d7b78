import itertools

import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st
from strategies import expressions

from imeasure import (
    Distribution,
    Information,
    Model,
    ModelError,
    NonlinearError,
    ParseError,
    param,
    parse,
    shortest,
    simplify,
)
from imeasure.measure import entropy_form
from imeasure.terms import linear_terms

beta, gamma = param("beta"), param("gamma")
CHAIN = Model("Y -> X -> Z")


def partitions(items):
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for size in range(len(rest) + 1):
        for others in itertools.combinations(rest, size):
            left = [item for item in rest if item not in others]
            for parts in partitions(left):
                yield [(first, *others), *parts]


def all_quantities(names):
    """Indicator vectors over the atoms of every quantity: an atom lies in all groups and outside the condition."""
    atoms = [set(c) for size in range(1, len(names) + 1) for c in itertools.combinations(names, size)]
    for size in range(1, len(names) + 1):
        for used in itertools.combinations(names, size):
            others = [name for name in names if name not in used]
            for count in range(len(others) + 1):
                for condition in itertools.combinations(others, count):
                    for groups in partitions(list(used)):
                        inside = [
                            all(atom & set(group) for group in groups) and not atom & set(condition) for atom in atoms
                        ]
                        yield np.array(inside, dtype=float)


def atoms_of(expression, names):
    index = [tuple(c) for size in range(1, len(names) + 1) for c in itertools.combinations(names, size)]
    total = np.zeros(len(index))
    for quantity, coefficient in linear_terms(expression).items():
        groups = [{v.name for v in group} for group in quantity.groups]
        condition = {v.name for v in quantity.given}
        for position, atom in enumerate(index):
            if all(set(atom) & group for group in groups) and not set(atom) & condition:
                total[position] += float(coefficient)
    return total


def least_terms(target, rows, most):
    """Return the least number of rows whose span contains the target, up to a bound, by trying all sets of rows."""
    if not target.any():
        return 0
    return next((count for count in range(1, most + 1) if spans(target, rows, count)), most + 1)


def spans(target, rows, count):
    """Return whether some rows of the given number span the target: choose one, leave its direction out, go on."""
    lengths = np.einsum("ij,ij->i", rows, rows)
    rows, lengths = rows[lengths > 1e-9], lengths[lengths > 1e-9]
    rest = target - (rows @ target / lengths)[:, None] * rows
    if (np.abs(rest).max(axis=1, initial=0) < 1e-9).any():
        return True
    return count > 1 and any(
        spans(rest[i], rows[i + 1 :] - np.outer(rows[i + 1 :] @ rows[i] / lengths[i], rows[i]), count - 1)
        for i in range(len(rows) - count + 1)
    )


def overlapping(expression):
    """Return whether groups of a quantity overlap; exhaustion below is over quantities of disjoint groups."""
    return any(
        len(set().union(*quantity.groups)) < sum(map(len, quantity.groups)) for quantity in linear_terms(expression)
    )


ROWS = {count: np.array(list(all_quantities("ABCD"[:count]))) for count in (3, 4)}


@given(expressions(names=("A", "B", "C"), symbolic=False))
@settings(max_examples=40, deadline=None)
def test_three_variables_against_exhaustion(expression):
    result = shortest(expression)
    wanted = least_terms(atoms_of(expression, "ABC"), ROWS[3], 3)
    found = len(linear_terms(result.expression))
    if overlapping(expression):
        assert found <= wanted
        return
    assert found == wanted if wanted <= 3 else 4 <= found <= max(4, len(linear_terms(expression)))
    assert result.proved or found > 3


@given(expressions(names=("A", "B", "C", "D"), symbolic=False))
@settings(max_examples=15, deadline=None)
def test_four_variables_against_exhaustion(expression):
    compare_with_exhaustion(expression, 3)


@pytest.mark.slow
@given(expressions(names=("A", "B", "C", "D"), symbolic=False))
@settings(max_examples=6, deadline=None)
def test_four_variables_and_four_terms_against_exhaustion(expression):
    compare_with_exhaustion(expression, 4)


def compare_with_exhaustion(expression, most):
    result = shortest(expression)
    wanted = least_terms(atoms_of(expression, "ABCD"), ROWS[4], most)
    found = len(linear_terms(result.expression))
    if overlapping(expression):
        assert found <= wanted or wanted > most
        return
    assert found == wanted if wanted <= most else found > most
    assert result.proved or found > 3


def test_exhaustion_finds_sums_of_known_length():
    generator = np.random.default_rng(0)
    for count in (1, 2, 3):
        chosen = generator.choice(len(ROWS[4]), count, replace=False)
        assert least_terms(generator.integers(1, 5, count) @ ROWS[4][chosen], ROWS[4], 3) <= count
    assert least_terms(generator.normal(size=15), ROWS[4], 2) == 3


@given(expressions())
@settings(max_examples=40, deadline=None)
def test_symbolic_expressions_stay_equal_and_do_not_grow(expression):
    result = simplify(expression)
    assert Model().reduce(result - expression) == 0
    assert len(linear_terms(result)) <= max(1, len(linear_terms(sympy.expand(expression))))
    distribution = Distribution.random(("W", "X", "Y", "Z"), alphabet=2, seed=1)
    values = {beta: sympy.Rational(5, 2), gamma: sympy.Rational(1, 3)}
    left, right = (distribution.value(sympy.sympify(e).subs(values)) for e in (expression, result))
    assert left == pytest.approx(right, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "model", "wanted"),
    [
        ("H[X] + H[Y] - H[X,Y]", None, "I[X;Y]"),
        ("H[Z] - I[Y;Z] - H[Z|X]", CHAIN, "I[X;Z|Y]"),
        ("H[X] - H[X]", None, "0"),
        ("I[X;Z] - I[X;Z|Y]", None, "I[X;Y;Z]"),
        ("I[X;Z] - I[X;Z|Y]", CHAIN, "I[Y;Z]"),
        ("H[Y|Z] + KL[Y|Z]", None, "CE[Y|Z]"),
        ("CE[Y|Z] - H[Y|Z]", None, "KL[Y|Z]"),
        ("H[X] + 2 - H[X|Y]", None, "I[X;Y] + 2"),
        ("beta*H[X] - beta*H[X|Y]", None, "beta*I[X;Y]"),
        ("beta*H[X,Y] - beta*H[X] + gamma*H[X,Y] - gamma*H[Y]", None, "beta*H[Y|X] + gamma*H[X|Y]"),
        ("sqrt2*I[X;Y] + H[X|Y]*sqrt2", None, "sqrt2*H[X]"),
        ("H[Z|X]", Model("X -> Z", assume=["H[Z|X] = 0"]), "0"),
        ("H[X,Y] - H[X]", Model(assume=["X _||_ Y"]), "H[Y]"),
    ],
)
def test_examples(text, model, wanted):
    result = shortest(text, model=model)
    assert result.expression == parse(wanted)
    assert result.proved


def total_correlation(names):
    return " + ".join(f"H[{name}]" for name in names) + f" - H[{','.join(names)}]"


def dual_total_correlation(names):
    rests = [f"H[{name}|{','.join(n for n in names if n != name)}]" for name in names]
    return f"H[{','.join(names)}] - " + " - ".join(rests)


@pytest.mark.parametrize("build", [total_correlation, dual_total_correlation])
@pytest.mark.parametrize("names", ["ABC", "ABCD", "ABCDE", "ABCDEF"])
def test_total_correlation_is_a_chain(build, names):
    text = build(names)
    result = shortest(text)
    terms = linear_terms(result.expression)
    assert len(terms) == len(names) - 1
    assert all(len(quantity.groups) == 2 for quantity in terms)
    assert result.proved == (len(names) <= 4)
    assert Model().reduce(result.expression - parse(text)) == 0


def test_graphs_shorten():
    chain = Model("A -> B -> C -> D -> E")
    text = "H[A,B,C,D,E] - H[A] - H[B|A] - H[C|B] - H[D|C]"
    assert simplify(text, model=chain) == parse("H[E|D]")
    assert simplify("I[A;E] - I[A;E|C] - I[A;E;C]", model=chain) == 0


def test_the_result_does_not_depend_on_spelling():
    texts = ["H[A] + H[B] + H[C] - H[A,B,C]", "I[A;B] + I[A,B;C]", "-H[A,B,C] + H[C] + H[A,B] + I[A;B]"]
    assert len({shortest(text).expression for text in texts}) == 1


@pytest.mark.parametrize("text", ["H[X] = H[Y]", "X -> Y -> Z"])
def test_statements_are_refused(text):
    with pytest.raises(NonlinearError, match="expected an objective or an expression"):
        simplify(text)
    with pytest.raises(NonlinearError):
        shortest(text)


def test_an_expression_has_no_loss():
    with pytest.raises(NonlinearError, match="write 'min H"):
        simplify("H[X]", loss="H[Y|Z]")


@given(st.lists(st.tuples(st.integers(1, 31), st.integers(0, 31), st.integers(-3, 3)), min_size=1, max_size=5))
@settings(max_examples=15, deadline=None)
def test_five_variables_never_grow(parts):
    names = "ABCDE"

    def group(mask):
        return ",".join(name for i, name in enumerate(names) if mask >> i & 1)

    pieces = [f"{c}*H[{group(m)}{'|' + group(g & ~m) if g & ~m else ''}]" for m, g, c in parts]
    expression = parse(" + ".join(pieces))
    result = shortest(expression).expression
    assert len(linear_terms(result)) <= len(linear_terms(expression))


def test_coefficients_may_be_of_any_size():
    assert shortest("1e400*H[X] - 1e400*H[X|Y]").expression == 10**400 * parse("I[X;Y]")
    expression = parse("1e400*H[X] - H[X|Y] + H[Z]")
    found = shortest(expression)
    assert entropy_form(found.expression - expression).is_zero()


def test_more_variables_than_can_be_searched_are_refused():
    with pytest.raises(ModelError, match="among up to 8 variables, and 30 are involved here"):
        simplify(f"H[{','.join(f'A{i}' for i in range(30))}]")
    with pytest.raises(ParseError, match="more than 12 groups"):
        Information([[f"A{i}"] for i in range(13)])

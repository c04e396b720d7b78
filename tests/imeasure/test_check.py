"""Verdicts: the right answers, the peers' known wrong ones, and agreement with independent references."""

import json
import os
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st

from imeasure import (
    Model,
    ModelError,
    NonlinearError,
    ParseError,
    UndefinedQuantityError,
    UnknownVariableError,
    check,
    valid_range,
)
from imeasure.certificate.problem import read_problem
from imeasure.certificate.rows import Names, information, row_text
from imeasure.prove.limits import Limits
from imeasure.shannon import elementals
from imeasure.statements import Relation


def assert_sound(verdict):
    if verdict.status == "proved":
        assert verdict.certificate.verify()
    if verdict.status == "refuted":
        assert_breaks(verdict)


def assert_breaks(verdict):
    """The table itself, evaluated by the distribution's own code, obeys the facts and breaks the claim."""
    table, problem = verdict.counterexample, verdict.problem
    entropies = table.entropies()
    place = {problem.names.index[name]: 1 << i for i, name in enumerate(table.names) if name in problem.names.index}

    def value(row):
        masks = {m: sum(own for bit, own in place.items() if m & bit) for m in row if m}
        return sum(float(c) * (entropies[masks[m]] if m else 1.0) for m, c in row.items())

    for fact in problem.facts:
        assert value(fact.row) > -1e-12
        if fact.equality:
            assert abs(value(fact.row)) < 1e-12
    slacks = [(link.operator, value(link.row)) for link in problem.links if link.row is not None]
    bad = [
        (op == "<=" and slack > 1e-9) or (op == ">=" and slack < -1e-9) or (op == "=" and abs(slack) > 1e-9)
        for op, slack in slacks
    ]
    assert any(bad) or (not slacks and verdict.refutation.parameters)


TRUE = [
    ("H[X|Y] = H[X|Y,Z] + I[X;Z|Y]", None, ()),
    ("I[X;Z|Y] <= H[Z|Y] <= H[Z]", None, ()),
    ("I[X;Z] <= I[X;Y]", None, ["X -> Y -> Z"]),
    ("I[X;Y] = I[X;Y|Z] + I[Y;Z]", "Y -> X -> Z", ()),
    ("H[Y] = 0", None, ["I[X;Y] = 0", "H[Y|X] = 0"]),
    ("H[X,Y] <= 5", None, ["H[X] <= 2", "H[Y] <= 3"]),
    ("H[X|X] = 0", None, ()),
    ("1 >= 0", None, ()),
    ("0 = 0", None, ()),
    ("H[X] >= 0", None, ()),
    ("I[X;Y|Z] <= I[X;Y]", None, ["H[Z] = 0"]),
    ("X -> Y -> Z", "X -> Y -> Z", ()),
    ("Z _||_ X | Y", "X -> Y -> Z", ()),
    ("H[X] >= 3/2*H[Y]", None, ["2*H[X] >= 3*H[Y]"]),
    ("I[X1;X4] <= I[X2;X3]", "X1 -> X2 -> X3 -> X4", ()),
    ("I[A;B] <= I[A;B|C] + I[A;B|D] + I[C;D]", None, ["I[A;C|D] = 0", "I[A;D|C] = 0"]),
    ("H[Y|Z] <= CE[Y|Z]", None, ()),
    ("CE[Y|X] <= CE[Y|Z]", "Y -> X -> Z", ()),
    ("CE[Y|Z] = H[Y|Z] + KL[Y|Z]", None, ()),
]


@pytest.mark.parametrize(("claim", "model", "facts"), TRUE, ids=[case[0] for case in TRUE])
def test_true_statements_are_proved(claim, model, facts):
    verdict = check(claim, model=model, given=facts)
    assert verdict.status == "proved"
    assert verdict
    assert_sound(verdict)


FALSE = [
    ("H[X|Y] = H[X|Y,Z] + I[X;Z]", "Y -> X -> Z", ()),
    ("I[X;Y] = I[X;Y|Z] + I[Y;Z]", None, ()),
    ("I[X;Y;Z] >= 0", None, ()),
    ("H[X] <= H[Y]", None, ()),
    ("1 <= 0", None, ()),
    ("H[X] = 0", None, ["I[X;Y] = 0"]),
    ("I[X;Y,W|Z] = 0", None, ["X -> Z,W -> Y", "X -> Z,Y -> W"]),
    ("H[X1] + H[X2] + H[X3] - H[X1,X2,X3] <= H[X1,X2,X3] - H[X1|X2,X3] - H[X2|X1,X3] - H[X3|X1,X2]", None, ()),
    ("I[A;B] <= I[A;B|C] + I[A;B|D] + I[C;D]", None, ()),
    ("I[X1;X12] >= I[X1;X2]", None, [" -> ".join(f"X{i}" for i in range(1, 13))]),
    ("100000000*H[X,Y,Z,W] >= 100000001*H[X,Y,Z]", None, ()),
    ("H[X,Y] <= 4", None, ["H[X] <= 2", "H[Y] <= 3"]),
    ("H[X] <= 2", None, ["H[Y] <= 2"]),
]


@pytest.mark.parametrize(("claim", "model", "facts"), FALSE, ids=[case[0] for case in FALSE])
def test_false_statements_are_refuted_by_a_distribution(claim, model, facts):
    verdict = check(claim, model=model, given=facts)
    assert verdict.status == "refuted"
    assert not verdict
    assert_sound(verdict)


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ("H[Y] >= 3", ["H[X] >= 20000"]),
        ("H[X] >= 1.99e-5", ["H[X] >= 1e-5"]),
        ("H[X] <= 19999", ["H[X] >= 20000"]),
        ("I[C;D] <= I[C;D|A] + I[C;D|B] + I[A;B]", ["I[A;B|C] = 0", "I[B;D|C] = 0"]),
    ],
)
def test_entropies_have_no_bound_and_verdicts_no_tolerance(claim, facts):
    assert check(claim, given=facts).status != "proved"


def test_shannon_does_not_settle_zhang_yeung():
    claim = "2*I(C;D) <= I(A;B) + I(A;C,D) + 3*I(C;D|A) + I(C;D|B)"
    verdict = check(claim)
    assert verdict.status == "undecided"
    assert verdict.polymatroid["H[A,B,C,D]"] > 0
    assert "polymatroid, not known to be a distribution" in str(verdict)
    with_it = check(claim, non_shannon=True)
    assert with_it.status == "proved"
    assert [step.reason for step in with_it.certificate.steps()] == ["Zhang-Yeung"]
    assert_sound(with_it)
    assert check("I[A;B] <= I[A;B|C] + I[A;B|D] + I[C;D]", non_shannon=True).status == "refuted"


def test_contradictory_facts_are_said():
    with pytest.raises(ModelError, match=r"contradict each other: H\[X\] <= 2, H\[X\] >= 3"):
        check("H[Y] <= H[X]", given=["H[X] <= 2", "H[X] >= 3"])


def test_continuous_variables_need_noise():
    def model(kind):
        return Model("Y -> X -> Z", kinds={"Z": kind})

    claim = "I[X;Z|Y] <= H[Z|Y]"
    assert check(claim, model=model("discrete")).status == "proved"
    assert check(claim, model=model("noisy")).status == "proved"
    assert check(claim, model=model("continuous")).status != "proved"
    assert check("I[Y;Z] <= I[X;Z]", model=model("continuous")).status == "proved"
    assert check("I[X;Z] <= H[X]", model=model("continuous")).status == "proved"
    with pytest.raises(UndefinedQuantityError, match="noiseless"):
        check("I[X;Z] >= 0", model=model("noiseless"))


@pytest.mark.parametrize("kind", ["continuous", "noisy", "noiseless"])
@pytest.mark.parametrize(
    "claim",
    ["I[X;X] >= 0", "I[X;X,Y] >= I[X;Y]", "I[X,Y;X,Z] >= 0", "I[X;X|Y] >= 0", "H[X|X] >= 0", "X _||_ X", "X -> Y -> X"],
)
def test_what_a_continuous_variable_tells_of_itself_is_infinite(claim, kind):
    model = Model(kinds={"X": kind})
    with pytest.raises(UndefinedQuantityError, match=r"has no finite value: X is .*discrete"):
        check(claim, model=model)
    with pytest.raises(UndefinedQuantityError, match="no finite value"):
        check("H[Y] >= 0", model=model, given=[claim])
    with pytest.raises(UndefinedQuantityError, match="no finite value"):
        valid_range("b*I[X;X|Y] >= 0", "b", model=model)


def test_repetitions_that_carry_nothing_are_allowed():
    assert check("I[X;X|X] = I[X;Y|X]", model=Model(kinds={"X": "continuous"}))
    assert check("I[Y;Y] = H[Y,Y]", model=Model(kinds={"X": "continuous"}))


@pytest.mark.parametrize(
    ("claim", "facts", "status"),
    [
        ("H[X] >= 1", ["H[X] >= 1e400"], "proved"),
        ("H[X] <= 1e400", ["H[X] <= 1e399"], "proved"),
        ("1e400*H[X|Y] <= 1e400*H[X]", [], "proved"),
        ("H[X,Y] <= 2e400", ["H[X] <= 1e400", "H[Y] <= 1e400"], "proved"),
        ("H[X] <= H[Y]", ["1e400*H[X] <= 1e400*H[Y]"], "proved"),
        ("1e-400*H[X] <= H[Y]", [], "refuted"),
        ("H[X] >= 1e400", [], "undecided"),
        ("1e400*H[X] <= H[Y]", [], "undecided"),
        ("H[X] <= 1e308*H[Y] + 1e308", [], "undecided"),
        ("b*H[X] <= 1e400", [], "undecided"),
    ],
)
def test_numbers_beyond_floats_get_a_verdict(claim, facts, status):
    verdict = check(claim, given=facts)
    assert verdict.status == status
    assert status != "proved" or verdict.certificate.verify()
    assert status != "undecided" or "too large or too small" in verdict.reason
    with pytest.raises(ModelError, match="contradict"):
        check(claim, given=[*facts, "H[X,Y] <= 1e398", "H[X] >= 1e500"])


def test_declared_functionals_are_free_but_for_the_facts():
    facts = ["LogVar[Z|Y] >= H[Z|Y]"]
    assert check("LogVar[Z|Y] >= I[X;Z|Y]", given=facts, functionals=["LogVar"])
    assert not check("LogVar[Z|Y] >= 0", functionals=["LogVar"])
    assert not check("LogVar[Z|Y] <= LogVar[Z]", given=facts, functionals=["LogVar"])
    assert check("LogVar[Z|Y] >= 0", model=Model(assume=facts, functionals=["LogVar"]))
    assert not check("CE[Y|X] <= CE[Y|Z]")
    assert not check("CE[Y|Z] <= CE[Y|X]", model="Y -> X -> Z")


def test_parameters_are_proved_over_their_range():
    def over(claim, *ends):
        return check(claim, model=Model("Y -> X -> Z", ranges={"beta": ends}))

    bottleneck = "I[X;Z] - beta*I[Y;Z] >= 0"
    assert over(bottleneck, 0, 1)
    wrong = over(bottleneck, 0, 2)
    assert wrong.status == "refuted"
    assert 1 < wrong.refutation.parameters["beta"] < 2
    assert over("H[Y|Z] + I[X;Z|Y]/(beta - 1) >= 0", 1, sympy.oo)
    assert over("H[Y|Z] + I[X;Z|Y]/(beta - 1) >= 0", 0, 1).status == "refuted"
    assert check("b*H[T,Y] = b*H[Y] + b*H[T|Y]")
    assert check("a*b*H[X] >= 0", model=Model(ranges={"a": (0, sympy.oo), "b": (0, 1)}))
    assert check("a^2*H[X] >= 0")
    undecided = check("a^2*H[X] + H[X] >= 2*a*H[X]")
    assert undecided.status == "undecided"
    assert "sufficient condition" in undecided.reason
    with pytest.raises(NonlinearError, match="no fixed sign"):
        check("H[X]/(beta - 1) >= 0")


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ParseError, lambda: check("H[X")),
        (ParseError, lambda: check("H[X]")),
        (ParseError, lambda: check("min H[X]")),
        (ParseError, lambda: check(3)),
        (ModelError, lambda: check("H[X] >= 0", given=["H[X]"])),
        (NonlinearError, lambda: check("H[X] >= 0", given=["a*H[X] >= 0"])),
        (UnknownVariableError, lambda: check("H[W] >= 0", model="X -> Y")),
    ],
)
def test_bad_input_is_refused(error, call):
    with pytest.raises(error):
        call()


def test_limits_give_a_reason_instead_of_a_hang():
    claim = "I[A;B] <= I[A;B|C] + I[A;B|D] + I[C;D]"
    facts = ["I[A;C|D] = 0", "I[A;D|C] = 0", "H[E] = H[A]"]
    small = check(claim, given=facts, max_sets=3, numerical=False)
    assert small.status == "undecided"
    assert "3 joint entropies" in small.reason
    assert "time limit" in check(claim, given=facts, seconds=0.0).reason
    assert check(claim, given=facts).status == "proved"
    assert Limits(seconds=5).left > 0


def test_objects_and_texts_are_the_same():
    from imeasure import parse

    by_text = check("I[X;Z] <= I[X;Y]", given=["X -> Y -> Z"])
    by_object = check(parse("I[X;Z] <= I[X;Y]"), given=[parse("X -> Y -> Z")])
    assert by_text.certificate.parts == by_object.certificate.parts


def elemental_relation(rows, weights, extra=None):
    total = {}
    for row, weight in zip(rows, weights, strict=True):
        for mask, value in row.items():
            total[mask] = total.get(mask, 0) + weight * value
    for mask, value in (extra or {}).items():
        total[mask] = total.get(mask, 0) + value
    return {mask: value for mask, value in total.items() if value}


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.data())
def test_sums_of_elementals_are_proved(count, data):
    rows = [e.entropies() for e in elementals(count)]
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))), min_size=1, max_size=6))
    weights = [data.draw(st.fractions(Fraction(1, 7), 5, max_denominator=12)) for _ in chosen]
    row = elemental_relation([rows[i] for i in chosen], weights)
    verdict = check(f"{row_text(row, Names('ABCDE'[:count]))} >= 0")
    assert verdict.status == "proved"
    assert_sound(verdict)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(0, 10**6))
def test_perturbed_relations_agree_with_the_full_linear_program(count, seed):
    linprog = pytest.importorskip("scipy.optimize").linprog
    generator = np.random.default_rng(seed)
    rows = [e.entropies() for e in elementals(count)]
    chosen = generator.choice(len(rows), 4)
    extra = {int(m): int(generator.integers(-1, 2)) for m in generator.integers(1, 1 << count, 2)}
    row = elemental_relation([rows[i] for i in chosen], generator.integers(1, 4, 4).tolist(), extra)
    matrix = np.zeros((len(rows), 1 << count))
    for i, elemental in enumerate(rows):
        for mask, value in elemental.items():
            matrix[i, mask] = value
    target = np.zeros(1 << count)
    for mask, value in row.items():
        target[mask] = value
    # Farkas: the relation holds on all polymatroids if and only if it is a non-negative sum of elementals.
    reference = linprog(np.zeros(len(rows)), A_eq=matrix.T, b_eq=target, bounds=(0, None)).status == 0
    verdict = check(f"{row_text(row, Names('ABCD'[:count]))} >= 0")
    assert (verdict.status == "proved") == reference
    assert_sound(verdict)


def test_renaming_renames_the_certificate():
    claim, fact = "I[X;Z|W] + I[X;Y] >= I[X;Z]", "X -> Y -> Z"
    renamed = str.maketrans({"X": "P", "Y": "D", "Z": "Q", "W": "A"})
    one = check(claim, given=[fact])
    two = check(claim.translate(renamed), given=[fact.translate(renamed)])
    assert one.status == two.status
    if one:
        assert one.certificate.parts == two.certificate.parts


def test_the_same_input_gives_the_same_answer():
    claim = "I[a;b|c] + I[a;b|d] + I[c;d] - I[a;b] + I[e;b|c] + I[e;c|b] + I[b;c|e] + 3*I[e;a,d|b,c] >= 0"
    first = check(claim)
    check("H[X,Y,Z,W,V] <= H[X] + H[Y] + H[Z,W,V]")
    assert check(claim).certificate.parts == first.certificate.parts


def chain(count):
    return " -> ".join(f"X{i}" for i in range(1, count + 1))


def joint(names):
    return f"H[{','.join(names)}]"


NAMES = [f"X{i}" for i in range(1, 13)]


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ("I[X1;X20] <= I[X1;X2]", [chain(20)]),
        ("I[X1;X20] <= I[X10;X11]", [chain(20)]),
        ("H[X16] <= H[X1]", [f"H[X{i + 1}|X{i}] = 0" for i in range(1, 16)]),
        (f"{joint(NAMES)} <= {' + '.join(joint([x]) for x in NAMES)}", []),
        (f"{' + '.join(joint([y for y in NAMES if y != x]) for x in NAMES)} >= 11*{joint(NAMES)}", []),
        (f"2*{joint(NAMES)} <= {' + '.join(joint([NAMES[i], NAMES[(i + 1) % 12]]) for i in range(12))}", []),
        (f"11*({'+'.join(joint([x]) for x in NAMES)}) >= {'+'.join(joint(p) for p in combinations(NAMES, 2))}", []),
    ],
    ids=["chain", "nested", "functions", "subadditivity", "Han", "Shearer", "Han pairs"],
)
def test_structure_keeps_many_variables_small(claim, facts):
    verdict = check(claim, given=facts, seconds=30)
    assert verdict.status == "proved"
    assert_sound(verdict)


def test_hidden_markov_chain_of_16_variables():
    graph = "; ".join(["X1 -> " + " -> ".join(f"X{i}" for i in range(2, 9)), *(f"X{i} -> Y{i}" for i in range(1, 9))])
    for claim, status in (
        ("I[Y1;Y8] <= I[X1;X8]", "proved"),
        ("I[Y1;Y8|X8] = 0", "proved"),
        ("I[Y1;Y8|Y2] = 0", "refuted"),
    ):
        verdict = check(claim, model=graph, seconds=30)
        assert verdict.status == status
        if status == "proved":
            assert_sound(verdict)


def cases():
    folder = os.environ.get("IMEASURE_CASES")
    if not folder:
        return []
    return json.loads((Path(folder) / "statements.json").read_text())


@pytest.mark.skipif(not os.environ.get("IMEASURE_CASES"), reason="IMEASURE_CASES is not set")
def test_public_statements():
    wrong = []
    for case in cases():
        verdict = check(case["claim"], given=case["constraints"])
        if (verdict.status == "proved") != (case["verdict"] == "true"):
            wrong.append((case["id"], verdict.status))
        if verdict or case["n"] <= 8:
            assert_sound(verdict)
    assert wrong == []


def test_problem_reads_relations_of_objects():
    problem = read_problem(Relation((sympy.S.One, sympy.S.Zero), (">=",)))
    assert problem.variables == ()
    assert information([1], 0) == {1: 1}


def test_a_divergence_that_a_counterexample_does_not_need_is_zero():
    verdict = check("H[Y|Z] + gamma*H[Z|Y] <= CE[Y|Z]")
    assert verdict.status == "refuted"
    assert verdict.refutation.left > verdict.refutation.right == 0

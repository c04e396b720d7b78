"""The right verdicts, the peers' known wrong ones, and what is refused."""

import pytest
import sympy
from soundness import assert_sound

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
from imeasure.certificate.rows import information
from imeasure.prove.limits import Limits
from imeasure.statements import Relation

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


def test_problem_reads_relations_of_objects():
    problem = read_problem(Relation((sympy.S.One, sympy.S.Zero), (">=",)))
    assert problem.variables == ()
    assert information([1], 0) == {1: 1}


def test_a_divergence_that_a_counterexample_does_not_need_is_zero():
    verdict = check("H[Y|Z] + gamma*H[Z|Y] <= CE[Y|Z]")
    assert verdict.status == "refuted"
    assert verdict.refutation.left > verdict.refutation.right == 0

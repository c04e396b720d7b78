"""Counterexamples: what they show is evaluated by the distributions' own code, and the facts hold exactly."""

import json
from fractions import Fraction
from math import exp, log

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings, strategies as st

from imeasure import Distribution, Model, check, parse, supervised
from imeasure.certificate.problem import read_problem
from imeasure.cli import main
from imeasure.prove import UniformMixture
from imeasure.prove.limits import Limits
from imeasure.prove.mechanisms import full, rooted
from imeasure.prove.numerical import Numerical
from imeasure.prove.unknowns import solve
from imeasure.shannon import elementals

INGLETON = "I[A;B] <= I[A;B|C] + I[A;B|D] + I[C;D]"
HOLD_UNDER = {  # single vanishing quantities under which Ingleton's inequality is a Shannon inequality
    *("I[A;B]", "I[A;C]", "I[A;D]", "I[B;C]", "I[B;D]", "I[A;C|D]", "I[A;D|C]", "I[B;C|D]", "I[B;D|C]"),
    *("I[A;C|B,D]", "I[A;D|B,C]", "I[B;C|A,D]", "I[B;D|A,C]", "I[C;D|A,B]"),
}


def sides(verdict, claim):
    """Both sides of a claim, valued by the counterexample, its decoders, and the values chosen for functionals."""
    relation = parse(claim, functionals=["V", "W"])
    chosen = verdict.refutation.functionals
    table = verdict.counterexample

    def value(expression):
        total = 0.0
        for term in expression.expand().as_ordered_terms():
            factor, quantity = term.as_coeff_Mul()
            text = str(quantity)
            if text.startswith(("V[", "W[")):
                total += float(factor) * chosen[text]
            elif text.startswith(("CE[", "KL[")):
                total += float(factor) * table.value(text, against=verdict.decoders[text.replace("CE", "KL")])
            else:
                total += table.value(term)
        return total

    return [value(expression) for expression in relation.expressions]


@pytest.mark.parametrize("quantity", [str(e.quantity(("A", "B", "C", "D"))) for e in elementals(4)])
def test_ingleton_under_one_vanishing_quantity(quantity):
    verdict = check(INGLETON, given=[f"{quantity} = 0"])
    assert (verdict.status == "proved") == (quantity in HOLD_UNDER)
    if verdict.status != "proved":
        table = verdict.counterexample
        assert verdict.refutation.exact
        assert table.exact_value(quantity) == 0
        assert table.value("I[A;B] - I[A;B|C] - I[A;B|D] - I[C;D]") > 1e-6


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ("2*I[C;D] <= I[A;B] + I[A;C,D] + 3*I[C;D|A] + I[C;D|B]", []),
        ("I[A;B] <= 2*I[A;B|C] + I[A;C|B] + I[B;C|A] + I[A;B|D] + I[C;D]", []),
        (INGLETON, ["I[A;B|C] = 0", "I[A;B] = 0"]),
        (INGLETON, ["I[C;D|A] = 0", "I[A;C|D] = 0"]),
        ("I[C;D] <= I[C;D|A] + I[C;D|B] + I[A;B]", ["I[A;B|C] = 0", "H[C|A,B] = 0"]),
        ("I[C;D] <= I[C;D|A] + I[C;D|B] + I[A;B]", ["I[A;B] = 0", "I[A;B|C] = 0"]),
    ],
)
def test_what_holds_for_all_distributions_is_never_refuted(claim, facts):
    assert check(claim, given=facts).status in ("proved", "undecided")


def test_descent_finds_what_no_bank_holds():
    problem = read_problem(INGLETON)
    row = {mask: -value for mask, value in problem.links[0].row.items()}
    found = next(Numerical(problem, Limits()).search(row))
    assert found.exact
    assert found.value("I[A;B] - I[A;B|C] - I[A;B|D] - I[C;D]") > 1e-6
    assert list(Numerical(problem, Limits(seconds=0)).search(row)) == []


@pytest.mark.parametrize("mechanism", [full(3, 2), rooted(3, 4, np.random.default_rng(0), [])])
def test_gradients_are_those_of_differences(mechanism):
    row = {1: 2, 3: -1, 7: Fraction(1, 2), 0: 3}
    at = mechanism.logits(np.random.default_rng(1), 2)
    values, gradients = mechanism.gradients(at, [row])
    assert np.allclose(values[:, 0], mechanism.entropies(at, row))
    for parameter in range(at.shape[1]):
        step = np.zeros_like(at)
        step[:, parameter] = 1e-6
        slope = (mechanism.entropies(at + step, row) - mechanism.entropies(at - step, row)) / 2e-6
        assert np.allclose(slope, gradients[:, 0, parameter], atol=1e-7)


def test_equations_between_numbers_are_solved():
    for claim, facts in (("H[Y] <= 1", ["H[X] = 1"]), ("H[Y] <= H[X]", ["H[X] = 1", "I[X;Y] = 1/2"])):
        verdict = check(claim, given=facts)
        assert verdict.status == "refuted"
        assert not verdict.refutation.exact
        left, right = sides(verdict, claim)
        assert left > right + 1e-4
        for fact in facts:
            left, right = sides(verdict, fact)
            assert left == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ("H[X] >= 1.99e-5", ["H[X] >= 1e-5"]),
        ("H[X] >= 2", ["H[X] >= 19/10"]),
        ("H[X] = 0", ["H[X] <= 1e-5"]),
        ("I[X;Y] <= 1e-5", ["H[X] = 2e-5", "H[Y] = 3e-5"]),
        ("I[X;Y] >= 1e-5", ["H[X] >= 1e-4", "H[X|Y] <= 99e-6"]),
        ("H[X,Y,Z] >= 3/2", ["H[X] = 1/2", "H[Y] = 4/5", "I[X;Y] = 0", "H[Z|X,Y] <= 1/10"]),
    ],
)
def test_biased_symbols_meet_constants_of_any_size(claim, facts):
    verdict = check(claim, given=facts, numerical=False)
    assert verdict.status == "refuted"
    entropies = verdict.counterexample.marginal(verdict.problem.variables).entropies()
    for fact in verdict.problem.facts:
        value = sum(float(c) * (entropies[mask] if mask else 1.0) for mask, c in fact.row.items())
        assert abs(value) < 1e-12 or (value > 0 and not fact.equality)
    found = verdict.refutation
    assert {"<=": found.left > found.right, ">=": found.left < found.right}.get(found.operator, True)
    assert abs(found.left - found.right) > 1e-6


def test_numerical_search_can_be_left_out():
    claim, facts = "I[X;Y|Z] <= I[X;Y]", ["H[Z] = 1/10"]
    assert check(claim, given=facts, numerical=False).status == "undecided"
    assert str(check(claim, given=facts)) == str(check(claim, given=facts))


CONTINUOUS = {"Z": "continuous"}


@pytest.mark.parametrize(
    ("claim", "model", "facts"),
    [
        ("I[X;Z|Y] <= H[Z|Y]", Model("Y -> X -> Z", kinds=CONTINUOUS), []),
        ("H[Z] >= 0", Model(kinds=CONTINUOUS), []),
        ("H[Z] <= 5", Model(kinds=CONTINUOUS), []),
        ("H[Z] >= -5", Model("X -> Z", kinds=CONTINUOUS), []),
        ("H[Z] >= -1/2", Model(kinds=CONTINUOUS), ["H[Z|X] >= -1", "H[X] <= 1"]),
        ("H[Z|X] <= H[W|X]", Model(kinds={"Z": "continuous", "W": "continuous"}), ["H[Z] = H[W]"]),
        ("I[X;Z] <= I[Y;Z]", Model("Y -> X -> Z", kinds=CONTINUOUS), []),
        ("H[Z|Y] >= 0", supervised("continuous", "deterministic"), []),
        ("I[X;Z|Y] <= I[Y;Z]", supervised("noisy"), []),
        ("V[Z] <= H[Z]", Model(kinds=CONTINUOUS), ["V[Z] >= H[Z]", "V[Z] <= 3"]),
        ("KL[Z|X] <= H[Z]", Model(kinds=CONTINUOUS), []),
    ],
)
def test_continuous_variables_are_refuted_by_mixtures(claim, model, facts):
    verdict = check(claim, model=model, given=facts, functionals=["V"])
    assert verdict.status == "refuted"
    assert isinstance(verdict.counterexample, UniformMixture)
    left, right = sides(verdict, claim)
    assert (left, right) == pytest.approx((verdict.refutation.left, verdict.refutation.right))
    assert left < right - 1e-9 if ">=" in claim else left > right + 1e-9
    for fact in facts:
        left, right = sides(verdict, fact)
        assert left <= right + 1e-12 if "<=" in fact else left >= right - 1e-12
        assert "=" not in fact.replace("<=", "").replace(">=", "") or left == pytest.approx(right)


def test_what_holds_with_noise_is_not_refuted():
    noisy = Model("Y -> X -> Z", kinds={"Z": "noisy"})
    assert check("I[X;Z|Y] <= H[Z|Y]", model=noisy)
    assert check("I[X;Z] <= H[X]", model=Model(kinds=CONTINUOUS))
    assert check("H[Z] <= H[X]", model=noisy).status == "refuted"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=4, max_size=4), st.floats(-3, 3))
def test_values_of_mixtures_are_those_of_their_densities(counts, width):
    table = Distribution.read(dict(zip([(0, 0), (0, 1), (1, 0), (1, 1)], counts, strict=True)), "X Z", normalize=True)
    mixture = UniformMixture(table, {"Z": width})
    total = sum(counts)
    joint = {cell: count / total for cell, count in zip([(0, 0), (0, 1), (1, 0), (1, 1)], counts, strict=True)}
    density = {z: (joint[0, z] + joint[1, z]) / exp(width) for z in (0, 1)}
    differential = -sum(d * exp(width) * log(d) for d in density.values())
    conditional = -sum(p * log(p / exp(width) / (joint[x, 0] + joint[x, 1])) for (x, _), p in joint.items())
    assert mixture.value("H[Z]") == pytest.approx(differential)
    assert mixture.value("b*H[Z|X]", b=2) == pytest.approx(2 * conditional)
    assert mixture.value("I[X;Z]") == pytest.approx(differential - conditional)
    drawn = mixture.sample(50, seed=1)
    assert drawn.shape == (50, 2)
    assert set(np.floor(drawn[:, 1] / exp(width)).tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ("V[Z|Y] <= H[Z|Y]", []),
        ("V[Z|Y] <= V[Z]", ["V[Z|Y] >= H[Z|Y]"]),
        ("W[Z] <= V[Z]", ["V[Z] >= H[Z]", "W[Z] >= 2*V[Z] - H[Z]", "H[Z] >= 1/2"]),
        ("CE[Y|Z] <= H[Y|Z]", []),
        ("CE[Y|X] <= CE[Y|Z]", []),
        ("CE[Y|Z] <= 2*H[Y|Z]", ["KL[Y|Z] <= H[Z]", "CE[Y|Z] <= 3"]),
        ("KL[X,Y|Z] <= KL[X|Z] + KL[Y|Z]", ["KL[X|Z] = 1/3"]),
        ("V[Z] = H[Z]", ["H[Z|X] = 0", "I[X;Y] = 0", "V[Z] >= I[Z;Y]"]),
    ],
)
def test_functionals_get_values_that_obey_the_facts(claim, facts):
    verdict = check(claim, given=facts, functionals=["V", "W"])
    assert verdict.status == "refuted"
    left, right = sides(verdict, claim)
    assert (left, right) == pytest.approx((verdict.refutation.left, verdict.refutation.right))
    assert left > right + 1e-9 or ("<" not in claim and left < right - 1e-9)
    for fact in facts:
        left, right = sides(verdict, fact)
        assert left <= right + 1e-12 if "<=" in fact else left >= right - 1e-12
        assert "=" not in fact.replace("<=", "").replace(">=", "") or left == pytest.approx(right)
    assert all(name in str(verdict) for name in verdict.refutation.functionals)


@pytest.mark.parametrize("claim", ["CE[Y|Z] <= CE[Y|X]", "CE[Y|Z] <= H[Y|Z]", "CE[Y|X] <= H[Y|X]"])
def test_predictions_average_their_decoders(claim):
    verdict = check(claim, model="Y -> X -> Z", given=["KL[Y|X] >= 0", "KL[Y|Z] >= 0"])
    assert verdict.status == "refuted"
    left, right = sides(verdict, claim)
    assert left > right + 1e-9
    table = verdict.counterexample
    decoder, prediction = (verdict.decoders[f"KL[Y|{name}]"] for name in "ZX")
    chances = {(x, z): float(p) for x, z, p in table.marginal("X Z").rows()}

    def conditional(joint, given, outcome):
        rows = {row[:2]: float(row[2]) for row in joint.rows()}
        return rows.get((given, outcome), 0.0) / sum(p for (value, _), p in rows.items() if value == given)

    for x in {x for x, _ in chances}:
        weight = sum(p for (value, _), p in chances.items() if value == x)
        for y in {row[1] for row in decoder.rows()}:
            mean = sum(p * conditional(decoder, z, y) for (value, z), p in chances.items() if value == x) / weight
            assert conditional(prediction, x, y) == pytest.approx(mean)


def test_parameters_and_functionals_together():
    verdict = check("b*V[Z] <= V[Z] + H[Z]", functionals=["V"])
    at, value = verdict.refutation.parameters["b"], verdict.refutation.functionals["V[Z]"]
    assert float(at) * value > value + verdict.counterexample.value("H[Z]") + 1e-9


def test_json_tells_everything(tmp_path):
    run = CliRunner().invoke
    found = json.loads(run(main, ["check", "CE[Y|Z] <= H[Y|Z]", "--json"]).output)["counterexample"]
    assert found["functionals"]["KL[Y|Z]"] == pytest.approx(log(2))
    assert found["decoders"]["KL[Y|Z]"]["names"] == ["Z", "Y"]
    found = json.loads(run(main, ["check", "H[Z|Y] >= 0", "--latent", "continuous", "--json"]).output)["counterexample"]
    assert found["log_widths"]["Z"] < 0
    assert run(main, ["check", "H[Y] <= 1", "--given", "H[X] = 1", "--no-numerical"]).exit_code == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 5))
def test_elimination_agrees_with_a_linear_program(seed, unknowns, count):
    linprog = pytest.importorskip("scipy.optimize").linprog
    generator = np.random.default_rng(seed)
    matrix = generator.integers(-2, 3, (count + 1, unknowns + 1))
    names = [f"x{i}" for i in range(unknowns)]
    rows = [{n: Fraction(int(v)) for n, v in zip([*names, ""], row, strict=True) if v} for row in matrix]
    found = solve(rows[:1], rows[1:], names, {})
    done = linprog(
        np.zeros(unknowns),
        A_ub=-matrix[1:, :-1],
        b_ub=matrix[1:, -1],
        A_eq=matrix[:1, :-1],
        b_eq=-matrix[:1, -1],
        bounds=(None, None),
    )
    assert (found is not None) == (done.status == 0)
    if found is not None:
        values = [sum(v * found.get(n, Fraction(n == "")) for n, v in row.items()) for row in rows]
        assert values[0] == 0
        assert min(values[1:]) >= 0

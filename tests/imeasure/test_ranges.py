"""Valid ranges: exact sets, certified at the ends."""

import pytest
import sympy
from click.testing import CliRunner

from imeasure import (
    Certificate,
    ConfigError,
    InformationError,
    Model,
    ModelError,
    NonlinearError,
    ParseError,
    UnknownVariableError,
    check,
    prove_range,
    valid_range,
)
from imeasure.cli import main

SECRET = ["H[S|A,B] = 0", "H[S|B,C] = 0", "H[S|C,D] = 0", "I[S;A,C] = 0", "I[S;A,D] = 0", "I[S;B,D] = 0"]
REALS = sympy.Interval(-sympy.oo, sympy.oo)


@pytest.mark.parametrize(
    ("claim", "options", "expected"),
    [
        ("I[X;Z] - beta*I[Y;Z] >= 0", {"model": "Y -> X -> Z"}, sympy.Interval(-sympy.oo, 1)),
        ("I[X;Z] - beta*I[Y;Z] >= 0", {}, sympy.Interval(-sympy.oo, 0)),
        ("beta*I[X;W|Y] <= H[X|Z]", {"given": ["X,W -> Y -> Z"]}, sympy.Interval(-sympy.oo, 1)),
        ("H[B] + H[C] >= beta*H[S]", {"given": SECRET}, sympy.Interval(-sympy.oo, 3)),
        ("beta*H[X] <= H[X,Y] <= beta*H[X] + H[Y]", {}, sympy.FiniteSet(1)),
        ("beta*H[X] = 2*H[X]", {}, sympy.FiniteSet(2)),
        ("3*beta*H[X,Y,Z] <= H[X,Y] + H[Y,Z] + H[X,Z]", {}, sympy.Interval(-sympy.oo, sympy.Rational(2, 3))),
        ("beta*H[X] <= -1", {}, sympy.EmptySet),
        ("beta*H[X] >= H[X,Y]", {}, sympy.EmptySet),
        ("beta + H[X] >= 0", {}, sympy.Interval(0, sympy.oo)),
        ("beta*H[X] = H[X]*beta", {}, REALS),
        ("beta*H[X] - beta*H[X] >= H[Y]", {}, sympy.EmptySet),
        ("H[X] >= 0*beta", {}, REALS),
    ],
)
def test_ranges_are_exact(claim, options, expected):
    proof = prove_range(claim, "beta", **options)
    assert proof.values == expected
    assert all(certificate.verify() for certificate in proof.certificates)
    assert bool(proof.certificates) == (expected != sympy.EmptySet)


def test_the_model_limits_the_range():
    model = Model("Y -> X -> Z", ranges={"beta": (0, 5)})
    for symbol in (sympy.Symbol("beta"), sympy.Symbol("beta", real=True), sympy.Symbol("beta", positive=True), "β"):
        found = valid_range("I[X;Z] - beta*I[Y;Z] >= 0", symbol, model=model)
        assert found == sympy.Interval(0, 1, left_open=True)
    beyond = Model("Y -> X -> Z", ranges={"beta": (2, 5)})
    proof = prove_range("I[X;Z] - beta*I[Y;Z] >= 0", "beta", model=beyond)
    assert (proof.values, proof.certificates) == (sympy.EmptySet, ())


def test_certificates_say_relation_parameter_and_end():
    claim = "I[X;Z] >= beta*I[Y;Z]"
    lower, upper = prove_range(claim, "beta", model="Y -> X -> Z").certificates
    assert [found.claim for found in (lower, upper)] == [claim, claim]
    assert "beta in {1}" in upper.explain()
    assert "beta in Interval(-oo, 1)" in lower.explain()
    assert Certificate.from_json(upper.to_json()).problem.model.range(sympy.Symbol("beta", real=True)) == {1}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("seconds", -1),
        ("seconds", float("nan")),
        ("seconds", "a"),
        ("seconds", None),
        ("seconds", True),
        ("given", None),
        ("given", 1),
        ("functionals", None),
        ("functionals", [1]),
        ("functionals", [""]),
        ("functionals", ["a b"]),
        ("functionals", "H"),
        ("functionals", ["CE"]),
        ("max_sets", -1),
        ("max_sets", "a"),
        ("max_sets", 1.5),
        ("non_shannon", "no"),
        ("numerical", 1),
    ],
)
def test_options_are_of_their_kinds(option, value):
    with pytest.raises(ConfigError, match=r"not |takes"):
        check("H[X] >= 0", **{option: value})
    if option in ("seconds", "given", "functionals"):
        with pytest.raises(ConfigError, match=r"not |takes"):
            valid_range("b*H[X] >= 0", "b", **{option: value})


def test_models_and_parameters_are_of_their_kinds():
    with pytest.raises(ModelError, match="a model is a Model"):
        check("H[X] >= 0", model=3)
    with pytest.raises(ConfigError, match="name or symbol"):
        valid_range("b*H[X] >= 0", 3)
    with pytest.raises(ParseError, match="expected a relation such as"):
        check(" ")
    assert check("V[X] >= 0", given="V[X] >= H[X]", functionals="V")


@pytest.mark.parametrize("claim", ["b*H[X] <= 1e400", "1e-400*b*H[X] <= H[X,Y]"])
def test_ranges_of_numbers_beyond_floats_are_not_settled(claim):
    with pytest.raises(InformationError, match="too large or too small"):
        valid_range(claim, "b")


def test_ranges_on_the_command_line(tmp_path):
    def run(*arguments):
        return CliRunner().invoke(main, list(arguments))

    claim = "b*H[X] >= 0"
    for high in ("oo", "inf", "3/2"):
        assert run("check", claim, "--range", "b", "0", high).exit_code == 0
    assert run("check", claim, "--range", "b", "-inf", "oo").exit_code == 1
    for arguments, message in (
        (["b", "0", "nan"], "'nan' is no number"),
        (["b", "0", "abc"], "'abc' is no number"),
        (["b", "H[X]", "1"], "'H[X]' is no number"),
        (["b", "2", "1"], "empty"),
        (["c", "0", "1"], "unknown parameter 'c'"),
        (["H", "0", "1"], "unknown parameter 'H'"),
    ):
        result = run("check", claim, "--range", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr
    assert run("range", claim, "b", "--range", "b", "1", "2").exit_code == 0
    path = tmp_path / "proof.json"
    empty = run("range", claim, "b", "--range", "b", "-2", "-1", "--certificate", str(path))
    assert empty.exit_code == 1
    assert "EmptySet" in empty.stdout
    assert "no certificate was written" in empty.stderr
    assert run("range", "b*H[X] - b*H[X] >= 0", "b", "--certificate", str(path)).exit_code == 0
    assert "b in Interval(-oo, oo)" in run("verify", str(path)).output


def test_certificate_files_are_tried_first(tmp_path):
    def run(*arguments):
        return CliRunner().invoke(main, list(arguments))

    (tmp_path / "file").write_text("")
    lost = str(tmp_path / "file" / "none" / "x.json")
    for command in (["check", "H[X] >= 0"], ["range", "b*H[X] >= 0", "b"]):
        result = run(*command, "--certificate", lost)
        assert result.exit_code == 2
        assert result.stderr == f"error: cannot write {lost}: {tmp_path / 'file'} is no folder\n"
        assert not result.stdout
    path = tmp_path / "proof.json"
    refuted = run("check", "H[X] <= 0", "--certificate", str(path))
    assert refuted.exit_code == 1
    assert "no certificate was written" in refuted.stderr
    assert not path.exists()
    path.write_text("[" * 100_000)
    result = run("verify", str(path))
    assert result.exit_code == 2
    assert "nested too deeply" in result.stderr


def test_what_is_not_affine_is_refused():
    for claim in ("beta^2*H[X] >= 0", "H[X]/beta >= 0", "alpha*beta*H[X] >= 0"):
        with pytest.raises(NonlinearError, match="not affine"):
            valid_range(claim, "beta")
    with pytest.raises(NonlinearError, match="give values to alpha"):
        valid_range("alpha*beta*H[X] >= 0", "beta")
    with pytest.raises(UnknownVariableError, match="did you mean 'beta'"):
        valid_range("beta*H[X] >= 0", "bet")


def test_commands(tmp_path):
    path = str(tmp_path / "proof.json")
    run = CliRunner().invoke
    done = run(main, ["check", "I[X;Z] <= I[X;Y]", "--given", "X -> Y -> Z", "--certificate", path, "--explain"])
    assert done.exit_code == 0
    assert "I[X;Y|Z] >= 0" in done.output
    assert run(main, ["verify", path]).exit_code == 0
    wrong = run(main, ["check", "H[X|Y] = H[X|Y,Z] + I[X;Z]", "--model", "Y -> X -> Z"])
    assert wrong.exit_code == 1
    assert "1/2" in wrong.output
    as_json = run(main, ["check", "H[X] <= H[Y]", "--json"])
    assert as_json.exit_code == 1
    assert '"refuted"' in as_json.output
    bounded = ["H[Y|Z] + I[X;Z|Y]/(beta - 1) >= 0", "--model", "Y -> X -> Z"]
    assert run(main, ["check", *bounded, "--range", "beta", "1", "oo"]).exit_code == 0
    assert run(main, ["check", *bounded, "--range", "beta", "0", "1"]).exit_code == 1
    assert run(main, ["check", *bounded, "--range", "beta", "?", "1"]).exit_code == 2
    supervised = ["check", "I[X;Z|Y] <= H[Z|Y]", "--latent"]
    assert [run(main, [*supervised, kind]).exit_code for kind in ("noisy", "continuous")] == [0, 1]
    assert run(main, ["check", "H[Z|X] = 0", "--encoder", "deterministic"]).exit_code == 0
    graph = ["check", "I[X;Z|Y] <= H[Z|Y]", "--model", "Y -> X -> Z", "--latent"]
    assert [run(main, [*graph, kind]).exit_code for kind in ("noisy", "continuous")] == [0, 1]
    assert "X, Y" in run(main, ["check", "H[X] >= 0", "--model", "Y -> X -> Z", "--fixed", "X,Y"]).output
    assert run(main, ["check", "H[X] >= 0", "--fixed", "X"]).exit_code == 2
    within = ["range", "I[X;Z|Y] <= b*H[Z|Y]", "b", "--latent", "noisy", "--range", "b", "0", "oo"]
    assert "Interval(1, oo)" in run(main, within).output
    bad = run(main, ["check", "H[X"])
    assert bad.exit_code == 2
    assert "never closed" in bad.stderr
    ranged = run(main, ["range", "I[X;Z] >= b*I[Y;Z]", "b", "--model", "Y -> X -> Z", "--certificate", path])
    assert ranged.exit_code == 0
    assert "Interval(-oo, 1)" in ranged.output
    assert Certificate.from_json(path).verify()
    assert run(main, ["range", "b*H[X] <= -1", "b", "--json"]).exit_code == 1
    (tmp_path / "proof.json").write_text("{}")
    assert run(main, ["verify", path]).exit_code == 2

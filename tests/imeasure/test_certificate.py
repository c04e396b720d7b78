"""Certificates: exact, checkable without a solver, and spoiled by every change."""

import json
import subprocess
import sys
from fractions import Fraction

import pytest
import sympy

from imeasure import Certificate, DerivationError, Model, check

CLAIMS = [
    ("I[X;Z] <= I[X;Y]", {"given": ["X -> Y -> Z"]}),
    ("I[X;Z|Y] <= H[Z|Y] <= H[Z]", {"model": Model("Y -> X -> Z", kinds={"Z": "noisy"})}),
    ("H[Y] = 0", {"given": ["I[X;Y] = 0", "H[Y|X] = 0"]}),
    ("H[X,Y] <= 5/2", {"given": ["H[X] <= 2", "H[Y] <= 1/2"]}),
    ("I[X1;X12] <= I[X1;X2]", {"given": [" -> ".join(f"X{i}" for i in range(1, 13))]}),
    ("I[X;Z] - beta*I[Y;Z] >= 0", {"model": Model("Y -> X -> Z", ranges={"beta": (0, 1)})}),
    ("H[Y|Z] + I[X;Z|Y]/(b - 1) >= 0", {"model": Model("Y -> X -> Z", ranges={"b": sympy.Interval(2, sympy.oo)})}),
    ("CE[Y|X] <= CE[Y|Z]", {"model": Model("Y -> X -> Z")}),
    ("LogVar[Z|Y] >= I[X;Z|Y]", {"given": ["LogVar[Z|Y] >= H[Z|Y]"], "functionals": ["LogVar"]}),
    ("2*I[C;D] <= I[A;B] + I[A;C,D] + 3*I[C;D|A] + I[C;D|B]", {"non_shannon": True}),
    ("H[D] <= H[A,B]", {"given": ["H[C|A,B] = 0", "H[D|C] = 0"]}),
]


def proved(claim, options):
    verdict = check(claim, **options)
    assert verdict.status == "proved"
    return verdict.certificate


@pytest.fixture(scope="module")
def certificates():
    return [proved(claim, options) for claim, options in CLAIMS]


def test_every_certificate_survives_json(certificates, tmp_path):
    for number, certificate in enumerate(certificates):
        path = tmp_path / f"{number}.json"
        text = certificate.to_json(path)
        for source in (text, path, str(path)):
            again = Certificate.from_json(source)
            assert again.verify()
            assert again.parts == certificate.parts
            assert again.claim == certificate.claim
            assert again.given == certificate.given


def test_json_alone_is_checked_where_no_solver_can_be_imported(certificates, tmp_path):
    for number, certificate in enumerate(certificates):
        certificate.to_json(tmp_path / f"{number}.json")
    script = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('highspy', 'scipy'):\n"
        "            raise ImportError('no solver here')\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from imeasure import Certificate\n"
        "print(all(Certificate.from_json(path).verify() for path in sys.argv[1:]))\n"
        "try:\n"
        "    import highspy\n"
        "except ImportError:\n"
        "    print('refused')\n"
    )
    paths = [str(path) for path in sorted(tmp_path.glob("*.json"))]
    assert len(paths) == len(CLAIMS)
    done = subprocess.run([sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "refused"]


def test_elemental_proofs_hold_too(certificates):
    for certificate in certificates:
        expanded = certificate.elemental()
        assert expanded.verify()
        everything = (1 << len(certificate.problem.names)) - 1
        for part in expanded.parts:
            for kind, *rest in part:
                if kind == "I":
                    assert rest[0].bit_count() == rest[1].bit_count() == 1
                if kind == "H":
                    assert rest[0] | rest[1] == everything
                    assert rest[0].bit_count() == 1


def test_every_multiplier_matters(certificates):
    for certificate in certificates:
        data = json.loads(certificate.to_json())
        for part, steps in enumerate(data["parts"]):
            for number, step in enumerate(steps):
                spoiled = json.loads(json.dumps(data))
                spoiled["parts"][part][number][0] = str(Fraction(step[0]) + Fraction(1, 1000))
                with pytest.raises(DerivationError, match="do not sum"):
                    Certificate.from_json(json.dumps(spoiled)).verify()
                del spoiled["parts"][part][number]
                with pytest.raises(DerivationError, match="do not sum"):
                    Certificate.from_json(json.dumps(spoiled)).verify()


def spoiled(change, claim="I[X;Z] <= I[X;Y]", **options):
    data = json.loads(proved(claim, options or {"given": ["X -> Y -> Z"]}).to_json())
    change(data)
    return json.dumps(data)


def entry(multiplier, *step):
    return lambda data: data["parts"][0].append([multiplier, *step])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(claim="I[X;Z] <= I[Y;Z]"), "do not sum"),
        (lambda data: data.update(given=[]), "fact that was not given"),
        (lambda data: data.update(given=["X -> Z -> Y"]), "do not sum"),
        (lambda data: data.update(parts=[]), "numbers of parts: 1 and 0"),
        (lambda data: data.update(format="something"), "not a certificate"),
        (lambda data: data.pop("claim"), "damaged"),
        (lambda data: data.update(claim="I[X;"), "cannot be read"),
        (entry("-1", "I", ["X"], ["Y"], []), "negative multiple"),
        (entry("1", "fact", 7), "not given"),
        (entry("1", "fact", "0"), "unknown step"),
        (entry("1", "magic", ["X"]), "unknown step"),
        (entry("x", "H", ["X"], []), "damaged"),
        (entry("1", "H", ["Q"], []), "damaged"),
        (entry("1", "KL", "LogVar[X]"), "not a divergence"),
        (entry("1", "Jensen", ["X"], ["Y"], ["Z"], "KL[X|Y]", "KL[X|Z]"), "does not justify"),
        (entry("1e99999999", "H", ["X"], []), "multiplier has to be a text"),
        (entry("9" * 5000, "H", ["X"], []), "more than 4000 characters"),
        (entry("1/0", "H", ["X"], []), "multiplier has to be a text"),
        (entry("\uff11", "H", ["X"], []), "multiplier has to be a text"),
        (entry(" 1", "H", ["X"], []), "multiplier has to be a text"),
        (entry(True, "H", ["X"], []), "multiplier has to be a text"),
        (entry(1.0, "H", ["X"], []), "multiplier has to be a text"),
        (entry("1", "H", "X", []), "a group of variables has to be a list"),
        (entry("1", "H", [1], []), "a variable has to be a text"),
        (entry("1", "H", [["X"]], []), "a variable has to be a text"),
        (entry("1", ["H"], ["X"], []), "unknown step"),
        (entry("1", "fact", False), "number of one"),
        (entry("1", "KL", 3), "a functional has to be a text"),
        (entry("1"), "a line of a part"),
        (lambda data: data.update(parts={}), "'parts' has to be a list"),
        (lambda data: data.update(parts=["x"]), "a part has to be a list"),
        (lambda data: data.update(given="X -> Y -> Z"), "'given' has to be a list"),
        (lambda data: data.update(given=[1]), "an entry of 'given' has to be a text"),
        (lambda data: data.update(functionals="ab"), "'functionals' has to be a list"),
        (lambda data: data.update(claim=3), "'claim' has to be a text"),
        (lambda data: data.pop("claim"), "lacks the entry 'claim'"),
        (lambda data: data.update(note=""), "unknown entry 'note'"),
        (lambda data: data.update(model="X -> Y"), "the model has to be an object"),
    ],
)
def test_corrupted_certificates_fail(change, message):
    with pytest.raises(DerivationError, match=message):
        Certificate.from_json(spoiled(change)).verify()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nodes": "XY"}, "'nodes' has to be a list"),
        ({"edges": [["X"]]}, "an edge is a list of two names"),
        ({"edges": ["XY"]}, "an edge is a list of two names"),
        ({"kinds": []}, "'kinds' has to be an object"),
        ({"kinds": {"X": "odd"}}, "cannot be read"),
        ({"ranges": {"b": [{"interval": ["0", "1"]}]}}, "two ends"),
        ({"ranges": {"b": [{"interval": ["0", "c", True, True]}]}}, "rational number"),
        ({"ranges": {"b": [{"points": [1]}]}}, "has to be a text"),
        ({"ranges": {"b": [{}]}}, "lacks the entry 'interval'"),
        ({"note": ""}, "unknown entry 'note'"),
    ],
)
def test_corrupted_models_fail(change, message):
    text = spoiled(lambda data: data["model"].update(change), "I[X;Z] <= I[X;Y]", model=Model("X -> Y -> Z"))
    with pytest.raises(DerivationError, match=message):
        Certificate.from_json(text)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "the text is empty"),
        (" \n", "the text is empty"),
        ("[]", "expected an object"),
        ("null", "expected an object"),
        ('"text"', "expected an object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' * 100_000, "nested too deeply"),
        ('{"format": "a", "format": "b"}', "'format' is there twice"),
        ('{"format": NaN}', "NaN is no number"),
        (b"{}", "not bytes"),
        (None, "not NoneType"),
        ("a\0b", "cannot read"),
    ],
)
def test_what_is_no_certificate_is_said(source, message):
    with pytest.raises(DerivationError, match=message):
        Certificate.from_json(source)


def test_entropies_of_continuous_variables_are_no_step():
    model = Model("Y -> X -> Z", kinds={"Z": "noisy"})
    text = spoiled(lambda data: data["model"]["kinds"].update(Z="continuous"), "I[X;Z|Y] <= H[Z|Y]", model=model)
    with pytest.raises(DerivationError, match="continuous"):
        Certificate.from_json(text).verify()


def test_what_is_no_file_and_no_text_is_refused(tmp_path):
    for source in ("{", "[1]", tmp_path / "missing.json", "missing.json"):
        with pytest.raises(DerivationError):
            Certificate.from_json(source)
    with pytest.raises(DerivationError, match="unknown style"):
        proved(*CLAIMS[0]).explain("html")


def test_explanations_name_each_step(certificates):
    text = certificates[0].explain()
    assert "I[X;Y|Z] >= 0" in text
    assert "I[X;Z|Y] = 0" in text
    assert "X -> Y -> Z" in text
    latex = certificates[0].explain("latex")
    assert r"\mathrm{I}[X;Y \mid Z] \geq 0" in latex
    assert str(certificates[0]) == text
    for certificate in certificates:
        assert len(certificate.explain().splitlines()) >= len(list(certificate.steps()))
        assert certificate.explain("latex").count("{") == certificate.explain("latex").count("}")
    assert {step.reason for c in certificates for step in c.steps()} == {
        "Shannon",
        "fact",
        "divergence",
        "Jensen",
        "Zhang-Yeung",
        "constant",
    } - {"divergence", "constant"}


@pytest.mark.parametrize(
    ("claim", "step"),
    [
        ("H[Z] >= 0", ["I", ["Z"], ["Z"], []]),
        ("H[Z] + I[X;Z|W] >= 0", ["I", ["X", "Z"], ["Z"], ["W"]]),
        ("I[A;B] + I[A;Z] + 3*H[Z|A] + H[Z|B] >= 2*H[Z]", ["ZY", ["A"], ["B"], ["Z"], ["Z"], []]),
    ],
)
def test_a_continuous_variable_is_not_compared_with_itself(claim, step):
    data = {
        "format": "imeasure certificate 1",
        "claim": claim,
        "given": [],
        "functionals": [],
        "parts": [[["1", *step]]],
    }
    kinds = {
        "nodes": [],
        "edges": [],
        "fixed": [],
        "assume": [],
        "kinds": {"Z": "continuous"},
        "functionals": [],
        "ranges": {},
    }
    with pytest.raises(DerivationError, match="with itself"):
        Certificate.from_json(json.dumps({**data, "model": kinds})).verify()


def test_declared_functionals_are_set_in_latex():
    verdict = check("V[Z] >= H[Z]", given=["V[Z] >= 2*H[Z]"], functionals=["V"])
    assert "text{V" not in verdict.certificate.explain("latex")

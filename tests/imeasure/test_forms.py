"""Canonical forms and their derivations verify themselves: what was tampered with does not, and both read well."""

from dataclasses import replace

import pytest
import sympy

from imeasure import CanonicalForm, DerivationError, Model, param, parse, simplify, supervised
from imeasure.signs import positive

beta = param("beta")


def tampered(form):
    steps = form.derivation.steps
    yield "step", [replace(steps[0], after=steps[0].after + parse("I[X;Z]")), *steps[1:]]
    yield "dropped variable", [*steps[:-2], replace(steps[-2], after=steps[-2].after - parse("H[Z]")), steps[-1]]
    yield "missing step", [*steps[:1], *steps[2:]]
    yield "wrong factor", [*steps[:-1], replace(steps[-1], factor=steps[-1].factor + 1)]
    yield "unknown kind", [replace(steps[0], kind="magic"), *steps[1:]]
    yield "wrong fact", [replace(steps[0], used=steps[0].used.replace("by I[Y;Z|X] = 0", "by H[Z|X] = 0")), *steps[1:]]
    yield "wrong identity", [steps[0], replace(steps[1], used="I[Y;Z] = H[Y] + H[Y|Z]"), *steps[2:]]
    yield "no identity", [steps[0], replace(steps[1], used="of [course"), *steps[2:]]
    yield "wrong rule", [steps[0], replace(steps[1], rule="positive factor"), *steps[2:]]
    yield "wrong constant", [*steps[:-2], replace(steps[-2], used="H[Y]"), steps[-1]]
    yield "wrong note", [*steps[:-1], replace(steps[-1], used="divide by 2")]
    yield "negated", [replace(steps[0], kind="negate"), *steps[1:]]


def test_verify_fails_on_a_tampered_derivation():
    form = simplify("min I[X;Z] - beta*I[Y;Z]")
    for _, steps in tampered(form):
        with pytest.raises(DerivationError):
            replace(form.derivation, steps=tuple(steps)).verify()
        with pytest.raises(DerivationError):
            replace(form, derivation=replace(form.derivation, steps=tuple(steps))).verify()


@pytest.mark.parametrize(
    "change",
    [
        {"weight": beta},
        {"scale": -(beta - 1)},
        {"scale": sympy.S.Zero},
        {"constant": parse("H[Z]")},
        {"regularizer": parse("I[X;Z]")},
        {"conditions": positive([beta], Model())},
        {"loss": parse("H[Y]")},
        {"model": Model(fixed=("X", "Y"))},
    ],
)
def test_verify_fails_on_a_tampered_form(change):
    form = simplify("min I[X;Z] - beta*I[Y;Z]")
    with pytest.raises(DerivationError):
        replace(form, **change).verify()


def test_derivation_reads_like_the_paper():
    assert str(simplify("min I[X;Z] - beta*I[Y;Z]").derivation).splitlines() == [
        "   I[X;Z] - beta*I[Y;Z]",
        " = I[X;Z|Y] + (1 - beta)*I[Y;Z]                     [model: I[X;Z] = I[X;Z|Y] + I[Y;Z], by I[Y;Z|X] = 0]",
        " = (1 - beta)*H[Y] + (beta - 1)*H[Y|Z] + I[X;Z|Y]   [chain rule: I[Y;Z] = H[Y] - H[Y|Z]]",
        " ~ (beta - 1)*H[Y|Z] + I[X;Z|Y]                     [drop constant: (1 - beta)*H[Y]]",
        " ~ H[Y|Z] + I[X;Z|Y]/(beta - 1)                     [positive factor: divide by beta - 1]",
    ]
    latex = simplify("min I[X;Z] - beta*I[Y;Z]").derivation._repr_latex_()
    assert latex.startswith(r"\begin{align*}")
    html = simplify("min I[X;Z] - beta*I[Y;Z]").derivation._repr_html_()
    assert html.count("<tr>") == 5
    assert ">drop constant: (1 - beta)*H[Y]</td>" in html
    assert r"\frac{\mathrm{I}[X;Z \mid Y]}{\beta - 1}" in latex


def test_json_reads_back():
    form = simplify("min I[X;Z] - beta*I[Y;Z]")
    data = form.to_dict()
    for key in ("loss", "weight", "regularizer", "expression", "scale", "constant"):
        assert sympy.simplify(parse(data[key]) - getattr(form, key)) == 0
    assert data["conditions"] == ["beta > 1"]
    assert (data["loss"], data["weight"], data["regularizer"]) == ("H[Y|Z]", "1/(beta - 1)", "I[X;Z|Y]")


def test_verify_compares_the_parts_of_a_form_with_each_other():
    form, other = simplify("min I[X;Z] - beta*I[Y;Z]"), simplify("min H[Z] - beta*I[Y;Z]")
    impossible = positive([beta, -beta], Model())
    everything = Model("Y -> X -> Z", fixed=("X", "Y", "Z"))
    for changed in (
        replace(form, derivation=replace(form.derivation, model=everything)),
        replace(form, derivation=replace(form.derivation, conditions=positive([beta - 5], Model()))),
        replace(form, alternatives=other.alternatives),
        replace(form, conditions=impossible, derivation=replace(form.derivation, conditions=impossible)),
    ):
        with pytest.raises(DerivationError):
            changed.verify()


def test_derivations_name_the_facts_they_use():
    text = str(simplify("min I[X;Z] - beta*I[Y;Z]", model=supervised(encoder="deterministic")).derivation)
    assert "H[Z|X] = 0" in text
    assert "by ]" not in text


@pytest.mark.parametrize(("place", "factor"), [(0, "H[X]"), (1, "2"), (2, "beta")])
def test_only_a_scaling_step_has_a_factor(place, factor):
    data = simplify("min I[X;Z] - beta*I[Y;Z]").to_dict()
    data["derivation"][place]["factor"] = factor
    with pytest.raises(DerivationError, match="has no factor"):
        CanonicalForm.from_dict(data)

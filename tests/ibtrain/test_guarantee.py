"""A compiled loss is a proved bound, says so, and writes itself as a function with the same values and gradients."""

import copy
import dataclasses
import functools
import json
import pickle

import pytest
import sympy
from torch import nn
from worlds import CLASSES, SIZE, same_as_source, world

import imeasure
from ibtrain import (
    AdditiveNoise,
    CategoricalBottleneck,
    ConfigError,
    DropoutBottleneck,
    GaussianBottleneck,
    UnsoundLossError,
    compile,  # noqa: A004 - the public name
)
from ibtrain.guarantee import Guarantee
from ibtrain.loss import Loss
from ibtrain.plan import Term
from ibtrain.surrogates import KINDS, SURROGATES, Surrogate, surrogate
from imeasure import DerivationError

IB = "min I[X;Z] - beta*I[Y;Z]"
DIB = "min H[Z] - beta*I[Y;Z]"
ENTRIES = [(name, kind) for name, entry in SURROGATES.items() for kind in entry.computable]


@functools.cache
def form_of(name):
    entry = imeasure.objectives[name]
    return imeasure.simplify(entry.objective(), model=entry.model(), loss=entry.loss)


def compiled(name, kind):
    try:
        return compile(form_of(name), latent=kind)
    except (UnsoundLossError, ConfigError):
        return None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", imeasure.objectives)
def test_the_catalogue_is_compiled_with_a_proof_or_refused(name, kind):
    loss = compiled(name, kind)
    if loss is None:
        assert kind == "dropout" or name == "multi-view-both" or (name, kind) == ("generalised-IB", "noisy dropout")
        return
    assert loss.guarantee.verify()
    again = Guarantee.from_json(loss.guarantee.to_json())
    assert again.verify()
    assert str(again.relation) == str(loss.guarantee.relation)
    names = [term.surrogate.name for term in loss.plan.terms]
    assert names == [row[2] for row in loss.plan.rows()]
    assert all(f"# {term} = " in loss.source() for term in names)
    assert len(loss.source().splitlines()) < 60
    assert same_as_source(loss, kind, dict.fromkeys(loss.parameter_names, 0.7))


@pytest.mark.parametrize(("name", "kind"), [pair for pair in ENTRIES if pair[0] != "Floor[Z|X]"])
def test_every_surrogate_as_text_has_its_value_and_gradients(name, kind):
    plan = compile("min H[Y|Z]", latent=kind).plan
    gamma = imeasure.param("gamma")
    term = Term(gamma, ("H[Y|Z]",), surrogate(name))
    one = dataclasses.replace(plan, terms=(*[t for t in plan.terms if t.surrogate.name != name], term))
    assert same_as_source(Loss(one, dimensions=SIZE, classes=CLASSES), kind, {"gamma": 0.3})


@pytest.mark.parametrize(
    ("objective", "kind", "formula", "constant"),
    [
        (IB, "noisy", "CE[Y|Z] + gamma*LogVar[Z|Y]", "-gamma*H[Z|X]"),
        (IB, "additive", "CE[Y|Z] + gamma*LogVar[Z|Y]", "-gamma*H[Z|X]"),
        (IB, "gaussian", "CE[Y|Z] + gamma*LogVar[Z|Y] - gamma*Noise[Z|X]", "0"),
        (IB, "categorical", "CE[Y|Z] + gamma*Exact[Z|Y] - gamma*Exact[Z|X]", "0"),
        (IB, "noisy dropout", "CE[Y|Z] + gamma*LogVar[Z|Y]", "0"),
        (DIB, "noisy", "CE[Y|Z] + gamma*LogVar[Z|Y]", "0"),
        (DIB, "categorical", "CE[Y|Z] + gamma*Exact[Z|Y]", "0"),
        ("min I[X;Z|Y] - I[Y;Z]", "gaussian", "CE[Y|Z] + LogVar[Z|Y] - Noise[Z|X]", "0"),
        ("min H[Y|Z]", "dropout", "CE[Y|Z]", "0"),
    ],
)
def test_the_tightest_surrogates_are_chosen_and_the_constant_is_found(objective, kind, formula, constant):
    loss = compile(objective, latent=kind)
    assert (loss.plan.formula, str(loss.guarantee.constant)) == (formula, constant)


@pytest.mark.parametrize(
    ("names", "kind", "formula"),
    [
        ("Rate[Z|X]", "gaussian", "CE[Y|Z] + gamma*Rate[Z|X]"),
        ("SquaredNorm[Z]", "gaussian", "CE[Y|Z] + gamma*SquaredNorm[Z] - gamma*Noise[Z|X]"),
        ("PairwiseRate[Z|X]", "noisy", "CE[Y|Z] + gamma*PairwiseRate[Z|X]"),
        ("PairwiseRate[X,Z|Y]", "gaussian", "CE[Y|Z] + gamma*PairwiseRate[X,Z|Y]"),
        (["InfoNCE[Y,Z]", "CE[Z|Y]"], "additive", "-InfoNCE[Y,Z] + gamma*CE[Z|Y]"),
        ("Exact[Y|Z]", "categorical", "gamma*Exact[Z|Y] - gamma*Exact[Z|X] + Exact[Y|Z]"),
        ("LogDet[Z]", "noisy dropout", "CE[Y|Z] + gamma*LogDet[Z]"),
    ],
)
def test_named_surrogates_take_their_place_with_a_proof(names, kind, formula):
    loss = compile(IB, latent=kind, surrogates=names, dimensions=SIZE, classes=CLASSES)
    assert loss.plan.formula == formula
    assert loss.guarantee.verify()


def test_bottlenecks_say_their_kind():
    layer = nn.Linear(4, 4)
    for bottleneck in (AdditiveNoise(layer), AdditiveNoise(layer, variance=0.01), GaussianBottleneck(layer)):
        assert compile(IB, latent=bottleneck).plan.kind == bottleneck.kind
    assert compile(IB, latent=CategoricalBottleneck(layer)).plan.kind == "categorical"
    assert compile(IB, latent=DropoutBottleneck(layer, rate=0.5, variance=1.0)).plan.kind == "noisy dropout"


def test_a_loss_without_proof_is_refused_with_the_fact_and_the_remedy():
    with pytest.raises(UnsoundLossError, match=r"H\[Z\|X\] >= 0 is not available for a continuous latent") as error:
        compile(IB, latent="dropout")
    assert error.value.term == "gamma*I[X;Z|Y]"
    assert "add zero-entropy noise" in error.value.remedy
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
    with pytest.raises(
        UnsoundLossError, match=r"Prediction\[Y\|Z\] is above H\[Y\|X\], which may be less than H\[Y\|Z\]"
    ):
        compile(IB, latent="noisy", surrogates="Prediction[Y|Z]")


@pytest.mark.parametrize(("kind", "names"), [("dropout", "LogVar[Z]"), ("noisy", "Prediction[Y|Z]"), ("dropout", None)])
def test_without_a_guarantee_a_loss_says_so_everywhere(kind, names):
    with pytest.warns(UserWarning, match="no proof that the loss bounds"):
        loss = compile(IB, latent=kind, surrogates=names, guarantee="warn")
    assert loss.guarantee is None
    assert "no guarantee" in str(loss.plan)
    assert "no guarantee" in repr(loss)
    assert "no guarantee" in loss.plan.latex
    assert all(row[-1] == "no guarantee" for row in loss.plan.rows())
    one = world(kind)
    assert loss(one.batch.latent, one.batch.logits, one.batch.target, gamma=0.1).total.isfinite()


def test_the_sign_of_a_coefficient_is_decided_by_its_range_or_the_term_is_refused():
    text = "min H[Z] - a*H[Z|X] - beta*I[Y;Z]"
    with pytest.raises(UnsoundLossError, match=r"sign of the coefficient -a\*gamma is not decided .* a > 0"):
        compile(text, latent="noisy dropout")
    for interval, floors in ((sympy.Interval(0, 1), ("-a*gamma*H[Z|X]",)), (sympy.Interval(-2, -1), ())):
        model = imeasure.Model("Y -> X -> Z", fixed=("X", "Y"), ranges={"a": interval})
        loss = compile(imeasure.simplify(text, model=model), latent="noisy dropout")
        assert loss.plan.floors == floors
        assert loss.guarantee.verify()
    assert compile(text, latent="noisy").plan.terms[-1].surrogate.side == "exact"


def test_terms_of_negative_coefficient_need_lower_or_exact_bounds():
    model = imeasure.Model("Y -> X -> Z", fixed=("X", "Y"))
    form = imeasure.simplify("min H[Z] - H[Z|X]/2 - beta*I[Y;Z]", model=model)
    loss = compile(form, latent="gaussian")
    assert loss.plan.terms[-1].surrogate.side == "exact"
    assert loss.guarantee.verify()
    with pytest.raises(ConfigError, match="fits no term"):
        compile(form, latent="gaussian", surrogates=["CE[Y|Z]", "LogVar[Z|Y]", "Rate[Z|X]"])


def test_a_form_that_stands_on_what_the_latent_breaks_is_refused():
    form = imeasure.simplify(DIB, model=imeasure.supervised(encoder="deterministic"))
    assert compile(form, latent="noisy").guarantee.verify()
    forced = imeasure.simplify("min H[Z] - H[Z|X] - beta*I[Y;Z]", model=imeasure.supervised(encoder="deterministic"))
    loss = compile(forced, latent="noisy")
    assert loss.guarantee.verify()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("constant", "-2*gamma*H[Z|X]"),
        ("constant", "-gamma*H[Z|Y]"),
        ("loss", "CE[Y|Z] + gamma*LogVar[Z|Y]/2"),
        ("axioms", ["LogVar[Z|Y] >= 2*H[Z|Y]"]),
        ("weight", "delta"),
    ],
)
def test_a_guarantee_that_was_changed_does_not_verify(key, value):
    data = json.loads(compile(IB, latent="noisy").guarantee.to_json())
    with pytest.raises(DerivationError):
        Guarantee.from_json(json.dumps({**data, key: value})).verify()


def test_a_guarantee_in_another_model_does_not_verify():
    guarantee = compile(IB, latent="noisy").guarantee
    with pytest.raises(DerivationError, match="another model"):
        dataclasses.replace(guarantee, model=compile(IB, latent="additive").guarantee.model).verify()
    with pytest.raises(DerivationError, match="not a guarantee"):
        Guarantee.from_json("{}")


def test_a_surrogate_of_the_user_is_an_object_with_its_axiom():
    def norm(batch):
        return batch.latent.centres.square().sum(-1).mean()

    own = Surrogate(
        name="Norm[Z]",
        quantity="H[Z] - H[Z|X]",
        side="upper",
        latents=("noisy",),
        formula="E||z||^2",
        evaluate=norm,
        code="value = centres.square().sum(-1).mean()",
    )
    loss = compile(IB, latent="noisy", surrogates=[own]).set(gamma=0.5)
    assert loss.plan.formula == "CE[Y|Z] + gamma*Norm[Z]"
    assert loss.guarantee.axioms == ("Norm[Z] >= H[Z] - H[Z|X]",)
    assert loss.guarantee.verify()
    one = world("noisy")
    assert loss(one.batch.latent, one.batch.logits, one.batch.target).terms["Norm[Z]"] == norm(one.batch)
    assert "value" not in loss.source()
    with pytest.raises(ConfigError, match="no surrogate is called"):
        compile(IB, latent="noisy", surrogates="Norm[Z]")
    without = dataclasses.replace(own, code="")
    with pytest.raises(ConfigError, match="has no code"):
        compile(IB, latent="noisy", surrogates=[without]).source()


def test_a_surrogate_that_learns_needs_its_sizes_and_is_trained_and_saved():
    with pytest.raises(ConfigError, match="dimensions=K and classes=C"):
        compile(IB, latent="noisy", surrogates="CE[Z|Y]")
    loss = compile(IB, latent="noisy", surrogates="CE[Z|Y]", dimensions=SIZE, classes=CLASSES).set(gamma=1)
    one = world("noisy")
    loss(one.batch.latent, one.batch.logits, one.batch.target).total.backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())
    other = copy.deepcopy(loss)
    assert {key for key in other.state_dict() if "means" in key}


def test_equal_terms_are_evaluated_once_and_zero_terms_not_at_all():
    calls = []

    def counted(batch):
        calls.append(1)
        return batch.logits.sum()

    own = Surrogate(name="Count[Z]", quantity="H[Z]", side="exact", latents=("noisy",), formula="1", evaluate=counted)
    loss = compile("min H[Y|Z] + gamma*H[Z]", latent="noisy", surrogates=[own]).set(gamma=0.5)
    one = world("noisy")
    loss(one.batch.latent, one.batch.logits, one.batch.target)
    assert [term.surrogate.name for term in loss.plan.terms] == ["CE[Y|Z]", "Count[Z]"]
    assert len(calls) == 1

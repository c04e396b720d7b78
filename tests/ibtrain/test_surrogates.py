"""Every surrogate keeps its contract, and the contract fails for every planted mistake."""

import dataclasses
import math
from functools import cache

import pytest
import torch
from worlds import REFERENCES, SIZE, learned_module, value_of, world

import imeasure
from ibtrain import ConfigError
from ibtrain.choice import read
from ibtrain.surrogates import KINDS, SURROGATES, Surrogate, surrogate

worlds = cache(world)
FLIPPED = {">=": "<=", "<=": ">="}


def broken(entry):
    """Why an entry does not keep its contract, or nothing."""
    for kind in entry.computable:
        for seed in (0, 1):
            value, wanted = value_of(entry, worlds(kind, seed)), REFERENCES[entry.name](worlds(kind, seed).arrays)
            if value != pytest.approx(wanted, rel=1e-9, abs=1e-12):
                return f"{value} instead of {wanted} on a {kind} latent"
    for kind in entry.latents:
        exact = worlds(kind, 0).exact[entry.quantity]
        gap = value_of(entry, worlds(kind, 0)) - exact
        if entry.side == "exact" and abs(gap) > 1e-6:
            return f"{gap} from {entry.quantity}"
        if entry.side != "exact" and (gap if entry.side == "upper" else -gap) <= 1e-6:
            return f"no strict {entry.side} bound of {entry.quantity} on a {kind} latent: {gap}"
        for order in entry.orders:
            if not holds(order, worlds(kind, 0)):
                return f"{order} fails on a {kind} latent"
    return ""


def holds(order, one):
    relation = imeasure.parse(order, functionals=[entry.functional for entry in SURROGATES.values()])
    (left, right), (operator,) = relation.expressions, relation.operators
    difference = left - right
    values = {
        atom: value_of(surrogate(str(atom)), one) if isinstance(atom, imeasure.Functional) else one.exact[str(atom)]
        for atom in difference.atoms(imeasure.Functional) | difference.atoms(imeasure.Information)
        if not isinstance(atom, imeasure.Functional) or one.kind in surrogate(str(atom)).computable
    }
    if len(values) < len(difference.atoms(imeasure.Functional) | difference.atoms(imeasure.Information)):
        return True
    number = float(difference.subs(values))
    return number >= -1e-9 if operator == ">=" else number <= 1e-9


def changed(entry, change):
    return dataclasses.replace(entry, evaluate=lambda batch: change(entry.evaluate(batch)))


def mutants(entry):
    if entry.functional != "Floor":
        constant = (SIZE - 1) / 2 * math.log(2 * math.pi * math.e)
        yield "a sign error", changed(entry, torch.neg)
        yield "a dropped factor 1/2", changed(entry, lambda value: 2 * value)
        yield "a factor 1/2 too many", changed(entry, lambda value: value / 2)
        yield "K forgotten", changed(entry, lambda value: value / SIZE)
        yield "K forgotten in the constant", changed(entry, lambda value: value - constant)
    for side in {"upper", "lower"} - {entry.side}:
        yield f"an axiom turned round to {side}", dataclasses.replace(entry, side=side)
    if entry.side != "exact":
        yield "an axiom taken as an equation", dataclasses.replace(entry, side="exact")
    for place, order in enumerate(entry.orders):
        operator = next(one for one in FLIPPED if one in order)
        turned = (*entry.orders[:place], order.replace(operator, FLIPPED[operator]), *entry.orders[place + 1 :])
        yield f"{order} turned round", dataclasses.replace(entry, orders=turned)


def test_no_surrogate_is_without_a_second_implementation():
    assert set(REFERENCES) == set(SURROGATES)


@pytest.mark.parametrize("name", SURROGATES)
def test_every_surrogate_equals_its_reference_and_lies_on_its_side(name):
    entry = surrogate(name)
    assert not broken(entry)
    assert set(entry.latents) <= set(entry.computable)
    assert read(entry.axiom, entry.functional)
    for text in (entry.formula, entry.latex, entry.reference, entry.label):
        assert text


@pytest.mark.parametrize("name", SURROGATES)
def test_the_contract_fails_for_every_planted_mistake(name):
    for mistake, mutant in mutants(surrogate(name)):
        assert broken(mutant), mistake


@pytest.mark.parametrize("name", [name for name, entry in SURROGATES.items() if entry.learned is not None])
def test_laws_that_learn_come_near_what_they_bound(name):
    """A class-conditional Gaussian comes to the log-variance, which is the best such law."""
    entry, one = surrogate(name), worlds("noisy", 0)
    module = learned_module(entry, one.learned[name])
    optimiser = torch.optim.LBFGS(module.parameters(), max_iter=120, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        value = entry.evaluate(one.batch._replace(learned=module))
        value.backward()
        return value

    before, after = closure().item(), optimiser.step(closure) and closure().item()
    best = {"CE[Z|Y]": "LogVar[Z|Y]", "CE[Z]": "LogVar[Z]"}
    if name in best:
        assert after == pytest.approx(value_of(surrogate(best[name]), one), rel=1e-5)
    assert after < before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "MyBound"}, "called like a quantity of one group"),
        ({"name": "My[X;Z]"}, "called like a quantity of one group"),
        ({"side": "above"}, "'upper', 'lower' or 'exact'"),
        ({"latents": ("gauss",)}, "kinds are noisy, additive"),
    ],
)
def test_entries_that_make_no_sense_are_refused(options, message):
    entry = {"name": "My[Z]", "quantity": "H[Z]", "side": "upper", "latents": KINDS, "formula": "my", **options}
    with pytest.raises(ConfigError, match=message):
        Surrogate(evaluate=lambda batch: batch.logits.sum(), **entry)

"""What every functional promises: a scalar in its input's precision, right gradients, fixed shapes, clear refusals."""

import math
from types import SimpleNamespace

import pytest
import torch
from functionals import CLASSES, FUNCTIONALS, tensors, used

from ibtrain import ConfigError, functional

NAMES = sorted(FUNCTIONALS)
HALVES = ("logits", "code_logits", "latent")


def changed(values, **others):
    return SimpleNamespace(**{**vars(values), **others})


def test_no_functional_is_left_out():
    assert {name.split()[0] for name in FUNCTIONALS} == set(functional.__all__)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_are_scalars_in_the_precision_of_the_input(name, dtype):
    value = FUNCTIONALS[name](tensors(dtype=dtype))
    assert value.shape == ()
    assert value.dtype == dtype
    assert value.item() == pytest.approx(FUNCTIONALS[name](tensors()).item(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_to_every_input_are_those_of_finite_differences(name):
    values = tensors(batch=9, size=2)
    keys = used(name, values)
    assert keys
    inputs = [getattr(values, key).clone().requires_grad_() for key in keys]
    assert torch.autograd.gradcheck(
        lambda *given: FUNCTIONALS[name](changed(values, **dict(zip(keys, given, strict=True)))), inputs
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("samples", "batch", "size"), [(1, 1, 1), (1, 5, 1), (3, 1, 2), (1, 2, 4)])
def test_small_shapes_have_finite_values_and_gradients(name, samples, batch, size):
    values = tensors(samples=samples, batch=batch, size=size, dtype=torch.float32)
    keys = used(name, values)
    inputs = [getattr(values, key).requires_grad_() for key in keys]
    value = FUNCTIONALS[name](values)
    assert value.isfinite()
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(value, inputs))


@pytest.mark.parametrize("name", NAMES)
def test_under_autocast_everything_is_computed_in_float32(name):
    values = tensors(dtype=torch.float32, batch=18)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = FUNCTIONALS[name](values)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(FUNCTIONALS[name](values).item(), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_lifted_before_anything_is_computed(name):
    values = tensors(batch=18)
    half = changed(values, **{key: getattr(values, key).bfloat16() for key in used(name, values)})
    lifted = changed(half, **{key: value.float() for key, value in vars(half).items() if value.is_floating_point()})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = FUNCTIONALS[name](half)
    assert value.dtype == torch.float32
    assert torch.equal(value, FUNCTIONALS[name](lifted))


@pytest.mark.parametrize("name", NAMES)
def test_vmap_over_models_equals_a_loop(name):
    models = [tensors(seed=seed) for seed in range(3)]
    keys = [*used(name, models[0])]
    stacked = [torch.stack([getattr(model, key) for model in models]) for key in keys]

    def value_of(*given):
        return FUNCTIONALS[name](changed(models[0], **dict(zip(keys, given, strict=True))))

    def gradient_of(*given):
        return torch.func.grad(value_of, argnums=tuple(range(len(given))))(*given)

    looped = [value_of(*(value[index] for value in stacked)) for index in range(3)]
    assert torch.allclose(torch.func.vmap(value_of)(*stacked), torch.stack(looped), rtol=1e-12)
    mapped = torch.func.vmap(gradient_of)(*stacked)
    for index in range(3):
        single = gradient_of(*(value[index] for value in stacked))
        for all_of_them, one in zip(mapped, single, strict=True):
            assert torch.allclose(all_of_them[index], one, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"gaussian_entropy"}))
def test_the_order_of_the_batch_does_not_matter(name):
    values, order = tensors(), torch.tensor([8, 3, 5, 0, 7, 1, 2, 6, 4])
    moved = changed(
        values,
        logits=values.logits[:, order],
        latent=values.latent[:, order],
        variance=values.variance[order],
        log_probabilities=values.log_probabilities[order],
        scores=values.scores[order][:, order],
        target=values.target[order],
    )
    assert torch.isclose(FUNCTIONALS[name](values), FUNCTIONALS[name](moved), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_second_backward_pass_on_the_same_input_works(name):
    values = tensors()
    (key, *_) = used(name, values)
    leaf = getattr(values, key).requires_grad_()
    FUNCTIONALS[name](values).backward()
    first = leaf.grad.clone()
    FUNCTIONALS[name](values).backward()
    assert torch.allclose(leaf.grad, 2 * first)


Z, T, P = torch.zeros(1, 3, 2), torch.tensor([0, 1, 0]), torch.zeros(3, 2)
REFUSED = {
    "logits": lambda: functional.decoder_cross_entropy(P, T),
    "classes": lambda: functional.decoder_cross_entropy(Z, T[:2]),
    "classes as": lambda: functional.prediction_cross_entropy(Z, T.float()),
    "log_weights must be": lambda: functional.decoder_cross_entropy(Z, T, log_weights=P),
    "latent must be S x B x K": lambda: functional.log_variance(P),
    "at least one": lambda: functional.squared_norm(Z[:, :0]),
    "not a tensor": lambda: functional.conditional_log_variance(Z, T.unsqueeze(0), 2),
    "S x B x K with": lambda: functional.log_determinant(P),
    "target": lambda: functional.conditional_log_determinant(Z, T[:1], 2),
    "reference Gaussian": lambda: functional.squared_norm_bound(Z, scale=0.0),
    "scale of the prior": lambda: functional.gaussian_kl_to_prior(Z, noise_variance=1.0, scale=-1.0),
    "at least 0": lambda: functional.log_variance(Z, noise_variance=-1.0),
    "not nan": lambda: functional.conditional_log_determinant(Z, T, 2, noise_variance=math.nan),
    "K = 2 numbers": lambda: functional.squared_norm(Z, noise_variance=torch.ones(3)),
    "B x K = 3 x 2": lambda: functional.pairwise_information_bound(Z, noise_variance=torch.ones(1, 3, 2)),
    "noiseless map": lambda: functional.gaussian_kl_to_prior(Z, noise_variance=0.0),
    "finite and at least": lambda: functional.pairwise_information_bound(Z, noise_variance=math.inf),
    "mean must be": lambda: functional.marginal_cross_entropy(Z, mean=torch.zeros(3), log_scale=torch.zeros(2)),
    "logits must be": lambda: functional.mixture_marginal_cross_entropy(Z, means=P, log_scales=P, logits=P),
    "log_scales must be": lambda: functional.class_conditional_cross_entropy(Z, T, means=P, log_scales=P[:1]),
    "log_probabilities": lambda: functional.categorical_entropy(Z),
    "B x K": lambda: functional.decoder_uncertainty(Z, T, 2),
    "positive and finite": lambda: functional.pairwise_conditional_entropy_bound(Z, T, noise_variance=0.0),
    "scores": lambda: functional.info_nce(Z),
    "candidates": lambda: functional.info_nce(P),
}


@pytest.mark.parametrize("message", REFUSED)
def test_shapes_that_do_not_fit_are_refused_with_what_is_needed(message):
    with pytest.raises(ConfigError, match=message):
        REFUSED[message]()


def test_labels_out_of_range_are_not_passed_over():
    with pytest.raises((RuntimeError, IndexError)):
        functional.conditional_log_variance(Z, torch.tensor([0, 1, CLASSES]), CLASSES)

"""Every functional on inputs of one kind, so that one test can ask all of them the same question."""

from types import SimpleNamespace

import torch

from ibtrain import functional as f
from ibtrain.reduction import LOCAL

CLASSES = 4


def tensors(seed=0, samples=2, batch=9, size=3, dtype=torch.float64):
    """Class 3 never occurs, class 2 once."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    target = torch.tensor([0, 1, 0, 1, 1, 0, 2, 0, 1] * (batch // 9 + 1))[:batch]
    if batch > 9:
        target = torch.where((target == 2) & (torch.arange(batch) != 6), 0, target)
    return SimpleNamespace(
        logits=draw(samples, batch, CLASSES),
        code_logits=draw(size, 1, CLASSES),
        latent=draw(samples, batch, size) + torch.arange(batch)[:, None].to(dtype) / 4,
        variance=draw(batch, size).exp(),
        log_probabilities=draw(batch, size).log_softmax(dim=1),
        mean=draw(size),
        log_scale=draw(size) / 2,
        means=draw(CLASSES, size),
        log_scales=draw(CLASSES, size) / 2,
        weights=draw(CLASSES),
        scores=draw(batch, batch),
        target=target,
    )


FUNCTIONALS = {
    "decoder_cross_entropy": lambda t, reduce=LOCAL: f.decoder_cross_entropy(t.logits, t.target, reduce=reduce),
    "decoder_cross_entropy of codes": lambda t, reduce=LOCAL: f.decoder_cross_entropy(
        t.code_logits, t.target, log_weights=t.log_probabilities.T, reduce=reduce
    ),
    "prediction_cross_entropy": lambda t, reduce=LOCAL: f.prediction_cross_entropy(t.logits, t.target, reduce=reduce),
    "prediction_cross_entropy of codes": lambda t, reduce=LOCAL: f.prediction_cross_entropy(
        t.code_logits, t.target, log_weights=t.log_probabilities.T, reduce=reduce
    ),
    "log_variance": lambda t, reduce=LOCAL: f.log_variance(t.latent, reduce=reduce),
    "log_variance with noise": lambda t, reduce=LOCAL: f.log_variance(
        t.latent, noise_variance=t.variance, reduce=reduce
    ),
    "conditional_log_variance": lambda t, reduce=LOCAL: f.conditional_log_variance(
        t.latent, t.target, CLASSES, reduce=reduce
    ),
    "conditional_log_variance of single samples": lambda t, reduce=LOCAL: f.conditional_log_variance(
        t.latent[:1], t.target, CLASSES, reduce=reduce
    ),
    "conditional_log_variance with noise": lambda t, reduce=LOCAL: f.conditional_log_variance(
        t.latent, t.target, CLASSES, noise_variance=t.variance, reduce=reduce
    ),
    "log_determinant": lambda t, reduce=LOCAL: f.log_determinant(t.latent, noise_variance=0.1, reduce=reduce),
    "log_determinant with noise": lambda t, reduce=LOCAL: f.log_determinant(
        t.latent, noise_variance=t.variance, reduce=reduce
    ),
    "conditional_log_determinant": lambda t, reduce=LOCAL: f.conditional_log_determinant(
        t.latent, t.target, CLASSES, noise_variance=0.1, reduce=reduce
    ),
    "conditional_log_determinant with noise": lambda t, reduce=LOCAL: f.conditional_log_determinant(
        t.latent, t.target, CLASSES, noise_variance=t.variance, reduce=reduce
    ),
    "squared_norm": lambda t, reduce=LOCAL: f.squared_norm(t.latent, noise_variance=t.variance, reduce=reduce),
    "squared_norm_bound": lambda t, reduce=LOCAL: f.squared_norm_bound(
        t.latent, scale=1.3, noise_variance=t.variance, reduce=reduce
    ),
    "gaussian_entropy": lambda t, reduce=LOCAL: f.gaussian_entropy(t.variance.flatten()),
    "gaussian_noise_entropy": lambda t, reduce=LOCAL: f.gaussian_noise_entropy(t.variance, reduce=reduce),
    "gaussian_kl_to_prior": lambda t, reduce=LOCAL: f.gaussian_kl_to_prior(
        t.latent, noise_variance=t.variance, scale=1.3, reduce=reduce
    ),
    "marginal_cross_entropy": lambda t, reduce=LOCAL: f.marginal_cross_entropy(
        t.latent, mean=t.mean, log_scale=t.log_scale, noise_variance=t.variance, reduce=reduce
    ),
    "mixture_marginal_cross_entropy": lambda t, reduce=LOCAL: f.mixture_marginal_cross_entropy(
        t.latent, means=t.means, log_scales=t.log_scales, logits=t.weights, reduce=reduce
    ),
    "class_conditional_cross_entropy": lambda t, reduce=LOCAL: f.class_conditional_cross_entropy(
        t.latent, t.target, means=t.means, log_scales=t.log_scales, noise_variance=t.variance, reduce=reduce
    ),
    "decoder_uncertainty": lambda t, reduce=LOCAL: f.decoder_uncertainty(
        t.log_probabilities, t.target, CLASSES, reduce=reduce
    ),
    "categorical_entropy": lambda t, reduce=LOCAL: f.categorical_entropy(t.log_probabilities, reduce=reduce),
    "categorical_conditional_entropy": lambda t, reduce=LOCAL: f.categorical_conditional_entropy(
        t.log_probabilities, t.target, CLASSES, reduce=reduce
    ),
    "categorical_noise_entropy": lambda t, reduce=LOCAL: f.categorical_noise_entropy(
        t.log_probabilities, reduce=reduce
    ),
    "categorical_information": lambda t, reduce=LOCAL: f.categorical_information(t.log_probabilities, reduce=reduce),
    "categorical_conditional_information": lambda t, reduce=LOCAL: f.categorical_conditional_information(
        t.log_probabilities, t.target, CLASSES, reduce=reduce
    ),
    "categorical_label_information": lambda t, reduce=LOCAL: f.categorical_label_information(
        t.log_probabilities, t.target, CLASSES, reduce=reduce
    ),
    "pairwise_information_bound": lambda t, reduce=LOCAL: f.pairwise_information_bound(
        t.latent, noise_variance=0.7, reduce=reduce
    ),
    "pairwise_information_bound with noise": lambda t, reduce=LOCAL: f.pairwise_information_bound(
        t.latent, noise_variance=t.variance, reduce=reduce
    ),
    "pairwise_conditional_information_bound": lambda t, reduce=LOCAL: f.pairwise_conditional_information_bound(
        t.latent, t.target, noise_variance=t.variance, reduce=reduce
    ),
    "pairwise_entropy_bound": lambda t, reduce=LOCAL: f.pairwise_entropy_bound(
        t.latent, noise_variance=t.variance, reduce=reduce
    ),
    "pairwise_conditional_entropy_bound": lambda t, reduce=LOCAL: f.pairwise_conditional_entropy_bound(
        t.latent, t.target, noise_variance=t.variance, reduce=reduce
    ),
    "info_nce": lambda t, reduce=LOCAL: f.info_nce(t.scores, reduce=reduce),
}


def used(name, values):
    """The floating-point inputs that a functional depends on, found by differentiating it."""
    inputs = {key: value.requires_grad_() for key, value in vars(values).items() if value.is_floating_point()}
    found = torch.autograd.grad(FUNCTIONALS[name](values), list(inputs.values()), allow_unused=True)
    for value in inputs.values():
        value.requires_grad_(False)
    return [key for key, gradient in zip(inputs, found, strict=True) if gradient is not None]

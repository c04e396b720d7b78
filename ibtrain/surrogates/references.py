"""Surrogates with a reference law, fixed or learned, and those from all pairs of a batch."""

from typing import cast

import torch
from torch import Tensor, nn

from ibtrain.functional import (
    class_conditional_cross_entropy,
    gaussian_kl_to_prior,
    marginal_cross_entropy,
    mixture_marginal_cross_entropy,
    pairwise_conditional_entropy_bound,
    pairwise_conditional_information_bound,
    pairwise_entropy_bound,
    pairwise_information_bound,
)
from ibtrain.surrogates.entry import Batch, Surrogate

_REAL = ("noisy", "additive", "gaussian", "noisy dropout")
_COMPONENTS = 16


class GaussianMarginals(nn.Module):
    """Learned Gaussians with diagonal covariance: one as a marginal m(z), or one for each class as b(z|y).

    Args:
        *shape: The shape of their means: K, or C x K.

    Example:
        >>> GaussianMarginals(10, 4).means.shape
        torch.Size([10, 4])
    """

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.means = nn.Parameter(torch.zeros(shape))
        self.log_scales = nn.Parameter(torch.zeros(shape))


class MixtureMarginal(nn.Module):
    """A learned mixture of Gaussians with diagonal covariance as a marginal m(z).

    Args:
        components: Number M of components.
        dimensions: Number K of dimensions.

    Example:
        >>> MixtureMarginal(3, 4).means.shape
        torch.Size([3, 4])
    """

    def __init__(self, components: int, dimensions: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.means = nn.Parameter(torch.randn(components, dimensions, generator=generator))
        self.log_scales = nn.Parameter(torch.zeros(components, dimensions))
        self.logits = nn.Parameter(torch.zeros(components))


def _class_gaussians(dimensions: int, classes: int) -> nn.Module:
    return GaussianMarginals(classes, dimensions)


def _one_gaussian(dimensions: int, classes: int) -> nn.Module:  # noqa: ARG001 - one signature for all
    return GaussianMarginals(dimensions)


def _gaussian_mixture(dimensions: int, classes: int) -> nn.Module:  # noqa: ARG001 - one signature for all
    return MixtureMarginal(_COMPONENTS, dimensions)


def _rate(batch: Batch) -> Tensor:
    latent = batch.latent
    return gaussian_kl_to_prior(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


def _marginal(batch: Batch) -> Tensor:
    latent, law = batch.latent, cast("GaussianMarginals", batch.learned)
    return marginal_cross_entropy(
        latent.centres,
        mean=law.means,
        log_scale=law.log_scales,
        noise_variance=latent.noise_variance,
        reduce=batch.reduce,
    )


def _mixture(batch: Batch) -> Tensor:
    law = cast("MixtureMarginal", batch.learned)
    return mixture_marginal_cross_entropy(
        batch.latent.samples, means=law.means, log_scales=law.log_scales, logits=law.logits, reduce=batch.reduce
    )


def _backward_encoder(batch: Batch) -> Tensor:
    latent, law = batch.latent, cast("GaussianMarginals", batch.learned)
    return class_conditional_cross_entropy(
        latent.centres,
        batch.target,
        means=law.means,
        log_scales=law.log_scales,
        noise_variance=latent.noise_variance,
        reduce=batch.reduce,
    )


def _pairwise_rate(batch: Batch) -> Tensor:
    latent = batch.latent
    return pairwise_information_bound(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


def _pairwise_conditional_rate(batch: Batch) -> Tensor:
    latent = batch.latent
    return pairwise_conditional_information_bound(
        latent.centres, batch.target, noise_variance=latent.noise_variance, reduce=batch.reduce
    )


def _pairwise(batch: Batch) -> Tensor:
    latent = batch.latent
    return pairwise_entropy_bound(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


def _pairwise_conditional(batch: Batch) -> Tensor:
    latent = batch.latent
    return pairwise_conditional_entropy_bound(
        latent.centres, batch.target, noise_variance=latent.noise_variance, reduce=batch.reduce
    )


_NOISE = "noise = torch.zeros_like(centres) + noise_variance  # S x B x K\n"
_PAIRS = (
    _NOISE + "means, variances = (one.flatten(0, 1).double() for one in (centres, noise))\n"
    "ratios = variances[:, None] / variances + (means[:, None] - means).square() / variances\n"
    "divergences = 0.5 * (ratios - 1 - (variances[:, None] / variances).log()).sum(2)  # S*B x S*B\n"
)
_SAME = "same = target.repeat(len(centres))[:, None] == target.repeat(len(centres))\n"
_ENTROPY = "0.5 * (noise.log() + LOG_2_PI_E).sum(2).mean()"
_ALL_PAIRS = "(torch.tensor(len(means)).to(means).log() - (-divergences).logsumexp(1).mean()).to(centres.dtype)"
_CLASS_PAIRS = (
    "total = divergences.neg().masked_fill(~same, -torch.inf).logsumexp(1)\n"
    "rate = (same.sum(1).to(total).log() - total).mean().to(centres.dtype)\n"
)
_KOLCHINSKY = "Kolchinsky and Tracey (2017), equation (10)"
_DENSITY = "- 0.5 * ((z - {m}).square() + noise) * (-2 * {s}).exp() - {s} - 0.5 * LOG_2_PI"

REFERENCES = (
    Surrogate(
        name="Rate[Z|X]",
        label="KL to N(0, I)",
        quantity="I[X;Z]",
        side="upper",
        latents=_REAL,
        needs=("centres",),
        formula="E_x KL(p(z|x) || N(0, I))",
        latex=r"\mathbb{E}_x \mathrm{KL}(p(z \mid x) \,\Vert\, \mathcal{N}(0, I))",
        reference="Alemi et al., Deep Variational Information Bottleneck (2017), equation (14)",
        evaluate=_rate,
        orders=("Rate[Z|X] >= LogVar[Z] - H[Z|X]",),
        code=_NOISE + "value = 0.5 * (centres.square() + noise - 1 - noise.log()).sum(2).mean()",
    ),
    Surrogate(
        name="PairwiseRate[Z|X]",
        label="pairwise bound of I[X;Z]",
        quantity="I[X;Z]",
        side="upper",
        latents=_REAL,
        needs=("centres",),
        formula="-E_i ln E_j exp(-KL(p_i || p_j))",
        latex=r"-\mathbb{E}_i \ln \mathbb{E}_j e^{-\mathrm{KL}(p_i \Vert p_j)}",
        reference=_KOLCHINSKY,
        evaluate=_pairwise_rate,
        is_default=False,
        code=_PAIRS + f"value = {_ALL_PAIRS}",
    ),
    Surrogate(
        name="PairwiseRate[X,Z|Y]",
        label="pairwise bound of I[X;Z|Y]",
        quantity="I[X;Z|Y]",
        side="upper",
        latents=_REAL,
        needs=("centres", "target"),
        formula="-E_i ln E_{j: y_j = y_i} exp(-KL(p_i || p_j))",
        latex=r"-\mathbb{E}_i \ln \mathbb{E}_{j: y_j = y_i} e^{-\mathrm{KL}(p_i \Vert p_j)}",
        reference=f"{_KOLCHINSKY}, class by class",
        evaluate=_pairwise_conditional_rate,
        is_default=False,
        code=_PAIRS + _SAME + _CLASS_PAIRS + "value = rate",
    ),
    Surrogate(
        name="Pairwise[Z|Y]",
        label="pairwise bound of H[Z|Y]",
        quantity="H[Z|Y]",
        side="upper",
        latents=_REAL,
        needs=("centres", "target"),
        formula="E_x H[N_x] - E_i ln E_{j: y_j = y_i} exp(-KL(p_i || p_j))",
        latex=r"\mathbb{E}_x \mathrm{H}[p_x] - "
        r"\mathbb{E}_i \ln \mathbb{E}_{j: y_j = y_i} e^{-\mathrm{KL}(p_i \Vert p_j)}",
        reference=f"{_KOLCHINSKY}, class by class",
        evaluate=_pairwise_conditional,
        is_default=False,
        code=_PAIRS + _SAME + _CLASS_PAIRS + f"value = rate + {_ENTROPY}",
    ),
    Surrogate(
        name="Pairwise[Z]",
        label="pairwise bound of H[Z]",
        quantity="H[Z]",
        side="upper",
        latents=_REAL,
        needs=("centres",),
        formula="E_x H[N_x] - E_i ln E_j exp(-KL(p_i || p_j))",
        latex=r"\mathbb{E}_x \mathrm{H}[p_x] - \mathbb{E}_i \ln \mathbb{E}_j e^{-\mathrm{KL}(p_i \Vert p_j)}",
        reference=_KOLCHINSKY,
        evaluate=_pairwise,
        is_default=False,
        code=_PAIRS + f"value = {_ALL_PAIRS} + {_ENTROPY}",
    ),
    Surrogate(
        name="CE[Z|Y]",
        label="backward encoder",
        quantity="H[Z|Y]",
        side="upper",
        latents=_REAL,
        needs=("centres", "target"),
        formula="E[-ln b(z|y)], b learned",
        latex=r"\mathbb{E}[-\ln b(z \mid y)]",
        reference="Fischer, The Conditional Entropy Bottleneck (2020), section 2.3",
        evaluate=_backward_encoder,
        orders=("CE[Z|Y] >= LogVar[Z|Y]",),
        is_default=False,
        learned=_class_gaussians,
        arguments={"class_means": "Means of b(z|y), C x K.", "class_log_scales": "Their log deviations, C x K."},
        code=_NOISE + "z, mean, log_scale = centres, class_means[target], class_log_scales[target]\n"
        "log_density = " + _DENSITY.format(m="mean", s="log_scale") + "\nvalue = -log_density.sum(2).mean()",
    ),
    Surrogate(
        name="CE[Z]",
        label="learned marginal",
        quantity="H[Z]",
        side="upper",
        latents=_REAL,
        needs=("centres",),
        formula="E[-ln m(z)], m a learned Gaussian",
        latex=r"\mathbb{E}[-\ln m(z)]",
        reference="Alemi et al., Deep Variational Information Bottleneck (2017), section 3",
        evaluate=_marginal,
        orders=("CE[Z] >= LogVar[Z]",),
        is_default=False,
        learned=_one_gaussian,
        arguments={"marginal_mean": "Mean of m(z), K.", "marginal_log_scale": "Its log deviations, K."},
        code=_NOISE + "z, mean, log_scale = centres, marginal_mean, marginal_log_scale\n"
        "log_density = " + _DENSITY.format(m="mean", s="log_scale") + "\nvalue = -log_density.sum(2).mean()",
    ),
    Surrogate(
        name="Mixture[Z]",
        label="learned mixture",
        quantity="H[Z]",
        side="upper",
        latents=_REAL,
        needs=("samples",),
        formula=f"E[-ln m(z)], m a learned mixture of {_COMPONENTS} Gaussians",
        latex=r"\mathbb{E}[-\ln m(z)]",
        reference="Tomczak and Welling, VAE with a VampPrior (2018), section 2, for mixtures as marginals",
        evaluate=_mixture,
        is_default=False,
        learned=_gaussian_mixture,
        arguments={
            "mixture_means": "Means of the components of m(z), M x K.",
            "mixture_log_scales": "Their log deviations, M x K.",
            "mixture_logits": "Their weights before the softmax, M.",
        },
        code="z, noise = samples[:, :, None], 0.0\n"
        "log_density = " + _DENSITY.format(m="mixture_means", s="mixture_log_scales") + "\n"
        "value = -(mixture_logits.log_softmax(0) + log_density.sum(3)).logsumexp(2).mean()",
    ),
)
"""Divergences to a reference law, learned laws, and pairwise bounds."""

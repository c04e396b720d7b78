"""Surrogates from what is known of p(z|x): the noise's own entropy, and the exact sums of a categorical latent."""

import torch
from torch import Tensor

from ibtrain.errors import ConfigError
from ibtrain.functional import (
    categorical_conditional_entropy,
    categorical_entropy,
    categorical_noise_entropy,
    decoder_uncertainty,
    gaussian_entropy,
    gaussian_noise_entropy,
)
from ibtrain.surrogates.entry import Batch, Surrogate


def _noise(batch: Batch) -> Tensor:
    centres, variance = batch.latent.centres, batch.latent.noise_variance
    if isinstance(variance, Tensor):
        return gaussian_noise_entropy(variance, reduce=batch.reduce)
    return gaussian_entropy(torch.full_like(centres[0, 0], variance))


def _floor(batch: Batch) -> Tensor:
    return batch.latent.samples.new_zeros(())


def _table(batch: Batch) -> Tensor:
    table = batch.latent.log_probabilities
    if table is None:
        raise ConfigError("exact sums need ln p(z|x) of a categorical latent: use a CategoricalBottleneck")
    return table


def _exact_entropy(batch: Batch) -> Tensor:
    return categorical_entropy(_table(batch), reduce=batch.reduce)


def _exact_conditional_entropy(batch: Batch) -> Tensor:
    return categorical_conditional_entropy(_table(batch), batch.target, batch.classes, reduce=batch.reduce)


def _exact_noise(batch: Batch) -> Tensor:
    return categorical_noise_entropy(_table(batch), reduce=batch.reduce)


def _exact_decoder(batch: Batch) -> Tensor:
    return decoder_uncertainty(_table(batch), batch.target, batch.classes, reduce=batch.reduce)


_JOINT = (
    "members = torch.nn.functional.one_hot(target, logits.shape[-1]).to(log_probabilities)\n"
    "joint = members.T @ log_probabilities.exp() / len(target)  # C x K\n"
    "surprise = -joint * joint.clamp(min=torch.finfo(joint.dtype).tiny).log()\n"
)
_DIFFERENCE = (
    "given = -given * given.clamp(min=torch.finfo(given.dtype).tiny).log()\nvalue = surprise.sum() - given.sum()"
)
_EXACT = "exact on the empirical law of the batch; Kirsch, Lyle and Gal (2020), section 5 and appendix A.3"

LAWS = (
    Surrogate(
        name="Exact[Z|Y]",
        quantity="H[Z|Y]",
        side="exact",
        latents=("categorical",),
        needs=("log_probabilities", "target"),
        formula="-sum_yz p(y,z) ln p(z|y)",
        latex=r"-\sum_{y,z} p(y,z) \ln p(z \mid y)",
        reference=_EXACT,
        evaluate=_exact_conditional_entropy,
        code=_JOINT + "given = joint.sum(1)\n" + _DIFFERENCE,
    ),
    Surrogate(
        name="Exact[Z]",
        quantity="H[Z]",
        side="exact",
        latents=("categorical",),
        needs=("log_probabilities",),
        formula="-sum_z p(z) ln p(z)",
        latex=r"-\sum_z p(z) \ln p(z)",
        reference=_EXACT,
        evaluate=_exact_entropy,
        code="marginal = log_probabilities.exp().mean(0)\n"
        "value = -(marginal * marginal.clamp(min=torch.finfo(marginal.dtype).tiny).log()).sum()",
    ),
    Surrogate(
        name="Exact[Z|X]",
        quantity="H[Z|X]",
        side="exact",
        latents=("categorical",),
        needs=("log_probabilities",),
        formula="-E_x sum_z p(z|x) ln p(z|x)",
        latex=r"-\mathbb{E}_x \sum_z p(z \mid x) \ln p(z \mid x)",
        reference=_EXACT,
        evaluate=_exact_noise,
        code="surprises = -log_probabilities.clamp(min=torch.finfo(log_probabilities.dtype).min)  # 0 ln 0 = 0\n"
        "value = (log_probabilities.exp() * surprises).sum(1).mean()",
    ),
    Surrogate(
        name="Exact[Y|Z]",
        label="decoder uncertainty",
        quantity="H[Y|Z]",
        side="exact",
        latents=("categorical",),
        needs=("log_probabilities", "target"),
        formula="-sum_yz p(y,z) ln p(y|z), the optimal decoder's; the network's own decoder is not trained",
        latex=r"-\sum_{y,z} p(y,z) \ln p(y \mid z)",
        reference=_EXACT,
        evaluate=_exact_decoder,
        orders=("Exact[Y|Z] <= CE[Y|Z]",),
        is_default=False,
        code=_JOINT + "given = joint.sum(0)\n" + _DIFFERENCE,
    ),
    Surrogate(
        name="Noise[Z|X]",
        label="noise entropy",
        quantity="H[Z|X]",
        side="exact",
        latents=("noisy", "additive", "gaussian"),
        needs=("centres",),
        formula="E_x sum_k 1/2 ln(2 pi e Var[Z_k|x])",
        latex=r"\mathbb{E}_x \sum_k \tfrac12 \ln(2 \pi e \operatorname{Var}[Z_k \mid x])",
        reference="entropy of a Gaussian; Kirsch, Lyle and Gal (2020), section 6.1",
        evaluate=_noise,
        code="noise = centres.new_zeros(centres.shape[1:]) + noise_variance  # B x K\n"
        "value = 0.5 * (noise.log() + LOG_2_PI_E).sum(1).mean()",
    ),
    Surrogate(
        name="Floor[Z|X]",
        label="0",
        quantity="H[Z|X]",
        side="lower",
        latents=("noisy", "categorical", "noisy dropout"),
        formula="0",
        latex="0",
        reference="entropies are not negative where there is noise of zero entropy; Kirsch, Lyle and Gal (2020), "
        "section 6.1",
        evaluate=_floor,
        code="value = torch.zeros(())",
    ),
)
"""Entropies of the noise, and exact sums."""

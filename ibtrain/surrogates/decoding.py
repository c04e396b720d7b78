"""Surrogates of the decoder uncertainty H[Y|Z] and of I[Y;Z], computed from what the decoder says."""

import torch
from torch import Tensor

from ibtrain.functional import decoder_cross_entropy, info_nce, prediction_cross_entropy
from ibtrain.surrogates.entry import KINDS, Batch, Surrogate

_LIKELIHOOD = (
    "classes = target.long().expand(len(logits), -1).unsqueeze(2)  # S x B x 1\n"
    "likelihood = logits.log_softmax(-1).expand(-1, len(target), -1).gather(2, classes).squeeze(2)"
)
_CODES = (
    "if logits.shape[:2] != (log_probabilities.shape[1], 1):\n"
    "    raise ValueError('logits are those of the K codes, K x 1 x C; if Z is drawn, compile for its bottleneck')\n"
)


def _cross_entropy(batch: Batch) -> Tensor:
    weights = batch.latent.log_weights
    return decoder_cross_entropy(batch.logits, batch.target, log_weights=weights, reduce=batch.reduce)


def _prediction(batch: Batch) -> Tensor:
    weights = batch.latent.log_weights
    return prediction_cross_entropy(batch.logits, batch.target, log_weights=weights, reduce=batch.reduce)


def _contrast(batch: Batch) -> Tensor:
    """Return InfoNCE with the decoder's logits as scores: rows are latents, columns the classes of all inputs."""
    candidates = batch.reduce.gather(batch.target)
    rows = torch.arange(len(batch.target), device=batch.target.device) + batch.reduce.offset(len(batch.target))
    scores = batch.logits.index_select(2, candidates).flatten(0, 1)
    return info_nce(scores, positives=rows.repeat(len(batch.logits)), reduce=batch.reduce)


DECODING = (
    Surrogate(
        name="CE[Y|Z]",
        label="decoder cross-entropy",
        quantity="H[Y|Z]",
        side="upper",
        latents=KINDS,
        needs=("logits", "target"),
        formula="E[-ln q(y|z)]",
        latex=r"\mathbb{E}[-\ln q(y \mid z)]",
        reference="Kirsch, Lyle and Gal (2020), observation 4",
        evaluate=_cross_entropy,
        code={
            "": f"{_LIKELIHOOD}\nvalue = -likelihood.mean()",
            "categorical": f"{_CODES}{_LIKELIHOOD}\nvalue = -(log_probabilities.exp() * likelihood.T).sum(1).mean()",
        },
    ),
    Surrogate(
        name="Prediction[Y|Z]",
        label="prediction cross-entropy",
        quantity="H[Y|X]",
        side="upper",
        latents=KINDS,
        needs=("logits", "target"),
        formula="E[-ln mean_s q(y|z_s)]",
        latex=r"\mathbb{E}\bigl[-\ln \tfrac1S \sum_s q(y \mid z_s)\bigr]",
        reference="Kirsch, Lyle and Gal (2020), observation 2; below the decoder cross-entropy by Jensen's inequality",
        evaluate=_prediction,
        orders=("Prediction[Y|Z] <= CE[Y|Z]",),
        is_default=False,
        replaces=("H[Y|Z]", "I[X;Y|Z]"),
        code={
            "": f"{_LIKELIHOOD}\nsamples_log = torch.tensor(len(logits)).to(logits).log()\n"
            "value = -(likelihood.logsumexp(0) - samples_log).mean()",
            "categorical": f"{_CODES}{_LIKELIHOOD}\nvalue = -(likelihood.T + log_probabilities).logsumexp(1).mean()",
        },
    ),
    Surrogate(
        name="InfoNCE[Y,Z]",
        label="InfoNCE",
        quantity="I[Y;Z]",
        side="lower",
        latents=tuple(kind for kind in KINDS if kind != "categorical"),
        needs=("logits", "target"),
        formula="E[f(z, y) - ln mean_j exp f(z, y_j)], f = ln q(y|z)",
        latex=r"\mathbb{E}\bigl[f(z, y) - \ln \tfrac1B \sum_j e^{f(z, y_j)}\bigr]",
        reference="van den Oord, Li and Vinyals (2018), section 2.3, with the decoder's logits as scores",
        evaluate=_contrast,
        is_default=False,
        code="scores = logits.index_select(2, target)\n"
        "gap = (scores.diagonal(dim1=1, dim2=2) - scores.logsumexp(2)).mean()\n"
        "value = gap + torch.tensor(len(target)).to(logits).log()",
    ),
)
"""Cross-entropies and InfoNCE."""

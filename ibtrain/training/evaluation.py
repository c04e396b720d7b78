"""What a trained network is worth on given data: accuracy, both cross-entropies, the exact decoder uncertainty.

Everything is computed in batches, with the network in evaluation mode and the latent's noise as it is in training, for
noise is part of Z's law.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ibtrain import functional
from ibtrain.bottlenecks import Latent
from ibtrain.datasets import Dataset


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Numbers of a network on one part of the data, in nats, errors as shares.

    Args:
        accuracy: Share of inputs whose most likely class is right.
        decoder_cross_entropy: CE[Y|Z], over the samples of the latent.
        prediction_cross_entropy: Cross-entropy of the prediction that averages over samples.
        sampled_error: Share of wrong labels among labels drawn from the decoder, in expectation.
        decoder_uncertainty: H[Y|Z] with the optimal decoder, for a categorical latent; else not a number.
        standard_error: Of the cross-entropies, at most.
    """

    accuracy: float
    decoder_cross_entropy: float
    prediction_cross_entropy: float
    sampled_error: float
    decoder_uncertainty: float = math.nan
    standard_error: float = 0.0

    def quantities(self) -> dict[str, tuple[str, float]]:
        """Return the numbers that are known, by name, each with the side of the bound that it is."""
        named = {
            "decoder cross-entropy": ("upper", self.decoder_cross_entropy),
            "prediction cross-entropy": ("upper", self.prediction_cross_entropy),
            "decoder uncertainty": ("exact", self.decoder_uncertainty),
            "sampled error": ("exact", self.sampled_error),
        }
        return {name: found for name, found in named.items() if not math.isnan(found[1])}


@torch.no_grad()
def evaluate(
    network: Any, data: Dataset, inputs: Tensor, targets: Tensor, *, batch_size: int = 2048
) -> tuple[Evaluation, Latent]:
    """Evaluate a network.

    Args:
        network: Returns latent and logits of a batch.
        data: What prepares the inputs, and knows the number of classes.
        inputs: N raw inputs, on the network's device.
        targets: Their classes, N.
        batch_size: How many are computed at once.

    Returns:
        The evaluation, and the latent of all N inputs with one sample each (all, if samples are enumerated).
    """
    network.eval()
    likelihoods, mixed, right, latents = [], [], [], []
    for batch, labels in zip(inputs.split(batch_size), targets.split(batch_size), strict=True):
        latent, logits = network(data.prepare(batch))
        weights = latent.log_weights
        count = len(labels) / len(targets)
        likelihoods.append(functional.decoder_cross_entropy(logits, labels, log_weights=weights).double() * count)
        predicted = _log_prediction(logits, weights, len(labels))
        mixed.append(predicted.gather(1, labels[:, None])[:, 0])
        right.append(predicted.argmax(dim=1) == labels)
        latents.append(_first_sample(latent))
    log_likelihood = torch.cat(mixed).double()
    whole = _joined(latents)
    uncertainty = math.nan
    if whole.log_probabilities is not None:
        exact = functional.decoder_uncertainty(whole.log_probabilities.double(), targets, data.num_classes)
        uncertainty = exact.item()
    evaluation = Evaluation(
        accuracy=torch.cat(right).double().mean().item(),
        decoder_cross_entropy=torch.stack(likelihoods).sum().item(),
        prediction_cross_entropy=-log_likelihood.mean().item(),
        sampled_error=1 - log_likelihood.exp().mean().item(),
        decoder_uncertainty=uncertainty,
        standard_error=log_likelihood.std(correction=0).item() / math.sqrt(len(targets)),
    )
    return evaluation, whole


def _log_prediction(logits: Tensor, log_weights: Tensor | None, size: int) -> Tensor:
    log_probabilities = logits.float().log_softmax(dim=-1).expand(-1, size, -1)
    if log_weights is None:
        return log_probabilities.logsumexp(dim=0) - math.log(logits.shape[0])
    return (log_probabilities + log_weights[..., None]).logsumexp(dim=0)


def _first_sample(latent: Latent) -> Latent:
    if latent.log_probabilities is not None:
        return latent
    mean = latent.mean
    return latent._replace(samples=latent.samples[:1], mean=mean[:1] if mean is not None and mean.ndim == 3 else mean)


def _joined(latents: Sequence[Latent]) -> Latent:
    """Join the batches of a latent; samples that are enumerated codes are the same in every batch."""
    first = latents[0]

    def join(name: str, dim: int) -> Any:
        return torch.cat([getattr(one, name) for one in latents], dim=dim)

    if first.log_probabilities is not None:
        return first._replace(log_probabilities=join("log_probabilities", 0))
    return first._replace(
        samples=join("samples", 1),
        mean=None if first.mean is None else join("mean", first.mean.ndim - 2),
        noise_std=join("noise_std", 0) if isinstance(first.noise_std, Tensor) else first.noise_std,
    )

"""From a trained latent to the tidy numbers of the information plane.

Where the law of Z given x is known, the latent is a mixture over the training data (X is the empirical sample), and the
mixture estimator measures it; categories are measured exactly; nearest neighbours, which the paper used, and a Gaussian
bound on H[Z] need samples alone. Coordinates as in Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020),
figure 6: preserved information I[X;Z] against residual information I[X;Y|Z].
"""

import dataclasses
import math

import torch
from torch import Tensor

from ibtrain import estimators, functional
from ibtrain.bottlenecks import Latent
from ibtrain.config import Config
from ibtrain.errors import InformationError
from ibtrain.estimators.inputs import label_entropy
from ibtrain.runs import Row

PRESERVED = "I[X;Z]"
"""Preserved information: what the latent keeps of the input."""

RESIDUAL = "I[X;Y|Z]"
"""Residual information: what the input still knows of the class when the latent is known."""


def measure(latent: Latent, labels: Tensor, config: Config, *, epoch: int) -> tuple[Row, ...]:
    """Return the information-plane quantities of a latent, each with its standard error and flags.

    Beside them stand what bounds them: log Var[Z] and log Var[Z|Y] of a continuous latent over all of the data, the
    labels' entropy H[Y], and ln N of the N samples. The mixture estimator is left out behind dropout, whose law has no
    density in closed form; a categorical latent has exact values instead of estimates. What an estimator refuses is a
    row without a value whose flag says why.

    Args:
        latent: Of the training data: samples S x N x K and what is known of their law.
        labels: Their classes, N.
        config: The run's configuration, with the estimators and the number of samples.
        epoch: Epoch that the latents belong to.

    Returns:
        One row for each quantity and estimator, in nats.

    Example:
        >>> means = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
        >>> latent = Latent(samples=means[None], mean=means, noise_std=math.sqrt(Config().bottleneck.noise_variance))
        >>> rows = measure(latent, torch.tensor([0, 0, 1, 1]), Config(), epoch=1)
        >>> {row.quantity: round(row.value, 3) for row in rows}["I[X;Z]"]
        0.693
    """
    if latent.log_probabilities is not None:
        found = _exact(latent.log_probabilities.double(), labels)
    else:
        found = [one for name in config.plane.estimators for one in _estimated(name, latent, labels, config)]
        found += _log_variances(latent, labels)
    found += _limits(labels)
    return tuple(
        Row(
            run=config.digest,
            epoch=epoch,
            gamma=config.objective.gamma,
            surrogate=config.objective.surrogate,
            seed=config.seed,
            quantity=estimate.quantity,
            estimator=estimate.estimator,
            side=estimate.side,
            value=estimate.value,
            standard_error=estimate.standard_error,
            flags="; ".join(estimate.flags),
        )
        for estimate in found
    )


def _estimated(name: str, latent: Latent, labels: Tensor, config: Config) -> list[estimators.Estimate]:
    try:
        if name == "knn":
            return list(_knn(latent, labels, config))
        if name == "gaussian":
            return list(estimators.gaussian(latent.samples[0]))
        if latent.mean is None or latent.mean.ndim != 2 or latent.noise_std is None:
            return []
        variance = torch.as_tensor(latent.noise_std).double().square().cpu()
        return list(
            estimators.mixture(
                latent.mean,
                float(variance) if variance.ndim == 0 else variance,
                labels,
                config.plane.samples,
                config.plane.seed,
                bounds=False,
            )
        )
    except InformationError as error:
        return [estimators.Estimate("H[Z]", value=math.nan, size=len(labels), estimator=name, flags=(str(error),))]


def _knn(latent: Latent, labels: Tensor, config: Config) -> estimators.Estimates:
    generator = torch.Generator().manual_seed(config.plane.seed)
    kept = torch.randperm(len(labels), generator=generator)[: config.plane.neighbour_samples].to(labels.device)
    variance = latent.noise_std**2 if isinstance(latent.noise_std, float) and _has_plain_mean(latent) else None
    return estimators.knn(latent.samples[0][kept], labels[kept], k=config.plane.neighbours, noise_variance=variance)


def _log_variances(latent: Latent, labels: Tensor) -> list[estimators.Estimate]:
    centres, noise = latent.centres.double(), latent.noise_variance
    values = {
        "log Var[Z]": functional.log_variance(centres, noise_variance=noise),
        "log Var[Z|Y]": functional.conditional_log_variance(
            centres, labels, int(labels.max()) + 1, noise_variance=noise
        ),
    }
    error = 0.0 if _has_plain_mean(latent) else math.nan
    return [
        dataclasses.replace(_known(name, value.item(), labels), side="upper", standard_error=error)
        for name, value in values.items()
        if bool(value.isfinite())
    ]


def _limits(labels: Tensor) -> list[estimators.Estimate]:
    return [_known("H[Y]", label_entropy(labels), labels), _known("ln N", math.log(len(labels)), labels)]


def _known(quantity: str, value: float, labels: Tensor) -> estimators.Estimate:
    """Return a number that is computed on all of the training data."""
    return estimators.Estimate(quantity, value=value, standard_error=0.0, size=len(labels), estimator="training data")


def _has_plain_mean(latent: Latent) -> bool:
    return latent.mean is not None and latent.mean.ndim == 2


def _exact(log_probabilities: Tensor, labels: Tensor) -> list[estimators.Estimate]:
    classes = int(labels.max()) + 1
    values = {
        "H[Z]": functional.categorical_entropy(log_probabilities),
        "H[Z|X]": functional.categorical_noise_entropy(log_probabilities),
        "I[X;Z]": functional.categorical_information(log_probabilities),
        "H[Z|Y]": functional.categorical_conditional_entropy(log_probabilities, labels, classes),
        "I[Y;Z]": functional.categorical_label_information(log_probabilities, labels, classes),
        "I[X;Z|Y]": functional.categorical_conditional_information(log_probabilities, labels, classes),
        "H[Y|Z]": functional.decoder_uncertainty(log_probabilities, labels, classes),
    }
    values["I[X;Y|Z]"] = values["H[Y|Z]"]
    return [
        estimators.Estimate(name, value=value.item(), standard_error=0.0, size=len(labels), estimator="exact")
        for name, value in values.items()
    ]

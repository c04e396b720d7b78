"""From a trained latent to the tidy numbers of the information plane.

The noise of the latent is known, so its law is a mixture of Gaussians around the noiseless latents of the training
data, and the mixture estimator measures it; X is the empirical sample. Coordinates as in Kirsch, Lyle and Gal,
"Unpacking Information Bottlenecks" (2020), figure 6: preserved information I[X;Z] against residual
information I[X;Y|Z].
"""

from torch import Tensor

from ibtrain import estimators
from ibtrain.config import Config
from ibtrain.runs import Row

PRESERVED = "I[X;Z]"
"""Preserved information: what the latent keeps of the input."""

RESIDUAL = "I[X;Y|Z]"
"""Residual information: what the input still knows of the class when the latent is known."""


def measure(means: Tensor, labels: Tensor, config: Config, *, epoch: int) -> tuple[Row, ...]:
    """Return the information-plane quantities of a latent, each with its standard error and flags.

    Args:
        means: Noiseless latents of the training data, N x K.
        labels: Their classes, N.
        config: The run's configuration, with the noise variance and the number of samples.
        epoch: Epoch that the latents belong to.

    Returns:
        One row for each quantity, in nats.

    Example:
        >>> import torch
        >>> means = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
        >>> rows = measure(means, torch.tensor([0, 0, 1, 1]), Config(), epoch=1)
        >>> {row.quantity: round(row.value, 3) for row in rows}["I[X;Z]"]
        0.693
    """
    found = estimators.mixture(
        means, config.bottleneck.noise_variance, labels, config.plane.samples, config.plane.seed, bounds=False
    )
    return tuple(
        Row(
            run=config.digest,
            epoch=epoch,
            gamma=config.objective.gamma,
            surrogate=config.objective.surrogate,
            seed=config.seed,
            quantity=quantity,
            estimator=estimate.estimator,
            side=estimate.side,
            value=estimate.value,
            standard_error=estimate.standard_error,
            flags="; ".join(estimate.flags),
        )
        for quantity, estimate in found.quantities.items()
    )

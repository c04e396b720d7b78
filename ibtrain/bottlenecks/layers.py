"""What all bottlenecks share: the layer they wrap, the flattening rule, and the kind of latent they make."""

import abc
import math
from typing import Literal

import torch
from torch import Tensor, is_tensor, nn

from ibtrain.bottlenecks.latents import Latent
from ibtrain.errors import ConfigError

ZERO_ENTROPY_VARIANCE = 1 / (2 * math.pi * math.e)
"""Variance of Gaussian noise with an entropy of 0 nats in each dimension."""

Kind = Literal["noisy", "additive", "gaussian", "categorical", "dropout", "noisy dropout"]
"""What is known of a latent: see `Bottleneck.kind`."""


class Bottleneck(nn.Module, abc.ABC):
    """A layer that makes a random latent Z of known law out of features.

    It wraps a layer of any network, or stands after it. Features of any shape B x ... are flattened to B x F, the last
    index fastest; features of shape B become B x 1. Features in half precision are lifted to float32, also under
    autocast, so that samples, means and logarithms are never coarser. Z is drawn in training and in evaluation alike,
    for the randomness is part of its law.

    Args:
        layer: The layer to wrap; without one, the bottleneck acts on what it is given.
        samples: Samples S of Z for each input.

    Raises:
        ConfigError: If the number of samples is not a positive whole number, or the layer is no module.
    """

    def __init__(self, layer: nn.Module | None = None, *, samples: int = 1) -> None:
        super().__init__()
        if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
            raise ConfigError(f"a bottleneck needs at least one sample, a whole number, not {samples!r}")
        if layer is not None and not isinstance(layer, nn.Module):
            raise ConfigError(f"a bottleneck wraps a torch.nn.Module, not {layer!r}")
        self.layer = nn.Identity() if layer is None else layer
        self.samples = samples

    @property
    @abc.abstractmethod
    def kind(self) -> Kind:
        """What is known of the latent: the facts from which a loss is proved to be a bound.

        `"noisy"`: Gaussian noise of at least zero entropy, H[Z|X] constant; `"additive"`: less noise, H[Z|X] constant
        but negative; `"gaussian"`: H[Z|X] in closed form; `"categorical"`: discrete; `"dropout"`: no finite H[Z|X];
        `"noisy dropout"`: entropies at least 0, H[Z|X] unknown.
        """

    @abc.abstractmethod
    def forward(self, *inputs: Tensor) -> Latent:
        """Return the latent of a batch.

        Args:
            inputs: What the wrapped layer takes; without a layer, features B x ....

        Raises:
            ConfigError: If the features do not have the shape that the bottleneck needs.
        """


def flattened(features: Tensor) -> Tensor:
    """Return features as B x F in float32 at least.

    Args:
        features: B x ....

    Raises:
        ConfigError: If there is no batch dimension, or nothing else.

    Example:
        >>> flattened(torch.zeros(5, 2, 3)).shape
        torch.Size([5, 6])
    """
    if not isinstance(features, Tensor) or not features.is_floating_point():
        raise ConfigError("a bottleneck needs features as one tensor of floating-point numbers, B x ...")
    if features.ndim == 0 or features.numel() == 0:
        raise ConfigError(
            f"features need a batch dimension and at least one number: give B x ..., not shape {tuple(features.shape)}"
        )
    flat = features.reshape(features.shape[0], -1)
    return flat.float() if flat.dtype in (torch.float16, torch.bfloat16) else flat


def positive_variance(variance: float) -> float:
    """Return a variance of noise.

    Args:
        variance: What was given.

    Raises:
        ConfigError: If it is not a positive finite number.

    Example:
        >>> positive_variance(2)
        2.0
    """
    if isinstance(variance, bool) or not isinstance(variance, int | float) or not 0 < variance < math.inf:
        raise ConfigError(f"the noise variance must be positive and finite, not {variance!r}")
    return float(variance)


def has_zero_entropy(variance: float) -> bool:
    """Say whether Gaussian noise of a variance has an entropy of at least 0, up to rounding.

    Args:
        variance: Its variance in each dimension.

    Example:
        >>> has_zero_entropy(ZERO_ENTROPY_VARIANCE), has_zero_entropy(0.05)
        (True, False)
    """
    return variance >= ZERO_ENTROPY_VARIANCE * (1 - 1e-12)


def check_latent_kind(latent: Latent, kind: str) -> None:
    """Refuse a latent that is seen not to be of a kind, without looking at the values of tensors.

    What is proved for a kind holds for latents of which more is known, so these pass: more noise than is asked for,
    or a number as deviation where a tensor would do.

    Args:
        latent: What a bottleneck returned.
        kind: The kind of latent that a loss was compiled for.

    Raises:
        ConfigError: If it is no latent, or not one of that kind.

    Example:
        >>> check_latent_kind(Latent(torch.zeros(1, 5, 2), torch.zeros(5, 2), noise_std=1.0), "noisy")
    """
    if not hasattr(latent, "noise_std"):
        raise ConfigError(f"a loss needs the ibtrain.Latent that a bottleneck returns, not {type(latent).__name__}")
    found = _misfit(latent, kind)
    if found:
        raise ConfigError(
            f"the loss is compiled for a {kind} latent, but this one {found}: compile it for the bottleneck that made "
            "the latent, compile(..., latent=bottleneck)"
        )


def _misfit(latent: Latent, kind: str) -> str:
    deviation = latent.noise_std
    if kind == "categorical":
        return "has no log_probabilities" if latent.log_probabilities is None else ""
    if latent.log_probabilities is not None or latent.mean is None:
        return "is categorical"
    if kind == "dropout":
        return ""
    if deviation is None:
        return "has no noise"
    if kind == "gaussian":
        return "" if latent.mean.ndim == 2 else "has no closed form of H[Z|X]"
    if is_tensor(deviation):
        return "has noise whose deviation is a tensor, which may be any"
    if kind != "noisy dropout" and latent.mean.ndim != 2:
        return "is a dropout latent"
    if kind != "additive" and not has_zero_entropy(deviation**2):
        return f"has noise of variance {deviation**2:.6g}, whose entropy is negative"
    return ""

"""Layers that turn a network's features into a random latent Z whose law given X is known.

A bottleneck wraps a layer of any network, or stands after it, and returns a `Latent`: samples, and what is known of
p(z|x). Its `kind` says which facts about Z a proof may use.
"""

from ibtrain.bottlenecks.categorical import CategoricalBottleneck
from ibtrain.bottlenecks.dropout import DropoutBottleneck
from ibtrain.bottlenecks.latents import Latent
from ibtrain.bottlenecks.layers import ZERO_ENTROPY_VARIANCE, Bottleneck, Kind, check_latent_kind
from ibtrain.bottlenecks.noise import AdditiveNoise, GaussianBottleneck

__all__ = [
    "ZERO_ENTROPY_VARIANCE",
    "AdditiveNoise",
    "Bottleneck",
    "CategoricalBottleneck",
    "DropoutBottleneck",
    "GaussianBottleneck",
    "Kind",
    "Latent",
    "check_latent_kind",
]

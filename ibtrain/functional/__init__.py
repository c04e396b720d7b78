"""Losses, bounds and entropies as pure functions of tensors.

Each function states its shapes, its unit (nats) and on which side of which quantity it lies. S counts the samples of
the latent for each input, B the inputs, K the latent's dimensions and C the classes. All compute in float32 at least,
have no shapes that depend on the data, and take a `reduce` that joins a batch spread over processes.
"""

from ibtrain.functional.categorical import (
    categorical_conditional_entropy,
    categorical_conditional_information,
    categorical_entropy,
    categorical_information,
    categorical_label_information,
    categorical_noise_entropy,
    decoder_uncertainty,
)
from ibtrain.functional.cross_entropies import decoder_cross_entropy, prediction_cross_entropy
from ibtrain.functional.moments import (
    conditional_log_determinant,
    conditional_log_variance,
    gaussian_entropy,
    gaussian_noise_entropy,
    log_determinant,
    log_variance,
    squared_norm,
    squared_norm_bound,
)
from ibtrain.functional.pairwise import (
    info_nce,
    pairwise_conditional_entropy_bound,
    pairwise_conditional_information_bound,
    pairwise_entropy_bound,
    pairwise_information_bound,
)
from ibtrain.functional.variational import (
    class_conditional_cross_entropy,
    gaussian_kl_to_prior,
    marginal_cross_entropy,
    mixture_marginal_cross_entropy,
)

__all__ = [
    "categorical_conditional_entropy",
    "categorical_conditional_information",
    "categorical_entropy",
    "categorical_information",
    "categorical_label_information",
    "categorical_noise_entropy",
    "class_conditional_cross_entropy",
    "conditional_log_determinant",
    "conditional_log_variance",
    "decoder_cross_entropy",
    "decoder_uncertainty",
    "gaussian_entropy",
    "gaussian_kl_to_prior",
    "gaussian_noise_entropy",
    "info_nce",
    "log_determinant",
    "log_variance",
    "marginal_cross_entropy",
    "mixture_marginal_cross_entropy",
    "pairwise_conditional_entropy_bound",
    "pairwise_conditional_information_bound",
    "pairwise_entropy_bound",
    "pairwise_information_bound",
    "prediction_cross_entropy",
    "squared_norm",
    "squared_norm_bound",
]

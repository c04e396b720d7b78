"""Cross-entropies of a decoder q(y|z): upper bounds of H[Y|Z] and H[Y|X].

S counts the samples of the latent for each input, B the inputs, C the classes. Sources: Kirsch, Lyle and Gal,
"Unpacking Information Bottlenecks" (2020), section 3.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ibtrain.errors import ConfigError
from ibtrain.functional.tensors import batch_mean, check_target, repeated, single_precision
from ibtrain.reduction import LOCAL, Reduction

_NO_CLASS = -(2**63)  # by default torch leaves out targets of -100; no whole number of a target is this one


@single_precision
def decoder_cross_entropy(
    logits: Tensor, target: Tensor, *, log_weights: Tensor | None = None, reduce: Reduction = LOCAL
) -> Tensor:
    """Return the decoder cross-entropy CE[Y|Z] = E[-ln q(y|z)], an upper bound of H[Y|Z].

    The gap is the mean Kullback-Leibler divergence of p(y|z) from the decoder's q(y|z). The mean is over samples of the
    latent first: each sample is decoded and judged alone.

    Args:
        logits: Decoder outputs before the softmax, S x B x C; or S x 1 x C, if the samples are the same for all inputs
            (the codes of a categorical latent).
        target: Classes from 0 to C - 1, B.
        log_weights: Logarithms of the samples' weights, S x B, whose exponentials sum to 1 over S: ln p(z|x) of an
            enumerated latent. By default all weigh the same.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together.

    References:
        Kirsch, Lyle and Gal (2020), observation 4, equation (5).

    Example:
        >>> decoder_cross_entropy(torch.zeros(1, 2, 4), torch.tensor([0, 3])).item() == torch.tensor(4.0).log().item()
        True
    """
    _check(logits, target, log_weights)
    if log_weights is not None or logits.shape[1] != target.shape[0]:
        values = _surprise(logits, target)
        return batch_mean(values if log_weights is None else (log_weights.exp() * values).sum(dim=0), reduce)
    rows, labels = logits.flatten(0, 1), repeated(target.long(), logits.shape[0])
    if reduce is LOCAL:
        return cross_entropy(rows, labels, ignore_index=_NO_CLASS)
    total = cross_entropy(rows, labels, reduction="sum", ignore_index=_NO_CLASS)
    return reduce.sum(total) / reduce.count(rows.shape[0], rows)


@single_precision
def prediction_cross_entropy(
    logits: Tensor, target: Tensor, *, log_weights: Tensor | None = None, reduce: Reduction = LOCAL
) -> Tensor:
    """Return the prediction cross-entropy E[-ln mean_s q(y|z_s)], at most the decoder cross-entropy (Jensen).

    The S samples of one input vote before the logarithm is taken. It estimates the cross-entropy of p(y|x), so it is an
    upper bound of H[Y|X], not of H[Y|Z]; with one sample, or a deterministic encoder, both cross-entropies agree.

    Args:
        logits: Decoder outputs before the softmax, S x B x C; or S x 1 x C, if the samples are the same for all inputs.
        target: Classes from 0 to C - 1, B.
        log_weights: Logarithms of the samples' weights, S x B, whose exponentials sum to 1 over S. By default all
            weigh the same.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together.

    References:
        Kirsch, Lyle and Gal (2020), observation 2, equation (4).

    Example:
        >>> logits = torch.tensor([[[4.0, 0.0]], [[0.0, 4.0]]])
        >>> target = torch.tensor([0])
        >>> bool(prediction_cross_entropy(logits, target) < decoder_cross_entropy(logits, target))
        True
    """
    _check(logits, target, log_weights)
    values = _surprise(logits, target)
    if log_weights is None:
        mixed = torch.logsumexp(-values, dim=0) - math.log(logits.shape[0])
    else:
        mixed = torch.logsumexp(log_weights - values, dim=0)
    return -batch_mean(mixed, reduce)


def _check(logits: Tensor, target: Tensor, log_weights: Tensor | None) -> None:
    if logits.ndim != 3 or logits.numel() == 0:
        raise ConfigError(f"logits must be S x B x C with at least one of each, not of shape {tuple(logits.shape)}")
    samples, size, _ = logits.shape
    one_for_all = size == 1 and isinstance(target, Tensor) and target.ndim == 1
    check_target(target, target.shape[0] if one_for_all else size)
    if log_weights is not None and log_weights.shape != (samples, target.shape[0]):
        raise ConfigError(
            f"log_weights must be S x B = {samples} x {target.shape[0]}, not of shape {tuple(log_weights.shape)}"
        )


def _surprise(logits: Tensor, target: Tensor) -> Tensor:
    """Return -ln q(y|z), S x B."""
    samples, size, _ = logits.shape
    if size != target.shape[0]:
        return -logits.squeeze(1).log_softmax(dim=-1).index_select(1, target)
    labels = repeated(target.long(), samples)
    surprise = cross_entropy(logits.flatten(0, 1), labels, reduction="none", ignore_index=_NO_CLASS)
    return surprise.view(samples, size)

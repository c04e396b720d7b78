"""Entropies of a categorical latent, exact on the empirical law of the batch.

The encoder gives ln p(z|x) for K values of Z; X is uniform on the B inputs, and each carries one class. With these
tables every entropy is a finite sum, and automatic differentiation gives its exact gradient. Source: Kirsch, Lyle and
Gal, "Unpacking Information Bottlenecks" (2020), section 5 and appendix A.3.
"""

import torch
from torch import Tensor

from ibtrain.errors import ConfigError
from ibtrain.functional.tensors import batch_mean, check_target, members_of, single_precision, surprise
from ibtrain.reduction import LOCAL, Reduction


@single_precision
def decoder_uncertainty(
    log_probabilities: Tensor, target: Tensor, num_classes: int, *, reduce: Reduction = LOCAL
) -> Tensor:
    """Return the decoder uncertainty H[Y|Z], exactly: the cross-entropy of the optimal decoder.

    Args:
        log_probabilities: ln p(z|x), B x K.
        target: Classes, B.
        num_classes: Number of classes C.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together.

    References:
        Kirsch, Lyle and Gal (2020), appendix A.3.

    Example:
        >>> log_probabilities = torch.tensor([[0.5, 0.5], [0.5, 0.5]]).log()
        >>> round(decoder_uncertainty(log_probabilities, torch.tensor([0, 1]), 2).exp().item(), 5)
        2.0
    """
    joint = _joint(log_probabilities, target, num_classes, reduce)
    return _conditional(joint, dim=0)


@single_precision
def categorical_entropy(log_probabilities: Tensor, *, reduce: Reduction = LOCAL) -> Tensor:
    """Return H[Z], exactly.

    Args:
        log_probabilities: ln p(z|x), B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the table is not B x K.

    Example:
        >>> round(categorical_entropy(torch.tensor([[1.0, 0.0], [0.0, 1.0]]).log()).exp().item(), 5)
        2.0
    """
    _check(log_probabilities)
    count = reduce.count(log_probabilities.shape[0], log_probabilities)
    return surprise(reduce.sum(log_probabilities.exp().sum(dim=0)) / count).sum()


@single_precision
def categorical_conditional_entropy(
    log_probabilities: Tensor, target: Tensor, num_classes: int, *, reduce: Reduction = LOCAL
) -> Tensor:
    """Return H[Z|Y], exactly; an absent class weighs nothing.

    Args:
        log_probabilities: ln p(z|x), B x K.
        target: Classes, B.
        num_classes: Number of classes C.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together.

    Example:
        >>> codes = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).log()
        >>> categorical_conditional_entropy(codes, torch.tensor([0, 1]), 2).abs().item() < 1e-6
        True
    """
    joint = _joint(log_probabilities, target, num_classes, reduce)
    return _conditional(joint, dim=1)


@single_precision
def categorical_noise_entropy(log_probabilities: Tensor, *, reduce: Reduction = LOCAL) -> Tensor:
    """Return H[Z|X], exactly.

    Args:
        log_probabilities: ln p(z|x), B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the table is not B x K.

    Example:
        >>> categorical_noise_entropy(torch.tensor([[1.0, 0.0], [0.0, 1.0]]).log()).abs().item()
        0.0
    """
    _check(log_probabilities)
    finite = log_probabilities.clamp(min=torch.finfo(log_probabilities.dtype).min)
    return batch_mean(-(log_probabilities.exp() * finite).sum(dim=1), reduce)


def categorical_information(log_probabilities: Tensor, *, reduce: Reduction = LOCAL) -> Tensor:
    """Return I[X;Z] = H[Z] - H[Z|X], exactly.

    Args:
        log_probabilities: ln p(z|x), B x K.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the table is not B x K.

    Example:
        >>> round(categorical_information(torch.tensor([[1.0, 0.0], [0.0, 1.0]]).log()).exp().item(), 5)
        2.0
    """
    noise = categorical_noise_entropy(log_probabilities, reduce=reduce)
    return categorical_entropy(log_probabilities, reduce=reduce) - noise


def categorical_conditional_information(
    log_probabilities: Tensor, target: Tensor, num_classes: int, *, reduce: Reduction = LOCAL
) -> Tensor:
    """Return I[X;Z|Y] = H[Z|Y] - H[Z|X], exactly.

    Args:
        log_probabilities: ln p(z|x), B x K.
        target: Classes, B.
        num_classes: Number of classes C.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together.

    Example:
        >>> codes = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).log()
        >>> round(categorical_conditional_information(codes, torch.tensor([0, 0]), 1).exp().item(), 5)
        2.0
    """
    noise = categorical_noise_entropy(log_probabilities, reduce=reduce)
    return categorical_conditional_entropy(log_probabilities, target, num_classes, reduce=reduce) - noise


@single_precision
def categorical_label_information(
    log_probabilities: Tensor, target: Tensor, num_classes: int, *, reduce: Reduction = LOCAL
) -> Tensor:
    """Return I[Y;Z] = H[Y] - H[Y|Z], exactly.

    Args:
        log_probabilities: ln p(z|x), B x K.
        target: Classes, B.
        num_classes: Number of classes C.
        reduce: How a batch spread over processes is joined.

    Returns:
        A scalar, in nats.

    Raises:
        ConfigError: If the shapes do not fit together.

    Example:
        >>> codes = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).log()
        >>> round(categorical_label_information(codes, torch.tensor([0, 1]), 2).exp().item(), 5)
        2.0
    """
    joint = _joint(log_probabilities, target, num_classes, reduce)
    return surprise(joint.sum(dim=1)).sum() - _conditional(joint, dim=0)


def _check(log_probabilities: Tensor) -> None:
    if log_probabilities.ndim != 2 or log_probabilities.numel() == 0:
        raise ConfigError(
            f"log_probabilities must be B x K with at least one of each, not of shape {tuple(log_probabilities.shape)}"
        )


def _joint(log_probabilities: Tensor, target: Tensor, num_classes: int, reduce: Reduction) -> Tensor:
    """Return p(y, z), C x K."""
    _check(log_probabilities)
    check_target(target, log_probabilities.shape[0])
    members = members_of(target, num_classes, log_probabilities)
    count = reduce.count(log_probabilities.shape[0], log_probabilities)
    return reduce.sum(members.T @ log_probabilities.exp()) / count


def _conditional(joint: Tensor, dim: int) -> Tensor:
    """Return the entropy of the law along a dimension, given the other.

    The logarithm of a ratio loses fewer digits of the gradient than a difference of logarithms.
    """
    tiny = torch.finfo(joint.dtype).tiny
    ratio = joint / joint.sum(dim=dim, keepdim=True).clamp(min=tiny)
    return -(joint * ratio.clamp(min=tiny).log()).sum()

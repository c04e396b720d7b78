"""How far an estimator may be trusted on data of this size: its bias on pure noise, its null, its error by subsamples.

An estimate belongs beside what the same estimator says of data whose truth is known. Nearest neighbours say +16 nats
for the zero-entropy noise in 100 dimensions with 10,000 samples: that is the calibration to show with every plot.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ibtrain.estimators.inputs import Array, as_numbers, as_samples, seeded, whole
from ibtrain.estimators.nearest import knn
from ibtrain.estimators.neighbours import Norm
from ibtrain.estimators.result import Estimate
from imeasure.errors import ConfigError, InformationError

ZERO_ENTROPY_VARIANCE = 1 / (2 * math.pi * math.e)
SMALLEST, LARGEST = 4, 1 << 31
"""Most numbers in a draw of noise: 16 GB."""


def noise_calibration(
    size: int,
    width: int,
    *,
    k: int = 3,
    norm: Norm = "euclidean",
    noise_variance: float = ZERO_ENTROPY_VARIANCE,
    repeats: int = 1,
    seed: int = 0,
) -> Estimate:
    """Estimate ``H[Z]`` of pure Gaussian noise, whose truth is known; the difference is the estimator's bias.

    With the default variance 1/(2 pi e) the truth is 0 in every dimension, so the value itself is the bias that a
    nearest-neighbour entropy of N samples in K dimensions carries where the data look like noise at the scale of
    their neighbours.

    Args:
        size: Number N of samples.
        width: Number K of dimensions.
        k: Number of neighbours.
        norm: Norm of the distances.
        noise_variance: Variance of the noise in each dimension.
        repeats: Number of independent draws to average.
        seed: Seed of the draws.

    Returns:
        The bias in nats, estimate minus truth, with its standard error.

    Raises:
        ConfigError: If size, width or repeats are too small.

    Example:
        >>> abs(noise_calibration(2000, 1).value) < 0.1
        True
        >>> noise_calibration(1000, 50).value > 4
        True
    """
    size, width, repeats = whole(size, "size", 2), whole(width, "width", 1), whole(repeats, "repeats", 1)
    if size * width > LARGEST:
        raise ConfigError(f"{size} x {width} numbers are too many to draw: give a smaller size or width")
    variance = as_numbers(noise_variance, "noise_variance")
    if variance.ndim or not (math.isfinite(variance) and variance > 0):
        raise ConfigError(f"noise_variance must be a positive number, got {noise_variance}")
    generator = seeded(seed)
    truth = width / 2 * math.log(2 * math.pi * math.e * noise_variance)
    values = []
    for _ in range(repeats):
        noise = math.sqrt(noise_variance) * torch.randn(size, width, generator=generator, dtype=torch.float64)
        values.append(knn(noise, k=k, norm=norm)["H[Z]"])
    mean = math.fsum(v.value for v in values) / repeats
    error = math.sqrt(math.fsum(v.standard_error**2 for v in values)) / repeats
    return Estimate("bias of H[Z] on noise", mean - truth, error, size=size, k=k, estimator=values[0].estimator)


def permutation_null(
    estimator: Callable[[Tensor, Tensor | NDArray[Any]], Estimate],
    x: Array,
    y: Array,
    *,
    repeats: int = 20,
    seed: int = 0,
) -> list[float]:
    """Return the estimates of an information after the samples of Y have been shuffled: what it says of nothing.

    Args:
        estimator: Takes x and the shuffled y, returns an estimate, such as
            ``lambda x, y: knn(x, y)["I[Y;Z]"]`` or :func:`ibtrain.estimators.ksg`.
        x: N x K samples.
        y: N labels, or N x L samples.
        repeats: Number of shuffles.
        seed: Seed of the shuffles.

    Raises:
        ConfigError: If the numbers of samples differ or there are no repeats.

    Example:
        >>> x = torch.randn(500, generator=torch.Generator().manual_seed(0))
        >>> null = permutation_null(lambda a, b: knn(a, b)["I[Y;Z]"], x, x > 0, repeats=5)
        >>> max(null) < 0.1
        True
    """
    left, right = as_samples(x, "X"), _rows(y)
    if len(right) != len(left):
        raise ConfigError(f"x and y must have equally many samples, got {len(left)} and {len(right)}")
    generator = seeded(seed)
    orders = [torch.randperm(len(left), generator=generator) for _ in range(whole(repeats, "repeats", 1))]
    return [_ask(estimator, left, _chosen(right, order)).value for order in orders]


def subsampling_error(
    estimator: Callable[..., Estimate], *data: Array, parts: tuple[int, ...] = (4, 6, 8, 10), seed: int = 0
) -> float:
    """Return the standard error of an estimate, corrected by what it is worth on disjoint parts of the sample.

    The parts are independent, so how much their variance exceeds the square of the standard error that the estimator
    states for them has no bias. That excess falls as 1/N, as the variance does (C. M. Holmes and I. Nemenman, Physical
    Review E 100, 022404, 2019): it is measured on parts of N/n samples, for several n, and added to what the
    estimator states for all samples, of which half is left at least. An estimator that states no error has the
    variance itself carried over, which is too small where small parts vary less than their share. The bias is not in
    the error.

    Args:
        estimator: Takes as many tensors or arrays as there are data, returns an estimate.
        *data: Samples of the variables, N rows each.
        parts: The numbers n of disjoint parts.
        seed: Seed of the partitions.

    Raises:
        ConfigError: If the numbers of samples differ, or a number of parts is below 2, or too large for the estimator.

    Example:
        >>> x = torch.randn(1000, generator=torch.Generator().manual_seed(0))
        >>> 0.005 < subsampling_error(lambda z: knn(z)["H[Z]"], x) < 0.1
        True
    """
    variables = [_rows(values) for values in data]
    if len({len(rows) for rows in variables}) != 1:
        raise ConfigError("give the samples of one variable or more, equally many of each")
    if not isinstance(parts, Sequence) or not parts:
        raise ConfigError(f"parts must be numbers of disjoint parts, such as (4, 6, 8, 10), got {parts!r}")
    size = len(variables[0])
    if size < SMALLEST:
        raise ConfigError(f"{size} samples cannot be parted: the error needs two parts of two samples at least")
    parts = tuple(whole(count, "each number in parts", 2, max(2, size // 2)) for count in parts)
    generator = seeded(seed)
    stated = _ask(estimator, *variables).standard_error ** 2
    scaled, weights = 0.0, 0
    for count in parts:
        pieces = torch.randperm(size, generator=generator).tensor_split(count)
        try:
            found = [_ask(estimator, *(_chosen(v, piece) for v in variables)) for piece in pieces]
        except InformationError as error:
            raise ConfigError(
                f"no estimate of {size // count} samples, one of {count} parts: {error}. Give fewer with parts=..."
            ) from error
        excess = statistics.variance(part.value for part in found)
        if not math.isnan(stated):
            excess -= statistics.fmean(part.standard_error**2 for part in found)
        scaled += excess / count * (count - 1)
        weights += count - 1
    known = 0.0 if math.isnan(stated) else stated
    return math.sqrt(max(known + scaled / weights, known / 4))


def _rows(values: Array) -> Tensor | NDArray[Any]:
    """Return samples or labels as something that can be indexed by sample."""
    try:
        rows = values if isinstance(values, Tensor) else np.asanyarray(values)
    except ValueError as error:
        raise ConfigError(f"samples must be N numbers, N x K numbers or N labels: {error}") from None
    if rows.ndim == 0:
        raise ConfigError(f"samples must be N numbers, N x K numbers or N labels, got {values!r}")
    return rows


def _chosen(rows: Tensor | NDArray[Any], order: Tensor) -> Tensor | NDArray[Any]:
    """Return these samples in this order."""
    return rows[order.to(rows.device)] if isinstance(rows, Tensor) else rows[order.numpy()]


def _ask(estimator: Callable[..., Estimate], *data: Tensor | NDArray[Any]) -> Estimate:
    """Return what an estimator says, refusing what is no estimator."""
    if not callable(estimator):
        raise ConfigError(f"estimator must be a function of the samples, such as ksg, got {estimator!r}")
    found = estimator(*data)
    if not isinstance(found, Estimate):
        raise ConfigError(
            f"the estimator must return one Estimate, got {type(found).__name__}: choose a quantity, as in "
            "lambda x, y: knn(x, y)['I[Y;Z]']"
        )
    return found

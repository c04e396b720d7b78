"""What the sample-based estimators share: standard scale, ties, small classes, caps and digammas.

Every decision made here is reported: scaling in the estimator's name, the rest as flags. Values are never clipped.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ibtrain.estimators.inputs import (
    Array,
    Labels,
    as_classes,
    as_numbers,
    as_samples,
    choice,
    resolution,
    seeded,
    whole,
)
from ibtrain.estimators.result import Estimate
from imeasure.errors import ConfigError, UndefinedQuantityError

TIE_SHARE = 0.01
"""Share of duplicated samples above which an entropy of a density makes no sense."""
CROWDED = 10
"""Number of dimensions from which nearest neighbours may be off by a good part of a nat at 10,000 samples."""
SMALLEST = 1e-100
"""Spreads below are refused where they are the unit of distances: squares of small distances would underflow."""
UNSEEN = 5e-3
"""Nats that two printed decimals do not show: an excess below is no news."""


@dataclass(frozen=True)
class Samples:
    """Samples of a continuous variable, made ready.

    Args:
        points: N x K in float64, centred at the median, and in standard units if asked for.
        log_scale: Sum over dimensions of the logarithm of the unit; add it to an entropy of ``points``.
        flags: What was done or noticed.
    """

    points: Tensor
    log_scale: float
    flags: tuple[str, ...]


def prepare(data: Array, name: str, *, standardize: bool, jitter: float, k: int, seed: int = 0) -> Samples:
    """Centre and scale samples, add the jitter asked for, and refuse what has no density.

    Args:
        data: N x K or N numbers.
        name: The variable's name, for messages.
        standardize: Whether each dimension is divided by its standard deviation.
        jitter: Standard deviation of Gaussian noise to add, in units of each dimension's own; 0 adds none.
        k: Number of neighbours that will be asked for.
        seed: Seed of the jitter.

    Raises:
        ConfigError: If N is not larger than k, k is below 1, or the jitter is negative, or so large or small that it
            leaves nothing of the samples or of itself.
        UndefinedQuantityError: If a dimension is constant, or samples are tied: k + 1 or more are equal, or over 1 %
            of the samples have a twin; or if they are too close together to be measured in their own units.
    """
    points = as_samples(data, name)
    if whole(k, "k", 1) >= len(points):
        raise ConfigError(
            f"k must be at least 1 and below the number of samples, got k = {k} and {len(points)} samples"
        )
    choice(standardize, "standardize", (True, False))
    amount = as_numbers(jitter, "jitter")
    if amount.ndim or not 0 <= amount < 1 / SMALLEST:
        raise ConfigError(f"jitter must be zero or a positive number of standard deviations, got {jitter}")
    raw, ordered = points, points.T.contiguous().sort(dim=1).values
    points = points - ordered[:, len(points) // 2]
    low, high = ordered[:, 0], ordered[:, -1]
    rounding = 4 * resolution(data) * torch.maximum(high.abs(), low.abs())
    constant = (high - low <= rounding).nonzero()[:, 0].tolist()
    if constant:
        raise UndefinedQuantityError(
            f"dimension {constant[0]} of {name} is constant ({len(constant)} of {points.shape[1]} are), so its entropy "
            "is minus infinity: drop these dimensions, or add noise"
        )
    reach = high - low
    if not standardize and float(reach.max()) < SMALLEST:
        raise UndefinedQuantityError(
            f"the distances between samples of {name} are too small to be squared in float64: scale the samples up, or "
            "use standardize=True"
        )
    points = points / reach
    scale = points.std(0)
    flags: list[str] = []
    if jitter:
        noise = torch.randn(points.shape, generator=seeded(seed), dtype=torch.float64).to(points.device)
        points = points + jitter * scale * noise
        if len(torch.unique(points, dim=0)) < len(points):
            raise ConfigError(f"a jitter of {jitter:g} is lost in rounding, and samples of {name} stay tied: give more")
        flags.append(f"Gaussian jitter of {jitter:g} standard deviations added to {name}")
    else:
        flags += _ties(raw, ordered, name, k)
    if not standardize:
        return Samples(points * reach, 0.0, tuple(flags))
    return Samples(points / scale, float((scale.log() + reach.log()).sum()), tuple(flags))


def _ties(points: Tensor, ordered: Tensor, name: str, k: int) -> list[str]:
    """Refuse samples with too many ties; flag a few, and columns in which one value is held by more than k samples."""
    repeated = (ordered[:, 1:] == ordered[:, :-1]).any(1)
    if not bool(repeated.any()):
        return []
    _, sizes = torch.unique(points, dim=0, return_counts=True)
    largest, tied = int(sizes.max()), int(sizes[sizes > 1].sum())
    share = tied / len(points)
    said = f"{share:.2%} of the samples of {name} have an exact duplicate (the largest group has {largest})"
    if largest > k or share > TIE_SHARE:
        raise UndefinedQuantityError(
            f"{said}: there is no density to estimate. Treat the variable as labels if it is discrete, remove the "
            "duplicates, or add noise with jitter=... and say so"
        )
    flags = [said] if tied else []
    runs = [int(torch.unique_consecutive(column, return_counts=True)[1].max()) for column in ordered[repeated]]
    atoms = [run for run in runs if run > k]
    if atoms:
        flags.append(
            f"{len(atoms)} of {len(ordered)} dimensions of {name} hold one value again and again (up to "
            f"{max(atoms) / len(points):.2%} of the samples): there is no density, and the level says nothing"
        )
    return flags


def usable_classes(labels: Labels, size: int, device: torch.device) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Return which samples belong to classes of two or more, the class numbers of those, and a flag if any do not.

    Raises:
        UndefinedQuantityError: If no class has two members.
    """
    classes = as_classes(labels, size, device)
    counts = torch.bincount(classes)
    kept = counts[classes] > 1
    dropped = size - int(kept.sum())
    if dropped == size:
        raise UndefinedQuantityError(
            "every class of Y has a single sample, so none has a neighbour; give coarser labels"
        )
    flags = (f"{dropped} samples alone in their class left out",) if dropped else ()
    _, numbers = torch.unique(classes[kept], return_inverse=True)
    return kept, numbers, flags


def digamma(number: int) -> float:
    """Return the digamma function of a whole number.

    Example:
        >>> round(digamma(2) - digamma(1), 12)
        1.0
    """
    return float(torch.digamma(torch.tensor(number, dtype=torch.float64)))


def units(norm: str, standardize: bool) -> str:
    """Return how distances were measured, in words, for the name of an estimator."""
    return f"{'Euclidean' if norm == 'euclidean' else 'maximum norm'}, {'' if standardize else 'not '}standardised"


def crowded(width: int) -> str:
    """Return the flag for estimates from neighbours in many dimensions."""
    return f"{width} dimensions: neighbours are far away and levels are biased by nats; compare noise_calibration"


def capped(estimate: Estimate, cap: float, name: str, *, tolerance: float = 0.0) -> Estimate:
    """Return the estimate, flagged if it exceeds a value that the truth cannot exceed.

    Example:
        >>> e = Estimate("I[X;Z]", 12.0, size=100, estimator="knn")
        >>> capped(e, 4.6, "ln N").flags
        ('7.40 nats above ln N = 4.60: biased upwards',)
    """
    if not estimate.value > cap + max(tolerance, UNSEEN):
        return estimate
    excess = estimate.value - cap
    return replace(estimate, flags=(*estimate.flags, f"{excess:.2f} nats above {name} = {cap:.2f}: biased upwards"))

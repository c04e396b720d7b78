r"""The standard error of a mean over samples that share neighbours, by disjoint parts of the samples.

With S the variance of the N terms and C their covariance, N - 1 times, the variance of their mean is (S + C)/N. All
samples say S. The parts, being independent of each other, say C without bias for their own size: it is the variance
of their means, times their size, less the variance within them. The law 1/N that carries it over is that of C. M.
Holmes and I. Nemenman (Physical Review E 100, 022404, 2019), who apply it to S + C; small parts say too little of S.
"""

import math

import torch
from torch import Tensor

from ibtrain.estimators.inputs import seeded

PARTS = 16
"""About how many parts are measured, from as many random partitions as it takes."""
SHARE = 8
"""How many times smaller than the sample a part is."""


def partitions(size: int, least: int, most: int) -> Tensor | None:
    """Return sample numbers of disjoint parts, partitions x parts x part, or None where there are no two parts.

    Args:
        size: Number N of samples.
        least: Fewest samples in a part.
        most: Most samples in a part, which has an eighth of all at most.

    Example:
        >>> partitions(1000, 5, 1000).shape, partitions(1000, 5, 25).shape, partitions(10, 6, 10)
        (torch.Size([2, 8, 125]), torch.Size([1, 16, 25]), None)
    """
    part = max(least, min(size // SHARE, most))
    count = min(size // part, PARTS)
    if count < 2:
        return None
    generator = seeded(0)
    orders = [torch.randperm(size, generator=generator) for _ in range(round(PARTS / count))]
    return torch.stack([order[: count * part].view(count, part) for order in orders])


def error_of_mean(terms: Tensor, of_parts: Tensor) -> float:
    """Return the standard error of the mean of terms; it is never below that of independent terms.

    Args:
        terms: N numbers.
        of_parts: The numbers that parts of the samples give alone, partitions x parts x part.

    Example:
        >>> alternating = torch.tensor([1.0, -1.0]).repeat(50)
        >>> round(error_of_mean(alternating, alternating.view(1, 10, 10)), 3)
        0.101
    """
    together = of_parts.shape[-1] * of_parts.mean(-1).var(1).mean() - of_parts.var(-1).mean()
    return float((terms.var() + together.clamp(min=0)).sqrt()) / math.sqrt(len(terms))

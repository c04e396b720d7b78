"""The components of a large Gaussian mixture, cut into blocks that a matrix product takes at once.

Large classes are cut into several blocks, and small ones that lie close together share one. Each block is centred, so
that float32 loses nothing that matters where its components lie close together.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

BLOCK, GPU_BLOCK = 1024, 8192
"""Most components in a block: on a CPU, where a tile stays in the cache, and on a GPU."""
SMALL = 4096
"""Number of components up to which everything is computed in float64."""
NEGLIGIBLE = 30.0
"""Nats below the leading term, on top of ln N, under which terms are dropped: less than 1e-13 of the sum."""
CLASSES = 64
"""Most classes in a block: their sums cost a matrix product with as many columns."""
LN2 = math.log(2)


@dataclass(frozen=True)
class Components:
    """Gaussian components with equal weights, sorted by class.

    Args:
        means: N x K in float64; divided by the noise's standard deviation where all components share it.
        variance: N x K of each component's own variances, or None where the means are in units of a shared noise.
        classes: N class numbers in ascending order.
    """

    means: Tensor
    variance: Tensor | None
    classes: Tensor

    def variance_of(self, chosen: Tensor | slice) -> Tensor:
        """Return the variances of these components in the units of the means, one row each."""
        if self.variance is None:
            return torch.ones_like(self.means[chosen])
        return self.variance[chosen]


@dataclass(frozen=True)
class Block:
    """Consecutive components, of one class or of several whole ones, as the right-hand side of a matrix product.

    Args:
        part: Which components.
        labels: Their class numbers, consecutive.
        members: C x L, which component is in which class; None where there is one class.
        centre: Mean of the components, K numbers.
        radius: Largest distance from it; infinite where each component has its own noise.
        coefficients: F x C, what turns the features of rows into binary logarithms of weights.
        central: Whether rows need not be centred here: their features at the origin lose nothing.
    """

    part: slice
    labels: slice
    members: Tensor | None
    centre: Tensor
    radius: float
    coefficients: Tensor
    central: bool


def coefficients_of(components: Components, part: slice, centre: Tensor, origin: Tensor) -> Tensor:
    """Return the matrix that turns :func:`features_of` of rows at the origin into log2 weights, C x F in float64."""
    means = components.means[part] - centre
    if components.variance is None:
        constant = means.square().sum(1) / -2 - means @ (centre - origin)
        return torch.cat([means.div_(LN2), constant[:, None].div_(LN2), torch.ones_like(constant[:, None])], dim=1)
    precision = components.variance[part].reciprocal()
    constant = (means.square() * precision + components.variance[part].log()).sum(1) / -2
    return torch.cat([precision / -2, means * precision, constant[:, None]], dim=1).div_(LN2)


def features_of(delta: Tensor, components: Components) -> Tensor:
    """Return what a centred row contributes to the product: itself, 1 and its level, or squares for noise of its own.

    The level, a binary logarithm that is added to all weights of the row, is 0 here; whoever takes tiles fills it in.
    """
    ones = torch.ones_like(delta[:, :1])
    columns = [delta, ones, torch.zeros_like(ones)] if components.variance is None else [delta.square(), delta, ones]
    return torch.cat(columns, dim=1)


def cut(components: Components) -> list[Block]:
    """Cut the components into blocks; coefficients are float32 where the noise is shared."""
    origin = components.means.mean(0)
    largest = BLOCK if origin.device.type == "cpu" else GPU_BLOCK
    single = components.variance is None and len(components.means) > SMALL
    blocks = []
    for part, labels in _parts(components, largest):
        members = None
        if labels.stop - labels.start > 1:
            members = _members(components.classes[part] - labels.start).to(torch.float32 if single else torch.float64)
        centre = components.means[part].mean(0)
        radius, central = math.inf, False
        if components.variance is None:
            radius = float((components.means[part] - centre).square().sum(1).max().sqrt())
            central = float((centre - origin).square().sum().sqrt()) <= radius
        coefficients = coefficients_of(components, part, centre, origin if central else centre).T
        if single:
            coefficients = coefficients.float()
        blocks.append(Block(part, labels, members, centre, radius, coefficients.contiguous(), central))
    return blocks


def _parts(components: Components, largest: int) -> Iterator[tuple[slice, slice]]:
    """Yield which components and classes make up each block: a piece of a class, or several close together."""
    counts = torch.bincount(components.classes).tolist()
    stops = list(accumulate(counts))
    for first, last in _runs(counts, largest):
        start, stop = stops[first] - counts[first], stops[last - 1]
        if last - first > 1 and _close(components, slice(start, stop)):
            yield slice(start, stop), slice(first, last)
            continue
        for label in range(first, last):
            start, count = stops[label] - counts[label], counts[label]
            pieces = math.ceil(count / largest)
            for piece in range(pieces):
                low, high = (start + step * count // pieces for step in (piece, piece + 1))
                yield slice(low, high), slice(label, label + 1)


def _runs(counts: Sequence[int], largest: int) -> list[tuple[int, int]]:
    """Return the first and one past the last class of runs that fit into one block; a larger class is alone."""
    runs: list[tuple[int, int]] = []
    held = 0
    for label, count in enumerate(counts):
        if runs and held + count <= largest and label - runs[-1][0] < CLASSES:
            runs[-1] = runs[-1][0], label + 1
            held += count
        else:
            runs.append((label, label + 1))
            held = count
    return runs


def _close(components: Components, part: slice) -> bool:
    """Return whether a row near one of these classes must usually look at the others too, if they are blocks."""
    if components.variance is not None:
        return True
    means, width = components.means[part], components.means.shape[1]
    members = _members(components.classes[part] - components.classes[part.start])
    centres = (members / members.sum(0)).T @ means
    radius = (means - members @ centres).square().sum(1).max()
    apart = torch.pdist(centres).median()
    reach = math.sqrt(width + 2 * (math.log(len(components.means)) + NEGLIGIBLE))
    return float((apart.square() + radius + width).sqrt() - radius.sqrt()) <= reach


def _members(numbers: Tensor) -> Tensor:
    """Return which component is in which class, C x L, zeros and ones in float64."""
    return torch.nn.functional.one_hot(numbers).double()

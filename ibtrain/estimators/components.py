"""The components of a large Gaussian mixture, cut into blocks that a matrix product takes at once.

Large classes are cut into several blocks, and small ones that lie close together share one; small ones far apart make
a bundle, in which each is compared with rows of its own. Each block is centred, so that float32 loses nothing that
matters where its components lie close together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

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
BUNDLED = 8
"""Fewest classes far apart that are bundled: larger ones fill a matrix product each, in float32."""
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

    @property
    def product_type(self) -> torch.dtype:
        """The type of matrix products: float32 where there are many components and the noise is shared."""
        return torch.float32 if self.variance is None and len(self.means) > SMALL else torch.float64


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

    @property
    def centres(self) -> Tensor:
        """The centre, 1 x K."""
        return self.centre[None]

    @property
    def radii(self) -> Tensor:
        """The radius as a tensor of one number."""
        return self.centre.new_tensor([self.radius])


@dataclass(frozen=True)
class Bundle:
    """Consecutive small classes that lie far apart, so that a row looks at few of them.

    Args:
        labels: Their class numbers, consecutive.
        parts: C x L, numbers of the components of each class, the first again up to the size of the largest class.
        absent: C x L, which of them are those repetitions.
        centres: C x K, means of the classes.
        radii: C, largest distance of a component from the centre of its class.
    """

    labels: slice
    parts: Tensor
    absent: Tensor
    centres: Tensor
    radii: Tensor


@dataclass(frozen=True)
class _Run:
    """Consecutive classes of a mixture.

    Args:
        labels: Their class numbers.
        start: The first component.
        counts: C, their numbers of components.
        centres: C x K, the means of their components.
        radii: C, largest distance of a component from the centre.
    """

    labels: slice
    start: int
    counts: Tensor
    centres: Tensor
    radii: Tensor

    @classmethod
    def of(cls, components: Components, part: slice, labels: slice) -> "_Run":
        """Measure the classes."""
        means, classes = components.means[part], components.classes[part] - labels.start
        counts = torch.bincount(classes)
        centres = means.new_zeros(len(counts), means.shape[1]).index_add_(0, classes, means) / counts[:, None]
        away = (means - centres[classes]).square().sum(1)
        radii = away.new_zeros(len(counts)).scatter_reduce_(0, classes, away, "amax").sqrt()
        return cls(labels, part.start, counts, centres, radii)


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


def cut(components: Components) -> list[Block | Bundle]:
    """Cut the components into blocks and bundles of ascending classes."""
    largest = BLOCK if components.means.device.type == "cpu" else GPU_BLOCK
    origin = components.means.mean(0)
    counts = torch.bincount(components.classes).tolist()
    stops = list(accumulate(counts))
    blocks: list[Block | Bundle] = []
    for labels in _runs(counts, largest):
        part = slice(stops[labels.start] - counts[labels.start], stops[labels.stop - 1])
        several, run = labels.stop - labels.start > 1, None
        if several and components.variance is None:
            run = _Run.of(components, part, labels)
        if several and (run is None or _close(run, len(components.means))):
            blocks.append(_block(components, part, labels, origin))
        elif run is not None and len(run.counts) >= BUNDLED:
            blocks.append(_bundle(run))
        else:
            for label in range(labels.start, labels.stop):
                first, pieces = stops[label] - counts[label], math.ceil(counts[label] / largest)
                edges = [first + piece * counts[label] // pieces for piece in range(pieces + 1)]
                blocks += [_block(components, slice(*e), slice(label, label + 1), origin) for e in pairwise(edges)]
    return blocks


def _block(components: Components, part: slice, labels: slice, origin: Tensor) -> Block:
    """Return these components as a block, centred at their own mean or, if that is as good, at the origin."""
    members = None
    if labels.stop - labels.start > 1:
        numbers = components.classes[part] - labels.start
        members = torch.nn.functional.one_hot(numbers).to(components.product_type)
    centre = components.means[part].mean(0)
    radius, central = math.inf, False
    if components.variance is None:
        radius = float((components.means[part] - centre).square().sum(1).max().sqrt())
        central = float((centre - origin).square().sum().sqrt()) <= radius
    coefficients = coefficients_of(components, part, centre, origin if central else centre).T
    coefficients = coefficients.to(components.product_type).contiguous()
    return Block(part, labels, members, centre, radius, coefficients, central)


def _bundle(run: _Run) -> Bundle:
    """Return these classes as a bundle."""
    counts = run.counts[:, None]
    places = torch.arange(int(counts.max()), device=counts.device)
    absent = places >= counts
    parts = run.start + counts.cumsum(0) - counts + places.where(~absent, 0)
    return Bundle(run.labels, parts, absent, run.centres, run.radii)


def _runs(counts: Sequence[int], largest: int) -> list[slice]:
    """Return runs of classes that fit into one block; a larger class is alone."""
    runs: list[slice] = []
    held = 0
    for label, count in enumerate(counts):
        if runs and held + count <= largest and label - runs[-1].start < CLASSES:
            runs[-1] = slice(runs[-1].start, label + 1)
            held += count
        else:
            runs.append(slice(label, label + 1))
            held = count
    return runs


def _close(run: _Run, size: int) -> bool:
    """Return whether a row near one of these classes must usually look at the others too, among so many components."""
    width, radius = run.centres.shape[1], run.radii.max()
    apart = torch.pdist(run.centres).median()
    reach = math.sqrt(width + 2 * (math.log(size) + NEGLIGIBLE))
    return float((apart.square() + radius.square() + width).sqrt() - radius) <= reach

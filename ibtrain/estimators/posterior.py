"""The posterior over the components of a large Gaussian mixture, swept in tiles: log-sum-exp and entropy per block.

Components are cut into blocks within their class, and each block is centred before the matrix product, so that float32
loses nothing that matters; where it would, it only screens, and the rows that count are repeated in float64. Blocks
too far from a row to weigh anything there are skipped by the triangle inequality. Blocks combine exactly by the chain
rule of entropy.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ibtrain.estimators.runtime import tracked

BLOCK = 1024
ROWS = 512
SMALL = 4096
"""Number of components up to which everything is computed in float64."""
NEGLIGIBLE = 30.0
"""Nats below the leading term, on top of ln N, under which terms are dropped: less than 1e-13 of the sum."""
SAFE_PRODUCT = 4000.0
"""Largest product of norms, in units of the noise, whose rounding in float32 (typically 1e-5) does no harm."""


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

    def variance_of(self, chosen: Tensor) -> Tensor:
        """Return the variances of these components in the units of the means, one row each."""
        if self.variance is None:
            return self.means.new_ones(len(chosen), self.means.shape[1])
        return self.variance[chosen]


@dataclass(frozen=True)
class Posterior:
    """What a sweep knows of the posterior over components, for R rows.

    Args:
        log_sum: R x B, logarithm of the summed weights of each block.
        entropy: R x B, entropy in nats of the posterior within each block.
        block_class: B class numbers.
    """

    log_sum: Tensor
    entropy: Tensor
    block_class: Tensor

    def component_entropy(self) -> Tensor:
        """Return H[component | row] in nats, shape R."""
        share = torch.softmax(self.log_sum, dim=1)
        entropy: Tensor = torch.special.entr(share).sum(1) + (share * self.entropy).sum(1)
        return entropy

    def class_entropy(self) -> Tensor:
        """Return H[class | row] in nats, shape R."""
        shares = torch.softmax(class_log_sums(self.log_sum, self.block_class), dim=1)
        entropy: Tensor = torch.special.entr(shares).sum(1)
        return entropy


@dataclass(frozen=True)
class _Block:
    """Consecutive components of one class, centred at their mean, as the right-hand side of a matrix product."""

    label: int
    part: slice
    centre: Tensor
    radius: float
    coefficients: Tensor


def _coefficients(components: Components, part: slice, centre: Tensor) -> Tensor:
    """Return the matrix that turns :func:`_features` of rows into log weights, C x F in float64."""
    means = components.means[part] - centre
    if components.variance is None:
        return torch.cat([means, means.square().sum(1, keepdim=True) / -2], dim=1)
    precision = components.variance[part].reciprocal()
    constant = (means.square() * precision - precision.log()).sum(1, keepdim=True) / -2
    return torch.cat([precision / -2, means * precision, constant], dim=1)


def _features(delta: Tensor, components: Components) -> Tensor:
    """Return what a centred row contributes to the product: itself and 1, its squares too for noise of its own."""
    ones = torch.ones_like(delta[:, :1])
    return torch.cat([delta, ones] if components.variance is None else [delta.square(), delta, ones], dim=1)


def _blocks(components: Components) -> list[_Block]:
    """Cut the components into blocks of one class each; coefficients are float32 where the noise is shared."""
    blocks = []
    start = 0
    for label, count in enumerate(torch.bincount(components.classes).tolist()):
        pieces = math.ceil(count / BLOCK)
        for piece in range(pieces):
            part = slice(start + piece * count // pieces, start + (piece + 1) * count // pieces)
            centre = components.means[part].mean(0)
            coefficients = _coefficients(components, part, centre)
            radius = math.inf
            if components.variance is None:
                radius = float((-2 * coefficients[:, -1]).max().sqrt())
                coefficients = coefficients.float() if len(components.means) > SMALL else coefficients
            blocks.append(_Block(label, part, centre, radius, coefficients))
        start += count
    return blocks


@dataclass(frozen=True)
class Tile:
    """Log weights of one block's components for some rows.

    Args:
        rows: Numbers of the rows.
        column: Number of the block.
        peak: Largest log weight of each row, float64.
        logits: Log weights less their row's peak; the next tile reuses the memory.
        weights: Room of the same shape.
    """

    rows: Tensor
    column: int
    peak: Tensor
    logits: Tensor
    weights: Tensor


class _Scratch:
    """Memory for the two matrices of a tile, used again for every tile: fresh pages cost more than the arithmetic."""

    def __init__(self, like: Tensor) -> None:
        self._flat = [like.new_empty(ROWS * BLOCK) for _ in range(2)]

    def take(self, slot: int, rows: int, columns: int) -> Tensor:
        """Return one of the two matrices in this shape."""
        return self._flat[slot][: rows * columns].view(rows, columns)


def tiles(
    rows: Tensor, floor: Tensor, components: Components, temperature: float = 1.0
) -> tuple[Tensor, Iterator[Tile]]:
    r"""Return the class of each block and the tiles of log weights that are not negligible.

    The log weight of component j for row z is :math:`-\tfrac12 (z-\mu_j)^\top S_j^{-1} (z-\mu_j) - \tfrac12 \ln|S_j|`;
    where the noise is shared, S is the identity.

    Args:
        rows: R x K in float64, in the units of ``components.means``.
        floor: R, a log weight that one component is known to reach for this row.
        components: The mixture.
        temperature: Smallest factor by which log weights will be multiplied before they are summed.
    """
    blocks = _blocks(components)
    labels = torch.tensor([block.label for block in blocks], device=rows.device)
    threshold = floor - (math.log(len(components.means)) + NEGLIGIBLE) / temperature
    return labels, _tiles(rows, threshold, components, blocks)


def _tiles(rows: Tensor, threshold: Tensor, components: Components, blocks: list[_Block]) -> Iterator[Tile]:
    """Yield the tiles that hold a log weight above their row's threshold."""
    centres = torch.stack([block.centre for block in blocks])
    radii = torch.tensor([block.radius for block in blocks], dtype=rows.dtype, device=rows.device)
    scratch = _Scratch(blocks[0].coefficients)
    starts = range(0, len(rows), ROWS)
    for low in tracked(starts, len(starts), "mixture components"):
        part = rows[low : low + ROWS]
        gap = (torch.cdist(part, centres, compute_mode="donot_use_mm_for_euclid_dist") - radii).clamp_(min=0)
        near = radii.isinf() | (gap.square() / -2 > threshold[low : low + ROWS, None])
        for column, block in enumerate(blocks):
            chosen = near[:, column].nonzero()[:, 0] + low
            if len(chosen) > 0:
                tile = _tile(rows, chosen, threshold, components, scratch, block=block, column=column)
                if tile is not None:
                    yield tile


def _tile(
    rows: Tensor,
    chosen: Tensor,
    threshold: Tensor,
    components: Components,
    scratch: _Scratch,
    *,
    block: _Block,
    column: int,
) -> Tile | None:
    """Return one tile, reduced to the rows where it counts; None if it counts nowhere."""
    delta = rows[chosen] - block.centre
    features = _features(delta, components)
    room = scratch.take(0, len(features), len(block.coefficients))
    logits = torch.mm(features.to(room.dtype), block.coefficients.T, out=room)
    peak = logits.amax(1)
    if components.variance is not None:
        return Tile(chosen, column, peak, logits.sub_(peak[:, None]), scratch.take(1, *logits.shape))
    squared = delta.square().sum(1)
    product = float(squared.max().sqrt()) * block.radius + block.radius**2 / 2
    counts = peak.double() - squared / 2 > threshold[chosen] - 1 - 1e-6 * product
    exact = product > SAFE_PRODUCT and logits.dtype == torch.float32
    if not bool(counts.all()):
        kept = counts.nonzero()[:, 0]
        if len(kept) == 0:
            return None
        chosen, features, squared, peak = chosen[kept], features[kept], squared[kept], peak[kept]
        logits = logits[:0] if exact else logits[kept]
    if exact:
        logits = features @ _coefficients(components, block.part, block.centre).T
        peak = logits.amax(1)
    weights = torch.empty_like(logits) if exact else scratch.take(1, *logits.shape)
    return Tile(chosen, column, peak.double() - squared / 2, logits.sub_(peak[:, None]), weights)


def posterior(rows: Tensor, floor: Tensor, components: Components) -> Posterior:
    """Return the posterior over components of each row; arguments as :func:`tiles`."""
    labels, pieces = tiles(rows, floor, components)
    log_sum = rows.new_full((len(rows), len(labels)), -math.inf)
    entropy = torch.zeros_like(log_sum)
    for tile in pieces:
        weights = torch.exp(tile.logits, out=tile.weights)
        total = weights.sum(1).double()
        mean = weights.mul_(tile.logits).sum(1).double() / total
        log_sum[tile.rows, tile.column] = total.log() + tile.peak
        entropy[tile.rows, tile.column] = total.log() - mean
    return Posterior(log_sum, entropy, labels)


def class_log_sums(log_sum: Tensor, block_class: Tensor) -> Tensor:
    """Return the log-sum-exp over each class's blocks, shape R x C, from R x B."""
    peak = log_sum.amax(1, keepdim=True)
    sums = log_sum.new_zeros(len(log_sum), int(block_class[-1]) + 1)
    sums.index_add_(1, block_class, (log_sum - peak).exp())
    return sums.log() + peak

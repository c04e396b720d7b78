"""The posterior over the components of a large Gaussian mixture, swept in tiles: log-sum-exp and entropy per block.

Components are cut into blocks, large classes into several and small ones that lie close together into a common one.
Each block is centred before the matrix product, so that float32 loses nothing that matters; where it would, it only
screens, and the rows that count are repeated in float64, from differences instead of products where components lie so
far apart that even those would cancel. Blocks too far from a row to weigh anything there are skipped by the triangle
inequality. Blocks combine exactly by the chain rule of entropy.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ibtrain.estimators.components import LN2, NEGLIGIBLE, Block, Components, coefficients_of, cut, features_of
from ibtrain.estimators.runtime import in_threads

ROWS, GPU_ROWS = 1024, 4096
"""Most rows in a tile: on a CPU, where it stays in the cache, and on a GPU, where it keeps all processors busy."""
SAFE_PRODUCT = 4000.0
"""Largest product of norms, in units of the noise, whose rounding in float32 (typically 1e-5) does no harm."""
SAFE_DOUBLE = 1e8
"""The same for products in float64, whose rounding is 1e-8 there; beyond it squared distances come from differences."""
FAR = 1e15
"""Distance, in units of the noise, beyond which rows are never multiplied in float32, where their squares overflow."""
SAFE_FOLD = 256.0
"""The same for products to which the level of a row is added in float32, as one more column, instead of afterwards."""
HIGH = 100.0
"""Binary logarithm of a weight from which tiles are taken relative to their rows' peaks: float32 overflows at 128."""
SPAN = 40.0
"""How far below that a row may lie: float32 reaches 126 below 0, and terms are dropped 60 below the row's own."""
VANISHING = -1e4
"""Binary logarithm of a weight that is zero beside its row's peak, in place of minus infinity."""


@dataclass(frozen=True)
class Posterior:
    """What a sweep knows of the posterior over components, for R rows.

    Args:
        log_sum: R x B, logarithm of the summed weights of each block.
        entropy: R x B, entropy in nats of the posterior within each block.
        class_log_sum: R x C, logarithm of the summed weights of each class.
    """

    log_sum: Tensor
    entropy: Tensor
    class_log_sum: Tensor

    def component_entropy(self) -> Tensor:
        """Return H[component | row] in nats, shape R."""
        share = torch.softmax(self.log_sum, dim=1)
        entropy: Tensor = torch.special.entr(share).sum(1) + (share * self.entropy).sum(1)
        return entropy

    def class_entropy(self) -> Tensor:
        """Return H[class | row] in nats, shape R."""
        entropy: Tensor = torch.special.entr(torch.softmax(self.class_log_sum, dim=1)).sum(1)
        return entropy


@dataclass(frozen=True)
class Tile:
    """Log weights of one block's components for some rows.

    Args:
        rows: Numbers of the rows.
        column: Number of the block.
        level: What was subtracted from the log weights of each row, in nats, float64: their peak, or something near it.
        logits: Binary logarithms of the weights that are left; the next tile reuses the memory.
        weights: Room of the same shape.
    """

    rows: Tensor
    column: int
    level: Tensor
    logits: Tensor
    weights: Tensor


class _Scratch:
    """Memory for the two matrices of a tile, used again for every tile: fresh pages cost more than the arithmetic."""

    def __init__(self, rows: int, blocks: Sequence[Block]) -> None:
        columns = max(block.coefficients.shape[1] for block in blocks)
        self._flat = [blocks[0].coefficients.new_empty(rows * columns) for _ in range(2)]

    def take(self, slot: int, rows: int, columns: int) -> Tensor:
        """Return one of the two matrices in this shape."""
        return self._flat[slot][: rows * columns].view(rows, columns)


def visit_tiles(
    rows: Tensor,
    floor: Tensor,
    components: Components,
    blocks: Sequence[Block],
    visit: Callable[[Tile], None],
    temperature: float = 1.0,
) -> None:
    r"""Visit the tiles of log weights that are not negligible, those of different rows in different threads.

    The log weight of component j for row z is :math:`-\tfrac12 (z-\mu_j)^\top S_j^{-1} (z-\mu_j) - \tfrac12 \ln|S_j|`;
    where the noise is shared, S is the identity.

    Args:
        rows: R x K in float64, in the units of ``components.means``.
        floor: R, a log weight that one component is known to reach for this row.
        components: The mixture.
        blocks: Its blocks, from :func:`cut`.
        visit: What to do with a tile.
        temperature: Smallest factor by which log weights will be multiplied before they are summed.
    """
    threshold = floor - (math.log(len(components.means)) + NEGLIGIBLE) / temperature
    centres = torch.stack([block.centre for block in blocks])
    radii = rows.new_tensor([block.radius for block in blocks])
    origin = components.means.mean(0)
    height = ROWS if rows.device.type == "cpu" else GPU_ROWS

    def walk(pieces: Iterable[Tensor]) -> None:
        scratch = _Scratch(len(shares[0]), blocks)
        for numbers in pieces:
            part = _Part(numbers, rows[numbers], floor[numbers], threshold[numbers], components, scratch, origin)
            for tile in part.tiles(blocks, centres, radii):
                visit(tile)

    threads = torch.get_num_threads() if rows.device.type == "cpu" else 1
    count = threads * math.ceil(len(rows) / (threads * height))
    shares = torch.arange(len(rows), device=rows.device).tensor_split(min(count, len(rows)))
    in_threads(walk, shares, rows.device, "mixture components")


class _Part:
    """Some rows with what all of their tiles need.

    Args:
        numbers: Numbers of the rows.
        rows: The rows, R x K in float64.
        floor: R, a log weight that one component reaches.
        threshold: R, log weights below which a component is negligible.
        components: The mixture.
        scratch: Memory for tiles.
        origin: Mean of the mixture, at which rows are centred for blocks nearby.
    """

    def __init__(
        self,
        numbers: Tensor,
        rows: Tensor,
        floor: Tensor,
        threshold: Tensor,
        components: Components,
        scratch: _Scratch,
        origin: Tensor,
    ) -> None:
        self.numbers, self.rows, self.floor, self.threshold = numbers, rows, floor, threshold
        self.components, self.scratch, self.origin = components, scratch, origin

    def tiles(self, blocks: Sequence[Block], centres: Tensor, radii: Tensor) -> Iterable[Tile]:
        """Yield the tiles that hold a log weight above their row's threshold."""
        away = torch.cdist(self.rows, centres, compute_mode="donot_use_mm_for_euclid_dist")
        gap = (away * (1 - 1e-13) - radii * (1 + 1e-13)).clamp(min=0)
        near = radii.isinf() | (gap.square() / -2 > self.threshold[:, None])
        products = (away.where(near, 0).amax(0) * radii + radii.square() / 2).tolist()
        everywhere, somewhere = near.all(0).tolist(), near.any(0).tolist()
        selective = self.rows.device.type == "cpu" or float(away.amax()) > FAR
        features = features_of(self.rows - self.origin, self.components).to(blocks[0].coefficients.dtype)
        for column, block in enumerate(blocks):
            if not somewhere[column]:
                continue
            chosen = None
            if selective and not everywhere[column]:
                chosen = near[:, column].nonzero()[:, 0]
            if self.components.variance is None:
                shared = features if block.central else None
                if products[column] <= SAFE_DOUBLE:
                    tile = self._shared(block, column, chosen, shared, away[:, column], products[column])
                else:
                    tile = self._direct(block, column, chosen)
                if tile is not None:
                    yield tile
            else:
                yield self._own(block, column)

    def _direct(self, block: Block, column: int, chosen: Tensor | None) -> Tile:
        """Return the tile of a block from differences in float64, for rows in which a weight can be represented."""
        numbers, rows = (self.numbers, self.rows) if chosen is None else (self.numbers[chosen], self.rows[chosen])
        means = self.components.means[block.part]
        if self.components.variance is None:
            logits = torch.cdist(rows, means, compute_mode="donot_use_mm_for_euclid_dist").square_()
        else:
            variance = self.components.variance[block.part]
            deviation = variance.sqrt()
            logits = variance.log().sum(1).expand(len(rows), -1).clone()
            for row, mean, scale in zip(rows.T, means.T, deviation.T, strict=True):
                logits += ((row[:, None] - mean) / scale).square_()
        logits.div_(-2 * LN2)
        peak = logits.amax(1)
        counts = peak.isfinite()
        if not bool(counts.all()):
            numbers, logits, peak = numbers[counts], logits[counts], peak[counts]
        logits.sub_(peak[:, None]).clamp_(min=VANISHING)
        return Tile(numbers, column, peak * LN2, logits, torch.empty_like(logits))

    def _own(self, block: Block, column: int) -> Tile:
        """Return the tile of a block whose components have their own noise."""
        delta, variance = self.rows - block.centre, self.components.variance_of(block.part)
        means = self.components.means[block.part] - block.centre
        largest = (delta.square().amax(0) + means.square().amax(0)) / variance.amin(0)
        if not float(largest.sum()) <= SAFE_DOUBLE:
            return self._direct(block, column, None)
        features = features_of(delta, self.components)
        logits = self.scratch.take(0, len(features), block.coefficients.shape[1])
        torch.mm(features, block.coefficients, out=logits)
        peak = logits.amax(1)
        logits.sub_(peak[:, None])
        return Tile(self.numbers, column, peak * LN2, logits, self.scratch.take(1, *logits.shape))

    def _shared(
        self, block: Block, column: int, chosen: Tensor | None, features: Tensor | None, away: Tensor, product: float
    ) -> Tile | None:
        """Return the tile of a block with shared noise, reduced to the rows where it counts; None if there are none.

        Args:
            block: The block.
            column: Its number.
            chosen: Which rows to look at; None for all.
            features: Features of all rows at the origin, where the block can use them.
            away: Distance of each row from the block's centre.
            product: Largest product of norms.
        """
        exact = product > SAFE_PRODUCT and block.coefficients.dtype == torch.float32
        numbers, threshold, rows, floor = self.numbers, self.threshold, self.rows, self.floor
        if chosen is not None:
            numbers, threshold, rows, floor = numbers[chosen], threshold[chosen], rows[chosen], floor[chosen]
            away = away[chosen]
            features = None if features is None else features[chosen]
        if features is None:
            features = features_of(rows - block.centre, self.components).to(block.coefficients.dtype)
        offset = away.square() / -2
        bounded = product <= SAFE_FOLD and float(floor.min()) > -(HIGH + SPAN) * LN2
        level = floor if product <= SAFE_FOLD else offset
        if bounded:
            level = floor.clamp(min=-HIGH * LN2)
        features[:, -1] = (offset - level) / LN2
        logits = self.scratch.take(0, len(features), block.coefficients.shape[1])
        torch.mm(features, block.coefficients, out=logits)
        if bounded:
            return Tile(numbers, column, level, logits, self.scratch.take(1, *logits.shape))
        peak = logits.amax(1)
        if rows.device.type == "cpu":
            counts = peak > (threshold - level - 1 - 1e-6 * product) / LN2
            if not bool(counts.all()):
                kept = counts.nonzero()[:, 0]
                if len(kept) == 0:
                    return None
                numbers, rows, level, peak = numbers[kept], rows[kept], level[kept], peak[kept]
                logits = logits[:0] if exact else logits[kept]
        if exact:
            means = coefficients_of(self.components, block.part, block.centre, block.centre)
            logits = features_of(rows - block.centre, self.components) @ means.T
            peak = logits.amax(1)
        weights = torch.empty_like(logits) if exact else self.scratch.take(1, *logits.shape)
        if level is offset or rows.device.type != "cpu" or float(peak.max()) > HIGH:
            level = level + peak.double() * LN2
            logits.sub_(peak[:, None])
        return Tile(numbers, column, level, logits, weights)


def posterior(rows: Tensor, floor: Tensor, components: Components) -> Posterior:
    """Return the posterior over components of each row; arguments as :func:`visit_tiles`."""
    blocks = cut(components)
    log_sum = rows.new_full((len(rows), len(blocks)), -math.inf)
    entropy = torch.zeros_like(log_sum)
    class_log_sum = rows.new_full((len(rows), blocks[-1].labels.stop), -math.inf)

    def visit(tile: Tile) -> None:
        weights = torch.exp2(tile.logits, out=tile.weights)
        total = weights.sum(1).double()
        log_total = total.log()
        log_sum[tile.rows, tile.column] = log_total + tile.level
        add_class_sums(class_log_sum, blocks[tile.column], weights, total, tile.level, tile.rows)
        mean = weights.mul_(tile.logits).sum(1).double() / total * LN2
        entropy[tile.rows, tile.column] = (log_total - mean).where(total > 0, 0)

    visit_tiles(rows, floor, components, blocks, visit)
    return Posterior(log_sum, entropy, class_log_sum)


def add_class_sums(
    log_sums: Tensor, block: Block, weights: Tensor, totals: Tensor, level: Tensor, rows: Tensor
) -> None:
    """Add one tile's weights to the logarithms of each class's sum, R x C, in place.

    Args:
        log_sums: R x C.
        block: The tile's block.
        weights: The tile's weights.
        totals: Their sums over components.
        level: Logarithm of the unit of the weights, for each row of the tile.
        rows: Numbers of these rows.
    """
    sums = totals[:, None] if block.members is None else (weights @ block.members.to(weights.dtype)).double()
    log_sums[rows, block.labels] = torch.logaddexp(log_sums[rows, block.labels], sums.log() + level[:, None])

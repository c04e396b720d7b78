"""The posterior over the components of a large Gaussian mixture, swept in tiles: log-sum-exp and entropy per block.

Components are cut into blocks, large classes into several and small ones that lie close together into a common one.
Each block is centred before the matrix product, so that float32 loses nothing that matters; where it would, it only
screens, and the rows that count are repeated in float64, from differences instead of products where components lie so
far apart that even those would cancel. Blocks too far from a row to weigh anything there are skipped by the triangle
inequality, and so is each class of a bundle. Blocks combine exactly by the chain rule of entropy.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ibtrain.estimators.components import LN2, NEGLIGIBLE, Block, Bundle, Components, coefficients_of, cut, features_of
from ibtrain.estimators.halves import ROUNDING
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
        log_sum, within = condensed(self.log_sum, self.entropy)
        share = torch.softmax(log_sum, dim=1)
        entropy: Tensor = torch.special.entr(share).sum(1) + (share * within).sum(1)
        return entropy

    def class_entropy(self) -> Tensor:
        """Return H[class | row] in nats, shape R."""
        share = torch.softmax(condensed(self.class_log_sum)[0], dim=1)
        entropy: Tensor = torch.special.entr(share).sum(1)
        return entropy


@dataclass(frozen=True)
class Tile:
    """Log weights of one block's components for some rows, or for each row those of one class.

    Args:
        rows: T, numbers of the rows; one may come several times, with different classes.
        column: Number of the block, or T numbers of blocks.
        labels: Numbers of the classes; T numbers where each row has one class of its own.
        members: C x L, which component is in which class; None where each row has one class.
        start: The first component, or T of them.
        stop: One past the last, or T of them.
        level: What was subtracted from the log weights of each row, in nats, float64: their peak, or something near it.
        logits: Binary logarithms of the weights that are left, T x L; the next tile reuses the memory.
        weights: Room of the same shape.
    """

    rows: Tensor
    column: int | Tensor
    labels: int | slice | Tensor
    members: Tensor | None
    start: int | Tensor
    stop: int | Tensor
    level: Tensor
    logits: Tensor
    weights: Tensor

    @classmethod
    def of(cls, block: Block, column: int, rows: Tensor, level: Tensor, logits: Tensor, weights: Tensor) -> "Tile":
        """Return the tile of a block."""
        labels = block.labels.start if block.members is None else block.labels
        return cls(rows, column, labels, block.members, block.part.start, block.part.stop, level, logits, weights)


class _Scratch:
    """Memory for the two matrices of a tile, used again for every tile: fresh pages cost more than the arithmetic."""

    def __init__(self, rows: int, blocks: Sequence[Block | Bundle], components: Components) -> None:
        columns = max((block.coefficients.shape[1] for block in blocks if isinstance(block, Block)), default=0)
        flat = (rows * columns,)
        self._flat = [components.means.new_empty(flat, dtype=components.product_type) for _ in range(2)]

    def take(self, slot: int, rows: int, columns: int) -> Tensor:
        """Return one of the two matrices in this shape."""
        return self._flat[slot][: rows * columns].view(rows, columns)


def visit_tiles(
    rows: Tensor,
    floor: Tensor,
    components: Components,
    blocks: Sequence[Block | Bundle],
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
    centres = torch.cat([block.centres for block in blocks])
    radii = torch.cat([block.radii for block in blocks])
    origin = components.means.mean(0)
    height = ROWS if rows.device.type == "cpu" else GPU_ROWS

    def walk(pieces: Iterable[Tensor]) -> None:
        scratch = _Scratch(len(shares[0]), blocks, components)
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

    def tiles(self, blocks: Sequence[Block | Bundle], centres: Tensor, radii: Tensor) -> Iterable[Tile]:
        """Yield the tiles that hold a log weight above their row's threshold."""
        delta = self.rows - self.origin
        squared, error = _squared_distances(delta, centres - self.origin)
        reach = (self.threshold * -2).sqrt()[:, None] + radii
        near = ~(squared > (reach * (1 + 1e-13)).square() + error)
        products = (squared.where(near, 0).amax(0).clamp(min=0).sqrt() * radii + radii.square() / 2).tolist()
        looking = near.float().sum(0).tolist()
        selective = self.rows.device.type == "cpu" or not float(squared.amax()) <= FAR**2
        features = features_of(delta, self.components).to(self.components.product_type)
        column = 0
        for block in blocks:
            columns = slice(column, column + len(block.centres))
            column = columns.stop
            if not any(looking[columns]):
                continue
            if isinstance(block, Bundle):
                yield self._each(block, columns.start, near[:, columns], max(products[columns]))
                continue
            chosen = None
            if selective and looking[columns.start] < len(near):
                chosen = near[:, columns.start].nonzero()[:, 0]
            if self.components.variance is None:
                shared = features if block.central else None
                if products[columns.start] <= SAFE_DOUBLE:
                    tile = self._shared(block, columns.start, chosen, shared, products[columns.start])
                else:
                    tile = self._direct(block, columns.start, chosen)
                if tile is not None:
                    yield tile
            else:
                yield self._own(block, columns.start)

    def _each(self, bundle: Bundle, column: int, near: Tensor, product: float) -> Tile:
        """Return the tile of a bundle, the classes near to each row: products in float64, padded to equal numbers.

        Args:
            bundle: The bundle.
            column: Number of its first class as a block.
            near: R x C, which classes to look at.
            product: Largest product of norms.
        """
        which, row = near.T.nonzero(as_tuple=True)
        used, group, counts = which.unique_consecutive(return_inverse=True, return_counts=True)
        place = torch.arange(len(which), device=which.device) - (counts.cumsum(0) - counts)[group]
        delta = self.rows.new_zeros(len(used), int(counts.max()), self.rows.shape[1])
        delta[group, place] = self.rows[row] - bundle.centres[which]
        offsets = self.components.means[bundle.parts[used]] - bundle.centres[used, None]
        if product <= SAFE_DOUBLE:
            squares = (delta.square().sum(2)[:, :, None] + offsets.square().sum(2)[:, None]) / 2
            logits = torch.baddbmm(squares, delta, offsets.mT, beta=-1)[group, place]
        else:
            distances = torch.cdist(delta, offsets, compute_mode="donot_use_mm_for_euclid_dist")
            logits = distances[group, place].square_() / -2
        logits = logits.div_(LN2).masked_fill_(bundle.absent[which], -math.inf)
        peak = logits.amax(1)
        logits.sub_(peak[:, None]).clamp_(min=VANISHING)
        return Tile(
            rows=self.numbers[row],
            column=which + column,
            labels=which + bundle.labels.start,
            members=None,
            start=bundle.parts[which, 0],
            stop=bundle.parts[which].amax(1) + 1,
            level=peak * LN2,
            logits=logits,
            weights=torch.empty_like(logits),
        )

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
        return Tile.of(block, column, numbers, peak * LN2, logits, torch.empty_like(logits))

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
        return Tile.of(block, column, self.numbers, peak * LN2, logits, self.scratch.take(1, *logits.shape))

    def _shared(
        self, block: Block, column: int, chosen: Tensor | None, features: Tensor | None, product: float
    ) -> Tile | None:
        """Return the tile of a block with shared noise, reduced to the rows where it counts; None if there are none.

        Args:
            block: The block.
            column: Its number.
            chosen: Which rows to look at; None for all.
            features: Features of all rows at the origin, where the block can use them.
            product: Largest product of norms.
        """
        exact = product > SAFE_PRODUCT and block.coefficients.dtype == torch.float32
        numbers, threshold, rows, floor = self.numbers, self.threshold, self.rows, self.floor
        if chosen is not None:
            numbers, threshold, rows, floor = numbers[chosen], threshold[chosen], rows[chosen], floor[chosen]
            features = None if features is None else features[chosen]
        delta = rows - block.centre
        offset = delta.square().sum(1) / -2
        if features is None:
            features = features_of(delta, self.components).to(block.coefficients.dtype)
        bounded = product <= SAFE_FOLD and float(floor.min()) > -(HIGH + SPAN) * LN2
        level = floor if product <= SAFE_FOLD else offset
        if bounded:
            level = floor.clamp(min=-HIGH * LN2)
        features[:, -1] = (offset - level) / LN2
        logits = self.scratch.take(0, len(features), block.coefficients.shape[1])
        torch.mm(features, block.coefficients, out=logits)
        if bounded:
            return Tile.of(block, column, numbers, level, logits, self.scratch.take(1, *logits.shape))
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
        return Tile.of(block, column, numbers, level, logits, weights)


def _squared_distances(rows: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Return squared distances by products, R x B, and a bound on their rounding, R x 1; NaN where squares overflow."""
    norms, others = rows.square().sum(1, keepdim=True), centres.square().sum(1)
    squared = torch.addmm(others, rows, centres.T, alpha=-2).add_(norms)
    return squared, ROUNDING[torch.float64] * (norms.sqrt() + others.max().sqrt()).square()


def posterior(rows: Tensor, floor: Tensor, components: Components) -> Posterior:
    """Return the posterior over components of each row; arguments as :func:`visit_tiles`."""
    blocks = cut(components)
    log_sum = rows.new_full((len(rows), sum(len(block.centres) for block in blocks)), -math.inf)
    entropy = torch.zeros_like(log_sum)
    class_log_sum = rows.new_full((len(rows), blocks[-1].labels.stop), -math.inf)

    def visit(tile: Tile) -> None:
        weights = torch.exp2(tile.logits, out=tile.weights)
        total = weights.sum(1).double()
        log_total = total.log()
        log_sum[tile.rows, tile.column] = log_total + tile.level
        add_class_sums(class_log_sum, tile, weights, total, tile.level)
        mean = weights.mul_(tile.logits).sum(1).double() / total * LN2
        entropy[tile.rows, tile.column] = (log_total - mean).where(total > 0, 0)

    visit_tiles(rows, floor, components, blocks, visit)
    return Posterior(log_sum, entropy, class_log_sum)


def condensed(log_sums: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Return only as many columns as finite numbers in the fullest row, and the same of others, where few are finite.

    Example:
        >>> log_sums = torch.tensor([[2.0], [5.0]]) - torch.tensor([0.0, *[math.inf] * 7])
        >>> condensed(log_sums, torch.arange(16).view(2, 8))
        (tensor([[2.],
                [5.]]), tensor([[0],
                [8]]))
    """
    count = int((log_sums > -math.inf).float().sum(1).max())
    if 4 * count > log_sums.shape[1]:
        return log_sums, *others
    values, places = log_sums.topk(count, dim=1, sorted=False)
    return values, *(other.gather(1, places) for other in others)


def add_class_sums(log_sums: Tensor, tile: Tile, weights: Tensor, totals: Tensor, level: Tensor) -> None:
    """Add one tile's weights to the logarithms of each class's sum, R x C, in place.

    Args:
        log_sums: R x C.
        tile: The tile.
        weights: Its weights, T x L.
        totals: Their sums over components.
        level: Logarithm of the unit of the weights, for each row of the tile.
    """
    if tile.members is None:
        added = totals.log() + level
    else:
        added = (weights @ tile.members.to(weights.dtype)).double().log() + level[:, None]
    log_sums[tile.rows, tile.labels] = torch.logaddexp(log_sums[tile.rows, tile.labels], added)

"""The posterior over the components of a large Gaussian mixture, swept in tiles: log-sum-exp and entropy per block.

Components are cut into blocks, large classes into several and small ones that lie close together into a common one.
Each block is centred before the matrix product, so that float32 loses nothing that matters; where it would, it only
screens, and the rows that count are repeated in float64, from differences instead of products where components lie so
far apart that even those would cancel. Blocks too far from a row to weigh anything there are skipped by the triangle
inequality. Blocks combine exactly by the chain rule of entropy.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from ibtrain.estimators.runtime import in_threads

BLOCK, ROWS = 1024, 1024
"""Most components and rows in a tile on a CPU, where it stays in the cache."""
GPU_BLOCK, GPU_ROWS = 8192, 4096
"""The same on a GPU, where a tile keeps all processors busy."""
SMALL = 4096
"""Number of components up to which everything is computed in float64."""
NEGLIGIBLE = 30.0
"""Nats below the leading term, on top of ln N, under which terms are dropped: less than 1e-13 of the sum."""
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
VANISHING = -1e4
"""Binary logarithm of a weight that is zero beside its row's peak, in place of minus infinity."""
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
class Block:
    """Consecutive components, of one class or of several whole ones, as the right-hand side of a matrix product.

    Args:
        part: Which components.
        labels: Their class numbers, consecutive.
        members: C x L, which component is in which class; None where there is one class.
        centre: Mean of the components, K numbers.
        radius: Largest distance from it; infinite where each component has its own noise.
        coefficients: C x F, what turns the features of rows into binary logarithms of weights.
        central: Whether rows need not be centred here: their features at the origin lose nothing.
    """

    part: slice
    labels: slice
    members: Tensor | None
    centre: Tensor
    radius: float
    coefficients: Tensor
    central: bool


def _coefficients(components: Components, part: slice, centre: Tensor, origin: Tensor) -> Tensor:
    """Return the matrix that turns :func:`_features` of rows at the origin into log2 weights, C x F in float64."""
    means = components.means[part] - centre
    if components.variance is None:
        constant = means.square().sum(1) / -2 - means @ (centre - origin)
        return torch.cat([means.div_(LN2), constant[:, None].div_(LN2), torch.ones_like(constant[:, None])], dim=1)
    precision = components.variance[part].reciprocal()
    constant = (means.square() * precision + components.variance[part].log()).sum(1) / -2
    return torch.cat([precision / -2, means * precision, constant[:, None]], dim=1).div_(LN2)


def _features(delta: Tensor, components: Components) -> Tensor:
    """Return what a centred row contributes to the product: itself, 1 and its level, or squares for noise of its own.

    The level, a binary logarithm that is added to all weights of the row, is 0 here; :meth:`_Part._shared` fills it in.
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
        coefficients = _coefficients(components, part, centre, origin if central else centre)
        blocks.append(
            Block(part, labels, members, centre, radius, coefficients.float() if single else coefficients, central)
        )
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
        columns = max(len(block.coefficients) for block in blocks)
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
        features = _features(self.rows - self.origin, self.components).to(blocks[0].coefficients.dtype)
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
        features = _features(delta, self.components)
        logits = self.scratch.take(0, len(features), len(block.coefficients))
        torch.mm(features, block.coefficients.T, out=logits)
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
            features = _features(rows - block.centre, self.components).to(block.coefficients.dtype)
        offset = away.square() / -2
        level = floor if product <= SAFE_FOLD else offset
        features[:, -1] = (offset - level) / LN2
        logits = torch.mm(
            features, block.coefficients.T, out=self.scratch.take(0, len(features), len(block.coefficients))
        )
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
            means = _coefficients(self.components, block.part, block.centre, block.centre)
            logits = _features(rows - block.centre, self.components) @ means.T
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
        entropy[tile.rows, tile.column] = log_total - mean

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

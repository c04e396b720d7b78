"""The posterior over the components of a large Gaussian mixture, swept in tiles: log-sum-exp and entropy per block.

Components are cut into blocks within their class. Each block is centred before the matrix product, so float32 loses
nothing that matters (a block where it would is swept in float64), and a block that lies too far from a row to weigh
anything there is skipped by the triangle inequality. Blocks combine exactly by the chain rule of entropy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 2048
ROWS = 1024
SAFE_PRODUCT = 4000.0


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

    def class_log_sum(self) -> Tensor:
        """Return the log-sum-exp over each class's components, shape R x C."""
        count = int(self.block_class[-1]) + 1
        peak = self.log_sum.amax(1, keepdim=True)
        sums = torch.zeros(len(self.log_sum), count, dtype=self.log_sum.dtype, device=self.log_sum.device)
        sums.index_add_(1, self.block_class, (self.log_sum - peak).exp())
        return sums.log() + peak

    def class_entropy(self) -> Tensor:
        """Return H[class | row] in nats, shape R."""
        entropy: Tensor = torch.special.entr(torch.softmax(self.class_log_sum(), dim=1)).sum(1)
        return entropy


@dataclass(frozen=True)
class _Block:
    """Consecutive components of one class, centred at their mean."""

    label: int
    centre: Tensor
    radius: float
    coefficients: Tensor
    coefficients32: Tensor | None


def _blocks(components: Components) -> list[_Block]:
    """Cut the components into blocks and precompute the right-hand sides of their matrix products."""
    blocks = []
    counts = torch.bincount(components.classes).tolist()
    start = 0
    for label, count in enumerate(counts):
        pieces = math.ceil(count / BLOCK)
        for piece in range(pieces):
            low, high = start + piece * count // pieces, start + (piece + 1) * count // pieces
            centre = components.means[low:high].mean(0)
            means = components.means[low:high] - centre
            if components.variance is None:
                squared = means.square().sum(1)
                radius = float(squared.max().sqrt())
                coefficients = torch.cat([means, -squared[:, None] / 2], dim=1)
                blocks.append(_Block(label, centre, radius, coefficients, coefficients.float()))
            else:
                precision = components.variance[low:high].reciprocal()
                constant = (means.square() * precision - precision.log()).sum(1, keepdim=True) / -2
                coefficients = torch.cat([precision / -2, means * precision, constant], dim=1)
                blocks.append(_Block(label, centre, math.inf, coefficients, None))
        start += count
    return blocks


def _tile(rows: Tensor, block: _Block, temperatures: Sequence[float]) -> list[tuple[Tensor, Tensor]]:
    """Return (log-sum-exp, entropy) of one block's log weights times each temperature, in float64, shape R each."""
    delta = rows - block.centre
    ones = torch.ones_like(delta[:, :1])
    if block.coefficients32 is None:
        offset = torch.zeros_like(ones[:, 0])
        logits = torch.cat([delta.square(), delta, ones], dim=1) @ block.coefficients.T
    else:
        squared = delta.square().sum(1)
        offset = squared / -2
        safe = float(squared.max().sqrt()) * block.radius + block.radius**2 / 2 < SAFE_PRODUCT
        left = torch.cat([delta, ones], dim=1)
        logits = left.float() @ block.coefficients32.T if safe else left @ block.coefficients.T
    results = []
    peak = logits.amax(1, keepdim=True)
    logits -= peak
    for temperature in temperatures:
        scaled = logits if temperature == 1 else logits * temperature
        weights = scaled.exp()
        total = weights.sum(1).double()
        mean = weights.mul_(scaled).sum(1).double() / total
        log_total = total.log()
        results.append((log_total + temperature * (peak[:, 0] + offset), log_total - mean))
    return results


def sweep(
    rows: Tensor, floor: Tensor, components: Components, temperatures: Sequence[float] = (1.0,)
) -> list[Posterior]:
    r"""Return the posterior over components of each row, once per temperature.

    The log weight of component j for row z is :math:`-\tfrac12 (z-\mu_j)^\top S_j^{-1} (z-\mu_j) - \tfrac12 \ln|S_j|`
    times the temperature; where the noise is shared, S is the identity and its determinant is left out.

    Args:
        rows: R x K in float64, in the units of ``components.means``.
        floor: R, a log weight that one component is known to reach (before the temperature); what cannot come within
            a negligible factor of it is skipped.
        components: The mixture.
        temperatures: Factors on the log weights.
    """
    blocks = _blocks(components)
    labels = torch.tensor([block.label for block in blocks], device=rows.device)
    centres = torch.stack([block.centre for block in blocks])
    radii = torch.tensor([block.radius for block in blocks], dtype=rows.dtype, device=rows.device)
    slack = (math.log(len(components.means)) + 30) / min(temperatures)
    shape = (len(rows), len(blocks))
    results = [
        Posterior(rows.new_full(shape, -math.inf), rows.new_zeros(shape), block_class=labels) for _ in temperatures
    ]
    for low in range(0, len(rows), ROWS):
        part = slice(low, min(low + ROWS, len(rows)))
        gap = (torch.cdist(rows[part], centres, compute_mode="donot_use_mm_for_euclid_dist") - radii).clamp_(min=0)
        near = radii.isinf() | (gap.square() / -2 > (floor[part] - slack)[:, None])
        for column, block in enumerate(blocks):
            chosen = near[:, column].nonzero()[:, 0]
            if len(chosen) == 0:
                continue
            for result, (log_sum, entropy) in zip(results, _tile(rows[part][chosen], block, temperatures), strict=True):
                result.log_sum[chosen + low, column] = log_sum
                result.entropy[chosen + low, column] = entropy
    return results

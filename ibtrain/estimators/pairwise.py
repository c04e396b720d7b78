"""Closed upper and lower bounds of a mixture's entropy from pairwise distances between its components.

Kolchinsky and Tracey, "Estimating mixture entropy with pairwise distances", Entropy 19(7), 2017: the Kullback-Leibler
divergence gives the upper bound, the Bhattacharyya distance the lower one.
"""

import math

import torch
from torch import Tensor

from ibtrain.estimators.components import LN2, Components, cut
from ibtrain.estimators.posterior import Tile, add_class_sums, condensed, visit_tiles
from ibtrain.estimators.result import Estimate, Side

CHUNK = 1 << 22


def closed_bounds(
    components: Components, chosen: Tensor, noise_entropy: float, *, with_labels: bool
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    r"""Return the closed bounds, lower and upper, of ``H[Z]``, ``I[X;Z]`` and with labels ``H[Z|Y]``, ``I[X;Z|Y]``.

    .. math:: -\frac1N \sum_i \ln \frac1N \sum_j e^{-D(p_i, p_j)}

    bounds :math:`I[X;Z]` from above with :math:`D = KL(p_i \| p_j)` and from below with the Bhattacharyya distance.
    The outer mean runs over all components if each was drawn, else over those drawn, with a standard error.

    Args:
        components: The mixture.
        chosen: Numbers of the components that were drawn.
        noise_entropy: ``H[Z|X]`` in nats.
        with_labels: Whether the classes are labels rather than a single class.
    """
    size = len(components.classes)
    complete = len(chosen) >= size
    outer = torch.arange(size, device=chosen.device) if complete else chosen
    own = components.classes[outer][:, None]
    members = torch.bincount(components.classes)[own[:, 0]].double()
    bounds: list[dict[str, Estimate]] = []
    sides: tuple[Side, Side] = ("lower", "upper")
    below, above = _log_sums(components, outer)
    for side, log_sums in zip(sides, (torch.maximum(below, above), above), strict=True):
        sums = {"": (condensed(log_sums)[0].logsumexp(1).clamp(min=0), math.log(size))}
        if with_labels:
            sums["|Y"] = (log_sums.gather(1, own)[:, 0].clamp(min=0), float(members.log().mean()))
        estimates = []
        for given, (logarithms, cap) in sums.items():
            error = 0.0 if complete else float(logarithms.std() / math.sqrt(len(logarithms)))
            gap = cap - float(logarithms.mean())
            for quantity, base in ((f"H[Z{given}]", noise_entropy), (f"I[X;Z{given}]", 0.0)):
                estimates.append(Estimate(quantity, base + gap, error, side, size, estimator="Kolchinsky-Tracey"))
        bounds.append({e.quantity: e for e in estimates})
    return bounds[0], bounds[1]


def _log_sums(components: Components, outer: Tensor) -> tuple[Tensor, Tensor]:
    """Return, per class, the log-sums of exp(-Bhattacharyya) and exp(-KL) from the outer components, R x C each."""
    if components.variance is None:
        rows = components.means[outer]
        blocks = cut(components)
        log_sums = rows.new_full((2, len(rows), blocks[-1].labels.stop), -math.inf)

        def visit(tile: Tile) -> None:
            itself = outer[tile.rows]
            here = ((itself >= tile.start) & (itself < tile.stop)).nonzero()[:, 0]
            tile.logits[here, (itself - tile.start)[here]] = (tile.level[here] / -LN2).to(tile.logits.dtype)
            weights = torch.mul(tile.logits, 0.25, out=tile.weights).exp2_()
            add_class_sums(log_sums[0], tile, weights, weights.sum(1).double(), tile.level / 4)
            weights.square_().square_()
            add_class_sums(log_sums[1], tile, weights, weights.sum(1).double(), tile.level)

        visit_tiles(rows, rows.new_zeros(len(rows)), components, blocks, visit, temperature=0.25)
        return log_sums[0], log_sums[1]
    means, variance = components.means, components.variance
    starts = torch.bincount(components.classes).cumsum(0).tolist()
    parts = list(zip([0, *starts[:-1]], starts, strict=True))
    rows_at_once = max(1, CHUNK // means.numel())
    distances, divergences = [], []
    for part in outer.split(rows_at_once):
        delta = (means[part][:, None] - means[None]).square()
        left, right = variance[part][:, None], variance[None]
        middle = (left + right) / 2
        distance = (delta / middle / 8 + (middle.log() - (left.log() + right.log()) / 2) / 2).sum(2)
        divergence = ((delta + left) / right - 1 - (left.log() - right.log())).sum(2) / 2
        distances.append(torch.stack([(-distance[:, a:b]).logsumexp(1) for a, b in parts], dim=1))
        divergences.append(torch.stack([(-divergence[:, a:b]).logsumexp(1) for a, b in parts], dim=1))
    return torch.cat(distances), torch.cat(divergences)

"""Nearest neighbours among all pairs of points of one class, with every matrix product used in both directions.

The product of two blocks of points ranks the columns for each row and the rows for each column, so half of the pairs
suffice. Points are numbered in small groups; only the largest product of each group is kept while a tile is in the
cache, and for every point the best few groups so far. Their members are then measured by differences in float64.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ibtrain.estimators.runtime import in_threads, numbers_at_once

GROUP = 8
BLOCK = 1024
"""Most points in a block on a CPU, where a tile stays in the cache."""
GPU_BLOCK = 8192
"""Most points in a block on a GPU, where a tile keeps all processors busy."""
SPARE = 32
"""Points beyond k that are measured at least."""
ROUNDING = {torch.float32: 1e-6, torch.float64: 4e-15}
"""Bound on a product's rounding error relative to the norms that enter it, with room for the order of summation."""


@dataclass(frozen=True)
class _Blocks:
    """Points cut into blocks of equal size, padded, as both sides of products that yield minus half of the distances.

    Args:
        left: M x (K + 2), each point with a one and minus half of its squared norm; padding yields -inf.
        right: (K + 2) x M, the same with the last two exchanged.
        size: Number of points in each block.
    """

    left: Tensor
    right: Tensor
    size: int

    @classmethod
    def cut(cls, points: Tensor, dtype: torch.dtype) -> "_Blocks":
        """Cut centred points into as few blocks as their device's tiles allow."""
        pieces = math.ceil(len(points) / (BLOCK if points.device.type == "cpu" else GPU_BLOCK))
        size = math.ceil(len(points) / (pieces * GROUP)) * GROUP
        left = points.new_zeros(pieces * size, points.shape[1] + 2)
        left[: len(points), :-2] = points
        left[:, -2] = 1
        left[:, -1] = -math.inf
        left[: len(points), -1] = points.square().sum(1) / -2
        right = torch.cat([left[:, :-2], left[:, -1:], left[:, -2:-1]], dim=1).T
        return cls(left.to(dtype), right.to(dtype).contiguous(), size)

    def starts(self) -> range:
        """Return the first point of each block."""
        return range(0, len(self.left), self.size)

    def members(self, groups: Tensor) -> Tensor:
        """Return the points of groups, ... x GROUP: a stride apart, as maxima are along rows; negative for none."""
        stride = self.size // GROUP
        first = groups // stride * self.size + groups % stride
        return first[..., None] + stride * torch.arange(GROUP, device=groups.device)


def nearest_by_halves(points: Tensor, most: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the distances to the nearest neighbours, and for which rows rounding cannot have hidden a nearer one.

    Args:
        points: N x K in float64, centred.
        most: Number of neighbours, below N.
        dtype: Type of the matrix products.

    Returns:
        N x most distances in ascending order, and N truth values.

    Example:
        >>> points = torch.tensor([[-2.0], [-1.0], [3.0]], dtype=torch.float64)
        >>> distances, certain = nearest_by_halves(points, 1, torch.float64)
        >>> distances.ravel().tolist(), bool(certain.all())
        ([1.0, 1.0, 4.0], True)
    """
    blocks = _Blocks.cut(points, dtype)
    best = _best_groups(blocks, max(most + 2, math.ceil((most + SPARE) / GROUP)))
    norms = points.square().sum(1).sqrt()
    error = ROUNDING[dtype] * (norms + norms.max()).square() / 2
    distances = points.new_empty(len(points), most)
    height = max(1, numbers_at_once(points.device) // (best.groups.shape[1] * GROUP * points.shape[1]))

    def measure(pieces: Iterable[Tensor]) -> None:
        for rows in pieces:
            candidates = blocks.members(best.groups[rows]).flatten(1)
            excluded = (candidates < 0) | (candidates >= len(points)) | (candidates == rows[:, None])
            near = points.index_select(0, candidates.clamp_(0, len(points) - 1).flatten()).view(*candidates.shape, -1)
            squared = near.sub_(points[rows, None]).square_().sum(2).masked_fill_(excluded, math.inf)
            distances[rows] = squared.topk(most, dim=1, largest=False).values

    pieces = torch.arange(len(points), device=points.device).split(height)
    in_threads(measure, pieces, points.device, "distances to candidates")
    complete = best.groups.shape[1] * GROUP >= len(blocks.left)
    hidden = best.products[: len(points), -1].double() + error
    certain = torch.ones_like(hidden, dtype=torch.bool) if complete else hidden < distances[:, -1] / -2
    return distances.sqrt_(), certain


class _Best:
    """The best groups of every point so far.

    Args:
        points: Number M of points, padding included.
        count: How many groups to keep for each; -1 stands for none.
        like: A tensor of the products' type and device.
    """

    def __init__(self, points: int, count: int, like: Tensor) -> None:
        self.products = like.new_full((points, count), -math.inf)
        self.groups = torch.full((points, count), -1, dtype=torch.int32, device=like.device)

    @classmethod
    def together(cls, parts: Sequence["_Best"]) -> "_Best":
        """Return the best of several searches."""
        best = parts[0]
        products = torch.cat([part.products for part in parts], dim=1)
        groups = torch.cat([part.groups for part in parts], dim=1)
        best.products, places = products.topk(best.products.shape[1], dim=1)
        best.groups = groups.gather(1, places)
        return best

    def merge(self, start: int, products: Tensor, groups: Tensor) -> None:
        """Take in groups' products, R x G, with the points from a start onwards."""
        rows = torch.arange(start, start + len(products), device=products.device)
        if products.device.type == "cpu":
            hits = (products.amax(1) > self.products[start : start + len(products), -1]).nonzero()[:, 0]
            rows, products = rows[hits], products[hits]
        together = torch.cat([self.products[rows], products], dim=1)
        names = torch.cat([self.groups[rows], groups.expand(len(products), -1)], dim=1)
        self.products[rows], places = together.topk(self.products.shape[1], dim=1)
        self.groups[rows] = names.gather(1, places)


def _best_groups(blocks: _Blocks, count: int) -> _Best:
    """Return for each point the groups with the largest products."""
    size, stride = blocks.size, blocks.size // GROUP
    count = min(count, len(blocks.left) // GROUP)
    numbers = torch.arange(len(blocks.left) // GROUP, dtype=torch.int32, device=blocks.left.device)
    pairs = [(low, start) for start in blocks.starts() for low in range(0, start + size, size)]

    def sweep(share: Iterable[tuple[int, int]]) -> _Best:
        best = _Best(len(blocks.left), count, blocks.left)
        tile, maxima = blocks.left.new_empty(size, size), blocks.left.new_empty(size * stride)
        down, along = maxima.view(stride, size), maxima.view(size, stride)
        for low, start in share:
            torch.mm(blocks.left[low : low + size], blocks.right[:, start : start + size], out=tile)
            if low == start:
                tile.fill_diagonal_(-math.inf)
            else:
                torch.amax(tile.view(GROUP, stride, size), dim=0, out=down)
                best.merge(start, down.T, numbers[low // GROUP : low // GROUP + stride])
            torch.amax(tile.view(size, GROUP, stride), dim=1, out=along)
            best.merge(low, along, numbers[start // GROUP : start // GROUP + stride])
        return best

    return _Best.together(in_threads(sweep, pairs, blocks.left.device, "nearest neighbours"))

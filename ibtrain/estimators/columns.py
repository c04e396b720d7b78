"""All points laid out as the columns of tiled matrix products: blocks of one class, each centred at its own mean.

Centring each block keeps the numbers in a product as small as the distances that decide, so float32 suffices even
where classes lie far apart. Columns are numbered in groups whose maxima are found while a tile is in the cache; the
nearest points of a row lie in the groups with the largest maxima.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

GROUP = 32
BLOCK = 1024


@dataclass(frozen=True)
class Columns:
    """Blocks of points as right-hand sides of products that yield minus half of the squared distances.

    Args:
        points: N x K in float64, sorted by class.
        bounds: B x 2, first and one past the last point of each block.
        offsets: B + 1 column numbers where the blocks start; widths are multiples of ``GROUP``.
        centres: B x K, mean of each block.
        radii: B, largest distance of a block's points from its centre.
        coefficients: One float32 matrix of (K + 2) x width for each block.
        point_of: Number of the point in each column, -1 for padding.
        group_columns: G x GROUP column numbers of each group.
        buffers: Memory of the tiles by type.
    """

    points: Tensor
    bounds: list[tuple[int, int]]
    offsets: list[int]
    centres: Tensor
    radii: Tensor
    coefficients: list[Tensor]
    point_of: Tensor
    group_columns: Tensor
    buffers: dict[torch.dtype, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def buffer(self, rows: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Return a tile for so many rows and the maxima of its groups, all -inf; the memory is used again and again."""
        if dtype not in self.buffers or len(self.buffers[dtype][0]) < rows:
            tile = self.points.new_empty(rows, self.offsets[-1], dtype=dtype)
            self.buffers[dtype] = tile, tile.new_empty(rows, len(self.group_columns))
        tile, maxima = self.buffers[dtype]
        return tile[:rows], maxima[:rows].fill_(-math.inf)

    @classmethod
    def build(cls, points: Tensor, ranges: Sequence[tuple[int, int]]) -> "Columns":
        """Cut each range of points into blocks of about equal size."""
        bounds: list[tuple[int, int]] = []
        for start, stop in ranges:
            pieces = math.ceil((stop - start) / BLOCK)
            edges = [start + piece * (stop - start) // pieces for piece in range(pieces + 1)]
            bounds += pairwise(edges)
        offsets, centres, radii, coefficients, point_of, groups = [0], [], [], [], [], []
        for start, stop in bounds:
            groups_here = math.ceil((stop - start) / GROUP)
            width = groups_here * GROUP
            centre = points[start:stop].mean(0)
            matrix = _coefficients(points[start:stop] - centre, width)
            radii.append((-2 * matrix[-2, : stop - start]).max().sqrt())
            numbers = torch.full((width,), -1, dtype=torch.int64, device=points.device)
            numbers[: stop - start] = torch.arange(start, stop, device=points.device)
            columns = torch.arange(offsets[-1], offsets[-1] + width, device=points.device)
            point_of.append(numbers)
            groups.append(columns.view(GROUP, groups_here).T)
            centres.append(centre)
            coefficients.append(matrix.float())
            offsets.append(offsets[-1] + width)
        return cls(
            points,
            bounds,
            offsets,
            torch.stack(centres),
            torch.stack(radii),
            coefficients,
            torch.cat(point_of),
            torch.cat(groups),
        )

    def fill(self, points: Tensor, rows: Tensor, block: int, tile: Tensor, maxima: Tensor) -> None:
        """Write one block's products with these points into a tile of all columns, and the maxima of its groups.

        Args:
            points: R x K, the points of the rows.
            rows: Their numbers.
            block: Number of the block.
            tile: R x columns, minus half of the squared distances; a row's distance to itself becomes -inf.
            maxima: R x groups; a group at -inf has no point nearby and its columns are not read.
        """
        low, high = self.offsets[block], self.offsets[block + 1]
        start, stop = self.bounds[block]
        delta = points - self.centres[block]
        left = torch.cat([delta, torch.ones_like(delta[:, :1]), delta.square().sum(1, keepdim=True) / -2], dim=1)
        right = self.coefficients[block]
        if tile.dtype != right.dtype:
            right = _coefficients(self.points[start:stop] - self.centres[block], high - low)
        part = tile[:, low:high]
        torch.mm(left.to(tile.dtype), right, out=part)
        inside = ((rows >= start) & (rows < stop)).nonzero()[:, 0]
        part[inside, rows[inside] - start] = -math.inf
        shape = (len(rows), GROUP, (high - low) // GROUP)
        torch.amax(part.unflatten(1, shape[1:]), dim=1, out=maxima[:, low // GROUP : high // GROUP])

    def candidates(self, tile: Tensor, maxima: Tensor, blocks: range, count: int) -> tuple[Tensor, Tensor]:
        """Return the points with the largest products in these blocks, R x count (-1: none), and the smallest of them.

        No other point of the blocks has a larger product than the one returned; it is -inf if all points are named.
        """
        first, last = self.offsets[blocks.start] // GROUP, self.offsets[blocks.stop] // GROUP
        count = min(count, (last - first) * GROUP)
        peaks, groups = maxima[:, first:last].topk(min(count, last - first), dim=1, sorted=False)
        columns = self.group_columns[groups + first]
        members = tile.gather(1, columns.flatten(1)).view(columns.shape)
        columns = columns.flatten(1)
        values, places = members.where(peaks[:, :, None] > -math.inf, -math.inf).flatten(1).topk(count, dim=1)
        points = self.point_of[columns.gather(1, places)]
        everything = count >= (last - first) * GROUP
        cut = torch.full_like(values[:, -1], -math.inf) if everything else values[:, -1]
        return points.where(values > -math.inf, -1), cut.double()


def _coefficients(means: Tensor, width: int) -> Tensor:
    """Return the right-hand side for centred points, (K + 2) x width; padding columns yield -inf."""
    matrix = means.new_zeros(means.shape[1] + 2, width)
    matrix[:-2, : len(means)] = means.T
    matrix[-2] = -math.inf
    matrix[-2, : len(means)] = means.square().sum(1) / -2
    matrix[-1] = 1
    return matrix

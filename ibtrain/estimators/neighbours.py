"""Distances to nearest neighbours, overall and within classes, in one sweep: by k-d tree or by tiles.

A k-d tree wins in few dimensions; above, every pair is visited in tiles on the CPU or the GPU. A tile is a float32
matrix product on centred data that only proposes a few candidates per row beyond k. Their distances are recomputed
from differences in float64, and a row is accepted only if rounding cannot have hidden a nearer point; other rows are
repeated with float64 products and k + 32 candidates and, if that is not enough, without products.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from ibtrain.estimators.columns import Columns
from ibtrain.estimators.halves import ROUNDING, nearest_by_halves
from ibtrain.estimators.runtime import full_precision, numbers_at_once, tracked

Norm = Literal["euclidean", "maximum"]
Search = Literal["auto", "tree", "tiles"]
NORMS: tuple[Norm, ...] = get_args(Norm)
SEARCHES: tuple[Search, ...] = get_args(Search)
TREE_BELOW = 9
"""Number of dimensions from which tiles beat a k-d tree on a CPU; see benchmarks/neighbours.py."""
SPARE = {torch.float32: 4, torch.float64: 32}
"""Candidates beyond k whose distances are recomputed; the float32 pass needs few, as doubtful rows are repeated."""
ROWS = 512
SMALL_CLASS = 64
"""Average class size below which classes share their tiles."""
CENTRING = 1024
"""Points whose median is taken as the centre: a mean would follow a single point far away."""
TILE = 1 << 25
"""Most numbers in one tile."""


@dataclass(frozen=True)
class Neighbours:
    """Distances found by one sweep over N points.

    Args:
        overall: N x k, distances to the nearest neighbours in ascending order, float64.
        within: N x k, the same among points of the same class; infinite beyond the members of a class.
        rivals: N x len(ks), for each k asked for, how many points of other classes lie within the distance to the
            k-th neighbour of the own class (the last one there is, in a smaller class).
    """

    overall: Tensor
    within: Tensor
    rivals: Tensor


def nearest(
    points: Tensor, classes: Tensor, ks: Sequence[int], *, norm: Norm = "euclidean", search: Search = "auto"
) -> Neighbours:
    """Return the distances of each point to its nearest neighbours, overall and in its class.

    Args:
        points: N x K in float64.
        classes: N class numbers 0 .. C-1, every class with two members or more; all zero where there are no classes.
        ks: The numbers of neighbours that are wanted; all at once cost little more than the largest.
        norm: Euclidean or maximum norm.
        search: ``"tree"`` or ``"tiles"``; ``"auto"`` takes the tree on a CPU below 10 dimensions.

    Example:
        >>> points = torch.tensor([[0.0], [1.0], [3.0], [7.0]], dtype=torch.float64)
        >>> found = nearest(points, torch.tensor([0, 1, 0, 1]), [1])
        >>> found.overall.ravel().tolist(), found.within.ravel().tolist(), found.rivals.ravel().tolist()
        ([1.0, 1.0, 2.0, 4.0], [3.0, 6.0, 3.0, 6.0], [1, 2, 1, 1])
    """
    if search == "auto":
        search = "tree" if points.device.type == "cpu" and points.shape[1] < TREE_BELOW else "tiles"
    order = torch.sort(classes, stable=True).indices
    points, classes = points[order], classes[order]
    most = min(max(ks), len(points) - 1)
    if search == "tree":
        found = _tree(points, classes, ks, most, norm)
    else:
        centre = points[:: math.ceil(len(points) / CENTRING)].median(0).values
        with full_precision():
            found = _sweep(points - centre, classes, ks, most, norm)
    back = torch.argsort(order)
    return Neighbours(found.overall[back], found.within[back], found.rivals[back])


def nearest_in_sets(points: Tensor, classes: Tensor, ks: Sequence[int], *, norm: Norm = "euclidean") -> Neighbours:
    """Return the same as :func:`nearest` for small sets of points that do not see each other, by float64 differences.

    Args:
        points: S x N x K in float64.
        classes: S x N class numbers.
        ks: The numbers of neighbours that are wanted, below N.
        norm: Euclidean or maximum norm.

    Returns:
        Distances and rivals of all S N points, one set after the other; those of a point that is alone in its class
        have no meaning within the class.

    Example:
        >>> points = torch.tensor([[[0.0], [1.0], [3.0]], [[0.0], [7.0], [9.0]]], dtype=torch.float64)
        >>> nearest_in_sets(points, torch.tensor([[0, 1, 0], [0, 0, 0]]), [1]).within.ravel().tolist()
        [3.0, inf, 3.0, 7.0, 2.0, 2.0]
    """
    power = 2.0 if norm == "euclidean" else math.inf
    at_once = max(1, numbers_at_once(points.device) // points.shape[1] ** 2)
    found = []
    for part, numbers in zip(points.split(at_once), classes.split(at_once), strict=True):
        distances = torch.cdist(part, part, p=power, compute_mode="donot_use_mm_for_euclid_dist")
        distances.diagonal(dim1=1, dim2=2).fill_(math.inf)
        overall = within = distances.topk(max(ks), largest=False).values.flatten(0, 1)
        rivals = torch.zeros(len(overall), len(ks), dtype=torch.int64, device=points.device)
        others = numbers[:, :, None] != numbers[:, None]
        if bool(others.any()):
            within = distances.masked_fill(others, math.inf).topk(max(ks), largest=False).values.flatten(0, 1)
            members = (~others).sum(2).flatten().clamp(min=2)
            for index, radius in enumerate(radii(within, members, ks).T):
                rivals[:, index] = ((distances <= radius.view(*numbers.shape, 1)) & others).sum(2).flatten()
        found.append(Neighbours(overall, within, rivals))
    return _joined(found)


def radii(within: Tensor, members: Tensor, ks: Sequence[int]) -> Tensor:
    """Return, N x len(ks), the distance to the k-th neighbour of the class, or to the last one of a smaller class."""
    wanted = torch.tensor(list(ks), device=within.device)[None] - 1
    return within.gather(1, torch.minimum(wanted, members[:, None] - 2))


def _ranges(classes: Tensor) -> list[tuple[int, int]]:
    """Return the first and one past the last position of each class of the sorted class numbers."""
    stops = torch.bincount(classes).cumsum(0).tolist()
    return list(zip([0, *stops[:-1]], stops, strict=True))


def _tree(points: Tensor, classes: Tensor, ks: Sequence[int], most: int, norm: Norm) -> Neighbours:
    """Search with k-d trees: one over all points and one for each class."""
    data = points.cpu().numpy()
    power = 2.0 if norm == "euclidean" else math.inf
    tree = cKDTree(data)
    columns = range(2, most + 2)
    overall = torch.from_numpy(tree.query(data, columns, p=power)[0])
    ranges = _ranges(classes)
    if len(ranges) == 1:
        within = overall
        rivals = torch.zeros(len(data), len(ks), dtype=torch.int64)
    else:
        within = torch.cat(
            [torch.from_numpy(cKDTree(data[a:b]).query(data[a:b], columns, p=power)[0]) for a, b in ranges]
        )
        members = torch.bincount(classes).cpu()[classes.cpu()]
        own = torch.minimum(members[:, None] - 1, torch.tensor(list(ks))[None])
        reach = radii(within, members, ks)
        inside = [tree.query_ball_point(data, r, p=power, return_length=True) for r in (reach.T * (1 + 1e-14)).numpy()]
        rivals = torch.stack([torch.as_tensor(count, dtype=torch.int64) for count in inside], dim=1) - own - 1
    device = points.device
    return Neighbours(overall.to(device), within.to(device), rivals.to(device))


def _sweep(points: Tensor, classes: Tensor, ks: Sequence[int], most: int, norm: Norm) -> Neighbours:
    """Search all pairs in tiles: one class by halves, else rows of one class each, or of any if classes are small."""
    ranges = _ranges(classes)
    if len(ranges) == 1 and norm == "euclidean":
        return _one_class(points, ks, most)
    if len(ranges) > 1 and len(points) < SMALL_CLASS * len(ranges):
        tasks = [
            (_Task(points[a:b], (0, b - a), (), most), torch.arange(b - a, device=points.device)) for a, b in ranges
        ]
        within = torch.cat([task.direct(rows, norm).within for task, rows in tasks])
        members = torch.bincount(classes)[classes]
        reach = radii(within, members, ks) * (1 + 1e-14)
        found = _tiles(points, [(0, len(points))], ks, most, norm=norm, reach=reach)
        own = torch.minimum(members[:, None] - 1, torch.tensor(list(ks), device=points.device)[None])
        return Neighbours(found.overall, within, found.rivals - own)
    return _tiles(points, ranges, ks, most, norm=norm)


def _one_class(points: Tensor, ks: Sequence[int], most: int) -> Neighbours:
    """Search each pair once, then the few doubtful points among all again."""
    dtype = torch.float32 if points.shape[1] >= TREE_BELOW else torch.float64
    distances, certain = nearest_by_halves(points, most, dtype)
    rivals = torch.zeros(len(points), len(ks), dtype=torch.int64, device=points.device)
    doubtful = (~certain).nonzero()[:, 0]
    if len(doubtful) > 0:
        columns = Columns.build(points, [(0, len(points))])
        task = _Task(points, (0, len(points)), (), most)
        pieces = doubtful.split(_height(points))
        again = [task.search(rows, columns).overall for rows in tracked(pieces, len(pieces), "doubtful neighbours")]
        distances[doubtful] = torch.cat(again)
    return Neighbours(distances, distances, rivals)


def _height(points: Tensor) -> int:
    """Return how many rows a tile of all columns has."""
    return max(1, min(ROWS, TILE // len(points)))


def _tiles(
    points: Tensor,
    ranges: Sequence[tuple[int, int]],
    ks: Sequence[int],
    most: int,
    *,
    norm: Norm,
    reach: Tensor | None = None,
) -> Neighbours:
    """Walk through the tiles; with a reach given, everything within it counts as a rival."""
    columns = Columns.build(points, ranges) if norm == "euclidean" else None
    height = _height(points)
    pieces = [(start, min(start + height, b), a, b) for a, b in ranges for start in range(a, b, height)]
    found: list[Neighbours] = []
    for low, high, start, stop in tracked(pieces, len(pieces), "nearest neighbours"):
        rows = torch.arange(low, high, device=points.device)
        task = _Task(points, (start, stop), tuple(ks), most, reach)
        found.append(task.direct(rows, norm) if columns is None else task.search(rows, columns))
    return _joined(found)


def _joined(found: Sequence[Neighbours]) -> Neighbours:
    """Return what was found for some points, and then for others, as one."""
    return Neighbours(*(torch.cat([getattr(f, name) for f in found]) for name in ("overall", "within", "rivals")))


@dataclass(frozen=True)
class _Task:
    """What is asked of rows of one class: their neighbours among all points and in the class.

    Args:
        points: N x K in float64, sorted by class.
        own: First and one past the last point of the class.
        ks: Numbers of neighbours for which rivals are counted.
        most: Number of neighbours that are returned.
        given: N x len(ks), distances within which all points count as rivals, instead of those of other classes.
    """

    points: Tensor
    own: tuple[int, int]
    ks: tuple[int, ...]
    most: int
    given: Tensor | None = None

    def reach(self, rows: Tensor, within: Tensor) -> Tensor:
        """Return, R x len(ks), the distances within which rivals count."""
        if self.given is not None:
            return self.given[rows]
        if not self.ks:
            return within[:, :0]
        members = torch.full((len(within),), self.own[1] - self.own[0], device=within.device)
        return radii(within, members, self.ks)

    def direct(self, rows: Tensor, norm: Norm) -> Neighbours:
        """Search by differences in float64, all points against these rows."""
        power = 2.0 if norm == "euclidean" else math.inf
        distances = torch.cdist(self.points[rows], self.points, p=power, compute_mode="donot_use_mm_for_euclid_dist")
        distances[torch.arange(len(rows), device=rows.device), rows] = math.inf
        inside = distances[:, slice(*self.own)]
        within = _padded(inside.topk(min(self.most, inside.shape[1]), dim=1, largest=False).values, self.most)
        overall = _padded(distances.topk(min(self.most, len(self.points)), dim=1, largest=False).values, self.most)
        reach = self.reach(rows, within)
        rivals = torch.zeros_like(reach, dtype=torch.int64)
        for index, radius in enumerate(reach.T[:, :, None]):
            spared = 0 if self.given is not None else (inside <= radius).sum(1)
            rivals[:, index] = (distances <= radius).sum(1) - spared
        return Neighbours(overall, within, rivals)

    def search(self, rows: Tensor, columns: Columns) -> Neighbours:
        """Search by products in float32, then in float64, then directly, until every row is certain."""
        found, certain = self._by_products(rows, columns, torch.float32)
        for dtype in (torch.float64, None):
            open_rows = (~certain).nonzero()[:, 0]
            if len(open_rows) == 0:
                break
            if dtype is None:
                again, proven = self.direct(rows[open_rows], "euclidean"), certain.new_ones(len(open_rows))
            else:
                again, proven = self._by_products(rows[open_rows], columns, dtype)
            for name in ("overall", "within", "rivals"):
                getattr(found, name)[open_rows] = getattr(again, name)
            certain[open_rows] = proven
        return found

    def _by_products(self, rows: Tensor, columns: Columns, dtype: torch.dtype) -> tuple[Neighbours, Tensor]:
        """Search by matrix products; return the neighbours and whether rounding cannot have hidden any, per row."""
        points = self.points[rows]
        tile, maxima = columns.buffer(len(rows), dtype)
        away = torch.cdist(points, columns.centres, compute_mode="donot_use_mm_for_euclid_dist")
        closest = (away - columns.radii).clamp(min=0).square() / -2
        error = ROUNDING[dtype] * (away + columns.radii).square() / 2
        mine = [b for b, (start, stop) in enumerate(columns.bounds) if self.own[0] <= start < self.own[1]]
        own = range(mine[0], mine[-1] + 1)
        everything = range(len(columns.bounds))

        def rank(blocks: range) -> tuple[Tensor, Tensor]:
            candidates, cut = columns.candidates(tile, maxima, blocks, self.most + SPARE[dtype])
            squared = (points[:, None] - self.points[candidates]).square().sum(2)
            squared = squared.masked_fill(candidates < 0, math.inf).sort(dim=1).values[:, : self.most]
            last = squared.where(squared < math.inf, -1).amax(1)
            among = slice(blocks.start, blocks.stop)
            hidden = torch.minimum(cut[:, None] + error[:, among], closest[:, among]).amax(1)
            return _padded(squared, self.most), (hidden < last / -2) | cut.isneginf()

        for block in own:
            columns.fill(points, rows, block, tile, maxima)
        within, certain = rank(own)
        reach = self.reach(rows, within.sqrt())
        rivals = torch.zeros_like(reach, dtype=torch.int64)
        needed = (closest >= within[:, -1:] / -2).any(0)
        needed[own.start : own.stop] = False
        others = needed.nonzero()[:, 0].tolist()
        for block in others:
            columns.fill(points, rows, block, tile, maxima)
        for block in others if self.given is None else everything:
            part = slice(columns.offsets[block], columns.offsets[block + 1])
            for index, radius in enumerate(reach.T):
                numbers = columns.point_of[part]
                rivals[:, index] += self._count(points, numbers, tile[:, part], radius.square(), error[:, block])
        if not others:
            return Neighbours(within.sqrt(), within.sqrt(), rivals), certain
        overall, certain_too = rank(everything)
        return Neighbours(overall.sqrt(), within.sqrt(), rivals), certain & certain_too

    def _count(self, points: Tensor, numbers: Tensor, products: Tensor, squared: Tensor, error: Tensor) -> Tensor:
        """Count a block's points within a squared distance of each row; those near the edge by exact differences."""
        sure = ((squared / -2) + error).to(products.dtype)[:, None]
        perhaps = ((squared / -2) - error).to(products.dtype)[:, None]
        count = (products >= sure).sum(1)
        doubtful = ((products >= perhaps).sum(1) != count).nonzero()[:, 0]
        if len(doubtful) > 0:
            part = products[doubtful]
            at, column = ((part >= perhaps[doubtful]) & (part < sure[doubtful])).nonzero(as_tuple=True)
            row = doubtful[at]
            exact = (points[row] - self.points[numbers[column]]).square().sum(1) <= squared[row]
            count = count.index_add(0, row, exact.to(count.dtype))
        return count


def _padded(values: Tensor, width: int) -> Tensor:
    """Append infinite columns up to a width."""
    return torch.nn.functional.pad(values, (0, width - values.shape[1]), value=math.inf)

"""Nearest-neighbour mutual information between continuous variables, and conditional mutual information.

Kraskov, Stögbauer and Grassberger, "Estimating mutual information", Physical Review E 69, 066138, 2004 (both variants);
the conditional form is that of Frenzel and Pompe, Physical Review Letters 99, 204101, 2007. The joint distance is the
largest of the distances within the spaces, which are Euclidean unless the maximum norm is asked for.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from ibtrain.estimators.inputs import Array, choice, whole
from ibtrain.estimators.neighbours import NORMS, SEARCHES, TREE_BELOW, Norm, Search
from ibtrain.estimators.result import Estimate
from ibtrain.estimators.runtime import tracked
from ibtrain.estimators.samples import CROWDED, Samples, crowded, digamma, prepare, units
from ibtrain.estimators.subsampling import error_of_mean, partitions
from imeasure.errors import ConfigError

TILE = 1 << 22
"""Most distances in one tile."""
TREE_SHARE, FEWEST = 64, 24
"""How many times smaller a part is beside a k-d tree, whose cost is that of all parts together, and its least size."""
Variant = Literal[1, 2]
Terms = Callable[[Sequence[Tensor], Search], Tensor]
"""From ... x N x K samples of each variable to the ... x N terms whose mean is the estimate."""
Subsets = Sequence[tuple[int, ...]]
"""The spaces whose joint neighbours are counted, by position."""


def ksg(
    x: Array,
    y: Array,
    *,
    k: int = 3,
    variant: Variant = 1,
    norm: Norm = "euclidean",
    standardize: bool = True,
    ranks: bool = False,
    extrapolate: bool = False,
    jitter: float = 0.0,
    search: Search = "auto",
) -> Estimate:
    r"""Estimate ``I[X;Y]`` of two continuous variables.

    Variant 1, with :math:`n` the numbers of samples nearer than the k-th joint neighbour in each space:

    .. math:: I = \psi(k) + \psi(N) - \langle \psi(n_x + 1) + \psi(n_y + 1) \rangle;

    variant 2, with :math:`n` those within the extent of the k joint neighbours in each space:

    .. math:: I = \psi(k) - 1/k + \psi(N) - \langle \psi(n_x) + \psi(n_y) \rangle.

    Independent variables give zero on average, so single values below zero are right and are not clipped. A discrete
    partner belongs in the labels of :func:`ibtrain.estimators.knn` instead.

    The standard error holds the covariance of neighbouring samples' terms, measured on disjoint parts of the data (see
    ``ibtrain.estimators.subsampling``), at a quarter of the estimate's own cost or a little more. For Gaussian
    pairs it came within 12 % of the true spread below 10 joint dimensions (300 to 3,000 samples, correlations 0 to
    0.9). It does not hold from 10 joint dimensions on, where it may be too small by a quarter, nor for fewer than some
    twenty samples; flags say so.

    Args:
        x: N x K samples.
        y: N x L samples.
        k: Number of neighbours.
        variant: 1 or 2.
        norm: Norm within each space; across the spaces it is the maximum.
        standardize: Whether to measure each dimension in units of its standard deviation.
        ranks: Whether to replace each dimension by the normal scores of its ranks. That leaves the information as it
            is, and helps where tails are heavy or scales uneven.
        extrapolate: Whether to remove the leading bias, which grows as :math:`(k/N)^{2/d}` in d joint dimensions, by
            extrapolating from k and 3 k neighbours to none (after Berrett, Samworth and Yuan, Annals of Statistics
            47(1), 2019, who do so for entropies). It helps around 10 joint dimensions, and costs a larger error.
        jitter: Standard deviation of Gaussian noise to add, in units of each dimension's own; for tied samples.
        search: ``"tree"`` (maximum norm or one-dimensional spaces only), ``"tiles"`` or ``"auto"``.

    Raises:
        ConfigError: If the numbers of samples differ, an option is not among those named, or there are too few samples.
        UndefinedQuantityError: If samples are tied or not finite, or a dimension is constant.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> x, noise = torch.randn(2, 2000, generator=generator)
        >>> bool(abs(ksg(x, x + noise).value - math.log(2) / 2) < 0.1)
        True
    """
    choice(variant, "variant", (1, 2))
    choice(ranks, "ranks", (True, False))
    choice(extrapolate, "extrapolate", (True, False))
    k = whole(k, "k", 1)
    spaces = _spaces({"X": x, "Y": y}, standardize=standardize, jitter=jitter, k=k)
    if ranks:
        spaces = [replace(space, points=_normal_scores(space.points)) for space in spaces]
    size, said = len(spaces[0].points), f"{units(norm, standardize)}{', normal scores' if ranks else ''}"
    growth = 3 ** (2 / sum(space.points.shape[1] for space in spaces)) - 1
    most = 3 * k if extrapolate else k
    if most >= size:
        raise ConfigError(f"extrapolation also asks for 3 k = {most} neighbours, which {size} samples do not have")

    def terms_at(number: int, points: Sequence[Tensor], how: Search) -> Tensor:
        counts = _counts(points, [(0,), (1,)], number, norm, how, nearest=variant == 1)
        constant = digamma(number) - (1 / number if variant == 2 else 0.0)
        return constant - torch.digamma(counts.double()).sum(-1)

    def terms(points: Sequence[Tensor], how: Search) -> Tensor:
        found = terms_at(k, points, how)
        return found + (found - terms_at(most, points, how)) / growth if extrapolate else found

    said += ", extrapolated to k = 0" if extrapolate else ""
    ceiling = digamma(size) - digamma(k) - (1 / k if variant == 2 else 0.0)
    search = _search(spaces, norm, search)
    estimate = _estimate("I[X;Y]", terms, digamma(size), spaces, search, k=k, most=most, method=f"KSG{variant}, {said}")
    if not 0.99 * ceiling < estimate.value <= math.log(size):
        return estimate
    return estimate.flagged(f"within 1 % of {ceiling:z.2f}, the most that N samples and k neighbours can show")


def ksg_conditional(
    x: Array,
    y: Array,
    given: Array,
    *,
    k: int = 3,
    norm: Norm = "euclidean",
    standardize: bool = True,
    jitter: float = 0.0,
    search: Search = "auto",
) -> Estimate:
    r"""Estimate ``I[X;Y|Z]`` of three continuous variables.

    .. math:: I = \psi(k) - \langle \psi(n_{xz} + 1) + \psi(n_{yz} + 1) - \psi(n_z + 1) \rangle

    Args:
        x: N x K samples.
        y: N x L samples.
        given: N x M samples of Z.
        k: Number of neighbours.
        norm: See :func:`ksg`, as for all that follow.
        standardize: Whether to use standard units.
        jitter: Noise for tied samples.
        search: How to search.

    Raises:
        ConfigError: As :func:`ksg`.
        UndefinedQuantityError: As :func:`ksg`.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> x, first, second = torch.randn(3, 2000, generator=generator)
        >>> bool(abs(ksg_conditional(x, x + first + second, x + first).value) < 0.05)
        True
    """
    k = whole(k, "k", 1)
    spaces = _spaces({"X": x, "Y": y, "Z": given}, standardize=standardize, jitter=jitter, k=k)

    def terms(points: Sequence[Tensor], how: Search) -> Tensor:
        counts = _counts(points, [(0, 2), (1, 2), (2,)], k, norm, how, nearest=True)
        digammas = torch.digamma(counts.double())
        return digammas[..., 2] - digammas[..., 0] - digammas[..., 1]

    method = f"KSG conditional, {units(norm, standardize)}"
    search = _search(spaces, norm, search)
    return _estimate("I[X;Y|Z]", terms, digamma(k), spaces, search, k=k, most=k, method=method)


def _spaces(data: dict[str, Array], *, standardize: bool, jitter: float, k: int) -> list[Samples]:
    """Make each variable's samples ready; each space has its own jitter."""
    spaces = [
        prepare(values, name, standardize=standardize, jitter=jitter, k=k, seed=seed)
        for seed, (name, values) in enumerate(data.items())
    ]
    sizes = [len(space.points) for space in spaces]
    if len(set(sizes)) > 1:
        raise ConfigError(f"{', '.join(data)} must have equally many samples, got {sizes}")
    device = spaces[0].points.device
    return [replace(space, points=space.points.to(device)) for space in spaces]


def _normal_scores(points: Tensor) -> Tensor:
    """Return, for each dimension, the standard normal quantiles of the samples' ranks."""
    ranks = points.argsort(dim=0).argsort(dim=0).double()
    scores: Tensor = torch.special.ndtri((ranks + 0.5) / len(points))
    return scores


def _estimate(
    quantity: str,
    terms: Terms,
    constant: float,
    spaces: Sequence[Samples],
    search: Search,
    *,
    k: int,
    most: int,
    method: str,
) -> Estimate:
    """Return the mean of the terms plus a constant as an estimate, with its error from parts of the samples."""
    points = [space.points for space in spaces]
    found, size = terms(points, search), len(points[0])
    flags = [flag for space in spaces for flag in space.flags]
    width = sum(space.shape[1] for space in points)
    if width >= CROWDED:
        flags += [crowded(width), "the standard error may be too small by a quarter"]
    parts = partitions(size, 2 * (most + 1), max(FEWEST, size // TREE_SHARE) if search == "tree" else size)
    if parts is None:
        error = float(found.std()) / math.sqrt(size)
        flags.append(f"{size} samples are too few to measure the standard error, which may be half of the true one")
    else:
        numbers = parts.flatten(0, 1).to(found.device)
        sets = [space[numbers] for space in points]
        of_parts = terms(_apart(sets) if search == "tree" else sets, search)
        error = error_of_mean(found, of_parts.view(parts.shape))
    value = constant + float(found.mean())
    if value > math.log(size):
        flags.append(f"above ln N = {math.log(size):.2f}: more than N samples can show")
    return Estimate(quantity, value, error, "two-sided", size, k, method, tuple(flags))


def _apart(sets: Sequence[Tensor]) -> list[Tensor]:
    """Return sets of samples, sets x N x K in each space, as one set in which they are no neighbours of each other."""
    reach = max(float(space.max() - space.min()) for space in sets)
    steps = 2 * reach * torch.arange(len(sets[0]), dtype=torch.float64)
    return [torch.cat([space[..., :1] + steps[:, None, None], space[..., 1:]], -1).flatten(0, 1) for space in sets]


def _search(spaces: Sequence[Samples], norm: Norm, search: Search) -> Search:
    """Return how to search, refusing what a tree cannot do."""
    choice(norm, "norm", NORMS)
    choice(search, "search", SEARCHES)
    widths = [space.points.shape[1] for space in spaces]
    flat = norm == "maximum" or max(widths) == 1
    if search == "tree" and not flat:
        raise ConfigError("a k-d tree knows only the maximum norm across spaces: use norm='maximum' or search='tiles'")
    if search != "auto":
        return search
    return "tree" if flat and sum(widths) < TREE_BELOW and spaces[0].points.device.type == "cpu" else "tiles"


def _counts(spaces: Sequence[Tensor], subsets: Subsets, k: int, norm: Norm, search: Search, *, nearest: bool) -> Tensor:
    """Return, ... x N x len(subsets), the digamma arguments of each sample.

    With ``nearest`` one plus the number of samples strictly nearer than the k-th joint neighbour; else the number
    within the extent of the k joint neighbours in the subset's own spaces, at least k.

    Args:
        spaces: ... x N x K samples of each variable; tiles take several sets of samples at once.
        subsets: Which spaces are counted together.
        k: Number of neighbours.
        norm: Norm within each space.
        search: ``"tree"`` or ``"tiles"``.
        nearest: What to count.
    """
    if search == "tree":
        return _tree_counts([s.cpu().numpy() for s in spaces], subsets, k, nearest=nearest).to(spaces[0].device)
    return _tile_counts(spaces, subsets, k, norm, nearest=nearest)


def _tile_counts(spaces: Sequence[Tensor], subsets: Subsets, k: int, norm: Norm, *, nearest: bool) -> Tensor:
    """Count by visiting all pairs, with distances from differences in float64."""
    *sets, size, _ = spaces[0].shape
    power = 2.0 if norm == "euclidean" else math.inf
    pieces = torch.arange(size, device=spaces[0].device).split(max(1, TILE // (math.prod(sets) * size)))
    result = []
    for rows in tracked(pieces, len(pieces), "joint neighbours"):
        within = [torch.cdist(s[..., rows, :], s, p=power, compute_mode="donot_use_mm_for_euclid_dist") for s in spaces]
        for distances in within:
            distances[..., torch.arange(len(rows)), rows] = math.inf
        found = _largest(within).topk(k, dim=-1, largest=False)
        columns = []
        for subset in subsets:
            distances = _largest([within[space] for space in subset])
            if nearest:
                columns.append((distances < found.values[..., -1:]).sum(-1) + 1)
            else:
                columns.append((distances <= distances.gather(-1, found.indices).amax(-1, keepdim=True)).sum(-1))
        result.append(torch.stack(columns, dim=-1))
    return torch.cat(result, dim=-2)


def _largest(distances: Sequence[Tensor]) -> Tensor:
    """Return the elementwise maximum."""
    result = distances[0]
    for other in distances[1:]:
        result = torch.maximum(result, other)
    return result


def _tree_counts(spaces: Sequence[NDArray[np.float64]], subsets: Subsets, k: int, *, nearest: bool) -> Tensor:
    """Count with k-d trees under the maximum norm."""
    joint = np.concatenate(spaces, axis=1)
    distances, indices = cKDTree(joint).query(joint, k + 1, p=math.inf)
    # Half a unit of rounding each for the difference, the margin and the sum with the point.
    rounding = 0.51 * np.finfo(np.float64).eps
    reach = distances[:, -1]
    columns = []
    for subset in subsets:
        part = np.concatenate([spaces[space] for space in subset], axis=1)
        size = np.abs(part).max(axis=1)
        if nearest:
            columns.append(_inside(part, reach - rounding * (size + 3 * reach)))
        else:
            extent = np.abs(part[indices[:, 1:]] - part[:, None]).max(axis=(1, 2))
            columns.append(_inside(part, extent + rounding * (size + 3 * extent)) - 1)
    return torch.from_numpy(np.stack(columns, axis=1))


def _inside(points: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many points, itself included, lie within each point's own radius."""
    if points.shape[1] == 1:
        line = np.sort(points[:, 0])
        right = np.searchsorted(line, points[:, 0] + radius, side="right")
        counts = np.maximum(right - np.searchsorted(line, points[:, 0] - radius, side="left"), 1)
    else:
        counts = cKDTree(points).query_ball_point(points, np.maximum(radius, 0), p=math.inf, return_length=True)
    return np.asarray(counts, dtype=np.int64)

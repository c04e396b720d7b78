"""Nearest-neighbour estimates of a latent's entropy, and of its information about a label, from samples alone.

Entropy after Kozachenko and Leonenko (Problemy Peredachi Informatsii 23(2), 1987), in the form of Kraskov, Stögbauer
and Grassberger (Physical Review E 69, 066138, 2004); information with a discrete partner after Ross (PLoS ONE 9(2),
e87357, 2014). In many dimensions the levels are biased upwards, by 15 nats and more at K = 100; the flags say so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ibtrain.estimators.information import Knowledge, complete
from ibtrain.estimators.inputs import Array, Labels, choice, whole
from ibtrain.estimators.logdet import gaussian_fit
from ibtrain.estimators.neighbours import NORMS, SEARCHES, Neighbours, Norm, Search, nearest, nearest_in_sets, radii
from ibtrain.estimators.result import Estimates
from ibtrain.estimators.samples import CROWDED, crowded, digamma, prepare, units, usable_classes
from ibtrain.estimators.subsampling import error_of_mean, partitions
from imeasure.errors import ConfigError, UndefinedQuantityError

MEMBERS = 12
"""Samples of each class in a part, on average, whose terms vary together as those of larger classes do."""
FEWEST, ENOUGH, ENOUGH_SHARE = 64, 128, 100
"""Size up to which a part is a quarter of the samples, and size and share of the samples that are always enough."""
LARGEST, LARGEST_SHARE = 256, 16
"""Size and share of the samples up to which many classes may make parts larger; the larger of the two counts."""


def knn(
    latent: Array,
    labels: Labels | None = None,
    *,
    k: int = 3,
    norm: Norm = "euclidean",
    standardize: bool = True,
    jitter: float = 0.0,
    noise_variance: float | Tensor | None = None,
    search: Search = "auto",
) -> Estimates:
    r"""Estimate ``H[Z]`` and, with labels, ``H[Z|Y]``, ``I[Y;Z]`` and ``H[Y|Z]`` from distances to the k-th neighbour.

    With :math:`\epsilon_i` the distance of sample i to its k-th neighbour, V the volume of the unit ball and
    :math:`\psi` the digamma function,

    .. math:: H[Z] = \psi(N) - \psi(k) + \ln V + \tfrac{K}{N} \sum_i \ln \epsilon_i,

    the same within each class gives ``H[Z|Y]``, and with :math:`m_i` the number of samples within the distance of the
    k-th neighbour of the own class, of size :math:`N_{y_i}`,

    .. math:: I[Y;Z] = \psi(N) + \psi(k) - \langle \psi(N_{y_i}) + \psi(m_i) \rangle.

    ``I[Y;Z]`` is Ross's estimate, whose bias largely cancels, not the difference of the two entropies. Labels are a
    partition; their values do not matter. A class with k members or fewer uses all the neighbours it has, one with a
    single member is left out, and both are flagged.

    Standard errors hold the covariance of neighbouring samples' terms, measured on disjoint parts of the data (see
    ``ibtrain.estimators.subsampling``): they came to 0.95 to 1.2 of the true spread for 300 to 3,000 samples in 1 to 20
    dimensions, alone or in 3 or 10 classes, and to 1.35 for ten neighbours in classes of thirty. Where classes are so
    far apart that ``I[Y;Z]`` is ``H[Y]``, its error is the larger by half or more if they are of equal size. Classes
    that are too small, or too many, for parts to hold some twelve samples of each leave the error of independent
    terms, which may be half of the true one; a flag says so.

    Args:
        latent: N x K samples of the noisy latent, or N numbers.
        labels: N labels, or None.
        k: Number of neighbours. More smooth, fewer resolve.
        norm: Euclidean or maximum norm.
        standardize: Whether to measure distances in units of each dimension's standard deviation. The entropies are
            in the latent's own units all the same.
        jitter: Standard deviation of Gaussian noise to add, in units of each dimension's own; for tied samples.
        noise_variance: Variance of known Gaussian noise within Z (a number or K numbers); adds ``H[Z|X]``,
            ``I[X;Z]`` and ``I[X;Z|Y]``. :func:`ibtrain.estimators.mixture` is the better estimator then.
        search: ``"tree"``, ``"tiles"``, or ``"auto"`` by dimension and device.

    Raises:
        ConfigError: If shapes do not fit together or k is not between 1 and N - 1.
        UndefinedQuantityError: If a value is not finite, a dimension is constant, samples are tied, or every class
            has a single member.

    Example:
        >>> z = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
        >>> bool(abs(knn(z)["H[Z]"].value - math.log(2 * math.pi * math.e)) < 0.1)
        True
    """
    return knn_by_k(
        latent,
        labels,
        ks=(k,),
        norm=norm,
        standardize=standardize,
        jitter=jitter,
        noise_variance=noise_variance,
        search=search,
    )[whole(k, "k", 1)]


def knn_by_k(
    latent: Array,
    labels: Labels | None = None,
    *,
    ks: Sequence[int],
    norm: Norm = "euclidean",
    standardize: bool = True,
    jitter: float = 0.0,
    noise_variance: float | Tensor | None = None,
    search: Search = "auto",
) -> dict[int, Estimates]:
    """Return the estimates of :func:`knn` for several numbers of neighbours from one search.

    Args:
        latent: N x K samples.
        labels: N labels, or None.
        ks: The numbers of neighbours.
        norm: See :func:`knn`, as for all that follow.
        standardize: Whether to use standard units.
        jitter: Noise for tied samples.
        noise_variance: Known noise.
        search: How to search.

    Raises:
        ConfigError: As :func:`knn`, or if no k is given.
        UndefinedQuantityError: As :func:`knn`.

    Example:
        >>> z = torch.randn(500, 1, generator=torch.Generator().manual_seed(0))
        >>> sorted(knn_by_k(z, ks=(1, 5)))
        [1, 5]
    """
    if not isinstance(ks, Sequence) or not ks:
        raise ConfigError(f"ks must name one number of neighbours or more, such as (1, 3, 5), got {ks!r}")
    ks = [whole(k, "k", 1) for k in ks]
    choice(norm, "norm", NORMS)
    choice(search, "search", SEARCHES)
    samples = prepare(latent, "Z", standardize=standardize, jitter=jitter, k=max(ks))
    points, flags = samples.points, samples.flags
    size, width = points.shape
    classes = torch.zeros(size, dtype=torch.int64, device=points.device)
    if labels is not None:
        kept, classes, notes = usable_classes(labels, size, points.device)
        points, flags = points[kept], flags + notes
        size = len(points)
        if size <= max(ks):
            raise ConfigError(f"only {size} samples are in classes of two or more: too few for k = {max(ks)}")
    if width >= CROWDED:
        flags = (*flags, crowded(width))
    found = nearest(points, classes, ks, norm=norm, search=search)
    parts = _Parts.of(points, classes, ks, norm)
    if parts is None:
        few = f"{size} samples" if labels is None else f"{size} samples in {int(classes.max()) + 1} classes"
        flags = (*flags, f"{few} are too few to measure the standard error, which may be half of the true one")
    bound = _gaussian_bound(points, samples.log_scale)
    offset = _log_ball(width, norm) + samples.log_scale
    name = f"knn, {units(norm, standardize)}"
    results = {}
    for index, k in enumerate(ks):
        terms = _terms(found, classes, k, index, width)
        _refuse_coincidence(terms)
        constants = (offset + digamma(size) - digamma(k), offset, digamma(size), 0.0)
        values = [float(mean) + constant for mean, constant in zip(terms.mean(1), constants, strict=True)]
        if parts is None:
            errors = (terms.std(1) / math.sqrt(size)).tolist()
        else:
            of_parts = parts.terms(k, index)
            errors = [error_of_mean(*pair) for pair in zip(terms, of_parts, strict=True)]
        total, conditional, relevant, decoder = zip(values, errors, strict=True)
        small = int((torch.bincount(classes) <= k).sum()) if labels is not None else 0
        notes = (f"{small} classes have {k} members or fewer and use all the neighbours they have",) if small else ()
        given = None if labels is None else classes
        knowledge = Knowledge(size, width, given, noise_variance, name, k, (*flags, *notes))
        results[k] = complete(knowledge, total, conditional, relevant, decoder_error=decoder[1], gaussian_bound=bound)
    return results


@dataclass(frozen=True)
class _Parts:
    """What a search finds in disjoint parts of the samples.

    Args:
        found: Distances and rivals of all parts' samples, one part after the other.
        classes: Their class numbers, other ones in each part.
        shape: Partitions x parts x part.
        width: Number of dimensions.
    """

    found: Neighbours
    classes: Tensor
    shape: torch.Size
    width: int

    @classmethod
    def of(cls, points: Tensor, classes: Tensor, ks: Sequence[int], norm: Norm) -> "_Parts | None":
        """Search in parts in which classes keep enough members, or return None where those would be too large."""
        size, count = len(points), int(classes.max()) + 1
        least = 2 * (max(ks) + 1)
        if count > 1:
            most, fewest = max(MEMBERS, max(ks) + 2) * count, (max(ks) + 2) * count
            least = min(most, max(fewest, size // 2))
        if least > max(LARGEST, size // LARGEST_SHARE):
            return None
        numbers = partitions(size, max(least, min(FEWEST, size // 4)), max(ENOUGH, size // ENOUGH_SHARE))
        if numbers is None:
            return None
        sets = numbers.flatten(0, 1).to(points.device)
        found = nearest_in_sets(points[sets], classes[sets], ks, norm=norm)
        apart = classes[sets] + count * torch.arange(len(sets), device=points.device)[:, None]
        return cls(found, apart.flatten(), numbers.shape, points.shape[1])

    def terms(self, k: int, index: int) -> Tensor:
        """Return the terms, 4 x partitions x parts x part; samples alone in their class have the mean of the part's."""
        terms = _terms(self.found, self.classes, k, index, self.width)
        terms = terms.view(len(terms), *self.shape)
        known = terms.isfinite()
        terms = terms.where(known, 0.0)
        mean = terms.sum(-1, keepdim=True) / known.sum(-1, keepdim=True).clamp(min=1)
        return terms.where(known, mean)


def _gaussian_bound(points: Tensor, log_scale: float) -> float | None:
    """Return the largest entropy that the covariance allows, or None if the samples do not determine it."""
    try:
        return gaussian_fit(points).entropy + log_scale
    except UndefinedQuantityError:
        return None


def _log_ball(width: int, norm: Norm) -> float:
    """Return the logarithm of the volume of the unit ball."""
    if norm == "maximum":
        return width * math.log(2)
    return width / 2 * math.log(math.pi) - math.lgamma(width / 2 + 1)


def _terms(found: Neighbours, classes: Tensor, k: int, index: int, width: int) -> Tensor:
    """Return, 4 x N, the terms whose means are ``H[Z]``, ``H[Z|Y]``, ``I[Y;Z]`` and ``H[Y|Z]`` up to constants.

    Args:
        found: Distances and rivals.
        classes: N class numbers.
        k: Number of neighbours.
        index: Its position among those for which rivals were counted.
        width: Number of dimensions.
    """
    members = torch.bincount(classes)[classes]
    own = (members - 1).clamp(max=k).double()
    radius = radii(found.within, members.clamp(min=2), (k,))[:, 0]
    size = torch.digamma(members.double())
    relevant = torch.digamma(own) - size - torch.digamma(own + found.rivals[:, index])
    return torch.stack(
        [
            width * found.overall[:, k - 1].log(),
            width * radius.log() + size - torch.digamma(own),
            relevant,
            -members.double().log() - relevant,
        ]
    )


def _refuse_coincidence(terms: Tensor) -> None:
    """Refuse distances of zero."""
    certain = terms.isfinite().all(1).tolist()
    if not certain[0]:
        raise UndefinedQuantityError(
            "the distances between samples are too small for float64: scale the samples up, or use standardize=True"
        )
    if not certain[1]:
        raise UndefinedQuantityError(
            "a small class holds nothing but one repeated sample, so its entropy is minus infinity: remove the "
            "duplicates, or add noise with jitter=... and say so"
        )

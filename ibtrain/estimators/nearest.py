"""Nearest-neighbour estimates of a latent's entropy, and of its information about a label, from samples alone.

Entropy after Kozachenko and Leonenko (Problemy Peredachi Informatsii 23(2), 1987), in the form of Kraskov, Stögbauer
and Grassberger (Physical Review E 69, 066138, 2004); information with a discrete partner after Ross (PLoS ONE 9(2),
e87357, 2014). In many dimensions the levels are biased upwards, by 15 nats and more at K = 100; the flags say so.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ibtrain.estimators.information import Knowledge, Measured, complete
from ibtrain.estimators.inputs import Array, Labels, choice, whole
from ibtrain.estimators.logdet import gaussian_fit
from ibtrain.estimators.neighbours import NORMS, SEARCHES, Norm, Search, nearest, radii
from ibtrain.estimators.result import Estimates
from ibtrain.estimators.samples import CROWDED, crowded, digamma, prepare, units, usable_classes
from imeasure.errors import ConfigError, UndefinedQuantityError


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
    single member is left out, and both are flagged. Standard errors are those of a mean over
    samples, which neighbours share: those of entropies are too small, by a tenth in one or two dimensions, a quarter in
    5 and a third in 20, and those of ``I[Y;Z]`` by up to a fifth; :func:`ibtrain.estimators.subsampling_error`
    corrects them.

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
    found = nearest(points, classes, ks, norm=norm, search=search)
    bound = _gaussian_bound(points, samples.log_scale)
    offset = _log_ball(width, norm) + samples.log_scale
    if width >= CROWDED:
        flags = (*flags, crowded(width))
    results = {}
    for index, k in enumerate(ks):
        total = _plain(found.overall[:, k - 1], k, width, offset)
        conditional = relevant = None
        said = flags
        if labels is not None:
            members = torch.bincount(classes)[classes]
            small = int((torch.bincount(classes) <= k).sum())
            if small:
                said = (*flags, f"{small} classes have {k} members or fewer and use all the neighbours they have")
            own = torch.minimum(members - 1, torch.tensor(k, device=members.device)).double()
            conditional = _within(found.within, members, own, k=k, width=width, offset=offset)
            relevant = _ross(found.rivals[:, index], members, own)
        knowledge = Knowledge(
            size,
            width,
            None if labels is None else classes,
            noise_variance,
            f"knn, {units(norm, standardize)}",
            k,
            said,
        )
        results[k] = complete(knowledge, total, conditional, relevant, gaussian_bound=bound)
    return results


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


def _mean(values: Tensor) -> Measured:
    """Return the mean and its standard error."""
    return float(values.mean()), float(values.std() / math.sqrt(len(values)))


def _plain(radius: Tensor, k: int, width: int, offset: float) -> Measured:
    """Return the Kozachenko-Leonenko entropy from the distances to the k-th neighbour."""
    if not bool((radius > 0).all()):
        raise UndefinedQuantityError(
            "the distances between samples are too small for float64: scale the samples up, or use standardize=True"
        )
    value, error = _mean(width * radius.log())
    return value + offset + digamma(len(radius)) - digamma(k), error


def _within(distances: Tensor, members: Tensor, own: Tensor, *, k: int, width: int, offset: float) -> Measured:
    """Return the Kozachenko-Leonenko entropy within classes, weighted by their shares."""
    radius = radii(distances, members, (k,))[:, 0]
    if not bool((radius > 0).all()):
        raise UndefinedQuantityError(
            "a small class holds nothing but one repeated sample, so its entropy is minus infinity: remove the "
            "duplicates, or add noise with jitter=... and say so"
        )
    value, error = _mean(width * radius.log() + torch.digamma(members.double()) - torch.digamma(own))
    return value + offset, error


def _ross(rivals: Tensor, members: Tensor, own: Tensor) -> Measured:
    """Return Ross's information between the label and the latent."""
    terms = torch.digamma(own) - torch.digamma(members.double()) - torch.digamma(own + rivals)
    value, error = _mean(terms)
    return value + digamma(len(rivals)), error

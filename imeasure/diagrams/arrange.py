"""Choosing a picture in which exactly the atoms that a model leaves have an area.

Markov chains become a row of hills; up to five sets are looked up in the gallery, under every naming of its sets; what
is not there starts from the full Venn diagram, whose unwanted cells are given to their neighbours.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

from imeasure.diagrams.chains import interval_atoms
from imeasure.diagrams.shapes import Field, Floats, Layout, chain_fields, gallery, layout
from imeasure.errors import ModelError

POINTS = 460
_RESHAPED = 340
_COARSE = 90
_SMOOTHINGS = (9, 7, 5, 4, 3, 2)
_LEAST_SHARE = 0.75
MAX_SETS = 5
"""Most sets of an arrangement that is not a chain."""


def arrange(count: int, atoms: frozenset[int], chain: Sequence[int] | None = None) -> Layout:
    """Return a picture of n sets that shows the given atoms and no others.

    Args:
        count: Number of sets n.
        atoms: Bitmasks of the atoms to show.
        chain: Bits of the variables along a Markov chain, if they form one and ``atoms`` are its intervals.

    Returns:
        The layout.

    Raises:
        ModelError: If there are more than five sets that form no chain, or no atoms at all.

    Example:
        >>> sorted(arrange(2, frozenset({1, 2})).atoms)
        [1, 2]
    """
    if chain is not None and count > 3 and atoms == interval_atoms(chain):
        hills = layout(chain_fields(count), POINTS + 60 * count)
        return hills.permuted([chain.index(bit) for bit in range(count)])
    if count > MAX_SETS:
        raise ModelError(f"a diagram of {count} sets that form no Markov chain is drawn as bars; give values= for them")
    if not atoms:
        raise ModelError("the model makes every atom zero; there is nothing to draw")
    return _arranged(count, atoms)


@lru_cache(maxsize=64)
def _arranged(count: int, atoms: frozenset[int]) -> Layout:
    for fields, coarse in _coarse_gallery():
        if len(fields) == count and len(coarse.atoms) == len(atoms):
            for order in permutations(range(count)):
                if _renamed(coarse.atoms, order) == atoms:
                    return layout(fields, POINTS).permuted(order)
    return _reshaped(count, atoms)


@lru_cache(maxsize=1)
def _coarse_gallery() -> tuple[tuple[tuple[Field, ...], Layout], ...]:
    return tuple((fields, layout(fields, 2 * _COARSE)) for fields in gallery())


def _renamed(atoms: frozenset[int], order: Sequence[int]) -> frozenset[int]:
    """Atoms of a picture whose new set i is its old set ``order[i]``."""
    return frozenset(sum(1 << new for new, old in enumerate(order) if mask >> old & 1) for mask in atoms)


def _reshaped(count: int, atoms: frozenset[int]) -> Layout:
    """The full Venn diagram with its unwanted cells given away, under the naming that keeps most cells whole."""
    full = next(
        fields for fields, coarse in _coarse_gallery() if len(coarse.atoms) == 2**count - 1 == 2 ** len(fields) - 1
    )
    orders: list[Sequence[int]] = [order for order in permutations(range(count)) if count < MAX_SETS or order[0] == 0]
    coarse = layout(full, _COARSE)

    def cost(order: Sequence[int]) -> tuple[int, int]:
        picture = coarse.permuted(order)
        unwanted = ~np.isin(picture.labels, [0, *atoms])
        given = _given_away(picture.labels, atoms)
        pieces = sum(_pieces(given == mask) for mask in atoms)
        return pieces, int(unwanted.sum())

    picture = layout(full, _RESHAPED).permuted(min(orders, key=cost))
    return _from_labels(picture, _given_away(picture.labels, atoms))


def _pieces(region: NDArray[np.bool_]) -> int:
    lines = contour_generator(z=np.pad(region.astype(np.float64), 1)).lines(0.5)
    return len(lines) if lines else 99


def _given_away(labels: NDArray[np.int64], atoms: frozenset[int]) -> NDArray[np.int64]:
    """Give each unwanted point to the nearest wanted atom, growing these one step at a time."""
    unclaimed = -1
    result = np.where(np.isin(labels, [0, *atoms]), labels, unclaimed)
    while (result == unclaimed).any():
        padded = np.pad(result, 1, constant_values=0)
        neighbours = np.stack(
            [
                padded[1 + dy : padded.shape[0] - 1 + dy, 1 + dx : padded.shape[1] - 1 + dx]
                for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
            ]
        )
        candidate = neighbours.max(axis=0)
        grow = (result == unclaimed) & (candidate > 0)
        if not grow.any():
            result[result == unclaimed] = 0
            break
        result[grow] = candidate[grow]
    return np.asarray(result)


def _from_labels(picture: Layout, labels: NDArray[np.int64]) -> Layout:
    """Turn cells into smooth fields whose signs agree, as smooth as leaves every cell there and in as many pieces."""
    masks = [0, *sorted({int(mask) for mask in np.unique(labels)} - {0})]
    pieces = sum(_pieces(labels == mask) for mask in masks[1:])
    for smoothing in _SMOOTHINGS:
        found = Layout(picture.x, picture.y, _smooth(labels, masks, len(picture.fields), smoothing))
        cells = [(found.labels == mask, labels == mask) for mask in masks[1:]]
        whole = all(new.sum() > _LEAST_SHARE * old.sum() for new, old in cells)
        if whole and sum(_pieces(new) for new, _ in cells) <= pieces:
            break
    return found


def _smooth(labels: NDArray[np.int64], masks: Sequence[int], count: int, smoothing: int) -> Floats:
    """Fields by which each point belongs to the cell with the largest share nearby."""
    shares = np.stack([_blurred((labels == mask).astype(np.float64), smoothing) for mask in masks])
    fields = []
    for bit in range(count):
        inside = [index for index, mask in enumerate(masks) if mask >> bit & 1]
        outside = [index for index, mask in enumerate(masks) if not mask >> bit & 1]
        within = shares[inside].max(axis=0) if inside else np.full(labels.shape, -1.0)
        fields.append(within - shares[outside].max(axis=0))
    return np.stack(fields)


def _blurred(values: Floats, smoothing: int) -> Floats:
    """Three passes of a running mean along each axis, close to a Gaussian."""
    window = 2 * smoothing + 1
    for _ in range(3):
        for axis in (0, 1):
            padded = np.pad(values, [(smoothing + 1, smoothing) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
            sums = np.cumsum(padded, axis=axis)
            ahead = np.take(sums, range(window, sums.shape[axis]), axis=axis)
            behind = np.take(sums, range(sums.shape[axis] - window), axis=axis)
            values = (ahead - behind) / window
    return values

"""Coordinates over subsets: inclusion-exclusion, and fast transforms between joint entropies and atoms.

An array over the subsets of n variables has length 2^n, indexed by bitmask; a transform takes n 2^n additions and runs
over the last axis, so that batches cost one call. Exact numbers work as objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt


def zeta(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Sum over subsets: ``result[..., S] = sum of values[..., T] over T within S``.

    Args:
        values: Array of shape (..., 2^n) of floats, integers, or exact numbers as objects.

    Returns:
        A new array of the same shape.

    Example:
        >>> zeta([0, 1, 2, 3]).tolist()
        [0, 1, 2, 6]
    """
    return _transform(values, np.add)


def moebius(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Invert :func:`zeta`.

    Args:
        values: Array of shape (..., 2^n).

    Returns:
        A new array of the same shape.

    Example:
        >>> moebius([0, 1, 2, 6]).tolist()
        [0, 1, 2, 3]
    """
    return _transform(values, np.subtract)


def _transform(values: npt.ArrayLike, operation: Callable[..., Any]) -> npt.NDArray[Any]:
    result = np.array(values)
    bits = result.shape[-1].bit_length() - 1
    for bit in range(bits):
        halves = result.reshape(*result.shape[:-1], -1, 2, 1 << bit)
        operation(halves[..., 1, :], halves[..., 0, :], out=halves[..., 1, :])
    return result


def atoms_from_entropies(entropies: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the signed measure of all atoms from all joint entropies.

    Args:
        entropies: Array of shape (..., 2^n), ``[..., S]`` the joint entropy of the variables in bitmask S.

    Returns:
        Array of the same shape: ``[..., T]`` is the measure of the atom inside exactly the variables T.

    Example:
        >>> atoms_from_entropies([0, 2, 3, 4]).tolist()
        [0, 1, 2, 1]
    """
    h = np.asarray(entropies)
    return moebius(h[..., -1:] - h[..., ::-1])


def entropies_from_atoms(atoms: npt.ArrayLike) -> npt.NDArray[Any]:
    """Invert :func:`atoms_from_entropies`.

    Args:
        atoms: Array of shape (..., 2^n).

    Returns:
        Array of the same shape.

    Example:
        >>> entropies_from_atoms([0, 1, 2, 1]).tolist()
        [0, 2, 3, 4]
    """
    inside = zeta(atoms)
    result: npt.NDArray[Any] = inside[..., -1:] - inside[..., ::-1]
    return result


def inclusion_exclusion(groups: Iterable[int], given: int = 0) -> dict[int, int]:
    """Return ``I(A1;...;Ak|C)``, or ``H(A|C)`` for one group, as coefficients of joint entropies.

    Args:
        groups: Bitmasks of the groups.
        given: Bitmask of the condition.

    Returns:
        Coefficients by bitmask.

    Example:
        >>> inclusion_exclusion([1, 2], 4)
        {4: -1, 5: 1, 6: 1, 7: -1}
    """
    masks = tuple(groups)
    if len(masks) == 2:
        first, second = masks[0] | given, masks[1] | given
        joint = first | second
        if given not in (first, second) and joint not in (first, second):
            return {given: -1, first: 1, second: 1, joint: -1} if given else {first: 1, second: 1, joint: -1}
    form: dict[int, int] = {}
    for size in range(len(masks) + 1):
        sign = 1 if size % 2 else -1
        for chosen in combinations(masks, size):
            union = given
            for mask in chosen:
                union |= mask
            if union:
                form[union] = form.get(union, 0) + sign
    return {mask: c for mask, c in form.items() if c}

"""One bottleneck problem: its objective, its self-consistent equations, and their iteration.

Alternating minimisation over encoder, marginal and decoder (Tishby, Pereira and Bialek, 1999; the deterministic limit
by Strouse and Schwab, 2017) never increases the objective. All methods work on a batch of encoders at once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TINY = 1e-300
_ACCELERATION, _LONGEST = 1.5, 200.0
_PATIENCE = 8


@dataclass(frozen=True)
class Problem:
    """The fixed side: p(x), p(y|x), and what is minimised.

    Attributes:
        p_x: Shape (X,).
        p_y_given_x: Shape (X, Y).
        negative_entropy: ``-H[Y|X=x]``, shape (X,).
        variant: ``"ib"`` or ``"dib"``.
        tolerance: Nats.
        max_iterations: Per call of :meth:`solve`.
    """

    p_x: Floats
    p_y_given_x: Floats
    negative_entropy: Floats
    variant: str
    tolerance: float
    max_iterations: int

    @classmethod
    def of(cls, p_xy: Floats, variant: str, tolerance: float, max_iterations: int) -> "Problem":
        """Take a joint table, shape (X, Y), apart."""
        p_x = p_xy.sum(axis=1)
        conditional = p_xy / np.maximum(p_x, _TINY)[:, None]
        negative_entropy = (conditional * np.log(np.maximum(conditional, _TINY))).sum(axis=1)
        return cls(p_x, conditional, negative_entropy, variant, tolerance, max_iterations)

    def decoded(self, encoders: Floats) -> tuple[Floats, Floats]:
        """q(z) of shape (R, Z) and ln q(y|z) of shape (R, Z, Y)."""
        joint_xz = self.p_x[:, None] * encoders
        q_z = joint_xz.sum(axis=-2)
        q_zy = np.swapaxes(joint_xz, -1, -2) @ self.p_y_given_x
        return q_z, np.log(np.maximum(q_zy, _TINY)) - np.log(np.maximum(q_z, _TINY))[..., None]

    def terms(self, encoders: Floats) -> Floats:
        """``I[X;Z]``, ``I[Y;Z]`` and ``H[Z]`` of each encoder, shape (3, R)."""
        q_z, log_decoder = self.decoded(encoders)
        joint_xz = self.p_x[:, None] * encoders
        entropy_z = _entropy(q_z)
        information_xz = entropy_z + (joint_xz * np.log(np.maximum(encoders, _TINY))).sum(axis=(-1, -2))
        entropy_y = _entropy(self.p_x @ self.p_y_given_x)
        joint_zy = np.swapaxes(joint_xz, -1, -2) @ self.p_y_given_x
        information_yz = entropy_y + (joint_zy * log_decoder).sum(axis=(-1, -2))
        return np.asarray(np.maximum(np.stack([information_xz, information_yz, entropy_z]), 0.0))

    def objective(self, terms: Floats, beta: Any) -> Floats:
        """What is minimised, of the terms of each encoder."""
        rate = terms[0] if self.variant == "ib" else terms[2]
        return np.asarray(rate - beta * terms[1])

    def step(self, encoders: Floats, beta: float) -> Floats:
        """One turn of the self-consistent equations."""
        q_z, log_decoder = self.decoded(encoders)
        divergence = self.negative_entropy[:, None] - self.p_y_given_x @ np.swapaxes(log_decoder, -1, -2)
        scores = np.where(q_z > 0, np.log(np.maximum(q_z, _TINY)), -np.inf)[..., None, :] - beta * divergence
        if self.variant == "dib":
            return np.asarray(scores.argmax(axis=-1)[..., None] == np.arange(scores.shape[-1]), dtype=np.float64)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    def solve(self, encoders: Floats, beta: float, tolerance: float) -> tuple[Floats, NDArray[np.bool_]]:
        """Iterate a batch of encoders, shape (R, X, Z), until their objectives have stood still for a while.

        Steps are prolonged in the logarithm as long as that lowers the objective, and taken plainly otherwise, so it
        never rises; near a bifurcation this is what makes a slow split visible.
        """
        encoders = encoders.copy()
        converged = np.zeros(len(encoders), dtype=bool)
        value = self.objective(self.terms(encoders), beta)
        stride = np.ones(len(encoders))
        still = np.zeros(len(encoders), dtype=np.int64)
        active = np.arange(len(encoders))
        for _ in range(self.max_iterations):
            here = encoders[active]
            plain = self.step(here, beta)
            moved = plain if self.variant == "dib" else _prolonged(here, plain, stride[active])
            now = self.objective(self.terms(moved), beta)
            worse = now > value[active]
            if worse.any():
                moved = np.where(worse[:, None, None], plain, moved)
                now = np.where(worse, self.objective(self.terms(plain), beta), now)
            stride[active] = np.where(worse, 1.0, np.minimum(stride[active] * _ACCELERATION, _LONGEST))
            still[active] = np.where(value[active] - now > tolerance / 100, 0, still[active] + 1)
            encoders[active], value[active] = moved, now
            done = still[active] >= _PATIENCE
            converged[active[done]] = True
            active = active[~done]
            if not active.size:
                break
        return encoders, converged

    def reassign(self, encoder: Floats, beta: float) -> Floats:
        """Move single values of X, or merge whole clusters, as long as that lowers a hard encoder's objective."""
        values, size = encoder.shape
        labels = encoder.argmax(axis=1)
        value = float(self.objective(self.terms(encoder[None]), beta)[0])
        improved = True
        while improved:
            improved = False
            groups = [np.array([x]) for x in range(values)] + [np.flatnonzero(labels == z) for z in np.unique(labels)]
            for group in groups:
                candidates = np.repeat(labels[None], size, axis=0)
                candidates[:, group] = np.arange(size)[:, None]
                scores = self.objective(self.terms(np.eye(size)[candidates]), beta)
                best = int(scores.argmin())
                if scores[best] < value - 1e-14:
                    labels, value, improved = candidates[best], float(scores[best]), True
        return np.asarray(np.eye(size)[labels])


def _prolonged(start: Floats, end: Floats, stride: Floats) -> Floats:
    """Go on from ``start`` through ``end`` along the straight line of their logarithms."""
    origin = np.log(np.maximum(start, _TINY))
    scores = origin + stride[:, None, None] * (np.log(np.maximum(end, _TINY)) - origin)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _entropy(p: Floats) -> Any:
    return -(p * np.log(np.maximum(p, _TINY))).sum(axis=-1)

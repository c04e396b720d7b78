"""The information bottleneck of a finite joint distribution, solved by its self-consistent equations.

Alternating minimisation over encoder, marginal and decoder (Tishby, Pereira and Bialek, 1999; the deterministic limit
by Strouse and Schwab, 2017) never increases the objective; annealing in beta, restarts and one common pool of solutions
make the curve monotone. What networks are trained towards can be compared with this curve.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imeasure.distribution import Distribution
from imeasure.errors import ConfigError, ModelError

Floats = NDArray[np.float64]

_TINY = 1e-300
_DISTURBANCE = 0.05
_COARSE = 1e-5
_FINALISTS = 3
_ACCELERATION, _LONGEST = 1.5, 200.0
_PATIENCE = 8
_HARD = 12


@dataclass(frozen=True, eq=False)
class InformationCurve:
    """Optimal bottlenecks, one per beta, in nats.

    Attributes:
        variant: ``"ib"`` or ``"dib"``.
        beta: Shape (B,), ascending.
        objective: ``I[X;Z] - beta*I[Y;Z]``, for ``"dib"`` ``H[Z] - beta*I[Y;Z]``; shape (B,).
        information_xz: ``I[X;Z]``, shape (B,); does not fall with beta.
        information_yz: ``I[Y;Z]``, shape (B,); does not fall with beta.
        entropy_z: ``H[Z]``, shape (B,).
        encoders: p(z|x), shape (B, X, Z).
        converged: Whether the objective stood still to the tolerance; shape (B,).
        joint: The distribution of X and Y.
    """

    variant: Literal["ib", "dib"]
    beta: Floats
    objective: Floats
    information_xz: Floats
    information_yz: Floats
    entropy_z: Floats
    encoders: Floats
    converged: NDArray[np.bool_]
    joint: Distribution

    def distribution(self, index: int) -> Distribution:
        """Return the joint distribution of Y, X and the latent at one beta.

        Args:
            index: Which beta.

        Returns:
            A distribution over the names of Y and X, and ``Z``, that obeys ``Y -> X -> Z``.
        """
        p_xy = self.joint.probabilities
        table = np.einsum("xy,xz->yxz", p_xy, self.encoders[index])
        x, y = self.joint.names
        return Distribution(table, [y, x, "Z"], [*self.joint.outcomes[::-1], range(table.shape[2])], normalize=True)

    def _rows(self) -> list[tuple[str, ...]]:
        columns = (self.beta, self.objective, self.information_xz, self.information_yz, self.entropy_z)
        header = ("beta", "objective", "I[X;Z]", "I[Y;Z]", "H[Z]")
        return [header, *(tuple(f"{entry:.6f}" for entry in row) for row in np.stack(columns, axis=1))]

    def __str__(self) -> str:
        return "\n".join("  ".join(f"{cell:>10}" for cell in row) for row in self._rows())

    def __repr__(self) -> str:
        return (
            f"<InformationCurve {self.variant}: {len(self.beta)} values of beta, {int(self.converged.sum())} converged>"
        )

    def _repr_html_(self) -> str:
        header, *rows = self._rows()
        head = "".join(f"<th>{escape(name)}</th>" for name in header)
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def blahut_arimoto(
    joint: Distribution | Any,
    beta: float | Iterable[float],
    *,
    variant: Literal["ib", "dib"] = "ib",
    latent_size: int | None = None,
    variables: Sequence[str] = ("X", "Y"),
    restarts: int = 8,
    seed: int = 0,
    tolerance: float = 1e-10,
    max_iterations: int = 20_000,
) -> InformationCurve:
    r"""Solve the information bottleneck of a joint distribution of X and Y.

    The self-consistent equations are :math:`q(z|x) \propto q(z) \exp(-\beta\,\mathrm{KL}(p(y|x)\,\|\,q(y|z)))` with
    q(z) and q(y|z) the encoder's own marginal and decoder; for ``"dib"`` the encoder takes the best z only.

    The problem is not convex: the result is the best of many starts, not a proven minimum.

    Args:
        joint: A distribution with the two variables, or an array of shape (X, Y).
        beta: One value, or several.
        variant: ``"ib"`` minimises ``I[X;Z] - beta*I[Y;Z]``, ``"dib"`` ``H[Z] - beta*I[Y;Z]``.
        latent_size: Values of Z; as many as X has by default, which is enough for an optimum.
        variables: Which variables of ``joint`` are X and Y.
        restarts: Random encoders to start from, beside the trivial and the identical one.
        seed: Of the random encoders.
        tolerance: Nats: an iteration ends when the objective has fallen by less than a thousandth of it several times
            in a row.
        max_iterations: Per beta and sweep.

    Returns:
        The curve, betas ascending.

    Raises:
        ConfigError: If beta is negative or not finite, or an option is out of range.
        ModelError: If ``joint`` is not a distribution of the variables.

    Example:
        >>> copied = Distribution([["1/2", 0], [0, "1/2"]], "X Y")
        >>> print(blahut_arimoto(copied, [0.5, 2.0]))
              beta   objective      I[X;Z]      I[Y;Z]        H[Z]
          0.500000    0.000000    0.000000    0.000000    0.000000
          2.000000   -0.693147    0.693147    0.693147    0.693147
    """
    betas = np.unique(np.atleast_1d(np.asarray(beta, dtype=np.float64)))
    if betas.ndim != 1 or not betas.size or not np.isfinite(betas).all() or (betas < 0).any():
        raise ConfigError(f"beta must be one or several finite numbers of at least zero, not {beta}")
    if variant not in {"ib", "dib"}:
        raise ConfigError(f"variant must be 'ib' or 'dib', not {variant!r}")
    pair = _joint_of(joint, variables)
    problem = _Problem.of(pair.probabilities, variant, tolerance, max_iterations)
    size = pair.pmf.shape[0] if latent_size is None else latent_size
    if size < 1 or restarts < 0:
        raise ConfigError(f"latent_size must be at least 1 and restarts at least 0, got {size} and {restarts}")
    pool = _sweep(problem, betas, _starts(problem, size, restarts, np.random.default_rng(seed)), seed)
    scores = problem.objective(pool.terms, betas[:, None])
    tied = scores <= scores.min(axis=1, keepdims=True) + problem.tolerance / 100
    best = np.argmin(np.where(tied, pool.terms[2], np.inf), axis=1)
    xz, yz, z = pool.terms[:, best]
    return InformationCurve(
        variant=variant,
        beta=betas,
        objective=scores[np.arange(len(betas)), best] + 0.0,
        information_xz=xz,
        information_yz=yz,
        entropy_z=z,
        encoders=pool.encoders[best],
        converged=pool.converged[best],
        joint=pair,
    )


def _joint_of(joint: Any, variables: Sequence[str]) -> Distribution:
    if isinstance(joint, Distribution):
        return joint.marginal(variables)
    array = np.asarray(joint)
    if array.ndim != 2:
        raise ModelError(f"the joint table needs two axes, X and Y, not shape {array.shape}")
    return Distribution(array, variables)


@dataclass(frozen=True)
class _Problem:
    """The fixed side: p(x), p(y|x), and what is minimised."""

    p_x: Floats
    p_y_given_x: Floats
    negative_entropy: Floats
    variant: str
    tolerance: float
    max_iterations: int

    @classmethod
    def of(cls, p_xy: Floats, variant: str, tolerance: float, max_iterations: int) -> "_Problem":
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


@dataclass(frozen=True)
class _Pool:
    """Every solution found, whichever beta it was found at."""

    encoders: Floats
    terms: Floats
    converged: NDArray[np.bool_]


def _starts(problem: _Problem, size: int, restarts: int, generator: np.random.Generator) -> Floats:
    """Encoders of shape (R, X, Z): the identical one, and random ones that use 2, 3, ... values of Z."""
    values = len(problem.p_x)
    starts = [np.eye(size)[np.arange(values) % size]]
    for restart in range(restarts):
        used = 2 + restart % max(size - 1, 1)
        encoder = np.zeros((values, size))
        encoder[:, : min(used, size)] = generator.dirichlet(np.ones(min(used, size)), size=values)
        starts.append(encoder)
    return np.stack(starts)


def _sweep(problem: _Problem, betas: Floats, starts: Floats, seed: int) -> _Pool:
    """Anneal from the largest beta down and up again; the trivial encoder is always in the pool.

    At each beta all candidates are solved coarsely, the best few of them to the tolerance.
    """
    generator = np.random.default_rng((seed, 1))
    trivial = np.zeros((1, *starts.shape[1:]))
    trivial[..., 0] = 1.0
    found, flags = [trivial], [np.ones(1, dtype=bool)]
    top = max(float(betas[-1]), 1.0)
    current = starts
    for beta in (top * 8, top * 4, top * 2, *betas[::-1].tolist(), *betas.tolist()):
        batch = np.concatenate([current, _disturbed(current, generator), starts])
        solved, _ = problem.solve(batch, beta, max(_COARSE, problem.tolerance))
        ranked = solved[np.argsort(problem.objective(problem.terms(solved), beta), kind="stable")]
        current = ranked[: len(starts)]
        if beta in betas:
            finalists = ranked[:_FINALISTS]
            if problem.variant == "dib":
                distinct = np.unique(ranked, axis=0, return_index=True)[1]
                finalists = np.stack([problem.reassign(encoder, beta) for encoder in ranked[np.sort(distinct)[:_HARD]]])
            else:
                # A solution may be a saddle that splits slowly: leave it once more; the identical encoder competes too.
                leaving = [_disturbed(finalists[:2], generator, share) for share in (_DISTURBANCE, 0.3, 0.6)]
                finalists = np.concatenate([finalists, *leaving, starts[:1]])
            polished, converged = problem.solve(finalists, beta, problem.tolerance / 10)
            current = np.concatenate([polished, current])[: len(starts) + _FINALISTS]
            hard = np.eye(polished.shape[2])[polished.argmax(axis=2)]
            found += [polished, hard]
            flags += [converged, np.ones(len(hard), dtype=bool)]
    encoders = np.concatenate(found)
    return _Pool(encoders, problem.terms(encoders), np.concatenate(flags))


def _prolonged(start: Floats, end: Floats, stride: Floats) -> Floats:
    """Go on from ``start`` through ``end`` along the straight line of their logarithms."""
    origin = np.log(np.maximum(start, _TINY))
    scores = origin + stride[:, None, None] * (np.log(np.maximum(end, _TINY)) - origin)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _disturbed(encoders: Floats, generator: np.random.Generator, share: float = _DISTURBANCE) -> Floats:
    noise = generator.dirichlet(np.ones(encoders.shape[2]), size=encoders.shape[:2])
    return np.asarray((1 - share) * encoders + share * noise)


def _entropy(p: Floats) -> Any:
    return -(p * np.log(np.maximum(p, _TINY))).sum(axis=-1)

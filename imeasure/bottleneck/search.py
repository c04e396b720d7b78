"""The search for the best encoder: annealing in beta, restarts, and new clusters, in one common pool.

The problem is not convex. Annealing from large beta down and up again (Rose, 1998), and letting unused values of Z
start anew from each value of X, leave the local minima that single starts end in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imeasure.bottleneck.problem import Problem

Floats = NDArray[np.float64]

_DISTURBANCE = 0.05
_COARSE, _FINE = 1e-5, 1e-8
_FINALISTS = 3
_HARD = 12
_ROUNDS = 5
_EMPTY, _ALIKE = 1e-9, 1e-4
_REACHES = (0.0, 1.0)
_WEIGHTS = np.array([0.01, 0.3])


@dataclass(frozen=True)
class Pool:
    """Every solution found, whichever beta it was found at."""

    encoders: Floats
    terms: Floats
    converged: NDArray[np.bool_]

    @classmethod
    def of(cls, problem: Problem, found: list[Floats], flags: list[NDArray[np.bool_]]) -> "Pool":
        """Gather batches of encoders, and whether they converged."""
        encoders = np.concatenate(found)
        return cls(encoders, problem.terms(encoders), np.concatenate(flags))


def starting_points(problem: Problem, size: int, restarts: int, generator: np.random.Generator) -> Floats:
    """Draw encoders to start from: the identical one, and random ones that use 2, 3, ... values of Z.

    Args:
        problem: The problem.
        size: Values of Z.
        restarts: How many random ones.
        generator: Source of randomness.

    Returns:
        Encoders, shape (1 + restarts, X, Z).
    """
    values = len(problem.p_x)
    starts = [np.eye(size)[np.arange(values) % size]]
    for restart in range(restarts):
        used = 2 + restart % max(size - 1, 1)
        encoder = np.zeros((values, size))
        encoder[:, : min(used, size)] = generator.dirichlet(np.ones(min(used, size)), size=values)
        starts.append(encoder)
    return np.stack(starts)


def sweep(problem: Problem, betas: Floats, starts: Floats, seed: int) -> Pool:
    """Anneal from the largest beta down and up again; the trivial encoder is always in the pool.

    At each beta all candidates are solved coarsely, the best few of them to the tolerance.

    Args:
        problem: The problem.
        betas: Ascending, shape (B,).
        starts: Encoders, shape (R, X, Z).
        seed: Of the disturbances.

    Returns:
        All solutions.
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
    pool = Pool.of(problem, found, flags)
    if problem.variant == "ib":
        for beta in betas.tolist():
            pool = _with_new_clusters(problem, pool, beta)
    return pool


def _with_new_clusters(problem: Problem, pool: Pool, beta: float) -> Pool:
    """Let unused values of Z start anew in the best encoder, as long as that lowers the objective."""
    for _ in range(_ROUNDS):
        scores = problem.objective(pool.terms, beta)
        candidates = _grown(problem, pool.encoders[int(scores.argmin())], beta)
        if not len(candidates):
            break
        solved, _ = problem.solve(candidates, beta, max(_FINE, problem.tolerance))
        ranked = np.argsort(problem.objective(problem.terms(solved), beta), kind="stable")
        polished, converged = problem.solve(solved[ranked[:_FINALISTS]], beta, problem.tolerance / 10)
        pool = Pool.of(problem, [pool.encoders, polished], [pool.converged, converged])
        if problem.objective(pool.terms, beta).min() >= scores.min() - problem.tolerance:
            break
    return pool


def _grown(problem: Problem, encoder: Floats, beta: float) -> Floats:
    """Merge values of Z that decode alike; let one set free start from each value of X, beside it and far out.

    A new value of Z whose decoder is p(y|x) draws others as the self-consistent equations say; small and large first
    weights find splits that grow at once, and those that only a finite step finds.
    """
    q_z, log_decoder = problem.decoded(encoder[None])
    kept: list[int] = []
    merged = np.zeros_like(encoder)
    for z in np.flatnonzero(q_z[0] > _EMPTY).tolist():
        decoder = np.exp(log_decoder[0, z])
        alike = [k for k in kept if np.abs(np.exp(log_decoder[0, k]) - decoder).max() < _ALIKE]
        merged[:, alike[0] if alike else z] += encoder[:, z]
        kept += [] if alike else [z]
    free = [z for z in range(encoder.shape[1]) if z not in kept]
    if not free:
        return np.empty((0, *encoder.shape))
    seeds = problem.p_y_given_x
    mean = np.einsum("xz,zy->xy", merged, np.exp(log_decoder[0]))
    decoders = [np.maximum(seeds + reach * (seeds - mean), _EMPTY) for reach in _REACHES]
    decoder = np.concatenate([rows / rows.sum(axis=1, keepdims=True) for rows in decoders])
    ratio = np.log(decoder) @ seeds.T - (merged @ log_decoder[0] * seeds).sum(axis=1)
    share = 1 / (1 + np.exp(-np.clip(np.log(_WEIGHTS)[:, None, None] + beta * ratio, -50, 50)))
    share = np.maximum(share.reshape(-1, len(encoder)), _EMPTY)
    candidates = (1 - share[..., None]) * merged
    candidates[..., free[0]] += share
    return np.asarray(candidates)


def _disturbed(encoders: Floats, generator: np.random.Generator, share: float = _DISTURBANCE) -> Floats:
    noise = generator.dirichlet(np.ones(encoders.shape[2]), size=encoders.shape[:2])
    return np.asarray((1 - share) * encoders + share * noise)

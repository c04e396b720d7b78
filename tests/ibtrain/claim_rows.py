"""Rows of runs for which the verdict of a claim is known."""

import math

from ibtrain.claims import by_data, weights
from ibtrain.records import Record
from ibtrain.runs import Row

THREE = weights.SURROGATES
GAMMAS = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def row(quantity, value, *, epoch=1, gamma=0.1, seed=0, surrogate="LogVar[Z]", method="mixture", error=0.0, **fields):
    run = f"{surrogate}, {gamma}, {seed}, {fields.get('loss', '')}, {fields.get('latent', '')}"
    return Row(run, epoch, gamma, surrogate, seed, quantity, method, "two-sided", value, error, **fields)


def found_in(rows, config=None):
    runs = {}
    for one in rows:
        runs.setdefault(one.run, []).append(one)
    (found,) = by_data([Record(run, tuple(own), config) for run, own in runs.items()])
    return found


def only(finding, word):
    (part,) = [part for part in finding.parts if word in part.what]
    return part


def cross_entropies(gaps, *, prediction=0.1, uncertainty=None, epochs=3):
    for seed, gap in enumerate(gaps):
        for epoch in range(1, epochs + 1):
            same = {"seed": seed, "epoch": epoch, "loss": "CE[Y|Z]", "latent": "categorical", "method": "training data"}
            upper = 2.0 / epoch
            lower = upper - (gap if epoch == epochs else 0.5)
            yield row("decoder cross-entropy", upper, **same)
            yield row("prediction cross-entropy", upper - prediction, **same)
            yield row("decoder uncertainty", lower if uncertainty is None else uncertainty, **same)
            yield row("sampled error", 1 - math.exp(-upper) - 0.01, **same)


def over_gamma(value, *, quantity="H[Z]", surrogates=THREE, gammas=GAMMAS, seeds=(0, 1), error=0.1, method="mixture"):
    for surrogate in surrogates:
        for gamma in gammas:
            for seed in seeds:
                same = {"gamma": gamma, "seed": seed, "surrogate": surrogate, "latent": "noise"}
                yield row(quantity, value(surrogate, gamma, seed), method=method, error=error, **same)


def falling(surrogate, gamma, seed):
    return 10 - math.log10(gamma + 1e-9) - 2 * (surrogate == weights.NORM) + 0.01 * seed


def both_entropies(value=falling, **options):
    return [one for quantity in ("H[Z]", "H[Z|Y]") for one in over_gamma(value, quantity=quantity, **options)]


def chain(
    *, redundant=1.0, conditional=1.5, entropy=3.0, bound=4.0, error=0.1, latent="noise", method="mixture", **same
):
    numbers = {"I[X;Z|Y]": redundant, "H[Z|Y]": conditional, "H[Z]": entropy}
    rows = [row(name, value, error=error, latent=latent, method=method, **same) for name, value in numbers.items()]
    return [*rows, row("log Var[Z]", bound, method="training data", latent=latent, **same)]

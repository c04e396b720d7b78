"""Small worlds in which every quantity is known, and every surrogate written a second time in numpy."""

import functools
import math
from types import SimpleNamespace

import numpy as np
import torch
from scipy.special import log_softmax, logsumexp
from scipy.stats import entropy, norm

from ibtrain import Latent
from ibtrain.surrogates import Batch, surrogate

CLASSES, SIZE = 3, 2
TARGET = np.array([0, 1, 0, 1, 1, 0, 2])


@functools.cache
def world(kind, seed=0):
    """A batch of a kind of latent: as tensors, as arrays, and its exact entropies."""
    rng = np.random.default_rng(seed)
    inputs = len(TARGET)
    learned = {
        "CE[Z|Y]": [rng.normal(size=(CLASSES, SIZE)), rng.normal(size=(CLASSES, SIZE)) / 3],
        "CE[Z]": [rng.normal(size=SIZE), rng.normal(size=SIZE) / 3],
        "Mixture[Z]": [rng.normal(size=(16, SIZE)), rng.normal(size=(16, SIZE)) / 3, rng.normal(size=16)],
    }
    if kind == "categorical":
        table = log_softmax(2 * rng.normal(size=(inputs, 4)), axis=1)
        logits = rng.normal(size=(4, 1, CLASSES))
        arrays = SimpleNamespace(logits=np.broadcast_to(logits, (4, inputs, CLASSES)), target=TARGET, table=table)
        latent = Latent(torch.eye(4).double().unsqueeze(1), log_probabilities=torch.tensor(table), enumerated=True)
        exact = _exact_categorical(table)
    else:
        samples = 400
        variance = 0.05 if kind in ("additive", "dropout") else 0.2
        varies = kind == "gaussian"
        variances = np.exp(rng.normal(size=(inputs, SIZE))) / 4 if varies else np.full((inputs, SIZE), variance)
        centres = 1.5 * rng.normal(size=(1, inputs, SIZE))
        if "dropout" in kind:
            centres = centres * np.array([[[1.0, 1.0]], [[1.0, 0.0]], [[0.0, 1.0]]])
            samples = 3
        drawn = centres + np.sqrt(variances) * rng.normal(size=(samples, inputs, SIZE))
        logits = 0.3 * drawn @ rng.normal(size=(SIZE, CLASSES))
        arrays = SimpleNamespace(
            logits=logits, target=TARGET, table=None, centres=centres, samples=drawn, variances=variances
        )
        mean = torch.tensor(centres if "dropout" in kind else centres[0])
        std = torch.tensor(np.sqrt(variances)) if varies else math.sqrt(variance)
        latent = Latent(torch.tensor(drawn), mean=mean, noise_std=std)
        exact = _exact_mixture(centres, variances)
    arrays.learned = learned
    return SimpleNamespace(
        kind=kind,
        batch=Batch(latent, torch.tensor(logits), torch.tensor(TARGET)),
        arrays=arrays,
        exact=exact,
        learned=learned,
    )


def learned_module(entry, numbers):
    module = entry.learned(SIZE, CLASSES).double()
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), numbers, strict=True):
            parameter.copy_(torch.tensor(value))
    return module


def value_of(entry, one):
    batch = one.batch
    if entry.learned is not None:
        batch = batch._replace(learned=learned_module(entry, one.learned[entry.name]))
    return entry.evaluate(batch).item()


def _shares():
    return np.bincount(TARGET, minlength=CLASSES) / len(TARGET)


def _informations(found):
    found["H[Y|X]"], label = 0.0, entropy(_shares())
    found["I[X;Z]"] = found["H[Z]"] - found["H[Z|X]"]
    found["I[X;Z|Y]"] = found["H[Z|Y]"] - found["H[Z|X]"]
    found["I[Y;Z]"] = found["H[Z]"] - found["H[Z|Y]"]
    found["H[Y|Z]"] = label - found["I[Y;Z]"]
    return found


def _exact_categorical(table):
    rows = np.exp(table)
    return _informations(
        {
            "H[Z]": entropy(rows.mean(axis=0)),
            "H[Z|Y]": sum(p * entropy(rows[c == TARGET].mean(axis=0)) for c, p in enumerate(_shares())),
            "H[Z|X]": entropy(rows, axis=1).mean(),
        }
    )


def _exact_mixture(centres, variances):
    """Entropies of Gaussian mixtures by the trapezoidal rule on a fine grid."""
    axis = np.linspace(-12, 12, 500)
    step = axis[1] - axis[0]
    scales = np.sqrt(variances)
    one, two = (norm.pdf(axis[:, None, None], centres[..., k], scales[:, k]) for k in range(SIZE))

    def mixed(kept):
        density = np.einsum("asb,csb->ac", one[..., kept], two[..., kept]) / (len(centres) * kept.sum())
        return -(density * np.log(np.maximum(density, 1e-300))).sum() * step**2

    return _informations(
        {
            "H[Z]": mixed(TARGET >= 0),
            "H[Z|Y]": sum(p * mixed(c == TARGET) for c, p in enumerate(_shares())),
            "H[Z|X]": np.mean([mixed(np.arange(len(TARGET)) == i) for i in range(len(TARGET))]),
        }
    )


def _likelihood(a):
    return np.stack([log_softmax(a.logits[:, i], axis=1)[:, label] for i, label in enumerate(a.target)], axis=1)


def _weights(a):
    return np.full(a.logits.shape[:2], 1 / len(a.logits)) if a.table is None else np.exp(a.table).T


def _contrast(a):
    scores = a.logits[:, :, a.target]
    own = np.einsum("sbb->sb", scores)
    return (own - logsumexp(scores, axis=2) + math.log(len(a.target))).mean()


def _covariance(a, kept):
    flat = a.centres[:, kept].reshape(-1, SIZE)
    return np.cov(flat.T, bias=True) + np.diag(a.variances[kept].mean(axis=0))


def _by_class(a, value):
    return sum(p * value(_covariance(a, a.target == c)) for c, p in enumerate(_shares()))


def _log_variance(covariance):
    return norm.entropy(scale=np.sqrt(np.diag(covariance))).sum()


def _log_determinant(covariance):
    return 0.5 * np.linalg.slogdet(2 * math.pi * math.e * covariance)[1]


def _cross(a, mean, log_scale):
    squares = ((a.centres - mean) ** 2 + a.variances) / np.exp(log_scale) ** 2
    return (squares / 2 + log_scale + math.log(2 * math.pi) / 2).sum(axis=-1).mean()


def _divergence(m, v, n, w):
    return 0.5 * (v / w + (m - n) ** 2 / w - 1 - np.log(v / w)).sum()


def _pairs(a, *, by_class):
    gaussians = [(m, v, y) for part in a.centres for m, v, y in zip(part, a.variances, a.target, strict=True)]
    total = 0.0
    for m, v, y in gaussians:
        others = [_divergence(m, v, n, w) for n, w, z in gaussians if not by_class or z == y]
        total -= math.log(np.mean(np.exp(-np.array(others))))
    return total / len(gaussians)


def _noise(a):
    return norm.entropy(scale=np.sqrt(a.variances)).sum(axis=1).mean()


def _mixture(a):
    means, scales, logits = a.learned["Mixture[Z]"]
    density = norm.logpdf(a.samples[:, :, None], means, np.exp(scales)).sum(axis=-1)
    return -logsumexp(density + log_softmax(logits), axis=-1).mean()


def _reduced(a, quantity):
    return _exact_categorical(a.table)[quantity]


REFERENCES = {
    "CE[Y|Z]": lambda a: -(_weights(a) * _likelihood(a)).sum(axis=0).mean(),
    "Prediction[Y|Z]": lambda a: -np.log((_weights(a) * np.exp(_likelihood(a))).sum(axis=0)).mean(),
    "InfoNCE[Y,Z]": _contrast,
    "LogVar[Z|Y]": lambda a: _by_class(a, _log_variance),
    "LogDet[Z|Y]": lambda a: _by_class(a, _log_determinant),
    "LogVar[Z]": lambda a: _log_variance(_covariance(a, a.target >= 0)),
    "LogDet[Z]": lambda a: _log_determinant(_covariance(a, a.target >= 0)),
    "SquaredNorm[Z]": lambda a: _cross(a, 0.0, np.full(SIZE, math.log(0.5) / 2)),
    "Rate[Z|X]": lambda a: np.mean(
        [_divergence(m, v, 0.0, 1.0) for part in a.centres for m, v in zip(part, a.variances, strict=True)]
    ),
    "PairwiseRate[Z|X]": lambda a: _pairs(a, by_class=False),
    "PairwiseRate[X,Z|Y]": lambda a: _pairs(a, by_class=True),
    "Pairwise[Z]": lambda a: _pairs(a, by_class=False) + _noise(a),
    "Pairwise[Z|Y]": lambda a: _pairs(a, by_class=True) + _noise(a),
    "CE[Z]": lambda a: _cross(a, *a.learned["CE[Z]"]),
    "CE[Z|Y]": lambda a: _cross(a, *(one[a.target] for one in a.learned["CE[Z|Y]"])),
    "Mixture[Z]": _mixture,
    "Exact[Z|Y]": lambda a: _reduced(a, "H[Z|Y]"),
    "Exact[Z]": lambda a: _reduced(a, "H[Z]"),
    "Exact[Z|X]": lambda a: _reduced(a, "H[Z|X]"),
    "Exact[Y|Z]": lambda a: _reduced(a, "H[Y|Z]"),
    "Noise[Z|X]": _noise,
    "Floor[Z|X]": lambda a: 0.0,
}


def same_as_source(loss, kind, parameters):
    one = world(kind, seed=3)
    batch, latent = one.batch, one.batch.latent
    std = latent.noise_std
    leaves = {
        "logits": batch.logits,
        "samples": latent.samples,
        "centres": latent.mean,
        "noise_variance": std**2 if isinstance(std, torch.Tensor) else None,
        "log_probabilities": latent.log_probabilities,
    }
    leaves = {key: value.clone().requires_grad_() for key, value in leaves.items() if value is not None}
    changes = {"samples": leaves["samples"]}
    if "centres" in leaves:
        changes["mean"] = leaves["centres"]
    if "noise_variance" in leaves:
        changes["noise_std"] = leaves["noise_variance"].sqrt()
    if "log_probabilities" in leaves:
        changes["log_probabilities"] = leaves["log_probabilities"]
    for name in loss.learned:
        loss.learned[name] = learned_module(surrogate(name), one.learned[name])
    value = loss(latent._replace(**changes), leaves["logits"], batch.target, **parameters)
    wanted = torch.autograd.grad(value.total, list(leaves.values()), allow_unused=True)
    namespace = {}
    exec(compile_text(loss.source("alone")), namespace)
    given = {**leaves, "target": batch.target}
    if "centres" in given and given["centres"].ndim == 2:
        given["centres"] = given["centres"].unsqueeze(0)
    if isinstance(std, float):
        given["noise_variance"] = std**2
    for term in loss.plan.terms:
        if term.surrogate.learned is not None:
            law = loss.learned[term.surrogate.name].parameters()
            given |= dict(zip(term.surrogate.arguments, law, strict=True))
    code = namespace["alone"].__code__
    wanted_names = code.co_varnames[: code.co_argcount]
    names = loss.parameter_names
    given |= dict(zip(wanted_names[len(wanted_names) - len(names) :], map(parameters.get, names), strict=True))
    total = namespace["alone"](**{key: given[key] for key in wanted_names})
    torch.testing.assert_close(total, value.total, rtol=1e-9, atol=1e-12)
    if total.requires_grad:
        found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
        for left, right in zip(found, wanted, strict=True):
            zero = torch.zeros(())
            torch.testing.assert_close(
                zero if left is None else left,
                zero if right is None else right,
                rtol=1e-8,
                atol=1e-11,
                check_dtype=False,
            )
    return True


def compile_text(text):
    assert [line for line in text.splitlines() if line.startswith(("import", "from"))] == [
        "import torch",
        "from torch import Tensor",
    ]
    return text

"""Gradient descent on the functionals reaches optima that are known: discrete bottlenecks, and the Gaussian one."""

import numpy as np
import pytest
import torch
from torch.func import vmap

from ibtrain import AdditiveNoise, functional as f
from imeasure import blahut_arimoto

COUNTS = np.array([[6, 1, 1], [5, 2, 1], [1, 6, 1], [1, 1, 6], [2, 2, 4]])
RESTARTS = 16


def pairs():
    """Every count of the joint table as that many pairs of a batch, on which it is the empirical law."""
    x, y = np.nonzero(COUNTS)
    repeats = COUNTS[x, y]
    return torch.from_numpy(np.repeat(x, repeats)), torch.from_numpy(np.repeat(y, repeats))


def rate(variant, table):
    return f.categorical_information(table) if variant == "ib" else f.categorical_entropy(table)


def descend(betas, variant, steps):
    """Train tables ln p(z|x) for every beta and start at once; return the best objective of each beta.

    Starts prefer few values of Z more or less, so that hard clusterings of all sizes are among what is found.
    """
    x, y = pairs()
    generator = torch.Generator().manual_seed(0)
    preferences = torch.linspace(0, 6, RESTARTS)[:, None, None] * torch.randn(RESTARTS, 1, 5, generator=generator)
    starts = preferences + torch.randn(len(betas), RESTARTS, 5, 5, generator=generator, dtype=torch.float64)
    logits = starts.requires_grad_()
    weights = torch.tensor(betas, dtype=torch.float64)

    def terms(logits):
        table = logits.log_softmax(dim=1)[x]
        return torch.stack([rate(variant, table), f.categorical_label_information(table, y, 3)])

    optimizer = torch.optim.Adam([logits], lr=0.2)
    for _ in range(steps):
        optimizer.zero_grad()
        both = vmap(vmap(terms))(logits)
        (both[..., 0] - weights[:, None] * both[..., 1]).sum().backward()
        optimizer.step()
    both = vmap(vmap(terms))(logits.detach())
    return (both[..., 0] - weights[:, None] * both[..., 1]).amin(dim=1).numpy()


@pytest.mark.parametrize("variant", ["ib", "dib"])
def test_tables_trained_by_gradient_descent_lie_on_the_exact_curve(variant):
    betas = [1.0, 3.0, 6.0, 20.0]
    curve = blahut_arimoto(COUNTS / COUNTS.sum(), betas, variant=variant)
    assert curve.information_yz[0] < 1e-9 < 0.2 < curve.information_yz[-1]
    assert np.abs(descend(betas, variant, steps=800) - curve.objective).max() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["ib", "dib"])
def test_the_whole_curve_is_reached(variant):
    betas = np.geomspace(1.0, 60.0, 25).tolist()
    curve = blahut_arimoto(COUNTS / COUNTS.sum(), betas, variant=variant)
    assert np.abs(descend(betas, variant, steps=1500) - curve.objective).max() < 1e-3


def jointly_gaussian(size=200):
    """Samples of X (4) and Y (3) whose moments are exactly those of the law they are drawn from."""
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(size, 7, generator=generator, dtype=torch.float64)
    centred = draws - draws.mean(dim=0)
    white = centred @ torch.linalg.inv(torch.linalg.cholesky(centred.T @ centred / size)).T
    mixing = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    shape = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    x = white[:, :4] @ shape.T
    y = white[:, :4] @ mixing.T + 0.7 * white[:, 4:]
    return x, y


def gaussian_optimum(x, y, beta):
    """I[X;Z] and I[Y;Z] of the optimal Gaussian bottleneck: Chechik, Globerson, Tishby and Weiss (2005)."""
    xx, xy, yy = x.T @ x / len(x), x.T @ y / len(x), y.T @ y / len(x)
    conditional = xx - xy @ torch.linalg.inv(yy) @ xy.T
    eigenvalues = torch.linalg.eigvals(conditional @ torch.linalg.inv(xx)).real
    active = eigenvalues[beta * (1 - eigenvalues) > 1]
    rate = 0.5 * ((beta - 1) * (1 - active) / active).log().sum().item()
    return rate, rate - 0.5 * (beta * (1 - active)).log().sum().item()


@pytest.mark.parametrize("beta", [1.5, 4.0, 30.0])
def test_a_linear_encoder_with_noise_reaches_the_gaussian_bottleneck(beta):
    """All is jointly Gaussian, so H[Z] and H[Z|Y] (of the residuals of a regression on Y) are log-determinants."""
    x, y = jointly_gaussian()
    torch.manual_seed(0)
    bottleneck = AdditiveNoise(torch.nn.Linear(4, 4), variance=1.0).double()
    optimizer = torch.optim.LBFGS(bottleneck.parameters(), max_iter=400, line_search_fn="strong_wolfe")

    def informations():
        latent = bottleneck(x)
        known = {"noise_variance": latent.noise_variance}
        regression = y @ torch.linalg.lstsq(y, latent.mean).solution
        entropy = f.log_determinant(latent.centres, **known)
        rest = f.log_determinant(latent.centres - regression, **known)
        return entropy - latent.conditional_entropy, entropy - rest

    def closure():
        optimizer.zero_grad()
        information_xz, information_yz = informations()
        objective = information_xz - beta * information_yz
        objective.backward()
        return objective

    optimizer.step(closure)
    information_xz, information_yz = informations()
    objective = information_xz - beta * information_yz
    rate, relevance = gaussian_optimum(x, y, beta)
    assert objective.item() == pytest.approx(rate - beta * relevance, rel=1e-3)
    assert objective.item() >= rate - beta * relevance - 1e-9
    assert information_xz.item() == pytest.approx(rate, rel=1e-3)
    assert information_yz.item() == pytest.approx(relevance, rel=1e-3)

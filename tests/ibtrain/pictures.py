"""Rows to draw, and what pictures hold."""

import numpy as np
from matplotlib.collections import PathCollection

from ibtrain.runs import Row


def row(quantity, value, *, epoch=1, gamma=0.1, seed=0, surrogate="LogVar[Z]", estimator="mixture", **fields):
    run = f"{surrogate}{gamma}{seed}{fields.get('loss', '')}{fields.get('latent', '')}"
    return Row(run, epoch, gamma, surrogate, seed, quantity, estimator, "two-sided", value, 0.01, **fields)


def plane_rows(**fields):
    for seed in (0, 1, 2):
        for gamma in (0.0, 0.01, 1.0):
            for epoch in (1, 2, 3):
                yield row("I[X;Z]", 5 - gamma + seed + epoch, epoch=epoch, gamma=gamma, seed=seed, **fields)
                yield row("I[X;Y|Z]", 1 + gamma - seed / 10, epoch=epoch, gamma=gamma, seed=seed, **fields)


def lines(axes):
    return {line.get_label(): np.column_stack(line.get_data()) for line in axes.lines if len(line.get_xdata())}


def dots(axes):
    return [one for one in axes.collections if isinstance(one, PathCollection)]


def hollow(one):
    """Which points of a collection have no colour inside."""
    return [tuple(face[:3]) == (1, 1, 1) for face in one.get_facecolors()]


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]

"""A run's epochs as tidy rows."""

import dataclasses
from collections.abc import Iterable, Sequence

from ibtrain.config import Config
from ibtrain.loss import Loss
from ibtrain.records import run_name
from ibtrain.runs import Row
from ibtrain.training.build import regularizer_of
from ibtrain.training.progress import Epoch

BROKEN = "broken invariants"
"""Quantity of the rows that count broken invariants; their flags name them."""


def run_rows(epochs: Iterable[Epoch], loss: Loss, config: Config) -> tuple[Row, ...]:
    """Return every number of a run: losses, terms, accuracies, cross-entropies, broken invariants, information plane.

    Args:
        epochs: The run's epochs.
        loss: The loss it was trained with.
        config: Its configuration.
    """
    rows = (row for epoch in epochs for row in (*_epoch_rows(epoch, loss, config), *epoch.rows))
    label = regularizer_of(loss)
    minimised = " + ".join(term.surrogate.name for term in loss.plan.terms if "H[Y|Z]" in term.quantities)
    return tuple(
        dataclasses.replace(row, surrogate=label, loss=minimised, latent=config.bottleneck.kind) for row in rows
    )


def broken_lines(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return one line for each invariant that a run broke: its name, the run, and in which epochs.

    Args:
        rows: Results of runs.

    Example:
        >>> row = Row("ab12", 3, 0.1, "LogVar[Z]", 0, BROKEN, "training data", "exact", 1, flags="I[X;Z] <= ln N")
        >>> broken_lines([row])
        ('broken in run ab12 (log Var[Z], gamma 0.1, seed 0), epoch 3: I[X;Z] <= ln N',)
    """
    epochs: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if row.quantity == BROKEN and row.flags:
            for name in row.flags.split("; "):
                epochs.setdefault((run_name(row), name), []).append(row.epoch)
    return tuple(f"broken in run {run}, epoch {_listed(found)}: {name}" for (run, name), found in epochs.items())


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")


def _epoch_rows(epoch: Epoch, loss: Loss, config: Config) -> list[Row]:
    sides = {term.surrogate.name: term.surrogate.side for term in loss.plan.terms}
    measured = [("loss", "mean of batches", "exact", epoch.loss)]
    measured += [(name, "mean of batches", sides[name], value) for name, value in epoch.terms.items()]
    measured += [("train accuracy", "training data", "exact", epoch.train_accuracy)]
    measured += [("test accuracy", "test data", "exact", epoch.test_accuracy)]
    rows = [plain_row(config, epoch.number, quantity, how, side, value) for quantity, how, side, value in measured]
    broken = plain_row(config, epoch.number, BROKEN, "training data", "exact", len(epoch.broken))
    return [*rows, dataclasses.replace(broken, flags="; ".join(epoch.broken))]


def plain_row(config: Config, epoch: int, quantity: str, estimator: str, side: str, value: float) -> Row:
    """Return a row of a number that has no standard error and no flags.

    Args:
        config: The run's configuration.
        epoch: After which epoch it was measured.
        quantity: What was measured.
        estimator: How.
        side: The side of the quantity on which the value lies.
        value: The number.
    """
    return Row(
        run=config.digest,
        epoch=epoch,
        gamma=config.objective.gamma,
        surrogate=config.objective.surrogate,
        seed=config.seed,
        quantity=quantity,
        estimator=estimator,
        side=side,
        value=value,
    )

"""Results as a table, and what the curves show in words; pictures are drawn by `ibtrain.drawing`."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ibtrain.plane import PRESERVED, RESIDUAL
from ibtrain.runs import Row
from ibtrain.surrogates.looks import look
from ibtrain.surrogates.registry import surrogate_label

_SHOWN = ("H[Z]", "H[Z|Y]", PRESERVED, RESIDUAL)


def summary(rows: Iterable[Row]) -> Table:
    """Return a table with one line for each run: gamma, accuracy and the information plane.

    Args:
        rows: Results of finished runs.

    Returns:
        A table for a rich console; informations in nats, by the estimators that stand above it. Flagged values have a
        star, the caption tells what it means.
        Numbers are never cut short: print it with `crop=False` where the console may be narrow.
    """
    runs = list(_last(rows))
    seeds = ("seed",) if len({_any(run).seed for run in runs}) > 1 else ()
    ways = dict.fromkeys(run[q].estimator.partition(",")[0] for run in runs for q in _SHOWN if q in run)
    how = f"{' and '.join(ways)}, " if ways else ""
    table = Table(box=SIMPLE_HEAD, title=f"accuracies, and informations in nats ({how}training data)")
    header = ("regularizer", "gamma", *seeds, "train", "test", *_SHOWN)
    lines: list[list[str] | None] = []
    for name in _surrogates(runs):
        for run in sorted((r for r in runs if _any(r).surrogate == name), key=lambda r: (_any(r).gamma, _any(r).seed)):
            one = _any(run)
            accuracies = (f"{run[q].value:.1%}" if q in run else "" for q in ("train accuracy", "test accuracy"))
            numbers = (f"{run[q].value:.3f}{'*' * bool(run[q].flags)}" if q in run else "" for q in _SHOWN)
            lines.append(
                [surrogate_label(name), f"{one.gamma:g}", *(str(one.seed) for _ in seeds), *accuracies, *numbers]
            )
        lines.append(None)
    for index, name in enumerate(header):
        width = max(len(name), *(len(line[index]) for line in lines if line))
        if index == 0:
            table.add_column(name, overflow="fold", min_width=len(name))
        else:
            table.add_column(name.replace("[", r"\["), justify="right", no_wrap=True, min_width=width)
    for line in lines:
        if line is None:
            table.add_section()
        else:
            table.add_row(*(cell.replace("[", r"\[") for cell in line))
    flags = dict.fromkeys(run[q].flags for run in runs for q in _SHOWN if q in run and run[q].flags)
    if flags:
        table.caption = "\n".join(f"* {flag}" for flag in flags).replace("[", r"\[")
        table.caption_justify = "left"
    return table


def falls(rows: Iterable[Row], quantity: str) -> dict[str, bool]:
    """Say for each surrogate whether a quantity falls as gamma grows.

    It falls if its mean over seeds nowhere rises by more than two standard errors from one gamma to the next, and is
    lower by more than that at the largest gamma than at the smallest.

    Args:
        rows: Results of finished runs.
        quantity: Which quantity.

    Returns:
        The answer for each surrogate.

    Example:
        >>> first, second = (Row(str(g), 1, g, "LogVar[Z]", 0, "H[Z]", "mixture", "", 5 - g, 0.1) for g in (1, 2))
        >>> falls([first, second], "H[Z]")
        {'LogVar[Z]': True}
    """
    curves: dict[str, dict[float, list[Row]]] = {}
    for run in _last(rows):
        if quantity in run:
            row = run[quantity]
            curves.setdefault(row.surrogate, {}).setdefault(row.gamma, []).append(row)
    return {name: _curve_falls([_pooled(curve[gamma]) for gamma in sorted(curve)]) for name, curve in curves.items()}


def _curve_falls(points: Sequence[tuple[float, float]]) -> bool:
    def slack(first: tuple[float, float], second: tuple[float, float]) -> float:
        return 2 * math.hypot(first[1], second[1])

    no_rise = all(after[0] <= before[0] + slack(before, after) for before, after in pairwise(points))
    return no_rise and points[-1][0] < points[0][0] - slack(points[0], points[-1])


def _pooled(rows: Sequence[Row]) -> tuple[float, float]:
    errors = [_known_error(row) for row in rows]
    return sum(row.value for row in rows) / len(rows), math.hypot(*errors) / len(rows)


def _known_error(row: Row) -> float:
    return 0.0 if math.isnan(row.standard_error) else row.standard_error


def _last(rows: Iterable[Row]) -> list[dict[str, Row]]:
    runs: dict[str, dict[str, Row]] = {}
    for row in rows:
        known = runs.setdefault(row.run, {})
        if row.quantity not in known or known[row.quantity].epoch < row.epoch:
            known[row.quantity] = row
    return list(runs.values())


def _surrogates(runs: Sequence[dict[str, Row]]) -> list[str]:
    return sorted({_any(run).surrogate for run in runs}, key=lambda name: (look(name).rank, name))


def _any(run: dict[str, Row]) -> Row:
    return next(iter(run.values()))

"""Claims about the weight gamma of the regularizer: C5 and C6 after training, C7 over epochs.

Source: Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), figures 1, 5 and 6. The most trusted estimator
decides, the others are reported; a gamma of 0 is no weight and stands beside.
"""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from ibtrain.claims.claim import Claim, Finding, Part, judged, listed, missing
from ibtrain.claims.evidence import Evidence, by_method, counted, largest, paired, pooled, spread
from ibtrain.drawing.frames import last
from ibtrain.experiments import SURROGATES
from ibtrain.plane import PRESERVED, RESIDUAL
from ibtrain.surrogates.registry import surrogate_label

if TYPE_CHECKING:
    from sklearn.isotonic import IsotonicRegression

NORM = "SquaredNorm[Z]"

CORRELATION, SMALL = -0.9, 1e-2
"""C5: the largest correlation, and the gamma up to which E||Z||² has the lowest entropy."""

EXPLAINED, APART = 0.95, 0.1
"""C6: the least share of variance, and the largest share of the range between two curves."""

ERRORS = 3.0
"""C7: how many standard errors a loss must exceed."""

C5: Claim = Claim(
    "C5",
    "gamma compresses",
    "H[Z] and H[Z|Y] fall as gamma grows, for each of the three surrogates, and E||Z||² acts at the smallest gammas.",
    "Spearman's correlation of gamma with H[Z], and with H[Z|Y], is at most -0.9 for each surrogate; E||Z||² has the "
    "lowest H[Z] of the three at every gamma up to 0.01.",
    ("fig5",),
)
C6: Claim = Claim(
    "C6",
    "one saturation curve",
    "Over gamma the points (I[X;Z], I[X;Y|Z]) of the three surrogates trace the same saturating curve.",
    "A falling isotonic fit explains at least 95 % of the variance for each surrogate; where the three curves overlap, "
    "they differ by less than 10 % of the range.",
    ("fig6",),
)
C7: Claim = Claim(
    "C7",
    "compression after expansion",
    "Over epochs I[X;Z] first grows, and then falls where the regularizer has weight.",
    "For a majority of the gammas above 0, the nats of I[X;Z] lost after its largest value exceed three standard "
    "errors.",
    ("fig1",),
)


def falling_entropies(found: Evidence) -> Finding:
    """Test C5.

    Args:
        found: The runs.
    """
    parts: list[Part] = []
    for quantity in ("H[Z]", "H[Z|Y]"):
        ends = _ends(found.of(quantity))
        for surrogate in SURROGATES:
            parts += _correlations(ends[ends["surrogate"] == surrogate], quantity, surrogate)
    return Finding(C5, (*parts, *_lowest(_ends(found.of("H[Z]")))))


def _ends(table: pd.DataFrame) -> pd.DataFrame:
    """Return each run's last value, of the largest setting with weights above 0, by estimators that measure."""
    chosen = table[
        (table["gamma"] > 0) & table["surrogate"].isin(SURROGATES) & table["method"].isin(("mixture", "knn"))
    ]
    return last(largest(chosen))


def _correlations(rows: pd.DataFrame, quantity: str, surrogate: str) -> list[Part]:
    label = surrogate_label(surrogate)
    what = f"Spearman correlation of gamma and {quantity}, {label}"

    def measured(part: pd.DataFrame, method: str) -> list[Part]:
        if part["gamma"].nunique() < 3 or part["value"].nunique() < 2:
            return []
        value = _correlation(part)
        varying = [one for _, one in part.groupby("seed") if min(one["gamma"].nunique(), one["value"].nunique()) > 1]
        return [
            judged(
                f"{what}, {method}",
                value,
                holds=value <= CORRELATION,
                needed=f"at most {CORRELATION:g}",
                spread=spread(pd.Series(map(_correlation, varying), dtype=float)),
                note=f"{quantity} with {label} has a correlation of {value:.3f} with gamma, "
                f"{value - CORRELATION:.2g} above {CORRELATION:g}: {_rises(part, quantity)}",
                **counted(part),
            )
        ]

    return by_method(rows, measured) or [missing(what, f"no runs at three gammas or more with {label} have {quantity}")]


def _correlation(part: pd.DataFrame) -> float:
    return float(stats.spearmanr(part["gamma"], part["value"]).statistic)


def _rises(part: pd.DataFrame, quantity: str) -> str:
    means = {float(gamma): pooled(one) for gamma, one in part.groupby("gamma")}
    gammas = sorted(means)
    steps = [
        f"{quantity} rises from {means[low][0]:.3g} to {means[high][0]:.3g} nats (standard errors {means[low][1]:.2g} "
        f"and {means[high][1]:.2g}) between gamma = {low:g} and {high:g}"
        for low, high in pairwise(gammas)
        if means[high][0] > means[low][0]
    ]
    return listed(steps, most=3) or "its seeds spread more than its gammas differ"


def _lowest(ends: pd.DataFrame) -> list[Part]:
    what = f"gammas up to {SMALL:g} at which {surrogate_label(NORM)} has the lowest H[Z]"

    def measured(rows: pd.DataFrame, method: str) -> list[Part]:
        tables = {float(gamma): _means(one) for gamma, one in rows.groupby("gamma")}
        means = {gamma: found for gamma, found in tables.items() if len(found) == len(SURROGATES)}
        if not means:
            return []
        failing = [text for gamma, found in means.items() if (text := _not_lowest(gamma, found))]
        count, total = len(means) - len(failing), len(means)
        margins = pd.Series([min(v[0] for k, v in m.items() if k != NORM) - m[NORM][0] for m in means.values()])
        return [
            judged(
                f"{what}, {method}",
                float(count),
                unit=f"of {total}",
                holds=not failing,
                needed="all",
                spread=f"margin {spread(margins, over='gammas')}, in nats",
                note=f"{surrogate_label(NORM)} does not have the lowest H[Z] at {len(failing)} of {total} gammas up to "
                f"{SMALL:g}: {listed(failing)}",
                **counted(rows),
            )
        ]

    return by_method(ends[ends["gamma"] <= SMALL * (1 + 1e-9)], measured) or [
        missing(what, f"no gamma up to {SMALL:g} has runs with all three surrogates")
    ]


def _means(rows: pd.DataFrame) -> dict[str, tuple[float, float]]:
    return {str(name): pooled(one) for name, one in rows.groupby("surrogate")}


def _not_lowest(gamma: float, means: Mapping[str, tuple[float, float]]) -> str:
    name = min(means, key=lambda one: (means[one][0], one != NORM))
    if name == NORM:
        return ""
    difference = means[NORM][0] - means[name][0]
    error = math.hypot(means[NORM][1], means[name][1])
    return f"at gamma = {gamma:g} {surrogate_label(name)} is lower by {difference:.3g} (± {error:.2g}) nats"


def saturation(found: Evidence) -> Finding:
    """Test C6.

    Args:
        found: The runs.
    """
    both = paired(_ends(found.of(PRESERVED)), _ends(found.of(RESIDUAL)))

    def measured(points: pd.DataFrame, method: str) -> list[Part]:
        explained = [_explained(points[points["surrogate"] == one], one, method) for one in SURROGATES]
        return [*explained, _apart(points, method), *_where_measured(points, method)]

    parts = by_method(both, measured) or [missing("the curve", "no run has both information-plane coordinates")]
    return Finding(C6, tuple(parts))


def _explained(points: pd.DataFrame, surrogate: str, method: str) -> Part:
    label = surrogate_label(surrogate)
    what = f"variance explained by a falling curve, {label}, {method}"
    if points["gamma"].nunique() < 3:
        return missing(what, f"{label} has points at fewer than three gammas")
    value = _share_explained(points)
    of_seeds = pd.Series(
        [_share_explained(one) for _, one in points.groupby("seed") if one["gamma"].nunique() > 2], dtype=float
    )
    return judged(
        what,
        100 * value,
        unit="%",
        holds=value >= EXPLAINED,
        needed=f"at least {100 * EXPLAINED:g} %",
        spread=spread(100 * of_seeds),
        note=f"a falling curve explains only {100 * value:.3g} % of the variance of {RESIDUAL} with {label}, which "
        f"varies by {np.ptp(points['value_2'].to_numpy()):.3g} nats over gamma",
        **counted(points),
    )


def _falling(x: ArrayLike, y: ArrayLike) -> "IsotonicRegression":
    """Return the nearest curve that never rises."""
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - slow to load, and most claims do without

    return IsotonicRegression(increasing=False).fit(x, y)


def _share_explained(points: pd.DataFrame) -> float:
    x, y = points["value"].to_numpy(), points["value_2"].to_numpy()
    total = float(((y - y.mean()) ** 2).sum())
    if total == 0:
        return 1.0
    fitted = _falling(x, y).predict(x)
    return 1 - float(((y - fitted) ** 2).sum()) / total


def _apart(points: pd.DataFrame, method: str) -> Part:
    what = f"largest difference of two curves, {method}"
    curves = _curves(points)
    if len(curves) < len(SURROGATES):
        return missing(what, "not all three surrogates have points at three gammas or more")
    low = max(float(curve["value"].min()) for curve in curves.values())
    high = min(float(curve["value"].max()) for curve in curves.values())
    if low >= high:
        return missing(what, f"the curves do not overlap: no {PRESERVED} is reached by all three")
    grid = np.linspace(low, high, 201)
    fits = {name: _falling(curve["value"], curve["value_2"]).predict(grid) for name, curve in curves.items()}
    width = np.ptp(points["value_2"].to_numpy())
    names = list(fits)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    gaps = {pair: np.abs(fits[pair[0]] - fits[pair[1]]) for pair in pairs}
    pair = max(pairs, key=lambda one: float(gaps[one].max()))
    value = 100 * float(gaps[pair].max()) / width if width else 0.0
    place = float(grid[int(gaps[pair].argmax())])
    return judged(
        what,
        value,
        unit="% of the range",
        holds=value < 100 * APART,
        needed=f"under {100 * APART:g} %",
        spread=f"mean {100 * float(gaps[pair].mean()) / width if width else 0.0:.3g} % of {width:.3g} nats",
        note=f"{surrogate_label(pair[0])} and {surrogate_label(pair[1])} differ by {value:.3g} % of the range of "
        f"{width:.3g} nats at {PRESERVED} = {place:.3g} nats; "
        + "; ".join(_around(name, curves[name], place) for name in pair),
        **counted(points),
    )


def _curves(points: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return each surrogate's points over gamma, means over seeds, in the order of the first coordinate."""
    means = {
        str(surrogate): own.groupby("gamma")[["value", "value_2"]].mean().sort_values("value")
        for surrogate, own in points.groupby("surrogate")
    }
    return {surrogate: curve for surrogate, curve in means.items() if len(curve) > 2}


def _where_measured(points: pd.DataFrame, method: str) -> list[Part]:
    """Report how far points lie from another curve where that one has points close by on both sides."""
    curves = _curves(points)
    reach, width = (np.ptp(points[name].to_numpy()) for name in ("value", "value_2"))
    distances = []
    for name, curve in curves.items():
        x, y = curve["value"].to_numpy(), curve["value_2"].to_numpy()
        for other in (own for one, own in curves.items() if one != name):
            for point in other.itertuples():
                after = int(np.searchsorted(x, point.value))
                if 0 < after < len(x) and x[after] - x[after - 1] <= APART * reach:
                    distances.append(abs(float(point.value_2 - np.interp(point.value, x, y))))
    if not distances or not width:
        return []
    what = f"largest distance of a point from another curve that has points within {100 * APART:g} % of it, {method}"
    return [Part(what, "reported", 100 * max(distances) / width, unit="% of the range", **counted(points))]


def _around(surrogate: str, curve: pd.DataFrame, place: float) -> str:
    """Say between which measured points a curve leads past a place."""
    after = min(max(int(np.searchsorted(curve["value"].to_numpy(), place)), 1), len(curve) - 1)
    points = [
        f"({one.value:.3g}, {one.value_2:.3g}) at gamma = {float(str(one.Index)):g}"
        for one in curve.iloc[after - 1 : after + 1].itertuples()
    ]
    return f"there {surrogate_label(surrogate)} leads from {points[0]} straight to {points[1]}"


def compression(found: Evidence) -> Finding:
    """Test C7.

    Args:
        found: The runs.
    """
    rows = found.of(PRESERVED)
    rows = rows[(rows["surrogate"] == NORM) & rows["method"].isin(("mixture", "knn"))]
    rows = largest(rows[rows.groupby(["run", "method"])["epoch"].transform("nunique") > 2])
    parts = by_method(rows, _compressions)
    what = "gammas above 0 with a loss beyond three standard errors"
    note = f"no run with {surrogate_label(NORM)} was measured after three epochs or more"
    return Finding(C7, tuple(parts) or (missing(what, note),))


def _compressions(rows: pd.DataFrame, method: str) -> list[Part]:
    shown, told, beyond = [], [], []
    for gamma, of_gamma in rows.groupby("gamma"):
        losses = pd.DataFrame([_loss(way) for _, way in of_gamma.groupby("run")])
        value, error = pooled(losses)
        is_beyond = value > ERRORS * error and value > 0
        if gamma > 0:
            beyond.append(is_beyond)
            told.append(f"gamma = {gamma:g} loses {value:.3g} (± {error:.2g}) nats")
        part = Part(
            f"{PRESERVED} lost after its largest value, gamma = {gamma:g}, {method}",
            "reported",
            value,
            f"beyond {ERRORS * error:.2g}: {'yes' if is_beyond else 'no'}",
            f"± {error:.2g}, {spread(losses['value'])}",
            unit="nats",
            note=f"largest after epoch {losses['peak'].median():g} of {losses['end'].max():g}"
            + ("; within 1 % of ln N there, where the estimate says little" if losses["saturated"].any() else ""),
            **counted(of_gamma),
        )
        shown.append(part)
    if not beyond:
        what = f"gammas above 0 with a loss beyond three standard errors, {method}"
        return [missing(what, "no run with a gamma above 0 was measured over epochs"), *shown]
    count = sum(beyond)
    deciding = judged(
        f"gammas above 0 with a loss beyond three standard errors, {method}",
        float(count),
        unit=f"of {len(beyond)}",
        holds=2 * count > len(beyond),
        needed="more than half",
        note=f"{PRESERVED} falls by more than three standard errors after its largest value at {count} of "
        f"{len(beyond)} gammas above 0: {listed(told, most=len(told))}",
        **counted(rows),
    )
    return [deciding, *shown]


def _loss(way: pd.DataFrame) -> dict[str, float]:
    """Return how much a run loses after its largest value, with the standard error of the difference."""
    way = way.sort_values("epoch")
    peak, end = way.loc[way["value"].idxmax()], way.iloc[-1]
    errors = [0.0 if math.isnan(one) else float(one) for one in (peak["standard_error"], end["standard_error"])]
    return {
        "value": float(peak["value"] - end["value"]),
        "standard_error": math.hypot(*errors) if peak["epoch"] != end["epoch"] else 0.0,
        "peak": float(peak["epoch"]),
        "end": float(end["epoch"]),
        "saturated": float("ln N" in str(peak["flags"])),
    }

"""Claims about bounds that hold in every run: C1, C3, C8 and C9.

Source: Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), observations 2 to 4, 6 and 7.
"""

import dataclasses

import numpy as np
import pandas as pd

from ibtrain.claims.claim import Claim, Finding, Part, beside, judged, listed, missing
from ibtrain.claims.evidence import ROUNDING, Evidence, counted, largest, paired, spread
from ibtrain.config import ZERO_ENTROPY_VARIANCE, Config
from ibtrain.records import run_name

GAP = 0.01
"""Largest median gap between decoder cross-entropy and decoder uncertainty, in nats."""

C1: Claim = Claim(
    "C1",
    "order of the cross-entropies",
    "The prediction cross-entropy and the decoder uncertainty H[Y|Z] never exceed the decoder cross-entropy, and the "
    "gap to H[Y|Z] closes when the decoder cross-entropy is minimised.",
    "No epoch of any run breaks the order by more than 1e-5 nats; with a categorical Z and the decoder cross-entropy "
    "minimised, the median over trials of the final gap is under 0.01 nats.",
    ("fig3",),
)
C3: Claim = Claim(
    "C3",
    "bound of the error",
    "A label drawn from the decoder is wrong with probability at most 1 - exp(-decoder cross-entropy).",
    "No epoch of any run breaks the bound on the training data.",
    ("fig3",),
)
C8: Claim = Claim(
    "C8",
    "order of the entropies",
    "With noise of zero entropy the conditional entropies bound the redundant information, and log-variances bound the "
    "entropies: I[X;Z|Y] <= H[Z|Y] <= H[Z] <= log Var[Z].",
    "Each of the three holds within two standard errors at every measured epoch of every run.",
    ("fig5",),
)
C9: Claim = Claim(
    "C9",
    "limits of the informations",
    "A latent tells no more than there is: I[Y;Z] <= H[Y], and I[X;Z] <= ln N on N samples.",
    "Both hold in every run with the mixture estimator; how many nearest-neighbour values break them is reported.",
    ("fig6",),
)


def cross_entropies(found: Evidence) -> Finding:
    """Test C1: the order at every epoch, and the final gap.

    Args:
        found: The runs.
    """
    decoder = found.of("decoder cross-entropy")
    parts = [
        _order(found, name, decoder, f"{name} <= decoder cross-entropy")
        for name in ("prediction cross-entropy", "decoder uncertainty")
    ]
    return Finding(C1, (*parts, _gap(found, decoder)))


def _order(found: Evidence, lower: str, upper: pd.DataFrame, what: str) -> Part:
    both = paired(found.of(lower), upper)
    if both.empty:
        return missing(what, f"no run has both {lower} and decoder cross-entropy")
    return _violations(what, both, both["value"] - both["value_2"])


def _violations(
    what: str,
    table: pd.DataFrame,
    excess: "pd.Series[float]",
    slack: "pd.Series[float] | float" = ROUNDING,
    *,
    unit: str = " nats",
) -> Part:
    """Return a part that counts where an excess is above its slack."""
    broken = table.assign(excess=excess)[(excess > slack).to_numpy()]
    worst = broken.sort_values("excess", ascending=False)
    places = (f"{one.excess:.3g}{unit} in epoch {one.epoch} of the run {run_name(one)}" for one in worst.itertuples())
    return judged(
        f"violations of {what}",
        float(len(broken)),
        holds=broken.empty,
        unit=f"of {len(table):,}",
        needed="none",
        spread=f"largest difference {excess.max():.3g}{unit}",
        note=f"{what} is broken at {len(broken):,} of {len(table):,} places: by {listed(places, most=3)}",
        **counted(table),
    )


def _gap(found: Evidence, decoder: pd.DataFrame) -> Part:
    what = "final gap, decoder cross-entropy - H[Y|Z]"
    both = paired(decoder, found.of("decoder uncertainty"))
    both = largest(both[(both["loss"] == "CE[Y|Z]") & (both["latent"] == "categorical")])
    if both.empty:
        return missing(what, "no run with a categorical latent minimised the decoder cross-entropy")
    ends = both.loc[both.groupby("run")["epoch"].idxmax()]
    gaps = ends["value"] - ends["value_2"]
    middle = float(gaps.median())
    return judged(
        f"{what}, median",
        middle,
        unit="nats",
        holds=middle < GAP,
        needed=f"under {GAP:g} nats",
        spread=spread(gaps),
        note=f"the gap ends at {middle:.3g} nats, {middle / GAP:.3g} times the {GAP:g} nats that were fixed, after "
        f"{ends['epoch'].max()} epochs at a decoder cross-entropy of {ends['value'].median():.3g} nats",
        **counted(ends),
    )


def drawn_error(found: Evidence) -> Finding:
    """Test C3: the error of a label drawn from the decoder.

    Args:
        found: The runs.
    """
    what = "sampled error <= 1 - exp(-decoder cross-entropy)"
    both = paired(found.of("sampled error"), found.of("decoder cross-entropy"))
    if both.empty:
        return Finding(C3, (missing(what, "no run has both the sampled error and the decoder cross-entropy"),))
    excess = both["value"] - (1 - np.exp(-both["value_2"]))
    return Finding(C3, (_violations(what, both, excess, unit=""),))


def entropies(found: Evidence) -> Finding:
    """Test C8: the chain of entropies, by the most trusted estimator; the others are reported.

    Args:
        found: The runs.
    """
    negative = [record.digest for record in found.records if _may_be_negative(record.config)]
    noisy = found.table[~found.table["latent"].isin(["dropout", "gaussian"]) & ~found.table["run"].isin(negative)]
    steps = (("I[X;Z|Y]", "H[Z|Y]"), ("H[Z|Y]", "H[Z]"), ("H[Z]", "log Var[Z]"))
    within = Evidence(found.data, found.records, noisy)
    return Finding(C8, tuple(part for lower, upper in steps for part in _ordered(within, lower, upper)))


def _may_be_negative(config: Config | None) -> bool:
    """Say whether the noise of a run has an entropy below 0, so that the claim does not speak of it."""
    return config is not None and config.bottleneck.noise_variance < ZERO_ENTROPY_VARIANCE * (1 - 1e-9)


def _ordered(found: Evidence, lower: str, upper: str) -> list[Part]:
    what = f"{lower} <= {upper}"
    both = paired(found.of(lower), found.of(upper))
    trusted = both[both["method"].isin(["mixture", "exact"])]
    if trusted.empty:
        return [missing(what, f"no run has {lower} by the mixture estimator, or exactly, and {upper}")]
    neighbours = both[both["method"] == "knn"]
    parts = [_violations(what, trusted, trusted["value"] - trusted["value_2"], _slack(trusted))]
    if not neighbours.empty:
        part = _violations(what, neighbours, neighbours["value"] - neighbours["value_2"], _slack(neighbours))
        parts.append(beside(dataclasses.replace(part, what=f"{part.what}, nearest neighbours")))
    return parts


def _slack(both: pd.DataFrame) -> "pd.Series[float]":
    return 2 * np.hypot(both["standard_error"].fillna(0.0), both["standard_error_2"].fillna(0.0)) + ROUNDING


def limits(found: Evidence) -> Finding:
    """Test C9: no information above its limit; nearest neighbours are reported.

    Args:
        found: The runs.
    """
    parts: list[Part] = []
    for quantity, limit in (("I[Y;Z]", "H[Y]"), ("I[X;Z]", "ln N")):
        what = f"{quantity} <= {limit}"
        both = paired(found.of(quantity), found.of(limit))
        trusted, neighbours = (both[both["method"] == method] for method in ("mixture", "knn"))
        if trusted.empty:
            reported = "" if neighbours.empty else ", and nearest neighbours decide nothing"
            parts.append(missing(what, f"no run has {quantity} by the mixture estimator and {limit}{reported}"))
        else:
            excess = trusted["value"] - trusted["value_2"]
            parts.append(_violations(f"{what}, mixture estimator", trusted, excess))
        name = f"{what}, nearest neighbours"
        if neighbours.empty:
            parts.append(Part(name, "reported", note=f"no run has {quantity} by nearest neighbours and {limit}"))
        else:
            parts.append(beside(_violations(name, neighbours, neighbours["value"] - neighbours["value_2"])))
    return Finding(C9, tuple(parts))

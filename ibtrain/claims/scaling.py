"""Claim C4: what happens to the error as a latent is scaled down, with and without noise.

Source: Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), figure 4. A run begins where its scale begins
to fall: after the epochs in which the scale was held; without a configuration, at the epoch before the entropy falls
for good.
"""

import pandas as pd

from ibtrain.claims.claim import Claim, Finding, Part, beside, judged, missing
from ibtrain.claims.evidence import Evidence, counted, largest, methods, spread

FALL, FLAT = 100.0, 0.5
"""Nats by which the entropy falls without noise, and percentage points by which the error may change meanwhile."""

SHARE, RISE = 0.1, 5.0
"""Share of its start to which the entropy falls with noise, and percentage points by which the error rises by then."""

C4 = Claim(
    "C4",
    "noise makes entropy matter",
    "Without noise a deterministic network can scale its latent down at will: the entropy falls without end and the "
    "error stays. With noise of zero entropy the error rises as the entropy nears 0.",
    "Without noise the error changes by less than 0.5 points while the entropy falls by at least 100 nats; with noise "
    "it has risen by at least 5 points when the entropy reaches 10 % of its start.",
    ("fig4",),
)


def scaled_down(found: Evidence) -> Finding:
    """Test C4.

    Args:
        found: The runs; those that were scaled down have a dropout latent and were measured after many epochs.
    """
    return Finding(C4, (*_case(found, "dropout", "without noise"), *_case(found, "noisy-dropout", "with noise")))


def _case(found: Evidence, latent: str, name: str) -> list[Part]:
    test, goal = (_flat, "the entropy falls") if latent == "dropout" else (_rising, "the entropy nears 0")
    what = f"change of the error as {goal}, {name}"
    entropy = found.of("H[Z]")
    entropy = largest(entropy[entropy["latent"] == latent])
    entropy = entropy[entropy.groupby(["run", "method"])["epoch"].transform("nunique") > 2]
    accuracy = found.of("train accuracy").set_index(["run", "epoch"])["value"]
    if entropy.empty:
        return [missing(what, f"no run {name} was scaled down and measured after several epochs")]
    starts = {
        record.digest: record.config.scaling.hold + 1
        for record in found.records
        if record.config is not None and record.config.scaling.start
    }
    parts = []
    for index, method in enumerate(methods(entropy)):
        rows = entropy[entropy["method"] == method]
        ways = [_way(way, accuracy, starts.get(str(run))) for run, way in rows.groupby("run")]
        part = test(f"{what}, {method}", ways, rows)
        is_decisive = index == 0
        parts.append(part if is_decisive else beside(part))
    return parts


def _way(rows: pd.DataFrame, accuracy: "pd.Series[float]", start: int | None) -> pd.DataFrame:
    """Return entropy and error (in percent) by epoch, from where the scale begins to fall."""
    way = rows.set_index("epoch")["value"].sort_index().to_frame("entropy")
    errors = accuracy.xs(rows["run"].iloc[0], level="run")
    way["error"] = 100 * (1 - errors.reindex(way.index))
    way = way.dropna()
    if start is None:
        steps = way["entropy"].diff()
        rises = steps.index[steps >= 0]
        start = int(rises.max()) if len(rises) and rises.max() != way.index.max() else int(way.index[0])
    return way.loc[start:]


def _flat(what: str, ways: list[pd.DataFrame], rows: pd.DataFrame) -> Part:
    changes, falls = [], []
    for way in ways:
        fallen = way["entropy"].iloc[0] - way["entropy"]
        until = fallen[fallen >= FALL].index
        falls.append(float(fallen.max()))
        if len(until):
            changes.append(_largest_change(way["error"].loc[: until[0]]))
    if not changes:
        return missing(
            what, f"the entropy fell by {max(falls):.3g} nats only, not by {FALL:g}: more epochs or a smaller factor"
        )
    found = pd.Series(changes)
    middle = float(found.median())
    return judged(
        what,
        middle,
        unit="points",
        holds=abs(middle) < FLAT,
        needed=f"under {FLAT:g} points while H[Z] falls by {FALL:g} nats",
        spread=spread(found),
        note=f"the error {_moved(middle)} while the entropy fell by {FALL:g} nats, not by less than {FLAT:g} points",
        **counted(rows),
    )


def _rising(what: str, ways: list[pd.DataFrame], rows: pd.DataFrame) -> Part:
    rises, reached = [], []
    for way in ways:
        share = way["entropy"] / way["entropy"].iloc[0]
        until = share[share <= SHARE].index
        reached.append(float(share.min()))
        if len(until):
            rises.append(float(way["error"].loc[until[0]] - way["error"].iloc[0]))
    if not rises:
        return missing(
            what,
            f"the entropy only fell to {100 * min(reached):.3g} % of its start, not to {100 * SHARE:g} %: more epochs",
        )
    found = pd.Series(rises)
    middle = float(found.median())
    return judged(
        what,
        middle,
        unit="points",
        holds=middle >= RISE,
        needed=f"at least {RISE:g} points when H[Z] reaches {100 * SHARE:g} % of its start",
        spread=spread(found),
        note=f"the error {_moved(middle)} by the time the entropy reached {100 * SHARE:g} % of its start, "
        f"{RISE - middle:.3g} points short of {RISE:g}",
        **counted(rows),
    )


def _largest_change(errors: "pd.Series[float]") -> float:
    changes = errors - errors.iloc[0]
    return float(changes.loc[changes.abs().idxmax()])


def _moved(change: float) -> str:
    if change == 0:
        return "did not change"
    return f"{'rose' if change > 0 else 'fell'} by {abs(change):.3g} points"

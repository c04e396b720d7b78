"""Claim C4: what happens to the error as a latent is scaled down, with and without noise.

Source: Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), figure 4. A run begins where its scale begins
to fall: after the epochs in which the scale was held; without a configuration, at the epoch before the entropy falls
for good.
"""

import pandas as pd

from ibtrain.claims.claim import Claim, Finding, Part, judged, missing
from ibtrain.claims.evidence import Evidence, by_method, counted, largest, paired, spread

FALL, FLAT = 100.0, 0.5
"""Nats by which the entropy falls without noise, and percentage points by which the error may change meanwhile."""

SHARE, RISE = 0.1, 5.0
"""Share of its start to which the entropy falls with noise, and percentage points by which the error rises by then."""

C4: Claim = Claim(
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
    both = paired(found.of("H[Z]"), found.of("train accuracy"))
    both = largest(both[both["latent"] == latent])
    both = both[both.groupby(["run", "method"])["epoch"].transform("nunique") > 2]
    if both.empty:
        return [missing(what, f"no run {name} was scaled down and measured after several epochs")]
    starts = {
        record.digest: record.config.scaling.hold + 1
        for record in found.records
        if record.config is not None and record.config.scaling.start
    }

    def measured(rows: pd.DataFrame, method: str) -> list[Part]:
        ways = [_way(own, starts.get(str(run))) for run, own in rows.groupby("run")]
        falling = [way for way in ways if len(way) > 1]
        if not falling:
            note = f"the scale of no run {name} fell: more epochs, or a smaller scaling.hold"
            return [missing(f"{what}, {method}", note)]
        return [test(f"{what}, {method}", falling, rows)]

    return by_method(both, measured)


def _way(rows: pd.DataFrame, start: int | None) -> pd.DataFrame:
    """Return entropy and error (in percent) by epoch, from where the scale begins to fall."""
    way = rows.set_index("epoch").sort_index()
    way = pd.DataFrame({"entropy": way["value"], "error": 100 * (1 - way["value_2"])})
    if start is None:
        steps = way["entropy"].diff()
        rises = steps.index[steps >= 0]
        start = int(rises.max()) if len(rises) and rises.max() != way.index.max() else int(way.index[0])
    return way.loc[start:]


def _flat(what: str, ways: list[pd.DataFrame], rows: pd.DataFrame) -> Part:
    fallen = [way["entropy"].iloc[0] - way["entropy"] for way in ways]
    until = _changes_until(ways, [one >= FALL for one in fallen])
    if not until:
        most = max(float(one.max()) for one in fallen)
        note = f"the entropy fell by {most:.3g} nats only, not by {FALL:g}: more epochs or a smaller factor"
        return missing(what, note)
    changes = pd.Series([float(one.loc[one.abs().idxmax()]) for one in until])
    middle = float(changes.median())
    return judged(
        what,
        middle,
        unit="points",
        holds=abs(middle) < FLAT,
        needed=f"under {FLAT:g} points while H[Z] falls by {FALL:g} nats",
        spread=spread(changes),
        note=f"the error {_moved(middle)} while the entropy fell by {FALL:g} nats, not by less than {FLAT:g} points",
        **counted(rows),
    )


def _rising(what: str, ways: list[pd.DataFrame], rows: pd.DataFrame) -> Part:
    shares = [way["entropy"] / way["entropy"].iloc[0] for way in ways]
    until = _changes_until(ways, [one <= SHARE for one in shares])
    if not until:
        least = 100 * min(float(one.min()) for one in shares)
        note = f"the entropy only fell to {least:.3g} % of its start, not to {100 * SHARE:g} %: more epochs"
        return missing(what, note)
    rises = pd.Series([float(one.iloc[-1]) for one in until])
    middle = float(rises.median())
    return judged(
        what,
        middle,
        unit="points",
        holds=middle >= RISE,
        needed=f"at least {RISE:g} points when H[Z] reaches {100 * SHARE:g} % of its start",
        spread=spread(rises),
        note=f"the error {_moved(middle)} by the time the entropy reached {100 * SHARE:g} % of its start, "
        f"{RISE - middle:.3g} points short of {RISE:g}",
        **counted(rows),
    )


def _changes_until(ways: list[pd.DataFrame], reached: list["pd.Series[bool]"]) -> list["pd.Series[float]"]:
    """Return how the error changed by epoch up to where the entropy has fallen far enough, of runs that got there."""
    return [
        way["error"].loc[: there.idxmax()] - way["error"].iloc[0]
        for way, there in zip(ways, reached, strict=True)
        if there.any()
    ]


def _moved(change: float) -> str:
    if change == 0:
        return "did not change"
    return f"{'rose' if change > 0 else 'fell'} by {abs(change):.3g} points"

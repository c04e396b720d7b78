"""The nine claims, and what runs say of all of them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ibtrain.claims import bounds, decoder, scaling, weights
from ibtrain.claims.claim import Claim, Finding
from ibtrain.claims.evidence import Evidence, by_data
from ibtrain.errors import ConfigError
from ibtrain.records import Record

CLAIMS: tuple[Claim, ...] = (
    bounds.C1,
    decoder.C2,
    bounds.C3,
    scaling.C4,
    weights.C5,
    weights.C6,
    weights.C7,
    bounds.C8,
    bounds.C9,
)
"""What the paper claims of trained networks, in the order of the table."""


@dataclasses.dataclass(frozen=True)
class Judged:
    """What the runs on one data set say of the claims.

    Args:
        data: Name of the data set.
        runs: Number of runs.
        seeds: Number of seeds.
        findings: One for each claim.
    """

    data: str
    runs: int
    seeds: int
    findings: tuple[Finding, ...]


def judge(records: Sequence[Record], *, data_root: str | Path = "data") -> tuple[Judged, ...]:
    """Test every claim on the runs of each data set.

    Args:
        records: Finished runs, as `ibtrain.records.collect` returns them.
        data_root: Folder of the data sets that do not ship with scikit-learn, for claim C2.

    Returns:
        One result for each data set, in the order of the runs.

    Raises:
        ConfigError: If there is no run.

    Example:
        >>> from ibtrain.runs import Row
        >>> numbers = (("I[Y;Z]", "mixture", 2.2), ("H[Y]", "training data", 2.3))
        >>> rows = tuple(Row("a", 1, 0.1, "LogVar[Z]", 0, name, how, "exact", value) for name, how, value in numbers)
        >>> (judged,) = judge([Record("a", rows)])
        >>> [finding.verdict for finding in judged.findings]
        ['not run', 'PASS', 'not run', 'not run', 'not run', 'not run', 'not run', 'not run', 'not run']
    """
    if not records:
        raise ConfigError("there is no finished run: give folders of runs")
    return tuple(_judged(found, data_root) for found in by_data(records))


def _judged(found: Evidence, data_root: str | Path) -> Judged:
    findings: tuple[Finding, ...] = (
        bounds.cross_entropies(found),
        decoder.optimal_decoder(found, data_root),
        bounds.drawn_error(found),
        scaling.scaled_down(found),
        weights.falling_entropies(found),
        weights.saturation(found),
        weights.compression(found),
        bounds.entropies(found),
        bounds.limits(found),
    )
    if any(record.config is not None for record in found.records):
        findings = tuple(dataclasses.replace(finding, data=found.data) for finding in findings)
    return Judged(found.data, int(found.table["run"].nunique()), int(found.table["seed"].nunique()), findings)

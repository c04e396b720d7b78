"""The paper's nine claims about trained networks, tested on finished runs: PASS, FAIL with its reason, or not run."""

from ibtrain.claims.claim import Claim, Finding, Part
from ibtrain.claims.evidence import Evidence, by_data
from ibtrain.claims.ledger import CLAIMS, Judged, judge
from ibtrain.claims.table import to_json, to_markdown, to_table

__all__ = [
    "CLAIMS",
    "Claim",
    "Evidence",
    "Finding",
    "Judged",
    "Part",
    "by_data",
    "judge",
    "to_json",
    "to_markdown",
    "to_table",
]

"""Questions that need proofs and rewriting: bounds of a quantity, what would make a claim true, the paper's ledger."""

from imeasure.inquiry.brackets import Bound, Bounds, bounds
from imeasure.inquiry.paper import LedgerEntry, ledger
from imeasure.inquiry.remedies import conditions, hints

__all__ = ["Bound", "Bounds", "LedgerEntry", "bounds", "conditions", "hints", "ledger"]

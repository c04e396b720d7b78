"""The ledger: statements of Kirsch, Lyle and Gal (2020) as data, with verdicts that are found anew when asked for.

Nothing here says whether a statement is true: :meth:`LedgerEntry.verdict` asks the prover.
"""

from __future__ import annotations

from dataclasses import dataclass

from imeasure.inquiry.remedies import hints
from imeasure.model import Model
from imeasure.prove.decide import check
from imeasure.prove.verdict import Verdict
from imeasure.statements import Relation

CHAIN = "Y -> X -> Z"
"""The graph of supervised learning."""


@dataclass(frozen=True)
class LedgerEntry:
    """A statement of the paper.

    Attributes:
        label: Where it stands.
        statement: The statement in the language.
        remark: What to know about it.
        given: Facts beside the graph ``Y -> X -> Z``.
        kind: Kind of Z: discrete, continuous, or noisy: continuous with zero-entropy noise.

    Example:
        >>> ledger[0].verdict().status, ledger[0].verdict(without_model=True).status
        ('proved', 'refuted')
    """

    label: str
    statement: str
    remark: str = ""
    given: tuple[str, ...] = ()
    kind: str = "discrete"

    def model(self) -> Model:
        """Return the model that the paper presupposes."""
        graph = CHAIN if "W" not in self.statement else f"{CHAIN}; W -> Z"
        return Model(graph, kinds={"Z": self.kind})

    def verdict(self, *, without_model: bool = False) -> Verdict:
        """Decide the statement.

        Args:
            without_model: Whether to leave out the graph.

        Returns:
            The verdict with its certificate or counterexample.
        """
        return check(self.statement, model=None if without_model else self.model(), given=self.given)

    def corrections(self) -> tuple[Relation, ...]:
        """Return the nearest true statements, if this one is refuted."""
        return hints(self.statement, model=self.model(), given=self.given)


ledger: tuple[LedgerEntry, ...] = (
    LedgerEntry("(2), (6)", "I[X;Y] = I[X;Y|Z] + I[Y;Z]"),
    LedgerEntry("(3), (7)", "I[X;Z] = I[X;Z|Y] + I[Y;Z]"),
    LedgerEntry("(8)", "H[Y|Z] = I[X;Y|Z] + H[Y|X]"),
    LedgerEntry("(9)", "H[Z|Y] = I[X;Z|Y] + H[Z|X]"),
    LedgerEntry("(10)", "H[X|Y] = H[X|Y,Z] + I[X;Z]", "the last term lacks the condition on Y"),
    LedgerEntry("(10), corrected", "H[X|Y] = H[X|Y,Z] + I[X;Z|Y]", "holds for any variables"),
    LedgerEntry("(11)", "H[Y] = H[Y|X] + I[Y;Z] + I[X;Y|Z]"),
    LedgerEntry("(12)", "H[Z] = H[Z|X] + I[Y;Z] + I[X;Z|Y]"),
    LedgerEntry("(13)", "I[X;Y] = H[Y] - H[Y|X]"),
    LedgerEntry("(14)", "I[X;Z] = H[Z] - H[Z|X]"),
    LedgerEntry("(15)", "I[X;Y|Z] = H[Y|Z] - H[Y|X]"),
    LedgerEntry("(16)", "I[X;Z|Y] = H[Z|Y] - H[Z|X]"),
    LedgerEntry("(17), (18)", "I[Y;Z] = H[Y] - H[Y|Z] = H[Z] - H[Z|Y]"),
    LedgerEntry("(19), (20)", "H[Z|Y] + H[Y] = H[Y|Z] + H[Z]"),
    LedgerEntry("(21)", "H[Y|Z] + H[Z|Y] = 2*H[Y|Z] + H[Z] - H[Y]", "the entropy distance metric"),
    LedgerEntry("3.2", "I[X;Y;Z] = I[Y;Z]"),
    LedgerEntry("3.2, weights", "H[Z|X] = I[Z;W|X] + H[Z|X,W]", "W: network weights"),
    LedgerEntry("2.1", "I[X;Y;Z] >= 0", "true in the model, not for any variables: XOR"),
    LedgerEntry("Obs. 4", "H[Y|Z] <= CE[Y|Z]", "the gap is KL[Y|Z]"),
    LedgerEntry("Obs. 4, gap", "CE[Y|Z] = H[Y|Z] + KL[Y|Z]"),
    LedgerEntry(
        "Obs. 6, continuous Z",
        "I[X;Z|Y] <= H[Z|Y]",
        "without noise; differential entropy may be negative",
        kind="continuous",
    ),
    LedgerEntry("Obs. 6, discrete Z", "I[X;Z|Y] <= H[Z|Y] <= H[Z]"),
    LedgerEntry("Obs. 6, zero-entropy noise", "I[X;Z|Y] <= H[Z|Y] <= H[Z]", "Z continuous", kind="noisy"),
)
"""The paper's identities and inequalities."""

LEDGER_OBJECTIVES = (
    "IB",
    "IB-residual",
    "DIB",
    "VIB",
    "CEB",
    "generalised-IB",
    "entropy-distance",
    "IB-entropy-distance",
    "DIB-entropy-distance",
)
"""The catalogue's names of the paper's objectives."""

LEDGER_EQUIVALENCES = (
    ("IB", "IB-residual", ""),
    ("IB", "VIB", "beta"),
    ("CEB", "IB", "beta"),
    ("generalised-IB", "IB", "a"),
    ("generalised-IB", "DIB", "a"),
    ("entropy-distance", "DIB", "beta"),
    ("IB", "IB-entropy-distance", "g"),
    ("DIB", "DIB-entropy-distance", "g"),
    ("IB", "DIB", ""),
)
"""Pairs of objectives, and the parameter to solve for; which pairs are equivalent is found anew."""

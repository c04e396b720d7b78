"""What must hold in every epoch of every run, whatever is trained; what does not is reported by name.

A broken invariant means a bug, numbers out of range, or an estimate that cannot be trusted. Sources: Kirsch, Lyle and
Gal, "Unpacking Information Bottlenecks" (2020), observations 2 to 4 and 6; X is the empirical sample.
"""

import math
from collections.abc import Sequence

from ibtrain.runs import Row
from ibtrain.training.evaluation import Evaluation

_SLACK = 1e-5
_ERRORS = 3.0
_ENTROPIES = ("H[Z]", "H[Z|Y]", "H[Z|X]", "I[X;Z]", "I[Y;Z]", "I[X;Z|Y]", "I[X;Y|Z]", "H[Y|Z]")


def broken_invariants(
    evaluation: Evaluation, rows: Sequence[Row], *, samples: int, label_entropy: float, is_nonnegative: bool
) -> tuple[str, ...]:
    """Return the names of the invariants that do not hold.

    Args:
        evaluation: Of the network on the training data.
        rows: What was measured of the latent on the same data; nearest-neighbour estimates are no bounds and are left
            out.
        samples: Number N of training samples.
        label_entropy: H[Y] of their labels, in nats.
        is_nonnegative: Whether no entropy of Z can be negative: a categorical latent, or noise of zero entropy or more.

    Example:
        >>> good = Evaluation(accuracy=1, decoder_cross_entropy=0.3, prediction_cross_entropy=0.2, sampled_error=0.1)
        >>> broken_invariants(good, [], samples=10, label_entropy=1.0, is_nonnegative=True)
        ()
    """
    cross_entropy = evaluation.decoder_cross_entropy
    found = {
        "prediction cross-entropy <= decoder cross-entropy": evaluation.prediction_cross_entropy
        <= cross_entropy + _SLACK,
        "error of drawn labels <= 1 - exp(-decoder cross-entropy)": evaluation.sampled_error
        <= 1 - math.exp(-cross_entropy) + _SLACK,
        "H[Y|Z] <= decoder cross-entropy": not evaluation.decoder_uncertainty > cross_entropy + _SLACK,
    }
    limits = {"I[X;Z]": ("ln N", math.log(samples)), "I[Y;Z]": ("H[Y]", label_entropy)}
    for row in rows:
        if row.estimator.startswith("knn"):
            continue
        slack = _SLACK + (0.0 if math.isnan(row.standard_error) else _ERRORS * row.standard_error)
        if row.quantity == "H[Y|Z]":
            both = slack + _ERRORS * evaluation.standard_error
            found["H[Y|Z] <= decoder cross-entropy"] &= not row.value > cross_entropy + both
        if row.quantity in limits:
            name, limit = limits[row.quantity]
            found[f"{row.quantity} <= {name}"] = row.value <= limit + slack
        if is_nonnegative and row.quantity in _ENTROPIES:
            found[f"{row.quantity} >= 0"] = row.value >= -slack
    return tuple(name for name, holds in found.items() if not holds)

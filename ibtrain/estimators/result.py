"""The one result type of all estimators: a value in nats with its error, its side of the truth and its flags.

Values travel between the stages of an experiment as these frozen records, so a plot or a table can show the standard
error and the flags beside every number. Nothing here computes; the estimators fill the fields.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from imeasure.errors import UnknownVariableError

Side = Literal["two-sided", "upper", "lower"]


@dataclass(frozen=True)
class Estimate:
    """An estimated entropy or information.

    Args:
        quantity: What is estimated, in imeasure's language, such as ``"I[Y;Z]"``.
        value: The estimate in nats. It is never clipped: an information may come out below zero.
        standard_error: One standard error in nats of the sampling that the estimator itself does or sees; 0 where the
            value is exact, NaN where no error is known. A bias is not in it: see ``flags``.
        side: ``"upper"`` or ``"lower"`` if the value bounds the quantity from that side, else ``"two-sided"``.
        size: Number N of samples (or mixture components) behind the value.
        k: Number of neighbours, for nearest-neighbour estimators.
        estimator: Name of the estimator.
        flags: What a reader must know before trusting the value, in words.

    Example:
        >>> e = Estimate("I[Y;Z]", value=0.5, standard_error=0.01, size=100, estimator="knn", k=3)
        >>> print(e)
        I[Y;Z] = 0.500 ± 0.010 nats (knn, N = 100, k = 3)
        >>> round(e.bits, 3)
        0.721
    """

    quantity: str
    value: float
    standard_error: float = math.nan
    side: Side = "two-sided"
    size: int = 0
    k: int | None = None
    estimator: str = ""
    flags: tuple[str, ...] = ()

    @property
    def bits(self) -> float:
        """The value in bits: nats divided by ln 2."""
        return self.value / math.log(2)

    def flagged(self, *flags: str) -> "Estimate":
        """Return the same estimate with these flags added, each at most once."""
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, and the value in bits, as one flat record for a table or JSON."""
        return {
            "quantity": self.quantity,
            "value": self.value,
            "bits": self.bits,
            "standard_error": self.standard_error,
            "side": self.side,
            "size": self.size,
            "k": self.k,
            "estimator": self.estimator,
            "flags": list(self.flags),
        }

    def __str__(self) -> str:
        relation = {"two-sided": "=", "upper": "<=", "lower": ">="}[self.side]
        error = "" if math.isnan(self.standard_error) else f" ± {self.standard_error:.3f}"
        k = "" if self.k is None else f", k = {self.k}"
        flags = f" [{'; '.join(self.flags)}]" if self.flags else ""
        return f"{self.quantity} {relation} {self.value:z.3f}{error} nats ({self.estimator}, N = {self.size}{k}){flags}"


@dataclass(frozen=True)
class Estimates:
    """Several estimates by one estimator from the same data.

    Args:
        quantities: The estimates by quantity; ``result["I[X;Z]"]`` looks one up.
        lower: Closed lower bounds by quantity, where the estimator has them.
        upper: Closed upper bounds by quantity, where the estimator has them.

    Example:
        >>> result = Estimates({"H[Z]": Estimate("H[Z]", 1.0, 0.1, size=10, estimator="knn", k=3)})
        >>> result["H[Z]"].value
        1.0
        >>> print(result)
        H[Z] = 1.000 ± 0.100 nats (knn, N = 10, k = 3)
    """

    quantities: Mapping[str, Estimate]
    lower: Mapping[str, Estimate] = field(default_factory=dict)
    upper: Mapping[str, Estimate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("quantities", "lower", "upper"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[type, tuple[dict[str, Estimate], ...]]:
        return type(self), (dict(self.quantities), dict(self.lower), dict(self.upper))

    def __getitem__(self, quantity: str) -> Estimate:
        """Return the estimate of a quantity.

        Raises:
            UnknownVariableError: If it was not estimated; the message lists what was.
        """
        if quantity not in self.quantities:
            known = ", ".join(self.quantities)
            raise UnknownVariableError(f"{quantity} is not among the quantities of this estimator; there are: {known}")
        return self.quantities[quantity]

    def __iter__(self) -> Iterator[Estimate]:
        return iter(self.quantities.values())

    def __len__(self) -> int:
        return len(self.quantities)

    def __str__(self) -> str:
        return "\n".join(str(e) for group in (self.quantities, self.lower, self.upper) for e in group.values())

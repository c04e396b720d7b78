"""Information quantities from samples of discrete variables: plug-in and Miller-Madow estimates.

The plug-in estimate is the value under the empirical distribution; Miller (1955) adds (m - 1)/(2N) to each joint
entropy with m outcomes seen in N samples, the first term of the bias. Both are linear in the joint entropies.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imeasure.distribution import sources
from imeasure.distribution.displays import ROWS_SHOWN, html_table, text_table
from imeasure.distribution.joint import Distribution
from imeasure.distribution.values import Atoms, with_parameters
from imeasure.errors import ConfigError
from imeasure.measure import entropy_form
from imeasure.quantities import Functional

Method = Literal["plug-in", "miller-madow"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Counted samples of discrete variables.

    Attributes:
        counts: Integers, shape (k_1, ..., k_n).
        empirical: The empirical distribution, exact.

    Example:
        >>> samples = Samples.of([(0, 0), (0, 0), (1, 1), (1, 0)], "X Y")
        >>> len(samples)
        4
        >>> round(samples.estimate("H[X]", method="plug-in"), 4), round(samples.estimate("H[X]"), 4)
        (0.6931, 0.8181)
    """

    counts: NDArray[np.int64]
    empirical: Distribution

    @classmethod
    def of(cls, data: Any, names: str | Iterable[str] | None = None) -> "Samples":
        """Count samples.

        Args:
            data: One row per sample, one column per variable: an array, a list of rows, or a pandas data frame; for
                one variable also a list of values.
            names: One name per column, ``X0 X1 ...`` if not given; a data frame has its own.

        Returns:
            The counted samples.

        Raises:
            ConfigError: If names are given beside a data frame's own.
            ModelError: If there are no samples, one has a missing value, or rows and names do not fit.
        """
        table, size = sources.count(data, names)
        counts = np.asarray(table.pmf * size, dtype=np.int64)
        counts.flags.writeable = False
        return cls(counts, Distribution(table.pmf, table.names, table.outcomes))

    def __len__(self) -> int:
        return int(self.counts.sum())

    def entropies(self, method: Method = "miller-madow") -> NDArray[np.float64]:
        """Estimate the joint entropies of all sets of variables.

        Args:
            method: ``"plug-in"``, biased downwards, or ``"miller-madow"``, corrected to first order.

        Returns:
            Nats, shape (2^n,), indexed by bitmask.

        Raises:
            ConfigError: If there is no such method.
            ModelError: If there are too many variables for all sets of them.
        """
        values = np.array(self.empirical.entropies())
        for mask in range(1, len(values)) if _corrects(method) else ():
            values[mask] += self._correction(mask)
        return values

    def _correction(self, mask: int) -> float:
        """What Miller and Madow add to one joint entropy, in nats."""
        rest = tuple(axis for axis in range(self.counts.ndim) if not mask >> axis & 1)
        seen = int(np.count_nonzero(self.counts.any(axis=rest))) if rest else int(np.count_nonzero(self.counts))
        return (seen - 1) / (2 * len(self))

    def estimate(self, expression: Any, /, *, method: Method = "miller-madow", **parameters: float | Fraction) -> float:
        """Estimate an expression.

        Args:
            expression: Text or a sympy expression of entropies and informations.
            method: ``"plug-in"`` or ``"miller-madow"``.
            **parameters: A number for each parameter.

        Returns:
            Nats. Informations may come out negative under ``"miller-madow"``: they are not clipped.

        Raises:
            UnknownVariableError: If a variable or a parameter has no value here.
            ConfigError: If there is no such method, or the expression has ``CE`` or ``KL``.
        """
        parsed = with_parameters(expression, parameters)
        form = entropy_form(parsed, self.empirical.names)
        if form.functionals:
            functional = min(parsed.atoms(Functional), key=str)
            raise ConfigError(f"{functional} is not estimated from samples of one distribution")
        corrected = form.terms.items() if _corrects(method) else ()
        return self.empirical.value(parsed) + sum(
            float(form.coefficient(c)) * self._correction(m) for m, c in corrected
        )

    def measure(self, method: Method = "miller-madow") -> Atoms:
        """Estimate every atom.

        Args:
            method: ``"plug-in"`` or ``"miller-madow"``.

        Returns:
            The atoms.

        Raises:
            ConfigError: If there is no such method.
            ModelError: If there are too many variables for all sets of them.
        """
        return Atoms.of(self.empirical.names, self.entropies(method))

    def _shown(self) -> tuple[list[str], list[list[str]], int]:
        seen = np.argwhere(self.counts)
        outcomes = self.empirical.outcomes
        rows = [
            [*(str(values[i]) for values, i in zip(outcomes, at, strict=True)), str(self.counts[tuple(at)])]
            for at in seen[:ROWS_SHOWN]
        ]
        return [*self.empirical.names, "count"], rows, len(seen) - len(rows)

    def __str__(self) -> str:
        return text_table(*self._shown())

    def __repr__(self) -> str:
        seen = int(np.count_nonzero(self.counts))
        return f"<Samples of {', '.join(self.empirical.names)}: {len(self)} samples, {seen} outcomes seen>"

    def _repr_html_(self) -> str:
        return html_table(*self._shown())


def _corrects(method: Any) -> bool:
    """Say whether a method corrects the bias, and refuse what is no method."""
    if method not in {"plug-in", "miller-madow"}:
        raise ConfigError(f"method must be 'plug-in' or 'miller-madow', not {method!r}")
    return bool(method == "miller-madow")

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

from imeasure.distribution.joint import Distribution
from imeasure.distribution.tables import from_array, read_names, sorted_values
from imeasure.distribution.values import Atoms, with_parameters
from imeasure.errors import ConfigError, ModelError
from imeasure.measure import entropy_form

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
            data: One row per sample, one column per variable: an array, a list of rows, or a pandas data frame.
            names: One name per column; a data frame has its own.

        Returns:
            The counted samples.

        Raises:
            ModelError: If there are no samples, or rows and names do not fit.
        """
        if hasattr(data, "columns"):
            names = [str(column) for column in data.columns] if names is None else names
            data = data.to_numpy(dtype=object)
        rows = data.tolist() if isinstance(data, np.ndarray) else [tuple(row) for row in data]
        if not rows:
            raise ModelError("there are no samples; give at least one row")
        width = len(rows[0])
        labels = tuple(f"X{i}" for i in range(width)) if names is None else read_names(names)
        if len(labels) != width or any(len(row) != width for row in rows):
            raise ModelError(f"every sample needs one value for each of the {len(labels)} names {' '.join(labels)}")
        columns = list(zip(*rows, strict=True))
        outcomes = [sorted_values(column) for column in columns]
        places = [{value: index for index, value in enumerate(values)} for values in outcomes]
        index = tuple(np.array([place[v] for v in column]) for place, column in zip(places, columns, strict=True))
        counts = np.zeros([len(values) for values in outcomes], dtype=np.int64)
        np.add.at(counts, index, 1)
        table = from_array(counts, labels, outcomes, normalize=True)
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
        """
        if method not in {"plug-in", "miller-madow"}:
            raise ConfigError(f"method must be 'plug-in' or 'miller-madow', not {method!r}")
        values = np.array(self.empirical.entropies())
        if method == "plug-in":
            return values
        n = self.counts.ndim
        for mask in range(1, 1 << n):
            rest = tuple(axis for axis in range(n) if not mask >> axis & 1)
            seen = int(np.count_nonzero(self.counts.sum(axis=rest)))
            values[mask] += (seen - 1) / (2 * len(self))
        return values

    def estimate(self, expression: Any, *, method: Method = "miller-madow", **parameters: float | Fraction) -> float:
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
        form = entropy_form(with_parameters(expression, parameters), self.empirical.names)
        if form.functionals:
            raise ConfigError(f"{next(iter(form.functionals))} is not estimated from samples of one distribution")
        values = self.entropies(method)
        total = float(form.coefficient(form.constant))
        return total + sum(float(form.coefficient(c)) * float(values[mask]) for mask, c in form.terms.items())

    def measure(self, method: Method = "miller-madow") -> Atoms:
        """Estimate every atom.

        Args:
            method: ``"plug-in"`` or ``"miller-madow"``.

        Returns:
            The atoms.
        """
        return Atoms.of(self.empirical.names, self.entropies(method))

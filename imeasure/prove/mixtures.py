"""Continuous counterexamples: a finite table whose continuous variables are spread by uniform noise.

A continuous Z is ``width * (value + U)`` with the table's integer value and an independent U, uniform on [0, 1). Its
joint entropies are those of the table plus the logarithms of the widths, so that everything has an exact value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt

from imeasure.distribution import Distribution
from imeasure.distribution.values import with_parameters
from imeasure.measure import entropy_form


@dataclass(frozen=True)
class UniformMixture:
    """Variables of a table, some of them spread over intervals: mixtures of uniform densities.

    Attributes:
        table: The joint distribution of the discrete variables and of the cells of the continuous ones.
        log_widths: For each continuous variable the logarithm of the width of its cells.
        carriers: For a continuous variable that is a noiseless map, the variable that its noise is a part of.

    Example:
        >>> half = UniformMixture(Distribution.read({(0, 0): 1, (1, 1): 1}, "X Z", normalize=True), {"Z": -1.0})
        >>> round(half.value("I[X;Z]"), 4), round(half.value("H[Z|X]"), 4)
        (0.6931, -1.0)
        >>> print(half)
        X  Z  p
        0  0  1/2
        1  1  1/2
        Z is 0.367879 * (value + U), U independent and uniform on [0, 1)
    """

    table: Distribution
    log_widths: Mapping[str, float]
    carriers: Mapping[str, str]

    def __init__(
        self, table: Distribution, log_widths: Mapping[str, float], carriers: Mapping[str, str] | None = None
    ) -> None:
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "log_widths", dict(log_widths))
        object.__setattr__(self, "carriers", dict(carriers or {}))

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return self.table.names

    def value(self, expression: Any, *, against: UniformMixture | None = None, **parameters: Any) -> float:
        """Evaluate an expression: entropies that name a continuous variable are differential ones.

        Args:
            expression: Text or a sympy expression, linear in its quantities.
            against: The mixture q, of the same widths, that ``CE`` and ``KL`` compare this one with.
            **parameters: A number for each parameter.

        Returns:
            Nats.

        Raises:
            InformationError: As :meth:`imeasure.Distribution.value`.
        """
        parsed = with_parameters(expression, parameters)
        total = self.table.value(parsed, against=None if against is None else against.table)
        widths = [self.log_widths.get(name, 0.0) for name in self.names]
        form = entropy_form(parsed, self.names)
        for mask, factor in form.terms.items():
            total += float(form.coefficient(factor)) * sum(w for i, w in enumerate(widths) if mask >> i & 1)
        return total

    def sample(self, size: int, seed: int | np.random.Generator = 0) -> npt.NDArray[np.float64]:
        """Draw outcomes.

        Args:
            size: How many.
            seed: A number, or a generator to go on with.

        Returns:
            Shape (size, n).

        Example:
            >>> coin = UniformMixture(Distribution.read({(0,): 1}, "Z"), {"Z": 0.0})
            >>> bool((coin.sample(5) < 1).all())
            True
        """
        generator = np.random.default_rng(seed)
        drawn = np.asarray(self.table.sample(size, generator), dtype=np.float64)
        for axis, name in enumerate(self.names):
            if name in self.log_widths:
                drawn[:, axis] = exp(self.log_widths[name]) * (drawn[:, axis] + generator.random(size))
        return drawn

    def __str__(self) -> str:
        lines = [str(self.table)]
        for name, width in self.log_widths.items():
            factor = f"{exp(width):.6g} * (value + U)" if width else "value + U"
            noise = f"a part of {self.carriers[name]}" if name in self.carriers else "independent"
            lines.append(f"{name} is {factor}, U {noise} and uniform on [0, 1)")
        return "\n".join(lines)

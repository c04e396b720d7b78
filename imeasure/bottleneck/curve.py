"""The information curve: what the best bottlenecks of a joint distribution cost and keep, one per beta.

Cost against relevance is the curve of Tishby, Pereira and Bialek (1999); nothing lies above it.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imeasure.distribution import Distribution
from imeasure.distribution.displays import html_table
from imeasure.errors import ConfigError
from imeasure.quantities import Information

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class InformationCurve:
    """Optimal bottlenecks, one per beta, in nats.

    Attributes:
        variant: ``"ib"`` or ``"dib"``.
        beta: Shape (B,), ascending.
        objective: ``I[X;Z] - beta*I[Y;Z]``, for ``"dib"`` ``H[Z] - beta*I[Y;Z]``; shape (B,).
        information_xz: ``I[X;Z]``, shape (B,); does not fall with beta.
        information_yz: ``I[Y;Z]``, shape (B,); does not fall with beta.
        entropy_z: ``H[Z]``, shape (B,).
        encoders: p(z|x), shape (B, X, Z).
        converged: Whether the objective stood still to the tolerance; shape (B,).
        joint: The distribution of X and Y.
    """

    variant: Literal["ib", "dib"]
    beta: Floats
    objective: Floats
    information_xz: Floats
    information_yz: Floats
    entropy_z: Floats
    encoders: Floats
    converged: NDArray[np.bool_]
    joint: Distribution

    def distribution(self, index: int) -> Distribution:
        """Return the joint distribution of Y, X and the latent at one beta.

        Args:
            index: Which beta.

        Returns:
            A distribution over the names of Y and X, and ``Z``, that obeys ``Y -> X -> Z``.

        Raises:
            ConfigError: If there is no such beta.
            ModelError: If X or Y is itself called Z.
        """
        if not isinstance(index, int | np.integer) or not -len(self.beta) <= index < len(self.beta):
            raise ConfigError(f"the curve has {len(self.beta)} values of beta, numbered from 0; there is no {index!r}")
        p_xy = self.joint.probabilities
        table = np.einsum("xy,xz->yxz", p_xy, self.encoders[index])
        x, y = self.joint.names
        return Distribution(table, [y, x, "Z"], [*self.joint.outcomes[::-1], range(table.shape[2])], normalize=True)

    def plot(self, ax: Any = None) -> Any:
        """Draw the curve: what Z keeps of Y against what it costs, one point per beta.

        Dotted lines are what nothing can pass: ``I[Y;Z] <= I[X;Y]``, and the cost itself. Hollow points have not
        converged.

        Args:
            ax: matplotlib axes to draw on; new ones if not given.

        Returns:
            The axes.

        Raises:
            ConfigError: If matplotlib is not installed.
        """
        try:
            from matplotlib import pyplot  # noqa: PLC0415 - optional, and slow to load
        except ImportError:
            raise ConfigError("matplotlib draws the curve; install it with: pip install imeasure[plots]") from None
        axes = pyplot.subplots(figsize=(4.8, 3.6), layout="constrained")[1] if ax is None else ax
        cost, label = (self.entropy_z, "H[Z]") if self.variant == "dib" else (self.information_xz, "I[X;Z]")
        limit = self.joint.value(Information([[name] for name in self.joint.names]))
        right = max(float(cost.max()), limit)
        axes.plot([0, limit, right], [0, limit, limit], color="0.5", linestyle=":", linewidth=1, zorder=1)
        (line,) = axes.plot(cost, self.information_yz, linewidth=1.5, zorder=2)
        color = line.get_color()
        filled = [color if settled else "white" for settled in self.converged]
        axes.scatter(cost, self.information_yz, s=20, c=filled, edgecolors=[color] * len(cost), zorder=3)
        axes.set(xlabel=f"{label} (nats)", ylabel="I[Y;Z] (nats)")
        return axes

    def _note(self) -> str:
        """Say where the objective was still falling."""
        if self.converged.all():
            return ""
        where = ", ".join(f"{beta:g}" for beta in self.beta[~self.converged])
        return f"not converged at beta = {where}; raise max_iterations"

    def _rows(self) -> list[tuple[str, ...]]:
        columns = (self.beta, self.objective, self.information_xz, self.information_yz, self.entropy_z)
        header = ("beta", "objective", "I[X;Z]", "I[Y;Z]", "H[Z]")
        return [header, *(tuple(f"{entry:.6f}" for entry in row) for row in np.stack(columns, axis=1))]

    def __str__(self) -> str:
        lines = ["  ".join(f"{cell:>10}" for cell in row) for row in self._rows()]
        return "\n".join([*lines, self._note()] if self._note() else lines)

    def __repr__(self) -> str:
        return (
            f"<InformationCurve {self.variant}: {len(self.beta)} values of beta, {int(self.converged.sum())} converged>"
        )

    def _repr_html_(self) -> str:
        header, *rows = self._rows()
        return html_table(header, rows, note=self._note())

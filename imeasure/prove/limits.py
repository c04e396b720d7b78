"""Limits of time and size: a search that reaches one stops and says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic


class LimitReached(Exception):  # noqa: N818 - a signal that becomes the reason of a verdict
    """A limit of the search was reached; the message says which."""


@dataclass(frozen=True)
class Limits:
    """How long, and over how many sets, a search may go on.

    Attributes:
        seconds: Time allowed.
        sets: Most joint entropies in a linear program.
    """

    seconds: float = 60.0
    sets: int = 5000
    started: float = field(default_factory=monotonic)

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.seconds - (monotonic() - self.started)

    def require_time(self) -> None:
        """Raise if no time is left.

        Raises:
            LimitReached: If so.
        """
        if self.left <= 0:
            raise LimitReached(f"the time limit of {self.seconds:g} s was reached")

    def require_size(self, sets: int) -> None:
        """Raise if there are too many sets, or no time is left.

        Args:
            sets: Number of joint entropies.

        Raises:
            LimitReached: If so.
        """
        if sets > self.sets:
            raise LimitReached(f"more than {self.sets} joint entropies are involved (max_sets)")
        self.require_time()

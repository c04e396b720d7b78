"""Limits of time and size: a search that reaches one stops and says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from numbers import Integral, Real
from time import monotonic
from typing import Any

from imeasure.errors import ConfigError

LOOK = 16
"""So many rounds, or so many variables, pass before a search looks at the clock: what is less takes no time."""


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


def read_limits(seconds: Any, max_sets: Any = Limits.sets) -> Limits:
    """Return the limits that a caller asks for; time runs from now on.

    Args:
        seconds: Time allowed, zero or more.
        max_sets: Most joint entropies in a linear program, zero or more.

    Returns:
        The limits.

    Raises:
        ConfigError: If one of them is no such number.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, Real) or isnan(seconds) or seconds < 0:
        raise ConfigError(f"seconds is a number of seconds, zero or more, not {seconds!r}")
    if isinstance(max_sets, bool) or not isinstance(max_sets, Integral) or max_sets < 0:
        raise ConfigError(f"max_sets is a whole number, zero or more, not {max_sets!r}")
    return Limits(float(seconds), int(max_sets))

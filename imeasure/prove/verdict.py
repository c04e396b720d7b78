"""Verdicts: proved with a certificate, refuted with a distribution, or undecided with what stands in the way.

They are what :func:`imeasure.check` returns: frozen data that print, and that say by themselves what supports them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

from imeasure.certificate import Certificate
from imeasure.certificate.problem import Problem
from imeasure.distribution import Distribution
from imeasure.prove.mixtures import UniformMixture

SHOWN = 32
"""Most entropies of a polymatroid that are printed."""


@dataclass(frozen=True)
class Refutation:
    """A distribution that breaks one comparison of a claim.

    Attributes:
        build: Makes the distribution.
        left: Value of the left side, in nats.
        operator: The relation that should hold.
        right: Value of the right side, in nats.
        comparison: The comparison as text.
        exact: Whether the facts hold exactly; otherwise to 1e-12.
        parameters: Values of parameters at which the claim fails.
        functionals: Values of functionals, in nats: declared ones are chosen, those of ``KL`` belong to decoders.
        others: Makes the decoders.
    """

    build: Callable[[], Distribution | UniformMixture]
    left: float
    operator: str
    right: float
    comparison: str
    exact: bool
    parameters: Mapping[str, Fraction] = field(default_factory=dict)
    functionals: Mapping[str, float] = field(default_factory=dict)
    others: Callable[[], Mapping[str, Distribution | UniformMixture]] = dict


@dataclass(frozen=True)
class Verdict:
    """What is known of a claim.

    Attributes:
        status: ``"proved"``, ``"refuted"`` or ``"undecided"``.
        problem: The claim with its facts.
        certificate: The proof, if proved.
        refutation: What a distribution shows, if refuted.
        wording: Makes :attr:`reason`, or the text itself.
        broken: Makes :attr:`polymatroid`, if undecided.

    Example:
        >>> from imeasure import check
        >>> bool(check("H[X|Y] <= H[X]")), check("H[X] <= H[Y]").status
        (True, 'refuted')
    """

    status: Literal["proved", "refuted", "undecided"]
    problem: Problem
    certificate: Certificate | None = None
    refutation: Refutation | None = None
    wording: str | Callable[[], str] = field(default="", compare=False, repr=False)
    broken: Callable[[], Mapping[str, Fraction]] | None = field(default=None, compare=False, repr=False)

    @property
    def claim(self) -> str:
        """The claim as text."""
        return self.problem.claim

    @cached_property
    def reason(self) -> str:
        """Why nothing more is known, if undecided."""
        return self.wording if isinstance(self.wording, str) else self.wording()

    @cached_property
    def counterexample(self) -> Distribution | UniformMixture | None:
        """A distribution that obeys the facts and breaks the claim, if refuted; mixed where some are continuous.

        Of more than 32 variables, those that are constant are left out.
        """
        return None if self.refutation is None else self.refutation.build()

    @cached_property
    def decoders(self) -> Mapping[str, Distribution | UniformMixture]:
        """For each ``KL`` of a refuted claim the distribution q with which the counterexample gives it its value."""
        return {} if self.refutation is None else self.refutation.others()

    @cached_property
    def polymatroid(self) -> Mapping[str, Fraction] | None:
        """If undecided, entropies that obey every Shannon inequality and every fact and yet break the claim.

        By quantity; no distribution is known to have them.
        """
        return None if self.broken is None else self.broken()

    def __bool__(self) -> bool:
        return self.status == "proved"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, *, tips: bool = True) -> str:
        """Return the verdict as text: what is known, and the evidence.

        Args:
            tips: Whether to say which Python functions tell more.

        Returns:
            Several lines.

        Example:
            >>> from imeasure import check
            >>> print(check("H[X|Y] <= H[X]").to_text(tips=False))
            proved: H[X|Y] <= H[X]
            by a certificate of 1 step
        """
        lines = [f"{self.status}: {self.claim}"]
        if self.problem.given:
            lines.append(f"given {'; '.join(self.problem.given)}")
        if self.problem.model is not None:
            lines.append(f"in the model {self.problem.model}")
        if self.certificate is not None:
            steps = sum(map(len, self.certificate.parts))
            tip = " (certificate.explain())" if tips else ""
            lines.append(f"by a certificate of {steps} {'step' if steps == 1 else 'steps'}{tip}")
        if self.refutation is not None:
            lines += self._refuted(self.refutation)
            lines += ["(imeasure.hints(verdict) looks for true statements nearby)"] if tips else []
        if self.reason:
            lines.append(f"because {self.reason}")
        if self.polymatroid is not None:
            lines.append("a polymatroid, not known to be a distribution, that obeys the facts and breaks the claim:")
            lines += [f"  {name} = {value}" for name, value in list(self.polymatroid.items())[:SHOWN]]
            if len(self.polymatroid) > SHOWN:
                lines.append(f"  ... and {len(self.polymatroid) - SHOWN} more")
        return "\n".join(lines)

    def _refuted(self, found: Refutation) -> list[str]:
        at = ", ".join(f"{name} = {value}" for name, value in found.parameters.items())
        chosen = ", ".join(f"{name} = {value:.6g}" for name, value in found.functionals.items())
        return [
            f"{found.comparison} fails{f' at {at}' if at else ''}: "
            f"the left side is {_nats(found.left)}, the right side {_nats(found.right)} nats for",
            *(f"  {line}" for line in str(self.counterexample).splitlines()),
            *([f"and {chosen}"] if chosen else []),
            *(f"  {name}: q is{_rows(q)}" for name, q in self.decoders.items()),
            *([f"which obeys the facts {'exactly' if found.exact else 'to 1e-12'}"] if self.problem.facts else []),
        ]

    def __repr__(self) -> str:
        return f"<Verdict {self.status}: {self.claim}>"


def _nats(value: float) -> str:
    """Return a value as text; what is within rounding of zero is zero, as sums of entropies round."""
    return f"{0.0 if abs(value) < 1e-13 else value:.6g}"


def _rows(q: Distribution | UniformMixture) -> str:
    return "".join(f"\n    {line}" for line in str(q).splitlines())

"""Certificates: proofs as exact linear combinations, checked without the search that found them.

A claim ``f >= 0`` is proved by writing f as a sum of non-negative multiples of true inequalities and any multiples of
equations that were given (Farkas). Checking is addition of rational rows; nothing here knows a solver.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from imeasure.certificate import explain, serial
from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import Row
from imeasure.certificate.steps import Combination, elemental, objection, total
from imeasure.certificate.targets import Target, targets
from imeasure.errors import ConfigError, DerivationError
from imeasure.exchange import loaded
from imeasure.files import read_text, write_text

LARGEST = 2**25
"""Most bytes of a file with a certificate."""


@dataclass(frozen=True)
class Step:
    """One line of a proof.

    Attributes:
        multiplier: The rational factor.
        statement: The true statement that is multiplied, such as ``I[X;Z|Y] >= 0``.
        reason: ``"Shannon"``, ``"fact"``, ``"constant"``, ``"divergence"``, ``"Jensen"`` or ``"Zhang-Yeung"``.
    """

    multiplier: Fraction
    statement: str
    reason: str


@dataclass(frozen=True)
class Certificate:
    """A proof that anyone can check: for each part of the claim, multipliers on true statements that sum to it.

    Attributes:
        problem: The claim with its facts.
        parts: For each target of the claim the combination that proves it.

    Example:
        >>> from imeasure import check
        >>> certificate = check("I[X;Z] <= I[X;Y]", given=["X -> Y -> Z"]).certificate
        >>> certificate.verify()
        True
        >>> [f"{step.multiplier} * ({step.statement})" for step in certificate.steps()]
        ['1 * (I[X;Y|Z] >= 0)', '-1 * (I[X;Z|Y] = 0)']
    """

    problem: Problem
    parts: tuple[Combination, ...]

    @property
    def claim(self) -> str:
        """The claim as text."""
        return self.problem.claim

    @property
    def given(self) -> tuple[str, ...]:
        """The facts given with the claim, as texts."""
        return self.problem.given

    def targets(self) -> tuple[Target, ...]:
        """Return what has to be at least zero for the claim to hold, one for each part."""
        return targets(self.problem)

    def steps(self, part: int | None = None) -> Iterator[Step]:
        """Yield the lines of the proof.

        Args:
            part: The part wanted, by default all of them.

        Yields:
            Steps.
        """
        for combination in self.parts if part is None else self.parts[part : part + 1]:
            for key, multiplier in combination.items():
                yield Step(Fraction(multiplier), *explain.describe(key, self.problem))

    def verify(self) -> bool:
        """Check the proof by exact addition, without any search.

        Returns:
            True.

        Raises:
            DerivationError: If a step is not allowed, or the steps do not sum to the claim.
        """
        wanted = self.targets()
        if len(wanted) != len(self.parts):
            raise DerivationError(
                f"the claim and the certificate differ in their numbers of parts: {len(wanted)} and {len(self.parts)}"
            )
        for target, combination in zip(wanted, self.parts, strict=True):
            for key, multiplier in combination.items():
                if reason := objection(key, multiplier, self.problem):
                    statement, _ = explain.describe(key, self.problem)
                    raise DerivationError(f"{multiplier} * ({statement}) is {reason}")
            if not same(total(combination, self.problem), target.row):
                raise DerivationError(f"the steps do not sum to {target.text(self.problem.names)}")
        return True

    def elemental(self) -> Certificate:
        """Return the same proof with every basic inequality written as a sum of elemental ones.

        Returns:
            A certificate whose Shannon steps are ``I[i;j|K] >= 0`` and ``H[i|all others] >= 0`` for single variables.

        Example:
            >>> from imeasure import check
            >>> [step.statement for step in check("I[X;Y,Z] >= 0").certificate.elemental().steps()]
            ['I[X;Y] >= 0', 'I[X;Z|Y] >= 0']
        """
        everything = (1 << len(self.problem.names)) - 1
        parts = []
        for combination in self.parts:
            part: Combination = {}
            for key, multiplier in combination.items():
                for step in elemental(key, everything):
                    part[step] = part.get(step, 0) + multiplier
            parts.append(part)
        return Certificate(self.problem, tuple(parts))

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the certificate as JSON text, with everything that a check needs.

        Args:
            path: A file to write it to as well.

        Returns:
            The text.

        Raises:
            ConfigError: If the file cannot be written.
        """
        text = json.dumps(serial.to_data(self.problem, self.parts), indent=1, ensure_ascii=False)
        if path is not None:
            write_text(path, text + "\n")
        return text

    @classmethod
    def from_json(cls, source: str | Path) -> Certificate:
        """Read a certificate from JSON text or a file; ``verify`` says whether it holds.

        Args:
            source: JSON text, or the path of a file.

        Returns:
            The certificate.

        Raises:
            DerivationError: If the text is not a certificate, or the file cannot be read.
        """
        return cls(*serial.from_data(_read_json(source)))

    def explain(self, style: str = "text") -> str:
        """Return the proof in words, one line for each step.

        Args:
            style: ``"text"`` or ``"latex"``.

        Returns:
            The proof.

        Raises:
            DerivationError: If the style is unknown.
        """
        return explain.explain(self.problem, self.parts, style)

    def _repr_latex_(self) -> str:
        return self.explain("latex")

    def __str__(self) -> str:
        return self.explain()


def _read_json(source: Any) -> Any:
    if not isinstance(source, str | Path):
        raise DerivationError(f"a certificate is JSON text or the path of a file, not {type(source).__name__}")
    text = str(source)
    if isinstance(source, Path) or not (text.lstrip().startswith(("{", "[", '"')) or text.strip() == "null"):
        if not text.strip():
            raise DerivationError("the text is empty; a certificate is JSON text or the path of a file")
        try:
            text = read_text(source, "certificate", most=LARGEST)
        except ConfigError as error:
            raise DerivationError(str(error)) from None
    return loaded(text, "certificate")


def same(left: Row, right: Row) -> bool:
    """Return whether two rows are equal, exactly; the empty set has no entropy, so only the constant has column 0."""
    return left == right or {c: v for c, v in left.items() if v} == {c: v for c, v in right.items() if v}

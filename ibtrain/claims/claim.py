"""What is claimed, what was measured of it, and what follows: frozen data.

A claim is tested in parts. It fails if a part fails, and is not run if a part is missing; parts that are only reported
decide nothing.
"""

import dataclasses
import math
import shlex
from collections.abc import Iterable
from typing import Any, Literal

from ibtrain.experiments import PRESETS, figure_of

Status = Literal["holds", "fails", "missing", "reported"]
Verdict = Literal["PASS", "FAIL", "not run"]


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper, and the test that was fixed before anything was run.

    Args:
        name: Its number.
        title: What it is about.
        says: What the paper says, in our words.
        test: When it passes.
        figures: Figures of `ibtrain reproduce` whose runs decide it.
    """

    name: str
    title: str
    says: str
    test: str
    figures: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Part:
    """One number that was measured for a claim.

    Args:
        what: What was measured.
        status: Whether it holds what is needed; `missing` if the runs do not tell, `reported` if nothing is needed.
        found: The number.
        needed: What it had to be, in words.
        spread: How far it varies, and over what.
        seeds: Over how many seeds.
        runs: From how many runs.
        unit: Its unit.
        note: Why it fails or is missing, or what a reader must know.
    """

    what: str
    status: Status
    found: float = math.nan
    needed: str = ""
    spread: str = ""
    seeds: int = 0
    runs: int = 0
    unit: str = ""
    note: str = ""

    @property
    def value(self) -> str:
        """The number as text, with its unit.

        Example:
            >>> Part("gap", "holds", 0.00123456, unit="nats").value
            '0.00123 nats'
        """
        if math.isnan(self.found):
            return "-"
        is_whole = float(self.found).is_integer() and abs(self.found) < 1e15
        number = f"{self.found:,.0f}" if is_whole else f"{self.found:.3g}"
        return f"{number} {self.unit}".strip()


@dataclasses.dataclass(frozen=True)
class Finding:
    """What the runs on one data set say of one claim.

    Args:
        claim: The claim.
        parts: What was measured.
        data: Name of the data set.

    Example:
        >>> claim = Claim("C0", "order", "One is less than two.", "1 < 2", ())
        >>> Finding(claim, (Part("one", "holds", 1.0), Part("three", "fails", 3.0, note="3 is above 2"))).verdict
        'FAIL'
    """

    claim: Claim
    parts: tuple[Part, ...]
    data: str = "digits"

    @property
    def verdict(self) -> Verdict:
        """PASS, FAIL or not run."""
        statuses = {part.status for part in self.parts}
        if "fails" in statuses:
            return "FAIL"
        return "not run" if "missing" in statuses or "holds" not in statuses else "PASS"

    @property
    def explanation(self) -> str:
        """Why it failed, or what is missing and how to run it; empty for a pass."""
        if self.verdict == "PASS":
            return ""
        wanted: Status = "fails" if self.verdict == "FAIL" else "missing"
        notes = [part.note or f"{part.what}: nothing was measured" for part in self.parts if part.status == wanted]
        text = "; ".join(dict.fromkeys(notes)) or "nothing was measured"
        return text if self.verdict == "FAIL" else f"{text}. To run it: {self.command}"

    @property
    def command(self) -> str:
        """What has to be run for this claim on the same data, with the first preset that has the figure on them."""
        return " && ".join(f"ibtrain reproduce {figure} {_options(figure, self.data)}" for figure in self.claim.figures)

    @property
    def seeds(self) -> int:
        """Largest number of seeds behind a part."""
        return max((part.seeds for part in self.parts), default=0)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, numbers that are none as None."""
        parts = [dataclasses.asdict(part) for part in self.parts]
        for part in parts:
            part["found"] = part["found"] if math.isfinite(part["found"]) else None
        return {
            **dataclasses.asdict(self.claim),
            "verdict": self.verdict,
            "explanation": self.explanation,
            "parts": parts,
        }


def _options(figure: str, data: str) -> str:
    """Return the preset of a figure on some data; where no preset has it, that of the digits with the data replaced."""
    for preset in PRESETS.values():
        if any(figure_of(one) == figure and data == one.base.data.name for one in preset.experiments):
            return f"--preset {preset.name}"
    name, _, folder = data.partition(" ")
    inside = f" --set {shlex.quote(f'data.folder={folder}')}" if folder else ""
    return f"--preset digits --set data.name={name}{inside}"


def judged(what: str, found: float, *, holds: bool, needed: str, note: str, **fields: Any) -> Part:
    """Return a part that holds or fails; the note is kept if it fails.

    Args:
        what: What was measured.
        found: The number.
        holds: Whether it is as needed.
        needed: What it had to be.
        note: Why it fails, if it does.
        fields: Other fields of the part.
    """
    return Part(what, "holds" if holds else "fails", found, needed, note="" if holds else note, **fields)


def beside(part: Part) -> Part:
    """Return a part as one that decides nothing, with what it would have been."""
    would = {"holds": "would hold", "fails": "would fail"}.get(part.status, "")
    return dataclasses.replace(part, status="reported", note="; ".join(one for one in (would, part.note) if one))


def missing(what: str, note: str) -> Part:
    """Return a part that the runs do not tell."""
    return Part(what, "missing", note=note)


def listed(texts: Iterable[str], *, most: int = 6) -> str:
    """Return texts as one, cut off after some.

    Example:
        >>> listed("abc", most=2)
        'a, b and 1 more'
    """
    every = list(texts)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + rest

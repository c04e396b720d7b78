"""The claims as a table: for a console, as Markdown, as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ibtrain.claims.claim import Finding, Part
from ibtrain.claims.ledger import Judged

_COLOURS = {"PASS": "green", "FAIL": "red", "not run": "yellow"}


def to_table(judged: Judged) -> Table:
    """Return the claims on one data set as a table for a rich console.

    Args:
        judged: What the runs say.
    """
    table = Table(box=SIMPLE_HEAD, title=escape(heading(judged)), show_lines=True)
    for name in ("claim", "what the paper says", "what we measure", "verdict"):
        table.add_column(name, overflow="fold", no_wrap=name == "verdict")
    for finding in judged.findings:
        measured = "\n".join(map(line, _shown(finding)))
        colour = _COLOURS[finding.verdict]
        if finding.explanation:
            measured += f"\n{finding.verdict}: {finding.explanation}"
        table.add_row(
            finding.claim.name, escape(finding.claim.says), escape(measured), f"[{colour}]{finding.verdict}[/{colour}]"
        )
    return table


def heading(judged: Judged) -> str:
    """Return what stands above the claims on one data set."""
    seeds = f"{judged.seeds} {'seed' if judged.seeds == 1 else 'seeds'}"
    return f"{judged.data}: {judged.runs} {'run' if judged.runs == 1 else 'runs'}, {seeds}"


def line(part: Part) -> str:
    """Return one measurement as a line of text.

    Example:
        >>> line(Part("gap", "holds", 0.002, "under 0.01", "0.001 to 0.003 over seeds", seeds=3))
        'gap: 0.002 (needed: under 0.01; 0.001 to 0.003 over seeds; 3 seeds)'
    """
    if part.status == "missing" and part.value == "-":
        return f"{part.what}: not measured"
    seeds = f"{part.seeds} {'seed' if part.seeds == 1 else 'seeds'}" if part.seeds else ""
    needed = f"needed: {part.needed}" if part.needed and part.status != "reported" else part.needed
    about = "; ".join(one for one in (needed, part.spread, seeds) if one)
    return f"{part.what}: {part.value}" + (f" ({about})" if about else "")


def _shown(finding: Finding) -> list[Part]:
    return [part for part in finding.parts if part.status != "reported"]


def to_markdown(every: Sequence[Judged], *, title: str = "The claims, tested", note: str = "") -> str:
    """Return the claims on all data sets as Markdown.

    Args:
        every: What the runs say, one for each data set.
        title: The heading.
        note: How the runs were made, as a paragraph of Markdown.
    """
    lines = [f"# {title}", ""]
    if note:
        lines += [note, ""]
    for judged in every:
        lines += [f"## {_cell(heading(judged))}", ""]
        lines += _rows(
            ("claim", "what the paper says", "what we measure", "seeds", "verdict"),
            [
                (
                    f"{finding.claim.name}, {finding.claim.title}",
                    finding.claim.says,
                    "<br>".join(_cell(_brief(part)) for part in _shown(finding)),
                    str(finding.seeds or ""),
                    f"**{finding.verdict}**",
                )
                for finding in judged.findings
            ],
            raw=(2, 4),
        )
        for finding in judged.findings:
            lines += _details(finding)
    return "\n".join(lines).rstrip() + "\n"


def _brief(part: Part) -> str:
    return f"{part.what}: {'not measured' if part.value == '-' else part.value}"


def _details(finding: Finding) -> list[str]:
    claim = finding.claim
    lines = [f"### {claim.name}, {claim.title}: {finding.verdict}", "", f"Test: {_cell(claim.test)}", ""]
    if finding.explanation:
        lines += [f"{finding.verdict}: {_cell(finding.explanation)}.", ""]
    header = ("measured", "found", "needed", "spread", "seeds", "runs", "")
    return lines + _rows(header, [cells(part) for part in finding.parts])


def cells(part: Part) -> tuple[str, ...]:
    """Return a measurement as the cells of a table: what, found, needed, spread, seeds, runs, status and note."""
    status = part.note if part.status == "reported" else part.status
    return part.what, part.value, part.needed, part.spread, str(part.seeds or ""), str(part.runs or ""), status


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]], *, raw: Sequence[int] = ()) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    for row in rows:
        found = [text if index in raw else _cell(text) for index, text in enumerate(row)]
        lines.append("| " + " | ".join(found) + " |")
    return [*lines, ""]


def _cell(text: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("|", r"\|").replace("*", r"\*")


def to_json(every: Sequence[Judged]) -> str:
    """Return the claims on all data sets as JSON.

    Args:
        every: What the runs say, one for each data set.
    """
    found: list[dict[str, Any]] = [
        {
            "data": judged.data,
            "runs": judged.runs,
            "seeds": judged.seeds,
            "claims": [finding.as_dict() for finding in judged.findings],
        }
        for judged in every
    ]
    return json.dumps(found, indent=2, allow_nan=False, ensure_ascii=False)

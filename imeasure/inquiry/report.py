"""The ledger worked out: what the software finds for each statement, as data, as text and as a documentation page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from imeasure.catalogue import objectives
from imeasure.inquiry.numbers import NumericalEntry, numerical
from imeasure.inquiry.paper import LEDGER_EQUIVALENCES, LEDGER_OBJECTIVES, LedgerEntry, ledger
from imeasure.printing import to_text
from imeasure.rewriting import equivalent, simplify


def relation_row(entry: LedgerEntry) -> dict[str, Any]:
    """Return a statement of the ledger with what the software finds.

    Args:
        entry: The statement.

    Returns:
        Its verdicts with and without the model, its proof or the evidence against it, and corrections.
    """
    verdict, without = entry.verdict(), entry.verdict(without_model=True)
    row: dict[str, Any] = {
        "label": entry.label,
        "statement": entry.statement,
        "verdict": verdict.status,
        "without the model": without.status,
        "remark": entry.remark,
    }
    if verdict.certificate is not None:
        verdict.certificate.verify()
        row["proof"] = verdict.certificate.explain()
    if verdict.refutation is not None:
        row["counterexample"] = str(verdict.counterexample)
        row["corrections"] = [str(other) for other in entry.corrections()]
    return row


def objective_row(name: str) -> dict[str, Any]:
    """Return an objective of the paper with its canonical form.

    Args:
        name: Its name in the catalogue.

    Returns:
        Its form and the alternatives, verified, and the derivation.
    """
    entry = objectives[name]
    form = simplify(entry.objective(), model=entry.model(), loss=entry.loss)
    form.verify()
    return {
        "label": name,
        "statement": entry.statement,
        "form": str(form),
        "scale": to_text(form.scale),
        "constant": to_text(form.constant),
        "alternatives": list(map(str, form.alternatives)),
        "derivation": str(form.derivation),
    }


def equivalence_row(first: str, second: str, solve_for: str) -> dict[str, Any]:
    """Return how two objectives of the paper are related.

    Args:
        first: A name in the catalogue.
        second: Another one.
        solve_for: The parameter to be expressed by the others.

    Returns:
        The answer.
    """
    found = equivalent(objectives[first].objective(), objectives[second].objective(), solve_for=solve_for)
    return {"label": f"{first} and {second}", "solve for": solve_for, "holds": found.holds, "answer": str(found)}


def number_row(entry: NumericalEntry) -> dict[str, Any]:
    """Return a statement that is checked in numbers with what was computed.

    Args:
        entry: The statement.

    Returns:
        Whether it holds, the evidence, and what is wrong in the paper's version.
    """
    found = entry.check()
    return {
        "label": entry.label,
        "statement": entry.statement,
        "verdict": "holds in numbers" if found.holds else "fails in numbers",
        "evidence": found.evidence,
        "erratum": found.erratum,
    }


def ledger_rows() -> dict[str, list[dict[str, Any]]]:
    """Work out the whole ledger.

    Returns:
        The rows of its parts: relations, objectives, equivalences and numbers.
    """
    return {
        "relations": list(map(relation_row, ledger)),
        "objectives": list(map(objective_row, LEDGER_OBJECTIVES)),
        "equivalences": [equivalence_row(*pair) for pair in LEDGER_EQUIVALENCES],
        "numbers": list(map(number_row, numerical)),
    }


def ledger_text(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Return the ledger as plain text, a line or two for each statement.

    Args:
        rows: What :func:`ledger_rows` returns.

    Returns:
        The lines.
    """
    width = max(len(row["statement"]) for row in rows["relations"])
    label = max(len(row["label"]) for part in rows.values() for row in part) + 1
    lines = []
    for row in rows["relations"]:
        fixed = f"   true: {'; '.join(row['corrections'])}" if row.get("corrections") else ""
        lines.append(f"{row['label']:{label}} {row['statement']:{width}}   {row['verdict']}{fixed}")
    lines += [
        "",
        *(f"{row['label']:{label}} {row['statement']}\n{'':{label}} {row['form']}" for row in rows["objectives"]),
    ]
    lines += ["", *(f"{row['label']:{label}} {row['answer']}" for row in rows["equivalences"]), ""]
    for row in rows["numbers"]:
        lines.append(f"{row['label']:{label}} {row['statement']}: {row['verdict']}; {row['evidence']}")
        lines += [f"{'':{label}} {row['erratum']}"] if row["erratum"] else []
    return "\n".join(lines)


def ledger_page(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Return the ledger as a page of the documentation.

    Args:
        rows: What :func:`ledger_rows` returns.

    Returns:
        Markdown.
    """
    lines = [
        "# The paper's statements, checked",
        "",
        "Generated by `imeasure ledger --markdown`. The statements are those of Kirsch, Lyle and Gal, *Unpacking",
        "Information Bottlenecks* (2020); the model is `Y -> X -> Z`. Natural logarithms throughout.",
        "",
        "## Identities and inequalities",
        "",
        *_table(
            ("where", "statement", "in the model", "for any variables", "remark"),
            (
                (r["label"], _code(r["statement"]), r["verdict"], r["without the model"], r["remark"])
                for r in rows["relations"]
            ),
        ),
        "",
        "## Objectives",
        "",
        *_table(
            ("name", "objective", "canonical form", "also"),
            (
                (r["label"], _code(r["statement"]), _code(r["form"]), "; ".join(map(_code, r["alternatives"])))
                for r in rows["objectives"]
            ),
        ),
        "",
        "Objectives that have the same minimisers, and one pair that has not:",
        "",
        *_table(("objectives", "answer"), ((r["label"], _code(r["answer"])) for r in rows["equivalences"])),
        "",
        "## Statements about densities and gradients",
        "",
        "No relation of entropies says these; each is computed on seeded instances, in nats.",
        "",
        *_table(
            ("where", "statement", "verdict", "evidence", "what the paper has"),
            ((r["label"], _code(r["statement"]), r["verdict"], r["evidence"], r["erratum"]) for r in rows["numbers"]),
        ),
        *_details(rows),
    ]
    return "\n".join(lines) + "\n"


def _details(rows: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    yield from ("", "## Proofs and counterexamples")
    for row in rows["relations"]:
        yield from ("", f"### {row['label']}: `{row['statement']}`", "")
        if "proof" in row:
            yield from ("```text", row["proof"], "```")
        if "counterexample" in row:
            yield from ("Refuted by the distribution", "", "```text", row["counterexample"], "```")
        if row.get("corrections"):
            yield from ("", "True instead: " + ", ".join(f"`{text}`" for text in row["corrections"]) + ".")
    yield from ("", "## Derivations")
    for row in rows["objectives"]:
        yield from ("", f"### {row['label']}", "", "```text", row["derivation"], "```")


def _code(text: str) -> str:
    return f"`{text}`"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield "|---" * len(header) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"

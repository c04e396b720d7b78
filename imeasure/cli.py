"""The command ``imeasure``: canonical forms, proofs and the catalogue from a terminal.

Exit status 0 means proved or done, 1 refuted or undecided, 2 bad input.
"""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from imeasure.catalogue import objectives as catalogue
from imeasure.command_line import CommandLine, model_from_options, model_options, print_json
from imeasure.diagram_cli import diagram_command, measure_command
from imeasure.printing import to_text
from imeasure.prove_cli import COMMANDS as PROVER
from imeasure.rewriting import simplify as canonical_form


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="imeasure")
def main() -> None:
    """Information objectives: canonical forms, exact proofs, and the catalogue of the literature."""


@main.command()
@click.argument("objective")
@click.option("--loss", default="H[Y|Z]", show_default=True, help="The loss term.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@model_options
def simplify(objective: str, loss: str, as_json: bool, **options: Any) -> None:
    """Rewrite OBJECTIVE to a loss plus a weight times a regularizer."""
    form = canonical_form(objective, model=model_from_options(options.pop("graph"), **options), loss=loss)
    if as_json:
        print_json(form.to_dict())
        return
    click.echo(form)
    click.echo(f"\n{form.derivation}\n")
    click.echo(f"objective = ({form.scale}) * (canonical form) + constant, constant {to_text(form.constant)}")
    for other in form.alternatives:
        click.echo(f"also: {other}")
    click.echo(f"model: {form.model}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def objectives(as_json: bool) -> None:
    """List the objectives of the literature with their canonical forms."""
    rows = [(entry, canonical_form(entry.objective())) for entry in catalogue.values()]
    if as_json:
        print_json(
            [
                {
                    "name": entry.name,
                    "title": entry.title,
                    "statement": entry.statement,
                    "ranges": dict(entry.ranges),
                    "reference": entry.reference,
                    "form": str(form),
                }
                for entry, form in rows
            ]
        )
        return
    table = Table("Name", "Objective", "Canonical form", "Reference", show_lines=True)
    for entry, form in rows:
        table.add_row(*(str(cell).replace("[", r"\[") for cell in (entry.name, entry.statement, form, entry.reference)))
    Console().print(table)


for command in (*PROVER, diagram_command, measure_command):
    main.add_command(command)

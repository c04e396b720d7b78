"""The commands ``simplify``, ``equivalent`` and ``objectives``, for the command line to register.

They read options, call :mod:`imeasure.rewriting` and print; names of the catalogue stand for its objectives.
"""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from imeasure.catalogue import CatalogueEntry, named, objectives as catalogue, setting
from imeasure.command_line import example, model_from_options, model_options, names_option, print_json
from imeasure.errors import ConfigError
from imeasure.exchange import model_data
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.printing import to_text
from imeasure.rewriting import CanonicalForm, equivalent, shortest, simplify
from imeasure.statements import Objective
from imeasure.vocabulary import Names


@click.command("simplify", epilog=example("imeasure simplify 'min I[X;Z] - beta*I[Y;Z]'"))
@click.argument("statement")
@names_option
@click.option("--loss", help="The loss term of an objective, H[Y|Z] by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@model_options
def simplify_command(statement: str, names: Names, loss: str | None, as_json: bool, **options: Any) -> None:
    """Rewrite STATEMENT: an objective to loss + weight * regularizer, an expression to the shortest equal one.

    A name of the catalogue, such as IB, brings its own graph and loss, unless --model and --loss say others.
    """
    if (known := named(statement)) is not None:
        options = _with_graph_of(options, known)
        statement, loss = known.statement, loss or known.loss
    graph = options.pop("graph")
    if isinstance(parse(statement), Objective):
        _show_form(simplify(statement, model=model_from_options(graph, **options), loss=loss), as_json, names)
        return
    if loss is not None:
        raise ConfigError("--loss is for objectives; write 'min' before the expression, or leave the option out")
    model = model_from_options(graph, **options) if graph else Model(assume=options["given"])
    found = shortest(statement, model=model)
    if as_json:
        print_json({"expression": to_text(found.expression), "proved": found.proved, "model": model_data(model)})
        return
    click.echo(to_text(found.expression, names=names))
    click.echo("proved shortest" if found.proved else "shorter ones are not excluded")
    if found.expression.free_symbols:
        click.echo("(for the canonical form of an objective write 'min' or 'max' before it)")


def _with_graph_of(options: dict[str, Any], *entries: CatalogueEntry | None) -> dict[str, Any]:
    """Return the options of a model, those of the entries' own graph where none is given."""
    own = setting(*entries) if options["graph"] is None else None
    return options if own is None else options | {"graph": own.graph, "fixed": options["fixed"] or ",".join(own.fixed)}


def _show_form(form: CanonicalForm, as_json: bool, names: Names) -> None:
    if as_json:
        print_json(form.to_dict())
        return
    click.echo(form.to_text(names=names))
    click.echo(f"\n{form.derivation.to_text(names=names)}\n")
    constant = to_text(form.constant, names=names)
    click.echo(f"objective = ({form.scale}) * (canonical form) + constant, constant {constant}")
    for other in form.alternatives:
        click.echo(f"also: {other.to_text(names=names)}")
    click.echo(f"model: {form.model}")


@click.command("equivalent", epilog=example("imeasure equivalent IB VIB --solve-for beta"))
@click.argument("first")
@click.argument("second")
@names_option
@click.option("--solve-for", default="", metavar="NAMES", help="Parameters of SECOND to express by the others.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@model_options
def equivalent_command(first: str, second: str, names: Names, solve_for: str, as_json: bool, **options: Any) -> None:
    """Say whether FIRST and SECOND, objectives or names of the catalogue, have the same minimisers.

    A name of the catalogue brings its own graph, unless --model says another.
    """
    options = _with_graph_of(options, named(first), named(second))
    graph = options.pop("graph")
    found = equivalent(first, second, model=model_from_options(graph, **options), solve_for=solve_for)
    if as_json:
        print_json(found.to_dict())
    else:
        click.echo(found.to_text(names=names))
    raise SystemExit(0 if found else 1)


@click.command("objectives", epilog=example("imeasure objectives --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def objectives_command(as_json: bool) -> None:
    """List the objectives of the literature with their canonical forms."""
    rows = [(entry, simplify(entry.objective(), model=entry.model(), loss=entry.loss)) for entry in catalogue.values()]
    if as_json:
        print_json(
            [
                {
                    "name": entry.name,
                    "title": entry.title,
                    "statement": entry.statement,
                    "ranges": dict(entry.ranges),
                    "graph": entry.graph,
                    "loss": entry.loss,
                    "reference": entry.reference,
                    "form": str(form),
                }
                for entry, form in rows
            ]
        )
        return
    headers = ("Name", "Objective", "Canonical form", "Reference")
    table = Table(*(Column(header, overflow="fold") for header in headers), show_lines=True)
    for entry, form in rows:
        table.add_row(*(str(cell).replace("[", r"\[") for cell in (entry.name, entry.statement, form, entry.reference)))
    Console().print(table)


COMMANDS = (simplify_command, equivalent_command, objectives_command)
"""The commands, for a group to register."""

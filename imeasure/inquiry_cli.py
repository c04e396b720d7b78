"""The commands ``bounds``, ``conditions``, ``ledger`` and ``glossary``, for the command line to register.

Exit status 0 says that something was found, 1 that nothing was, 2 bad input.
"""

from __future__ import annotations

from typing import Any

import click

from imeasure.command_line import example, model_from_options, model_options, names_option, print_json
from imeasure.errors import UnknownVariableError, unknown
from imeasure.inquiry import Bound, bounds, conditions, hints
from imeasure.inquiry.report import ledger_page, ledger_rows, ledger_text
from imeasure.model import Model
from imeasure.printing import to_text
from imeasure.vocabulary import Names
from imeasure.words import glossary

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("bounds", epilog=example("imeasure bounds 'H[Z|Y]'"))
@click.argument("quantity")
@names_option
@_JSON
@model_options
def bounds_command(quantity: str, names: Names, as_json: bool, **options: Any) -> None:
    """List the proved bounds of QUANTITY, such as 'H[Z|Y]', the tightest first."""
    found = bounds(quantity, model=model_from_options(options.pop("graph"), **options))

    def texts(side: tuple[Bound, ...]) -> list[str]:
        return [to_text(bound.quantity) for bound in side]

    if as_json:
        print_json({"quantity": quantity, "lower": texts(found.lower), "upper": texts(found.upper)})
    else:
        click.echo(found.to_text(names=names))


@click.command("conditions", epilog=example("imeasure conditions 'I[X;Z|Y] <= I[X;Z]'"))
@click.argument("relation")
@click.option("--model", "graph", metavar="GRAPH", help="A graph such as 'Y -> X -> Z'.")
@click.option("--given", multiple=True, metavar="FACT", help="A fact: relation, Markov chain or independence.")
@_JSON
def conditions_command(relation: str, graph: str | None, given: tuple[str, ...], as_json: bool) -> None:
    """Say which additional facts would make RELATION true, and which true relations are near."""
    model = Model(graph) if graph else None
    found = [[str(fact) for fact in facts] for facts in conditions(relation, model=model, given=given)]
    near = [] if found == [[]] else [str(other) for other in hints(relation, model=model, given=given)]
    if as_json:
        print_json({"relation": relation, "conditions": found, "nearest": near})
    elif found == [[]]:
        click.echo("true as it is")
    else:
        for facts in found:
            click.echo(f"true given {' and '.join(facts)}")
        for other in near:
            click.echo(f"true without more: {other}")
        if not found and not near:
            click.echo("nothing was found that makes it true")
    raise SystemExit(0 if found or near else 1)


@click.command("ledger", epilog=example("imeasure ledger --markdown"))
@_JSON
@click.option("--markdown", is_flag=True, help="Print the page of the documentation.")
def ledger_command(as_json: bool, markdown: bool) -> None:
    """Decide every statement of the paper anew, with proofs, counterexamples, forms and numbers."""
    rows = ledger_rows()
    if as_json:
        print_json(rows)
    elif markdown:
        click.echo(ledger_page(rows), nl=False)
    else:
        click.echo(ledger_text(rows))


@click.command("glossary", epilog=example("imeasure glossary 'decoder uncertainty'"))
@click.argument("word", required=False)
@_JSON
def glossary_command(word: str | None, as_json: bool) -> None:
    """List the words for quantities, or translate WORD: a name or a quantity."""
    if word is not None:
        found = glossary.get(word)
        if found is None:
            raise UnknownVariableError(unknown("word", word, glossary))
        if as_json:
            print_json({word: found})
        else:
            click.echo(found)
        return
    if as_json:
        print_json(dict(glossary))
        return
    for name, quantity in glossary.items():
        click.echo(f"{name:32} {quantity}")


COMMANDS = (bounds_command, conditions_command, ledger_command, glossary_command)
"""The commands, for a group to register."""

"""The commands ``imeasure diagram`` and ``imeasure measure``: a picture or a table of the signed measure.

Click commands without a program around them; :mod:`imeasure.cli` adds them to its group.
"""

from pathlib import Path
from typing import Any

import click

from imeasure.command_line import print_json
from imeasure.distribution import Distribution
from imeasure.errors import ConfigError
from imeasure.measure import as_expression
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.printing import to_text
from imeasure.rewriting import CanonicalForm, simplify
from imeasure.statements import Objective

_UNIT = click.option("--unit", type=click.Choice(["nats", "bits"]), default="nats", show_default=True)
_IN_BITS = 1.4426950408889634


@click.command("diagram")
@click.argument("what")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="SVG, PNG or PDF.")
@click.option("--model", "graph", metavar="GRAPH", help="Draw WHAT under a graph such as 'Y -> X -> Z'.")
@click.option(
    "--values", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV file: a distribution."
)
@click.option("--highlight", metavar="EXPRESSION", help="Shade the atoms of an expression or objective.")
@click.option(
    "--names", type=click.Choice(["symbols", "words", "values", "none"]), default="symbols", show_default=True
)
@click.option("--kind", type=click.Choice(["auto", "sets", "bars"]), default="auto", show_default=True)
@click.option("--canonical", is_flag=True, help="Draw the objective WHAT beside its canonical form.")
@_UNIT
def diagram_command(
    what: str,
    out: Path,
    graph: str | None,
    values: Path | None,
    highlight: str | None,
    names: Any,
    kind: Any,
    canonical: bool,
    unit: Any,
) -> None:
    """Draw an I-diagram of WHAT: names ('X Y Z'), a graph ('Y -> X -> Z'), an expression or an objective."""
    from imeasure.diagrams import diagram  # noqa: PLC0415 - matplotlib takes longer to load than the other commands run

    shown: Any = what
    model = Model(graph) if graph else None
    if canonical:
        if values or highlight or kind == "bars":
            raise ConfigError("--canonical shows coefficients alone; leave out --values, --highlight and --kind bars")
        data = [name for name in ("X", "Y") if model and name in model.variables]
        shown = simplify(what, model=Model(graph, fixed=data) if graph else None)
        if not isinstance(shown, CanonicalForm):
            raise ConfigError(f"--canonical needs an objective such as 'min I[X;Z] - beta*I[Y;Z]', not '{what}'")
        model = None
    if out.suffix.lower() not in {".svg", ".png", ".pdf"}:
        raise ConfigError(f"cannot write {out.suffix or 'a file without suffix'}; name the file .svg, .png or .pdf")
    table = Distribution.read(values) if values else None
    drawn = diagram(shown, model=model, values=table, highlight=highlight, names=names, kind=kind, unit=unit)
    drawn.save(out)
    click.echo(str(out))


@click.command("measure")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("expressions", nargs=-1)
@_UNIT
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def measure_command(table: Path, expressions: tuple[str, ...], unit: str, as_json: bool) -> None:
    """Evaluate EXPRESSIONS, or every atom, on the distribution in the CSV file TABLE.

    One column per variable and a column p of probabilities; without p, every row is a sample.
    """
    distribution = Distribution.read(table)
    factor = _IN_BITS if unit == "bits" else 1.0
    if expressions:
        numbers = {_name(text): distribution.value(text) * factor for text in expressions}
    else:
        numbers = {to_text(quantity): value * factor for quantity, value in distribution.measure().items()}
    if as_json:
        print_json({"unit": unit, "values": numbers})
        return
    width = max(map(len, numbers))
    for name, value in numbers.items():
        click.echo(f"{name:{width}}  {0.0 if abs(value) < 1e-12 else value: .6f}")


def _name(text: str) -> str:
    statement = parse(text)
    if isinstance(statement, Objective):
        raise ConfigError(f"'{text}' is an objective; give the expression that has a value")
    return to_text(as_expression(statement))


COMMANDS = (diagram_command, measure_command)

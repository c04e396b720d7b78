"""The command ``imeasure diagram``: a picture of the signed measure.

A click command without a program around it; :mod:`imeasure.cli` adds it to its group.
"""

from pathlib import Path
from typing import Any

import click

from imeasure.command_line import example
from imeasure.distribution import Distribution
from imeasure.errors import ConfigError
from imeasure.model import Model
from imeasure.rewriting import CanonicalForm, simplify

_UNIT = click.option("--unit", type=click.Choice(["nats", "bits"]), default="nats", show_default=True)


@click.command("diagram", epilog=example("imeasure diagram 'Y -> X -> Z' --out diagram.svg"))
@click.argument("what")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="SVG, PNG or PDF.")
@click.option(
    "--model",
    "graph",
    metavar="GRAPH",
    help="The graph under which an expression WHAT is drawn, such as 'Y -> X -> Z'.",
)
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
    # matplotlib takes longer to load than the other commands run
    from imeasure.diagrams import diagram  # noqa: PLC0415
    from imeasure.diagrams.result import writable  # noqa: PLC0415

    writable(out)
    if values is None and (names == "values" or unit != "nats"):
        raise ConfigError(f"{'--names values' if names == 'values' else '--unit ' + unit} needs numbers; give --values")
    if graph and not canonical and "[" not in what and "(" not in what:
        raise ConfigError(f"--model is the model of an expression or objective, and '{what}' is none; leave it out")
    shown: Any = what
    model = Model(graph) if graph else None
    if canonical:
        if values or highlight or kind != "auto":
            raise ConfigError("--canonical shows coefficients alone; leave out --values, --highlight and --kind")
        data = [name for name in ("X", "Y") if model and name in model.variables]
        shown = simplify(what, model=Model(graph, fixed=data) if graph else None)
        if not isinstance(shown, CanonicalForm):
            raise ConfigError(f"--canonical needs an objective such as 'min I[X;Z] - beta*I[Y;Z]', not '{what}'")
        model = None
    table = Distribution.read(values) if values else None
    drawn = diagram(shown, model=model, values=table, highlight=highlight, names=names, kind=kind, unit=unit)
    drawn.save(out)
    click.echo(str(out))


COMMANDS = (diagram_command,)
"""The commands, for a group to register."""

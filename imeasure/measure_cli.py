"""The command ``imeasure measure``: the values of expressions, or of every atom, on a table of probabilities.

A click command without a program around it; :mod:`imeasure.cli` adds it to its group.
"""

import math
from fractions import Fraction
from pathlib import Path

import click
import sympy

from imeasure.command_line import example, print_json
from imeasure.distribution import Distribution
from imeasure.errors import ConfigError, UnknownVariableError, unknown
from imeasure.names import canonical_name
from imeasure.numerals import read_number
from imeasure.parser import parse
from imeasure.printing import to_text
from imeasure.quantities import Functional
from imeasure.statements import Objective
from imeasure.terms import as_expression, variables_of

_TABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ROUNDING = 1e-12


@click.command("measure", epilog=example("imeasure measure table.csv 'I[X;Y]' --unit bits"))
@click.argument("table", type=_TABLE)
@click.argument("expressions", nargs=-1)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter's value; repeatable.")
@click.option("--against", type=_TABLE, help="CSV file: the distribution q that CE and KL compare with.")
@click.option("--normalize", is_flag=True, help="Divide the probabilities by their sum.")
@click.option("--probability", metavar="COLUMN", help="The column of probabilities, if not p, prob, pmf or count.")
@click.option("--names", metavar="NAMES", help="Variables of a file without a header, such as 'X Y'.")
@click.option("--unit", type=click.Choice(["nats", "bits"]), default="nats", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def measure_command(
    table: Path,
    expressions: tuple[str, ...],
    settings: tuple[str, ...],
    against: Path | None,
    *,
    normalize: bool,
    probability: str | None,
    names: str | None,
    unit: str,
    as_json: bool,
) -> None:
    """Evaluate EXPRESSIONS, or every atom, on the distribution in the CSV file TABLE.

    One column per variable and a column p of probabilities; without p, every row is a sample.
    """
    parsed = [_expression(text) for text in expressions]
    wanted = variables_of(sympy.Add(*parsed, evaluate=False)) or None

    def read(path: Path) -> Distribution:
        return Distribution.read(path, names, probability=probability, normalize=normalize, variables=wanted)

    distribution, other = read(table), read(against) if against else None
    parameters = _parameters(settings)
    if parsed:
        numbers = _values(distribution, parsed, parameters, other)
    elif parameters or other:
        raise ConfigError("--set and --against are for expressions; give some, such as 'CE[Y|Z]', or leave them out")
    else:
        numbers = {to_text(quantity): value for quantity, value in distribution.measure().items()}
    scale = math.log(2) if unit == "bits" else 1.0
    numbers = {name: value / scale for name, value in numbers.items()}
    if as_json:
        print_json({"unit": unit, "values": {k: v if math.isfinite(v) else str(v) for k, v in numbers.items()}})
        return
    width = max(map(len, numbers))
    for name, value in numbers.items():
        click.echo(f"{name:{width}}  {0.0 if abs(value) < _ROUNDING else value: .6f}")


def _values(
    distribution: Distribution,
    expressions: list[sympy.Expr],
    parameters: dict[str, Fraction],
    against: Distribution | None,
) -> dict[str, float]:
    """Each expression's value, given those parameters and that comparison which it asks for."""
    used = {symbol.name for expression in expressions for symbol in expression.free_symbols}
    if unused := [name for name in parameters if name not in used]:
        raise UnknownVariableError(unknown("parameter", unused[0], sorted(used)))
    if missing := sorted(used - set(parameters)):
        raise UnknownVariableError(f"parameter {missing[0]} has no value; give one: --set {missing[0]}=2")
    if against and not any(expression.has(Functional) for expression in expressions):
        raise ConfigError("--against is for CE and KL, and no expression has them; leave it out")
    return {
        to_text(expression): distribution.value(
            expression.subs({symbol: parameters[symbol.name] for symbol in expression.free_symbols}),
            against=against if expression.has(Functional) else None,
        )
        for expression in expressions
    }


def _parameters(settings: tuple[str, ...]) -> dict[str, Fraction]:
    """Values by name, from texts such as ``beta=2``."""
    named = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            named[canonical_name(name.strip())] = read_number(value)
        except (ValueError, ZeroDivisionError):
            raise ConfigError(f"--set {setting} gives no number; write for example --set beta=2") from None
    if len(named) < len(settings):
        raise ConfigError("--set gives a parameter two values; give each once")
    return named


def _expression(text: str) -> sympy.Expr:
    if not text.strip():
        raise ConfigError("an expression is empty; give one such as 'I[X;Y]', or none at all for every atom")
    statement = parse(text)
    if isinstance(statement, Objective):
        raise ConfigError(f"'{text}' is an objective; give the expression that has a value")
    return as_expression(statement)


COMMANDS = (measure_command,)
"""The commands, for a group to register."""

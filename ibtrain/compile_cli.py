"""The command `ibtrain compile`, and the table of what compiles for which latent.

It reads options, calls the compiler and prints; it holds no rule of its own.
"""

from __future__ import annotations

import json
import re
import warnings

import click
import sympy

import ibtrain
import imeasure
from ibtrain.errors import ConfigError, InformationError, UnsoundLossError
from imeasure.command_line import example
from imeasure.errors import unknown


@click.command("compile", epilog=example("ibtrain compile IB --surrogates 'LogVar[Z|Y]'"))
@click.argument("objective", required=False)
@click.option("--latent", default="noisy", show_default=True, help="Kind of latent, such as gaussian or categorical.")
@click.option("--surrogates", default="", metavar="NAMES", help="Surrogates to use, separated by commas or blanks.")
@click.option("--guarantee", type=click.Choice(["require", "warn"]), default="require", show_default=True)
@click.option("--dimensions", type=click.IntRange(1), help="Dimensions K of the latent, for surrogates that learn.")
@click.option("--classes", type=click.IntRange(1), help="Classes C, for surrogates that learn.")
@click.option("--source", "is_source", is_flag=True, help="Print a stand-alone PyTorch function.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, the certificate included.")
@click.option("--table", "is_table", is_flag=True, help="Print what compiles for which latent, as Markdown.")
def compile_command(
    objective: str | None,
    latent: str,
    surrogates: str,
    guarantee: str,
    dimensions: int | None,
    classes: int | None,
    is_source: bool,
    is_json: bool,
    is_table: bool,
) -> None:
    """Turn OBJECTIVE, text or a name of imeasure's catalogue, into a loss with a proof that it is a bound."""
    if is_table == (objective is not None):
        raise click.UsageError("give an objective such as 'min I[X;Z] - beta*I[Y;Z]', or --table alone")
    if is_source and is_json:
        raise click.UsageError("--source and --json exclude each other: give one of them")
    if objective is None:
        click.echo(table())
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loss = ibtrain.compile(
            _form(objective),
            latent=latent,
            surrogates=_named(surrogates),
            guarantee="warn" if guarantee == "warn" else "require",
            dimensions=dimensions,
            classes=classes,
        )
    for warning in caught:
        click.echo(f"warning: {warning.message}", err=True)
    click.echo(loss.source() if is_source else _data(loss) if is_json else f"{loss.plan.form}\n\n{loss.plan}")


def _form(objective: str) -> imeasure.CanonicalForm | str:
    entry = imeasure.objectives.get(objective)
    if entry is None:
        if re.fullmatch(r"[\w-]+", objective):
            raise ConfigError(unknown("objective", objective, imeasure.objectives))
        return objective
    model = entry.model()
    ranges = {name: _interval(text) for name, text in entry.ranges.items()}
    ranged = imeasure.Model(model.digraph(), fixed=model.fixed, kinds=dict(model.kinds), ranges=ranges)
    return imeasure.simplify(entry.objective(), model=ranged, loss=entry.loss)


def _interval(text: str) -> sympy.Set:
    """Return the values that the catalogue allows, written as `beta > 1`, `0 < beta < 1` or `0 <= a <= 1`."""
    parts = text.split()
    if len(parts) == 3:
        return sympy.Interval(imeasure.parse(parts[2]), sympy.oo, parts[1] == ">")
    return sympy.Interval(imeasure.parse(parts[0]), imeasure.parse(parts[4]), parts[1] == "<", parts[3] == "<")


def _named(text: str) -> list[str]:
    """Split at commas and blanks outside of brackets."""
    names, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if depth == 0 and letter in ", ":
            names.append("")
        else:
            names[-1] += letter
    return [name for name in names if name]


def _data(loss: ibtrain.Loss) -> str:
    plan = loss.plan
    data = {
        "objective": str(plan.form.objective),
        "form": str(plan.form),
        "latent": plan.kind,
        "loss": plan.formula,
        "latex": plan.latex,
        "parameters": list(loss.parameter_names),
        "weight": {"name": loss.weight_name, "value": str(plan.weight)},
        "terms": [
            {
                "surrogate": term.surrogate.name,
                "coefficient": str(term.coefficient),
                "bounds": list(term.quantities),
                "axiom": term.surrogate.axiom,
                "formula": term.surrogate.formula,
                "reference": term.surrogate.reference,
            }
            for term in plan.terms
        ],
        "replaced by 0": list(plan.floors),
        "guarantee": None if loss.guarantee is None else json.loads(loss.guarantee.to_json()),
        "doubt": plan.doubt,
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def table() -> str:
    """Return what compiles for which latent, and what is refused and why, as a page of Markdown.

    Example:
        >>> print(table().splitlines()[0])
        # Losses: what compiles for which latent
    """
    kinds, reasons = ibtrain.surrogates.KINDS, list[str]()
    lines = [
        "# Losses: what compiles for which latent",
        "",
        "Printed by `ibtrain compile --table`. Every loss is proved to bound its objective up to constants, over all",
        "`gamma >= 0` and the catalogue's ranges of the other parameters. A cell shows the loss that is chosen where",
        "no surrogates are named. The target of `CE[A|B]` is A as classes. Numbers refer to the reasons below.",
        "",
        "| objective | " + " | ".join(kinds) + " |",
        "|---|" + "---|" * len(kinds),
    ]
    for name, entry in imeasure.objectives.items():
        form = _form(name)
        cells = [_cell(form, kind, reasons) for kind in kinds]
        statement = entry.statement.replace("|", "\\|")
        lines.append(f"| {name}: `{statement}` | {' | '.join(cells)} |")
    lines += ["", "## Refused", ""]
    lines += [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
    lines += [
        "",
        "## Surrogates",
        "",
        "| name | axiom | latents | formula | by default | source |",
        "|---|---|---|---|---|---|",
    ]
    for one in ibtrain.surrogates.SURROGATES.values():
        default = "yes" if one.is_default else "by name"
        latents = "all" if one.latents == kinds else ", ".join(one.latents)
        cells = [f"`{one.name}`", f"`{one.axiom}`", latents, f"`{one.formula}`", default, one.reference]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _cell(form: imeasure.CanonicalForm | str, kind: str, reasons: list[str]) -> str:
    try:
        return f"`{ibtrain.compile(form, latent=kind).plan.formula}`".replace("|", "\\|")
    except InformationError as error:
        reason = f"{error.missing}; {error.remedy}" if isinstance(error, UnsoundLossError) else str(error)
        if reason not in reasons:
            reasons.append(reason)
        return f"refused ({reasons.index(reason) + 1})"

"""Commands of the prover: ``check``, ``range`` and ``verify``, for the command line to register.

Exit status 0 says proved, 1 refuted or undecided, 2 bad input (message on standard error).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import sympy
from click.core import ParameterSource

from imeasure.certificate import Certificate
from imeasure.command_line import model_from_options, model_options, print_json
from imeasure.distribution import Distribution
from imeasure.errors import InformationError
from imeasure.inquiry import hints
from imeasure.measure import as_expression
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.prove import UniformMixture, Verdict, check as check_relation, prove_range
from imeasure.statements import Relation

Ranges = tuple[tuple[str, str, str], ...]


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a question: the model's, ranges of parameters, functionals, time, and JSON."""
    for option in (
        click.option("--seconds", type=float, default=60.0, show_default=True, help="Time limit."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--functional", "functionals", multiple=True, metavar="NAME", help="Declare a functional."),
        click.option("--range", "ranges", multiple=True, nargs=3, metavar="NAME LOW HIGH", help="An open interval."),
        model_options,
    ):
        command = option(command)
    return command


def _model(graph: str | None, ranges: Ranges, **options: Any) -> Model | None:
    """Return the model that the options describe, or None where none of them was used."""
    context = click.get_current_context()
    used = [name for name in options if context.get_parameter_source(name) is not ParameterSource.DEFAULT]
    found = model_from_options(graph, given=(), **options) if graph is not None or used else None
    if not ranges:
        return found
    known = Model() if found is None else found
    return Model(
        known.digraph() if known.nodes else None,
        fixed=(*known.fixed, *known.constants),
        assume=known.assumptions,
        kinds=dict(known.kinds),
        ranges={name: (_end(low), _end(high)) for name, low, high in ranges},
    )


def _end(text: str) -> sympy.Expr:
    infinite = {"oo": sympy.oo, "-oo": -sympy.oo}
    return infinite[text] if text in infinite else as_expression(text)


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as data that JSON can hold.

    Args:
        verdict: The verdict.

    Returns:
        A dictionary.
    """
    data: dict[str, Any] = {
        "status": verdict.status,
        "claim": verdict.claim,
        "given": list(verdict.problem.given),
        "model": None if verdict.problem.model is None else str(verdict.problem.model),
    }
    if verdict.certificate is not None:
        data["certificate"] = json.loads(verdict.certificate.to_json())
    if verdict.refutation is not None and verdict.counterexample is not None:
        data["counterexample"] = {
            **_distribution_data(verdict.counterexample),
            "left": verdict.refutation.left,
            "right": verdict.refutation.right,
            "parameters": {name: str(value) for name, value in verdict.refutation.parameters.items()},
            "functionals": dict(verdict.refutation.functionals),
            "decoders": {name: _distribution_data(q) for name, q in verdict.decoders.items()},
            "facts_hold": "exactly" if verdict.refutation.exact else "to 1e-12",
        }
    if verdict.reason:
        data["reason"] = verdict.reason
    if verdict.polymatroid is not None:
        data["polymatroid"] = {name: str(value) for name, value in verdict.polymatroid.items()}
    return data


def _distribution_data(found: Distribution | UniformMixture) -> dict[str, Any]:
    widths = {"log_widths": dict(found.log_widths)} if isinstance(found, UniformMixture) else {}
    table = found.table if isinstance(found, UniformMixture) else found
    return {"names": list(table.names), "rows": [[*map(str, row)] for row in table.rows()], **widths}


def _has_hints(verdict: Verdict) -> bool:
    read = parse(verdict.claim, functionals=verdict.problem.functionals)
    return verdict.status == "refuted" and isinstance(read, Relation)


@click.command("check")
@click.argument("relation")
@_common
@click.option("--certificate", type=click.Path(dir_okay=False), metavar="FILE", help="Write the proof to a file.")
@click.option("--explain", is_flag=True, help="Print the proof.")
@click.option("--non-shannon", is_flag=True, help="Use Zhang-Yeung inequalities too.")
@click.option("--numerical/--no-numerical", default=True, help="Search for counterexamples by descent as well.")
def check_command(
    relation: str,
    graph: str | None,
    given: tuple[str, ...],
    ranges: Ranges,
    functionals: tuple[str, ...],
    as_json: bool,
    seconds: float,
    certificate: str | None,
    explain: bool,
    non_shannon: bool,
    numerical: bool,
    **options: Any,
) -> None:
    """Prove or refute RELATION, such as 'I[X;Z] <= I[X;Y]'.

    Nothing is known of the variables but what the options say; --latent, --encoder and --weights without --model mean
    the built-in model of supervised learning.
    """
    verdict = check_relation(
        relation,
        model=_model(graph, ranges, **options),
        given=given,
        functionals=functionals,
        non_shannon=non_shannon,
        numerical=numerical,
        seconds=seconds,
    )
    near = [str(other) for other in hints(verdict, seconds=min(seconds, 5.0))] if _has_hints(verdict) else []
    if as_json:
        print_json(verdict_data(verdict) | ({"true_instead": near} if near else {}))
    else:
        click.echo("\n".join([str(verdict), *(f"true instead: {other}" for other in near)]))
    if verdict.certificate is not None:
        if certificate is not None:
            verdict.certificate.to_json(Path(certificate))
        if explain and not as_json:
            click.echo(verdict.certificate.explain())
    raise SystemExit(0 if verdict else 1)


@click.command("range")
@click.argument("relation")
@click.argument("parameter")
@_common
@click.option("--certificate", type=click.Path(dir_okay=False), metavar="FILE", help="Write the proof of one end.")
@click.option("--end", type=click.Choice(["lower", "upper"]), default="upper", show_default=True, help="Which end.")
def range_command(
    relation: str,
    parameter: str,
    graph: str | None,
    given: tuple[str, ...],
    ranges: Ranges,
    functionals: tuple[str, ...],
    as_json: bool,
    seconds: float,
    certificate: str | None,
    end: str,
    **options: Any,
) -> None:
    """Print the values of PARAMETER for which RELATION is provable, such as 'I[X;Z] >= beta*I[Y;Z]' beta.

    Nothing is known of the variables but what the options say; --latent, --encoder and --weights without --model mean
    the built-in model of supervised learning.
    """
    model = _model(graph, ranges, **options)
    proof = prove_range(relation, parameter, model=model, given=given, functionals=functionals, seconds=seconds)
    if as_json:
        proofs = [json.loads(found.to_json()) for found in proof.certificates]
        print_json({"parameter": parameter, "values": str(proof.values), "certificates": proofs})
    else:
        click.echo(f"provable for {parameter} in {proof.values}")
    if certificate is not None and proof.certificates:
        proof.certificates[0 if end == "lower" else -1].to_json(Path(certificate))
    raise SystemExit(0 if proof.certificates else 1)


@click.command("verify")
@click.argument("file", type=click.Path(dir_okay=False))
def verify_command(file: str) -> None:
    """Check the certificate in FILE by exact addition, without any search."""
    certificate = Certificate.from_json(Path(file))
    try:
        certificate.verify()
    except InformationError as error:
        click.echo(f"the certificate does not hold: {error}", err=True)
        raise SystemExit(1) from None
    click.echo(f"verified: {certificate.claim}")


COMMANDS = (check_command, range_command, verify_command)
"""The commands, for a group to register."""

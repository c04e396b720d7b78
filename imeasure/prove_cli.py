"""Commands of the prover: ``check``, ``range`` and ``verify``, for the command line to register.

Exit status 0 says proved, 1 refuted or undecided, or provable for no value, 2 bad input (message on standard error).
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
from imeasure.certificate.problem import read_problem
from imeasure.command_line import example, model_from_options, model_options, print_json
from imeasure.distribution import Distribution
from imeasure.errors import ConfigError, InformationError, UnknownVariableError, unknown
from imeasure.files import require_writable
from imeasure.inquiry import hints
from imeasure.model import Model
from imeasure.names import canonical_name
from imeasure.parser import parse
from imeasure.prove import UniformMixture, Verdict, check as check_relation, prove_range
from imeasure.prove.ranges import parameters
from imeasure.statements import Relation
from imeasure.terms import as_expression

Ranges = tuple[tuple[str, str, str], ...]
HINTED = 16
"""Most variables of a refuted relation near which true ones are looked for."""


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a question: the model's, ranges of parameters, functionals, time, and JSON."""
    for option in (
        click.option("--seconds", type=float, default=60.0, show_default=True, help="Time limit."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option(
            "--functional", "functionals", multiple=True, metavar="NAME", help="Declare a functional; repeatable."
        ),
        click.option(
            "--range",
            "ranges",
            multiple=True,
            nargs=3,
            metavar="NAME LOW HIGH",
            help="A parameter's open interval; repeatable; ends are numbers, -oo or oo.",
        ),
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
        ranges={name: (_end(name, low), _end(name, high)) for name, low, high in ranges},
    )


def _end(name: str, text: str) -> sympy.Expr:
    infinite = {"oo": sympy.oo, "inf": sympy.oo, "-oo": -sympy.oo, "-inf": -sympy.oo}
    if text.strip() in infinite:
        return infinite[text.strip()]
    try:
        value = as_expression(text)
    except InformationError:
        value = None
    if value is None or not value.is_Rational:
        raise ConfigError(f"--range {name}: '{text}' is no number; write one such as 1/2 or 0.5, or oo, or -oo")
    return value


def _require_parameters(relation: str, functionals: tuple[str, ...], ranges: Ranges) -> None:
    """Refuse ranges of what is no parameter of the relation."""
    known = parameters(read_problem(relation, functionals=functionals)) if ranges else []
    for name, _, _ in ranges:
        if canonical_name(name) not in known:
            raise UnknownVariableError(f"--range {name}: {unknown('parameter', name, known)}")


def _write(certificate: Certificate | None, path: str | None, reason: str) -> None:
    """Write a certificate to a file, or say why there is none."""
    if path is None:
        return
    if certificate is None:
        click.echo(f"no certificate was written to {path}: {reason}", err=True)
        return
    certificate.to_json(Path(path))


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
    if len(verdict.problem.variables) > HINTED:
        return False
    read = parse(verdict.claim, functionals=verdict.problem.functionals)
    return verdict.status == "refuted" and isinstance(read, Relation)


@click.command(
    "check", epilog=example("imeasure check 'I[X;Z] <= I[X;Y]' --model 'X -> Y -> Z' --certificate proof.json")
)
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
    if certificate is not None:
        require_writable(certificate)
    _require_parameters(relation, functionals, ranges)
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
        click.echo("\n".join([verdict.to_text(tips=False), *(f"true instead: {other}" for other in near)]))
        if verdict.certificate is not None:
            click.echo(verdict.certificate.explain() if explain else "(--explain prints the proof)")
    _write(verdict.certificate, certificate, f"the relation is {verdict.status}")
    raise SystemExit(0 if verdict else 1)


@click.command("range", epilog=example("imeasure range 'I[X;Z] >= beta*I[Y;Z]' beta --model 'Y -> X -> Z'"))
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
    if certificate is not None:
        require_writable(certificate)
    _require_parameters(relation, functionals, ranges)
    model = _model(graph, ranges, **options)
    proof = prove_range(relation, parameter, model=model, given=given, functionals=functionals, seconds=seconds)
    if as_json:
        proofs = [json.loads(found.to_json()) for found in proof.certificates]
        print_json({"parameter": parameter, "values": str(proof.values), "certificates": proofs})
    else:
        click.echo(f"provable for {parameter} in {proof.values}")
    chosen = proof.certificates[0 if end == "lower" else -1] if proof.certificates else None
    _write(chosen, certificate, f"the relation is provable for no {parameter}")
    raise SystemExit(1 if proof.values is sympy.S.EmptySet else 0)


@click.command("verify", epilog=example("imeasure verify proof.json"))
@click.argument("file", type=click.Path(dir_okay=False))
def verify_command(file: str) -> None:
    """Check the certificate in FILE by exact addition, without any search."""
    certificate = Certificate.from_json(Path(file))
    try:
        certificate.verify()
    except InformationError as error:
        click.echo(f"the certificate does not hold: {error}", err=True)
        raise SystemExit(1) from None
    model = certificate.problem.model
    lines = [f"verified: {certificate.claim}"]
    lines += [f"given {'; '.join(certificate.given)}"] if certificate.given else []
    lines += [f"in the model {model}"] if model is not None else []
    click.echo("\n".join(lines))


COMMANDS = (check_command, range_command, verify_command)
"""The commands, for a group to register."""

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

from imeasure.certificate import Certificate
from imeasure.errors import InformationError
from imeasure.measure import as_expression
from imeasure.model import Model
from imeasure.prove import Verdict, check as check_relation, prove_range


def _guarded(run: Callable[[], int]) -> None:
    try:
        status = run()
    except InformationError as error:
        click.echo(f"error: {error}", err=True)
        status = 2
    raise SystemExit(status)


def _common(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--functional", "functionals", multiple=True, metavar="NAME", help="Declare a functional."),
        click.option("--given", multiple=True, metavar="FACT", help="A fact: relation, Markov chain or independence."),
        click.option("--model", metavar="GRAPH", help="A graph such as 'Y -> X -> Z'."),
    ):
        command = option(command)
    return command


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
            "names": list(verdict.counterexample.names),
            "rows": [[*map(str, row)] for row in verdict.counterexample.rows()],
            "left": verdict.refutation.left,
            "right": verdict.refutation.right,
            "parameters": {name: str(value) for name, value in verdict.refutation.parameters.items()},
            "facts_hold": "exactly" if verdict.refutation.exact else "to 1e-12",
        }
    if verdict.reason:
        data["reason"] = verdict.reason
    if verdict.polymatroid is not None:
        data["polymatroid"] = {name: str(value) for name, value in verdict.polymatroid.items()}
    return data


@click.command("check")
@click.argument("relation")
@_common
@click.option("--range", "ranges", multiple=True, nargs=3, metavar="NAME LOW HIGH", help="A parameter's open interval.")
@click.option("--certificate", type=click.Path(dir_okay=False), metavar="FILE", help="Write the proof to a file.")
@click.option("--explain", is_flag=True, help="Print the proof.")
@click.option("--non-shannon", is_flag=True, help="Use Zhang-Yeung inequalities too.")
@click.option("--seconds", type=float, default=60.0, show_default=True, help="Time limit.")
def check_command(
    relation: str,
    model: str | None,
    given: tuple[str, ...],
    functionals: tuple[str, ...],
    as_json: bool,
    ranges: tuple[tuple[str, str, str], ...],
    certificate: str | None,
    explain: bool,
    non_shannon: bool,
    seconds: float,
) -> None:
    """Prove or refute RELATION, such as 'I[X;Z] <= I[X;Y]'."""

    def run() -> int:
        known = Model(model, ranges={name: (_end(low), _end(high)) for name, low, high in ranges}) if ranges else model
        verdict = check_relation(
            relation, model=known, given=given, functionals=functionals, non_shannon=non_shannon, seconds=seconds
        )
        click.echo(json.dumps(verdict_data(verdict), indent=1, ensure_ascii=False) if as_json else str(verdict))
        if verdict.certificate is not None:
            if certificate is not None:
                verdict.certificate.to_json(Path(certificate))
            if explain and not as_json:
                click.echo(verdict.certificate.explain())
        return 0 if verdict else 1

    _guarded(run)


@click.command("range")
@click.argument("relation")
@click.argument("parameter")
@_common
@click.option("--certificate", type=click.Path(dir_okay=False), metavar="FILE", help="Write the proof of one end.")
@click.option("--end", type=click.Choice(["lower", "upper"]), default="upper", show_default=True, help="Which end.")
def range_command(
    relation: str,
    parameter: str,
    model: str | None,
    given: tuple[str, ...],
    functionals: tuple[str, ...],
    as_json: bool,
    certificate: str | None,
    end: str,
) -> None:
    """Print the values of PARAMETER for which RELATION is provable, such as 'I[X;Z] >= beta*I[Y;Z]' beta."""

    def run() -> int:
        proof = prove_range(relation, parameter, model=model, given=given, functionals=functionals)
        if as_json:
            proofs = [json.loads(found.to_json()) for found in proof.certificates]
            data = {"parameter": parameter, "values": str(proof.values), "certificates": proofs}
            click.echo(json.dumps(data, indent=1, ensure_ascii=False))
        else:
            click.echo(f"provable for {parameter} in {proof.values}")
        if certificate is not None and proof.certificates:
            proof.certificates[0 if end == "lower" else -1].to_json(Path(certificate))
        return 0 if proof.certificates else 1

    _guarded(run)


@click.command("verify")
@click.argument("file", type=click.Path(dir_okay=False))
def verify_command(file: str) -> None:
    """Check the certificate in FILE by exact addition, without any search."""

    def run() -> int:
        certificate = Certificate.from_json(Path(file))
        try:
            certificate.verify()
        except InformationError as error:
            click.echo(f"the certificate does not hold: {error}", err=True)
            return 1
        click.echo(f"verified: {certificate.claim}")
        return 0

    _guarded(run)


COMMANDS = (check_command, range_command, verify_command)
"""The commands, for a group to register."""

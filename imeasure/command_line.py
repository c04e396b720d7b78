"""What all commands of both packages share: exit statuses, the options that describe a model, and JSON output."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import click

from imeasure.errors import ConfigError, InformationError
from imeasure.model import Model, supervised

BAD_INPUT = 2
"""Exit status after bad input."""
_KEYWORD = re.compile(r"(?<![-\w.])(?P<name>[a-z]\w*)=(?P<value>'[^']*'|\w*)")


class CommandLine(click.Group):
    """A group of commands in which an :class:`InformationError` ends with its message and exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except InformationError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            click.echo(f"error: {in_options(str(error), command.params if command else ())}", err=True)
            ctx.exit(BAD_INPUT)


def in_options(message: str, parameters: Iterable[click.Parameter]) -> str:
    """Return a message with Python's keyword arguments written as the options of a command.

    Args:
        message: Of an error.
        parameters: The command's.

    Returns:
        The message; keywords that are no option of the command stay as they are.

    Example:
        >>> options = [click.Option(["--normalize"], is_flag=True), click.Option(["--against"])]
        >>> in_options("pass normalize=True; give q as against=q, or seed=1", options)
        'pass --normalize; give q as --against q, or seed=1'
    """
    known = {
        name.removeprefix("--").replace("-", "_"): name
        for parameter in parameters
        if isinstance(parameter, click.Option)
        for name in parameter.opts
    }

    def option(match: re.Match[str]) -> str:
        if match["name"] not in known:
            return match[0]
        return " ".join(filter(None, [known[match["name"]], match["value"].removeprefix("True")]))

    return _KEYWORD.sub(option, message)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that describe a model to a command.

    Args:
        command: A function that takes ``graph``, ``fixed``, ``latent``, ``encoder``, ``weights`` and ``given``.

    Returns:
        The function with the options added.
    """
    options = (
        click.option(
            "--model", "graph", metavar="GRAPH", help="A directed acyclic graph such as 'Y -> X -> Z; W -> Z'."
        ),
        click.option(
            "--fixed", metavar="NAMES", help="Variables whose joint law is data; by default those of X,Y there."
        ),
        click.option("--latent", type=click.Choice(["discrete", "continuous", "noisy"]), default="discrete"),
        click.option("--encoder", type=click.Choice(["stochastic", "deterministic"]), default="stochastic"),
        click.option("--weights", is_flag=True, help="Network weights W are a random variable too."),
        click.option(
            "--given", multiple=True, metavar="FACT", help="A relation, Markov chain or independence; repeatable."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def model_from_options(
    graph: str | None, *, fixed: str | None, latent: Any, encoder: Any, weights: bool, given: tuple[str, ...]
) -> Model:
    """Return the model that :func:`model_options` describe.

    Args:
        graph: A graph as text, or None for the paper's model of supervised learning.
        fixed: Names of variables whose joint law is data.
        latent: Kind of the latent Z.
        encoder: ``"stochastic"`` or ``"deterministic"``.
        weights: Whether weights W are a variable.
        given: Further facts.

    Returns:
        The model.

    Raises:
        InformationError: If an option does not describe a model.
    """
    if graph is None:
        if fixed:
            raise ConfigError("--fixed describes the variables of --model; give both, or neither")
        model = supervised(latent, encoder, weights=weights)
    else:
        if encoder != "stochastic" or weights:
            raise ConfigError(
                "--encoder and --weights describe the built-in model; with --model say --given 'H[Z|X] = 0'"
            )
        nodes = Model(graph).variables
        names = fixed.split(",") if fixed else [name for name in ("X", "Y") if name in nodes]
        model = Model(graph, fixed=names, kinds={"Z": latent} if "Z" in nodes else {})
    return model.assuming(given) if given else model


names_option = click.option(
    "--names", type=click.Choice(["symbols", "words"]), default="symbols", help="Spell quantities of X, Y, Z in words."
)
"""The option that asks for quantities in words."""


def print_json(data: Any) -> None:
    """Print data as indented JSON.

    Args:
        data: Plain data.
    """
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))

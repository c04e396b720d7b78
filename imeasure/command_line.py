"""What all commands of both packages share: how they end, the options that describe a model, and JSON output.

However a program ends, it says so in one line on standard error and by its exit status, never by a traceback.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TextIO

import click

from imeasure.errors import ConfigError, InformationError
from imeasure.learning import supervised
from imeasure.model import Model

BAD_INPUT = 2
"""Exit status after bad input."""
STOPPED = 130
"""Exit status of a command that was stopped by ctrl-C."""
CLOSED = 141
"""Exit status of a command whose output nobody reads any more, as in ``imeasure objectives | head -1``."""
_KEYWORD = re.compile(
    r"\w\([^()]*\)|(?<![-\w.])(?:(?P<name>[a-z]\w*)=(?P<value>'[^']*'|[-+]?\w+(?:\.\w+)*|)|(?P<alone>[a-z]+(?:_[a-z]+)+))(?!\w)"
)


class CommandLine(click.Group):
    """A group of commands whose errors end with one message and an exit status.

    Bad input, files that cannot be read or written and missing libraries end with :data:`BAD_INPUT`, ctrl-C with
    :data:`STOPPED`, and a reader that closes the pipe with :data:`CLOSED`.

    Args:
        extra: The extra of this distribution that installs what the commands need.
        arguments: As of :class:`click.Group`.
    """

    def __init__(self, *arguments: Any, extra: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.extra = extra

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the program.

        Args:
            arguments: As of :meth:`click.Group.main`.
            options: As of :meth:`click.Group.main`.
        """
        _let_any_letter_be_printed()
        try:
            status = self._run(*arguments, **options)
        except (click.Abort, KeyboardInterrupt):
            _say("stopped")
            status = STOPPED
        except BrokenPipeError:
            _discard(sys.stdout)
            status = CLOSED
        except click.exceptions.NoArgsIsHelpError as error:
            _say(error.format_message())
            status = BAD_INPUT
        except (click.ClickException, OSError, MemoryError, ModuleNotFoundError) as error:
            _say(f"error: {self._said(error)}")
            if isinstance(error, OSError):
                _discard(sys.stdout)
            status = BAD_INPUT
        sys.exit(status if isinstance(status, int) else 0)

    def _run(self, *arguments: Any, **options: Any) -> Any:
        """Return how a command ended, after all that it printed has been written."""
        streams = sys.stdout, sys.stderr
        try:
            status = super().main(*arguments, **options | {"standalone_mode": False})
        except SystemExit as stop:
            # Where nobody reads any more, click changes the streams and ends the program, and rich ends it too.
            if sys.stdout is not streams[0] or isinstance(stop.__context__, BrokenPipeError):
                sys.stdout, sys.stderr = streams
                raise BrokenPipeError from None
            status = stop.code
        if sys.stdout is not None:
            sys.stdout.flush()
        return status

    def _said(self, error: BaseException) -> str:
        if isinstance(error, click.ClickException):
            context = getattr(error, "ctx", None)
            tip = f"; see '{context.command_path} --help'" if context else ""
            return " ".join(error.format_message().split()).removesuffix(".") + tip
        if isinstance(error, MemoryError):
            return "this takes more memory than there is; ask for something smaller"
        if isinstance(error, ModuleNotFoundError):
            if (error.name or "").partition(".")[0] in ("", "imeasure", "ibtrain"):
                raise error
            return f"{error.name} is not installed; install what is needed: pip install 'imeasure[{self.extra}]'"
        if isinstance(error, OSError) and error.filename is None and error.strerror:
            return f"cannot write the output: {printable(error.strerror)}"
        return printable(str(error))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _warn
                return super().invoke(ctx)
        except InformationError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            said = in_options(printable(str(error)), command.params if command else ())
            _say(f"error: {said}")
            ctx.exit(BAD_INPUT)


def _say(message: str) -> None:
    """Write a message to standard error; where that cannot be written, the exit status alone says it."""
    try:
        click.echo(message, err=True)
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO | None) -> None:
    """Let nothing that is still buffered fail once more when the interpreter ends."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _let_any_letter_be_printed() -> None:
    """Let letters that the terminal's encoding lacks be written as numbers instead of ending the program."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def printable(message: str) -> str:
    r"""Return a message with all but letters and ends of lines escaped, so that no text controls a terminal.

    Args:
        message: Of an error, with texts from anywhere in it.

    Returns:
        The message.

    Example:
        >>> printable("unknown \x1b[31mvariable β")
        'unknown \\x1b[31mvariable β'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in message)


def example(*commands: str) -> str:
    """Return what the help of a command shows below its options: how it is used.

    Args:
        commands: Commands as they are typed.

    Returns:
        The epilog of a command.

    Example:
        >>> example("imeasure glossary").split()[1:]
        ['Example:', 'imeasure', 'glossary']
    """
    return "\b\nExample:\n" + "\n".join(f"  {command}" for command in commands)


def _warn(message: Warning | str, category: type[Warning], *_where: Any, **_options: Any) -> None:
    """Show a warning without the code that gave it, and none that only the authors of a library can act on."""
    if not issubclass(category, DeprecationWarning | PendingDeprecationWarning):
        _say(f"warning: {message}")


def in_options(message: str, parameters: Iterable[click.Parameter]) -> str:
    """Return a message with Python's keyword arguments written as the options of a command.

    Args:
        message: Of an error.
        parameters: The command's.

    Returns:
        The message; keywords that are no option of the command, and calls in Python, stay as they are.

    Example:
        >>> options = [click.Option([name]) for name in ("--normalize", "--against", "--as-is")]
        >>> in_options("pass normalize=True; give q as against='q', or seed=1, and no as_is", options)
        'pass --normalize; give q as --against q, or seed=1, and no --as-is'
        >>> in_options("as in compare(p, against='q')", options)
        "as in compare(p, against='q')"
    """
    known = {
        name.removeprefix("--").replace("-", "_"): name
        for parameter in parameters
        if isinstance(parameter, click.Option)
        for name in parameter.opts
    }

    def option(match: re.Match[str]) -> str:
        name = match["name"] or match["alone"]
        if name not in known:
            return match[0]
        return " ".join(filter(None, [known[name], re.sub(r"^(?:True|'(\S*)')$", r"\1", match["value"] or "")]))

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

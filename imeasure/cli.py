"""The command ``imeasure``: canonical forms, proofs and the catalogue from a terminal.

Exit status 0 means proved or done, 1 refuted or undecided, 2 bad input.
"""

from __future__ import annotations

import click

from imeasure.command_line import CommandLine
from imeasure.diagram_cli import COMMANDS as DIAGRAMS
from imeasure.inquiry_cli import COMMANDS as INQUIRY
from imeasure.measure_cli import COMMANDS as MEASURE
from imeasure.prove_cli import COMMANDS as PROVER
from imeasure.rewriting_cli import COMMANDS as REWRITING


@click.group(cls=CommandLine, extra="plots", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="imeasure")
def main() -> None:
    """Information objectives: canonical forms, exact proofs, and the catalogue of the literature."""


for command in (*REWRITING, *INQUIRY, *PROVER, *DIAGRAMS, *MEASURE):
    main.add_command(command)

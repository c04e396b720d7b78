"""What several commands of `ibtrain` share: where data lie, where and how to train, what is said after ctrl-C."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from ibtrain.errors import ConfigError
from imeasure.command_line import STOPPED

data_option = click.option(
    "--data",
    "data_root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder of the data sets.",
)
"""The option that says where the data sets are."""

download_option = click.option("--download", is_flag=True, help="Fetch data that are missing.")
"""The option that allows to fetch data."""

accelerator_option = click.option(
    "--accelerator", default="auto", show_default=True, help="Where to train: auto, cpu or cuda."
)
"""The option that says on what to train."""

workers_option = click.option("--workers", type=click.IntRange(1), default=None, help="Processes on this machine.")
"""The option that trains in several processes."""


def _shard(_: click.Context, __: click.Parameter, text: str) -> tuple[int, int]:
    index, _slash, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise ConfigError(f"--shard needs I/N with I from 1 to N, for example 1/4, not {text!r}")
    return int(index), int(count)


shard_option = click.option(
    "--shard",
    metavar="I/N",
    default="1/1",
    show_default=True,
    callback=_shard,
    help="Train every N-th run from the I-th on.",
)
"""The option that trains a part of the runs."""


def stopped(finished: int, runs: int, results: Path) -> NoReturn:
    """Say what a sweep that ctrl-C has stopped leaves behind, and end the program.

    Args:
        finished: How many of its runs are finished.
        runs: How many it has.
        results: Table of those that are.
    """
    where = f", their results are in {results}" if finished else ""
    click.echo(
        f"stopped: {finished} of {runs} runs are finished{where}; the same command goes on from the last checkpoints",
        err=True,
    )
    sys.exit(STOPPED)

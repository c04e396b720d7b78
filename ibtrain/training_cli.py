"""The commands `ibtrain train` and `ibtrain sweep`."""

import re
from pathlib import Path
from typing import Any

import click
from rich.console import Console

import ibtrain
from ibtrain.command_line import (
    accelerator_option,
    data_option,
    download_option,
    shard_option,
    stopped,
    workers_option,
)
from ibtrain.errors import ConfigError
from imeasure.command_line import example


def _common(command: Any) -> Any:
    options = (
        click.argument("config", type=click.Path(path_type=Path)),
        click.option(
            "--set", "options", multiple=True, metavar="KEY=VALUE", help="Replace a value, e.g. training.epochs=5."
        ),
        click.option(
            "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"), show_default=True
        ),
        accelerator_option,
        data_option,
        download_option,
        click.option("--tensorboard", is_flag=True, help="Write curves for TensorBoard, live, to OUT/tensorboard."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(epilog=example("ibtrain train config.toml --set training.epochs=5"))
@_common
def train(config: Path, options: tuple[str, ...], out: Path, **how: Any) -> None:
    """Train the run that CONFIG, a TOML file, describes; a finished run is not trained again, a stopped one goes on."""
    settings = ibtrain.Config.load(config).with_options(options)
    _sweep((settings,), out, out / "runs" / settings.digest / "results.csv", **how)


@click.command(epilog=example("ibtrain sweep config.toml --vary objective.gamma=0.01,0.1 --vary seed=0,1"))
@_common
@click.option(
    "--vary",
    "varied",
    multiple=True,
    metavar="KEY=V1,V2,...",
    help="Values of one key, e.g. objective.gamma=0.001,0.01,0.1; several options make every combination.",
)
@shard_option
@workers_option
@click.option(
    "--together", is_flag=True, help="Train small networks in groups, stacked, where a measurement says that it pays."
)
@click.option(
    "--ray", "on_ray", is_flag=True, help="Train on Ray: on this machine, or on the cluster of --ray-address."
)
@click.option("--ray-address", default=None, help="Address of a Ray cluster.")
@click.option("--gpus", type=float, default=0.0, show_default=True, help="Share of a GPU for each run on Ray.")
def sweep(
    config: Path,
    options: tuple[str, ...],
    out: Path,
    varied: tuple[str, ...],
    shard: tuple[int, int],
    workers: int | None,
    together: bool,
    on_ray: bool,
    ray_address: str | None,
    gpus: float,
    **how: Any,
) -> None:
    """Train every combination of the varied values; finished runs are skipped, stopped ones go on."""
    base = ibtrain.Config.load(config).with_options(options)
    configs = ibtrain.sweeps.grid(base, dict(_values(text) for text in varied))
    if bool(workers) + together + bool(on_ray or ray_address) > 1:
        raise ConfigError("a sweep runs in workers, together or on Ray: leave out --workers, --together or --ray")
    if gpus and not (on_ray or ray_address):
        raise ConfigError("--gpus is the share of a GPU for a run on Ray: add --ray")
    executor: Any = ibtrain.executors.InProcess()
    if workers:
        executor = ibtrain.executors.Workers(workers)
    elif together:
        executor = ibtrain.executors.Together()
    elif on_ray or ray_address:
        executor = ibtrain.executors.OnRay(ray_address, gpus=gpus)
    _sweep(configs, out, out / "results.csv", shard=shard, executor=executor, **how)


def _values(text: str) -> tuple[str, list[str]]:
    key, equals, values = text.partition("=")
    parts = [part.strip() for part in re.split(r",(?![^\[]*\])", values)]  # but not within a list
    if not equals or not all(parts):
        raise ConfigError(f"--vary {text!r} needs a key and values: write, for example, objective.gamma=0.001,0.01")
    return key.strip(), parts


def _sweep(configs: Any, out: Path, results: Path, **options: Any) -> None:
    console = Console()
    try:
        rows = ibtrain.sweep(configs, out, console=console, **options)
    except KeyboardInterrupt:
        stopped(sum(map(ibtrain.runs.Runs(out / "runs").is_finished, configs)), len(configs), results)
    if ibtrain.training.is_first_process():
        console.print(ibtrain.report.summary(rows), crop=False)
        for line in ibtrain.training.broken_lines(rows):
            click.echo(line)
        click.echo(f"results {results}")

"""The command `ibtrain reproduce`: the paper's figures, from training to the picture."""

from pathlib import Path

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


@click.command(epilog=example("ibtrain reproduce fig6 --preset digits-fast"))
@click.argument("figure", metavar="fig1|fig3|fig4|fig5|fig6|all")
@click.option("--preset", default="digits", show_default=True, help="digits, digits-fast, mnist, cifar10 or paper.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs/reproduce"), show_default=True
)
@click.option(
    "--set", "options", multiple=True, metavar="KEY=VALUE", help="Replace a value, e.g. training.epochs=5; say so."
)
@workers_option
@shard_option
@accelerator_option
@data_option
@download_option
def reproduce(
    figure: str,
    preset: str,
    out: Path,
    options: tuple[str, ...],
    workers: int | None,
    shard: tuple[int, int],
    accelerator: str,
    data_root: Path,
    download: bool,
) -> None:
    """Make a figure of the paper, or all that a preset has: train, measure, draw."""
    if preset not in ibtrain.experiments.PRESETS:
        raise ConfigError(f"there is no preset {preset!r}: choose {', '.join(ibtrain.experiments.PRESETS)}")
    chosen = ibtrain.experiments.PRESETS[preset]
    experiments = [experiment.with_options(options) for experiment in chosen.of(figure)]
    folder = out / preset
    runs = ibtrain.runs.Runs(folder / "runs")
    wanted = {config.digest: config for experiment in experiments for config in experiment.configs()}
    todo = [config for config in wanted.values() if not runs.is_finished(config)]
    ibtrain.training.check(todo, accelerator=accelerator, data_root=data_root, download=download)
    epochs = sum(config.training.epochs for config in todo)
    click.echo(f"preset {preset}: {chosen.about}")
    for experiment in experiments:
        about = ibtrain.experiments.FIGURES[ibtrain.experiments.figure_of(experiment)]
        count = ibtrain.runs.in_words(len(experiment.configs()))
        click.echo(f"  {experiment.name}: {about}, {count} on {experiment.base.data.name}")
    click.echo(f"{len(todo)} of {len(wanted)} different runs are to be trained, {epochs} epochs; results in {folder}")
    failures = []
    try:
        for experiment in experiments:
            try:
                rows = ibtrain.reproduce.reproduce(
                    experiment,
                    folder,
                    accelerator=accelerator,
                    data_root=data_root,
                    download=download,
                    shard=shard,
                    executor=ibtrain.executors.Workers(workers) if workers else None,
                    console=Console(),
                )
            except ConfigError as error:
                failures.append(f"{experiment.name}: {error}")
                continue
            _tell(experiment, rows, folder)
    except KeyboardInterrupt:
        stopped(sum(map(runs.is_finished, wanted.values())), len(wanted), folder / "results.csv")
    if failures:
        raise ConfigError("\n".join(failures))


def _tell(experiment: "ibtrain.experiments.Experiment", rows: "tuple[ibtrain.runs.Row, ...]", folder: Path) -> None:
    if not ibtrain.training.is_first_process():
        return
    total, finished = len(experiment.configs()), len({row.run for row in rows})
    if not finished:
        click.echo(f"{experiment.name}: no run is finished yet")
        return
    picture = folder / experiment.name / f"{experiment.name}.png"
    state = (
        ibtrain.runs.in_words(finished)
        if finished == total
        else f"{finished} of {total} runs, the others are not finished"
    )
    click.echo(f"{experiment.name}: {state}; picture {picture}, numbers {picture.with_name('results.csv')}")

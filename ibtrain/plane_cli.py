"""The command `ibtrain plane`: information planes of any runs, drawn again from their results."""

from pathlib import Path

import click

import ibtrain
from imeasure.command_line import example


@click.command(epilog=example("ibtrain plane runs/ --out plane.png"))
@click.argument("folders", nargs=-1, required=True, metavar="RUNS...", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("plane.png"), show_default=True)
@click.option("--trajectories", is_flag=True, help="Draw the way over epochs instead of the end.")
@click.option("--estimator", default=None, help="Only one estimator: mixture, knn or exact.")
@click.option("--title", default="Information plane", show_default=True)
def plane(folders: tuple[Path, ...], out: Path, trajectories: bool, estimator: str | None, title: str) -> None:
    """Draw the information plane of the runs in folders that `reproduce`, `sweep` or `train` filled."""
    records = ibtrain.records.collect(folders)
    draw = ibtrain.drawing.draw_trajectories if trajectories else ibtrain.drawing.draw_plane
    draw(ibtrain.records.rows_of(records), out, title=title, estimator=estimator)
    click.echo(f"picture {out}, {ibtrain.runs.in_words(len(records))}")

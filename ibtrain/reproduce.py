"""Make a figure of the paper: train what is missing, write the table, say how it was made, draw.

Experiments of one preset share their runs in `OUT/runs`, so a run that two figures need is trained once. Each has a
folder `OUT/<experiment>` with `results.csv`, `config.toml`, `sweep.toml` and the picture.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console

from ibtrain import drawing
from ibtrain.config import DataConfig
from ibtrain.errors import ConfigError
from ibtrain.executors import Executor
from ibtrain.experiments import FIGURES, Experiment, figure_of
from ibtrain.runs import Row, Runs, results_lock, write_rows
from ibtrain.sweeps import sweep
from ibtrain.training import is_first_process, load_data
from imeasure.errors import shown

_DRAW: dict[str, Callable[..., None]] = {
    "fig1": drawing.draw_trajectories,
    "fig3": drawing.draw_cross_entropies,
    "fig4": drawing.draw_scaling,
    "fig5": drawing.draw_entropies,
    "fig6": drawing.draw_plane,
}


def reproduce(
    experiment: Experiment,
    out: str | Path,
    *,
    accelerator: str = "auto",
    data_root: str | Path = "data",
    download: bool = False,
    shard: tuple[int, int] = (1, 1),
    executor: Executor | None = None,
    console: Console | None = None,
) -> tuple[Row, ...]:
    """Train the runs of an experiment that are not finished, and write its table and its picture from all that are.

    Args:
        experiment: One of a preset's.
        out: Folder of the preset.
        accelerator: Where to train, in Lightning's words.
        data_root: Folder of the data sets that do not ship with scikit-learn.
        download: Whether to fetch data that are missing.
        shard: `(i, n)`: train every n-th run from the i-th on.
        executor: Who trains.
        console: Where to show progress.

    Returns:
        The rows of the finished runs.

    Raises:
        ConfigError: If the experiment is of no figure or cannot be run, or a file cannot be written; after the others
            have been trained and drawn, if runs failed.

    Example:
        >>> import tempfile
        >>> from ibtrain.experiments import PRESETS
        >>> (experiment,) = PRESETS["digits-fast"].of("fig6")
        >>> short = experiment.with_options(["training.epochs=1", "plane.samples=50", "data.samples=60"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     rows = reproduce(short, folder)
        ...     sorted(path.name for path in (Path(folder) / "fig6").iterdir())
        ['config.toml', 'fig6.png', 'fig6.svg', 'results.csv', 'sweep.toml']
    """
    if figure_of(experiment) not in _DRAW:
        raise ConfigError(
            f"{shown(experiment.name)} names no figure to draw: call it one of {', '.join(_DRAW)}, or give "
            "its configs() to ibtrain.sweep"
        )
    try:
        sweep(
            experiment.configs(),
            out,
            accelerator=accelerator,
            data_root=data_root,
            download=download,
            shard=shard,
            executor=executor,
            console=console,
        )
    except ConfigError:
        _draw_finished(experiment, Path(out), data_root)
        raise
    return _draw_finished(experiment, Path(out), data_root)


def _draw_finished(experiment: Experiment, out: Path, data_root: str | Path) -> tuple[Row, ...]:
    runs = Runs(out / "runs")
    if not is_first_process() or not any(map(runs.is_finished, experiment.configs())):
        return finished_rows(experiment, out)
    with results_lock(out):
        rows = finished_rows(experiment, out)
        write_figure(experiment, rows, out / experiment.name, note=_note(experiment, data_root))
    return rows


def finished_rows(experiment: Experiment, out: str | Path) -> tuple[Row, ...]:
    """Return the results of those runs of an experiment that are finished, in its order.

    Args:
        experiment: The experiment.
        out: Folder of the preset.
    """
    runs = Runs(Path(out) / "runs")
    finished = [config for config in experiment.configs() if runs.is_finished(config)]
    return tuple(row for config in finished for row in runs.rows(config.digest))


def write_figure(experiment: Experiment, rows: tuple[Row, ...], folder: Path, *, note: str = "") -> None:
    """Write an experiment, its table and its picture.

    Args:
        experiment: The experiment.
        rows: Its results.
        folder: Where the files go.
        note: What the picture has to say of the data.

    Raises:
        ConfigError: If there is nothing to draw, or a file cannot be written.
    """
    experiment.save(folder)
    write_rows(folder / "results.csv", rows)
    for kind in ("png", "svg"):
        draw_figure(experiment, rows, folder / f"{experiment.name}.{kind}", note=note)


def draw_figure(experiment: Experiment, rows: Iterable[Row], path: Path, *, note: str = "") -> None:
    """Draw the figure of an experiment.

    Args:
        experiment: The experiment.
        rows: Its results, or those of them that the figure shows.
        path: The file, PNG, SVG or PDF.
        note: What the picture has to say of the data.

    Raises:
        ConfigError: If there is nothing to draw, or the file cannot be written.
    """
    figure = figure_of(experiment)
    data = experiment.base.data.name + (f" ({note})" if note else "")
    draw: Any = _DRAW[figure]
    draw(rows, path, title=f"Figure {figure[3:]} on {data}: {FIGURES[figure]}")


def _note(experiment: Experiment, root: str | Path) -> str:
    """Return what a picture has to say of folders of images, which may have lost detail."""
    data: DataConfig = experiment.base.data
    return load_data(data, root=root).note if data.name == "images" else ""

"""Run many configurations one after the other, each once.

A sweep is nothing but independent runs in one folder: those that are finished are read, the others are trained, and the
table of all is renewed after each. So it can be stopped at any moment and called again. Everything that can be refused
is refused before anything is written.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ibtrain.config import Config
from ibtrain.runs import Row, Runs, write_rows
from ibtrain.training import Epoch, check, train


def sweep(
    configs: Sequence[Config], folder: str | Path, *, accelerator: str = "auto", console: Console | None = None
) -> tuple[Row, ...]:
    """Train every configuration that is not finished yet, and return the results of all.

    `folder/results.csv` holds the rows of all finished runs at any time: first those of `configs`, then those of
    earlier sweeps in the same folder. Each run has its own folder in `folder/runs`.

    Args:
        configs: What to run.
        folder: Where the results go.
        accelerator: Where to train, in Lightning's words.
        console: Where to show progress; nowhere by default.

    Returns:
        The rows of the runs of `configs`, in their order.

    Raises:
        ConfigError: If a configuration cannot be run (then nothing is written), a run fails, or results cannot be read
            or written. Finished runs stay.
        InformationError: If an objective cannot be read or has no canonical form; then nothing is written.

    Example:
        >>> import tempfile
        >>> config = Config().with_options(["training.epochs=1", "plane.samples=100"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     rows = sweep([config], folder)
        ...     rows == sweep([config], folder) or "not a number differs from itself"
        'not a number differs from itself'
    """
    root = Path(folder)
    runs = Runs(root / "runs")
    wanted = {config.digest: config for config in configs}
    done: dict[str, tuple[Row, ...]] = {}

    def renew() -> None:
        done.update({digest: runs.rows(digest) for digest in runs.finished() if digest not in done})
        write_rows(root / "results.csv", (row for digest in {**wanted, **done} for row in done.get(digest, ())))

    check([config for config in wanted.values() if not runs.is_finished(config)], accelerator=accelerator)
    renew()
    with _progress(console) as progress:
        whole = progress.add_task("sweep", total=len(wanted), completed=len(wanted.keys() & done), unit="runs", note="")
        run = progress.add_task("run", total=None, unit="epochs", note="")
        for config in wanted.values():
            if config.digest in done:
                continue
            objective = config.objective
            note = f"{objective.surrogate or 'tightest bound'}, gamma {objective.gamma:g}, seed {config.seed}"
            progress.update(whole, note=escape(note))
            progress.reset(run, total=config.training.epochs)
            trained = train(config, accelerator=accelerator, on_epoch=partial(_show, progress, run))
            runs.store(config, trained.rows, trained.documents)
            done[config.digest] = trained.rows
            renew()
            progress.update(whole, completed=len(wanted.keys() & done))
    return tuple(row for digest in wanted for row in done[digest])


def _progress(console: Console | None) -> Progress:
    return Progress(
        TextColumn("{task.description:5}"),
        BarColumn(bar_width=12),
        TextColumn("{task.completed}/{task.total} {task.fields[unit]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console or Console(),
        disable=console is None,
    )


def _show(progress: Progress, run: TaskID, epoch: Epoch) -> None:
    terms = "  ".join(f"{name} {value:.2f}" for name, value in epoch.terms.items())
    progress.update(run, advance=1, note=escape(f"test {epoch.test_accuracy:.0%}  {terms}"))

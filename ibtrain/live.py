"""What is seen of runs while they are trained: bars with the terms of the loss, and curves for TensorBoard.

Both are fed with the epochs of runs, whoever trains them. TensorBoard is an extra; its files lie beside the runs and
are read by nothing else.
"""

import types
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from ibtrain.config import Config
from ibtrain.errors import ConfigError
from ibtrain.training import Epoch


class _Count(ProgressColumn):
    """How many are done; nothing before the first run tells how many there are."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.completed:g}/{task.total:g} {task.fields['unit']}")


class LiveView:
    """Show a sweep while it goes on; a context that starts and ends the showing.

    Args:
        console: Where bars are drawn; None for nowhere.
        total: Number of runs.
        done: How many of them are finished already.
        curves: Folder of TensorBoard's files; None for none.

    Raises:
        ConfigError: If curves are wanted and TensorBoard is not installed.
    """

    def __init__(self, console: Console | None, *, total: int, done: int, curves: Path | None = None) -> None:
        self._bars = Progress(
            TextColumn("{task.description:5}"),
            BarColumn(bar_width=12),
            _Count(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console or Console(),
            disable=console is None,
        )
        self._sweep = self._bars.add_task("sweep", total=total, completed=done, unit="runs", note="")
        self._run = self._bars.add_task("run", total=None, unit="epochs", note="")
        self._curves = None if curves is None else _Curves(curves)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._bars.stop()
        if self._curves is not None:
            self._curves.close()

    def epoch(self, config: Config, epoch: Epoch) -> None:
        """Show an epoch of a run.

        Args:
            config: The run's configuration.
            epoch: What the pass gave.
        """
        objective = config.objective
        note = f"{objective.surrogate or 'tightest bound'}, gamma {objective.gamma:g}, seed {config.seed}"
        self._bars.update(self._sweep, note=escape(note))
        terms = "  ".join(f"{name} {value:.2f}" for name, value in epoch.terms.items())
        broken = f"  BROKEN: {'; '.join(epoch.broken)}" if epoch.broken else ""
        self._bars.update(
            self._run,
            completed=epoch.number,
            total=config.training.epochs,
            note=escape(f"test {epoch.test_accuracy:.0%}  {terms}{broken}"),
        )
        if self._curves is not None:
            self._curves.add(config, epoch)

    def run_ended(self, config: Config) -> None:
        """Count a run that has ended.

        Args:
            config: Its configuration.
        """
        self._bars.update(self._sweep, advance=1)
        if self._curves is not None:
            self._curves.close(config.digest)


class _Curves:
    """TensorBoard's files, one folder for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._make = _summary_writer()
        self._writers: dict[str, Any] = {}

    def add(self, config: Config, epoch: Epoch) -> None:
        writer = self._writers.get(config.digest)
        if writer is None:
            # Epochs of a run that goes on are shown again: what an earlier file says of them is hidden.
            writer = self._make(str(self._folder / config.digest), purge_step=epoch.number)
            writer.add_text("config", "\n".join(f"    {line}" for line in config.to_toml().splitlines()))
            self._writers[config.digest] = writer
        for name, value in _scalars(epoch).items():
            writer.add_scalar(name, value, epoch.number)

    def close(self, digest: str | None = None) -> None:
        for name in list(self._writers) if digest is None else [digest] if digest in self._writers else []:
            self._writers.pop(name).close()


def _scalars(epoch: Epoch) -> dict[str, float]:
    measured = {f"{row.estimator}/{row.quantity}": row.value for row in epoch.rows}
    return {
        "loss": epoch.loss,
        **{f"terms/{name}": value for name, value in epoch.terms.items()},
        "accuracy/train": epoch.train_accuracy,
        "accuracy/test": epoch.test_accuracy,
        "learning rate": epoch.learning_rate,
        "broken invariants": float(len(epoch.broken)),
        **measured,
    }


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an extra that most users do not need
    except ImportError:
        raise ConfigError("curves for TensorBoard need the extra: pip install 'imeasure[tensorboard]'") from None
    return SummaryWriter

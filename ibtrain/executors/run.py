"""One run of a sweep, whoever trains it, and what all executors share.

The run's folder is locked, it goes on from its checkpoint, and its results are stored. Whatever a run fails of is its
outcome, for the others go on.
"""

import contextlib
import dataclasses
import traceback
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from ibtrain.config import Config
from ibtrain.errors import ConfigError, InformationError
from ibtrain.runs import Runs, write_text
from ibtrain.training import (
    Epoch,
    by_first_process,
    decided_by_first,
    epochs_after,
    is_first_process,
    is_out_of_memory,
    train,
)

LOOK_SECONDS = 0.5
"""How often the lines of runs in other processes are looked at."""

OnEpoch = Callable[[Config, Epoch], None]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where runs are trained and kept.

    Args:
        runs: The runs' folders.
        accelerator: Where to train, in Lightning's words.
        data_root: Folder of the data sets.
        download: Whether to fetch data that are missing.
    """

    runs: Runs
    accelerator: str
    data_root: Path
    download: bool


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        config: What was run.
        error: Why it failed; empty if its results are stored.
        way: How it was trained, where that was chosen while it was.
    """

    config: Config
    error: str = ""
    way: str = ""


class Executor(Protocol):
    """Who trains."""

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Generator[Outcome]:
        """Train runs, and say of each how it ended, as it ends.

        Args:
            configs: What to run.
            place: Where.
            on_epoch: Called after every pass; a little later where the run is in another process.
        """
        ...


def train_run(config: Config, place: Place, on_epoch: OnEpoch | None = None) -> Outcome:
    """Train one run unless its results are there, from its checkpoint if it has one, and store its results.

    Args:
        config: What to run.
        place: Where.
        on_epoch: Called after every pass.

    Returns:
        How it ended. Whatever one run fails of is told, not raised, for the others go on.
    """
    with contextlib.ExitStack() as lock:
        ended = decided_by_first(claim(config, place, lock) if is_first_process() else None)
        if ended is not None:
            return ended
        try:
            trained = train(
                config,
                accelerator=place.accelerator,
                data_root=place.data_root,
                download=place.download,
                folder=place.runs.folder(config),
                on_epoch=None if on_epoch is None or not is_first_process() else partial(on_epoch, config),
            )
            by_first_process(lambda: place.runs.store(config, trained.rows))
        except InformationError as error:
            return Outcome(config, str(error))
        except Exception as error:  # a bug, or a device that ran out of memory: what is known of it is kept
            return Outcome(config, failure(error, place.runs.folder(config)))
        return Outcome(config)


def claim(config: Config, place: Place, lock: contextlib.ExitStack, *, wait: float = -1) -> Outcome | None:
    """Lock a run; return how it ended if there is nothing to train.

    Args:
        config: The run.
        place: Where it is.
        lock: What frees the lock.
        wait: Seconds to wait for a process that has it; without end if negative.

    Returns:
        How it ended, or None if it is to be trained.

    Raises:
        Timeout: If another process has it still.
    """
    try:
        folder = place.runs.begin(config)
        lock.enter_context(FileLock(folder / "run.lock", timeout=wait))
    except Timeout:
        raise
    except InformationError as error:
        return Outcome(config, str(error))
    except OSError as error:
        return Outcome(config, f"cannot use the folder of the run {config.digest}: {error}")
    return Outcome(config) if place.runs.is_finished(config) else None


def failure(error: Exception, folder: Path) -> str:
    """Return what is known of an error that nobody foresaw, and write where it happened into the run's folder."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    if is_out_of_memory(error):
        said = (
            "this run takes more memory than there is: make network.latent, network.hidden, bottleneck.samples or "
            "training.batch_size smaller"
        )
    try:
        write_text(folder / "error.txt", "".join(traceback.format_exception(error)))
    except ConfigError:
        return said
    return f"{said} (where it happened stands in {folder / 'error.txt'})"


class Watch:
    """Epochs of runs that other processes train, read from the lines that they append."""

    def __init__(self, place: Place, on_epoch: OnEpoch) -> None:
        self._runs, self._on_epoch = place.runs, on_epoch
        self._offsets: dict[str, int] = {}

    def look(self, configs: Iterable[Config]) -> None:
        """Tell of all epochs of some runs that ended since the last look."""
        for config in configs:
            epochs, offset = epochs_after(self._runs.folder(config), self._offsets.get(config.digest, 0))
            self._offsets[config.digest] = offset
            for epoch in epochs:
                self._on_epoch(config, epoch)

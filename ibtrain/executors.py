"""Who trains the runs of a sweep: this process, worker processes, or a Ray cluster.

All call one function, `train_run`, which locks the run's folder, goes on from its checkpoint and stores its results. So
the numbers do not depend on who trains, and a run that another process is training is waited for, not trained twice.
"""

import dataclasses
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock

from ibtrain.config import Config
from ibtrain.errors import ConfigError, InformationError
from ibtrain.runs import Runs
from ibtrain.training import Epoch, is_first_process, train, wait_for_processes

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
    """

    config: Config
    error: str = ""


class Executor(Protocol):
    """Who trains."""

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Iterator[Outcome]:
        """Train runs, and say of each how it ended, as it ends.

        Args:
            configs: What to run.
            place: Where.
            on_epoch: Called after every pass, where the run is in this process.
        """
        ...


def train_run(config: Config, place: Place, on_epoch: OnEpoch | None = None) -> Outcome:
    """Train one run unless its results are there, from its checkpoint if it has one, and store its results.

    Args:
        config: What to run.
        place: Where.
        on_epoch: Called after every pass.

    Returns:
        How it ended; an error of this project is told, not raised.
    """
    if not is_first_process():
        return _trained(config, place, None)
    try:
        folder = place.runs.begin(config)
        with FileLock(folder / "run.lock"):
            return Outcome(config) if place.runs.is_finished(config) else _trained(config, place, on_epoch)
    except InformationError as error:
        return Outcome(config, str(error))
    except OSError as error:
        return Outcome(config, f"cannot use the folder of the run {config.digest}: {error}")


def _trained(config: Config, place: Place, on_epoch: OnEpoch | None) -> Outcome:
    try:
        trained = train(
            config,
            accelerator=place.accelerator,
            data_root=place.data_root,
            download=place.download,
            folder=place.runs.folder(config),
            on_epoch=None if on_epoch is None else partial(on_epoch, config),
        )
        try:
            if is_first_process():
                place.runs.store(config, trained.rows)
        finally:
            wait_for_processes()
    except InformationError as error:
        return Outcome(config, str(error))
    return Outcome(config)


@dataclasses.dataclass(frozen=True)
class InProcess:
    """One run after the other, in this process."""

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Iterator[Outcome]:
        """See `Executor.outcomes`."""
        for config in configs:
            yield train_run(config, place, on_epoch)


@dataclasses.dataclass(frozen=True)
class Workers:
    """Several processes on this machine, each with one run at a time.

    Args:
        count: How many.

    Raises:
        ConfigError: If the count is not positive.
    """

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ConfigError(f"a sweep needs at least one worker, not {self.count}")

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Iterator[Outcome]:  # noqa: ARG002 - epochs are in another process
        """See `Executor.outcomes`; a worker that is killed fails the runs that were not finished."""
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.count, mp_context=context)
        try:
            futures = {pool.submit(train_run, config, place): config for config in configs}
            for future in as_completed(futures):
                yield _result(future, futures[future])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(future: Future[Outcome], config: Config) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        return Outcome(config, "a worker process was killed; the same command goes on from the checkpoints")


@dataclasses.dataclass(frozen=True)
class OnRay:
    """A Ray cluster whose machines share the results' folder and the data.

    Args:
        address: The cluster's address; None starts Ray on this machine.
        gpus: Share of a GPU for each run.
        cpus: CPUs for each run.
        retries: How often a run is tried again when its process or machine is lost; it goes on from its checkpoint.

    Raises:
        ConfigError: If a number is negative, or Ray is not installed or not reachable.
    """

    address: str | None = None
    gpus: float = 0.0
    cpus: float = 1.0
    retries: int = 3

    def __post_init__(self) -> None:
        if self.gpus < 0 or self.cpus <= 0 or self.retries < 0:
            raise ConfigError("gpus and retries must not be negative, and a run needs a positive number of cpus")

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Iterator[Outcome]:  # noqa: ARG002 - epochs are in another process
        """See `Executor.outcomes`."""
        ray = _ray()
        started = not ray.is_initialized()
        if started:
            try:
                ray.init(address=self.address, log_to_driver=False, include_dashboard=False)
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise ConfigError(f"cannot reach Ray at {self.address or 'this machine'}: {error}") from None
        try:
            task = ray.remote(num_gpus=self.gpus, num_cpus=self.cpus, max_retries=self.retries)(train_run)
            shared = dataclasses.replace(
                place, runs=Runs(place.runs.root.resolve()), data_root=place.data_root.resolve()
            )
            waiting = {task.remote(config, shared): config for config in configs}
            while waiting:
                (ready,), _ = ray.wait(list(waiting), num_returns=1)
                config = waiting.pop(ready)
                try:
                    yield ray.get(ready)
                except ray.exceptions.RayError as error:
                    yield Outcome(config, f"Ray lost the run {config.digest}: {error}")
        finally:
            if started:
                ray.shutdown()


def _ray() -> Any:
    try:
        import ray  # noqa: PLC0415 - an extra that most users do not need
    except ImportError:
        raise ConfigError("a sweep on Ray needs the extra: pip install 'imeasure[cluster]'") from None
    return ray

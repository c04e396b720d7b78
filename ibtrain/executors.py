"""Who trains the runs of a sweep: this process, worker processes, or a Ray cluster.

All call one function, `train_run`, which locks the run's folder, goes on from its checkpoint and stores its results. So
the numbers do not depend on who trains, and a run that another process is training is waited for, not trained twice.
"""

import contextlib
import dataclasses
import multiprocessing
import multiprocessing.connection
import signal
import socket
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from ibtrain.config import Config
from ibtrain.errors import ConfigError, InformationError
from ibtrain.runs import Runs, write_text
from ibtrain.training import (
    Epoch,
    Trained,
    by_first_process,
    decided_by_first,
    epochs_after,
    groups,
    is_first_process,
    train,
    train_together,
)

OnEpoch = Callable[[Config, Epoch], None]

_KNOCK_SECONDS = 10.0  # how long a Ray cluster may take to open a connection
_LOOK_SECONDS = 0.5  # how often the lines of runs in other processes are looked at


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
        ended = decided_by_first(_claimed(config, place, lock) if is_first_process() else None)
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
            return Outcome(config, _unforeseen(error, place.runs.folder(config)))
        return Outcome(config)


def _claimed(config: Config, place: Place, lock: contextlib.ExitStack, *, wait: float = -1) -> Outcome | None:
    """Lock a run; return how it ended if there is nothing to train. Raise Timeout if another process has it."""
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


def _unforeseen(error: Exception, folder: Path) -> str:
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    try:
        write_text(folder / "error.txt", "".join(traceback.format_exception(error)))
    except ConfigError:
        return said
    return f"{said} (where it happened stands in {folder / 'error.txt'})"


class _Watch:
    """Epochs of runs that other processes train, read from the lines that they append."""

    def __init__(self, place: Place, on_epoch: OnEpoch) -> None:
        self._runs, self._on_epoch = place.runs, on_epoch
        self._offsets: dict[str, int] = {}

    def look(self, configs: Iterable[Config]) -> None:
        for config in configs:
            epochs, offset = epochs_after(self._runs.folder(config), self._offsets.get(config.digest, 0))
            self._offsets[config.digest] = offset
            for epoch in epochs:
                self._on_epoch(config, epoch)


@dataclasses.dataclass(frozen=True)
class InProcess:
    """One run after the other, in this process."""

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Generator[Outcome]:
        """See `Executor.outcomes`."""
        for config in configs:
            yield train_run(config, place, on_epoch)


@dataclasses.dataclass(frozen=True)
class Together:
    """Runs with small networks in groups, in this process, their parameters stacked; the others one after the other.

    See `ibtrain.training.together`. Each member has the folder, the checkpoints and the results of a run of its own, so
    any executor goes on with what another one left.

    Args:
        limit: Largest size of a group.
        is_measured: Whether a group whose stacking does not pay is trained separately.

    Raises:
        ConfigError: If the limit is not positive.
    """

    limit: int = 32
    is_measured: bool = True

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ConfigError(f"a group needs at least one run, not {self.limit}")

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Generator[Outcome]:
        """See `Executor.outcomes`."""
        for group in groups(configs, limit=self.limit):
            claimed, elsewhere = [], list(group) if len(group) == 1 else []
            with contextlib.ExitStack() as locks:
                for config in group[len(elsewhere) :]:
                    try:
                        ended = _claimed(config, place, locks, wait=0)
                    except Timeout:
                        elsewhere.append(config)
                        continue
                    if ended is None:
                        claimed.append(config)
                    else:
                        yield ended
                if claimed:
                    yield from self._trained(claimed, place, on_epoch)
            for config in elsewhere:
                yield train_run(config, place, on_epoch)

    def _trained(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Generator[Outcome]:
        missing = dict.fromkeys(configs)
        try:
            for config, found in train_together(
                configs,
                accelerator=place.accelerator,
                data_root=place.data_root,
                download=place.download,
                folders=place.runs.folder,
                on_epoch=on_epoch,
                is_measured=self.is_measured,
            ):
                del missing[config]
                yield _stored(config, found, place)
        except InformationError as error:
            yield from (Outcome(config, str(error)) for config in missing)
        except Exception as error:  # as in `train_run`
            yield from (Outcome(config, _unforeseen(error, place.runs.folder(config))) for config in missing)


def _stored(config: Config, found: Trained | InformationError, place: Place) -> Outcome:
    if isinstance(found, InformationError):
        return Outcome(config, str(found))
    try:
        place.runs.store(config, found.rows)
    except ConfigError as error:
        return Outcome(config, str(error))
    return Outcome(config)


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

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Generator[Outcome]:
        """See `Executor.outcomes`; a worker that is killed fails the run that it had, and is replaced."""
        waiting, watch = deque(configs), _Watch(place, on_epoch)
        crew: list[_Worker] = []
        try:
            while waiting or crew:
                while waiting and len(crew) < self.count:
                    crew.append(_Worker(place))
                    crew[-1].take(waiting.popleft())
                ready = multiprocessing.connection.wait([worker.pipe for worker in crew], _LOOK_SECONDS)
                watch.look(worker.config for worker in crew)
                for worker in [one for one in crew if one.pipe in ready]:
                    yield worker.outcome()
                    if waiting and worker.is_alive():
                        worker.take(waiting.popleft())
                    else:
                        crew.remove(worker)
                        worker.stop()
        finally:
            for worker in crew:
                worker.stop()


class _Worker:
    """A process that trains one run after the other, until it is told to stop or this process ends."""

    config: Config

    def __init__(self, place: Place) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, place), daemon=True)
        self._process.start()
        theirs.close()

    def take(self, config: Config) -> None:
        self.config = config
        with contextlib.suppress(OSError):  # a worker that ended is noticed when its outcome is asked for
            self.pipe.send(config)

    def outcome(self) -> Outcome:
        try:
            found: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            return Outcome(
                self.config,
                f"the worker process that trained {self.config.digest} ended: it was killed, or a script calls sweep "
                "outside of `if __name__ == '__main__':`; the same command goes on from the checkpoint",
            )
        return found

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def stop(self) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join()


def _serve(pipe: Any, place: Place) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C reaches all processes of a terminal; the first one decides
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(train_run(pipe.recv(), place, _end_if_alone))


def _end_if_alone(config: Config, epoch: Epoch) -> None:  # noqa: ARG001 - the signature of all who look at epochs
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit


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

    def outcomes(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Generator[Outcome]:
        """See `Executor.outcomes`."""
        ray = _ray()
        started = not ray.is_initialized()
        if started:
            self._look_for_cluster()
            try:
                ray.init(address=self.address, log_to_driver=False, include_dashboard=False)
            except Exception as error:  # a bare Exception if its processes do not start in time
                raise ConfigError(self._unreachable(error)) from None
        waiting: dict[Any, Config] = {}
        try:
            task = ray.remote(num_gpus=self.gpus, num_cpus=self.cpus, max_retries=self.retries)(train_run)
            shared = dataclasses.replace(
                place, runs=Runs(place.runs.root.resolve()), data_root=place.data_root.resolve()
            )
            watch = _Watch(shared, on_epoch)
            waiting.update({task.remote(config, shared): config for config in configs})
            while waiting:
                ready, _ = ray.wait(list(waiting), num_returns=1, timeout=_LOOK_SECONDS)
                watch.look(waiting.values())
                for one in ready:
                    yield _ray_outcome(ray, one, waiting.pop(one))
        finally:
            for one in waiting:
                ray.cancel(one, force=True)
            if started:
                ray.shutdown()

    def _look_for_cluster(self) -> None:
        """Knock at the door of HOST:PORT: Ray itself would knock for a quarter of an hour where nobody is."""
        host, _, port = (self.address or "").removeprefix("ray://").rpartition(":")
        if not (host and port.isdecimal()):
            return
        try:
            socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise ConfigError(self._unreachable(error)) from None

    def _unreachable(self, error: Exception) -> str:
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        if self.address is None:
            return f"cannot start Ray on this machine: {said}; try again with less to do here, or without Ray"
        return f"cannot reach Ray at {self.address}: {said}; look whether it runs there (ray status)"


def _ray_outcome(ray: Any, task: Any, config: Config) -> Outcome:
    try:
        found: Outcome = ray.get(task)
    except ray.exceptions.RayError as error:
        return Outcome(config, f"Ray lost the run {config.digest}: {error}")
    return found


def _ray() -> Any:
    try:
        import ray  # noqa: PLC0415 - an extra that most users do not need
    except ImportError:
        raise ConfigError("a sweep on Ray needs the extra: pip install 'imeasure[cluster]'") from None
    return ray

"""Executors on this machine: this process, one run after the other or several stacked, and worker processes."""

import contextlib
import dataclasses
import multiprocessing
import multiprocessing.connection
import signal
from collections import deque
from collections.abc import Generator, Sequence
from typing import Any

from filelock import Timeout

from ibtrain.config import Config
from ibtrain.errors import ConfigError, InformationError
from ibtrain.executors.run import LOOK_SECONDS, OnEpoch, Outcome, Place, Watch, claim, failure, train_run
from ibtrain.training import Epoch, Trained, groups, train_together
from ibtrain.training.together import ALONE


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
                        ended = claim(config, place, locks, wait=0)
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
                way = ALONE if len(group) == 1 else ""  # the others are those that another process trains
                yield dataclasses.replace(train_run(config, place, on_epoch), way=way)

    def _trained(self, configs: Sequence[Config], place: Place, on_epoch: OnEpoch) -> Generator[Outcome]:
        missing = dict.fromkeys(configs)
        ways: dict[Config, str] = {}
        try:
            for config, found in train_together(
                configs,
                accelerator=place.accelerator,
                data_root=place.data_root,
                download=place.download,
                folders=place.runs.folder,
                on_epoch=on_epoch,
                on_choice=ways.__setitem__,
                is_measured=self.is_measured,
            ):
                del missing[config]
                yield dataclasses.replace(_stored(config, found, place), way=ways.get(config, ""))
        except InformationError as error:
            yield from (Outcome(config, str(error)) for config in missing)
        except Exception as error:  # as in `train_run`
            yield from (Outcome(config, failure(error, place.runs.folder(config))) for config in missing)


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
        waiting, watch = deque(configs), Watch(place, on_epoch)
        crew: list[_Worker] = []
        try:
            while waiting or crew:
                while waiting and len(crew) < self.count:
                    crew.append(_Worker(place))
                    crew[-1].take(waiting.popleft())
                ready = multiprocessing.connection.wait([worker.pipe for worker in crew], LOOK_SECONDS)
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
    is_lost = False

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
            self.is_lost = True  # a killed process counts as alive for a moment after its pipe is closed
            return Outcome(
                self.config,
                f"the worker process that trained {self.config.digest} ended: it was killed, or a script calls sweep "
                "outside of `if __name__ == '__main__':`; the same command goes on from the checkpoint",
            )
        return found

    def is_alive(self) -> bool:
        return not self.is_lost and self._process.is_alive()

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

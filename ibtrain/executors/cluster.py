"""The executor on Ray: a cluster of machines that share the folder of the results, or this machine alone."""

import dataclasses
import socket
from collections.abc import Generator, Sequence
from typing import Any

from ibtrain.config import Config
from ibtrain.errors import ConfigError
from ibtrain.executors.run import LOOK_SECONDS, OnEpoch, Outcome, Place, Watch, train_run
from ibtrain.runs import Runs

_KNOCK_SECONDS = 10.0  # how long a Ray cluster may take to open a connection


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
            watch = Watch(shared, on_epoch)
            waiting.update({task.remote(config, shared): config for config in configs})
            while waiting:
                ready, _ = ray.wait(list(waiting), num_returns=1, timeout=LOOK_SECONDS)
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

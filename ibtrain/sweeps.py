"""Run many configurations, each once, and go on where an earlier call stopped.

A sweep is nothing but independent runs in one folder: those that are finished are read, the others are trained, and
the table of all is renewed as they end. So it can be stopped at any moment, called again, cut into shards for a job
array, or spread over worker processes or a Ray cluster: the numbers are the same. A run is locked while it is trained,
and the table while it is renewed, so several sweeps may share a folder. What can be refused is refused before anything
is written; a run that fails leaves the others alone.
"""

import contextlib
import itertools
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from ibtrain.config import Config
from ibtrain.config.sections import assignment
from ibtrain.errors import ConfigError
from ibtrain.executors import Executor, InProcess, Place
from ibtrain.live import LiveView
from ibtrain.records import value_of, what_varies
from ibtrain.runs import Row, Runs, in_words, results_lock, write_rows
from ibtrain.training import check, decided_by_first, is_first_process, number_of_processes, start_processes
from imeasure.errors import shown

MOST_RUNS = 100_000
"""Most runs of one sweep."""

_PAUSE = 20  # the table is left alone for so many times as long as it took to write it


def grid(base: Config, varied: Mapping[str, Iterable[object]]) -> tuple[Config, ...]:
    """Return every combination of some values, the last one varying fastest.

    Args:
        base: Everything that is not varied.
        varied: Values by key, with dots between tables.

    Raises:
        ConfigError: If a key is unknown or has no list of values, a value cannot be used, or there are more than
            `MOST_RUNS` combinations.

    Example:
        >>> [config.seed for config in grid(Config(), {"objective.gamma": [0.1, 1], "seed": [0, 1]})]
        [0, 1, 0, 1]
    """
    lists = value_lists(varied)
    if (count := math.prod(map(len, lists.values()))) > MOST_RUNS:
        counts = " x ".join(f"{len(values)} {key}" for key, values in lists.items())
        raise ConfigError(
            f"{counts} are {count} runs, more than {MOST_RUNS}: vary fewer values, or make several sweeps"
        )
    base = Config.required(base)
    combinations = itertools.product(*lists.values())
    return tuple(base.with_options(list(map(assignment, lists, values))) for values in combinations)


def value_lists(varied: Mapping[str, Iterable[object]]) -> dict[str, tuple[object, ...]]:
    """Return what is varied as one tuple of values for each key.

    Args:
        varied: Values by key.

    Raises:
        ConfigError: If a key has no list of values.

    Example:
        >>> value_lists({"objective.surrogate": "LogVar[Z]"})
        Traceback (most recent call last):
        imeasure.errors.ConfigError: objective.surrogate is varied over a list of values, not over 'LogVar[Z]'
    """
    for key, values in varied.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise ConfigError(f"{key} is varied over a list of values, not over {shown(values)}")
    return {key: tuple(values) for key, values in varied.items()}


def sweep(
    configs: Sequence[Config],
    folder: str | Path,
    *,
    accelerator: str = "auto",
    data_root: str | Path = "data",
    download: bool = False,
    shard: tuple[int, int] = (1, 1),
    executor: Executor | None = None,
    console: Console | None = None,
    tensorboard: bool = False,
) -> tuple[Row, ...]:
    """Train every configuration that is not finished yet, and return the results of all that are.

    `folder/results.csv` holds the rows of all finished runs: first those of `configs`, then those of other sweeps in
    the same folder. It is renewed as runs end, as often as it costs no more than a twentieth of the time, and when the
    sweep ends or is stopped. Each run has its own folder in `folder/runs`.

    Args:
        configs: What to run.
        folder: Where the results go.
        accelerator: Where to train, in Lightning's words.
        data_root: Folder of the data sets that do not ship with scikit-learn.
        download: Whether to fetch data that are missing.
        shard: `(i, n)`: train every n-th configuration from the i-th on, for job arrays; i from 1 to n.
        executor: Who trains: `InProcess()` by default, `Together()`, `Workers(n)` or `OnRay(address)`.
        console: Where to show progress; nowhere by default.
        tensorboard: Whether to write curves for TensorBoard to `folder/tensorboard`.

    Returns:
        The rows of the finished runs of `configs`, in their order.

    Raises:
        ConfigError: If a configuration cannot be run (then nothing is written), or results cannot be written; after all
            others have been trained, if runs failed or their results cannot be read. Finished runs stay.
        InformationError: If an objective cannot be read or has no canonical form; then nothing is written.

    Example:
        >>> import tempfile
        >>> config = Config().with_options(["training.epochs=1", "plane.samples=100"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     rows = sweep([config], folder)
        ...     [row.value for row in rows] == [row.value for row in sweep([config], folder)]
        True
    """
    runs = Runs(Path(folder) / "runs")
    if isinstance(configs, Config | Mapping | str):
        raise ConfigError(f"a sweep needs a list of configurations, not {shown(configs)}: put it into [...]")
    wanted = {config.digest: config for config in map(Config.required, configs)}
    mine = _shard(list(wanted.values()), shard)
    if number_of_processes() > 1 and not isinstance(executor or InProcess(), InProcess):
        raise ConfigError("torchrun lets its processes share each run: leave out workers, Ray and together")
    missing = [config for config in mine if not runs.is_finished(config)]
    doubts = check(missing, accelerator=accelerator, data_root=data_root, download=download)
    if console is not None and is_first_process():
        for doubt in doubts:
            console.print(escape(f"note: {doubt}"), highlight=False, soft_wrap=True)
    start_processes(accelerator)
    table = _Table(Path(folder), runs, wanted)
    todo = decided_by_first([config for config in mine if not runs.is_finished(config)])
    place = Place(runs=runs, accelerator=accelerator, data_root=Path(data_root), download=download)
    failures: dict[str, str] = {}
    ways: Counter[str] = Counter()
    view = LiveView(
        console if is_first_process() else None,
        total=len(mine),
        done=len(mine) - len(todo),
        curves=Path(folder) / "tensorboard" if tensorboard and is_first_process() else None,
    )
    table.renew()
    if table.unwritten and (todo or not (Path(folder) / "results.csv").is_file()):
        raise ConfigError(table.unwritten)
    try:
        with view, contextlib.closing((executor or InProcess()).outcomes(todo, place, view.epoch)) as outcomes:
            for outcome in outcomes:
                if outcome.error:
                    failures[outcome.config.digest] = outcome.error
                ways[outcome.way] += 1
                table.renew_in_time()
                view.run_ended(outcome.config)
    finally:
        unreadable = table.renew()
    if console is not None:
        for way, count in ways.items():
            if way:
                console.print(escape(f"{in_words(count)} {way}"), highlight=False, soft_wrap=True)
    _raise_for(failures | unreadable, len(mine), wanted)
    if table.unwritten and todo:
        raise ConfigError(f"all runs are finished, but {table.unwritten}")
    return table.rows()


def _shard(configs: Sequence[Config], shard: tuple[int, int]) -> list[Config]:
    index, count = shard
    if not 1 <= index <= count:
        raise ConfigError(f"a shard is i/n with i from 1 to n, not {index}/{count}")
    return list(configs[index - 1 :: count])


def _raise_for(failures: Mapping[str, str], total: int, wanted: Mapping[str, Config]) -> None:
    """Raise an error that says of each failed run what tells it from the others of the sweep, and why it failed."""
    if not failures:
        return
    if total == 1:
        raise ConfigError(next(iter(failures.values())))
    keys = what_varies(list(wanted.values()))
    listed = ""
    for digest, message in failures.items():
        values = ["of another sweep"] if digest not in wanted else [f"{k}={value_of(wanted[digest], k)}" for k in keys]
        listed += f"\n  {digest} ({', '.join(values)}): {message}"
    raise ConfigError(f"{len(failures)} of {total} runs failed, the others are finished:{listed}")


class _Table:
    """The rows of all finished runs of a folder, each read once."""

    unwritten = ""  # why the table could not be written when it last should have been

    def __init__(self, folder: Path, runs: Runs, wanted: Mapping[str, Config]) -> None:
        self._folder = folder
        self._runs = runs
        self._wanted = wanted
        self._known: dict[str, tuple[Row, ...]] = {}
        self._due = 0.0

    def read(self) -> dict[str, str]:
        """Read what was finished since; return the runs whose results cannot be read, and why."""
        failures = {}
        for digest in [one for one in self._runs.finished() if one not in self._known]:
            try:
                self._known[digest] = self._runs.rows(digest)
            except ConfigError as error:
                failures[digest] = str(error)
        return failures

    def renew(self) -> dict[str, str]:
        """Read what was finished since, and write the table; return what cannot be read, as `read` does."""
        if not is_first_process():
            return self.read()
        start, self.unwritten = time.monotonic(), ""
        try:
            with results_lock(self._folder):
                failures = self.read()
                write_rows(self._folder / "results.csv", self._all({**self._wanted, **self._known}))
        except ConfigError as error:
            failures, self.unwritten = self.read(), str(error)
        self._due = time.monotonic() + _PAUSE * (time.monotonic() - start)
        return failures

    def renew_in_time(self) -> None:
        """Renew the table unless that was done a moment ago."""
        if time.monotonic() >= self._due:
            self.renew()

    def rows(self) -> tuple[Row, ...]:
        return tuple(self._all(self._wanted))

    def _all(self, digests: Mapping[str, object]) -> Iterator[Row]:
        return (row for digest in digests for row in self._known.get(digest, ()))

"""Train members of a sweep together: one pass over stacked parameters, mapped by torch.func.vmap.

Small networks leave a processor waiting for the next operation; stacked, each operation does the work of all members.
Every member keeps its own seed, order, noise, weight and learning rate, and is measured and kept as it is alone; only
the passes are shared. So what differs from a run of its own is the rounding of sums, nothing else. Whether it pays is
measured on a few batches of each group; what vmap cannot map is trained one by one. What was chosen, and why, is noted
in each member's folder.
"""

import copy
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from ibtrain.config import Config
from ibtrain.errors import InformationError
from ibtrain.runs import write_text
from ibtrain.training.build import load_data
from ibtrain.training.devices import make_fabric, threads
from ibtrain.training.loop import Run, Trained
from ibtrain.training.progress import Epoch
from ibtrain.training.steps import noise_seed, optimizer_of, order_of, weighted_sums
from imeasure.files import read_text

TOGETHER = "together.txt"
"""File of a run's folder that says whether its passes were stacked with those of others."""

ALONE = "one by one: no other run is left that differs in seed, gamma and learning rate alone and has a small network"
"""Why a run has no group."""

_MEASURED = 3  # batches that are timed
_LARGEST = 2**20  # bytes of a note


@dataclasses.dataclass(frozen=True)
class Choice:
    """Whether members of a group are trained in one pass.

    Args:
        is_stacked: Whether they are.
        why: Why, in words.
    """

    is_stacked: bool
    why: str

    def __str__(self) -> str:
        return f"{'stacked' if self.is_stacked else 'one by one'}: {self.why}"


def groups(configs: Iterable[Config], *, limit: int) -> tuple[tuple[Config, ...], ...]:
    """Return configurations in groups that can be trained together; one alone where that is not possible.

    Members of a group differ in seed, gamma and learning rate only. Their networks are MLPs without dropout, scaling,
    augmentation and compilation, in single precision.

    Args:
        configs: What is to be run.
        limit: Largest size of a group.

    Example:
        >>> base = Config()
        >>> [len(group) for group in groups([base, base.with_options(["seed=1"])], limit=32)]
        [2]
    """
    found: dict[object, list[Config]] = {}
    for config in configs:
        free = ["seed=0", "objective.gamma=0", "training.learning_rate=1"]
        found.setdefault(config.with_options(free) if _is_small(config) else config, []).append(config)
    return tuple(tuple(same[i : i + limit]) for same in found.values() for i in range(0, len(same), limit))


def _is_small(config: Config) -> bool:
    return (
        config.network.name == "mlp"
        and config.bottleneck.kind in ("noise", "gaussian", "categorical")
        and config.training.precision == "32-true"
        and not (config.training.compile or config.scaling.start or config.data.augment)
    )


def train_together(
    configs: Sequence[Config],
    *,
    accelerator: str = "auto",
    data_root: str | Path = "data",
    download: bool = False,
    folders: Callable[[Config], Path | None],
    on_epoch: Callable[[Config, Epoch], None] | None = None,
    on_choice: Callable[[Config, str], None] | None = None,
    is_measured: bool = True,
) -> Iterator[tuple[Config, Trained | InformationError]]:
    """Train a group in this process, each member as `train` does, and return each as it ends.

    Args:
        configs: A group of `groups`.
        accelerator: Where, in Lightning's words.
        data_root: Folder of the data sets.
        download: Whether to fetch what is missing.
        folders: Where a member is kept and goes on from; None for nowhere.
        on_epoch: Called after every pass of a member.
        on_choice: Called for each member with whether its passes are stacked, and why, in words.
        is_measured: Whether to pass separately where a measurement says that stacking does not pay.

    Yields:
        Each member with its results, or with the error that ended it.

    Raises:
        ConfigError: If the data are not there, or the accelerator is not.
    """
    with torch.random.fork_rng(), threads(configs[0].training.threads):
        data = load_data(configs[0].data, root=data_root, download=download)
        data = data.to(make_fabric(accelerator, configs[0].training.precision).device)
        runs: list[Run] = []
        for config in configs:
            try:
                fabric = make_fabric(accelerator, config.training.precision)
                runs.append(Run(config, data, fabric, folders(config), _bound(on_epoch, config)))
            except InformationError as error:
                yield config, error
        choice: Choice | None = None
        while unfinished := [run for run in runs if run.is_unfinished]:
            number = min(len(run.epochs) for run in unfinished) + 1
            behind = [run for run in unfinished if len(run.epochs) < number]
            if choice is None and len(behind) > 1:
                choice = _pays(behind, number) if is_measured else Choice(is_stacked=True, why="nothing was measured")
                for run in unfinished:
                    _tell(run, str(choice), on_choice)
            start, means = time.perf_counter(), None
            if choice is not None and choice.is_stacked and len(behind) > 1:
                means = pass_together(behind, number)
            seconds = (time.perf_counter() - start) / len(behind)
            for index, run in enumerate(behind):
                try:
                    run.walk(None if means is None else means[index], seconds=seconds)
                except InformationError as error:
                    runs.remove(run)
                    yield run.config, error
        for run in runs:
            if choice is None:
                _tell(run, ALONE, on_choice)
            yield run.config, run.trained()


def _tell(run: Run, text: str, on_choice: Callable[[Config, str], None] | None) -> None:
    """Note in a run's folder how it goes on, below what was noted before, and say it."""
    if run.folder is not None and run.is_unfinished:
        path = run.folder / TOGETHER
        noted = read_text(path, "note", most=_LARGEST) if path.exists() else ""
        write_text(path, f"{noted}from epoch {len(run.epochs) + 1} on {text}\n")
    if on_choice is not None:
        on_choice(run.config, text)


def _bound(on_epoch: Callable[[Config, Epoch], None] | None, config: Config) -> Callable[[Epoch], None] | None:
    return None if on_epoch is None else lambda epoch: on_epoch(config, epoch)


def pass_together(runs: Sequence[Run], number: int) -> list[list[float]]:
    """Pass over the training data once with all members.

    Args:
        runs: The members, all after the same number of passes.
        number: Which pass, from 1.

    Returns:
        For each member the means of the loss and its terms over the batches.
    """
    stack = _Stack(runs)
    values, shares = [], []
    for batch in _batches(runs, number):
        values.append(stack.step(*batch))
        shares.append(len(batch[1][0]) / len(runs[0].data.train_targets))
    stack.unstack()
    return weighted_sums(values, shares).tolist()


def _batches(runs: Sequence[Run], number: int) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Return inputs, classes and noise of all members, as each would meet them alone."""
    data, config = runs[0].data, runs[0].config
    size, device = len(data.train_targets), data.train_targets.device
    seeds = {run.config.seed: run.config for run in runs}
    orders = {seed: order_of(one, number, size).to(device) for seed, one in seeds.items()}
    noises = {seed: torch.Generator(device).manual_seed(noise_seed(one, number)) for seed, one in seeds.items()}
    for start in range(0, size, config.training.batch_size):
        rows = torch.stack([orders[run.config.seed][start : start + config.training.batch_size] for run in runs])
        noise = None
        if config.bottleneck.kind != "categorical":
            shape = (config.bottleneck.samples, rows.shape[1], config.network.latent)
            drawn = {seed: torch.randn(shape, generator=source, device=device) for seed, source in noises.items()}
            noise = torch.stack([drawn[run.config.seed] for run in runs])
        inputs = data.prepare(data.train_inputs[rows.flatten()]).unflatten(0, rows.shape)
        yield inputs, data.train_targets[rows], noise


class _Stack:
    """Parameters, buffers and optimiser of several runs as one, member by member along the first dimension.

    The steps of the optimisers are linear in the learning rate. So one optimiser walks with rate 1, and each member
    goes its own rate's share of the way.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        first = runs[0].step
        first.train()
        self._parameters = {
            name: torch.stack([run.step.get_parameter(name).detach() for run in runs]).requires_grad_()
            for name, _ in first.named_parameters()
        }
        buffers = {name: torch.stack([run.step.get_buffer(name) for run in runs]) for name, _ in first.named_buffers()}
        self._optimizer = optimizer_of(self._parameters.values(), runs[0].config, rate=1.0)
        for name, parameter in self._parameters.items():
            states = [_optimizer(run).state.get(run.step.get_parameter(name), {}) for run in runs]
            self._optimizer.state[parameter] = {
                key: torch.stack([state[key] for state in states]) if _is_own(key, value) else _copy(value)
                for key, value in states[0].items()
            }
        self._rates = torch.tensor([run.rate for run in runs], device=runs[0].data.train_targets.device)

        def one(parameters: Any, own_buffers: Any, inputs: Tensor, targets: Tensor, noise: Tensor | None) -> Any:
            return functional_call(first, (parameters, own_buffers), (inputs, targets, noise))

        self._forward = lambda inputs, targets, noise: vmap(one, in_dims=(0, 0, 0, 0, None if noise is None else 0))(
            self._parameters, buffers, inputs, targets, noise
        )

    def step(self, inputs: Tensor, targets: Tensor, noise: Tensor | None) -> Tensor:
        """Take one step; return loss and terms of each member before it."""
        self._optimizer.zero_grad()
        values: Tensor = self._forward(inputs, targets, noise)
        values[:, 0].sum().backward()
        before = [parameter.detach().clone() for parameter in self._parameters.values()]
        self._optimizer.step()
        with torch.no_grad():
            for parameter, origin in zip(self._parameters.values(), before, strict=True):
                rates = self._rates.reshape(-1, *[1] * (parameter.ndim - 1))
                parameter.copy_(torch.lerp(origin, parameter, rates))
        return values.detach()

    def unstack(self) -> None:
        """Give every run its parameters and its optimiser's state."""
        for index, run in enumerate(self._runs):
            for name, stacked in self._parameters.items():
                parameter = run.step.get_parameter(name)
                parameter.data.copy_(stacked.detach()[index])
                _optimizer(run).state[parameter] = {
                    key: _copy(value[index]) if _is_own(key, value) else _copy(value)
                    for key, value in self._optimizer.state[stacked].items()
                }


def _is_own(key: str, value: object) -> bool:
    return isinstance(value, Tensor) and key != "step"


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def _optimizer(run: Run) -> torch.optim.Optimizer:
    inner: torch.optim.Optimizer = run.optimizer.optimizer
    return inner


def _pays(runs: Sequence[Run], number: int) -> Choice:
    """Time a few steps of all members together against those of one alone; no run is changed."""
    members = f"{len(runs)} runs"
    batches = [batch for batch, _ in zip(_batches(runs, number), range(_MEASURED + 1), strict=False)]
    alone = copy.deepcopy(runs[0].step)
    optimizer = optimizer_of(alone.parameters(), runs[0].config)

    def step_alone(inputs: Tensor, targets: Tensor, noise: Tensor | None) -> None:
        optimizer.zero_grad()
        alone(inputs[0], targets[0], None if noise is None else noise[0])[0].backward()
        optimizer.step()

    try:
        together = _seconds(_Stack(runs).step, batches)
    except torch.OutOfMemoryError:  # one by one they may have room
        return Choice(is_stacked=False, why=f"there is no room for {members} at once")
    except RuntimeError as error:
        if not _is_unmappable(error):
            raise
        return Choice(
            is_stacked=False, why=f"vmap cannot map this network or loss ({str(error).splitlines()[0][:200]})"
        )
    separately = len(runs) * _seconds(step_alone, batches)
    times = (
        f"a step of {members} takes {1e3 * together:.2g} ms at once and {1e3 * separately:.2g} ms one after the other"
    )
    return Choice(is_stacked=together < separately, why=times)


def _is_unmappable(error: RuntimeError) -> bool:
    """Say whether vmap refuses an operation; torch has no class for that, but names vmap in what it says."""
    said = str(error).lower()
    return "vmap" in said or "batching rule" in said


def _seconds(step: Callable[..., object], batches: Sequence[tuple[Tensor, Tensor, Tensor | None]]) -> float:
    """Return the time of the fastest step; the first one only warms up."""
    times = []
    for batch in batches:
        start = time.perf_counter()
        step(*batch)
        if batch[1].is_cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[1:] or times)

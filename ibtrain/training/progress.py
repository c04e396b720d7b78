"""What a run remembers while it goes on: one line for every epoch, and a checkpoint to go on from.

The lines are appended and never changed; the checkpoint is replaced in one piece and holds tensors and plain values
only, so reading it executes nothing. An epoch's seed follows from the run's, so no state of a generator is needed to go
on exactly.
"""

import dataclasses
import io
import json
import math
import operator
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_origin

import torch

from ibtrain.errors import ConfigError
from ibtrain.runs import Row
from imeasure.files import read_bytes, unwritable, write_bytes

METRICS, CHECKPOINT = "metrics.jsonl", "checkpoint.pt"

_MOST_EPOCHS = 2**30  # bytes
_INFINITIES = {"inf": math.inf, "-inf": -math.inf}

FORMAT = 1
"""Number of the format of epochs and checkpoints; a version that reads another one says so."""


@dataclasses.dataclass(frozen=True)
class Epoch:
    """What one pass over the training data gave.

    Args:
        number: Which pass, from 1.
        loss: Mean of the loss over the batches, in nats.
        terms: Means of its terms by surrogate, without coefficients, in nats.
        train_accuracy: Share of the training data classified rightly after the pass.
        test_accuracy: Share of the test data classified rightly after the pass.
        learning_rate: The rate it was walked with.
        rows: What was measured after it, in tidy form.
        broken: Names of the invariants that did not hold.
        seconds: How long it took.
    """

    number: int
    loss: float
    terms: dict[str, float]
    train_accuracy: float
    test_accuracy: float
    learning_rate: float
    rows: tuple[Row, ...] = ()
    broken: tuple[str, ...] = ()
    seconds: float = dataclasses.field(default=0.0, compare=False)

    def to_json(self) -> str:
        """Return the epoch as one line of JSON: what is not a number is null, infinities are texts `"inf"`, `"-inf"`.

        Example:
            >>> line = Epoch(1, 0.5, {}, train_accuracy=1.0, test_accuracy=math.nan, learning_rate=math.inf).to_json()
            >>> line[40:108]
            '"train_accuracy": 1.0, "test_accuracy": null, "learning_rate": "inf"'
        """
        return json.dumps(_written(dataclasses.asdict(self)), allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> "Epoch":
        """Read a line that `to_json` wrote.

        Raises:
            ValueError: If it is no such line.
        """
        try:
            values = json.loads(line)
            rows = tuple(Row(**_read(row, Row)) for row in values.pop("rows"))
            terms = {name: _number(value) for name, value in values.pop("terms").items()}
            epoch = cls(rows=rows, broken=tuple(values.pop("broken")), terms=terms, **_read(values, cls))
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(f"no epoch: {error!r}") from None
        fits = _fields_fit(epoch) and all(map(_fields_fit, epoch.rows))
        if not fits or not all(_fits(value, float) for value in epoch.terms.values()):
            raise ValueError("no epoch: it holds values of other kinds")
        return epoch


def _written(value: object) -> object:
    """Return plain values without the numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_written(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def _read(values: dict[str, Any], kind: type) -> dict[str, Any]:
    """Return what was read with the numbers back that JSON does not have, where the kind has numbers."""
    numbers = {field.name for field in dataclasses.fields(kind) if field.type is float}
    return {name: _number(value) if name in numbers else value for name, value in values.items()}


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return _INFINITIES.get(value, value)
    return math.nan if value is None else value


def _fields_fit(record: Epoch | Row) -> bool:
    kinds = {field.name: get_origin(field.type) or field.type for field in dataclasses.fields(record)}
    return all(_fits(getattr(record, name), kind) for name, kind in kinds.items())


def _fits(value: object, kind: Any) -> bool:
    if isinstance(value, int) and kind in (int, float):
        return abs(value) < 2**63  # longer ones are no floats
    return isinstance(value, kind)


def append_epoch(folder: Path, epoch: Epoch) -> None:
    """Append an epoch to a run's lines, on the disk when this returns.

    Args:
        folder: The run's folder.
        epoch: The epoch.

    Raises:
        ConfigError: If it cannot be written.
    """
    path = folder / METRICS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            if file.tell() and not _ends_with_newline(path):
                file.write(b"\n")
            file.write(epoch.to_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(path, error) from None


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def read_epochs(folder: Path, *, until: int) -> tuple[Epoch, ...]:
    """Return the epochs 1 to `until` of a run; of an epoch that was walked twice, the last.

    Args:
        folder: The run's folder.
        until: Number of the last one wanted.

    Raises:
        ConfigError: If one is missing.
    """
    path = folder / METRICS
    lines = read_bytes(path, "epochs", most=_MOST_EPOCHS).split(b"\n") if path.is_file() else ()
    found = {epoch.number: epoch for epoch in _readable(lines)}
    missing = next((number for number in range(1, until + 1) if number not in found), None)
    if missing is not None:
        raise ConfigError(
            f"{path} has no epoch {missing}, though the checkpoint beside it was made after epoch {until}: "
            f"delete the folder {folder} to train the run again"
        )
    return tuple(found[number] for number in range(1, until + 1))


def epochs_after(folder: Path, offset: int) -> tuple[tuple[Epoch, ...], int]:
    """Return the epochs that were appended to a run's lines since one looked, for those who watch another process.

    Args:
        folder: The run's folder.
        offset: Where the last look ended; 0 at first.

    Returns:
        The epochs in the order of their lines, and where this look ended.
    """
    path = folder / METRICS
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except OSError:
        return (), offset
    whole = content[: content.rfind(b"\n") + 1]
    return tuple(_readable(whole.split(b"\n"))), offset + len(whole)


def _readable(lines: Iterable[bytes]) -> Iterator[Epoch]:
    for line in lines:
        try:
            yield Epoch.from_json(line.decode())
        except ValueError:
            continue  # a line that was cut off when the run was killed: its epoch was walked again


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Replace a run's checkpoint, in one piece.

    Args:
        folder: The run's folder.
        state: Tensors, numbers, texts, and lists and dictionaries of them.

    Raises:
        ConfigError: If it cannot be written; the one before stays.
    """
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    write_bytes(folder / CHECKPOINT, buffer.getvalue())


_MOVING = {"best", "num_bad_epochs", "last_epoch"}  # what a schedule has to remember


def require_fitting(state: dict[str, Any], *, optimizer: Any, schedule: Any, precision: dict[str, Any]) -> None:
    """Refuse a checkpoint whose states are of another form, for who loads them takes whatever is there.

    Args:
        state: The checkpoint.
        optimizer: That of the run.
        schedule: That of the run.
        precision: The state of the run's precision.

    Raises:
        ValueError: If a value is of another kind or shape.
    """
    groups, found = optimizer.state_dict()["param_groups"], state["optimizer"]
    shapes = [tuple(parameter.shape) for group in optimizer.param_groups for parameter in group["params"]]
    kept = found["state"].items()
    moments = ((shapes[number], value) for number, of_one in kept for value in of_one.values())
    if not all(map(_alike, found["param_groups"], groups)) or not all(
        _is_moment(value, shape) for shape, value in moments
    ):
        raise ValueError("its optimiser's state is another one's")
    if not _alike(state["schedule"], schedule.state_dict()) or not state["schedule"].keys() >= _MOVING:
        raise ValueError("its schedule's state is another one's")
    if not _alike(state.get("precision", {}), precision):
        raise ValueError("the state of its precision is another one's")


def _alike(found: object, own: object) -> bool:
    """Say whether what was read has the form of what a run has itself; another version may have written less."""
    if isinstance(own, dict):
        return isinstance(found, dict) and all(key in own and _alike(found[key], own[key]) for key in found)
    if isinstance(own, list | tuple):
        return type(found) is type(own) and len(found) == len(own) and all(map(_alike, found, own))
    if isinstance(own, int | float):
        return isinstance(found, int | float)
    return type(found) is type(own)


def _is_moment(value: object, shape: tuple[int, ...]) -> bool:
    """Say whether an optimiser may keep a value for a parameter: none, a number, or a tensor of its shape."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape) in ((), shape)
    return value is None or isinstance(value, int | float)


def _require_unpacked(path: Path) -> None:
    """Refuse what would take more memory than the file is long; torch writes archives without compression."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > path.stat().st_size:
            raise ValueError("the archive is compressed, or its parts overlap")


def load_checkpoint(folder: Path, *, digest: str) -> dict[str, Any] | None:
    """Return a run's checkpoint, or None if there is none.

    Args:
        folder: The run's folder.
        digest: Digest of the run's configuration, which the checkpoint must be of.

    Raises:
        ConfigError: If it cannot be read, or is of another configuration or another format.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        _require_unpacked(path)
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found, epoch = state["digest"], operator.index(state["epoch"])
    except Exception:  # torch raises whatever the bytes lead it to, and advises to load unsafely
        raise ConfigError(
            f"cannot read the checkpoint {path}: it is damaged, or holds more than tensors and plain values; "
            "delete it to train the run from its beginning"
        ) from None
    if state.get("format", FORMAT) != FORMAT:
        raise ConfigError(
            f"the checkpoint {path} was written by another version, in format {state['format']} (this one reads "
            f"{FORMAT}): go on with that version, or use another folder"
        )
    if epoch < 1:
        raise ConfigError(f"the checkpoint {path} is of no epoch: delete it to train the run from its beginning")
    if found != digest:
        raise ConfigError(
            f"the checkpoint {path} is of the configuration {found}, not of {digest}: use another folder, or delete it"
        )
    return state

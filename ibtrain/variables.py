"""Variables stored in files: arrays from npz and safetensors files, columns from csv files.

Files come from anywhere, so nothing is unpickled, and whatever is wrong with a file ends in one error that
names it.
"""

import csv
import io
import math
import re
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ibtrain.errors import ConfigError
from imeasure.files import read_text

Variables = Mapping[str, NDArray[np.generic]]
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none"})
"""Cells of a csv file, in lower case, that stand for a missing value."""
LARGEST = 2**32
"""Most bytes of all arrays of a file together: 4 GiB."""
_SHORT = 100
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    MemoryError,
    ArithmeticError,
    SyntaxError,
    zipfile.BadZipFile,
    csv.Error,
    tokenize.TokenError,
    zlib.error,
)
"""What the readers of damaged files raise."""


def read_variables(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the variables of a file by name.

    An npz or safetensors file holds one array for each variable, N numbers or N x K. In a csv file the columns `Z0`,
    `Z1`, ... are the dimensions of Z, and a column of any other name is a variable. Columns of a csv file are numbers
    where that tells all different cells apart, and text otherwise, so that long codes never merge by rounding.

    Args:
        path: The file; its suffix says what it is.

    Raises:
        ConfigError: If the file cannot be read as what its suffix says, or the suffix is unknown. Pickled objects
            are refused.
    """
    readers: dict[str, Callable[[Path], dict[str, NDArray[np.generic]]]] = {
        ".npz": _read_npz,
        ".csv": _read_csv,
        ".safetensors": _read_safetensors,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path} has none of the known suffixes: {', '.join(readers)}")
    try:
        return reader(path)
    except UNREADABLE as error:
        said = " ".join(str(error).split()) or "it is damaged or ends too early"
        raise ConfigError(f"{path} cannot be read: {said}") from error


def _read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of an npz file without unpickling anything, in as much memory as they have bytes."""
    with path.open("rb") as stream:
        start = stream.read(6)
    if start.startswith(b"\x93NUMPY"):
        raise ConfigError(f"{path} holds one array without a name: save it with numpy.savez({path.name!r}, Z=...)")
    if not start.startswith(b"PK"):
        raise ConfigError(f"{path} cannot be read: it is no file of numpy.savez")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.compress_size for member in members) > path.stat().st_size:
            raise ConfigError(f"{path} cannot be read: its members overlap, or are longer than the file")
        _refuse_large(path, sum(member.file_size for member in members))
        return {member.filename.removesuffix(".npy"): _member(archive, member) for member in members}


def _refuse_large(path: Path, size: int) -> None:
    if size > LARGEST:
        raise ConfigError(f"{path} cannot be read: it holds {size / 2**30:.1f} GiB, more than {LARGEST >> 30} GiB")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.generic]:
    """Return an array of an npz file, if it is as long as its header says."""
    name = member.filename.removesuffix(".npy")
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError(f"{name} is compressed in a way that numpy does not write")
    with archive.open(member) as stream:
        try:
            read_header = _HEADERS[np.lib.format.read_magic(stream)]
        except (ValueError, KeyError):
            raise ValueError(f"its member {name} is no array") from None
        shape, _, dtype = read_header(stream)
        length = math.prod(shape) * dtype.itemsize + stream.tell()
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects; save labels as numbers, or as texts with dtype=str")
    if min(shape, default=0) < 0 or not dtype.itemsize or length != member.file_size:
        raise ValueError(f"{name} is not as long as its header says")
    with archive.open(member) as stream:
        array: NDArray[np.generic] = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _read_csv(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the columns of a csv file with a header; numbered columns of one name become one variable."""
    reader = csv.reader(io.StringIO(read_text(path, "table"), newline=""), strict=True)
    lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    lines = [(number, row) for number, row in lines if row not in ([], [""])]
    if len(lines) < 2:
        raise ConfigError(f"{path} cannot be read: a line of names and lines of values are needed")
    header, rows = lines[0][1], [row for _, row in lines[1:]]
    if len(header) == 1 and re.search(r"[;\t]", header[0]):
        raise ConfigError(f"{path} cannot be read: its columns must be separated by commas, with points in numbers")
    if as_numbers(np.array(header)).dtype.kind == "f":
        raise ConfigError(f"{path} cannot be read: its first line holds numbers, but must name the columns: Z0,Z1,Y")
    if len(set(header)) < len(header):
        raise ConfigError(f"{path} cannot be read: two columns have the same name among {', '.join(header)}")
    for number, row in lines:
        if len(row) != len(header):
            raise ConfigError(f"{path} cannot be read: {len(header)} columns, but {len(row)} up to line {number}")
    groups: dict[str, list[NDArray[np.generic]]] = {}
    for name, cells in zip(header, zip(*rows, strict=True), strict=True):
        numbered = re.fullmatch(r"([A-Za-z]+)_?\d+", name)
        groups.setdefault(numbered.group(1) if numbered else name, []).append(_column(cells))
    return {name: columns[0] if len(columns) == 1 else np.stack(columns, axis=1) for name, columns in groups.items()}


def _column(cells: tuple[str, ...]) -> NDArray[np.generic]:
    """Return the cells as numbers if that keeps different ones apart, else as text; missing ones as NaN or None."""
    kept = [None if cell.lower() in MISSING else cell for cell in cells]
    # An array of texts gives each of them the memory of the longest.
    text = np.array(kept, dtype=object if None in kept or max(map(len, cells)) > _SHORT else None)
    numbers = as_numbers(text)
    if numbers.dtype.kind != "f":
        return text
    distinct = len(set(numbers[~np.isnan(numbers)].tolist()))
    return numbers if distinct == len({*kept} - {None}) else text


def as_numbers(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return text as numbers where all of it is, and anything else as it is."""
    if values.dtype.kind not in "UO" or any("_" in cell for cell in values.ravel() if isinstance(cell, str)):
        return values
    try:
        return values.astype(np.float64)
    except (ValueError, TypeError):
        return values


def _read_safetensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of a safetensors file."""
    try:
        from safetensors import SafetensorError  # noqa: PLC0415 - only this kind of file needs the library
        from safetensors.torch import load_file  # noqa: PLC0415 - see above
    except ImportError as error:
        raise ConfigError(
            "reading .safetensors files needs the safetensors library: pip install safetensors"
        ) from error
    _refuse_large(path, path.stat().st_size)
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    return {name: _array(tensor) for name, tensor in tensors.items()}


def _array(tensor: torch.Tensor) -> NDArray[np.generic]:
    """Return a tensor as an array, in float32 where numpy lacks its type."""
    known = not tensor.is_floating_point() or tensor.dtype in {torch.float64, torch.float32, torch.float16}
    array: NDArray[np.generic] = (tensor if known else tensor.float()).numpy()
    return array

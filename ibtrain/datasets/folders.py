"""Folders of images, `train/<class>/...` and `test/<class>/...`, decoded once.

Decoding tens of thousands of files takes longer than an epoch, so the bytes of the decoded images are kept in a cache:
one safetensors file, written in one piece, named by the hash of every file's path, size and time of change, so a
changed folder is decoded anew. A safetensors file holds tensors and nothing that could be executed.
"""

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ibtrain.datasets.dataset import Dataset
from ibtrain.datasets.sets import channel_moments
from ibtrain.errors import ConfigError

_SCALE = "scale them by size=, in a configuration data.image_size"
_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".webp"}


def image_folder(root: str | Path, *, size: int | None = None, cache: str | Path | None = None) -> Dataset:
    """Return the images of a folder: `root/train/<class>/NAME.jpg` and `root/test/<class>/NAME.jpg`.

    Classes are the names of the folders of `train`, sorted; `test` has no others. Images are read as RGB, 8 bits a
    channel.

    Args:
        root: The folder.
        size: Height and width to which images are scaled; without it all must have one size.
        cache: Folder of decoded images; by default `imeasure` in the user's cache folder (`XDG_CACHE_HOME`).

    Raises:
        ConfigError: If the folder has not this layout, a file is no image of 8 bits a channel, images differ in size,
            the size is no number of pixels, or the cache cannot be written.
    """
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise ConfigError(f"images are scaled to a whole number of pixels, at least one, not {size!r}")
    folder = Path(root)
    parts = {part: _files(folder / part) for part in ("train", "test")}
    classes = sorted({path.parent.name for path in parts["train"]})
    if {path.parent.name for path in parts["test"]} - set(classes):
        raise ConfigError(f"{folder / 'test'} has classes that {folder / 'train'} has not")
    kept = _cache_folder(cache) / f"{_fingerprint(folder, parts, size)}.safetensors"
    tensors = _read(kept, parts)
    if tensors is None:
        tensors = {part: _decoded(files, size) for part, files in parts.items()}
        _keep(kept, tensors)
    if tensors["train"].shape[1:] != tensors["test"].shape[1:]:
        raise ConfigError(f"the images below {folder} differ in size between train and test: {_SCALE}")
    targets = {part: torch.tensor([classes.index(path.parent.name) for path in files]) for part, files in parts.items()}
    mean, deviation = channel_moments(tensors["train"])
    return Dataset(
        name=folder.name,
        num_classes=len(classes),
        train_inputs=tensors["train"],
        train_targets=targets["train"],
        test_inputs=tensors["test"],
        test_targets=targets["test"],
        mean=mean,
        deviation=deviation,
        note="images decoded from JPEG, which loses detail" if _is_jpeg(parts["train"]) else "",
    )


def _files(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise ConfigError(f"no images in {folder}: it needs folders named by class with {', '.join(sorted(_SUFFIXES))}")
    return files


def _is_jpeg(files: list[Path]) -> bool:
    return any(path.suffix.lower() in {".jpg", ".jpeg"} for path in files)


def _fingerprint(folder: Path, parts: dict[str, list[Path]], size: int | None) -> str:
    digest = hashlib.sha256(f"{folder.resolve()} {size}".encode())
    for files in parts.values():
        for path in files:
            status = path.stat()
            digest.update(f"{path.relative_to(folder)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _cache_folder(cache: str | Path | None) -> Path:
    if cache is not None:
        return Path(cache)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imeasure"


def _decoded(files: list[Path], size: int | None) -> Tensor:
    with ThreadPoolExecutor() as pool:
        images = list(pool.map(lambda path: _image(path, size), files))
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        sizes = ", ".join(sorted(f"{height} x {width}" for height, width, _ in shapes)[:3])
        raise ConfigError(f"the images in {files[0].parent.parent} have different sizes ({sizes}): {_SCALE}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def _image(path: Path, size: int | None) -> np.ndarray:
    try:
        with Image.open(path) as image:
            is_deep = image.mode.startswith(("I", "F"))
            colours = image.convert("RGB")
            scaled = colours if size is None else colours.resize((size, size), Image.Resampling.BICUBIC)
            pixels = np.asarray(scaled)
    except Exception as error:  # a decoder raises whatever the bytes lead it to
        raise ConfigError(f"cannot read the image {path}: {error}; remove it or mend it") from None
    if is_deep:  # all levels above 255 are cut off
        raise ConfigError(f"the image {path} has more than 8 bits a channel; save it with 8")
    return pixels


def _read(path: Path, parts: dict[str, list[Path]]) -> dict[str, Tensor] | None:
    """Return the decoded images if they are there and sound."""
    if not path.is_file():
        return None
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError):
        return None
    return tensors if set(tensors) == set(parts) and all(_fit(tensors[part], parts[part]) for part in parts) else None


def _fit(images: Tensor, files: list[Path]) -> bool:
    return images.dtype == torch.uint8 and images.ndim == 4 and images.shape[:2] == (len(files), 3)


def _keep(path: Path, tensors: dict[str, Tensor]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".decoding") as folder:
            save_file(tensors, Path(folder) / path.name)
            (Path(folder) / path.name).replace(path)
    except OSError as error:
        raise ConfigError(
            f"cannot keep the decoded images in {path.parent}: {error}; name another folder by cache= or XDG_CACHE_HOME"
        ) from None

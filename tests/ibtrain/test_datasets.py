"""Data sets: honest splits, the right scaling, images decoded once, clear refusals."""

import dataclasses
import gzip
import os
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from ibtrain import ConfigError, datasets
from ibtrain.config import DataConfig
from ibtrain.datasets.dataset import augmented
from ibtrain.training import load_data


def write_idx(path, array):
    header = struct.pack(">HBB", 0, 8, array.ndim) + b"".join(struct.pack(">I", size) for size in array.shape)
    path.write_bytes(header + array.tobytes())


@pytest.fixture
def pictures(tmp_path):
    generator = np.random.default_rng(0)
    for part, count in (("train", 4), ("test", 2)):
        for name in ("cat", "dög"):
            folder = tmp_path / "two words" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 256, (6, 5, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "two words"


def test_digits_are_split_alike_for_every_class_and_share_no_sample():
    data = datasets.digits()
    shares = torch.bincount(data.test_targets) / torch.bincount(data.train_targets)
    assert (shares - 0.25).abs().max() < 0.02
    train = {row.numpy().tobytes() for row in data.train_inputs}
    assert not train & {row.numpy().tobytes() for row in data.test_inputs}


def test_mnist_is_read_from_its_own_format(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for part, count in (("train", 30), ("t10k", 20)):
        images = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        write_idx(raw / f"{part}-images-idx3-ubyte", images)
        write_idx(raw / f"{part}-labels-idx1-ubyte", labels)
        if part == "train":
            expected = images
    data = datasets.mnist(tmp_path)
    assert data.train_inputs.shape == (30, 1, 28, 28)
    assert (data.train_inputs[:, 0].numpy() == expected).all()
    assert data.mean[0] == pytest.approx(expected.mean())
    assert data.deviation[0] == pytest.approx(expected.std())
    prepared = data.prepare(data.train_inputs)
    assert prepared.mean().item() == pytest.approx(0, abs=1e-5)
    assert prepared.std(correction=0).item() == pytest.approx(1, abs=1e-5)


@pytest.mark.skipif("IBTRAIN_DATA" not in os.environ, reason="IBTRAIN_DATA names no folder with MNIST")
def test_the_real_mnist_has_its_known_moments():
    data = datasets.mnist(os.environ["IBTRAIN_DATA"])
    assert data.train_inputs.shape == (60000, 1, 28, 28)
    assert data.test_inputs.shape == (10000, 1, 28, 28)
    assert data.mean[0] / 255 == pytest.approx(0.1307, abs=1e-4)
    assert data.deviation[0] / 255 == pytest.approx(0.3081, abs=1e-4)
    assert torch.bincount(data.train_targets).tolist()[:2] == [5923, 6742]


@pytest.mark.parametrize("load", [datasets.mnist, datasets.cifar10])
def test_a_missing_set_is_not_downloaded_but_said(load, tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read the data set .*[a-z]; give download=True to fetch it"):
        load(tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_damaged_mnist_is_refused(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{part}-ubyte").write_bytes(gzip.compress(b"nothing of the kind"))
    with pytest.raises(ConfigError, match="cannot read the data set mnist"):
        datasets.mnist(tmp_path)


def test_an_image_folder_is_decoded_once_and_anew_when_it_changes(pictures, tmp_path, monkeypatch):
    cache = tmp_path / "decoded"
    first = datasets.image_folder(pictures, cache=cache)
    assert first.num_classes == 2
    assert first.train_inputs.shape == (8, 3, 6, 5)
    assert first.train_targets.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (
        np.asarray(Image.open(pictures / "train/cat/2.png")) == first.train_inputs[2].permute(1, 2, 0).numpy()
    ).all()
    assert len(list(cache.iterdir())) == 1
    with monkeypatch.context() as context:
        context.setattr(Image, "open", lambda path: pytest.fail(f"{path} was decoded again"))
        assert torch.equal(datasets.image_folder(pictures, cache=cache).train_inputs, first.train_inputs)
    (pictures / "train/cat/0.png").unlink()
    assert len(datasets.image_folder(pictures, cache=cache).train_targets) == 7


def test_a_cut_off_cache_is_decoded_anew(pictures, tmp_path):
    cache = tmp_path / "decoded"
    first = datasets.image_folder(pictures, cache=cache)
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    assert torch.equal(datasets.image_folder(pictures, cache=cache).train_inputs, first.train_inputs)


def test_images_of_different_sizes_need_a_size(pictures, tmp_path):
    Image.new("L", (9, 9)).save(pictures / "train/cat/9.png")
    with pytest.raises(ConfigError, match="different sizes"):
        datasets.image_folder(pictures, cache=tmp_path / "decoded")
    assert datasets.image_folder(pictures, size=8, cache=tmp_path / "decoded").input_shape == (3, 8, 8)


def test_a_file_that_is_no_image_is_named(pictures, tmp_path):
    (pictures / "train/cat/1.png").write_text("no image")
    with pytest.raises(ConfigError, match=r"cannot read the image .*1\.png"):
        datasets.image_folder(pictures, cache=tmp_path / "decoded")
    Image.fromarray(np.full((6, 5), 40_000, dtype=np.uint16)).save(pictures / "train/cat/1.png")
    with pytest.raises(ConfigError, match=r"1\.png has more than 8 bits a channel; save it with 8"):
        datasets.image_folder(pictures, cache=tmp_path / "decoded")
    with pytest.raises(ConfigError, match="a whole number of pixels, at least one, not 0"):
        datasets.image_folder(pictures, size=0, cache=tmp_path / "decoded")


def test_permuted_pixels_are_the_same_pixels_in_one_other_order():
    data = datasets.digits()
    changed = datasets.permuted(data, seed=1)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(1))
    assert torch.equal(changed.train_inputs, data.train_inputs[:, order])
    assert torch.equal(changed.test_inputs, data.test_inputs[:, order])
    assert not torch.equal(datasets.permuted(data, seed=2).train_inputs, changed.train_inputs)


def test_label_noise_replaces_exactly_its_share_evenly_and_leaves_the_test_part():
    data = datasets.digits()
    noisy = datasets.with_label_noise(data, 0.5, seed=3)
    wrong = noisy.train_targets != data.train_targets
    assert wrong.sum() == round(0.5 * len(wrong))
    assert torch.equal(noisy.test_targets, data.test_targets)
    moved = torch.bincount((noisy.train_targets - data.train_targets)[wrong] % 10, minlength=10)
    assert moved[0] == 0
    expected = wrong.sum().item() / 9
    assert (moved[1:] - expected).abs().max() < 4.5 * expected**0.5
    with pytest.raises(ConfigError, match="between 0 and 1"):
        datasets.with_label_noise(data, 1.5)
    single = dataclasses.replace(
        data, num_classes=1, train_targets=data.train_targets * 0, test_targets=0 * data.test_targets
    )
    with pytest.raises(ConfigError, match="digits has a single class, so no label can be wrong"):
        datasets.with_label_noise(single, 0.5)


def test_augmentation_moves_and_mirrors_whole_images():
    torch.manual_seed(0)
    image = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8)
    found = augmented(image.expand(400, 1, 8, 8), shift=1)
    padded = torch.nn.functional.pad(image.float(), (1,) * 4, mode="reflect").to(torch.uint8)[0, 0]
    windows = [padded[r : r + 8, c : c + 8] for r in range(3) for c in range(3)]
    expected = {w.numpy().tobytes() for window in windows for w in (window, window.flip(1).contiguous())}
    assert {one[0].contiguous().numpy().tobytes() for one in found} == expected
    assert torch.equal(augmented(image, shift=0, flip=False), image)


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (torch.zeros(3, 2), torch.tensor([0, 1]), "one target for each input"),
        (torch.zeros(2, 2), torch.tensor([0, 2]), r"not in 0 \.\.\. 1"),
        (torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), "at least one"),
        (
            torch.zeros(2, 2),
            torch.tensor([0.0, 1.0]),
            "the test targets of mine are torch.float32: give classes as int64",
        ),
        (torch.zeros(2, 3), torch.tensor([0, 1]), r"other shapes in the two parts: \(2, 2\) and \(2, 3\)"),
    ],
)
def test_inputs_and_targets_that_do_not_fit_are_refused(inputs, targets, message):
    good = (torch.zeros(2, 2), torch.tensor([0, 1]))
    with pytest.raises(ConfigError, match=message):
        datasets.Dataset("mine", 2, *good, inputs, targets)


def test_a_part_of_the_test_data_is_drawn_at_random_and_leaves_the_training_data():
    whole, part = load_data(DataConfig()), load_data(DataConfig(test_samples=100))
    assert torch.equal(whole.train_inputs, part.train_inputs)
    assert len(part.test_targets) == len(part.test_inputs) == 100
    assert not torch.equal(whole.test_targets[:100], part.test_targets)
    with pytest.raises(ConfigError, match=r"data\.test_samples = 400, but digits has 360 test samples"):
        load_data(DataConfig(test_samples=400))

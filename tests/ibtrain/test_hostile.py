"""Files and folders that nobody should trust: whatever they hold, one of the project's errors says so, soon."""

import dataclasses
import io
import json
import os
import re
import struct
import sys
import zipfile
from contextlib import suppress

import numpy as np
import pytest
import torch
from mutations import mutations, watched
from PIL import Image
from safetensors.torch import save_file
from untrained import SHORT, refused, rows_of, run, store_two

from ibtrain import Config, ConfigError, train
from ibtrain.datasets import image_folder
from ibtrain.errors import InformationError
from ibtrain.experiments import Experiment
from ibtrain.guarantee import Guarantee
from ibtrain.records import collect
from ibtrain.runs import read_rows, write_rows
from ibtrain.training.progress import CHECKPOINT, METRICS, Epoch, load_checkpoint, read_epochs
from ibtrain.variables import LARGEST, read_variables


@pytest.fixture
def finished(tmp_path):
    return store_two(tmp_path / "runs")


def arrays():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, Z=np.arange(12.0).reshape(6, 2), Y=np.array(["a", "b"] * 3))
    return buffer.getvalue()


def tensors(folder):
    save_file({"Z": torch.arange(12.0).reshape(6, 2), "Y": torch.arange(6) % 2}, folder / "whole.safetensors")
    return (folder / "whole.safetensors").read_bytes()


def archive(path, content, declared=None, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("Z.npy", content)
    if declared is not None:
        data = bytearray(path.read_bytes())
        for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            start = data.index(mark) + place
            data[start : start + 4] = struct.pack("<I", declared)
        path.write_bytes(data)
    return path


def header(shape, kind="<f8"):
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def spoil_variables(folder, count, seed):
    contents = {"a.npz": arrays(), "a.csv": b"Z0,Z1,Y\n0.5,1,a\n2,3,b\n1e3,NaN,a\n", "a.safetensors": tensors(folder)}
    for name, content in contents.items():
        for spoiled in mutations(content, count, seed):
            (folder / name).write_bytes(spoiled)
            with watched(spoiled), suppress(InformationError):
                read_variables(folder / name)


def test_spoiled_arrays_are_read_or_refused(tmp_path):
    spoil_variables(tmp_path, 60, seed=1)


@pytest.mark.slow
def test_many_spoiled_arrays_are_read_or_refused(tmp_path):
    spoil_variables(tmp_path, 5000, seed=2)


@pytest.mark.parametrize(
    "content",
    [
        header("(1000000000000000,)"),
        header("(4000000000,)"),
        header("(100000,)") + bytes(8),
        header("(2,)") + bytes(800_000),
        header("(-1,)") + bytes(8),
        header("(1000000000000000,)", "<U0"),
        header("(1000000000000000, 0)") + bytes(8),
        header("(1,)", "|O") + bytes(8),
        header("(((((((((1,)"),
        header("[1]") + bytes(8),
        b"\x93NUMPY\x09\x00" + bytes(100),
    ],
)
def test_arrays_that_are_not_what_they_claim_are_refused_before_they_take_memory(tmp_path, content):
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        refused(run("estimate", archive(tmp_path / "a.npz", content, method=method), "--quantity", "H[Z]"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 2 ** (
        20 if sys.platform == "darwin" else 10
    )


def test_archives_that_would_grow_beyond_the_limit_are_refused(tmp_path):
    large = archive(tmp_path / "a.npz", header("(536870895,)") + bytes(1000), declared=2**32 - 1)
    assert "not as long as its header says" in refused(run("estimate", large, "--quantity", "H[Z]"))
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as file:
        file.writestr("Z.npy", b"0")
        for info in [zipfile.ZipInfo(f"Z{i}.npy") for i in range(3)]:
            file.writestr(info, b"0")
    data = bytearray((tmp_path / "b.npz").read_bytes())
    for mark in re.finditer(b"PK\x01\x02", bytes(data)):
        data[mark.start() + 24 : mark.start() + 28] = struct.pack("<I", 2**31)
    (tmp_path / "b.npz").write_bytes(data)
    assert f"more than {LARGEST >> 30} GiB" in refused(run("estimate", tmp_path / "b.npz", "--quantity", "H[Z]"))


@pytest.mark.parametrize("length", [0, 7, 2**40, 2**63, 2**64 - 1])
def test_headers_of_tensors_that_lie_about_their_length_are_refused(tmp_path, length):
    content = tensors(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", length) + content[8:])
    refused(run("estimate", tmp_path / "a.safetensors", "--quantity", "H[Z]"))


def test_tensors_of_more_numbers_than_bytes_are_refused(tmp_path):
    text = json.dumps({"Z": {"dtype": "F64", "shape": [10**15], "data_offsets": [0, 8]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    refused(run("estimate", tmp_path / "a.safetensors", "--quantity", "H[Z]"))


def test_one_long_cell_does_not_make_all_of_them_long(tmp_path):
    resource = pytest.importorskip("resource")
    (tmp_path / "a.csv").write_text("Y\n" + "x" * 100_000 + "\na" * 20_000 + "\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "nats" in run("estimate", tmp_path / "a.csv", "--quantity", "H[Y]", "--estimator", "categorical").output
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10**9 / 2**10


def test_spoiled_configurations_are_read_or_refused(tmp_path):
    sweep_file = tmp_path / "sweep.toml"
    Experiment("mine", SHORT, {"seed": (0, 1)}, ({"objective.gamma": 1.0},)).save(tmp_path)
    base, swept = (tmp_path / "config.toml").read_bytes(), sweep_file.read_bytes()
    for config, other in zip(mutations(base, 60, 5), mutations(swept, 60, 5), strict=True):
        (tmp_path / "config.toml").write_bytes(config)
        with watched(config), suppress(InformationError):
            Config.load(tmp_path / "config.toml")
        (tmp_path / "config.toml").write_bytes(base)
        sweep_file.write_bytes(other)
        with watched(other), suppress(InformationError):
            Experiment.load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "seed = " + "9" * 5000,
        "seed = 0x" + "f" * 5000,
        "seed = " + "[" * 50_000,
        "a" + ".a" * 50_000 + " = 1",
        "x = '" + "y" * 10**6 + "'",
        "seed = nan",
        "[objective]\ngamma = " + "9" * 400,
        "[objective]\ngamma = inf",
        '"\\u001b[31m" = 1',
        "\x00",
    ],
)
def test_configurations_with_traps_are_refused_in_one_short_line(tmp_path, text):
    (tmp_path / "config.toml").write_text(text)
    with watched(text):
        refused(run("train", tmp_path / "config.toml", "--out", tmp_path / "out"))
    key, _, value = text.rpartition("\n")[2].partition(" = ")
    (tmp_path / "sound.toml").write_text(SHORT.to_toml())
    refused(run("train", tmp_path / "sound.toml", "--set", f"{key}={value}", "--out", tmp_path / "out"))


def test_sweeps_without_end_are_refused():
    with watched("a sweep"), pytest.raises(ConfigError, match="more than 100000 runs: vary fewer values"):
        Experiment("endless", SHORT, {"seed": tuple(range(400)), "plane.seed": tuple(range(400))})


def test_spoiled_results_are_read_or_refused(tmp_path, finished):
    write_rows(tmp_path / "alone" / "results.csv", rows_of(SHORT))
    content = (tmp_path / "alone" / "results.csv").read_bytes()
    for spoiled in mutations(content, 60, 6):
        (tmp_path / "alone" / "results.csv").write_bytes(spoiled)
        with watched(spoiled), suppress(InformationError):
            collect([tmp_path / "alone"])
    (tmp_path / "alone" / "results.csv").write_bytes(content.replace(b",1,", b"," + b"9" * 30 + b",", 1))
    with pytest.raises(ConfigError, match="a number is too large"):
        read_rows(tmp_path / "alone" / "results.csv")
    (tmp_path / "alone" / "results.csv").write_bytes(content.replace(b"gamma", b"weight", 1))
    with pytest.raises(ConfigError, match="no table of results of this version"):
        read_rows(tmp_path / "alone" / "results.csv")
    (tmp_path / "alone" / "results.csv").write_bytes(content + b"junk\n")
    with pytest.raises(ConfigError, match=r"row \d+ has 1 values for 13 columns"):
        read_rows(tmp_path / "alone" / "results.csv")


EPOCH = Epoch(1, 0.5, {"CrossEntropy[Y|Z]": 0.5}, 0.9, 0.8, 1e-3, rows=tuple(rows_of(SHORT)))


def test_spoiled_epochs_are_left_out(tmp_path):
    line = EPOCH.to_json().encode()
    for spoiled in mutations(line + b"\n", 100, 7):
        (tmp_path / METRICS).write_bytes(spoiled)
        with watched(spoiled), suppress(ConfigError):
            assert read_epochs(tmp_path, until=1)[0].number == 1


def stored(folder, **changes):
    torch.save({"format": 1, "digest": "a", "epoch": 1, "step": {"w": torch.zeros(50)}, **changes}, folder / CHECKPOINT)
    return (folder / CHECKPOINT).read_bytes()


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_spoiled_checkpoints_are_read_or_refused_and_nothing_in_them_is_run(tmp_path):
    for spoiled in mutations(stored(tmp_path), 40, 8):
        (tmp_path / CHECKPOINT).write_bytes(spoiled)
        with watched(spoiled), suppress(ConfigError):
            load_checkpoint(tmp_path, digest="a")
    stored(tmp_path, step=Payload(tmp_path / "made"))
    with pytest.raises(ConfigError, match="holds more than tensors and plain values"):
        load_checkpoint(tmp_path, digest="a")
    assert not (tmp_path / "made").exists()


def test_packed_checkpoints_are_refused(tmp_path):
    stored(tmp_path, step={"w": torch.zeros(10**6)})
    assert load_checkpoint(tmp_path, digest="a") is not None
    with zipfile.ZipFile(tmp_path / CHECKPOINT) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(tmp_path / CHECKPOINT, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    with pytest.raises(ConfigError, match="cannot read the checkpoint"):
        load_checkpoint(tmp_path, digest="a")


def test_a_checkpoint_of_another_form_is_refused(tmp_path):
    train(SHORT, accelerator="cpu", folder=tmp_path)
    sound = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    bomb = [[]]
    for _ in range(60):
        bomb = [bomb, bomb]
    first = next(iter(sound["optimizer"]["state"]))
    changes = (
        lambda state: state["optimizer"]["state"][first].update(exp_avg=torch.zeros(3)),
        lambda state: state["optimizer"]["state"][first].update(exp_avg=bomb),
        lambda state: state["optimizer"]["state"].update({999: {}, 10**6: {"exp_avg": torch.zeros(1)}}),
        lambda state: state["optimizer"]["param_groups"][0].update(lr="fast"),
        lambda state: state["optimizer"].update(param_groups=[]),
        lambda state: state["schedule"].update(step=3),
        lambda state: state["schedule"].update(best=bomb),
        lambda state: state["step"].popitem(),
        lambda state: state.pop("schedule"),
        lambda state: state.update(step=None),
        lambda state: state.update(step={}),
        lambda state: state.update(schedule={}),
        lambda state: state.update(precision="x"),
        lambda state: state.update(precision=-5),
        lambda state: state.update(precision=[]),
    )
    longer = dataclasses.replace(SHORT.training, epochs=1)
    for change in changes:
        state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
        change(state)
        torch.save(state, tmp_path / CHECKPOINT)
        with watched(change), pytest.raises(ConfigError, match=r"\A.*does not fit this version's network.*\Z"):
            train(dataclasses.replace(SHORT, training=longer), accelerator="cpu", folder=tmp_path)
        torch.save(sound, tmp_path / CHECKPOINT)
    assert len(train(SHORT, accelerator="cpu", folder=tmp_path).epochs) == 1


def test_spoiled_guarantees_are_read_or_refused():
    from ibtrain import compile as compiled

    content = compiled("min I[X;Z] - beta*I[Y;Z]", latent="noisy").guarantee.to_json().encode()
    for spoiled in mutations(content, 10, 9):
        with watched(spoiled), suppress(InformationError):
            Guarantee.from_json(spoiled.decode(errors="surrogateescape"))


def test_spoiled_images_are_named_and_spoiled_caches_made_anew(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for kind in ("cat", "dog"):
            folder = tmp_path / "data" / part / kind
            folder.mkdir(parents=True)
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / "1.png")
    made = image_folder(tmp_path / "data", cache=tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    sound = kept.read_bytes()
    for tensors in (
        {"train": torch.zeros(2, 3, 8, 8), "test": torch.zeros(2, 3, 8, 8)},
        {"train": torch.zeros(9, 3, 8, 8, dtype=torch.uint8), "test": torch.zeros(2, 3, 8, 8, dtype=torch.uint8)},
        {"train": torch.zeros(2, dtype=torch.uint8), "test": torch.zeros(2, dtype=torch.uint8)},
    ):
        save_file(tensors, kept)
        again = image_folder(tmp_path / "data", cache=tmp_path / "cache")
        assert torch.equal(again.train_inputs, made.train_inputs)
    for spoiled in mutations(sound, 20, 10):
        kept.write_bytes(spoiled)
        image_folder(tmp_path / "data", cache=tmp_path / "cache")
    path = tmp_path / "data" / "train" / "cat" / "1.png"
    for spoiled in mutations(path.read_bytes(), 60, 11):
        path.write_bytes(spoiled)
        with watched(spoiled), suppress(InformationError):
            image_folder(tmp_path / "data", size=4, cache=tmp_path / "cache2")


def test_documents_of_a_run_that_are_no_text_are_named(finished):
    folder = next(path.parent for path in finished.glob("*/config.toml"))
    (folder / "plan.txt").write_bytes(b"\xff\xfe")
    assert "plan.txt: it is no text in UTF-8" in refused(run("report", finished, "--out", finished / "r.html"))

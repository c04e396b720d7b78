"""The command that estimates from files: every format, hostile files, and options that would be idle."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from ibtrain.cli import cli
from ibtrain.estimators import gaussian, knn


@pytest.mark.parametrize("suffix", ["npz", "csv", "safetensors"])
def test_command_reads_files(tmp_path, suffix):
    rng = np.random.default_rng(14)
    labels = rng.integers(3, size=300)
    sample = rng.standard_normal((300, 2)) + 3 * labels[:, None]
    path = tmp_path / f"latents.{suffix}"
    if suffix == "npz":
        np.savez(path, Z=sample, Y=labels)
    elif suffix == "safetensors":
        pytest.importorskip("safetensors.numpy").save_file({"Z": sample, "Y": labels}, path)
    else:
        rows = [f"{a!r},{b!r},{y}" for (a, b), y in zip(sample.tolist(), labels, strict=True)]
        path.write_text("\n".join(["Z0,Z1,Y", *rows]))
    result = CliRunner().invoke(cli, ["estimate", str(path), "--quantity", "I[Y;Z]", "--json"])
    assert result.exit_code == 0, result.output
    record = json.loads(result.output)
    assert record["value"] == pytest.approx(knn(sample, labels)["I[Y;Z]"].value, abs=1e-12)
    text = CliRunner().invoke(cli, ["estimate", str(path), "--quantity", "H[Y]", "--estimator", "categorical"])
    assert "nats" in text.output


def test_command_refuses_in_one_line(tmp_path):
    path = tmp_path / "bad.npz"
    np.savez(path, Z=np.array([object()], dtype=object))
    for arguments in (["--quantity", "H[Z]"], ["--quantity", "I[X;Z]", "--estimator", "mixture"]):
        result = CliRunner().invoke(cli, ["estimate", str(path), *arguments])
        assert result.exit_code == 2
        assert result.output.startswith("error: ")
        assert "Z holds Python objects; save labels as numbers" in result.output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.npz", b"", "cannot be read"),
        ("broken.npz", b"PK\x03\x04broken", "cannot be read"),
        ("broken.safetensors", b"\xff" * 50, "cannot be read"),
        ("empty.csv", b"", "a line of names"),
        ("header.csv", b"Z,Y\n", "a line of names"),
        ("ragged.csv", b"Z,Y\n1,2\n3\n", "2 columns"),
        ("twice.csv", b"Z,Z\n1,2\n", "same name"),
        ("bytes.csv", b"\xff\xfe\x00", "cannot read the table"),
        ("long.csv", b"Z\n" + b"1" * 200_000, "cannot be read"),
        ("other.csv", b"A\n1\n2\n", "needs a variable Z"),
        ("text.csv", b"Z\n1\noops\n", "Z must hold real numbers, but one is 'oops'"),
        ("semicolons.csv", b"Z0;Z1;Y\n1,5;2,5;3\n", "separated by commas"),
        ("tabs.csv", b"Z\tY\n1\t2\n", "separated by commas"),
        ("nameless.csv", b"1.5,2\n2.5,3\n", "first line holds numbers"),
        ("open.csv", b'Z,Y\n1,"a\n2,b\n', "cannot be read"),
        ("lines.csv", b'"A\nB",Y\n1,2\n2,3\n', "the file holds A B, Y"),
        ("junk.npz", b"hello", "it is no file of numpy.savez"),
        ("notes.txt", b"1", "known suffixes"),
    ],
)
def test_command_refuses_broken_files(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    result = CliRunner().invoke(cli, ["estimate", str(path), "--quantity", "H[Z]"])
    assert result.exit_code == 2
    assert said in result.output
    assert result.output.count("\n") == 1


def test_blank_lines_of_a_table_are_no_samples(tmp_path):
    path = table(tmp_path / "full.csv", "ab" * 30)
    expected = asked(path, "--quantity", "I[Y;Z]").output
    path.write_text(path.read_text().replace("\n", "\n  \n\n"))
    assert asked(path, "--quantity", "I[Y;Z]").output == expected


def test_command_reads_any_spelling_and_refuses_idle_options(tmp_path):
    path = tmp_path / "änderung.CSV"
    rows = [f"{z!r},{y}" for z, y in zip(np.random.default_rng(0).normal(size=60).tolist(), "ab" * 30, strict=True)]
    path.write_text("\n".join(["Z,Y", *rows]), encoding="utf-8-sig")
    first, second = (CliRunner().invoke(cli, ["estimate", str(path), "--quantity", q]) for q in ("I[Y;Z]", "I[Z; Y]"))
    assert first.exit_code == 0
    assert first.output == second.output
    for options in (["--estimator", "gaussian", "--k", "3"], ["--estimator", "ksg", "--noise-variance", "1"]):
        refused = CliRunner().invoke(cli, ["estimate", str(path), "--quantity", "H[Z]", *options])
        assert refused.exit_code == 2
        assert "leave" in refused.output


def asked(path, *options):
    return CliRunner().invoke(cli, ["estimate", str(path), *options])


def table(path, labels, header="Z,Y", seed=3):
    numbers = np.random.default_rng(seed).normal(size=len(labels)).tolist()
    path.write_text("\n".join([header, *(f"{z!r},{y}" for z, y in zip(numbers, labels, strict=True))]))
    return path


@pytest.mark.parametrize(
    "codes", [("9007199254740992", "9007199254740993"), ("1e5", "100000"), ("1e400", "1e500"), ("7", "07")]
)
def test_codes_in_a_table_never_merge(tmp_path, codes):
    path = table(tmp_path / "codes.csv", codes * 40, header="Z, Y")
    found = asked(path, "--quantity", "H[Y]", "--estimator", "categorical", "--json")
    assert json.loads(found.output)["bits"] == pytest.approx(1)
    assert asked(path, "--quantity", "H[Y|Z]").exit_code == 0


@pytest.mark.parametrize("labels", [["0", "1", ""], ["cat", "dog", ""], ["cat", "dog", "NA"], ["0", "1", "nan"]])
def test_missing_cells_are_refused_where_they_are_used(tmp_path, labels):
    path = table(tmp_path / "missing.csv", labels * 20)
    for options in (["--quantity", "I[Y;Z]"], ["--quantity", "H[Y]", "--estimator", "categorical"]):
        refused = asked(path, *options)
        assert refused.exit_code == 2
        assert "missing" in refused.output
    assert asked(path, "--quantity", "H[Z]").exit_code == 0


def test_numbers_written_in_two_ways_are_numbers(tmp_path):
    path = tmp_path / "ways.csv"
    path.write_text("\n".join(["Z", "0.5", "0.50", *map(repr, np.random.default_rng(0).normal(size=300).tolist())]))
    assert asked(path, "--quantity", "H[Z]").exit_code == 0


def test_damaged_archives_are_refused_in_one_line(tmp_path):
    member = io.BytesIO()
    np.save(member, np.random.default_rng(0).normal(size=3000))
    contents = [member.getvalue()]
    for shape in ("(1000000000000000,)", "(99999999999999999999, 4)", "('a"):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
        contents.append(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        for content in contents:
            path = tmp_path / "damaged.npz"
            with zipfile.ZipFile(path, "w", method) as file:
                file.writestr("Z.npy", content)
            data = bytearray(path.read_bytes())
            data[60:200] = bytes(140)
            for written in (data, None):
                if written is not None or content is not contents[0]:
                    path.write_bytes(written if written is not None else path.read_bytes())
                    refused = asked(path, "--quantity", "H[Z]")
                    assert refused.exit_code == 2
                    assert refused.output.startswith("error: ")
                    assert refused.output.count("\n") == 1


def test_an_array_without_a_name_says_how_to_name_it(tmp_path):
    path = tmp_path / "latents.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    assert "numpy.savez" in asked(path, "--quantity", "H[Z]").output
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("Z", b"text")
    assert "its member Z is no array" in asked(path, "--quantity", "H[Z]").output


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float8_e4m3fn])
def test_short_floats_are_read(tmp_path, kind):
    path = tmp_path / "short.safetensors"
    values = torch.randn(300, 6, generator=torch.Generator().manual_seed(0)).to(kind)
    pytest.importorskip("safetensors.torch").save_file({"Z": values}, path)
    found = asked(path, "--quantity", "H[Z]", "--estimator", "gaussian", "--json")
    assert json.loads(found.output)["value"] == pytest.approx(gaussian(values.double())["H[Z]"].value, abs=1e-9)


def test_what_is_not_asked_for_does_not_matter(tmp_path):
    path = tmp_path / "ids.npz"
    sample = np.random.default_rng(0).normal(size=(80, 2))
    np.savez(path, Z=sample, Y=np.arange(80), X=sample[:, 0] + 1e-3 * sample[:, 1])
    for estimator, own in (("knn", knn), ("gaussian", gaussian)):
        found = json.loads(asked(path, "--quantity", "H[Z]", "--estimator", estimator, "--json").output)
        assert found["value"] == pytest.approx(own(sample)["H[Z]"].value, abs=1e-12)
    assert json.loads(asked(path, "--quantity", "H[Y|Y]", "--estimator", "categorical", "--json").output)["value"] == 0
    found = asked(path, "--quantity", "I[X;Y]", "--estimator", "gaussian")
    assert found.output.startswith("I[X;Y] = ")
    refused = asked(path, "--quantity", "H[Z]", "--quantity", "I[Z;Z]")
    assert refused.exit_code == 2
    assert refused.output.startswith("error: I[Z;Z] is infinite")
    assert asked(path, "--quantity", "1e999 H[Y]", "--estimator", "categorical").exit_code == 2

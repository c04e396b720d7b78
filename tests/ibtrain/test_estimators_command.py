"""The command that estimates from files: every format, hostile files, and options that would be idle."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from ibtrain.estimate_cli import estimate as estimate_command
from ibtrain.estimators import knn


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
    result = CliRunner().invoke(estimate_command, [str(path), "--quantity", "I[Y;Z]", "--json"])
    assert result.exit_code == 0, result.output
    record = json.loads(result.output)
    assert record["value"] == pytest.approx(knn(sample, labels)["I[Y;Z]"].value, abs=1e-12)
    text = CliRunner().invoke(estimate_command, [str(path), "--quantity", "H[Y]", "--estimator", "categorical"])
    assert "nats" in text.output


def test_command_refuses_in_one_line(tmp_path):
    path = tmp_path / "bad.npz"
    np.savez(path, Z=np.array([object()], dtype=object))
    for arguments in (["--quantity", "H[Z]"], ["--quantity", "I[X;Z]", "--estimator", "mixture"]):
        result = CliRunner().invoke(estimate_command, [str(path), *arguments])
        assert result.exit_code == 2
        assert result.output.startswith("error: ")
        assert "Traceback" not in result.output


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
        ("bytes.csv", b"\xff\xfe\x00", "cannot be read"),
        ("long.csv", b"Z\n" + b"1" * 200_000, "cannot be read"),
        ("other.csv", b"A\n1\n2\n", "needs a variable Z"),
        ("text.csv", b"Z\na\nb\n", "real numbers"),
        ("notes.txt", b"1", "known suffixes"),
    ],
)
def test_command_refuses_broken_files(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    result = CliRunner().invoke(estimate_command, [str(path), "--quantity", "H[Z]"])
    assert result.exit_code == 2
    assert said in result.output


def test_command_reads_any_spelling_and_refuses_idle_options(tmp_path):
    path = tmp_path / "änderung.CSV"
    rows = [f"{z!r},{y}" for z, y in zip(np.random.default_rng(0).normal(size=60).tolist(), "ab" * 30, strict=True)]
    path.write_text("\n".join(["Z,Y", *rows]), encoding="utf-8-sig")
    first, second = (CliRunner().invoke(estimate_command, [str(path), "--quantity", q]) for q in ("I[Y;Z]", "I[Z; Y]"))
    assert first.exit_code == 0
    assert first.output == second.output
    for options in (["--estimator", "gaussian", "--k", "3"], ["--estimator", "ksg", "--noise-variance", "1"]):
        refused = CliRunner().invoke(estimate_command, [str(path), "--quantity", "H[Z]", *options])
        assert refused.exit_code == 2
        assert "leave" in refused.output

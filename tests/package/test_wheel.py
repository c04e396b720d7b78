"""What is installed is the wheel: it holds the packages and nothing else, and works away from the repository."""

import json
import os
import subprocess
import sys
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest

import imeasure

ROOT = Path(__file__).parents[2]
DISTRIBUTION = distribution("imeasure")
EDITABLE = json.loads(DISTRIBUTION.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable", False)
wheel = pytest.mark.skipif(EDITABLE, reason="the checkout is installed, not a wheel")
alone = pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")


def run(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )


@wheel
def test_tests_import_the_wheel():
    assert Path(imeasure.__file__) == Path(DISTRIBUTION.locate_file("imeasure/__init__.py"))
    assert ROOT not in Path(imeasure.__file__).parents or ".tox" in Path(imeasure.__file__).parts


@wheel
def test_the_wheel_holds_the_packages_and_nothing_else():
    files = {str(path) for path in DISTRIBUTION.files if "__pycache__" not in path.parts}
    packages = {path for path in files if path.startswith(("imeasure/", "ibtrain/"))}
    assert packages == {
        str(path.relative_to(ROOT))
        for package in ("imeasure", "ibtrain")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"imeasure/py.typed", "ibtrain/py.typed", "imeasure/__init__.pyi"} <= packages
    others = {Path(path).parts[-1] if path.startswith("..") else Path(path).parts[0] for path in files - packages}
    assert others <= {
        f"imeasure-{DISTRIBUTION.version}.dist-info",
        "imeasure",
        "ibtrain",
        "imeasure.exe",
        "ibtrain.exe",
    }
    assert any(path.endswith("licenses/LICENSE") for path in files)


@wheel
def test_commands_run_away_from_the_repository(tmp_path):
    simplified = run(tmp_path, "imeasure", "simplify", "min I[X;Z] - beta*I[Y;Z]")
    assert simplified.returncode == 0, simplified.stderr
    assert simplified.stdout.startswith("H[Y|Z] + b*I[X;Z|Y] with b = 1/(beta - 1), for beta > 1\n")
    proved = run(tmp_path, "imeasure", "check", "I[X;Z] <= I[X;Y]", "--model", "X -> Y -> Z", "--certificate", "c.json")
    assert proved.returncode == 0, proved.stderr
    assert run(tmp_path, "imeasure", "verify", "c.json").stdout.startswith("verified: I[X;Z] <= I[X;Y]\n")
    assert run(tmp_path, "imeasure", "--version").stdout.strip().endswith(DISTRIBUTION.version)


@alone
@pytest.mark.parametrize("command", [["train", "none.toml"], ["demo"], ["estimate", __file__, "--quantity", "H[Y]"]])
def test_without_torch_training_says_what_to_install(command, tmp_path):
    assert "Commands:" in run(tmp_path, "ibtrain", "--help").stdout
    result = run(tmp_path, "ibtrain", *command)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "pip install 'imeasure[train]'" in result.stderr


@pytest.mark.skipif(find_spec("matplotlib") is not None, reason="matplotlib is installed")
def test_without_matplotlib_drawing_says_what_to_install(tmp_path):
    result = run(tmp_path, "imeasure", "diagram", "X Y", "--out", "d.svg")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "pip install 'imeasure[plots]'" in result.stderr

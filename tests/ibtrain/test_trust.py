"""Nothing that is read can run code: no reader unpickles, and a payload in a file stays what it is, bytes."""

import ast
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from ibtrain.errors import InformationError
from ibtrain.variables import read_variables

SAFE = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False), "numpy.load": ("allow_pickle", False)}
FORBIDDEN = ("pickle.", "cPickle.", "dill.", "joblib.", "marshal.", "shelve.", "yaml.load", "eval", "exec")


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def faults(source):
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in SAFE:
            option, value = SAFE[name]
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if not (isinstance(given.get(option), ast.Constant) and given[option].value is value):
                found.append(ast.unparse(node))
        elif name.startswith(FORBIDDEN[:-2]) or name in FORBIDDEN:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("package", ["imeasure", "ibtrain"])
def test_no_reader_unpickles_or_evaluates(package):
    root = Path(importlib.util.find_spec(package).origin).parent
    sources = list(root.rglob("*.py"))
    assert len(sources) > 50
    assert {str(path.relative_to(root)): bad for path in sources if (bad := faults(path.read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "call", ["torch.load(p)", "torch.load(p, weights_only=False)", "np.load(p)", "eval(t)", "pickle.loads(b)"]
)
def test_the_scan_can_fail(call):
    assert faults(call)


def test_a_payload_among_arrays_is_not_run(tmp_path):
    path = tmp_path / "latents.npz"
    np.savez(path, Z=np.array([Payload(tmp_path / "made")], dtype=object))
    with pytest.raises(InformationError):
        read_variables(path)
    assert not (tmp_path / "made").exists()

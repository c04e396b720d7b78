import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib import import_module
from inspect import isclass, isroutine
from pathlib import Path
from types import ModuleType

import pytest

import imeasure


def modules_after(statement):
    script = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


HEAVY = {"torch", "scipy", "networkx", "matplotlib", "pandas", "highspy"}


def test_import_stays_light():
    assert not modules_after("import imeasure") & {*HEAVY, "sympy"}
    assert not modules_after("import imeasure; imeasure.parse('H[X]')") & HEAVY


def test_the_test_of_a_light_import_can_fail():
    assert "networkx" in modules_after("import imeasure; imeasure.Model()")


@pytest.mark.parametrize("name", imeasure.__all__)
def test_public_names_exist_and_are_documented(name):
    value = getattr(imeasure, name)
    assert value.__doc__ or isinstance(value, Mapping)


def test_all_public_names_are_listed():
    assert "simplify" in imeasure.__all__
    assert set(imeasure.__all__) == set(dir(imeasure))


@pytest.mark.parametrize(("package", "least"), [("imeasure", 3), ("ibtrain", 9)])
def test_public_values_are_named_in_the_reference(package, least):
    """Functions and classes get their places by themselves; a value that a package exports must be asked for."""
    if package == "ibtrain":
        pytest.importorskip("torch")
    pages = (Path(__file__).parents[2] / "docs" / "reference" / "api").glob("*.md")
    entries = {word.rpartition(".")[2] for page in pages for word in page.read_text(encoding="utf-8").split()}
    root = import_module(package)
    modules = [root, *(one for name in root.__all__ if isinstance(one := getattr(root, name), ModuleType))]
    public = [(name, getattr(one, name)) for one in modules for name in getattr(one, "__all__", ())]
    values = {name for name, one in public if not (isclass(one) or isroutine(one) or isinstance(one, ModuleType))}
    assert len(values) >= least
    assert values <= entries


HIDDEN = """
import importlib, pkgutil, sys
root = importlib.import_module(sys.argv[1])
found = [module for module in pkgutil.walk_packages(root.__path__, root.__name__ + ".")]
packages = [root.__name__, *(module.name for module in found if module.ispkg)]
public = [(one, name) for one in packages for name in getattr(importlib.import_module(one), "__all__", ())]
before = {(one, name): getattr(sys.modules[one], name) for one, name in public}
modules = {module.name: importlib.import_module(module.name) for module in found}
hidden = [name for name, module in modules.items() if vars(sys.modules[name.rpartition(".")[0]])[name.rpartition(".")[2]] is not module]
changed = [place for place, value in before.items() if getattr(sys.modules[place[0]], place[1]) is not value]
print(len(found), hidden, changed)
"""


@pytest.mark.parametrize("package", ["imeasure", "ibtrain"])
def test_no_module_hides_a_public_name_and_no_function_a_module(package):
    """A function named like a module beside it hides the module, or is hidden by it once something imports that."""
    if package == "ibtrain":
        pytest.importorskip("torch")
    found = subprocess.run([sys.executable, "-c", HIDDEN, package], capture_output=True, text=True, check=True).stdout
    count, rest = found.split(maxsplit=1)
    assert int(count) > 50
    assert rest == "[] []\n"


def test_the_test_of_hidden_modules_can_fail(tmp_path):
    (tmp_path / "hiding").mkdir()
    (tmp_path / "hiding" / "__init__.py").write_text("from hiding.form import form\n__all__ = ['form']\n")
    (tmp_path / "hiding" / "form.py").write_text("def form(): ...\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", HIDDEN, "hiding"], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert found == "1 ['hiding.form'] []\n"


def test_the_citation_states_the_version_and_names_the_paper():
    root = Path(__file__).parents[2]
    cited = (root / "CITATION.cff").read_text()
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in cited
    assert re.search(r"^date-released: \d{4}-\d\d-\d\d$", cited, re.M)
    assert "arXiv:2003.12537" in cited.partition("references:")[2]

import subprocess
import sys
from collections.abc import Mapping

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


def test_no_module_hides_a_public_name():
    """A submodule named like a public function would replace it once something imports the submodule."""
    script = (
        "import imeasure, pkgutil, importlib\n"
        "for module in pkgutil.walk_packages(imeasure.__path__, 'imeasure.'):\n"
        "    importlib.import_module(module.name)\n"
        "names = [n for n in imeasure.__all__ if type(getattr(imeasure, n)).__name__ == 'module']\n"
        "assert not names, names"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

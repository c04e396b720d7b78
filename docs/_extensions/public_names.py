"""Every public name has a description and a place in the reference, or the build fails.

Objects are documented under their public names. References to them by the module where they are written are led there,
and so are bare names in docstrings.
"""

from importlib import import_module
from inspect import isclass, isroutine
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import make_refnode

PACKAGES = ("imeasure", "ibtrain")
FURTHER = (
    "imeasure.diagrams",
    "imeasure.distribution",
    "imeasure.prove",
    "ibtrain.bottlenecks",
    "ibtrain.config",
    "ibtrain.reduction",
)
"""Modules whose names users import, beside the packages and the modules that these export."""


def public_modules() -> list[ModuleType]:
    """Return the modules whose names have to be documented."""
    packages = [import_module(path) for path in PACKAGES]
    exported = [getattr(package, name) for package in packages for name in package.__all__]
    return [*packages, *(value for value in exported if isinstance(value, ModuleType)), *map(import_module, FURTHER)]


def public_names(module: ModuleType) -> list[str]:
    """Return what a module exports; without `__all__`, all public functions and classes that are written in it."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", "") == module.__name__
    ]


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Raise an error that lists the public names without a description or without an entry."""
    documented = {name: _found(name) for name in env.domains.python_domain.objects}
    objects = [value for value in documented.values() if not isinstance(value, str | int | float | tuple)]
    problems = []
    for module in public_modules():
        path = module.__name__
        for name in public_names(module):
            value = getattr(module, name)
            if isinstance(value, ModuleType):
                continue
            if not (f"{path}.{name}" in documented or any(value is other for other in objects)):
                problems.append(f"{path}.{name} is missing in docs/reference/api")
            explains_itself = isclass(value) or isroutine(value)
            if not (value.__doc__ if explains_itself else described_where_written(f"{path}.{name}")):
                problems.append(f"{path}.{name} has no description")
    if problems:
        raise ExtensionError("undocumented public names:\n  " + "\n  ".join(sorted(problems)))


def _found(path: str) -> Any:
    """Return the object of a documented name, or None: attributes that only instances have are no exports."""
    parts = path.split(".")
    for split in range(len(parts), 0, -1):
        try:
            value: Any = import_module(".".join(parts[:split]))
        except ImportError:
            continue
        for part in parts[split:]:
            value = getattr(value, part, None)
        return value
    return None


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Node | None:
    """Lead a reference to the one documented object of the same last name."""
    if node.get("refdomain") != "py":
        return None
    last = node["reftarget"].rpartition(".")[2]
    objects = env.domains.python_domain.objects
    named = sorted((name for name in objects if name.rpartition(".")[2] == last), key=lambda name: name.count("."))
    if not named or (len(named) > 1 and named[0].count(".") == named[1].count(".")):
        named = [name for name in named if node["reftarget"].split(".")[0] == name.split(".")[0]][:1]
    if not named:
        return None
    entry = objects[named[0]]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, named[0])


def describe(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Complete the descriptions of data.

    That of a value that a package re-exports stands in the module where it is written. And napoleon takes the words of
    a description up to a colon for a type, unless something stands before them: an empty comment.
    """
    if what == "data":
        lines[:] = described_where_written(name) or lines
    if what in {"attribute", "data", "property"}:
        lines[:0] = ["..", ""]


def readable(
    app: Sphinx, what: str, name: str, value: object, options: object, signature: str | None, result: str | None
) -> tuple[str | None, str | None]:
    """Write defaults that are made anew for each call as dots, for a signature with `<factory>` is not read."""
    return (signature.replace("<factory>", "...") if signature else signature), result


def described_where_written(path: str) -> list[str]:
    """Return the lines below a package's value in that of its modules that assigns it; none if there are none."""
    package, _, name = path.rpartition(".")
    inside = walk_packages(getattr(import_module(package), "__path__", []), f"{package}.")
    for module in (package, *(found.name for found in inside if not found.name.endswith("__main__"))):
        described = ModuleAnalyzer.for_module(module).find_attr_docs()
        if ("", name) in described:
            return list(described["", name])
    return []


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", describe, priority=400)
    app.connect("autodoc-process-signature", readable)
    app.connect("env-check-consistency", check)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

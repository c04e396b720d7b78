"""The directive `import-picture`: the modules of a package in their layers, and who imports whom.

The layers are those that import-linter enforces (`pyproject.toml`), the imports are read from the code by grimp. Left
out are imports that a chain of others implies, and those of `errors`, which nearly every module has. Crossings are few
because every row is ordered by the means of its neighbours (Sugiyama, Tagawa and Toda, 1981).
"""

import tomllib
from html import escape
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import grimp
import networkx as nx
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

Node = str | tuple[str, str, int]  # a module, or where the line of an import crosses a row
_ROW, _LETTER, _HEIGHT = 58, 7.4, 26
_GAP, _BESIDE = 8, 3  # between modules, and beside a line that crosses a row
_SWEEPS = 24


def layers(package: str) -> list[list[str]]:
    """Return the rows of modules, the top first, as `pyproject.toml` has them."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers" and contract["containers"] == [package]:
            return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]
    raise LookupError(f"no layers of {package} in pyproject.toml")


def imports(package: str) -> nx.DiGraph:
    """Return who imports whom among a package's own modules, without what a chain of imports implies."""
    found = grimp.build_graph(package)
    graph = nx.DiGraph()
    for module in found.find_children(package):
        graph.add_node(module)
        found.squash_module(module)
    for module in list(graph):
        below = found.find_modules_directly_imported_by(module) - {module, f"{package}.errors"}
        graph.add_edges_from((module, other) for other in below if other in graph)
    return nx.transitive_reduction(nx.relabel_nodes(graph, lambda name: name.rpartition(".")[2]))


def draw(package: str) -> str:
    """Return the picture as SVG, in the colours of the page."""
    rows: list[list[Node]] = [list(row) for row in layers(package)]
    row_of = {name: index for index, row in enumerate(rows) for name in row}
    links: list[tuple[Node, Node]] = []
    paths: list[list[Node]] = []
    for above, below in sorted(edge for edge in imports(package).edges if set(edge) <= row_of.keys()):
        crossed: list[Node] = [(above, below, row) for row in range(row_of[above] + 1, row_of[below])]
        for node in crossed:
            rows[node[2]].append(node)
        path = [above, *crossed, below]
        links += pairwise(path)
        paths.append(path)
    places = _places(rows, links)
    left = min(x - _width(node) / 2 for node, x in places.items())
    width = max(x + _width(node) / 2 for node, x in places.items()) - left + 2
    levels = {node: index * _ROW + _HEIGHT / 2 + 1 for index, row in enumerate(rows) for node in row}
    at = {node: (x - left + 1, levels[node]) for node, x in places.items()}
    lines = [f'<path d="{_curve([at[node] for node in path])}"/>' for path in paths]
    boxes = [_box(package, node, *at[node]) for row in rows for node in row if isinstance(node, str)]
    height = (len(rows) - 1) * _ROW + _HEIGHT + 2
    label = f"The modules of {package} in {len(rows)} layers; lines lead down from a module to what it imports"
    return (
        f'<div class="imports"><svg role="img" aria-label="{label}" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" xmlns="http://www.w3.org/2000/svg"><g class="lines">{"".join(lines)}</g>'
        f"{''.join(boxes)}</svg></div>"
    )


def _width(node: Node) -> float:
    return len(node) * _LETTER + 12 if isinstance(node, str) else 0


def _places(rows: list[list[Node]], links: list[tuple[Node, Node]]) -> dict[Node, float]:
    """Return the middle of each node: rows are sorted by the means of their neighbours, down and up by turns."""
    near: dict[Node, list[Node]] = {node: [] for row in rows for node in row}
    for above, below in links:
        near[above].append(below)
        near[below].append(above)
    places: dict[Node, float] = {}
    for row in rows:
        _spread(row, places, {node: index * 90.0 for index, node in enumerate(row)})
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            _spread(row, places, {node: _mean([places[other] for other in near[node] or row]) for node in row})
    return places


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _spread(row: list[Node], places: dict[Node, float], wanted: dict[Node, float]) -> None:
    """Place a row near the wanted middles without overlaps: push to the right, then move the row to its mean."""
    row.sort(key=lambda node: (wanted[node], str(node)))
    edge, before = float("-inf"), row[0]
    for node in row:
        gap = _GAP if isinstance(node, str) and isinstance(before, str) else _BESIDE
        places[node] = max(wanted[node], edge + _width(node) / 2 + gap)
        edge, before = places[node] + _width(node) / 2, node
    shift = _mean([places[node] - wanted[node] for node in row])
    for node in row:
        places[node] -= shift


def _curve(points: list[tuple[float, float]]) -> str:
    text = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (u, v) in pairwise(points):
        middle = (y + v) / 2
        text += f"C{x:.1f} {middle:.1f} {u:.1f} {middle:.1f} {u:.1f} {v:.1f}"
    return text


def _box(package: str, name: str, x: float, y: float) -> str:
    width = _width(name)
    opening = (import_module(f"{package}.{name}").__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    return (
        f"<g><title>{package}.{name}: {escape(opening)}</title>"
        f'<rect x="{x - width / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" width="{width:.1f}" height="{_HEIGHT}" rx="4"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}">{name}</text></g>'
    )


class ImportPicture(SphinxDirective):
    """Draw the package that is the argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        return [nodes.raw("", draw(self.arguments[0]), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("import-picture", ImportPicture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

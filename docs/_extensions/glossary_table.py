"""The directive `glossary-table`: the words of `imeasure.glossary` beside their quantities."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from imeasure import glossary, parse, to_latex


class GlossaryTable(SphinxDirective):
    """Write the table."""

    def run(self) -> list[nodes.Node]:
        """Return its node."""
        table = nodes.table("", nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in (3, 2, 2)), cols=3))
        head = _row(*(nodes.Text(text) for text in ("name", "quantity", "as you type it")))
        body = [
            _row(nodes.Text(name), nodes.math(text, to_latex(parse(text))), nodes.literal(text, text))
            for name, text in glossary.items()
        ]
        table[0] += [nodes.thead("", head), nodes.tbody("", *body)]
        return [table]


def _row(*cells: nodes.Node) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("glossary-table", GlossaryTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

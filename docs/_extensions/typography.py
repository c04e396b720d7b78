"""Small print of the pages: what Sphinx and its quotes leave over.

Blocks of code end with their last line, not with the empty one that ends an example's output. Between a parameter and
its description stands a dash, although two hyphens stay what they are elsewhere: `--model` is an option.
"""

from docutils import nodes
from sphinx.application import Sphinx


def correct(app: Sphinx, document: nodes.document) -> None:
    """Trim blocks and write dashes."""
    for block in document.findall(nodes.literal_block):
        if block.rawsource == block.astext():
            block.rawsource = block.rawsource.rstrip()
            block[:] = [nodes.Text(block.rawsource)]
    for text in [text for text in document.findall(nodes.Text) if text == " -- "]:
        text.parent.replace(text, nodes.Text(" – "))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", correct)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

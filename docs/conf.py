"""How the documentation's site is built: `tox run -e site`, without network access."""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # ipykernel's debugger warns of frozen modules otherwise

project = "imeasure and ibtrain"
copyright = "the imeasure developers"  # noqa: A001 - Sphinx's name
version = release = version_of("imeasure")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "mathml",
    "public_names",
    "typography",
    "import_picture",
    "glossary_table",
]
exclude_patterns = ["_build", "_extensions"]
default_role = "code"
smartquotes_action = "qe"  # no dashes, see typography.py

# References. Objects of other projects have no pages here, because nothing is fetched while building.
nitpicky = True
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(argparse|builtins|click|collections|contextlib|enum|fractions|functools|lightning_fabric|logging|matplotlib|"
        r"networkx|np|npt|numpy|os|pandas|pathlib|pd|rich|sympy|torch|types|typing|xml)(\..*)?",
    ),
    (r"py:class", r"tuple\[.*"),
    (r"py:class", r"ibtrain\..*\._Value"),  # a type variable
    # Parts of public values that are built and read by the project alone.
    (r"py:class", r"imeasure\..*\.(Atom|Box|Content|EntropyForm|Known|Layout|Problem|Target|Terms)"),
]

# Docstrings.
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
autoclass_content = "class"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
add_module_names = True
toc_object_entries_show_parents = "hide"

# Markdown and notebooks.
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 1200
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "text/latex", 5)]

# Pages.
html_theme = "furo"
html_title = "imeasure and ibtrain"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"

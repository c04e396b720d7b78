"""One self-contained HTML page for runs: figures, an interactive information plane, claims, mathematics, configuration.

The page loads nothing: style, script, pictures and numbers are in it, and its content security policy forbids the rest.
"""

from ibtrain.page.render import claims_page, report_page

__all__ = ["claims_page", "report_page"]

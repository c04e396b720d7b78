"""How tables of results are shown: aligned text, and HTML for notebooks, cut where they are long."""

from collections.abc import Sequence
from html import escape

ROWS_SHOWN = 32
"""Rows that a display of outcomes shows at most."""
Rows = Sequence[Sequence[str]]


def text_table(header: Sequence[str], rows: Rows, hidden: int = 0) -> str:
    """Write rows as aligned columns.

    Args:
        header: Names of the columns.
        rows: Cells.
        hidden: How many further rows there are.

    Returns:
        Lines of text.

    Example:
        >>> print(text_table(["X", "p"], [["sun", "1/2"]], hidden=1))
        X    p
        sun  1/2
        ... and 1 more
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (header, *rows)]
    return "\n".join([*lines, f"... and {hidden} more"] if hidden else lines)


def html_table(header: Sequence[str], rows: Rows, hidden: int = 0, note: str = "") -> str:
    """Write rows as an HTML table.

    Args:
        header: Names of the columns.
        rows: Cells.
        hidden: How many further rows there are.
        note: A line below the table.

    Returns:
        HTML.

    Example:
        >>> html_table(["p"], [["<1"]])
        '<table><thead><tr><th>p</th></tr></thead><tbody><tr><td>&lt;1</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    notes = [f"and {hidden} more"] * bool(hidden) + [note] * bool(note)
    below = "".join(f'<tr><td colspan="{len(header)}">{escape(line)}</td></tr>' for line in notes)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}{below}</tbody></table>"

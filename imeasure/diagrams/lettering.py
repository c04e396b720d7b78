"""Text in diagrams: what labels say, in matplotlib's mathematics, and how large they are."""

from collections.abc import Sequence
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from imeasure.diagrams.content import Atom, compact, in_unit
from imeasure.printing import to_latex


def text_size(text: str, points: float) -> tuple[float, float]:
    """Measure a line of text.

    Args:
        text: A line, possibly with mathematics between dollar signs.
        points: Font size.

    Returns:
        Width and height in points.
    """
    width, height = _extents(text)
    return (width + 0.2) * points if text else 0.0, max(height, 1.0) * points * 1.1 if text else 0.0


@lru_cache(maxsize=4096)
def _extents(text: str) -> tuple[float, float]:
    """Width and height of a line in units of its font size."""
    if not text:
        return 0.0, 0.0
    box = TextPath((0, 0), text, prop=FontProperties(size=100.0)).get_extents()
    return float(box.width) / 100.0, float(box.height) / 100.0


def block_size(lines: Sequence[str], font: float) -> tuple[float, float]:
    """Measure lines of text set one below the other.

    Args:
        lines: The lines.
        font: Font size.

    Returns:
        Width and height in points.
    """
    sizes = [text_size(line, font) for line in lines]
    return max(width for width, _ in sizes), sum(height for _, height in sizes) * 1.12


def mathematics(text: str) -> str:
    """Return an expression's LaTeX in the subset that matplotlib draws.

    Args:
        text: LaTeX.

    Returns:
        Text between dollar signs.
    """
    for command, drawn in ((r"\operatorname", r"\mathrm"), (r"\mid", r"\,|\,")):
        text = text.replace(command, drawn)
    return f"${text}$"


def value_text(atom: Atom, unit: str) -> str:
    """Write an atom's value.

    Args:
        atom: The atom.
        unit: ``"nats"`` or ``"bits"``.

    Returns:
        The number, or a dash where there is none.
    """
    return "–" if atom.value is None else compact(in_unit(atom.value, unit))


def symbol_text(atom: Atom) -> str:
    """Write an atom's name in mathematics.

    Args:
        atom: The atom.

    Returns:
        Text between dollar signs.
    """
    return mathematics(to_latex(atom.name))


def symbol_lines(atom: Atom) -> list[list[str]]:
    """Write an atom's name on one line, or broken at its bar.

    Args:
        atom: The atom.

    Returns:
        The variants, best first.
    """
    whole = symbol_text(atom)
    head, bar, tail = to_latex(atom.name).partition(r" \mid ")
    return [[whole], [mathematics(head + r"\,|"), mathematics(tail)]] if bar else [[whole]]


def coefficient_text(atom: Atom) -> str:
    """Write an atom's coefficient as a factor.

    Args:
        atom: The atom.

    Returns:
        Text such as ``× (1 - β)``, empty for none.
    """
    if atom.coefficient in (0, 1):
        return ""
    text = to_latex(atom.coefficient)
    plain = atom.coefficient.is_positive or atom.coefficient.is_Symbol
    return mathematics(rf"\times\,{text}" if plain and not atom.coefficient.is_Add else rf"\times\,({text})")

"""Text in diagrams: what labels say, in matplotlib's mathematics, and how large they are."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sympy
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from imeasure.diagrams.content import Atom, Content
from imeasure.diagrams.valuation import decimals, evenly, in_unit
from imeasure.names import unicode_name
from imeasure.printing import to_latex, to_text
from imeasure.signs import Conditions, set_text
from imeasure.statements import Objective
from imeasure.words import glossary

Labels = Callable[[Atom], Sequence[Sequence[str]]]
"""For an atom the variants of its label, best first, each a sequence of lines."""

_FACTOR = re.compile(r"(?<=[\w}]) (?=\\mathrm)")
_THIN_SPACE = r"\\,"
_MID = r" \mid "
_MOST_LINES = 3
_PIECE = re.compile(r".+?(?:[;,]| \\mid |\Z)")


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
    return f"${_FACTOR.sub(_THIN_SPACE, text)}$"


def value_text(atom: Atom, unit: str, places: int) -> str:
    """Write an atom's value.

    Args:
        atom: The atom.
        unit: ``"nats"`` or ``"bits"``.
        places: Decimals.

    Returns:
        The number, or a dash where there is none.
    """
    return "–" if atom.value is None else evenly(in_unit(atom.value, unit), places)


def places_of(content: Content, unit: str) -> int:
    """Return with how many decimals all values of a picture are written.

    Args:
        content: What it shows.
        unit: ``"nats"`` or ``"bits"``.

    Returns:
        The decimals.
    """
    return decimals(in_unit(atom.value, unit) for atom in content.atoms.values() if atom.value is not None)


def symbol_text(atom: Atom) -> str:
    """Write an atom's name in mathematics.

    Args:
        atom: The atom.

    Returns:
        Text between dollar signs.
    """
    return mathematics(to_latex(atom.name))


def symbol_lines(atom: Atom) -> list[list[str]]:
    """Write an atom's name on one line, or broken: at its bar, then wherever lines come out evenly.

    Args:
        atom: The atom.

    Returns:
        The variants, best first.
    """
    whole = to_latex(atom.name)
    head, bar, tail = whole.partition(_MID)
    broken = [[head + bar, tail]] if bar else []
    pieces = _PIECE.findall(whole)
    balanced = wrapped(pieces, "", [text_size(mathematics(piece), 1.0)[0] for piece in pieces])
    broken += [lines for lines in balanced[1:_MOST_LINES] if lines not in broken]
    return [[symbol_text(atom)], *([_symbol_line(line) for line in lines] for lines in broken)]


def _symbol_line(line: str) -> str:
    return mathematics(line.removesuffix(_MID) + r"\,|" if line.endswith(_MID) else line)


def wrapped(pieces: Sequence[str], space: str = " ", widths: Sequence[float] | None = None) -> list[list[str]]:
    """Put pieces of text on one line, on two lines, and so on, each time so that the widest line is narrowest.

    Args:
        pieces: What is not broken.
        space: What stands between pieces of one line.
        widths: Of the pieces; measured as plain text if not given.

    Returns:
        One list of lines for each number of lines.

    Example:
        >>> wrapped("what the two have in common".split())[1:3]
        [['what the two', 'have in common'], ['what the', 'two have', 'in common']]
    """
    wide = [text_size(piece, 1.0)[0] for piece in pieces] if widths is None else widths
    gap = text_size("n", 1.0)[0] / 2 if space else 0.0

    def width(first: int, last: int) -> float:
        return sum(wide[first:last]) + gap * (last - first - 1)

    count = len(pieces)
    best = {last: (width(0, last), [0, last]) for last in range(1, count + 1)}
    found = [best[count][1]]
    for lines in range(2, count + 1):
        best = {
            last: min(
                (max(best[first][0], width(first, last)), [*best[first][1], last]) for first in range(lines - 1, last)
            )
            for last in range(lines, count + 1)
        }
        found.append(best[count][1])
    return [[space.join(pieces[first:last]) for first, last in pairwise(ends)] for ends in found]


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


def statement_text(statement: Any) -> str:
    """Write an expression or objective as a title.

    Args:
        statement: The expression or objective.

    Returns:
        Text between dollar signs.
    """
    if isinstance(statement, Objective):
        return mathematics(rf"\mathrm{{{statement.sense}}}\ {to_latex(statement.expression)}")
    return mathematics(to_latex(statement))


def conditions_text(conditions: Conditions) -> str:
    """Write for which parameter values a picture holds.

    Args:
        conditions: The conditions.

    Returns:
        Text such as ``for β > 1``; empty for none.

    Example:
        >>> from imeasure import param
        >>> conditions_text(Conditions(((param("beta"), sympy.Interval(1, sympy.oo)),)))
        'for β ≥ 1'
    """
    sets = [set_text(sympy.Symbol(unicode_name(symbol.name)), values) for symbol, values in conditions.sets]
    relations = [mathematics(sympy.latex(relation)) for relation in conditions.relations]
    text = ", ".join([*(part.replace("<=", "≤").replace(">=", "≥") for part in sets), *relations])
    return f"for {text}" if text else ""


def line_width(lines: Iterable[str], font: float) -> float:
    """Measure the widest of some lines.

    Args:
        lines: The lines.
        font: Font size.

    Returns:
        Width in points.
    """
    return max((text_size(line, font)[0] for line in lines), default=0.0)


def word_of(atom: Atom, names: str | Mapping[int, str]) -> str | None:
    """Return an atom's name in words.

    Args:
        atom: The atom.
        names: ``"words"`` for those of supervised learning, or words by bitmask.

    Returns:
        The words; None if there are none for this atom.
    """
    if not isinstance(names, str):
        return names.get(atom.mask)
    if names != "words":
        return None
    words = {quantity: name for name, quantity in glossary.items()}
    return words.get(to_text(atom.name), words.get(to_text(atom.quantity)))


def label_variants(names: str | Mapping[int, str], unit: str, *, values: bool, places: int = 0) -> Labels:
    """Return how atoms are labelled.

    Args:
        names: ``"symbols"``, ``"words"``, ``"values"``, ``"none"``, or words by bitmask.
        unit: ``"nats"`` or ``"bits"``.
        values: Whether atoms have values, which labels then end with.
        places: Decimals of values.

    Returns:
        For an atom the variants of its label.
    """

    def variants(atom: Atom) -> list[list[str]]:
        number = [value_text(atom, unit, places)] if values else []
        if names in ("values", "none"):
            return [number if names == "values" else [""]]
        factor = coefficient_text(atom)
        tail = [*([factor] if factor else []), *number]
        word = word_of(atom, names)
        if word is None:
            return [[*lines, *tail] for lines in symbol_lines(atom)]
        return [[*lines, *tail] for lines in wrapped(word.split())]

    return variants

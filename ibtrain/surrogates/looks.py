"""How pictures tell surrogates apart: every name has one colour, one mark and one place in legends, in all of them.

A name that a picture draws alone looks as it does among others, so figures of different runs can be laid side by side.
"""

import dataclasses
import zlib

from ibtrain.surrogates.registry import SURROGATES

COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#882255",
    "#e69f00",
    "#56b4e9",
    "#cc79a7",
    "#332288",
    "#999933",
)
"""Colours that are told apart by colour-blind readers too (Okabe and Ito, 2008; Tol, 2021)."""

MARKS = (("o", 150), ("s", 70), ("D", 25), ("^", 110), ("v", 50), ("P", 90), ("X", 35), ("*", 120))
"""Marks by matplotlib's letters, and their areas in square points: one within another where they lie together."""

_FIRST = ("LogVar[Z|Y]", "LogVar[Z]", "SquaredNorm[Z]", "Exact[Y|Z]", "CE[Y|Z]", "Prediction[Y|Z]")
_ORDER = (*_FIRST, *(name for name in SURROGATES if name not in _FIRST))


@dataclasses.dataclass(frozen=True)
class Look:
    """What a name looks like.

    Args:
        rank: Its place in legends.
        colour: Its colour.
        mark: Its mark, a letter of matplotlib's.
        size: The mark's area in square points.
    """

    rank: int
    colour: str
    mark: str
    size: float


def look(name: str) -> Look:
    """Return what a surrogate, or a sum of them, looks like.

    The paper's three regularizers and its three losses come first, then all others in the order in which losses show
    them, names that this package does not know, sums, and last no regularizer at all. A sum has the mark of its first
    part and the colour of its last.

    Args:
        name: Its name, names with plus signs between them, or nothing.

    Example:
        >>> look("LogVar[Z|Y]")
        Look(rank=0, colour='#0072b2', mark='o', size=150)
        >>> look("LogVar[Z] + Noise[Z|X]").mark == look("LogVar[Z]").mark
        True
    """
    if not name:
        return Look(4 * len(_ORDER), "#666666", "h", 60)
    first, *others = name.split(" + ")
    found = nth_look(_number(first))
    if not others:
        return found
    return dataclasses.replace(found, rank=2 * len(_ORDER) + found.rank, colour=nth_look(_number(others[-1])).colour)


def nth_look(number: int) -> Look:
    """Return the look of a place in the order: the first 72 are different.

    Args:
        number: The place, from 0.
    """
    mark, size = MARKS[number % len(MARKS)]
    return Look(number, COLOURS[number % len(COLOURS)], mark, size)


def _number(name: str) -> int:
    """Return the place of a surrogate; one that this package does not know has one by its name, after all others."""
    return _ORDER.index(name) if name in _ORDER else len(_ORDER) + zlib.crc32(name.encode()) % len(_ORDER)

"""Named distributions on which information theory's intuitions are tested.

Exclusive-or and one bit three times are the extremes of negative and positive interaction information; the four-atom
distribution breaks Ingleton's inequality (Dougherty, Freiling and Zeger, 2011); a noiseless label and the pair of
appendix A.4 show what bottlenecks do, and where mixed variables fail (Kirsch, Lyle and Gal, 2020).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from imeasure.distribution.displays import html_table
from imeasure.distribution.listings import from_mapping
from imeasure.distribution.tables import Table
from imeasure.errors import UnknownVariableError, unknown


def _uniform(*outcomes: tuple[int, ...]) -> dict[tuple[int, ...], Fraction]:
    return {outcome: Fraction(1, len(outcomes)) for outcome in outcomes}


_BITS = (0, 1)
_FOUR_ATOMS: dict[tuple[int, ...], Fraction] = {
    (0, 0, 0, 0): Fraction(7, 20),
    (1, 0, 0, 1): Fraction(3, 20),
    (1, 0, 1, 0): Fraction(3, 20),
    (1, 1, 1, 1): Fraction(7, 20),
}


@dataclass(frozen=True)
class Example:
    """A named distribution.

    Attributes:
        names: Its variables.
        what: What it is, and what it shows.
        probabilities: From outcomes to probabilities.
    """

    names: str
    what: str
    probabilities: Mapping[tuple[int, ...], Fraction]

    def _repr_html_(self) -> str:
        rows = [[*map(str, outcome), str(p)] for outcome, p in self.probabilities.items()]
        return html_table([*self.names.split(), "p"], rows, note=self.what)


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "xor": Example(
            "X Y Z",
            "Z is the exclusive-or of two fair bits: pairwise independent, I[X;Y;Z] = -ln 2",
            _uniform(*((x, y, x ^ y) for x in _BITS for y in _BITS)),
        ),
        "and": Example(
            "X Y Z",
            "Z is the conjunction of two fair bits: I[X;Y] = 0, and yet I[X;Y|Z] > 0",
            _uniform(*((x, y, x & y) for x in _BITS for y in _BITS)),
        ),
        "copy": Example(
            "X Y Z",
            "Z is the pair of two fair bits: it knows both, and they share nothing",
            _uniform(*((x, y, 2 * x + y) for x in _BITS for y in _BITS)),
        ),
        "giant-bit": Example("X Y Z", "one fair bit three times: I[X;Y;Z] = ln 2", _uniform((0, 0, 0), (1, 1, 1))),
        "independent": Example(
            "X Y Z",
            "three fair bits that have nothing to do with each other",
            _uniform(*((x, y, z) for x in _BITS for y in _BITS for z in _BITS)),
        ),
        "noiseless": Example(
            "X Y Z",
            "Y is the parity of four equally likely X, and Z = Y: the best bottleneck for a noiseless label",
            _uniform(*((x, x % 2, x % 2) for x in range(4))),
        ),
        "four-atom": Example(
            "A B C D",
            "four atoms that break Ingleton's inequality I[A;B] <= I[A;B|C] + I[A;B|D] + I[C;D]",
            _FOUR_ATOMS,
        ),
        "shifted": Example(
            "X R Z",
            "appendix A.4 on a grid: Z = X + R with X on ten levels of [0, 0.1) and a fair R in {0, 1}; "
            "I[X;Z] = ln 10, where the continuous X gives the impossible ln(1/10)",
            _uniform(*((x, r, x + 100 * r) for x in range(10) for r in _BITS)),
        ),
    }
)
"""Distributions that are known by name, for :meth:`imeasure.Distribution.named`."""


ALIASES: Mapping[str, str] = MappingProxyType({"a.4": "shifted"})
"""Other names of examples: the paper's appendix in which one stands."""


def example_table(name: str) -> Table:
    """Build a named distribution.

    Args:
        name: A key of ``EXAMPLES`` or ``ALIASES``, in small or capital letters.

    Returns:
        Its table.

    Raises:
        UnknownVariableError: If there is no such name.

    Example:
        >>> example_table("xor").names
        ('X', 'Y', 'Z')
    """
    key = str(name).lower()
    key = ALIASES.get(key, key)
    if key not in EXAMPLES:
        raise UnknownVariableError(unknown("distribution", str(name), (*EXAMPLES, "A.4")))
    return from_mapping(EXAMPLES[key].probabilities, EXAMPLES[key].names)

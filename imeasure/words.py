"""The words that papers use for quantities of labels Y, data X and latent Z, both ways.

The names are those of Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy

from imeasure.parser import parse
from imeasure.printing import to_text

_NAMES = {
    "Relevant Information": "I[X;Y]",
    "Preserved Information": "I[X;Z]",
    "Preserved Relevant Information": "I[Y;Z]",
    "Residual Information": "I[X;Y|Z]",
    "Redundant Information": "I[X;Z|Y]",
    "Decoder Uncertainty": "H[Y|Z]",
    "Reverse Decoder Uncertainty": "H[Z|Y]",
    "Label Uncertainty": "H[Y|X]",
    "Encoding Uncertainty": "H[Z|X]",
    "Nuisance": "H[X|Y]",
    "Decoder Cross-Entropy": "CE[Y|Z]",
    "Prediction Cross-Entropy": "CE[Y|X]",
}


class Glossary(Mapping[str, str]):
    """Names to quantities and quantities to names, however either is typed.

    Example:
        >>> glossary["H[Y|Z]"], glossary["decoder uncertainty"], glossary["I[Z;X|Y]"]
        ('Decoder Uncertainty', 'H[Y|Z]', 'Redundant Information')
        >>> glossary.spell(parse("H[Y|Z] + beta*I[X;Z|Y]"))
        'Decoder Uncertainty + beta*Redundant Information'
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._quantities = dict(names)
        self._names = {parse(text): name for name, text in names.items()}
        self._folded = {name.casefold(): text for name, text in names.items()}

    def __getitem__(self, key: str) -> str:
        if key.casefold() in self._folded:
            return self._folded[key.casefold()]
        if "[" not in key and "(" not in key:
            raise KeyError(key)
        return self._names[parse(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._quantities)

    def __len__(self) -> int:
        return len(self._quantities)

    def spell(self, expression: sympy.Expr) -> str:
        """Return an expression with the words for its quantities; a quantity without a name keeps its symbols.

        Args:
            expression: A sympy expression.

        Returns:
            Text for people; the parser does not read it.
        """
        text = to_text(expression)
        for quantity, name in self._names.items():
            text = text.replace(to_text(quantity), name)
        return text


glossary = Glossary(_NAMES)
"""The glossary: quantities by name, and names by quantity."""

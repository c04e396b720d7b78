"""The glossary: the words that papers use for quantities of labels Y, data X and latent Z, both ways.

Quantities are compared as sympy expressions, so that ``I[Z;X|Y]`` is found as ``I[X;Z|Y]``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy

from imeasure.parser import parse
from imeasure.printing import to_text
from imeasure.quantities import Functional, Information
from imeasure.vocabulary import WORDS


class Glossary(Mapping[str, str]):
    """Names to quantities and quantities to names, however either is typed.

    Args:
        names: Quantities by name.

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

    def __getitem__(self, key: str | sympy.Expr) -> str:
        if isinstance(key, Information | Functional):
            return self._names[key]
        if not isinstance(key, str):
            raise KeyError(key)
        folded = " ".join(key.casefold().split())
        if folded in self._folded:
            return self._folded[folded]
        if "[" not in key and "(" not in key:
            raise KeyError(key)
        return self._names[parse(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._quantities)

    def __len__(self) -> int:
        return len(self._quantities)

    def spell(self, expression: sympy.Expr | str) -> str:
        """Return an expression with the words for its quantities; a quantity without a name keeps its symbols.

        Args:
            expression: A sympy expression or text.

        Returns:
            Text for people; the parser does not read it.

        Raises:
            ParseError: If a text is not in the language.
        """
        return to_text(parse(expression) if isinstance(expression, str) else expression, names="words")


glossary = Glossary(WORDS)
"""The glossary: quantities by name, and names by quantity."""

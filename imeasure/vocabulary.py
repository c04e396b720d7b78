"""The words of papers for quantities of labels Y, data X and latent Z, and how a text is put into them.

The names are those of Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 3. Texts and LaTeX are
translated after they are printed, so that every value prints in words in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from imeasure.errors import ConfigError, unknown

Names = Literal["symbols", "words"]
"""How quantities are spelled in what is printed."""

WORDS: Mapping[str, str] = MappingProxyType(
    {
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
)
"""Quantities by name."""


def _latex(quantity: str) -> str:
    name, _, rest = quantity.partition("[")
    return rf"\mathrm{{{name}}}[" + rest.replace("|", r" \mid ")


_SPELLED = {text: name for name, text in WORDS.items()} | {
    _latex(text): rf"\,\text{{{name}}}" for name, text in WORDS.items()
}
_QUANTITY = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, _SPELLED))})")


def spelled(text: str, names: Names) -> str:
    r"""Return what was printed in symbols with the quantities spelled as asked for.

    Args:
        text: Text or LaTeX of this package.
        names: ``"symbols"`` leaves it as it is; with ``"words"`` a quantity that has a name is replaced by it.

    Returns:
        The text; the parser reads back only symbols.

    Raises:
        ConfigError: If ``names`` is neither of the two.

    Example:
        >>> spelled("H[Y|Z] + beta*I[X;Z|Y]", "words")
        'Decoder Uncertainty + beta*Redundant Information'
        >>> print(spelled(r"\beta \mathrm{H}[Y \mid Z]", "words"))
        \beta \,\text{Decoder Uncertainty}
    """
    if names == "symbols":
        return text
    if names != "words":
        raise ConfigError(unknown("spelling of names", str(names), ["symbols", "words"]))
    return _QUANTITY.sub(lambda match: _SPELLED[match.group()], text)

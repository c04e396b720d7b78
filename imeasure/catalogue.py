"""The objectives of the information bottleneck literature, as data.

Each entry is a statement in the language with the ranges of its parameters and where it comes from; nothing here is
computed. ``simplify(objectives["IB"].statement)`` does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from imeasure.parser import parse
from imeasure.statements import Objective


@dataclass(frozen=True)
class CatalogueEntry:
    """An objective of the literature.

    Attributes:
        name: Its usual abbreviation.
        title: Its full name.
        statement: The objective in the language.
        reference: Where it comes from.
        ranges: For each parameter the values its source allows, in words of the language.
    """

    name: str
    title: str
    statement: str
    reference: str
    ranges: Mapping[str, str] = field(default_factory=dict)

    def objective(self) -> Objective:
        """Return the parsed statement."""
        return cast("Objective", parse(self.statement))


_KIRSCH = "Kirsch, Lyle and Gal, Unpacking Information Bottlenecks, 2020"
_ENTRIES = (
    CatalogueEntry(
        "IB",
        "Information Bottleneck",
        "min I[X;Z] - beta*I[Y;Z]",
        "Tishby, Pereira and Bialek, The Information Bottleneck Method, 2000",
        {"beta": "beta > 1"},
    ),
    CatalogueEntry(
        "IB-residual",
        "Information Bottleneck with residual information",
        "min I[X;Z] + beta*I[X;Y|Z]",
        "Tishby and Zaslavsky, Deep Learning and the Information Bottleneck Principle, 2015",
        {"beta": "beta > 1"},
    ),
    CatalogueEntry(
        "DIB",
        "Deterministic Information Bottleneck",
        "min H[Z] - beta*I[Y;Z]",
        "Strouse and Schwab, The Deterministic Information Bottleneck, 2017",
        {"beta": "beta > 1"},
    ),
    CatalogueEntry(
        "VIB",
        "Deep Variational Information Bottleneck",
        "max I[Y;Z] - beta*I[X;Z]",
        "Alemi, Fischer, Dillon and Murphy, Deep Variational Information Bottleneck, 2017",
        {"beta": "0 < beta < 1"},
    ),
    CatalogueEntry(
        "CEB",
        "Conditional Entropy Bottleneck",
        "min I[X;Z|Y] - I[Y;Z]",
        "Fischer, The Conditional Entropy Bottleneck, 2019",
    ),
    CatalogueEntry(
        "generalised-IB",
        "Generalised Information Bottleneck",
        "min H[Z] - a*H[Z|X] - beta*I[Y;Z]",
        "Strouse and Schwab, The Deterministic Information Bottleneck, 2017",
        {"a": "0 <= a <= 1", "beta": "beta > 1"},
    ),
    CatalogueEntry(
        "entropy-distance",
        "Entropy distance metric",
        "min H[Y|Z] + H[Z|Y]",
        "MacKay, Information Theory, Inference and Learning Algorithms, 2003, p. 140",
    ),
    CatalogueEntry(
        "IB-entropy-distance",
        "IB by the entropy distance metric",
        "min H[Y|Z] + H[Z|Y] + g*(H[Y|Z] - H[Z|Y]) + (g - 1)*H[Z|X]",
        f"{_KIRSCH}, equation (23)",
        {"g": "-1 < g < 1"},
    ),
    CatalogueEntry(
        "DIB-entropy-distance",
        "DIB by the entropy distance metric",
        "min H[Y|Z] + H[Z|Y] + g*(H[Y|Z] - H[Z|Y])",
        f"{_KIRSCH}, equation (24)",
        {"g": "-1 < g < 1"},
    ),
)

objectives: Mapping[str, CatalogueEntry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""The catalogue: :class:`CatalogueEntry` by name."""

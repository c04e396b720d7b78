"""The objectives of the information bottleneck literature, as data.

Each entry is a statement in the language with the ranges of its parameters and where it comes from; nothing here is
computed. ``simplify(entry.objective(), model=entry.model(), loss=entry.loss)`` does the rest; for the variables Y, X
and Z of supervised learning ``simplify(entry.statement)`` is enough. Where an objective is asked for, its name will do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from imeasure.errors import ConfigError, UnknownVariableError, unknown
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.statements import Objective

_WORD = re.compile(r"\s*[^\W\d][\w-]*\s*")


@dataclass(frozen=True)
class CatalogueEntry:
    """An objective of the literature.

    Attributes:
        name: Its usual abbreviation.
        title: Its full name.
        statement: The objective in the language.
        reference: Where it comes from.
        ranges: For each parameter the values its source allows, in words of the language.
        graph: The graph of its variables.
        fixed: The variables whose joint law is data.
        loss: The loss term of its canonical form.
    """

    name: str
    title: str
    statement: str
    reference: str
    ranges: Mapping[str, str] = field(default_factory=dict)
    graph: str = "Y -> X -> Z"
    fixed: tuple[str, ...] = ("X", "Y")
    loss: str = "H[Y|Z]"

    def model(self) -> Model:
        """Return the model that the objective presupposes."""
        return Model(self.graph, fixed=self.fixed)

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
    CatalogueEntry(
        "weights",
        "Decoder uncertainty with a Bayesian encoder",
        "min H[Y|Z] + beta*(I[Z;W|X] + H[Z|X,W])",
        f"{_KIRSCH}, section 3.2: the encoding uncertainty split by network weights W",
        {"beta": "beta > 0"},
        graph="Y -> X -> Z; W -> Z",
    ),
    CatalogueEntry(
        "prediction",
        "Information Bottleneck judged by its prediction",
        "min I[X;Z] - beta*I[Y;Yhat]",
        f"{_KIRSCH}, section 3: the prediction Yhat is made from the latent",
        {"beta": "beta > 0"},
        graph="Y -> X -> Z -> Yhat",
        loss="H[Y|Yhat]",
    ),
    CatalogueEntry(
        "multi-view",
        "Multi-View Information Bottleneck, one view's side",
        "min I[X1;Z1|X2] - beta*I[X2;Z1]",
        "Federici, Dutta, Forré, Kushman and Akata, Learning Robust Representations via Multi-View Information "
        "Bottleneck, 2020",
        {"beta": "beta > 0"},
        graph="Y -> X1 -> Z1; Y -> X2 -> Z2",
        fixed=("X1", "X2", "Y"),
        loss="H[X2|Z1]",
    ),
    CatalogueEntry(
        "multi-view-both",
        "Multi-View Information Bottleneck, both views",
        "min I[X1;Z1|X2] + I[X2;Z2|X1] - beta*(I[X2;Z1] + I[X1;Z2])",
        "Federici, Dutta, Forré, Kushman and Akata, Learning Robust Representations via Multi-View Information "
        "Bottleneck, 2020",
        {"beta": "beta > 0"},
        graph="Y -> X1 -> Z1; Y -> X2 -> Z2",
        fixed=("X1", "X2", "Y"),
        loss="H[X2|Z1] + H[X1|Z2]",
    ),
    CatalogueEntry(
        "conditional-IB",
        "Information Bottleneck with side information C",
        "min I[X;Z|C] - beta*I[Y;Z|C]",
        "Gondek and Hofmann, Conditional Information Bottleneck Clustering, 2003",
        {"beta": "beta > 1"},
        graph="C -> Y; C -> X; Y -> X; X -> Z; C -> Z",
        fixed=("C", "X", "Y"),
        loss="H[Y|C,Z]",
    ),
    CatalogueEntry(
        "privacy-funnel",
        "Privacy Funnel: keep the data X, hide the secret S",
        "max I[X;Z] - beta*I[S;Z]",
        "Makhdoumi, Salamatian, Fawaz and Medard, From the Information Bottleneck to the Privacy Funnel, 2014",
        {"beta": "beta > 0"},
        graph="S -> X -> Z",
        fixed=("S", "X"),
        loss="H[X|Z]",
    ),
    CatalogueEntry(
        "InfoMax",
        "InfoMax",
        "max I[X;Z]",
        "Linsker, Self-Organization in a Perceptual Network, 1988",
        graph="X -> Z",
        fixed=("X",),
        loss="H[X|Z]",
    ),
)

objectives: Mapping[str, CatalogueEntry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""The catalogue: :class:`CatalogueEntry` by name."""


def named(statement: object) -> CatalogueEntry | None:
    """Return the entry that a name stands for, or None for a statement.

    Args:
        statement: A name of the catalogue, or anything else.

    Returns:
        The entry, if there is one.

    Raises:
        UnknownVariableError: If it is one word, but no name; a statement of one word would have no quantity.

    Example:
        >>> named("VIB").statement
        'max I[Y;Z] - beta*I[X;Z]'
        >>> named("min H[Y|Z] + gamma*H[Z]") is None
        True
    """
    if not isinstance(statement, str) or not _WORD.fullmatch(statement):
        return None
    entry = objectives.get(statement.strip())
    if entry is None:
        raise UnknownVariableError(
            f"{unknown('objective', statement.strip(), objectives)}; one of your own is written like "
            f"'{objectives['IB'].statement}'"
        )
    return entry


def setting(*entries: CatalogueEntry | None) -> CatalogueEntry | None:
    """Return the entry whose graph the objectives stand on together.

    Args:
        entries: Entries, or None for other objectives, which have no graph of their own.

    Returns:
        One of them; None where it is the graph of supervised learning, which needs no saying.

    Raises:
        ConfigError: If they stand on different graphs.

    Example:
        >>> setting(named("InfoMax"), None).graph
        'X -> Z'
        >>> setting(named("IB"), named("VIB")) is None
        True
    """
    own = {entry.graph: entry for entry in entries if entry is not None}
    if len(own) > 1:
        names = " and ".join(f"{entry.name} on '{graph}'" for graph, entry in own.items())
        raise ConfigError(f"the objectives stand on different graphs, {names}; choose one as model=")
    found = next(iter(own.values()), None)
    return None if found is None or found.graph == CatalogueEntry.graph else found

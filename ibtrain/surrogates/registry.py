"""All surrogates by name."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from ibtrain.errors import ConfigError
from ibtrain.surrogates.decoding import DECODING
from ibtrain.surrogates.entry import Surrogate
from ibtrain.surrogates.laws import LAWS
from ibtrain.surrogates.moments import MOMENTS
from ibtrain.surrogates.references import REFERENCES

SURROGATES: Mapping[str, Surrogate] = MappingProxyType(
    {entry.name: entry for entry in (*DECODING, *MOMENTS, *REFERENCES, *LAWS)}
)
"""All surrogates by name, in the order in which losses show them."""


def surrogate(name: str) -> Surrogate:
    """Return a surrogate by its name.

    Args:
        name: Its name, as in `SURROGATES`; spaces do not matter.

    Raises:
        ConfigError: If there is none of that name; the nearest one is named.

    Example:
        >>> surrogate("LogVar[Z]").formula
        'sum_k 1/2 ln(2 pi e Var[Z_k])'
    """
    found = SURROGATES.get(name.replace(" ", "")) if isinstance(name, str) else None
    if found is None:
        near = difflib.get_close_matches(str(name), SURROGATES, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(SURROGATES)}"
        raise ConfigError(f"no surrogate is called {name!r}: {remedy}")
    return found


def surrogate_label(name: str) -> str:
    """Return how tables and pictures call a surrogate, or a sum of them.

    Args:
        name: Its name, names with plus signs between them, or nothing.

    Example:
        >>> surrogate_label("LogVar[Z] + Noise[Z|X]"), surrogate_label("")
        ('log Var[Z] + noise entropy', 'none')
    """
    return " + ".join(SURROGATES[part].label if part in SURROGATES else part for part in name.split(" + ")) or "none"

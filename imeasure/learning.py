"""The model of supervised learning, on which the paper's objectives are stated (Kirsch, Lyle, Gal 2020, section 2).

Labels Y, data X and a latent Z with ``Y -> X -> Z``; what kind of variable Z is decides which of its entropies exist.
"""

from __future__ import annotations

from typing import Literal

from imeasure.errors import ModelError, unknown
from imeasure.model import Model


def supervised(
    latent: Literal["discrete", "continuous", "noisy"] = "discrete",
    encoder: Literal["stochastic", "deterministic"] = "stochastic",
    *,
    weights: bool = False,
) -> Model:
    """Return the paper's model of supervised learning: labels Y, data X, latent Z, with ``Y -> X -> Z``.

    Args:
        latent: ``"discrete"``, ``"continuous"``, or ``"noisy"``: continuous with independent zero-entropy noise.
        encoder: ``"stochastic"``, or ``"deterministic"``: Z is a function of X, up to fixed independent noise if the
            latent is noisy.
        weights: Whether network weights W are a random variable too.

    Returns:
        The model; the joint law of X and Y is data.

    Raises:
        ModelError: If an option is unknown.

    Example:
        >>> print(supervised())
        X -> Z; Y -> X; fixed: X, Y
        >>> supervised(encoder="deterministic").reduce("H[Z|X]")
        0
    """
    for value, options in ((latent, ("discrete", "continuous", "noisy")), (encoder, ("stochastic", "deterministic"))):
        if value not in options:
            raise ModelError(unknown("option", str(value), options))
    noise = "H[Z|X,W]" if weights else "H[Z|X]"
    fixed: list[str] = ["X", "Y"]
    assume: list[str] = []
    kind: str = latent
    if encoder == "deterministic":
        if latent == "discrete":
            assume.append(f"{noise} = 0")
        elif latent == "noisy":
            fixed.append(noise)
        else:
            kind = "noiseless"
    graph = "Y -> X -> Z; W -> Z" if weights else "Y -> X -> Z"
    return Model(graph, fixed=fixed, assume=assume, kinds={"Z": kind})

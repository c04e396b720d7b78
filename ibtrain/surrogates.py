"""Which computable quantity may stand for which term of an objective, as data.

Every entry of `SURROGATES` says what it bounds and from which side, what it needs, how it is written and where it comes
from; its value is a pure function of `ibtrain.functional`. The noise of the latent is known, so its variance enters
analytically and the noiseless latent is what is averaged. Source: Kirsch, Lyle and Gal, "Unpacking Information
Bottlenecks" (2020), section 6.
"""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from ibtrain import functional
from ibtrain.bottlenecks import Latent
from ibtrain.errors import ConfigError

Side = Literal["upper", "lower", "exact"]
Evaluate = Callable[[Latent, Tensor, Tensor], Tensor]


@dataclasses.dataclass(frozen=True)
class Surrogate:
    """A computable stand-in for an information quantity.

    Args:
        name: How loss plans, results and configurations call it, in the form of a quantity.
        label: How pictures call it.
        quantity: The quantity it bounds, in imeasure's language.
        side: The side of the quantity on which its value lies.
        stands_for: Quantities that it may replace: its own, and those that are below it up to a constant.
        latents: Kinds of latent on which all that is so.
        needs: What it is computed from.
        formula: Its formula as text.
        latex: Its formula in LaTeX.
        reference: Where the bound comes from.
        evaluate: Its value in nats, from the latent, the logits S x B x C and the targets B.
    """

    name: str
    label: str
    quantity: str
    side: Side
    stands_for: tuple[str, ...]
    latents: tuple[str, ...]
    needs: tuple[str, ...]
    formula: str
    latex: str
    reference: str
    evaluate: Evaluate

    def side_for(self, quantity: str) -> str:
        """Say on which side of a quantity the value lies, and up to which constant.

        H[Z|Y] = I[X;Z|Y] + H[Z|X]: a bound of the left side bounds the information only with the entropy of the noise
        added, a constant that may be negative.

        Args:
            quantity: One of `stands_for`.

        Example:
            >>> surrogate("LogVar[Z|Y]").side_for("H[Z|Y]"), surrogate("LogVar[Z|Y]").side_for("I[X;Z|Y]")
            ('upper', 'upper, + H[Z|X]')
        """
        return f"{self.side}, + H[Z|X]" if quantity in ("I[X;Z]", "I[X;Z|Y]") else self.side

    @property
    def axiom(self) -> str:
        """The bound as a relation in imeasure's language.

        Example:
            >>> surrogate("LogVar[Z|Y]").axiom
            'LogVar[Z|Y] >= H[Z|Y]'
        """
        sign = {"upper": ">=", "lower": "<=", "exact": "="}[self.side]
        return f"{self.name} {sign} {self.quantity}"


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
    found = SURROGATES.get(name.replace(" ", ""))
    if found is None:
        near = difflib.get_close_matches(name, SURROGATES, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(SURROGATES)}"
        raise ConfigError(f"no surrogate is called {name!r}: {remedy}")
    return found


def _cross_entropy(latent: Latent, logits: Tensor, target: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all
    return functional.decoder_cross_entropy(logits, target)


def _conditional_log_variance(latent: Latent, logits: Tensor, target: Tensor) -> Tensor:
    return functional.conditional_log_variance(
        latent.centres, target, logits.shape[-1], noise_variance=latent.noise_variance
    )


def _log_variance(latent: Latent, logits: Tensor, target: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all
    return functional.log_variance(latent.centres, noise_variance=latent.noise_variance)


def _squared_norm(latent: Latent, logits: Tensor, target: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all
    return functional.squared_norm_bound(latent.centres, noise_variance=latent.noise_variance)


def _noise_entropy(latent: Latent, logits: Tensor, target: Tensor) -> Tensor:  # noqa: ARG001 - one signature for all
    return torch.as_tensor(latent.conditional_entropy).to(latent.samples)


_BELOW_H_Z = ("H[Z]", "H[Z|Y]", "I[X;Z]", "I[X;Z|Y]")

_ALL = (
    Surrogate(
        name="CE[Y|Z]",
        label="decoder cross-entropy",
        quantity="H[Y|Z]",
        side="upper",
        stands_for=("H[Y|Z]", "I[X;Y|Z]"),
        latents=("noisy",),
        needs=("logits", "target"),
        formula="E[-ln q(y|z)]",
        latex=r"\mathbb{E}[-\ln q(y \mid z)]",
        reference="Kirsch, Lyle and Gal (2020), observation 4",
        evaluate=_cross_entropy,
    ),
    Surrogate(
        name="LogVar[Z|Y]",
        label="log Var[Z|Y]",
        quantity="H[Z|Y]",
        side="upper",
        stands_for=("H[Z|Y]", "I[X;Z|Y]"),
        latents=("noisy",),
        needs=("latent", "target"),
        formula="E_y sum_k 1/2 ln(2 pi e Var[Z_k|y])",
        latex=r"\mathbb{E}_y \sum_k \tfrac12 \ln(2 \pi e \operatorname{Var}[Z_k \mid y])",
        reference="Kirsch, Lyle and Gal (2020), theorem 2",
        evaluate=_conditional_log_variance,
    ),
    Surrogate(
        name="LogVar[Z]",
        label="log Var[Z]",
        quantity="H[Z]",
        side="upper",
        stands_for=_BELOW_H_Z,
        latents=("noisy",),
        needs=("latent",),
        formula="sum_k 1/2 ln(2 pi e Var[Z_k])",
        latex=r"\sum_k \tfrac12 \ln(2 \pi e \operatorname{Var}[Z_k])",
        reference="Kirsch, Lyle and Gal (2020), theorem 2 with a single class",
        evaluate=_log_variance,
    ),
    Surrogate(
        name="SquaredNorm[Z]",
        label="E||Z||²",
        quantity="H[Z]",
        side="upper",
        stands_for=_BELOW_H_Z,
        latents=("noisy",),
        needs=("latent",),
        formula="E||Z||^2 + K/2 ln(pi)",
        latex=r"\mathbb{E}\lVert Z \rVert^2 + \tfrac{K}{2} \ln \pi",
        reference="Kirsch, Lyle and Gal (2020), section 6.2; cross-entropy of Z to N(0, I/2)",
        evaluate=_squared_norm,
    ),
    Surrogate(
        name="Noise[Z|X]",
        label="noise entropy",
        quantity="H[Z|X]",
        side="exact",
        stands_for=("H[Z|X]", "H[Z|X,Y]"),
        latents=("noisy",),
        needs=("latent",),
        formula="K/2 ln(2 pi e noise variance)",
        latex=r"\tfrac{K}{2} \ln(2 \pi e \sigma^2)",
        reference="entropy of a Gaussian; Kirsch, Lyle and Gal (2020), section 6.1",
        evaluate=_noise_entropy,
    ),
)

SURROGATES: Mapping[str, Surrogate] = MappingProxyType({entry.name: entry for entry in _ALL})
"""All surrogates by name; among those that fit a term, the first is the tightest."""

"""What a surrogate is: a computable stand-in for an information quantity, with the axiom that makes it one.

An entry is data. Its axiom is all that a proof may use of it, so an entry whose value keeps its axiom is sound wherever
the proof goes through, and nothing else has to be listed. Source: Kirsch, Lyle and Gal, "Unpacking Information
Bottlenecks" (2020), section 6.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn

from ibtrain.bottlenecks import Latent
from ibtrain.errors import ConfigError
from ibtrain.reduction import LOCAL, Reduction

Side = Literal["upper", "lower", "exact"]
"""On which side of its quantity a surrogate lies."""
KINDS = ("noisy", "additive", "gaussian", "categorical", "dropout", "noisy dropout")
"""Kinds of latents, as bottlenecks name them."""


class Batch(NamedTuple):
    """What surrogates are computed from.

    Args:
        latent: Samples S x B x K of the latent and what is known of their law.
        logits: Decoder outputs S x B x C, or S x 1 x C for the codes of a categorical latent.
        target: Classes, B.
        reduce: How a batch spread over processes is joined.
        learned: The parameters of a surrogate that learns.
    """

    latent: Latent
    logits: Tensor
    target: Tensor
    reduce: Reduction = LOCAL
    learned: nn.Module | None = None

    @property
    def classes(self) -> int:
        """Number C of classes."""
        return self.logits.shape[-1]


Evaluate = Callable[[Batch], Tensor]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Surrogate:
    """A computable stand-in for an information quantity.

    X is what the encoder sees, Y what the decoder predicts and Z the latent, whatever an objective calls them.

    Args:
        name: How loss plans, results and configurations call it: a functional of imeasure's language.
        quantity: What it bounds, an expression in imeasure's language.
        side: The side of the quantity on which its value lies.
        latents: Kinds of latent on which its axiom holds.
        formula: Its formula as text.
        evaluate: Its value in nats, a scalar.
        label: How pictures call it; its name by default.
        latex: Its formula in LaTeX; its name by default.
        reference: Where the bound comes from.
        needs: What it is computed from: `logits`, `target`, `centres`, `samples`, `log_probabilities`.
        computable: Kinds of latent on which it has a value, bound or not; those of `latents` by default.
        orders: More that is true of it, as relations with other surrogates, from which the tightest is found.
        is_default: Whether it may be chosen without being named.
        replaces: Quantities in whose place it is used without a proof, if that is asked for.
        learned: Makes its own parameters from the numbers K of dimensions and C of classes.
        code: Lines of PyTorch that end in `value = ...`, for stand-alone functions; by kind of latent where that
            matters. They may use `logits`, `target`, what `needs` names, `noise_variance` and `arguments`.
        arguments: Tensors that the code needs beyond `needs`, with what each is.

    Example:
        >>> entry = Surrogate(name="Twice[Z]", quantity="2*H[Z]", side="exact", latents=("categorical",),
        ...     formula="2 H[Z]", evaluate=lambda batch: 2 * batch.latent.conditional_entropy)
        >>> entry.axiom
        'Twice[Z] = 2*H[Z]'
    """

    name: str
    quantity: str
    side: Side
    latents: tuple[str, ...]
    formula: str
    evaluate: Evaluate
    label: str = ""
    latex: str = ""
    reference: str = ""
    needs: tuple[str, ...] = ()
    computable: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    is_default: bool = True
    replaces: tuple[str, ...] = ()
    learned: Callable[[int, int], nn.Module] | None = None
    code: Mapping[str, str] | str = ""
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*\[[^;\[\]]+\]", self.name):
            raise ConfigError(
                f"a surrogate is called like a quantity of one group, for example MyBound[Z|Y], not {self.name!r}"
            )
        if self.functional in ("H", "I", "KL"):
            raise ConfigError(f"{self.name} is the name of a quantity, not of a bound of one: call it Own{self.name}")
        if not isinstance(self.quantity, str) or not callable(self.evaluate):
            raise ConfigError(
                f"{self.name} needs what it bounds as text and a function evaluate of a batch, not {self.quantity!r} "
                f"and {self.evaluate!r}"
            )
        for field in ("latents", "computable", "needs", "orders", "replaces"):
            value = getattr(self, field)
            if not isinstance(value, tuple) or not all(isinstance(one, str) for one in value):
                raise ConfigError(f"{field} of {self.name} is a tuple of texts, not {value!r}")
        if self.side not in ("upper", "lower", "exact"):
            raise ConfigError(f"the side of {self.name} is 'upper', 'lower' or 'exact', not {self.side!r}")
        for kind in (*self.latents, *self.computable):
            if kind not in KINDS:
                raise ConfigError(f"{self.name} names a latent {kind!r}; kinds are {', '.join(KINDS)}")
        for field, value in (
            ("label", self.name),
            ("latex", rf"\mathrm{{{self.functional}}}" + self.name[len(self.functional) :].replace("|", r" \mid ")),
            ("computable", self.latents),
        ):
            object.__setattr__(self, field, getattr(self, field) or value)

    @property
    def functional(self) -> str:
        """The name before the bracket.

        Example:
            >>> from ibtrain.surrogates import surrogate
            >>> surrogate("LogVar[Z|Y]").functional
            'LogVar'
        """
        return self.name.partition("[")[0]

    @property
    def axiom(self) -> str:
        """The bound as a relation in imeasure's language.

        Example:
            >>> from ibtrain.surrogates import surrogate
            >>> surrogate("LogVar[Z|Y]").axiom
            'LogVar[Z|Y] >= H[Z|Y]'
        """
        sign = {"upper": ">=", "lower": "<=", "exact": "="}[self.side]
        return f"{self.name} {sign} {self.quantity}"

    def code_for(self, kind: str) -> str:
        """Return the lines of PyTorch that compute it on a kind of latent; empty if there are none.

        Args:
            kind: The kind.
        """
        return self.code if isinstance(self.code, str) else self.code.get(kind, self.code.get("", ""))

    def renamed(self, names: Mapping[str, tuple[str, ...]]) -> "Surrogate":
        """Return it for other variables.

        Args:
            names: The variables that take the places of X, Y and Z.

        Example:
            >>> from ibtrain.surrogates import surrogate
            >>> surrogate("Noise[Z|X]").renamed({"X": ("C", "X")}).axiom
            'Noise[Z|C,X] = H[Z|C,X]'
        """

        def spelled(text: str) -> str:
            return re.sub(r"\[([^\]]*)\]", lambda found: f"[{_renamed(found.group(1), names)}]", text)

        texts: dict[str, Any] = {key: spelled(getattr(self, key)) for key in ("name", "quantity", "label")}
        for key in ("orders", "replaces"):
            texts[key] = tuple(spelled(text) for text in getattr(self, key))
        return dataclasses.replace(self, **texts)


def _renamed(inside: str, names: Mapping[str, tuple[str, ...]]) -> str:
    parts = re.split(r"([;|])", inside)
    for index in range(0, len(parts), 2):
        group = [new for name in parts[index].split(",") for new in names.get(name.strip(), (name.strip(),))]
        parts[index] = ",".join(sorted(dict.fromkeys(group)))
    return "".join(parts)

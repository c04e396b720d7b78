"""The proof that a loss bounds an objective, kept with the loss.

Three links make the chain: the objective is scale * expression + constant (the canonical form), the expression is at
most the loss plus a constant (the certificate), and the constants are constant (the model). Each is checked by exact
arithmetic that knows nothing of the search that found it.
"""

import dataclasses
import json
from typing import Any

import sympy

import imeasure
from ibtrain.errors import DerivationError
from imeasure.constants import as_constant, is_constant
from imeasure.exchange import entry, format_of, loaded, model_data, read_model, reading, texts

_WHAT = "guarantee"


@dataclasses.dataclass(frozen=True)
class Guarantee:
    """A proved bound: minimising the loss minimises an upper bound of the objective.

    Args:
        form: The canonical form of the objective.
        model: What is known of the variables, the latent's kind included.
        weight: The regularizer's weight as it stands in the loss.
        loss: The loss, its surrogates as functionals.
        constant: What has to be added to it: measures of what the model fixes.
        axioms: The surrogates' axioms, on which the proof stands.
        certificate: The proof of `relation`.

    Example:
        >>> from ibtrain import compile
        >>> guarantee = compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy").guarantee
        >>> print(guarantee.relation)
        H[Y|Z] + gamma*I[X;Z|Y] <= CE[Y|Z] - gamma*H[Z|X] + gamma*LogVar[Z|Y]
        >>> guarantee.verify()
        True
    """

    form: imeasure.CanonicalForm
    model: imeasure.Model
    weight: Any
    loss: Any
    constant: Any
    axioms: tuple[str, ...]
    certificate: imeasure.Certificate

    @property
    def relation(self) -> imeasure.Relation:
        """What is proved."""
        return self.relation_of(self.form, self.weight, self.loss, self.constant)

    @staticmethod
    def relation_of(form: imeasure.CanonicalForm, weight: Any, loss: Any, constant: Any) -> imeasure.Relation:
        """Return what has to be proved: the form's expression is at most the loss plus a constant.

        Args:
            form: The canonical form.
            weight: The regularizer's weight.
            loss: The loss, its surrogates as functionals.
            constant: What has to be added to it.
        """
        left, right = (sympy.expand(side) for side in (form.loss + weight * form.regularizer, loss + constant))
        return imeasure.Relation((left, right), ("<=",))

    def verify(self) -> bool:
        """Check all three links exactly, without any search.

        Returns:
            True.

        Raises:
            DerivationError: Saying what does not hold.
        """
        self.form.verify_alone()
        form = self.form
        if as_constant(form.objective.expression - form.scale * form.expression, self.model) is None:
            raise DerivationError("the objective is not scale * expression + constant under the latent's model")
        if self.weight != form.weight and self.weight not in dict(self.model.ranges):
            raise DerivationError(f"the weight {self.weight} has no range")
        if not is_constant(sympy.expand(self.constant), self.model):
            raise DerivationError(f"{self.constant} is not constant under the model")
        problem = self.certificate.problem
        if problem.claim != str(self.relation) or problem.given != self.axioms:
            raise DerivationError("the certificate proves another relation, or from other axioms")
        if problem.model is None or _facts(problem.model) != _facts(self.model):
            raise DerivationError("the certificate stands on another model")
        return self.certificate.verify()

    def to_json(self) -> str:
        """Return the guarantee as JSON text, with everything that a check needs."""
        names = sorted({one.name for one in sympy.sympify(self.loss).atoms(imeasure.Functional)})
        data = {
            "format": format_of(_WHAT),
            "relation": str(self.relation),
            "weight": str(self.weight),
            "loss": str(self.loss),
            "constant": str(self.constant),
            "functionals": names,
            "axioms": list(self.axioms),
            "model": model_data(self.model),
            "form": json.loads(self.form.to_json()),
            "certificate": json.loads(self.certificate.to_json()),
        }
        return json.dumps(data, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Guarantee":
        """Read a guarantee from JSON text; `verify` says whether it holds.

        Args:
            text: What `to_json` returned.

        Raises:
            DerivationError: If the text is no guarantee.
        """
        data = loaded(text, _WHAT)
        with reading(_WHAT):
            names = texts(data, "functionals")
            found = cls(
                form=imeasure.CanonicalForm.from_json(json.dumps(entry(data, "form", dict))),
                model=read_model(entry(data, "model", dict)),
                weight=imeasure.parse(entry(data, "weight", str)),
                loss=imeasure.parse(entry(data, "loss", str), functionals=names),
                constant=imeasure.parse(entry(data, "constant", str)),
                axioms=tuple(texts(data, "axioms")),
                certificate=imeasure.Certificate.from_json(json.dumps(entry(data, "certificate", dict))),
            )
            stated = entry(data, "relation", str)
        if stated != str(found.relation):
            raise DerivationError(f"the guarantee says {stated}, but its parts make {found.relation}")
        return found

    def __str__(self) -> str:
        lines = [f"proved: {self.relation}"]
        if self.axioms:
            lines.append(f"from {'; '.join(self.axioms)}")
        lines.append(f"in the model {self.model}")
        return "\n".join(lines)


def _facts(model: imeasure.Model) -> tuple[object, ...]:
    kinds = tuple(pair for pair in model.kinds if pair[1] != "discrete")
    return model.nodes, frozenset(model.edges), tuple(map(str, model.assumptions)), kinds, model.ranges

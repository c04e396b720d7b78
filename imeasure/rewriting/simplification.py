"""``simplify``: canonical forms for objectives, shortest equal expressions for everything else."""

from __future__ import annotations

from typing import Any, overload

import sympy

from imeasure.catalogue import named, setting
from imeasure.errors import NonlinearError
from imeasure.model import Model
from imeasure.parser import parse
from imeasure.rewriting.canonical import canonical_form
from imeasure.rewriting.fewest import shortest
from imeasure.rewriting.form import CanonicalForm
from imeasure.statements import Constraint, Objective, Relation


@overload
def simplify(
    statement: Objective, *, model: Model | str | None = None, loss: str | sympy.Expr | None = None
) -> CanonicalForm: ...
@overload
def simplify(
    statement: str | sympy.Expr, *, model: Model | str | None = None, loss: str | sympy.Expr | None = None
) -> Any: ...  # a text says only when it is read which of the two it is
def simplify(
    statement: str | Objective | sympy.Expr, *, model: Model | str | None = None, loss: str | sympy.Expr | None = None
) -> CanonicalForm | sympy.Expr:
    """Return the canonical form of an objective, or the shortest expression equal to a given one.

    Args:
        statement: An objective (``"min I[X;Z] - beta*I[Y;Z]"``), a name of the catalogue (``"IB"``), which brings its
            own model and loss unless others are given, or an expression (``"H[X] - H[X|Y]"``).
        model: What is known: a model or the text of its graph, in which X and Y are data where the statement is an
            objective. By default :func:`imeasure.supervised` for an objective and nothing for an expression.
        loss: The loss term of an objective, ``H[Y|Z]`` by default.

    Returns:
        For an objective its verified :class:`CanonicalForm`; for an expression an equal one with the fewest terms that
        were found, the smallest ones first (:func:`imeasure.shortest` also says whether fewer are impossible).

    Raises:
        ParseError: If the text is not in the language.
        NonlinearError: If the statement is a relation or a constraint, or not linear in its quantities.
        UnknownVariableError: If a variable is not in the model, or a name not in the catalogue.
        UndefinedQuantityError: If a quantity has no value under the model.
        ModelError: If an expression, or the facts about an objective, involve more than 8 variables.
        DegenerateObjectiveError: If the loss has no positive coefficient, so that the best latent is trivial.

    Example:
        >>> print(simplify("max I[Y;Z] - beta*I[X;Z]"))
        H[Y|Z] + b*I[X;Z|Y] with b = beta/(1 - beta), for 0 < beta < 1
        >>> print(simplify("min H[Y|Z] + H[Z|Y]").alternatives[0])
        H[Y|Z] + H[Z]/2
        >>> print(simplify("CEB"))
        H[Y|Z] + I[X;Z|Y]
        >>> simplify("H[X] + H[Y] - H[X,Y]")
        I[X;Y]
        >>> simplify("H[Z] - I[Y;Z] - H[Z|X]", model="Y -> X -> Z")
        I[X;Z|Y]
    """
    entry = named(statement)
    if entry is not None:
        own = setting(entry) if model is None else None
        return canonical_form(
            entry.objective(), model=model if own is None else own.model(), loss=entry.loss if loss is None else loss
        )
    read = parse(statement) if isinstance(statement, str) else statement
    if isinstance(read, Objective):
        return canonical_form(read, model=model, loss=loss)
    if isinstance(read, Relation | Constraint):
        raise NonlinearError(f"expected an objective or an expression, not '{read}'; check() decides statements")
    if loss is not None:
        raise NonlinearError(
            f"'{statement}' is an expression and has no loss; write 'min {statement}' for an objective"
        )
    return shortest(read, model=model).expression

"""The search for the canonical form of an objective, over exact vectors.

Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), section 4: modulo what the data fix, the objectives of
the information bottleneck family are H[Y|Z] plus a weighted regularizer that lies outside the target's entropy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, combinations, islice
from typing import Any

import sympy

from imeasure.constants import as_constant
from imeasure.elimination import Basis, combination
from imeasure.errors import DegenerateObjectiveError, DerivationError, NonlinearError
from imeasure.exchange import as_model
from imeasure.model import Model
from imeasure.printing import to_text
from imeasure.quantities import Functional, Information
from imeasure.rewriting.deferred import Deferred
from imeasure.rewriting.derive import derive
from imeasure.rewriting.fewest import rational_vectors
from imeasure.rewriting.form import CanonicalForm
from imeasure.rewriting.quotient import Candidate, Quotient, quotient
from imeasure.signs import Conditions, holds_everywhere, positive, with_positive_denominator
from imeasure.statements import Objective
from imeasure.terms import as_expression, as_objective, collected, variables_of


def canonical_form(
    objective: Objective, *, model: Model | str | None = None, loss: str | sympy.Expr | None = None
) -> CanonicalForm:
    """Return the canonical form of an objective.

    Args:
        objective: The objective.
        model: The model, by default :func:`imeasure.supervised`; in a graph given as text X and Y are data.
        loss: The loss term, by default ``H[Y|Z]``.

    Returns:
        The verified form.

    Raises:
        NonlinearError: If the objective or the loss is not linear in its quantities, or the loss has a parameter.
        UnknownVariableError: If a variable is not in the model.
        UndefinedQuantityError: If a quantity has no value under the model.
        DegenerateObjectiveError: If the loss is constant, or has no positive coefficient: the best latent is trivial.
    """
    return _Search(
        as_objective(objective), as_model(model, of_objective=True), as_expression("H[Y|Z]" if loss is None else loss)
    ).run()


@dataclass(frozen=True)
class _Found:
    """A decomposition ``coefficient * loss + sum of weights * terms``."""

    coefficient: sympy.Expr
    terms: tuple[Information, ...]
    weights: tuple[sympy.Expr, ...]
    beyond: bool


class _Search:
    def __init__(self, objective: Objective, model: Model, loss: sympy.Expr) -> None:
        self.objective, self.model, self.loss = objective, model, loss
        self.sign = 1 if objective.sense == "min" else -1
        wanted = variables_of(loss)
        present = variables_of(objective.expression)
        names = model.covering((*present, *wanted))
        model.require_defined(objective.expression)
        self.space: Quotient = quotient(model, names, homogeneous=True)
        self.target, self.terms = self.space.coordinates(self.sign * objective.expression)
        pieces, exact = rational_vectors(self.target, self.terms.domain)
        self.pieces = pieces if exact else []  # a quick test: no functions of the parameters to divide
        self.loss_vector, terms = self.space.coordinates(loss)
        if terms.domain is not None:
            raise NonlinearError(f"the loss {to_text(loss)} has a parameter; give one whose coefficients are numbers")
        if not self.loss_vector:
            raise DegenerateObjectiveError(
                f"the loss {to_text(loss)} is constant under the model; name a term that the latents can make small"
            )
        self.missing = [name for name in wanted if name not in present]
        self.reached = frozenset([*self.target, *self.loss_vector])
        self.learned = frozenset(self.space.names).difference(model.fixed)
        self.targets = frozenset(wanted).intersection(model.fixed)

    def run(self) -> CanonicalForm:
        if not self.target:
            raise DegenerateObjectiveError(
                f"'{self.objective}' is constant under the model; there is nothing to choose"
            )
        alone = combination(self.target, [self.loss_vector])
        if alone is not None:
            found = iter([_Found(self.value(alone[0]), (), (), True)])
        else:
            found = iter(self.singles() or self.several())
        first = next(found)
        self.require_loss(first)
        forms = chain.from_iterable(map(self.build, chain([first], found)))
        form = next(forms, None)
        if form is None:
            raise DegenerateObjectiveError(
                f"in '{self.objective}' no regularizer has a positive weight together with a positive coefficient of "
                f"{to_text(self.loss)}; check the signs and the ranges of the parameters"
            )
        form.verify_alone()
        return replace(form, alternatives=Deferred(partial(self.others, forms, form)))

    def others(self, forms: Iterator[CanonicalForm], form: CanonicalForm) -> Iterator[CanonicalForm]:
        """Yield the alternatives of a form, verified."""
        for other in chain(forms, self.in_entropies(form)):
            other.verify_alone()
            yield other

    def value(self, coefficient: Any) -> sympy.Expr:
        return self.terms.coefficient(coefficient)

    def is_beyond(self, candidate: Candidate) -> bool:
        return self.targets <= candidate.beyond

    def decompose(self, candidates: tuple[Candidate, ...]) -> _Found | None:
        covered = set(self.loss_vector).union(*(c.vector for c in candidates))
        if not covered.issuperset(self.target):
            return None
        if len(candidates) == 1 and not covered <= self.reached:
            return None
        basis = Basis([self.loss_vector, *(c.vector for c in candidates)])
        if any(basis.coefficients(piece) is None for piece in self.pieces):
            return None
        solution = basis.coefficients(self.target)
        if solution is None or not all(solution[1:]):
            return None
        terms = tuple(candidate.quantity for candidate in candidates)
        values = tuple(map(self.value, solution[1:]))
        return _Found(self.value(solution[0]), terms, values, all(map(self.is_beyond, candidates)))

    def singles(self) -> list[_Found]:
        found = [one for candidate in self.space.candidates if (one := self.decompose((candidate,)))]
        return sorted(found, key=lambda one: (not one.beyond, not self.measures_latents(one.terms[0])))

    def measures_latents(self, quantity: Information) -> bool:
        return any(v.name in self.learned for group in quantity.groups for v in group)

    def several(self) -> Iterator[_Found]:
        """Yield the decompositions with the fewest terms, all of the same number."""
        beyond = [c for c in self.space.candidates if self.is_beyond(c)]
        for offered in (beyond, list(self.space.candidates)):
            for size in (2, 3):
                fewest = map(self.decompose, islice(combinations(offered, size), 20_000))
                first = next((found for found in fewest if found), None)
                if first is not None:
                    yield first
                    yield from (found for found in fewest if found)
                    return
        divergences = [f for f in self.objective.expression.atoms(Functional) if f not in self.loss.atoms(Functional)]
        advice = f"; {' and '.join(map(str, divergences))} can be named with loss=" if divergences else ""
        raise DegenerateObjectiveError(
            f"no regularizer of up to three terms completes {to_text(self.loss)} in '{self.objective}'{advice}"
        )

    def require_loss(self, found: _Found) -> None:
        coefficient = found.coefficient
        if positive([coefficient], self.model).satisfiable and coefficient != 0:
            return
        name = to_text(self.loss)
        remedy = positive([coefficient], Model())
        chosen = coefficient.free_symbols and remedy.satisfiable
        larger = f"give the term that makes {name} small a larger weight"
        absent = f"nothing in it says {' and '.join(self.missing)}; name the loss term with loss=, or add one"
        excluded = coefficient.free_symbols.intersection(dict(self.model.ranges))
        wider = " and let the model's ranges have it" if excluded else ""
        advice = f"choose {remedy}{wider}" if chosen else absent if self.missing else larger
        if coefficient == 0:
            reason = f"no loss term is left: the coefficient of {name} is 0"
        else:
            latents, targets = ", ".join(sorted(self.learned)), ", ".join(sorted(self.targets))
            reason = (
                f"the coefficient of {name} is {coefficient}, which is never positive here: {name} would be maximised, "
                f"and the best {latents} would carry nothing about {targets}"
            )
        raise DegenerateObjectiveError(f"in '{self.objective}' {reason}; {advice}")

    def build(self, found: _Found) -> Iterator[CanonicalForm]:
        """Yield the forms of a decomposition: any term may carry the weight, where that covers other parameters."""
        scale = found.coefficient
        if not found.terms:
            conditions = positive([scale], self.model)
            if conditions.satisfiable:
                yield self.form_of(sympy.S.Zero, sympy.S.Zero, scale, conditions)
            return
        choices = [(positive([scale, weight], self.model), weight) for weight in found.weights]
        choices = [choice for choice in choices if choice[0].satisfiable]
        covered: list[Conditions] = []
        for conditions, first in sorted(choices, key=lambda choice: len(choice[0].sets) + len(choice[0].relations)):
            if any(self.implies(conditions, other) for other in covered):
                continue
            covered.append(conditions)
            weight = with_positive_denominator(first / scale, conditions, self.model)
            shares = zip(found.weights, found.terms, strict=True)
            regularizer = sympy.Add(*(sympy.factor(share / first) * term for share, term in shares))
            yield self.form_of(weight, regularizer, scale, conditions)

    def implies(self, narrow: Conditions, wide: Conditions) -> bool:
        known = dict(narrow.sets)
        within = all(known.get(s, self.model.range(s)).is_subset(values) for s, values in wide.sets)
        return within and all(holds_everywhere(r.lhs, narrow, self.model) for r in wide.relations)

    def form_of(
        self, weight: sympy.Expr, regularizer: sympy.Expr, scale: sympy.Expr, conditions: Conditions
    ) -> CanonicalForm:
        expression = self.loss + weight * regularizer
        signed = self.sign * scale
        constant = as_constant(self.objective.expression - signed * expression, self.model)
        if constant is None:
            raise DerivationError(f"{to_text(expression)} is not the form of '{self.objective}'")
        derivation = derive(
            self.objective,
            loss=self.loss,
            regularizer=regularizer,
            expression=expression,
            scale=scale,
            conditions=conditions,
            model=self.model,
        )
        return CanonicalForm(
            self.objective,
            self.model,
            self.loss,
            weight,
            regularizer,
            signed,
            collected(constant),
            conditions,
            derivation,
        )

    def in_entropies(self, form: CanonicalForm) -> Iterator[CanonicalForm]:
        """Yield the form whose regularizer, a mutual information, is a difference of latent entropies."""
        quantity = form.regularizer
        if not isinstance(quantity, Information) or len(quantity.groups) == 1:
            return
        learned = [name for name in self.space.names if name not in self.model.fixed]
        entropies = [
            c
            for c in self.space.candidates
            if len(c.quantity.groups) == 1 and all(v.name in learned for v in c.quantity.groups[0])
        ]
        target = self.space.coordinates(quantity)[0]
        for pair in combinations(entropies, 2):
            solution = combination(target, [c.vector for c in pair])
            if solution is not None and all(solution):
                regularizer = sympy.Add(*(sympy.Rational(a) * c.quantity for a, c in zip(solution, pair, strict=True)))
                yield self.form_of(form.weight, regularizer, self.sign * form.scale, form.conditions)
                return

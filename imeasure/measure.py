"""Expressions as exact signed measures: coefficients on joint entropies, and on Yeung's atoms.

A subset of n variables is a bitmask. An information expression is linear in the joint entropies h(S); the atoms mu(T)
satisfy ``h(S) = sum of mu(T) over T meeting S`` (R. W. Yeung, 1991), so both are coordinates of the same space; fast
zeta and Moebius transforms (n * 2^n additions) lead from one to the other. Coefficients are exact: rationals, or
rational functions of the parameters in sympy's fields of fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from imeasure.errors import NonlinearError, UnknownVariableError, unknown
from imeasure.printing import to_text
from imeasure.quantities import Functional, Information
from imeasure.terms import as_expression, exact_terms, factored, variables_of
from imeasure.transforms import inclusion_exclusion, zeta

MAX_ATOM_VARIABLES = 20
"""Most variables whose atoms are enumerated."""


@dataclass(frozen=True)
class EntropyForm:
    """An expression in coordinates: ``constant + sum of c(S) h(S) + sum of c(F) F``, F functionals; zeros left out.

    Attributes:
        names: The variables; bit i of a mask stands for ``names[i]``.
        terms: Coefficient of each joint entropy, by bitmask. Fractions or integers where no parameter occurs,
            otherwise elements of ``domain``.
        functionals: Coefficient of each functional (``CE`` is written as ``H + KL``).
        constant: The constant, in nats.
        domain: sympy's field of fractions of the parameters, or None if there are none.
    """

    names: tuple[str, ...]
    terms: Mapping[int, Any]
    functionals: Mapping[Functional, Any]
    constant: Any
    domain: Any = None

    def coefficient(self, value: Any) -> sympy.Expr:
        """Return a coefficient as a sympy expression."""
        if self.domain is not None and not isinstance(value, int | Fraction):
            return factored(self.domain.to_sympy(value))
        return sympy.Rational(value)

    @property
    def coefficients(self) -> dict[int, sympy.Expr]:
        """The coefficients of the joint entropies as sympy expressions, by bitmask."""
        return {mask: self.coefficient(value) for mask, value in self.terms.items()}

    def to_sympy(self) -> sympy.Expr:
        """Return the form as a sympy expression of joint entropies."""
        joint = (self.coefficient(c) * Information([members(mask, self.names)]) for mask, c in self.terms.items())
        other = (self.coefficient(c) * functional for functional, c in self.functionals.items())
        return sympy.Add(*joint, *other, self.coefficient(self.constant))

    def is_zero(self) -> bool:
        """Return whether every coefficient is zero."""
        return not self.terms and not self.functionals and self.constant == 0


def members(mask: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in a bitmask; bit i stands for ``names[i]``.

    Example:
        >>> members(0b101, ("X", "Y", "Z"))
        ('X', 'Z')
    """
    return tuple(name for i, name in enumerate(names) if mask >> i & 1)


def mask_of(variables: Iterable[Any], index: Mapping[str, int]) -> int:
    """Return the bitmask of variables or names.

    Args:
        variables: Random variables or their names.
        index: Bit of each name.

    Returns:
        The bitmask.

    Raises:
        UnknownVariableError: If a name has no bit; the message suggests the nearest one.
    """
    mask = 0
    for variable in variables:
        name = getattr(variable, "name", variable)
        if name not in index:
            raise UnknownVariableError(unknown("variable", name, index))
        mask |= 1 << index[name]
    return mask


def joint_entropies(quantity: Information, index: Mapping[str, int]) -> dict[int, int]:
    """Return a quantity as integer coefficients of joint entropies.

    Args:
        quantity: An information quantity.
        index: Bit of each variable's name.

    Returns:
        Coefficients by bitmask, from ``I[A1;...;An|C] = -sum over subsets T of (-1)^|T| h(union of T, C)``.

    Raises:
        UnknownVariableError: If a variable has no bit.

    Example:
        >>> from imeasure.parser import parse
        >>> joint_entropies(parse("I[X;Z|Y]"), {"X": 0, "Y": 1, "Z": 2})
        {2: -1, 3: 1, 6: 1, 7: -1}
    """
    return inclusion_exclusion((mask_of(group, index) for group in quantity.groups), mask_of(quantity.given, index))


def entropy_form(expression: sympy.Expr | str, names: tuple[str, ...] | None = None) -> EntropyForm:
    """Return an expression as exact coefficients of joint entropies.

    Args:
        expression: A sympy expression or text.
        names: The variables, in the order of their bits; by default those of the expression.

    Returns:
        The form; equal expressions have equal forms, whatever the model.

    Raises:
        ParseError: If the text is not in the language.
        NonlinearError: If the expression is not linear in its quantities.
        UnknownVariableError: If a variable is not in ``names``.

    Example:
        >>> entropy_form("beta*I[X;Y]").to_sympy()
        beta*H[X] + beta*H[Y] - beta*H[X,Y]
    """
    expression = as_expression(expression)
    names = variables_of(expression) if names is None else names
    index = {name: i for i, name in enumerate(names)}
    exact = exact_terms(expression)
    terms: dict[int, Any] = {}
    functionals: dict[Functional, Any] = {}
    constant: Any = 0
    for quantity, value in exact.values.items():
        if quantity is None:
            constant = value
        elif isinstance(quantity, Information):
            _accumulate(terms, joint_entropies(quantity, index), value)
        else:
            if quantity.name == "CE":
                left, right = mask_of(quantity.variables, index), mask_of(quantity.given, index)
                _accumulate(terms, inclusion_exclusion([left], right), value)
                quantity = Functional("KL", quantity.variables, quantity.given)  # noqa: PLW2901 - CE = H + KL
            mask_of((*quantity.variables, *quantity.given), index)
            _accumulate(functionals, {quantity: 1}, value)
    return EntropyForm(names, terms, functionals, constant, exact.domain)


def _accumulate(form: dict[Any, Any], addend: Mapping[Any, int], factor: Any) -> None:
    for key, value in addend.items():
        product = factor if value == 1 else -factor if value == -1 else factor * value
        total = form[key] + product if key in form else product
        if total == 0:
            form.pop(key, None)
        else:
            form[key] = total


def atom_coefficients(form: EntropyForm) -> npt.NDArray[Any]:
    """Return an expression's exact coefficient on every atom.

    Args:
        form: An entropy form over n variables.

    Returns:
        Object array of length 2^n; entry T is the sum of the coefficients of all h(S) with S meeting T.

    Raises:
        NonlinearError: If n is too large for 2^n coefficients.
    """
    count = len(form.names)
    if count > MAX_ATOM_VARIABLES:
        raise NonlinearError(f"{count} variables have 2^{count} atoms; at most {MAX_ATOM_VARIABLES} are enumerated")
    dense = np.zeros(1 << count, dtype=object)
    for mask, value in form.terms.items():
        dense[mask] = value
    within = zeta(dense)
    result: npt.NDArray[Any] = within[-1:] - within[::-1]
    return result


def atom(mask: int, names: tuple[str, ...]) -> Information:
    """Return an atom as a quantity: the groups are single variables, all others are conditioned on.

    Args:
        mask: Non-empty bitmask of the variables that contain the atom.
        names: All variables.

    Returns:
        The quantity.

    Example:
        >>> atom(0b011, ("X", "Y", "Z"))
        I[X;Y|Z]
    """
    inside = members(mask, names)
    result: Information = Information([[name] for name in inside], [name for name in names if name not in inside])
    return result


@dataclass(frozen=True)
class Measure:
    """The exact signed measure of an expression: a coefficient for every atom.

    Attributes:
        names: The variables.
        coefficients: Coefficient of each atom that has one, by the atom's quantity.
        rest: What lies outside the measure: functionals and constants.

    Example:
        >>> print(Measure.of("H[X] - H[X|Y]"))
        I[X;Y]
    """

    names: tuple[str, ...]
    coefficients: Mapping[Information, sympy.Expr]
    rest: sympy.Expr

    @classmethod
    def of(cls, expression: sympy.Expr | str, names: tuple[str, ...] | None = None) -> Measure:
        """Return the measure of an expression.

        Args:
            expression: A sympy expression or text.
            names: The variables whose atoms are meant; by default those of the expression.

        Raises:
            ParseError: If the text is not in the language.
            NonlinearError: If the expression is not linear in its quantities, or has too many variables.
            UnknownVariableError: If a variable is not in ``names``.
        """
        form = entropy_form(expression, names)
        dense = atom_coefficients(form)
        found = {
            atom(mask, form.names): form.coefficient(dense[mask]) for mask in range(1, len(dense)) if dense[mask] != 0
        }
        rest = EntropyForm(form.names, {}, form.functionals, form.constant, form.domain).to_sympy()
        return cls(form.names, found, rest)

    def to_sympy(self) -> sympy.Expr:
        """Return the measure as a sum of atoms."""
        return sympy.Add(*(c * quantity for quantity, c in self.coefficients.items()), self.rest)

    def __str__(self) -> str:
        return to_text(self.to_sympy())

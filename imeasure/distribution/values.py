"""From tables to numbers: parameters of expressions, closed forms, and the values of atoms.

Pure functions beside :class:`~imeasure.distribution.Distribution`. Closed forms rest on the unique factorisation of the
counts: an entropy of rational probabilities is a rational combination of logarithms of primes, which are independent.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from imeasure.distribution.displays import html_table, text_table
from imeasure.errors import ConfigError, UndefinedQuantityError, UnknownVariableError, shown
from imeasure.measure import EntropyForm, atom, entropy_form
from imeasure.numerals import read_number
from imeasure.quantities import Information, param
from imeasure.terms import as_expression
from imeasure.transforms import atoms_from_entropies

_ATOMS_SHOWN = 63


@dataclass(frozen=True, eq=False)
class Atoms:
    """The value of every atom of a distribution.

    Attributes:
        names: The variables.
        values: Nats, shape (2^n,), read-only; entry T is the atom inside exactly the variables of bitmask T.

    Example:
        >>> atoms = Atoms.of(("X", "Y"), np.array([0.0, 2.0, 3.0, 4.0]))
        >>> atoms["I[X;Y]"], len(atoms)
        (1.0, 3)
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, names: tuple[str, ...], entropies: NDArray[np.float64]) -> "Atoms":
        """Transform an entropy vector.

        Args:
            names: The variables.
            entropies: Nats, shape (2^n,), indexed by bitmask.

        Returns:
            The atoms.
        """
        values = atoms_from_entropies(entropies)
        values.flags.writeable = False
        return cls(names, values)

    @cached_property
    def _entropies(self) -> NDArray[np.float64]:
        from_bits = self.values
        for bit in range(len(self.names)):
            halves = from_bits.reshape(-1, 2, 1 << bit)
            from_bits = np.concatenate([halves[:, :1], halves[:, :1] + halves[:, 1:]], axis=1).ravel()
        return np.asarray(from_bits[-1] - from_bits[::-1])

    def __getitem__(self, atom_or_expression: Any) -> float:
        """The value of an atom's bitmask, or of any expression without parameters."""
        if isinstance(atom_or_expression, int | np.integer):
            return float(self.values[atom_or_expression])
        form = entropy_form(with_parameters(atom_or_expression, {}), self.names)
        if form.functionals:
            raise UndefinedQuantityError(
                f"{next(iter(form.functionals))} is no sum of atoms; use Distribution.value(..., against=q)"
            )
        return linear_value(form, self._entropies)

    def __len__(self) -> int:
        return len(self.values) - 1

    def items(self) -> Iterator[tuple[Information, float]]:
        """Iterate over the atoms as quantities with their values.

        Yields:
            Pairs, in the order of the bitmasks.
        """
        for mask in range(1, len(self.values)):
            yield atom(mask, self.names), float(self.values[mask])

    def _rows(self) -> tuple[list[tuple[str, str]], int]:
        values = self.values[1 : _ATOMS_SHOWN + 1]
        scale = float(np.abs(self.values).max(initial=0.0))
        rounded = np.where(np.abs(values) <= 1e-12 * scale, 0.0, values)
        rows = [(str(atom(mask, self.names)), f"{value: .6g}") for mask, value in enumerate(rounded.tolist(), 1)]
        return rows, len(self) - len(rows)

    def __str__(self) -> str:
        rows, hidden = self._rows()
        return text_table(["atom", "nats"], rows, hidden)

    def __repr__(self) -> str:
        return f"<Atoms of {', '.join(self.names)}: {len(self)} values in nats>"

    def _repr_html_(self) -> str:
        rows, hidden = self._rows()
        return html_table(["atom", "nats"], rows, hidden)


def with_parameters(expression: Any, parameters: Mapping[str, Any], *, complete: bool = True) -> sympy.Expr:
    """Put numbers in place of parameters.

    Args:
        expression: Text or a sympy expression.
        parameters: Numbers by name.
        complete: Whether every parameter has to have one.

    Returns:
        The expression.

    Raises:
        ConfigError: If a value is no finite real number.
        UnknownVariableError: If a parameter is left without a number, or a number without its parameter.

    Example:
        >>> with_parameters("beta*H[Y|Z]", {"beta": 2})
        2*H[Y|Z]
    """
    parsed = as_expression(expression)
    values = {param(name): _real(name, value) for name, value in parameters.items()}
    free = {symbol for symbol in parsed.free_symbols if isinstance(symbol, sympy.Symbol)}
    if unused := [symbol for symbol in values if symbol not in free]:
        raise UnknownVariableError(f"'{parsed}' has no parameter {unused[0]}")
    if complete and (missing := sorted(symbol.name for symbol in free - set(values))):
        raise UnknownVariableError(
            f"parameter {missing[0]} has no value; give it as {missing[0]}=... or write a number"
        )
    return parsed.subs(values)


def linear_value(form: EntropyForm, entropies: NDArray[np.float64]) -> float:
    """Add up the constant and the joint entropies of a form; functionals are left to the caller.

    Args:
        form: A form whose coefficients are numbers.
        entropies: Nats, shape (2^n,), indexed by bitmask.

    Returns:
        Nats.

    Example:
        >>> linear_value(entropy_form("1 + H[X] + H[X|Y]", ("X", "Y")), np.array([0.0, 2.0, 3.0, 4.0]))
        4.0
    """
    parts = (float(form.coefficient(c)) * float(entropies[mask]) for mask, c in form.terms.items())
    return float(form.coefficient(form.constant)) + sum(parts)


def _real(name: str, value: Any) -> sympy.Expr:
    """A finite real number, exact if it was; decimals are read as written."""
    try:
        exact = value if isinstance(value, sympy.Expr) else sympy.Rational(_fraction(value))
    except (TypeError, ValueError, ZeroDivisionError):
        exact = sympy.nan
    if not (exact.is_number and exact.is_real and exact.is_finite):
        raise ConfigError(f"parameter {name} needs a finite real number of at most 1,000 digits, not {shown(value)}")
    return exact


def _fraction(value: Any) -> Fraction:
    return value if isinstance(value, Fraction) else read_number(str(value))


def exact_combination(counts: NDArray[Any], total: int, coefficients: Mapping[int, sympy.Expr]) -> sympy.Expr:
    """Combine joint entropies of an exact table in closed form.

    Args:
        counts: Integers, shape (k_1, ..., k_n), of the table ``counts / total``.
        total: Their sum.
        coefficients: Of the joint entropies, by bitmask.

    Returns:
        A sum of multiples of logarithms of primes.

    Example:
        >>> exact_combination(np.array([1, 3], dtype=object), 4, {1: sympy.S.One})
        -3*log(3)/4 + 2*log(2)
    """
    weights: defaultdict[int, sympy.Expr] = defaultdict(lambda: sympy.S.Zero)
    for mask, coefficient in coefficients.items():
        rest = tuple(axis for axis in range(counts.ndim) if not mask >> axis & 1)
        cells = counts.sum(axis=rest) if rest else counts
        exponents: defaultdict[int, Fraction] = defaultdict(Fraction)
        for prime, power in sympy.factorint(total).items():
            exponents[int(prime)] += int(power)
        for cell in np.asarray(cells, dtype=object).ravel():
            for prime, power in sympy.factorint(cell).items() if cell > 1 else ():
                exponents[int(prime)] -= Fraction(int(power) * int(cell), total)
        for prime, exponent in exponents.items():
            weights[prime] += coefficient * sympy.Rational(exponent.numerator, exponent.denominator)
    return sympy.Add(*(sympy.simplify(weight) * sympy.log(prime) for prime, weight in weights.items()))

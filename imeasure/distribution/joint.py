"""Finite joint distributions on which every quantity of the language has a number.

A :class:`Distribution` is a frozen dense table with named axes. It turns its table into the entropy vector once; values
of expressions and the signed measure of all atoms are linear maps of that vector (Yeung, 1991).
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from imeasure.distribution import random_tables, slices, tables
from imeasure.distribution.entropies import entropy_vector, entropy_vector_of_counts
from imeasure.distribution.examples import example_table
from imeasure.distribution.values import Atoms, exact_combination, with_parameters
from imeasure.errors import ModelError, UndefinedQuantityError
from imeasure.measure import entropy_form


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Distribution:
    """A joint distribution of finitely many variables with finitely many values.

    Args:
        pmf: Probabilities, shape (k_1, ..., k_n): an array or nested lists. Integers, fractions and texts such as
            ``"1/3"`` stay exact (an object array of ``Fraction``); floats become float64.
        names: One name per axis: ``"X Y Z"`` or a sequence.
        outcomes: For each axis the values that its entries stand for; 0, 1, ... if not given.
        normalize: Divide by the sum, so that counts and weights are accepted.

    Raises:
        ModelError: If the table is not a distribution: negative, not finite, not summing to one, or of another shape
            than the names say.

    Example:
        >>> fair = Distribution([["1/2", 0], [0, "1/2"]], "X Y")
        >>> print(fair)
        X  Y  p
        0  0  1/2
        1  1  1/2
        >>> fair.entropies().round(4).tolist()
        [0.0, 0.6931, 0.6931, 0.6931]
    """

    pmf: NDArray[Any]
    names: tuple[str, ...]
    outcomes: tuple[tuple[Hashable, ...], ...]

    def __init__(
        self,
        pmf: Any,
        names: str | Iterable[str],
        outcomes: Sequence[Sequence[Hashable]] | None = None,
        *,
        normalize: bool = False,
    ) -> None:
        self._fill(tables.from_array(pmf, names, outcomes, normalize=normalize))

    def _fill(self, table: tables.Table) -> None:
        for field in ("pmf", "names", "outcomes"):
            object.__setattr__(self, field, getattr(table, field))

    @classmethod
    def _of(cls, table: tables.Table) -> Self:
        self = cls.__new__(cls)
        self._fill(table)
        return self

    @classmethod
    def read(cls, source: Any, names: str | Iterable[str] | None = None, *, normalize: bool = False) -> Self:
        """Read a distribution from what describes one.

        Args:
            source: A dictionary from outcomes to probabilities, rows whose last entry is the probability, the path of
                a CSV file with a column ``p`` (without one, rows are samples), a pandas object, or dit's distribution.
            names: One name per variable, where the source has none.
            normalize: Divide by the sum.

        Returns:
            The distribution; exact if all probabilities were exact.

        Raises:
            ModelError: If the source is none of these, or not a distribution.

        Example:
            >>> print(Distribution.read({("sun", "dry"): "3/4", ("rain", "wet"): "1/4"}, "sky street"))
            sky   street  p
            rain  wet     1/4
            sun   dry     3/4
        """
        if isinstance(source, cls):
            return source
        return cls._of(tables.read(source, names, normalize=normalize))

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a distribution that is known by name; ``imeasure.distribution.EXAMPLES`` lists them.

        Args:
            name: ``"xor"``, ``"and"``, ``"copy"``, ``"giant-bit"``, ``"independent"``, ``"noiseless"``, ``"four-atom"``
                or ``"shifted"``.

        Returns:
            The distribution, exact.

        Raises:
            UnknownVariableError: If there is no such name.

        Example:
            >>> print(Distribution.named("giant-bit"))
            X  Y  Z  p
            0  0  0  1/2
            1  1  1  1/2
        """
        return cls._of(example_table(name))

    @classmethod
    def random(
        cls,
        variables: Any,
        alphabet: int | Mapping[str, int] = 2,
        seed: int | np.random.Generator = 0,
        *,
        exact: bool = True,
        deterministic: float | Collection[str] = 0.0,
        denominator: int = 12,
    ) -> Self:
        """Draw a distribution at random, obeying a graph if one is given.

        Args:
            variables: Names (``"X Y Z"``) for a table without structure; a graph as text (``"Y -> X -> Z"``), a
                ``networkx.DiGraph`` or a :class:`~imeasure.Model` for one that factorises by it. A model's further
                assumptions are not obeyed.
            alphabet: Number of values, of all variables or of each.
            seed: A number, or a generator to go on with.
            exact: Fractions with small denominators rather than floats.
            deterministic: With a graph: variables that become functions of their parents, or the probability with
                which each does.
            denominator: Of each conditional table's fractions; without a graph, of the table's, per cell.

        Returns:
            The distribution.

        Raises:
            ModelError: If the graph has a directed cycle.
            UnknownVariableError: If an option names a variable that is not there.

        Example:
            >>> chain = Distribution.random("Y -> X -> Z", seed=3, deterministic={"Z"})
            >>> chain.exact_value("I[Y;Z|X] + H[Z|X]")
            0
        """
        return cls._of(
            random_tables.draw(
                variables,
                alphabet,
                np.random.default_rng(seed),
                exact=exact,
                deterministic=deterministic,
                denominator=denominator,
            )
        )

    @property
    def _table(self) -> tables.Table:
        return tables.Table(self.pmf, self.names, self.outcomes)

    @property
    def exact(self) -> bool:
        """Whether the probabilities are fractions."""
        return self.pmf.dtype == object

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """The table as float64, shape (k_1, ..., k_n), read-only."""
        floats = self.pmf.astype(np.float64)
        floats.flags.writeable = False
        return floats

    def entropies(self) -> NDArray[np.float64]:
        """Joint entropies of all sets of variables.

        Returns:
            Nats, shape (2^n,), read-only; bit i of the index stands for ``names[i]``. Exact tables are summed exactly
            before any logarithm is taken.

        Example:
            >>> Distribution.named("xor").entropies()[[0b001, 0b011, 0b111]].round(4).tolist()
            [0.6931, 1.3863, 1.3863]
        """
        return self._entropies

    @cached_property
    def _entropies(self) -> NDArray[np.float64]:
        if not self.exact:
            return entropy_vector(self.pmf)
        counts, total = self._counts
        return entropy_vector_of_counts(counts, total)

    @cached_property
    def _counts(self) -> tuple[NDArray[Any], int]:
        """Integers over a common denominator, of an exact table."""
        total = lcm(*(cell.denominator for cell in self.pmf.flat))
        counts = np.frompyfunc(lambda cell: cell.numerator * (total // cell.denominator), 1, 1)(self.pmf)
        return np.asarray(counts, dtype=object), total

    def value(self, expression: Any, *, against: "Distribution | None" = None, **parameters: float | Fraction) -> float:
        """Evaluate an expression of the language.

        Args:
            expression: Text or a sympy expression, linear in its quantities.
            against: The distribution q that ``CE[Y|Z]`` and ``KL[Y|Z]`` compare this one with.
            **parameters: A number for each parameter of the expression.

        Returns:
            Nats; infinite where ``q`` excludes what happens.

        Raises:
            UnknownVariableError: If a variable or a parameter has no value here.
            UndefinedQuantityError: If ``CE``, ``KL`` or another functional has no distribution to be taken against.
            NonlinearError: If quantities are multiplied.

        Example:
            >>> xor = Distribution.named("xor")
            >>> round(xor.value("I[X;Y;Z]"), 4), round(xor.value("I[X;Z|Y] - beta*I[Y;Z]", beta=2), 4)
            (-0.6931, 0.6931)
            >>> biased = Distribution.read({(0,): "1/4", (1,): "3/4"}, "X")
            >>> round(xor.marginal("X").value("KL[X]", against=biased), 4)
            0.1438
        """
        form = entropy_form(with_parameters(expression, parameters), self.names)
        total = float(form.coefficient(form.constant))
        total += float(sum(float(form.coefficient(c)) * self._entropies[mask] for mask, c in form.terms.items()))
        for functional, coefficient in form.functionals.items():
            other = None if against is None else against._table
            total += float(form.coefficient(coefficient)) * slices.divergence(functional, self._table, other)
        return total

    def exact_value(self, expression: Any, **parameters: Any) -> Any:
        """Evaluate an expression in closed form: a sum of rational multiples of logarithms of primes.

        Logarithms of primes are linearly independent over the rationals, so the result is the number zero if and only
        if the value is zero.

        Args:
            expression: Text or a sympy expression, linear in its entropies and informations.
            **parameters: Values of parameters; the others stay symbols.

        Returns:
            A sympy expression, in nats.

        Raises:
            ModelError: If the probabilities are floats.
            UnknownVariableError: If a variable is not here.
            UndefinedQuantityError: If the expression contains ``CE``, ``KL`` or another functional.

        Example:
            >>> Distribution.named("and").exact_value("I[X;Y|Z]")
            -log(2) + 3*log(3)/4
        """
        if not self.exact:
            raise ModelError("the probabilities are floats; give fractions or texts such as '1/3' for exact values")
        form = entropy_form(with_parameters(expression, parameters, complete=False), self.names)
        if form.functionals:
            raise UndefinedQuantityError(
                f"{next(iter(form.functionals))} has no exact value; use value(..., against=q)"
            )
        counts, total = self._counts
        return form.coefficient(form.constant) + exact_combination(counts, total, form.coefficients)

    def measure(self) -> Atoms:
        """Return the signed measure of every atom, by a fast Moebius transform of the entropies.

        Returns:
            The ``2^n - 1`` atoms; ``.values`` is an array indexed by bitmask.

        Example:
            >>> print(Distribution.named("xor").measure())
            atom      nats
            H[X|Y,Z]   0
            H[Y|X,Z]   0
            I[X;Y|Z]   0.693147
            H[Z|X,Y]   0
            I[X;Z|Y]   0.693147
            I[Y;Z|X]   0.693147
            I[X;Y;Z]  -0.693147
        """
        return Atoms.of(self.names, self._entropies)

    def marginal(self, names: str | Iterable[str]) -> Self:
        """Sum over all other variables.

        Args:
            names: The variables to keep, in the order wanted.

        Returns:
            Their distribution.

        Raises:
            UnknownVariableError: If a name is not there.

        Example:
            >>> print(Distribution.named("xor").marginal("Z"))
            Z  p
            0  1/2
            1  1/2
        """
        return self._of(slices.marginal(self._table, names))

    def condition(self, event: Mapping[str, Hashable] | None = None, /, **values: Hashable) -> Self:
        """Condition on an event: variables that are seen to have a value.

        Args:
            event: Names and values.
            **values: The same, as keywords.

        Returns:
            The distribution of the other variables given the event.

        Raises:
            UnknownVariableError: If a name or a value is not there.
            ModelError: If the event has probability zero, or names every variable.

        Example:
            >>> print(Distribution.named("xor").condition(Z=1))
            X  Y  p
            0  1  1/2
            1  0  1/2
        """
        return self._of(slices.conditional(self._table, {**(event or {}), **values}))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Distribution):
            return NotImplemented
        return (
            self.names == other.names
            and self.outcomes == other.outcomes
            and self.exact == other.exact
            and bool(np.array_equal(self.pmf, other.pmf))
        )

    def __hash__(self) -> int:
        return hash((self.names, self.outcomes, tuple(self.pmf.flat)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (np.array(self.pmf), self.names, self.outcomes)

    def sample(self, size: int, seed: int | np.random.Generator = 0) -> NDArray[Any]:
        """Draw outcomes.

        Args:
            size: How many.
            seed: A number, or a generator to go on with.

        Returns:
            Shape (size, n): the outcomes' values, as an object array unless all of them are integers.

        Example:
            >>> Distribution.named("giant-bit").sample(3, seed=0).tolist()
            [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
        """
        return slices.sample(self._table, size, np.random.default_rng(seed))

    def rows(self) -> list[tuple[Any, ...]]:
        """List the outcomes that have a probability, each followed by it.

        Returns:
            One tuple per outcome, in the order of the table.

        Example:
            >>> Distribution.named("giant-bit").rows()
            [(0, 0, 0, Fraction(1, 2)), (1, 1, 1, Fraction(1, 2))]
        """
        return slices.rows(self._table)

    def __str__(self) -> str:
        return slices.to_text(self._table)

    def __repr__(self) -> str:
        sizes = " x ".join(map(str, self.pmf.shape))
        kind = "exact" if self.exact else "float"
        return f"<Distribution of {', '.join(self.names)}: {sizes}, {len(self.rows())} outcomes, {kind}>"

    def _repr_html_(self) -> str:
        return slices.to_html(self._table)

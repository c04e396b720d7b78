"""Finite joint distributions on which every quantity of the language has a number.

A :class:`Distribution` is a frozen dense table with named axes. It turns its table into the entropy vector once; values
of expressions and the signed measure of all atoms are linear maps of that vector (Yeung, 1991).
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from imeasure.distribution import random_tables, slices, sources, tables
from imeasure.distribution.comparisons import check_comparisons, divergences
from imeasure.distribution.displays import html_table, text_table
from imeasure.distribution.entropies import common_counts, joint_entropies
from imeasure.distribution.examples import example_table
from imeasure.distribution.values import Atoms, exact_combination, linear_value, with_parameters
from imeasure.errors import ConfigError, ModelError, UndefinedQuantityError
from imeasure.measure import entropy_form
from imeasure.quantities import Functional
from imeasure.terms import variables_of

Names = str | Iterable[str]

# Values of few among more variables than this are taken from their marginal, not from all joint entropies.
_WHOLE_VECTOR = 12


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Distribution:
    """A joint distribution of finitely many variables with finitely many values.

    Args:
        pmf: Probabilities, shape (k_1, ..., k_n): an array or nested lists. Integers, fractions and texts such as
            ``"1/3"`` stay exact (an object array of ``Fraction``); floats become float64, and are divided by their
            sum if it is off by rounding, as coarse as their own dtype's.
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
        names: Names | None = None,
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
    def read(
        cls,
        source: Any,
        names: Names | None = None,
        *,
        probability: str | None = None,
        normalize: bool = False,
        variables: Names | None = None,
    ) -> Self:
        """Read a distribution from what describes one.

        Args:
            source: A dictionary from outcomes to probabilities, rows whose last entry is the probability (those of
                one outcome add up), a CSV file's path, a pandas object (rows without ``p`` are samples), or dit's.
            names: One name per variable, where the source has none.
            probability: Name of the column of probabilities, if it is not one of ``p``, ``probability``, ``prob``,
                ``pmf`` or ``count``.
            normalize: Divide by the sum; a column ``count`` always is.
            variables: Those to keep, all by default; a file may have more columns than a table could.

        Returns:
            The distribution; exact if all probabilities were exact.

        Raises:
            ConfigError: If a file cannot be read, or names are given for a source that has its own.
            ModelError: If the source is none of these, misses values, or is not a distribution.
            UnknownVariableError: If there is no such column or variable.

        Example:
            >>> print(Distribution.read({("sun", "dry"): "3/4", ("rain", "wet"): "1/4"}, "sky street"))
            sky   street  p
            rain  wet     1/4
            sun   dry     3/4
        """
        if isinstance(source, cls):
            if names is not None or probability is not None:
                raise ConfigError("the source is a Distribution with names; leave names and probability out")
            return source if variables is None else source.marginal(variables)
        table = sources.read(source, names, probability=probability, normalize=normalize, variables=variables)
        return cls._of(table)

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a distribution that is known by name; ``imeasure.distribution.EXAMPLES`` lists them.

        Args:
            name: ``"xor"``, ``"copy"``, ``"four-atom"`` ...; ``"shifted"`` is also ``"A.4"``.

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
            ModelError: If the graph has a directed cycle, or a variable no values.
            ConfigError: If an option is out of range, or does not fit a table without a graph.
            UnknownVariableError: If an option names a variable that is not there.

        Example:
            >>> chain = Distribution.random("Y -> X -> Z", seed=3, deterministic={"Z"})
            >>> chain.exact_value("I[Y;Z|X] + H[Z|X]")
            0
        """
        recipe = random_tables.Recipe(alphabet, exact, deterministic, denominator)
        return cls._of(random_tables.draw(variables, recipe, random_tables.generator_of(seed)))

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
        return joint_entropies(self.pmf)

    def value(
        self, expression: Any, /, *, against: "Distribution | None" = None, **parameters: float | Fraction
    ) -> float:
        """Evaluate an expression of the language.

        Args:
            expression: Text or a sympy expression, linear in its quantities.
            against: The distribution q that ``CE[Y|Z]`` and ``KL[Y|Z]`` compare this one with.
            **parameters: A number for each parameter of the expression.

        Returns:
            Nats; infinite where ``q`` excludes what happens. Values that one of the two does not list have
            probability zero there.

        Raises:
            UnknownVariableError: If a variable or a parameter has no value here.
            UndefinedQuantityError: If a functional has nothing to be taken against, or infinities are subtracted.
            ConfigError: If a parameter is no finite number, or ``against`` is no distribution or not compared with.
            ModelError: If the two distributions have no value of a variable in common.
            NonlinearError: If quantities are multiplied.

        Example:
            >>> xor = Distribution.named("xor")
            >>> round(xor.value("I[X;Y;Z]"), 4), round(xor.value("I[X;Z|Y] - beta*I[Y;Z]", beta=2), 4)
            (-0.6931, 0.6931)
            >>> biased = Distribution.read({(0,): "1/4", (1,): "3/4"}, "X")
            >>> round(xor.marginal("X").value("KL[X]", against=biased), 4)
            0.1438
        """
        parsed = with_parameters(expression, parameters)
        check_comparisons(parsed, against, Distribution)
        form = entropy_form(parsed, self.names)
        if len(self.names) > _WHOLE_VECTOR and "_entropies" not in self.__dict__:
            used = [name for name in self.names if name in variables_of(parsed)]
            if 0 < len(used) < len(self.names):
                return self.marginal(used).value(parsed, against=against)
        own = linear_value(form, self._entropies) if form.terms else float(form.coefficient(form.constant))
        return own if against is None else own + divergences(form, self._table, against._table)

    def exact_value(self, expression: Any, /, **parameters: Any) -> Any:
        """Evaluate an expression in closed form: a sum of rational multiples of logarithms of primes.

        These logarithms are independent over the rationals, so the result is zero if and only if the value is.

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
        parsed = with_parameters(expression, parameters, complete=False)
        form = entropy_form(parsed, self.names)
        if form.functionals:
            functional = min(parsed.atoms(Functional), key=str)
            raise UndefinedQuantityError(f"{functional} has no exact value; use value(..., against=q)")
        counts, total = common_counts(self.pmf)
        return form.coefficient(form.constant) + exact_combination(counts, total, form.coefficients)

    def measure(self) -> Atoms:
        """Return the signed measure of all ``2^n - 1`` atoms, by a fast Moebius transform of the entropies.

        Raises:
            ModelError: If there are more than 20 variables.

        Example:
            >>> round(Distribution.named("xor").measure()["I[X;Y;Z]"], 6)
            -0.693147
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

    def condition(self, event: Mapping[Any, Hashable] | None = None, /, **values: Hashable) -> Self:
        """Condition on an event: variables that are seen to have a value.

        Args:
            event: Variables or their names, and values.
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
        return self._of(slices.conditional(self._table, {} if event is None else event, values))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Distribution):
            return NotImplemented
        alike = (self.names, self.outcomes, self.exact) == (other.names, other.outcomes, other.exact)
        return alike and bool(np.array_equal(self.pmf, other.pmf))

    def __hash__(self) -> int:
        return hash((self.names, self.outcomes, tuple(self.pmf.flat)))

    def __reduce__(self) -> tuple[Any, ...]:
        return self._of, (self._table,)

    def sample(self, size: int, seed: int | np.random.Generator = 0) -> NDArray[Any]:
        """Draw outcomes.

        Args:
            size: How many.
            seed: A number, or a generator to go on with.

        Returns:
            Outcomes as an array of shape (size, n), of objects unless all values are integers.

        Raises:
            ConfigError: If the size or the seed is no number of that kind.

        Example:
            >>> Distribution.named("giant-bit").sample(3, seed=0).tolist()
            [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
        """
        return slices.sample(self._table, size, random_tables.generator_of(seed))

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
        return text_table(*slices.shown(self._table))

    def __repr__(self) -> str:
        sizes = " x ".join(map(str, self.pmf.shape))
        kind = "exact" if self.exact else "float"
        return f"<Distribution of {', '.join(self.names)}: {sizes}, {np.count_nonzero(self.pmf)} outcomes, {kind}>"

    def _repr_html_(self) -> str:
        return html_table(*slices.shown(self._table))

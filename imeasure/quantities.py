"""Random variables and information quantities as sympy expressions.

One class, :class:`Information`, covers every quantity of Yeung's signed measure: the measure of an intersection of
unions, minus a union (R. W. Yeung, "A New Outlook on Shannon's Information Measures", 1991). Entropy is the case of one
group. :class:`Functional` stands for quantities outside the measure: cross-entropies, divergences, and the user's own
terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import sympy
from sympy.core.basic import Atom
from sympy.core.symbol import Str

from imeasure.errors import ParseError
from imeasure.names import MAX_GROUPS, MAX_NAME, QUANTITY_NAMES, canonical_name, latex_name, natural_key

_NAME = re.compile(r"[^\W\d][\w\u2080-\u2089]*['\u2032]*\Z")


class RandomVariable(Atom):
    """A random variable; not a number, so only quantities of it enter arithmetic.

    Args:
        name: A letter followed by letters, digits, underscores or primes; not ``H``, ``I``, ``CE`` or ``KL``.

    Raises:
        ParseError: If the name is not of that form, or a quantity's.

    Example:
        >>> X, Z = RandomVariable("X"), RandomVariable("Z")
        >>> H[X | Z]
        H[X|Z]
    """

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: str) -> RandomVariable:  # noqa: D102 - documented by the class
        if isinstance(name, RandomVariable):
            return name
        if not isinstance(name, str) or not _NAME.match(name):
            raise ParseError("a random variable's name is a letter followed by letters, digits or _", repr(name), 0)
        if len(name) > MAX_NAME:
            raise ParseError(f"a name is longer than {MAX_NAME} characters", name, 0)
        if (spelled := canonical_name(name)) in QUANTITY_NAMES:
            raise ParseError(f"{spelled} is the name of a quantity; rename the variable", name, 0)
        variable: RandomVariable = super().__new__(cls)
        variable.name = spelled
        return variable

    def __getnewargs__(self) -> tuple[str]:
        return (self.name,)

    def _hashable_content(self) -> tuple[str]:
        return (self.name,)

    def sort_key(self, order: Any = None) -> Any:  # noqa: ARG002 - sympy's signature
        """Sort by name, numbers in it as numbers."""
        return self.class_key(), (1, natural_key(self.name)), sympy.S.One.sort_key(), sympy.S.One

    def __or__(self, given: RandomVariable) -> Conditional:
        return Conditional(self, RandomVariable(given))

    def _sympystr(self, printer: Any) -> str:  # noqa: ARG002 - sympy's signature
        return self.name

    def _latex(self, printer: Any) -> str:  # noqa: ARG002 - sympy's signature
        return latex_name(self.name)


class Conditional:
    """``Y | Z`` inside the brackets of a quantity: where the condition starts."""

    __slots__ = ("given", "variable")

    def __init__(self, variable: RandomVariable, given: RandomVariable) -> None:
        self.variable, self.given = variable, given

    def __str__(self) -> str:
        return f"{self.variable}|{self.given}"

    def __or__(self, other: object) -> Conditional:
        raise ParseError(
            "one '|' starts the condition; ',' joins what is conditioned on", f"{self}|{other}", len(str(self))
        )


def _sorted(variables: Iterable[RandomVariable | str]) -> tuple[RandomVariable, ...]:
    return tuple(sorted({RandomVariable(v) for v in variables}, key=lambda v: natural_key(v.name)))


class Information(sympy.Expr):
    """The information that groups of variables share, given others: H for one group, I for several.

    ``H[A|C] = h(A, C) - h(C)``; ``I[A;B|C] = h(A, C) + h(B, C) - h(A, B, C) - h(C)``; with more groups the interaction
    information ``I[A;B;D|C] = I[A;B|C] - I[A;B|C,D]`` (McGill, 1954). In nats.

    The order of variables and groups, repetitions, variables that are also conditioned on, and groups that contain
    another group do not matter to the measure, so equal quantities are equal objects: ``I[X;X]`` is ``H[X]`` and
    ``H[X|X]`` is 0.

    Args:
        groups: Groups of variables.
        given: Variables conditioned on.

    Returns:
        The quantity, or sympy's 0 if a group has nothing left beyond the condition.

    Raises:
        ParseError: If there is no group, an empty one, or more than 12.

    Example:
        >>> X, Y, Z = rvs("X Y Z")
        >>> Information([[Z], [X]], given=[Y])
        I[X;Z|Y]
        >>> Information([[X], [X, Y]])
        H[X]
    """

    is_commutative = True
    is_real = True

    def __new__(  # noqa: D102 - documented by the class
        cls, groups: Iterable[Iterable[RandomVariable | str]], given: Iterable[RandomVariable | str] = ()
    ) -> Any:
        condition = _sorted(given)
        sets = [frozenset(_sorted(group)) for group in groups]
        if not sets or not all(sets):
            raise ParseError("a quantity needs at least one variable in each group", "[]", 0)
        sets = [group.difference(condition) for group in sets]
        if not all(sets):
            return sympy.S.Zero
        least = {group for group in sets if not any(other < group for other in sets)}
        if len(least) > MAX_GROUPS:
            raise ParseError(f"a quantity has more than {MAX_GROUPS} groups", f"{len(least)} groups", 0)
        ordered = sorted((_sorted(group) for group in least), key=lambda g: [natural_key(v.name) for v in g])
        return super().__new__(cls, sympy.Tuple(*(sympy.Tuple(*group) for group in ordered)), sympy.Tuple(*condition))

    @property
    def groups(self) -> tuple[tuple[RandomVariable, ...], ...]:
        """The groups of variables, each sorted by name."""
        return tuple(tuple(group) for group in self.args[0])

    @property
    def given(self) -> tuple[RandomVariable, ...]:
        """The variables conditioned on, sorted by name."""
        return tuple(self.args[1])

    def _render(self, name: str, semicolon: str, bar: str, spell: Any) -> str:
        groups = semicolon.join(",".join(spell(v.name) for v in group) for group in self.groups)
        condition = ",".join(spell(v.name) for v in self.given)
        return f"{name}[{groups}{bar}{condition}]" if condition else f"{name}[{groups}]"

    def _sympystr(self, printer: Any) -> str:  # noqa: ARG002 - sympy's signature
        return self._render("H" if len(self.groups) == 1 else "I", ";", "|", str)

    _sympyrepr = _sympystr

    def _latex(self, printer: Any, exp: str | None = None) -> str:  # noqa: ARG002 - sympy's signature
        text = self._render(r"\mathrm{H}" if len(self.groups) == 1 else r"\mathrm{I}", ";", r" \mid ", latex_name)
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _pretty(self, printer: Any) -> Any:
        return printer._print(sympy.Symbol(str(self)))

    def _eval_derivative(self, symbol: Any) -> Any:  # noqa: ARG002 - sympy's signature
        return sympy.S.Zero


class Functional(sympy.Expr):
    """A real-valued term outside the measure, known by its name and what is said about it.

    ``CE[Y|Z]`` is the cross-entropy of the model's q(y|z) under the true joint distribution (the paper's H_theta[Y|Z]);
    ``KL[Y|Z]`` is the expected KL(p(y|z) || q(y|z)), so ``CE[Y|Z] = H[Y|Z] + KL[Y|Z]``. In nats.

    Args:
        name: ``CE``, ``KL`` or a name of the user's.
        variables: The variables before the bar.
        given: The variables behind it.

    Example:
        >>> Functional("CE", ["Y"], ["Z"])
        CE[Y|Z]
    """

    is_commutative = True
    is_real = True

    def __new__(  # noqa: D102 - documented by the class
        cls,
        name: str | Str,
        variables: Iterable[RandomVariable | str],
        given: Iterable[RandomVariable | str] = (),
    ) -> Any:
        left = _sorted(variables)
        if not left:
            raise ParseError("a functional needs at least one variable", f"{name}[]", 0)
        return super().__new__(cls, Str(str(name)), sympy.Tuple(*left), sympy.Tuple(*_sorted(given)))

    @property
    def name(self) -> str:
        """The functional's name."""
        return str(self.args[0].name)

    @property
    def variables(self) -> tuple[RandomVariable, ...]:
        """The variables before the bar, sorted by name."""
        return tuple(self.args[1])

    @property
    def given(self) -> tuple[RandomVariable, ...]:
        """The variables behind the bar, sorted by name."""
        return tuple(self.args[2])

    def _render(self, name: str, bar: str, spell: Any) -> str:
        left = ",".join(spell(v.name) for v in self.variables)
        condition = ",".join(spell(v.name) for v in self.given)
        return f"{name}[{left}{bar}{condition}]" if condition else f"{name}[{left}]"

    def _sympystr(self, printer: Any) -> str:  # noqa: ARG002 - sympy's signature
        return self._render(self.name, "|", str)

    _sympyrepr = _sympystr

    def _latex(self, printer: Any, exp: str | None = None) -> str:  # noqa: ARG002 - sympy's signature
        text = self._render(rf"\mathrm{{{self.name}}}", r" \mid ", latex_name)
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

    def _pretty(self, printer: Any) -> Any:
        return printer._print(sympy.Symbol(str(self)))

    def _eval_derivative(self, symbol: Any) -> Any:  # noqa: ARG002 - sympy's signature
        return sympy.S.Zero


class _Brackets:
    """``H[...]`` and ``I[...]``: reads Python's subscript as groups (``:``) of variables (``,``) and a condition."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _fail(self, problem: str, key: Any) -> ParseError:
        parts = key if isinstance(key, tuple) else (key,)
        return ParseError(problem, f"{self._name}[{','.join(map(_subscript_text, parts))}]", 0)

    def __repr__(self) -> str:
        return self._name

    def __getitem__(self, key: Any) -> Any:
        groups: list[list[RandomVariable]] = [[]]
        given: list[RandomVariable] = []
        conditioned = False
        for part in key if isinstance(key, tuple) else (key,):
            if isinstance(part, slice):
                pieces = [piece for piece in (part.start, part.stop, part.step) if piece is not None]
            else:
                pieces = [part]
            for position, piece in enumerate(pieces):
                if position and conditioned:
                    raise self._fail("a condition is the last part of a quantity", key)
                if position:
                    groups.append([])
                if isinstance(piece, Conditional):
                    groups[-1].append(piece.variable)
                    given.append(piece.given)
                    conditioned = True
                else:
                    (given if conditioned else groups[-1]).append(RandomVariable(piece))
        if self._name == "H" and len(groups) > 1:
            raise self._fail("H takes one group of variables; use ',' between them, or I[...]", key)
        if self._name == "I" and len(groups) == 1:
            raise self._fail("I takes at least two groups of variables, as in I[X:Y]", key)
        return Information(groups, given)


def _subscript_text(part: Any) -> str:
    if isinstance(part, slice):
        return ":".join(_subscript_text(piece) for piece in (part.start, part.stop, part.step) if piece is not None)
    return str(part)


H = _Brackets("H")
"""Entropy: ``H[Y|Z]``, ``H[X,Y|Z,W]``, in nats."""

I = _Brackets("I")  # noqa: E741 - the field's name
"""Mutual and interaction information: ``I[X:Z|Y]``, ``I[X:Y:Z]``, ``I[X,W:Z]``, in nats."""


def rvs(names: str) -> tuple[RandomVariable, ...]:
    """Return random variables for names separated by spaces or commas.

    Args:
        names: Names such as ``"X Y Z"``.

    Returns:
        One variable a name, in the order given.

    Raises:
        ParseError: If there is no name, or one is not a letter followed by letters, digits or underscores.

    Example:
        >>> X, Y, Z = rvs("X Y Z")
        >>> I[X:Z] - I[Y:Z]
        I[X;Z] - I[Y;Z]
    """
    parts = names.replace(",", " ").split() if isinstance(names, str) else []
    if not parts:
        raise ParseError("expected names of random variables, as in rvs('X Y Z')", repr(names), 0)
    return tuple(RandomVariable(part) for part in parts)


def param(name: str) -> sympy.Symbol:
    """Return the real sympy symbol that the parser uses for a parameter of this name.

    Args:
        name: A name such as ``beta`` or ``β``, which are the same parameter.

    Returns:
        The symbol.

    Raises:
        ParseError: If the name is not a letter followed by letters, digits or underscores.

    Example:
        >>> param("β") == param("beta")
        True
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise ParseError("a parameter's name is a letter followed by letters, digits or _", repr(name), 0)
    return sympy.Symbol(canonical_name(name), real=True)

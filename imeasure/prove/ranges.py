"""``valid_range``: for which values of a parameter does a relation follow from Shannon's inequalities and the facts?

A claim ``f0 + t f1 >= 0`` that is affine in t is provable on an interval. Each point of the cone where the claim fails
cuts the line at a rational value; moving to the cut and asking again reaches the exact end after finitely many steps
(Dinkelbach's method on the cone's extreme rays).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import sympy

from imeasure import syntax
from imeasure.certificate import Certificate
from imeasure.certificate.problem import Link, Problem, Statement, read_problem
from imeasure.certificate.rows import Column, Row, add
from imeasure.certificate.symbolic import coefficients
from imeasure.errors import ConfigError, InformationError, NonlinearError, UnknownVariableError, unknown
from imeasure.model import Model
from imeasure.prove.decide import check
from imeasure.prove.limits import LimitReached, Limits, read_limits
from imeasure.prove.search import Search
from imeasure.quantities import param

ROUNDS = 100
"""Most cuts on one side."""


@dataclass(frozen=True)
class RangeProof:
    """For which values of a parameter a relation is provable, with proofs at the ends.

    Attributes:
        values: The set of values.
        certificates: For each finite end the proof of the relation where the parameter has that value; for each
            infinite one the proof of the relation on all values that way. None if there are no values.
    """

    values: sympy.Set
    certificates: tuple[Certificate, ...]


def valid_range(
    relation: Statement,
    parameter: str | sympy.Symbol,
    *,
    model: Model | str | None = None,
    given: Statement | Iterable[Statement] = (),
    functionals: Iterable[str] = (),
    seconds: float = 60.0,
) -> sympy.Set:
    """Return the exact set of values of a parameter for which a relation is provable.

    Args:
        relation: A relation, affine in the parameter.
        parameter: The parameter's name or symbol.
        model: What is known of the variables.
        given: More facts.
        functionals: Names of declared functionals.
        seconds: Time after which an error says that the range is not settled.

    Returns:
        An interval, a point, or the empty set, within the model's range of the parameter.

    Raises:
        NonlinearError: If the relation is not affine in the parameter, or has other parameters.
        UnknownVariableError: If the relation has no such parameter.
        ConfigError: If the parameter or the time is not of its kind.
        InformationError: If a limit is reached, or as :func:`check`.

    Example:
        >>> valid_range("I[X;Z] - beta*I[Y;Z] >= 0", "beta", model="Y -> X -> Z")
        Interval(-oo, 1)
    """
    return prove_range(relation, parameter, model=model, given=given, functionals=functionals, seconds=seconds).values


def prove_range(
    relation: Statement,
    parameter: str | sympy.Symbol,
    *,
    model: Model | str | None = None,
    given: Statement | Iterable[Statement] = (),
    functionals: Iterable[str] = (),
    seconds: float = 60.0,
) -> RangeProof:
    """Return the exact set of values for which a relation is provable, with certificates at the ends.

    Args:
        relation: A relation, affine in the parameter.
        parameter: The parameter's name or symbol.
        model: What is known of the variables.
        given: More facts.
        functionals: Names of declared functionals.
        seconds: Time after which an error says that the range is not settled.

    Returns:
        The set and the proofs.

    Raises:
        InformationError: As :func:`valid_range`.

    Example:
        >>> proof = prove_range("I[X;Z] - beta*I[Y;Z] >= 0", "beta", model="Y -> X -> Z")
        >>> [certificate.verify() for certificate in proof.certificates]
        [True, True]
    """
    limits = read_limits(seconds)
    if not isinstance(parameter, str | sympy.Symbol):
        raise ConfigError(f"a parameter is given by its name or symbol, such as 'beta', not {parameter!r}")
    problem = read_problem(relation, model, given, functionals)
    symbol = param(str(parameter))
    symbols = parameters(problem)
    if str(symbol) not in symbols:
        raise UnknownVariableError(unknown("parameter", str(symbol), symbols))
    rows = [pair for link in problem.links for pair in _affine(link, problem, symbol)]
    search = Search(problem, [row for pair in rows for row in pair], limits)
    low: Fraction | None = None
    high: Fraction | None = None
    try:
        for constant, slope in rows:
            found = _interval(search, constant, slope)
            if found is None:
                return RangeProof(sympy.S.EmptySet, ())
            low = found[0] if low is None else low if found[0] is None else max(low, found[0])
            high = found[1] if high is None else high if found[1] is None else min(high, found[1])
    except LimitReached as limit:
        raise InformationError(f"the range of {symbol} is not settled: {limit}") from None
    except (OverflowError, ZeroDivisionError):
        raise InformationError(
            f"the range of {symbol} is not settled: a coefficient or constant is too large or too small; divide by it"
        ) from None
    if low is not None and high is not None and low > high:
        return RangeProof(sympy.S.EmptySet, ())
    values: sympy.Set = sympy.Interval(
        -sympy.oo if low is None else sympy.Rational(low.numerator, low.denominator),
        sympy.oo if high is None else sympy.Rational(high.numerator, high.denominator),
    )
    values = values.intersect(problem.ranges().get(symbol, sympy.S.Reals))
    empty = values is sympy.S.EmptySet
    return RangeProof(values, () if empty else _certificates(problem, low, high, symbol, limits))


def parameters(problem: Problem) -> list[str]:
    """Return the names of the parameters that are written in a problem's claim, cancelled ones among them.

    Args:
        problem: The problem.

    Returns:
        The names, in order.

    Example:
        >>> parameters(read_problem("b*H[X] - b*H[X] >= c"))
        ['b', 'c']
    """
    found: set[str] = set()
    nodes: list[syntax.Node] = [side for link in problem.links for side in (link.left, link.right)]
    while nodes:
        match nodes.pop():
            case syntax.Parameter(name):
                found.add(str(param(name)))
            case syntax.Sum(terms):
                nodes += terms
            case syntax.Product(left, right) | syntax.Quotient(left, right):
                nodes += (left, right)
            case syntax.Power(base, _):
                nodes.append(base)
    return sorted(found)


def _affine(link: Link, problem: Problem, symbol: sympy.Symbol) -> list[tuple[Row, Row]]:
    """Return f0 and f1 of each ``f0 + t f1 >= 0`` that a comparison says."""
    values = coefficients(link, problem)
    constant: Row = {}
    slope: Row = {}
    for column, value in values.items():
        try:
            poly = sympy.Poly(value, symbol, domain="QQ")
        except (sympy.PolynomialError, sympy.CoercionFailed):
            poly = None
        if poly is None or poly.degree() > 1:
            others = sorted(map(str, value.free_symbols - {symbol}))
            advice = f"give values to {', '.join(others)}" if others else "ask with a parameter in its place"
            raise NonlinearError(f"the coefficient {value} is not affine in {symbol} alone; {advice}")
        for row, part in ((constant, poly.coeff_monomial(1)), (slope, poly.coeff_monomial(symbol))):
            if part:
                row[column] = Fraction(int(part.p), int(part.q))
    pairs = []
    if link.operator != "<=":
        pairs.append((constant, slope))
    if link.operator != ">=":
        pairs.append((_negative(constant), _negative(slope)))
    return pairs


def _negative(row: Row) -> Row:
    return {column: -value for column, value in row.items()}


def _interval(search: Search, constant: Row, slope: Row) -> tuple[Fraction | None, Fraction | None] | None:
    """Return the ends (None if infinite) of the values t for which ``constant + t slope >= 0``, or None if empty."""
    good = _moved(search, constant, slope, Fraction(0), None, None)
    if good is None:
        return None
    value, low, high = good
    ends: list[Fraction | None] = []
    for side in (-1, 1):
        point = _violation(search, {}, slope, Fraction(side))
        if point is None:
            ends.append(None)
            continue
        cut = -_value(constant, point, search) / _value(slope, point, search)
        found = _moved(search, constant, slope, cut, value if side > 0 else low, value if side < 0 else high)
        if found is None:
            raise LimitReached("the solver's points are not exact")
        ends.append(found[0])
    return ends[0], ends[1]


def _moved(
    search: Search, constant: Row, slope: Row, value: Fraction, low: Fraction | None, high: Fraction | None
) -> tuple[Fraction, Fraction | None, Fraction | None] | None:
    """Move a value to the next cut until it is good; return it with the bounds that were met, or None if they cross."""
    for _ in range(ROUNDS):
        point = _violation(search, constant, slope, value)
        if point is None:
            return value, low, high
        at, rate = _value(constant, point, search), _value(slope, point, search)
        if rate == 0:
            return None
        value = -at / rate
        if rate > 0:
            low = value if low is None else max(low, value)
        else:
            high = value if high is None else min(high, value)
        if low is not None and high is not None and low > high:
            return None
    raise LimitReached(f"more than {ROUNDS} cuts")


def _violation(search: Search, constant: Row, slope: Row, value: Fraction) -> dict[Column, Fraction] | None:
    """Return a point where ``constant + value * slope`` is negative, or None if it is proved to be nowhere."""
    row = add(dict(constant), slope, value)
    if not row or search.quick(row) is not None or search.prove(row) is not None:
        return None
    point = {column: Fraction(found).limit_denominator(10**5) for column, found in search.point.items()}
    if _value(row, point, search) >= 0 or not search.contains(point):
        raise LimitReached("the solver's point is not exact")
    return point


def _value(row: Row, point: dict[Column, Fraction], search: Search) -> Fraction:
    represented = search.on_columns(row)
    return sum((Fraction(value) * point.get(column, Fraction(0)) for column, value in represented.items()), Fraction(0))


def _certificates(
    problem: Problem, low: Fraction | None, high: Fraction | None, symbol: sympy.Symbol, limits: Limits
) -> tuple[Certificate, ...]:
    below = -sympy.oo if low is None else sympy.Rational(low.numerator, low.denominator)
    above = sympy.oo if high is None else sympy.Rational(high.numerator, high.denominator)
    found: list[Certificate] = []
    for end in (below,) if below == above else (below, above):
        values = sympy.FiniteSet(end) if end.is_finite else sympy.Interval(below, above)
        verdict = check(
            problem.claim,
            model=_within(problem.model, symbol, values),
            given=problem.given,
            functionals=problem.functionals,
            numerical=False,
            seconds=max(limits.left, 1.0),
        )
        if verdict.certificate is None:
            raise InformationError(f"the end {end} of the range of {symbol} could not be certified")
        found.append(verdict.certificate)
    return tuple(found)


def _within(model: Model | None, symbol: sympy.Symbol, values: sympy.Set) -> Model:
    """Return a model in which a parameter has other values."""
    known = Model() if model is None else model
    return Model(
        known.digraph() if known.nodes else None,
        fixed=(*known.fixed, *known.constants),
        assume=known.assumptions,
        kinds=dict(known.kinds),
        ranges={**dict(known.ranges), symbol: values},
        functionals=known.functionals,
    )

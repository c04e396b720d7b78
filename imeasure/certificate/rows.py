"""Exact linear rows: an expression as rational coefficients on columns, straight from the syntax tree.

A column is the bitmask of a joint entropy, the text of a functional, or :data:`ONE` for the constant. Nothing here
makes sympy objects, so that reading takes microseconds; the coordinates are those of Yeung's framework (1997).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import cast

from imeasure import syntax
from imeasure.errors import NonlinearError
from imeasure.names import natural_key
from imeasure.transforms import inclusion_exclusion

Column = int | str
"""A bitmask of variables, the text of a functional, or :data:`ONE`."""

Number = int | Fraction
"""An exact rational number."""

Row = dict[Column, Number]
"""Coefficients by column, zeros left out."""

_key = cache(natural_key)

ONE = 0
"""The column of the constant 1."""


def magnitude(value: Number) -> Number:
    """Return the absolute value of a number."""
    return -value if value < 0 else value


class Parametric(Exception):  # noqa: N818 - a signal between two readers, not an error
    """A parameter occurs, so that coefficients are not numbers."""


class Names:
    """Bits of variables in the order of their first appearance, so that renamed statements have equal rows."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.index: dict[str, int] = {}
        for name in names:
            self.mask((name,))

    def mask(self, names: Iterable[str]) -> int:
        """Return the bitmask of names, giving a new bit to each new one."""
        result, index = 0, self.index
        for name in names:
            bit = index.get(name)
            if bit is None:
                bit = index[name] = 1 << len(index)
            result |= bit
        return result

    def members(self, mask: int) -> tuple[str, ...]:
        """Return the names in a bitmask, in natural order."""
        found = [name for name, bit in self.index.items() if mask & bit]
        return tuple(sorted(found, key=_key) if len(found) > 1 else found)

    def __len__(self) -> int:
        return len(self.index)


def add(row: Row, other: Mapping[Column, Number], factor: Number = 1) -> Row:
    """Add a multiple of a row to a row in place.

    Args:
        row: The row to change.
        other: The row to add.
        factor: Its multiplier.

    Returns:
        The changed row.

    Example:
        >>> add({1: 1}, {1: 1, 2: 3}, -1)
        {2: -3}
    """
    for column, value in other.items():
        total = row.get(column, 0) + factor * value
        if total:
            row[column] = total
        else:
            row.pop(column, None)
    return row


def information(groups: Iterable[int], given: int = 0) -> Row:
    """Return the row of ``I(A1;...;Ak|C)``, or of ``H(A|C)`` for one group.

    Args:
        groups: Bitmasks of the groups.
        given: Bitmask of the condition.

    Returns:
        Coefficients of joint entropies.

    Example:
        >>> information([1, 2], 4)
        {4: -1, 5: 1, 6: 1, 7: -1}
    """
    return cast("Row", inclusion_exclusion(groups, given))


def row_of(node: syntax.Node, names: Names) -> Row:
    """Return the row of a syntax tree without parameters.

    Args:
        node: The tree.
        names: The bits of variables; new variables get new bits.

    Returns:
        The row.

    Raises:
        Parametric: If a parameter occurs.

    Example:
        >>> row_of(syntax.read("H[X,Y] - H[X] + 1/2").expressions[0], Names())
        {3: 1, 1: -1, 0: Fraction(1, 2)}
    """
    row: Row = {}
    _collect(node, 1, row, names)
    return row


def _collect(node: syntax.Node, factor: Number, row: Row, names: Names) -> None:
    if isinstance(node, syntax.Quantity):
        add(row, quantity_row(node, names), factor)
    elif isinstance(node, syntax.Sum):
        for term in node.terms:
            _collect(term, factor, row, names)
    elif isinstance(node, syntax.Product):
        left, right = node
        if isinstance(left, Fraction):
            _collect(right, factor * exact(left), row, names)
        elif isinstance(right, Fraction):
            _collect(left, factor * exact(right), row, names)
        else:
            quantity, other = (left, right) if syntax.has_quantity(left) else (right, left)
            _collect(quantity, factor * number(other), row, names)
    elif isinstance(node, syntax.Quotient):
        _collect(node.left, exact(Fraction(factor) / _divisor(node.right)), row, names)
    else:
        value = factor * number(node)
        if value:
            add(row, {ONE: value})


def exact(value: Fraction) -> Number:
    """Return a rational as an integer where it is one."""
    return value.numerator if value.denominator == 1 else value


def number(node: syntax.Node) -> Number:
    """Return the value of a tree without quantities and parameters.

    Args:
        node: The tree.

    Returns:
        Its value.

    Raises:
        Parametric: If a parameter occurs.
        NonlinearError: If a divisor is zero.
    """
    match node:
        case Fraction():
            return exact(node)
        case syntax.Sum(terms):
            return sum(map(number, terms))
        case syntax.Product(left, right):
            return number(left) * number(right)
        case syntax.Quotient(left, right):
            return exact(Fraction(number(left)) / _divisor(right))
        case syntax.Power(base, exponent):
            value = Fraction(number(base))
            if value == 0 and exponent < 0:
                raise NonlinearError("division by zero in a coefficient")
            return exact(value**exponent)
    raise Parametric


def _divisor(node: syntax.Node) -> Fraction:
    value = Fraction(number(node))
    if value == 0:
        raise NonlinearError("division by zero in a coefficient")
    return value


def quantity_row(quantity: syntax.Quantity, names: Names) -> Row:
    """Return the row of a quantity; ``CE`` is written as ``H + KL``.

    Args:
        quantity: The quantity as written.
        names: The bits of variables.

    Returns:
        Its row.
    """
    name, groups, given = quantity
    masks = [*map(names.mask, groups)]
    condition = names.mask(given) if given else 0
    if name == "H":
        joint = masks[0] | condition
        if joint == condition:
            return {}
        return {joint: 1, condition: -1} if condition else {joint: 1}
    if name == "I":
        return information(masks, condition)
    opaque: Row = {functional_text("KL" if name == "CE" else name, masks[0], condition, names): 1}
    return add(information(masks, condition), opaque) if name == "CE" else opaque


def functional_text(name: str, variables: int, given: int, names: Names) -> str:
    """Return the text that identifies a functional.

    Args:
        name: Its name.
        variables: Bitmask of the variables before the bar.
        given: Bitmask of those behind it.
        names: The bits of variables.

    Returns:
        Text such as ``LogVar[Z|Y]``.
    """
    left, right = ",".join(names.members(variables)), ",".join(names.members(given))
    return f"{name}[{left}|{right}]" if right else f"{name}[{left}]"


def quantity_text(groups: Iterable[int], given: int, names: Names) -> str:
    """Return the text of an information quantity.

    Args:
        groups: Bitmasks of the groups.
        given: Bitmask of the condition.
        names: The bits of variables.

    Returns:
        Text such as ``I[X;Z|Y]``.

    Example:
        >>> quantity_text([1, 2], 4, Names("XYZ"))
        'I[X;Y|Z]'
    """
    parts = [",".join(names.members(mask)) for mask in groups]
    condition = ",".join(names.members(given))
    return f"{'H' if len(parts) == 1 else 'I'}[{';'.join(parts)}{'|' + condition if condition else ''}]"


def row_text(row: Mapping[Column, Number], names: Names) -> str:
    """Return a row as text that the parser reads back.

    Args:
        row: The row.
        names: The bits of variables.

    Returns:
        The text, such as ``H[X,Y] - 1/2*H[X]``.

    Example:
        >>> row_text({3: 1, 1: Fraction(-1, 2)}, Names("XY"))
        'H[X,Y] - 1/2*H[X]'
    """
    parts: list[str] = []
    for column, value in row.items():
        size = magnitude(value)
        if column == ONE:
            body = str(size)
        else:
            text = column if isinstance(column, str) else quantity_text([column], 0, names)
            body = text if size == 1 else f"{size}*{text}"
        sign = "-" if value < 0 else "+"
        parts.append(f"{sign} {body}" if parts else (f"-{body}" if value < 0 else body))
    return " ".join(parts) or "0"

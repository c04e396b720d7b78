"""What has to be at least zero for a claim to hold: two rows for an equation, one for an inequality.

Where parameters occur, a claim that is affine in each of them holds over a range if and only if it holds at the ends;
polynomials are expanded about the ends, and signs of all coefficients suffice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imeasure.certificate.problem import Link, Problem
from imeasure.certificate.rows import Names, Row, row_text
from imeasure.certificate.symbolic import expand


@dataclass(frozen=True, slots=True)
class Target:
    """A row that has to be at least zero.

    Attributes:
        row: The row.
        link: Position of the comparison it belongs to.
        where: Values of parameters, or what of them it is the coefficient of; empty without parameters.
        exact: Whether the claim fails where this row does: not so for coefficients of polynomials.
    """

    row: Row
    link: int
    where: str = ""
    exact: bool = True

    def text(self, names: Names) -> str:
        """Return the target as text, such as ``H[X] - H[X|Y] >= 0``."""
        return f"{row_text(self.row, names)} >= 0{f' ({self.where})' if self.where else ''}"


def targets(problem: Problem) -> tuple[Target, ...]:
    """Return all targets of a problem's claim.

    Args:
        problem: The problem.

    Returns:
        The targets, in order.

    Raises:
        NonlinearError: If a coefficient is no rational function of the parameters with a denominator of known sign.
    """
    if "targets" not in problem.cache:
        found = [t for i, link in enumerate(problem.links) for t in _targets(i, link, problem)]
        problem.cache["functionals"] = {c for target in found for c in target.row if isinstance(c, str)}
        problem.cache["targets"] = tuple(found)
    result: tuple[Target, ...] = problem.cache["targets"]
    return result


def _targets(position: int, link: Link, problem: Problem) -> Iterator[Target]:
    if link.row is None:
        for where, row, exact in expand(link, problem):
            yield from _signed(row, position, link.operator, where, exact=exact)
    else:
        yield from _signed(link.row, position, link.operator)


def _signed(row: Row, position: int, operator: str, where: str = "", *, exact: bool = True) -> Iterator[Target]:
    if operator != "<=":
        yield Target(row, position, where, exact)
    if operator != ">=":
        yield Target({column: -value for column, value in row.items()}, position, where, exact)

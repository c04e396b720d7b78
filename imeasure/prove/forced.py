"""Elemental quantities that a model's facts force to vanish, each with a checked proof.

An elemental inequality is tight on the whole cone of entropy functions that obey the facts if and only if its negative
is provable; linear programs sort out those that are not, exact proofs confirm the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from imeasure.certificate import Certificate
from imeasure.certificate.problem import read_problem
from imeasure.certificate.rows import Row, quantity_text
from imeasure.model import Model
from imeasure.prove.check import decide
from imeasure.prove.limits import Limits
from imeasure.prove.search import Search
from imeasure.shannon import elementals


def search(model: Model, names: tuple[str, ...]) -> Iterator[tuple[str, Row]]:
    """Yield the elemental quantities that vanish for all entropy functions obeying a model.

    Args:
        model: The model.
        names: The variables, at least the model's.

    Yields:
        What vanishes, as text, and its coefficients on joint entropies; bit i stands for ``names[i]``.

    Example:
        >>> from imeasure.model import Model
        >>> [text for text, _ in search(Model(assume=["I[X;Y|Z] + I[X;Z|Y] = 0"]), ("X", "Y", "Z"))]
        ['I[X;Y|Z] = 0', 'I[X;Z|Y] = 0']
    """
    everything = f"H[{','.join(names)}] >= 0"
    problem = read_problem(everything, model)
    limits = Limits()
    rows = {e: e.entropies() for e in elementals(len(names)) if e.i != e.j or problem.nonnegative(1 << e.i)}
    open_rows = dict(rows)
    finder = Search(problem, [{1 << i: 1} for i in range(len(names))], limits)
    while open_rows:
        joined: Row = {}
        for row in open_rows.values():
            for mask, value in row.items():
                joined[mask] = joined.get(mask, 0) - value
        if finder.prove({mask: value for mask, value in joined.items() if value}) is not None:
            break
        values = {mask: finder.entropy(mask) for mask in range(1 << len(names))}
        slack = {e: sum(c * values[mask] for mask, c in row.items()) for e, row in open_rows.items()}
        kept = {e: row for e, row in open_rows.items() if slack[e] <= 1e-7}
        if len(kept) == len(open_rows):
            break
        open_rows = kept
    for elemental, row in open_rows.items():
        masks = [1 << elemental.i] if elemental.i == elemental.j else [1 << elemental.i, 1 << elemental.j]
        text = f"{quantity_text(masks, elemental.given, problem.names)} = 0"
        verdict = decide(read_problem(text, model, functionals=model.functionals), limits)
        if verdict.certificate is not None and Certificate.from_json(verdict.certificate.to_json()).verify():
            found: Row = dict(row.items())
            yield text, found

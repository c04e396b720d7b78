"""The canonical form of every objective of the catalogue, and shortest total correlations, against psitip."""

from collections.abc import Callable
from functools import partial
from itertools import count

from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import in_turns
from imeasure import Objective, objectives, param, shortest, simplify

PARAMETER = 2


def measure() -> Record:
    from benchmarks.peers import psitip

    figures = []
    for name, entry in objectives.items():
        objective, model = entry.objective(), entry.model()
        expression = objective.expression
        numbers = expression.subs(dict.fromkeys(expression.free_symbols, PARAMETER))
        edges = list(model.digraph().edges)
        again = partial(simplify, objective, model=model, loss=entry.loss)
        unseen = _unseen(objective, lambda other: simplify(other, model=model, loss=entry.loss))  # noqa: B023 - used within this round
        ours, fresh, theirs = in_turns([again, unseen, partial(psitip.simplified, str(numbers), edges)], rounds=15)
        figures.append(Figure(case=f"simplify {name}", ours=ours, peer="psitip", theirs=theirs))
        if expression.free_symbols:
            figures.append(Figure(case=f"simplify {name}, parameters new", ours=fresh, peer="psitip", theirs=theirs))
    for number in range(3, 7):
        names = "ABCDEF"[:number]
        text = " + ".join(f"H[{name}]" for name in names) + f" - H[{','.join(names)}]"
        ours, theirs = in_turns([partial(shortest, text), partial(psitip.simplified, text)], rounds=5)
        figures.append(
            Figure(case="shortest total correlation", axis="n", at=number, ours=ours, peer="psitip", theirs=theirs)
        )
    return Record(
        benchmark="simplify",
        what="The canonical form of an objective of the catalogue with its derivation, asked for again, and with "
        "parameters of names never seen before; and the shortest form of the total correlation of n variables; "
        "processor time. psitip's `simplified` shortens an expression by fixed rules and stops; it proves nothing "
        "shortest, takes numbers for parameters and knows neither losses nor regularizers, so this peer does less.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "sympy", "python-flint", "psitip"),
    )


def _unseen(objective: Objective, work: Callable[[Objective], object]) -> Callable[[], object]:
    """Return work on an objective whose parameters have new names each time, so that nothing kept of it serves."""
    numbers = count()

    def run() -> object:
        number = next(numbers)
        renamed = {symbol: param(f"{symbol}{number}") for symbol in objective.expression.free_symbols}
        return work(Objective(objective.sense, objective.expression.xreplace(renamed)))

    return run

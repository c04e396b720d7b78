"""The canonical form of every objective of the catalogue, and shortest total correlations, against psitip."""

from functools import partial

from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import in_turns
from imeasure import objectives, shortest, simplify

PARAMETER = 2


def measure() -> Record:
    from benchmarks.peers import psitip

    figures = []
    for name, entry in objectives.items():
        objective, model = entry.objective(), entry.model()
        expression = objective.expression
        numbers = expression.subs(dict.fromkeys(expression.free_symbols, PARAMETER))
        edges = list(model.digraph().edges)
        works = [
            partial(simplify, objective, model=model, loss=entry.loss),
            partial(psitip.simplified, str(numbers), edges),
        ]
        ours, theirs = in_turns(works, rounds=15)
        figures.append(Figure(case=f"simplify {name}", ours=ours, peer="psitip", theirs=theirs))
    for count in range(3, 7):
        names = "ABCDEF"[:count]
        text = " + ".join(f"H[{name}]" for name in names) + f" - H[{','.join(names)}]"
        ours, theirs = in_turns([partial(shortest, text), partial(psitip.simplified, text)], rounds=5)
        figures.append(
            Figure(case="shortest total correlation", axis="n", at=count, ours=ours, peer="psitip", theirs=theirs)
        )
    return Record(
        benchmark="simplify",
        what="The canonical form of an objective of the catalogue with its derivation, and the shortest form of the "
        "total correlation of n variables; processor time. psitip's `simplified` shortens an expression by fixed "
        "rules and stops; it proves nothing shortest, takes numbers for parameters and knows neither losses nor "
        "regularizers, so this peer does much less.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "sympy", "python-flint", "psitip"),
    )

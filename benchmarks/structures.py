"""The prover on problems that grow: Markov chains against psitip, sums without structure against a bare HiGHS."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np

from benchmarks.peers.programs import highs_decides
from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import capped, geometric_mean, least
from imeasure import check
from imeasure.certificate.rows import Names, row_text
from imeasure.shannon import elementals

CAP = 10.0


def measure() -> Record:
    from benchmarks.peers import psitip

    figures = []
    check("I[X;Y] >= 0")
    for family, count, claim, facts, expected in _structured():
        if check(claim, given=facts).status != expected:
            raise SystemExit(f"{family}, {count} variables, is not {expected}")
        ours = least(partial(check, claim, given=facts))
        seconds = capped(partial(psitip.decide, claim, facts), CAP, rounds=1)
        figures.append(
            Figure(
                case=family, axis="n", at=count, ours=ours, peer="psitip", theirs=CAP if seconds is None else seconds
            )
        )
    for count in (5, 6, 7, 8, 9, 10):
        pairs = []
        for claim in _sums(count, 4 if count < 10 else 2):
            if (check(claim).status == "proved") != highs_decides(claim):
                raise SystemExit(f"the verdicts on {claim} differ")
            pairs.append([least(partial(decide, claim), rounds=2) for decide in (check, highs_decides)])
        ours, theirs = (geometric_mean(column) for column in zip(*pairs, strict=True))
        figures.append(
            Figure(case="sums of elemental inequalities", axis="n", at=count, ours=ours, peer="HiGHS", theirs=theirs)
        )
    return Record(
        benchmark="structures",
        what="Text to verdict for claims about n variables, processor time: families with structure, and sums of "
        "random elemental inequalities, half of them less a little, which have none. HiGHS is one floating-point "
        "program that gets rows as they are violated; here the proof or the counterexample is exact.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "psitip", "highspy", "ortools"),
        notes=(f"psitip was stopped after {CAP:.0f} s a claim, which counts as {CAP:.0f} s.",),
    )


def _structured() -> Iterator[tuple[str, int, str, Sequence[str], str]]:
    """Yield families of claims: name, n, claim, facts, verdict."""
    for count in (4, 8, 12, 16, 20):
        chain = ["->".join(f"X{i}" for i in range(1, count + 1))]
        yield "Markov chain: data processing", count, f"I(X1;X{count}) <= I(X1;X2)", chain, "proved"
        yield "Markov chain: reversed", count, f"I(X1;X{count}) >= I(X1;X2)", chain, "refuted"
    for steps in (3, 4, 6, 8):
        facts = _hidden_markov(steps)
        yield "hidden Markov chain", 2 * steps, f"I(Y1;Y{steps}) <= I(X1;X{steps})", facts, "proved"
    for count in (4, 6, 8, 10, 12):
        names = [f"X{i}" for i in range(1, count + 1)]
        singles, pairs = (" + ".join(f"H({','.join(c)})" for c in combinations(names, k)) for k in (1, 2))
        yield "Han's inequality, pairs", count, f"{count - 1}*({singles}) >= {pairs}", [], "proved"
    yield "exact-repair code (Tian 2014)", 16, *_tian(), "proved"


def _hidden_markov(steps: int) -> list[str]:
    facts, past = [], []
    for i in range(1, steps + 1):
        for name, parent in ((f"X{i}", f"X{i - 1}"), (f"Y{i}", f"X{i}")):
            others = ",".join(one for one in past if one != parent)
            if parent in past and others:
                facts.append(f"I({name};{others}|{parent})=0")
            past.append(name)
    return facts


def _tian() -> tuple[str, list[str]]:
    nodes = range(1, 5)
    pairs = [(i, j) for i in nodes for j in nodes if i != j]
    facts = [f"H(S{i}{j}|W{i})=0" for i, j in pairs]
    facts += [f"H(W{j}|{','.join(f'S{i}{j}' for i in nodes if i != j)})=0" for j in nodes]
    facts += [f"H(W{j}|{','.join(f'W{i}' for i in nodes if i != j)})=0" for j in nodes]
    left = " + ".join([*(f"2*H(W{i})" for i in nodes), *(f"H(S{i}{j})" for i, j in pairs)])
    return f"{left} >= 6*H(W1,W2,W3,W4)", facts


def _sums(count: int, amount: int) -> Iterator[str]:
    """Yield random sums of elementals (true), and every second one less a little of an entropy (false or hard)."""
    generator = np.random.default_rng(count)
    rows = [elemental.entropies() for elemental in elementals(count)]
    names = Names(f"X{i}" for i in range(1, count + 1))
    for number in range(amount):
        total: dict[int, int] = {}
        for i in generator.choice(len(rows), 12 * count, replace=False):
            weight = int(generator.integers(1, 5))
            for mask, value in rows[i].items():
                total[mask] = total.get(mask, 0) + weight * int(value)
        if number % 2:
            total[int(generator.integers(1, 1 << count))] = -3
        yield f"{row_text({mask: value for mask, value in total.items() if value}, names)} >= 0"

"""Verdicts agree with independent references, and many variables stay small."""

import json
import os
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from soundness import assert_sound

from imeasure import check
from imeasure.certificate.rows import Names, row_text
from imeasure.shannon import elementals


def elemental_relation(rows, weights, extra=None):
    total = {}
    for row, weight in zip(rows, weights, strict=True):
        for mask, value in row.items():
            total[mask] = total.get(mask, 0) + weight * value
    for mask, value in (extra or {}).items():
        total[mask] = total.get(mask, 0) + value
    return {mask: value for mask, value in total.items() if value}


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.data())
def test_sums_of_elementals_are_proved(count, data):
    rows = [e.entropies() for e in elementals(count)]
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))), min_size=1, max_size=6))
    weights = [data.draw(st.fractions(Fraction(1, 7), 5, max_denominator=12)) for _ in chosen]
    row = elemental_relation([rows[i] for i in chosen], weights)
    verdict = check(f"{row_text(row, Names('ABCDE'[:count]))} >= 0")
    assert verdict.status == "proved"
    assert_sound(verdict)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(0, 10**6))
def test_perturbed_relations_agree_with_the_full_linear_program(count, seed):
    linprog = pytest.importorskip("scipy.optimize").linprog
    generator = np.random.default_rng(seed)
    rows = [e.entropies() for e in elementals(count)]
    chosen = generator.choice(len(rows), 4)
    extra = {int(m): int(generator.integers(-1, 2)) for m in generator.integers(1, 1 << count, 2)}
    row = elemental_relation([rows[i] for i in chosen], generator.integers(1, 4, 4).tolist(), extra)
    matrix = np.zeros((len(rows), 1 << count))
    for i, elemental in enumerate(rows):
        for mask, value in elemental.items():
            matrix[i, mask] = value
    target = np.zeros(1 << count)
    for mask, value in row.items():
        target[mask] = value
    # Farkas: the relation holds on all polymatroids if and only if it is a non-negative sum of elementals.
    reference = linprog(np.zeros(len(rows)), A_eq=matrix.T, b_eq=target, bounds=(0, None)).status == 0
    verdict = check(f"{row_text(row, Names('ABCD'[:count]))} >= 0")
    assert (verdict.status == "proved") == reference
    assert_sound(verdict)


def test_renaming_renames_the_certificate():
    claim, fact = "I[X;Z|W] + I[X;Y] >= I[X;Z]", "X -> Y -> Z"
    renamed = str.maketrans({"X": "P", "Y": "D", "Z": "Q", "W": "A"})
    one = check(claim, given=[fact])
    two = check(claim.translate(renamed), given=[fact.translate(renamed)])
    assert one.status == two.status
    if one:
        assert one.certificate.parts == two.certificate.parts


def test_the_same_input_gives_the_same_answer():
    claim = "I[a;b|c] + I[a;b|d] + I[c;d] - I[a;b] + I[e;b|c] + I[e;c|b] + I[b;c|e] + 3*I[e;a,d|b,c] >= 0"
    first = check(claim)
    check("H[X,Y,Z,W,V] <= H[X] + H[Y] + H[Z,W,V]")
    assert check(claim).certificate.parts == first.certificate.parts


def chain(count):
    return " -> ".join(f"X{i}" for i in range(1, count + 1))


def joint(names):
    return f"H[{','.join(names)}]"


NAMES = [f"X{i}" for i in range(1, 13)]


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ("I[X1;X20] <= I[X1;X2]", [chain(20)]),
        ("I[X1;X20] <= I[X10;X11]", [chain(20)]),
        ("H[X16] <= H[X1]", [f"H[X{i + 1}|X{i}] = 0" for i in range(1, 16)]),
        (f"{joint(NAMES)} <= {' + '.join(joint([x]) for x in NAMES)}", []),
        (f"{' + '.join(joint([y for y in NAMES if y != x]) for x in NAMES)} >= 11*{joint(NAMES)}", []),
        (f"2*{joint(NAMES)} <= {' + '.join(joint([NAMES[i], NAMES[(i + 1) % 12]]) for i in range(12))}", []),
        (f"11*({'+'.join(joint([x]) for x in NAMES)}) >= {'+'.join(joint(p) for p in combinations(NAMES, 2))}", []),
    ],
    ids=["chain", "nested", "functions", "subadditivity", "Han", "Shearer", "Han pairs"],
)
def test_structure_keeps_many_variables_small(claim, facts):
    verdict = check(claim, given=facts, seconds=30)
    assert verdict.status == "proved"
    assert_sound(verdict)


def test_hidden_markov_chain_of_16_variables():
    graph = "; ".join(["X1 -> " + " -> ".join(f"X{i}" for i in range(2, 9)), *(f"X{i} -> Y{i}" for i in range(1, 9))])
    for claim, status in (
        ("I[Y1;Y8] <= I[X1;X8]", "proved"),
        ("I[Y1;Y8|X8] = 0", "proved"),
        ("I[Y1;Y8|Y2] = 0", "refuted"),
    ):
        verdict = check(claim, model=graph, seconds=30)
        assert verdict.status == status
        if status == "proved":
            assert_sound(verdict)


def cases():
    folder = os.environ.get("IMEASURE_CASES")
    if not folder:
        return []
    return json.loads((Path(folder) / "statements.json").read_text())


@pytest.mark.skipif(not os.environ.get("IMEASURE_CASES"), reason="IMEASURE_CASES is not set")
def test_public_statements():
    wrong = []
    for case in cases():
        verdict = check(case["claim"], given=case["constraints"])
        if (verdict.status == "proved") != (case["verdict"] == "true"):
            wrong.append((case["id"], verdict.status))
        if verdict or case["n"] <= 8:
            assert_sound(verdict)
    assert wrong == []

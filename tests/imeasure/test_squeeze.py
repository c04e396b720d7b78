"""Forced equalities against linear programs, and Zhang-Yeung instances of groups."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from imeasure import Certificate, check
from imeasure.prove.limits import LimitReached
from imeasure.prove.non_shannon import instances, violated
from imeasure.squeeze import forced

ZHANG_YEUNG = "2*I[{C};{D}] <= I[{A};{B}] + I[{A};{C},{D}] + 3*I[{C};{D}|{A}] + I[{C};{D}|{B}]"


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 9))
def test_a_row_is_forced_if_and_only_if_it_vanishes_on_the_cone(seed, columns, count):
    linprog = pytest.importorskip("scipy.optimize").linprog
    matrix = np.random.default_rng(seed).integers(-2, 3, (count, columns))
    rows = [{i: Fraction(int(v)) for i, v in enumerate(row) if v} for row in matrix]
    largest = [-linprog(-row, A_ub=-matrix, b_ub=np.zeros(count), bounds=[(-1, 1)] * columns).fun for row in matrix]
    assert forced(rows) == [number for number, value in enumerate(largest) if value < 1e-7]


@pytest.mark.parametrize(
    ("groups", "more"),
    [
        ({"A": "A", "B": "B", "C": "C", "D": "D"}, ""),
        ({"A": "A1,A2", "B": "B", "C": "C", "D": "D"}, ""),
        ({"A": "A1,A2", "B": "B", "C": "C", "D": "D"}, " + I[A1;B|A2]"),
        ({"A": "A", "B": "B", "C": "C1,C2", "D": "D1,D2"}, " + H[C1|D2]"),
        ({"A": "A1,A2", "B": "B1,B2", "C": "C1,C2", "D": "D1,D2"}, ""),
    ],
)
def test_groups_obey_zhang_and_yeung(groups, more):
    claim = ZHANG_YEUNG.format(**groups) + more
    assert check(claim, numerical=False).status == "undecided"
    verdict = check(claim, non_shannon=True)
    assert verdict.status == "proved"
    assert Certificate.from_json(verdict.certificate.to_json()).verify()
    assert any(step.reason == "Zhang-Yeung" for step in verdict.certificate.steps())


def test_too_many_variables_are_a_limit():
    with pytest.raises(LimitReached, match="up to 10 variables, not 11"):
        violated([1 << i for i in range(11)], lambda mask: float(mask.bit_count()))
    assert violated([1, 2, 4], lambda mask: 0.0) == []


def test_instances_are_disjoint_and_all_there():
    for count, expected in ((4, 12), (5, 240), (8, 28 * 2 * 15 * 16)):
        parts = instances(count)
        assert len(parts[0]) == expected
        union = np.zeros_like(parts[0])
        for part in parts:
            assert not (union & part).any()
            union |= part

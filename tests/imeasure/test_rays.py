"""The extreme rays of few variables: complete by an independent enumeration, and verdicts that agree with programs."""

import re
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st

from imeasure import Model, check
from imeasure.certificate.problem import read_problem
from imeasure.certificate.proof import same
from imeasure.certificate.rows import Names, add, row_text
from imeasure.certificate.steps import objection, total
from imeasure.certificate.targets import targets
from imeasure.prove import marginal
from imeasure.prove.limits import Limits
from imeasure.prove.markov import MarkovSpace
from imeasure.prove.rays import find_face, rays
from imeasure.prove.search import Search
from imeasure.shannon import elementals

NAMES = ("A", "B", "C", "D")


def enumerated(count):
    """Double description: the rays of the elemental inequalities' cone, cut off by one after the other."""
    rows = np.array([[e.entropies().get(m, 0) for m in range(1, 1 << count)] for e in elementals(count)])
    size = rows.shape[1]
    first = []
    for number in range(len(rows)):
        if len(first) < size and np.linalg.matrix_rank(rows[[*first, number]]) > len(first):
            first.append(number)
    inverse = sympy.Matrix(rows[first]).inv()
    vectors = [
        np.array(inverse[:, k] * sympy.ilcm(1, 1, *[v.q for v in inverse[:, k]]), int)[:, 0] for k in range(size)
    ]
    used = list(first)
    for number in sorted(set(range(len(rows))) - set(first)):
        values = [int(v @ rows[number]) for v in vectors]
        tight = [{u for u in used if v @ rows[u] == 0} for v in vectors]
        kept = [v for v, value in zip(vectors, values, strict=True) if value >= 0]
        for p in range(len(vectors)):
            for q in range(len(vectors)):
                common = sorted(tight[p] & tight[q])
                if values[p] > 0 > values[q] and np.linalg.matrix_rank(rows[common]) == size - 2:
                    kept.append(values[p] * vectors[q] - values[q] * vectors[p])
        vectors = kept
        used.append(number)
    return {tuple((v // np.gcd.reduce(v)).tolist()) for v in vectors}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_no_extreme_ray_is_missing(count):
    assert {tuple(vector[1:]) for vector in rays(count).vectors.tolist()} == enumerated(count)


def test_codes_have_the_ranks_of_their_rays():
    for count in (1, 2, 3, 4):
        known = rays(count)
        for vector, code in zip(known.vectors.tolist(), known.codes, strict=True):
            assert code is None or [code.rank(mask) for mask in range(1 << count)] == vector
        assert sum(code is None for code in known.codes) == (6 if count == 4 else 0)


ROWS = st.dictionaries(st.integers(1, 15), st.fractions(-3, 3, max_denominator=3), max_size=5)
SETS = st.sets(st.integers(0, 3), min_size=1, max_size=2)


@st.composite
def facts(draw):
    left, right = draw(SETS), draw(SETS)
    given = draw(st.sets(st.integers(0, 3), max_size=2)) - left - right
    spelled = [",".join(NAMES[i] for i in sorted(group)) for group in (left, right - left, given)]
    bar = f"|{spelled[2]}" if spelled[2] else ""
    return f"I[{spelled[0]};{spelled[1]}{bar}] = 0" if right - left else f"H[{spelled[0]}{bar}] = 0"


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.integers(0, 27), max_size=4), st.lists(facts(), max_size=3))
def test_verdicts_agree_with_a_linear_program(row, true, given):
    linprog = pytest.importorskip("scipy.optimize").linprog
    everything = [e.entropies() for e in elementals(4)]
    row = {mask: value / 4 for mask, value in row.items() if len(true) < 3 and value}
    for number in true:
        add(row, everything[number])
    claim = f"{row_text(row, Names(NAMES))} + 0*H[A,B,C,D] >= 0"
    problem = read_problem(claim, given=given)
    (target,) = targets(problem)

    def dense(sparse):
        return [float(sparse.get(mask, 0)) for mask in range(1, 16)]

    order = [problem.names.index[name] for name in NAMES]
    moved = [{sum(order[i] for i in range(4) if m >> i & 1): v for m, v in e.items()} for e in everything]
    done = linprog(
        dense(target.row),
        A_ub=-np.array([dense(e) for e in moved]),
        b_ub=np.zeros(28),
        A_eq=np.array([dense(f.row) for f in problem.facts]) if problem.facts else None,
        b_eq=np.zeros(len(problem.facts)) if problem.facts else None,
        bounds=(0, 1),
    )
    face = find_face(problem)
    ((values, scale),) = face.values([target.row])
    assert (face.broken(values) is None) == (done.fun > -1e-7)
    if face.broken(values) is None:
        proof = face.prove(values, scale)
        assert same(total(proof, problem), target.row)
        assert all(objection(key, value, problem) is None for key, value in proof.items())


def test_facts_that_cut_through_the_cone_are_left_to_programs():
    for fact in ("H[A] = H[B]", "I[A;B] <= I[A;C]", "H[A] = 1"):
        assert find_face(read_problem("H[A] <= H[A,B]", given=fact)) is None
    assert find_face(read_problem("I[A;B|C] <= H[A|C]", Model(kinds={"A": "continuous"}))) is None
    assert find_face(read_problem("I[A;B|C] <= H[A|C]", Model(kinds={"A": "noisy"}))) is None
    assert check("H[A] = H[A,B] - H[B|A]", given="H[A] = H[B]")


def test_huge_and_fractional_coefficients_are_exact():
    assert check("1000000000000000000000*H[A] >= 999999999999999999999*H[A]")
    assert check("100000001*H[A,B,C] <= 100000000*H[A,B,C,D]").status == "refuted"
    assert check("1/3*I[A;B|C] + 2/7*H[D|A] >= 1/5*I[A;B|C]").certificate.verify()


def test_all_facts_together_when_none_is_enough():
    """Studeny's first property of four variables (1989) needs four independences at once."""
    pairs = ["I[C;D|A,B] = 0", "I[A;B|C] = 0", "I[A;B|D] = 0", "I[C;D] = 0"]
    verdict = check("I[C;D|A] = 0", given=pairs)
    assert verdict
    assert verdict.certificate.verify()
    for three in combinations(pairs, 3):
        assert not check("I[C;D|A] = 0", given=three)


@settings(max_examples=60, deadline=None)
@given(st.integers(5, 7), st.integers(0, 10**6), st.integers(0, 2))
def test_few_variables_of_a_graph_are_decided_as_by_a_program(count, seed, number):
    generator = np.random.default_rng(seed)
    names = [f"V{i}" for i in range(count)]
    graph = nx.DiGraph([(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if generator.random() < 0.35])
    graph.add_nodes_from(names)
    one, two, three = (str(name) for name in generator.choice(names, 3, replace=False))
    spelled = (
        f"I[{one};{two}] <= I[{one};{three}]",
        f"I[{one};{two}|{three}] <= I[{one};{two}]",
        f"I[{one};{two}|{three}] <= 0",
    )
    problem = read_problem(spelled[number], Model(graph))
    (target,) = targets(problem)
    search = Search(problem, [target.row], Limits())
    if isinstance(search.space, MarkovSpace) and search.space.active.bit_count() <= 4 and target.row:
        proof = marginal.prove(search.space, target.row)
        assert (proof is None) == (search.prove(target.row) is None)
        if proof is not None:
            assert same(total(proof, problem), target.row)
            assert all(objection(key, value, problem) is None for key, value in proof.items())


def test_chains_come_down_to_the_variables_that_are_named():
    chain = " -> ".join(f"X{i}" for i in range(1, 9))
    assert check("I[X1;X8] <= I[X3;X4]", given=chain).certificate.verify()
    assert check("I[X1;X8] >= I[X3;X4]", given=chain).status == "refuted"


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        ("I[A;C] <= I[A;B]", ["A -> B -> C"]),
        ("I[A;B] <= I[A;B|C]", []),
        ("H[A|D] = 0", ["H[A|B] = 0", "H[B|C,D] = 0"]),
        ("I[A;B|C] + I[A;B|D] + 3*I[C;D] + 2*H[A,B] >= I[A;B]", []),
        ("2*H[A,B,C] <= H[A,B] + H[B,C] + H[A,C]", []),
        ("I[A;B] = 0", ["I[A;B|C,D] = 0"]),
    ],
)
def test_variables_that_occur_together_count_as_one(claim, facts):
    grouped = {"A": "A1,A2,A3", "B": "B", "C": "C1,C2", "D": "D1,D2"}
    long_claim, *long_facts = (
        re.sub("[A-D](?=[^a-z])", lambda m: grouped[m[0]], f"{t} ").strip() for t in (claim, *facts)
    )
    short, long = check(claim, given=facts), check(long_claim, given=long_facts)
    assert long.status == short.status
    if long.status == "proved":
        assert long.certificate.verify()
    elif long.status == "refuted":
        entropies = long.counterexample.marginal(long.problem.variables).entropies()
        for fact in long.problem.facts:
            assert abs(sum(v * entropies[mask] for mask, v in fact.row.items())) < 1e-12
        assert long.refutation.exact

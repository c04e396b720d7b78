"""The prover's parts: each against its definition, on random inputs."""

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from imeasure import Model, check
from imeasure.certificate.problem import read_problem
from imeasure.certificate.proof import same
from imeasure.certificate.rows import Names, add, information, row_text
from imeasure.certificate.steps import objection, total
from imeasure.certificate.targets import targets
from imeasure.prove.codes import Code, all_ranks, assigned, assignments
from imeasure.prove.combine import closing
from imeasure.prove.dag import Dag, find_dag
from imeasure.prove.limits import LimitReached, Limits
from imeasure.prove.lp import exact_multipliers
from imeasure.prove.markov import MarkovSpace
from imeasure.prove.search import elementals as elementals_of
from imeasure.prove.space import Space
from imeasure.prove.symmetry import Orbits, generators, permute
from imeasure.prove.uncross import Sets, cover
from imeasure.shannon import elementals


def random_graph(count, seed, density=0.45):
    generator = np.random.default_rng(seed)
    names = [f"V{i}" for i in range(count)]
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from((a, b) for i, a in enumerate(names) for b in names[i + 1 :] if generator.random() < density)
    return graph


def problem_of(graph):
    everything = f"H[{','.join(graph.nodes)}] >= 0"
    problem = read_problem(everything, Model(graph))
    return problem, find_dag(problem)


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 6), st.integers(0, 10**6), st.data())
def test_separations_come_with_proofs(count, seed, data):
    graph = random_graph(count, seed)
    problem, dag = problem_of(graph)
    labels = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    groups = [{f"V{i}" for i in range(count) if labels[i] == k} for k in range(3)]
    if dag is None or not groups[0] or not groups[1]:
        return
    separated = nx.is_d_separator(graph, *groups)
    left, right, condition = (problem.names.mask(group) for group in groups)
    near = dag.neighbours(left | right | condition)
    if separated:
        proof = dag.separate(left, right, condition)
        assert same(total(proof, problem), add({}, information([left, right], condition), -1))
        assert all(objection(key, value, problem) is None for key, value in proof.items())
    for i, name in enumerate(graph.nodes):
        for other in list(graph.nodes)[i + 1 :]:
            rest = set(graph.nodes) - {name, other}
            one, two = problem.names.index[name], problem.names.index[other]
            everything = dag.neighbours(dag.everything)
            assert bool(everything[one] & two) != nx.is_d_separator(graph, {name}, {other}, rest)
    assert all(bit in near or not bit & (left | right | condition) for bit in problem.names.index.values())


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 6), st.integers(0, 10**6), st.integers(1, 63))
def test_graphs_take_entropies_apart_exactly(count, seed, mask):
    problem, dag = problem_of(random_graph(count, seed))
    mask &= (1 << count) - 1
    if dag is None or not mask:
        return
    space = MarkovSpace(problem, [{mask: 1}], dag, Limits())
    gap = add({mask: 1}, space.represent({mask: 1}), -1)
    for sign in (1, -1):
        wanted = {column: sign * value for column, value in gap.items()}
        assert same(total(closing(wanted, space.gap), problem), wanted)


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 6), st.integers(0, 10**6))
def test_verdicts_on_graphs_agree_with_a_full_linear_program(count, seed):
    linprog = pytest.importorskip("scipy.optimize").linprog
    generator = np.random.default_rng(seed)
    graph = random_graph(count, seed)
    rows = [e.entropies() for e in elementals(count)]
    row = {}
    for i in generator.choice(len(rows), 2):
        add(row, rows[i])
    for mask in generator.integers(1, 1 << count, 2):
        add(row, {int(mask): int(generator.integers(-1, 2))})
    names = Names(graph.nodes)
    claim = f"{row_text(row, names)} >= 0"
    facts = read_problem(f"H[{','.join(graph.nodes)}] >= 0", Model(graph)).facts

    def dense(sparse):
        vector = np.zeros(1 << count)
        for mask, value in sparse.items():
            vector[mask] = value
        return vector

    done = linprog(
        dense(row),
        A_ub=-np.array([dense(r) for r in rows]),
        b_ub=np.zeros(len(rows)),
        A_eq=np.array([dense(f.row) for f in facts]) if facts else None,
        b_eq=np.zeros(len(facts)) if facts else None,
        bounds=[(0, 0), *[(0, 1)] * ((1 << count) - 1)],
    )
    verdict = check(claim, model=Model(graph))
    assert (verdict.status == "proved") == (done.fun > -1e-7)
    if verdict:
        assert verdict.certificate.verify()


def test_closures_merge_sets_and_prove_it():
    problem = read_problem("H[D] <= H[A,B]", given=["H[C|A,B] = 0", "H[D|C] = 0"])
    space = Space(problem, [link.row for link in problem.links])
    masks = problem.names.index
    start = masks["A"] | masks["B"]
    assert space.closure(start) == start | masks["C"] | masks["D"]
    for sign in (1, -1):
        wanted = add({start: sign}, {space.closure(start): -sign})
        assert same(total(closing(wanted, space.gap), problem), wanted)


def test_constants_have_no_entropy():
    problem = read_problem("I[X;Y|Z] = I[X;Y]", given=["H[Z] = 0"])
    space = Space(problem, [link.row for link in problem.links])
    assert space.base == problem.names.index["Z"]
    assert check("I[X;Y|Z] = I[X;Y]", given=["H[Z] = 0"]).certificate.verify()


@pytest.mark.parametrize("count", [3, 4, 5])
def test_symmetries_of_small_claims_are_all_found(count):
    cycle = [(0, {1 << i | 1 << (i + 1) % count: 1 for i in range(count)})]
    singles = [(0, {1 << i: 1 for i in range(count)})]
    for rows in (cycle, singles):
        group = {tuple(range(count))}
        frontier = list(group)
        found = generators(rows, count, Limits())
        while frontier:
            here = frontier.pop()
            for step in found:
                product = tuple(step[i] for i in here)
                if product not in group:
                    group.add(product)
                    frontier.append(product)
        kept = [
            p
            for p in permutations(range(count))
            if all({permute(m, p): v for m, v in row.items()} == row for _, row in rows)
        ]
        assert group <= set(kept)
        assert {frozenset(p[i] for p in group) for i in range(count)} == {
            frozenset(p[i] for p in kept) for i in range(count)
        }


def test_orbits_spread_proofs_evenly():
    problem = read_problem("H[A,B,C] <= H[A] + H[B] + H[C]")
    orbits = Orbits([(1, 0, 2), (1, 2, 0)], problem)
    assert {orbits.least(mask) for mask in range(1, 8)} == {1, 3, 7}
    spread = orbits.spread({("I", 2, 1, 4): 3})
    assert sorted(spread.items()) == [(("I", 1, 2, 4), 1), (("I", 1, 4, 2), 1), (("I", 2, 4, 1), 1)]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(0, 10**6))
def test_ranks_of_codes_are_entropies(count, seed):
    generator = np.random.default_rng(seed)
    number = int(generator.integers(len(assignments(count))))
    field = int(generator.choice([2, 3]))
    seen = tuple(tuple(generator.integers(0, field**2, generator.integers(0, 3)).tolist()) for _ in range(count))
    names = tuple(f"V{i}" for i in range(count))
    for code in (assigned(number, count), Code(field, 2, seen), Code(field, 2, seen).repeated(2)):
        entropies = code.distribution(names).entropies()
        ranks = [code.rank(mask) for mask in range(1 << count)]
        np.testing.assert_allclose(entropies, np.array(ranks) * np.log(code.field), atol=1e-12)
    small = assigned(number, count)
    assert [small.rank(mask) for mask in range(1 << count)] == all_ranks(count)[number].tolist()


def test_exact_multipliers_solve_or_say_no():
    rows = [{1: 2, 2: 1}, {1: 1, 2: -3}]
    assert exact_multipliers(rows, {1: 4, 2: -5}) == [1, 2]
    assert exact_multipliers(rows[:1], {1: 1}) is None
    assert exact_multipliers([], {}) == []


def test_limits_raise():
    with pytest.raises(LimitReached, match="2 joint entropies"):
        Limits(sets=2).require_size(3)
    with pytest.raises(LimitReached, match="time limit"):
        Limits(seconds=-1).require_time()


def test_lists_of_independences_are_read_as_graphs():
    problem = read_problem("H[A] >= 0", given=["I[C;A|B] = 0", "I[D,E;A,B|C] = 0"])
    dag = find_dag(problem)
    assert isinstance(dag, Dag)
    assert len(dag.facts) == 2
    assert check("I[A;E|C,D] = 0", given=problem.given).certificate.verify()
    assert find_dag(read_problem("H[A] >= 0", given=["H[A] = H[B]"])) is None


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=5))
def test_any_list_of_independences_gives_a_graph_with_proofs(labels):
    groups = [[",".join("ABCDEF"[i] for i in range(6) if row[i] == k) for k in range(3)] for row in labels]
    facts = [f"I[{a};{b}{'|' * bool(c)}{c}] = 0" for a, b, c in groups if a and b]
    problem = read_problem("H[A,B,C,D,E,F] >= 0", given=facts)
    dag = find_dag(problem)
    for known in dag.local.values() if dag is not None else ():
        wanted = {c: -v for c, v in information([known.bit, known.others], known.parents).items()}
        assert same(total(known.proof, problem), wanted if known.others else {})
        assert all(objection(key, value, problem) is None for key, value in known.proof.items())
    for a, b, c in [groups[k] for k in range(len(groups)) if groups[k][0] and groups[k][1]] if dag else ():
        position = facts.index(f"I[{a};{b}{'|' * bool(c)}{c}] = 0")
        masks = [problem.names.mask(group.split(",")) if group else 0 for group in (a, b, c)]
        assert position not in dag.facts or dag.separates(*masks)


@pytest.mark.parametrize("count", [4, 8])
def test_redundant_lists_of_independences_are_graphs_too(count):
    hidden, seen = [f"S{i}" for i in range(count)], [f"O{i}" for i in range(count)]
    others = [",".join(name for name in hidden + seen if name not in pair) for pair in zip(hidden, seen, strict=True)]
    facts = [" -> ".join(hidden), *(f"{others[i]} -> {hidden[i]} -> {seen[i]}" for i in range(count))]
    problem = read_problem("H[S0] >= 0", given=facts)
    assert len(find_dag(problem).facts) == len(problem.facts)
    proved = check(f"I[O0;O{count - 1}] <= I[S2;S3]", given=facts, max_sets=100)
    assert proved.certificate.verify()
    assert check(f"I[O0;O{count - 1}] <= I[S1;O2]", given=facts, max_sets=100).status == "refuted"


@pytest.mark.parametrize(
    ("facts", "expression"),
    [
        (["I[X;Y|Z] + I[X;Z|Y] = 0"], "I[X;Y|Z]"),
        (["I[X;Y] = 0", "H[Y|X] = 0"], "H[Y]"),
        (["I[A;B|C,D] = 0", "I[C;D|A] = 0", "I[C;D|B] = 0", "I[A;B] = 0"], "I[C;D|A,B]"),
        (["H[X] <= H[X|Y]"], "I[X;Y]"),
    ],
)
def test_reduce_knows_what_facts_force(facts, expression):
    assert Model(assume=facts).reduce(expression) == 0


def symmetric(count):
    names = [f"X{i}" for i in range(1, count + 1)]
    joint = f"H[{','.join(names)}]"
    alone = " + ".join(f"H[{x}]" for x in names)
    rest = " + ".join(f"H[{x}|{','.join(y for y in names if y != x)}]" for x in names)
    total_correlation, dual = f"{alone} - {joint}", f"{joint} - {' - '.join(rest.split(' + '))}"
    return total_correlation, dual


@pytest.mark.parametrize("count", [3, 5, 12])
def test_total_correlation_and_its_dual_bound_each_other(count):
    first, second = symmetric(count)
    for small, large in ((first, second), (second, first)):
        verdict = check(f"{small} <= {count - 1}*({large})")
        assert verdict
        assert verdict.certificate.verify()
        assert sum(map(len, verdict.certificate.parts)) < count**2
    assert check(f"{first} <= {second}").status == "refuted"


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.integers(0, 10**6), st.booleans())
def test_covering_proves_what_it_claims(count, seed, above):
    """Random sums of crossing pairs against their unions and intersections."""
    generator = np.random.default_rng(seed)
    row = {}
    for _ in range(6):
        s, t = (int(mask) for mask in generator.integers(1, 1 << count, 2))
        add(row, {s: 1})
        add(row, {t: 1})
        add(row, {s | t: -1})
        add(row, {s & t: -1} if s & t else {})
    proof = cover(row, Sets(int, 0, lambda _: True), above=above)
    problem = read_problem(f"H[{','.join(f'V{i}' for i in range(count))}] >= 0")
    if proof is not None:
        assert same(total(proof, problem), row)
        assert all(objection(key, value, problem) is None for key, value in proof.items())


def test_long_chains_are_proved_link_by_link():
    links = " + ".join(f"I[X{i};X{i + 1}]" for i in range(1, 12))
    verdict = check(f"{links} >= 11*I[X1;X12]", given=" -> ".join(f"X{i}" for i in range(1, 13)))
    assert verdict
    assert verdict.certificate.verify()


def test_memoryless_channels_add_up_at_most():
    model = " -> ".join(f"X{i}" for i in range(1, 9)) + "; " + "; ".join(f"X{i} -> Y{i}" for i in range(1, 9))
    one, two = (",".join(f"{name}{i}" for i in range(1, 9)) for name in "XY")
    single = " + ".join(f"I[X{i};Y{i}]" for i in range(1, 9))
    verdict = check(f"I[{one};{two}] <= {single}", model=model)
    assert verdict
    assert verdict.certificate.verify()
    assert check(f"I[{one};{two}] >= {single}", model=model).status == "refuted"


def test_listing_the_elementals_of_many_symmetric_variables_ends_with_the_time():
    names = [f"X{i}" for i in range(60)]
    problem = read_problem(f"H[{','.join(names)}] <= {' + '.join(f'H[{name}]' for name in names)}")
    space = Space(problem, [target.row for target in targets(problem)])
    orbits = Orbits([(*range(i), i + 1, i, *range(i + 2, 60)) for i in range(59)], problem)
    sets = space.members(Limits(), orbits.least)
    assert [mask.bit_count() for mask in sets] == list(range(61))
    with pytest.raises(LimitReached, match="time limit"):
        elementals_of(space, sets, Limits(seconds=0.0), orbits)

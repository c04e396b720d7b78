"""Time the prover, text to verdict, against psitip, linprog on all elemental rows, and a minimal HiGHS program.

    IMEASURE_CASES=... python benchmarks/prover.py [--psitip /path/to/psitip's/python] [--cap SECONDS] [--save [FILE]]

Imports are excluded, every time is the best of three runs in one process; runs of more than two seconds are not
repeated, and psitip is stopped after the cap, which then counts as its time. psitip 1.1.7 lives in an environment of
its own (``pip install --no-deps psitip==1.1.7`` and ``ortools numpy scipy matplotlib``); without it, its columns are
empty. Peers decide provability and look for no distribution, so that they are compared with ``numerical=False``; what
the numerical search for a distribution adds to claims that remain undecided is shown apart.
"""

import argparse
import datetime
import json
import math
import multiprocessing
import os
import platform
import resource
import subprocess
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from imeasure import check
from imeasure.certificate.problem import read_problem
from imeasure.certificate.rows import Names, row_text
from imeasure.certificate.targets import targets
from imeasure.shannon import elementals

HERE = Path(__file__).parent


def best(run, times=3, enough=2.0):
    found = math.inf
    for _ in range(times):
        start = time.perf_counter()
        result = run()
        found = min(found, time.perf_counter() - start)
        if found > enough:
            break
    return found, result


def chain(count):
    return " -> ".join(f"X{i}" for i in range(1, count + 1))


def joint(names):
    return f"H({','.join(names)})"


def hidden_markov(steps):
    facts, past = [], ["X1", "Y1"]
    facts.append("I(X2;Y1|X1)=0")
    for i in range(2, steps + 1):
        if i > 2:
            facts.append(f"I(X{i};{','.join(v for v in past if v != f'X{i - 1}')}|X{i - 1})=0")
        past.append(f"X{i}")
        facts.append(f"I(Y{i};{','.join(v for v in past if v != f'X{i}')}|X{i})=0")
        past.append(f"Y{i}")
    return facts


def tian():
    nodes = range(1, 5)
    pairs = [(i, j) for i in nodes for j in nodes if i != j]
    facts = [f"H(S{i}{j}|W{i})=0" for i, j in pairs]
    facts += [f"H(W{j}|{','.join(f'S{i}{j}' for i in nodes if i != j)})=0" for j in nodes]
    facts += [f"H(W{j}|{','.join(f'W{i}' for i in nodes if i != j)})=0" for j in nodes]
    left = " + ".join(f"2*H(W{i})" for i in nodes) + " + " + " + ".join(f"H(S{i}{j})" for i, j in pairs)
    return f"{left} >= 6*H(W1,W2,W3,W4)", facts


def structured():
    """Cases with many variables: family, n, claim, facts, expected verdict."""
    names = [f"X{i}" for i in range(1, 13)]
    others = " + ".join(joint([y for y in names if y != x]) for x in names)
    cycle = " + ".join(joint([names[i], names[(i + 1) % 12]]) for i in range(12))
    singles = " + ".join(joint([x]) for x in names)
    pairs, triples = (" + ".join(joint(c) for c in combinations(names, k)) for k in (2, 3))
    functions = [f"H(X{i + 1}|X{i})=0" for i in range(1, 16)]
    correlation = f"{singles} - {joint(names)}"
    residual = " - ".join(f"H({x}|{','.join(y for y in names if y != x)})" for x in names)
    dual = f"{joint(names)} - {residual}"
    links = " + ".join(f"I(X{i};X{i + 1})" for i in range(1, 20))
    inputs, outputs = (joint([f"{letter}{i}" for i in range(1, 9)])[2:-1] for letter in "XY")
    channels, hidden, seen = (
        " + ".join(f"I({one.format(i)};{two.format(i + step)})" for i in range(1, 9 - step))
        for one, two, step in (("X{}", "Y{}", 0), ("X{}", "X{}", 1), ("Y{}", "Y{}", 1))
    )
    claim, facts = tian()
    return [
        ("Markov chain, data processing", 20, "I(X1;X20) <= I(X1;X2)", [chain(20)], "proved"),
        ("Markov chain, nested", 20, "I(X1;X20) <= I(X10;X11)", [chain(20)], "proved"),
        ("Markov chain, all links", 20, f"{links} >= 19*I(X1;X20)", [chain(20)], "proved"),
        ("Markov chain, reversed claim", 20, "I(X1;X20) >= I(X1;X2)", [chain(20)], "refuted"),
        ("hidden Markov chain, data processing", 16, "I(Y1;Y8) <= I(X1;X8)", hidden_markov(8), "proved"),
        ("hidden Markov chain, separation", 16, "I(Y1;Y8|X8) = 0", hidden_markov(8), "proved"),
        ("hidden Markov chain, all variables", 16, f"I({inputs};{outputs}) <= {channels}", hidden_markov(8), "proved"),
        ("hidden Markov chain, all links", 16, f"{seen} <= {hidden}", hidden_markov(8), "proved"),
        ("hidden Markov chain, links reversed", 16, f"{seen} >= {hidden}", hidden_markov(8), "refuted"),
        ("hidden Markov chain, not Markov", 16, "I(Y1;Y8|Y2) = 0", hidden_markov(8), "refuted"),
        ("functional chain", 16, "H(X16) <= H(X1)", functions, "proved"),
        ("functional chain, reversed claim", 16, "H(X16) >= H(X1)", functions, "refuted"),
        ("exact-repair code (Tian 2014)", 16, claim, facts, "proved"),
        ("total correlation bounds its dual", 12, f"{dual} <= 11*({correlation})", [], "proved"),
        ("dual bounds total correlation", 12, f"{correlation} <= 11*({dual})", [], "proved"),
        ("subadditivity", 12, f"{joint(names)} <= {singles}", [], "proved"),
        ("Han, k = 11", 12, f"{others} >= 11*{joint(names)}", [], "proved"),
        ("Han, k = 1", 12, f"11*({singles}) >= {pairs}", [], "proved"),
        ("Han, k = 2", 12, f"10*({pairs}) >= 2*({triples})", [], "proved"),
        ("Shearer, cycle", 12, f"2*{joint(names)} <= {cycle}", [], "proved"),
    ]


def unstructured(count, amount=4):
    """Random sums of elementals (true) and the same less a little of an entropy (false or hard)."""
    generator = np.random.default_rng(count)
    rows = [e.entropies() for e in elementals(count)]
    names = Names(f"X{i}" for i in range(1, count + 1))
    for number in range(amount):
        total = {}
        for i in generator.choice(len(rows), 12 * count, replace=False):
            weight = int(generator.integers(1, 5))
            for mask, value in rows[i].items():
                total[mask] = total.get(mask, 0) + weight * value
        if number % 2:
            total[int(generator.integers(1, 1 << count))] = -3
        yield f"{row_text({m: v for m, v in total.items() if v}, names)} >= 0"


class FullRows:
    """Text to verdict as a plain user of scipy would write it.

    The statement is read by this project's reader, every elemental inequality of its n variables becomes a row (dense
    up to 7 variables, sparse beyond), facts become further rows, and one program is solved for an inequality, two for
    an equation. Nothing is kept from one call to the next, and the first part that fails ends it. Beyond 7 variables it
    runs once, in a process that is stopped after a cap, which then counts as its time.
    """

    name = "linprog"
    largest_dense = 7

    def seconds(self, case, cap):
        if case["n"] <= self.largest_dense:
            return best(lambda: self.decide(case["claim"], case["constraints"]))[0]
        context = multiprocessing.get_context("fork")
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=self._report, args=(case, send))
        process.start()
        found = receive.recv() if receive.poll(cap) else cap
        process.kill()
        process.join()
        return found

    def _report(self, case, send):
        send.send(best(lambda: self.decide(case["claim"], case["constraints"]), 1)[0])

    def decide(self, claim, facts):
        from scipy.optimize import linprog
        from scipy.sparse import coo_array, csr_array, vstack

        problem = read_problem(claim, given=facts)
        count = len(problem.names)
        rows = [e.entropies() for e in elementals(count)]
        if count <= self.largest_dense:
            matrix = np.zeros((len(rows), 1 << count))
            for i, row in enumerate(rows):
                for mask, value in row.items():
                    matrix[i, mask] = value
        else:
            places = [(i, mask, value) for i, row in enumerate(rows) for mask, value in row.items()]
            i, mask, value = zip(*places, strict=True)
            matrix = coo_array((value, (i, mask)), shape=(len(rows), 1 << count)).tocsr()
        equal = [f.row for f in problem.facts if f.equality]
        above = [f.row for f in problem.facts if not f.equality]

        def dense(row):
            vector = np.zeros(1 << count)
            for mask, value in row.items():
                vector[mask] = float(value)
            return vector

        stack = np.vstack if count <= self.largest_dense else vstack
        upper = -stack([matrix, *(dense(row)[None] for row in above)])
        facts = np.array([dense(row) for row in equal]) if equal else None
        if equal and count > self.largest_dense:
            facts = csr_array(facts)
        for target in targets(problem):
            done = linprog(
                dense(target.row),
                A_ub=upper,
                b_ub=np.zeros(upper.shape[0]),
                A_eq=facts,
                b_eq=np.zeros(len(equal)) if equal else None,
                bounds=[(0, 0), *[(0, 1)] * ((1 << count) - 1)],
                method="highs",
            )
            if done.fun < -1e-7:
                return False
        return True


def minimal_highs(claim):
    """The boxed primal with rows added when violated; a float answer, nothing exact."""
    import highspy

    problem = read_problem(claim)
    count = len(problem.names)
    size = 1 << count
    full = size - 1
    quads = []
    for i in range(count):
        quads.append((full, 0, full ^ 1 << i, 0))
        for j in range(i + 1, count):
            rest = [b for b in range(size) if not b & (1 << i | 1 << j)]
            quads += [(k | 1 << i, k | 1 << j, k | 1 << i | 1 << j, k) for k in rest]
    table = np.array(quads)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    cost = np.zeros(size)
    for mask, value in targets(problem)[0].row.items():
        cost[mask] = float(value)
    upper = np.ones(size)
    upper[0] = 0
    solver.addCols(size, cost, np.zeros(size), upper, 0, np.zeros(size, np.int32), np.zeros(0, np.int32), np.zeros(0))

    def add(chosen):
        part = table[chosen]
        keep = part > 0
        signs = np.tile([1.0, 1.0, -1.0, -1.0], (len(part), 1))
        starts = np.concatenate([[0], np.cumsum(keep.sum(1))[:-1]]).astype(np.int32)
        many = len(part)
        solver.addRows(
            many,
            np.zeros(many),
            np.full(many, np.inf),
            int(keep.sum()),
            starts,
            part[keep].astype(np.int32),
            signs[keep],
        )

    add(np.arange(0, len(table), max(1, len(table) // 500)))
    while True:
        solver.run()
        point = np.array(solver.getSolution().col_value)
        slack = point[table[:, 0]] + point[table[:, 1]] - point[table[:, 2]] - point[table[:, 3]]
        violated = np.flatnonzero(slack < -1e-7)
        if not len(violated):
            return solver.getObjectiveValue() > -1e-7
        add(violated[np.argsort(slack[violated])[:300]])


def psitip_times(python, cases, cap):
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(cases, file)
    command = [python, str(HERE / "peer_psitip.py"), file.name, str(cap)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        Path(file.name).unlink()
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return {found["id"]: found for found in map(json.loads, lines)}


def geometric(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def statements(folder, psitip, cap, linprog_cap):
    cases = json.loads((Path(folder) / "statements.json").read_text())
    peer = psitip_times(psitip, cases, cap) if psitip else {}
    full = FullRows()
    rows = []
    for case in cases:
        seconds, verdict = best(lambda case=case: check(case["claim"], given=case["constraints"], numerical=False))
        row = {"id": case["id"], "n": case["n"], "expected": case["verdict"], "status": verdict.status, "ours": seconds}
        row["right"] = (verdict.status == "proved") == (case["verdict"] == "true")
        if case["id"] in peer:
            row["psitip"], row["psitip_answer"] = peer[case["id"]]["seconds"], peer[case["id"]]["answer"]
        if verdict.status == "undecided":
            row["searched"], thorough = best(lambda case=case: check(case["claim"], given=case["constraints"]))
            row["searched_status"] = thorough.status
        row["linprog"] = full.seconds(case, linprog_cap)
        rows.append(row)
    return rows


def show(title, rows):
    print(f"\n{title}")
    for row in rows:
        print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, (40, 6, 12, 12, 14), strict=False)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--psitip", help="python of psitip's environment")
    parser.add_argument("--cap", type=int, default=20, help="seconds after which psitip is stopped")
    parser.add_argument("--linprog-cap", type=float, default=5, help="seconds after which linprog is stopped")
    kept = str(HERE / "results" / "prover.json")
    parser.add_argument("--save", nargs="?", const=kept, metavar="FILE", help="write JSON, to results/ by default")
    options = parser.parse_args()
    check("I[X;Y] >= 0")
    result = {
        "cap": options.cap,
        "linprog_cap": options.linprog_cap,
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    folder = os.environ.get("IMEASURE_CASES")
    if not options.psitip:
        print("psitip is left out: give the python of its environment with --psitip")
    if folder:
        rows = result["statements"] = statements(folder, options.psitip, options.cap, options.linprog_cap)
        summary = []
        for low, high in ((1, 3), (4, 4), (5, 6), (7, 8), (9, 16), (1, 16)):
            part = [row for row in rows if low <= row["n"] <= high]
            ours = geometric(row["ours"] for row in part)
            cells = [f"public statements, n = {low}-{high}", len(part), f"{ours * 1e3:.3f} ms"]
            for peer in ("psitip", "linprog"):
                both = [row for row in part if peer in row]
                ratio = geometric(row[peer] / row["ours"] for row in both)
                cells.append(f"{peer} x{ratio:.1f}" if both else f"{peer} -")
            summary.append(cells)
        show("family, cases, ours, peers (geometric means of ratios)", summary)
        print("  wrong:", [row["id"] for row in rows if not row["right"]])
        slower = [row["id"] for row in rows if "psitip" in row and row["ours"] - row["psitip"] > 0.002]
        print("  slower than psitip by more than 2 ms:", slower)
        capped = [row["id"] for row in rows if row.get("psitip_answer") == "timeout"]
        print(f"  psitip was stopped after {options.cap} s:", capped)
        stopped = [row["id"] for row in rows if row["linprog"] == options.linprog_cap]
        print(f"  linprog was stopped after {options.linprog_cap} s:", stopped)
        searched = [row["searched"] for row in rows if "searched" in row]
        print(
            f"  {len(searched)} undecided claims with the numerical search for a distribution as well: "
            f"{geometric(searched) * 1e3:.1f} ms each (geometric mean), at most {max(searched, default=0) * 1e3:.0f} ms"
        )
    else:
        print("public statements are left out: IMEASURE_CASES is not set")
    result["structured"] = []
    for family, count, claim, facts, expected in structured():
        seconds, verdict = best(lambda claim=claim, facts=facts: check(claim, given=facts))
        row = {
            "family": family,
            "n": count,
            "ours": seconds,
            "status": verdict.status,
            "right": verdict.status == expected,
        }
        result["structured"].append(row)
    show(
        "structure: family, n, ours, verdict",
        [(r["family"], r["n"], f"{r['ours'] * 1e3:.1f} ms", r["status"]) for r in result["structured"]],
    )
    result["unstructured"] = []
    for count in (6, 8, 10):
        for number, claim in enumerate(unstructured(count)):
            seconds, verdict = best(lambda claim=claim: check(claim), 2)
            reference, answer = best(lambda claim=claim: minimal_highs(claim), 2)
            agrees = (verdict.status == "proved") == answer
            row = {"n": count, "number": number, "ours": seconds, "highs": reference, "agrees": agrees}
            result["unstructured"].append(row | {"status": verdict.status})
    show(
        "unstructured: claim, n, ours, minimal HiGHS, ratio",
        [
            (
                f"sum of elementals {r['number']}: {r['status']}",
                r["n"],
                f"{r['ours']:.4f} s",
                f"{r['highs']:.4f} s",
                f"x{r['highs'] / r['ours']:.2f}",
            )
            for r in result["unstructured"]
        ],
    )
    result["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\nlargest memory: {result['memory_mb']} MB")
    if options.save is not None:
        save(result, Path(options.save))


def save(result, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

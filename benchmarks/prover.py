"""The prover on public statements, text to verdict, against psitip and scipy's linprog.

The peers decide provability and look for no distribution, so `check` is told `numerical=False`. Each peer runs in a
process of its own that is stopped after a cap.
"""

import json
import os
from collections import defaultdict
from functools import partial
from pathlib import Path

from benchmarks.peers.programs import linprog_decides
from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import capped, geometric_mean, least
from imeasure import check

CAP = 10.0


def measure() -> Record:
    from benchmarks.peers import psitip

    peers = {"psitip": psitip.decide, "linprog": linprog_decides}
    found: dict[int, list[dict[str, float]]] = defaultdict(list)
    stopped = dict.fromkeys(peers, 0)
    slowest = 0.0
    check("I[X;Y] >= 0")
    for case in _statements():
        claim, facts = case["claim"], case["constraints"]
        row = {"ours": least(partial(check, claim, given=facts, numerical=False))}
        verdict = check(claim, given=facts, numerical=False)
        if (verdict.status == "proved") != (case["verdict"] == "true"):
            raise SystemExit(f"{case['id']} is {case['verdict']}, but was {verdict.status}")
        for name, decide in peers.items():
            seconds = capped(partial(decide, claim, facts), CAP)
            stopped[name] += seconds is None
            row[name] = CAP if seconds is None else seconds
        slowest = max(slowest, row["ours"] - row["psitip"])
        found[case["n"]].append(row)
    means = {
        count: {name: geometric_mean([row[name] for row in rows]) for name in rows[0]} for count, rows in found.items()
    }
    figures = [
        Figure(case="public statements", axis="n", at=count, ours=mean["ours"], peer=name, theirs=mean[name])
        for name in peers
        for count, mean in sorted(means.items())
    ]
    total = sum(map(len, found.values()))
    every = {name: geometric_mean([row[name] for rows in found.values() for row in rows]) for name in ("ours", *peers)}
    figures += [
        Figure(case=f"all {total} public statements", ours=every["ours"], peer=name, theirs=every[name])
        for name in peers
    ]
    return Record(
        benchmark="prover",
        what="Text to verdict for public true and false statements about n variables, geometric means over the "
        "statements of one n, processor time. linprog is the complete way of a plain user of scipy: all elemental "
        "inequalities and the facts as rows, one program for an inequality, two for an equation.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "psitip", "scipy", "highspy", "ortools"),
        notes=(
            "Every verdict is right.",
            f"psitip was stopped after {CAP:.0f} s in {stopped['psitip']} statements and linprog in "
            f"{stopped['linprog']}, which count as {CAP:.0f} s.",
            f"The statement that psitip decides sooner by most takes {1e3 * slowest:.2g} ms longer here."
            if slowest > 0
            else "No statement takes longer than with psitip.",
        ),
    )


def _statements() -> list[dict]:
    folder = os.environ.get("IMEASURE_CASES")
    if not folder:
        raise SystemExit("the benchmark of the prover reads statements.json of the folder IMEASURE_CASES: set it")
    return json.loads((Path(folder) / "statements.json").read_text(encoding="utf-8"))

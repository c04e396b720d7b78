"""How long the estimators take, as ratios to what others take on the same machine in the same run.

    python benchmarks/estimators.py [--peers-python PYTHON] [--large] [--threads N] [--repeats N] [--out FILE]

Peers (scikit-learn, npeet_plus, infomeasure) run in the Python given, so they need not share our environment; one that
is absent is left out with a message. With one thread, processor time is taken, which other work on a shared machine
hardly changes; with more, wall time. Every figure is the least of several runs, ours and theirs taken in turn.
"""

import argparse
import datetime
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ibtrain.estimators import ksg, mixture
from ibtrain.estimators.neighbours import nearest

PEER = """
import sys, time, numpy
x = numpy.load(sys.argv[2])
name = sys.argv[1]
if name.startswith("scikit-learn"):
    from sklearn.neighbors import NearestNeighbors
    def run():
        search = NearestNeighbors(n_neighbors=4, algorithm="brute" if "brute" in name else "kd_tree")
        return search.fit(x).kneighbors(x)
elif name == "npeet_plus":
    import npeet_plus
    def run():
        return npeet_plus.entropy(x, k=3)
else:
    import infomeasure
    def run():
        return infomeasure.entropy(x, approach="metric", k=3)
run() if len(x) < 2000 or x.shape[1] < 10 else None
clock = time.process_time if sys.argv[3] == "1" else time.perf_counter
start = clock()
run()
print(clock() - start)
"""
NOISE = 1 / (2 * math.pi * math.e)


def seconds(work: Callable[[], object]) -> float:
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    work()
    return clock() - start


def peer_seconds(python: str, name: str, path: Path) -> float | None:
    threads = str(torch.get_num_threads())
    limits = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    command = [python, "-c", PEER, name, str(path), threads]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=limits)
    if done.returncode:
        print(f"  {name} left out: {(done.stderr.strip() or 'no output').splitlines()[-1]}")
        return None
    return float(done.stdout.split()[-1])


def entropy_case(size: int, width: int, peers: list[str], repeats: int, python: str) -> dict[str, object]:
    """Kozachenko-Leonenko neighbours (k = 3) of standard normal samples."""
    print(f"entropy, N = {size}, d = {width}")
    x = torch.randn(size, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    classes = torch.zeros(size, dtype=torch.int64)
    nearest(x[:1000], classes[:1000], [3])
    ours: list[float] = []
    theirs: dict[str, list[float]] = {}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        np.save(path, x.numpy())
        for turn in range(repeats):
            ours.append(seconds(lambda: nearest(x, classes, [3])))
            for name in list(peers):
                taken = peer_seconds(python, name, path) if turn == 0 or len(theirs.get(name, [])) == turn else None
                if taken is not None:
                    theirs.setdefault(name, []).append(taken)
                    if taken > 10:
                        peers.remove(name)
                elif turn == 0:
                    peers.remove(name)
    extra = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    best = min(ours)
    return {
        "case": f"KL entropy, N = {size}, d = {width}",
        "seconds": best,
        "extra_memory_mb": round(extra),
        "peers": {name: {"seconds": min(t), "ratio": min(t) / best} for name, t in theirs.items()},
    }


def tree_or_tiles(size: int, repeats: int) -> list[dict[str, object]]:
    """Where the k-d tree stops being the faster search."""
    rows = []
    for width in (2, 5, 8, 10, 12, 16):
        x = torch.randn(size, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        classes = torch.zeros(size, dtype=torch.int64)
        best = {
            search: min(seconds(partial(nearest, x, classes, [3], search=search)) for _ in range(repeats))
            for search in ("tree", "tiles")
        }
        rows.append({"case": f"tree or tiles, N = {size}, d = {width}", **best})
    return rows


def mixture_case(kind: str, repeats: int) -> dict[str, object]:
    """All quantities of the plane, against logsumexp(cdist) by chunks for H[Z] alone."""
    size, samples, width = 50_000, 5_000, 100
    print(f"mixture, {kind}")
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(size) % 10
    means = torch.randn(size, width, generator=generator) * {"apart": 1.0, "classes": 0.3, "overlapping": 0.03}[kind]
    if kind == "classes":
        means += 3 * torch.randn(10, width, generator=generator)[labels]
    origin = torch.randint(size, (samples,), generator=generator)
    z = means[origin] + math.sqrt(NOISE) * torch.randn(samples, width, generator=generator)

    def naive() -> float:
        parts = [torch.logsumexp(-(torch.cdist(part, means) ** 2) / (2 * NOISE), 1) for part in z.split(500)]
        return float(torch.cat(parts).mean())

    times: dict[str, list[float]] = {"without bounds": [], "with bounds": [], "naive": []}
    for _ in range(repeats):
        times["without bounds"].append(seconds(lambda: mixture(means, NOISE, labels, samples, bounds=False)))
        times["with bounds"].append(seconds(lambda: mixture(means, NOISE, labels, samples)))
        times["naive"].append(seconds(naive))
    best = {name: min(t) for name, t in times.items()}
    ratio = best["naive"] / best["without bounds"]
    return {
        "case": f"mixture, N = {size}, {samples} samples, d = {width}, means {kind}",
        "seconds": best["without bounds"],
        "seconds_with_bounds": best["with bounds"],
        "peers": {"naive logsumexp(cdist), float32": {"seconds": best["naive"], "ratio": ratio}},
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peers-python", default=sys.executable)
    options.add_argument("--large", action="store_true", help="also N = 50,000 at d = 100")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "estimators.json")
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    everyone = ["scikit-learn brute", "npeet_plus", "infomeasure"]
    cases = [
        entropy_case(10_000, 1, ["scikit-learn tree", *everyone[1:]], given.repeats, given.peers_python),
        entropy_case(10_000, 10, ["scikit-learn tree", *everyone], given.repeats, given.peers_python),
        entropy_case(10_000, 100, list(everyone), given.repeats, given.peers_python),
    ]
    if given.large:
        cases.append(entropy_case(50_000, 100, everyone[:1], 1, given.peers_python))
    cases += [mixture_case(kind, given.repeats) for kind in ("apart", "classes", "overlapping")]
    pair = torch.randn(2, 10_000, generator=torch.Generator().manual_seed(0))
    cases.append({"case": "KSG, N = 10000, d = 1 + 1", "seconds": min(seconds(lambda: ksg(*pair)) for _ in range(3))})
    cases += tree_or_tiles(10_000, given.repeats)
    record = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "clock": "processor time" if torch.get_num_threads() == 1 else "wall time",
        "torch": torch.__version__,
        "load": os.getloadavg()[0],
        "cases": cases,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(record, indent=2) + "\n")
    for case in cases:
        peers = case.get("peers", {})
        ratios = "".join(f"   {name} {p['ratio']:.2f}x ({p['seconds']:.3f} s)" for name, p in peers.items())
        own = ", ".join(f"{key} {case[key]:.3f} s" for key in ("seconds", "tree", "tiles") if key in case)
        print(f"{case['case']}: {own}{ratios}")


if __name__ == "__main__":
    main()

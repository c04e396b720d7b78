"""How long all atoms of n binary variables take, as ratios to dit on the same machine in the same run.

    python benchmarks/atoms.py [--peers-python PYTHON] [--out benchmarks/results/atoms.json]

dit runs in the Python given, so it need not share our environment; without it the column stays empty. Both start from a
dense table of 2^n random probabilities and end with all 2^n - 1 atoms; every figure is the least of several runs.
"""

import argparse
import datetime
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from imeasure import Distribution

PEER = """
import itertools, sys, time, numpy
import dit
from dit.profiles.information_partitions import ShannonPartition
table = numpy.load(sys.argv[1])
outcomes = ["".join(bits) for bits in itertools.product("01", repeat=table.ndim)]
best = float("inf")
for _ in range(int(sys.argv[2])):
    distribution = dit.Distribution(outcomes, table.ravel())
    start = time.perf_counter()
    partition = ShannonPartition(distribution)
    values = [partition[atom] for atom in partition.atoms]
    best = min(best, time.perf_counter() - start)
print(best, len(values), float(sum(values)))
"""
LARGEST_FOR_PEER = 10


def ours(table: np.ndarray, rounds: int) -> tuple[float, float]:
    """Least seconds, and the sum of all atoms in bits."""
    names = [f"X{i}" for i in range(table.ndim)]
    best = float("inf")
    for _ in range(rounds):
        distribution = Distribution(table, names)
        start = time.perf_counter()
        atoms = distribution.measure()
        best = min(best, time.perf_counter() - start)
    return best, float(atoms.values[1:].sum() / np.log(2))


def peer(python: str, table: np.ndarray, rounds: int) -> tuple[float, float] | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.npy"
        np.save(path, table)
        try:
            done = subprocess.run(
                [python, "-c", PEER, str(path), str(rounds)], capture_output=True, text=True, check=True, timeout=900
            )
        except (OSError, subprocess.SubprocessError) as error:
            print(f"dit is left out: {error}", file=sys.stderr)
            return None
    seconds, count, total = done.stdout.split()[-3:]
    if int(count) != 2**table.ndim - 1:
        raise SystemExit(f"dit gave {count} atoms for {table.ndim} variables")
    return float(seconds), float(total)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python", default=sys.executable, help="a Python that can import dit")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "atoms.json")
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    rows = []
    for n in (3, 5, 8, 10, 12, 14, 16, 18):
        table = generator.dirichlet(np.ones(2**n)).reshape((2,) * n)
        seconds, total = ours(table, 20 if n <= 10 else 3 if n <= 14 else 1)
        row: dict[str, float | int | None] = {"n": n, "seconds": seconds, "dit_seconds": None, "ratio": None}
        theirs = peer(options.peers_python, table, 5 if n <= 5 else 1) if n <= LARGEST_FOR_PEER else None
        if theirs is not None:
            if abs(theirs[1] - total) > 1e-6 * max(1.0, abs(total)):
                raise SystemExit(f"the atoms of {n} variables sum to {total} bits here and to {theirs[1]} in dit")
            row |= {"dit_seconds": theirs[0], "ratio": theirs[0] / seconds}
        rows.append(row)
        ratio = f"{row['ratio']:8,.0f} x" if row["ratio"] else "         -"
        dit = f"{row['dit_seconds']:10.4f}" if row["dit_seconds"] else "         -"
        print(f"n = {n:2}  imeasure {seconds:10.6f} s   dit {dit} s   {ratio}", flush=True)
    report = {
        "what": "all atoms of n binary variables",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "rows": rows,
    }
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Time ``simplify`` for every objective of the catalogue, and for total correlations of 3 to 6 variables.

Run ``python benchmarks/simplify.py``; writes ``benchmarks/results/simplify.json``. ``first`` is the first call in the
process (import of the package excluded), ``median`` the median of 15 further calls. Seconds of processor time.
"""

from __future__ import annotations

import json
import platform
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

from imeasure import objectives, shortest, simplify

REPEATS = 15


def seconds(run):
    start = process_time()
    run()
    return process_time() - start


def timed(run):
    first = seconds(run)
    return {"first": round(first, 5), "median": round(median(seconds(run) for _ in range(REPEATS)), 5)}


def total_correlation(names):
    return " + ".join(f"H[{name}]" for name in names) + f" - H[{','.join(names)}]"


def main():
    result = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "objectives": {
            name: timed(partial(simplify, entry.objective(), model=entry.model(), loss=entry.loss))
            for name, entry in objectives.items()
        },
        "total correlation": {
            str(count): timed(partial(shortest, total_correlation("ABCDEF"[:count]))) for count in range(3, 7)
        },
    }
    text = json.dumps(result, indent=2)
    Path(__file__).with_name("results").joinpath("simplify.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

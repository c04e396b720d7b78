"""What `import imeasure` costs, whole processes against `import sympy` in one run.

Run `python benchmarks/imports.py`; the table goes to the terminal and benchmarks/results/imports.json.
"""

import json
import platform
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

STATEMENTS = {
    "python alone": "pass",
    "import sympy": "import sympy",
    "import imeasure": "import imeasure",
    "imeasure, first quantity": "import imeasure; imeasure.parse('I[X;Z|Y]')",
    "imeasure, first canonical form": "import imeasure; imeasure.simplify('min I[X;Z] - beta*I[Y;Z]')",
    "imeasure, first proof": "import imeasure; imeasure.check('I[X;Y] >= 0')",
}
ROUNDS = 9


def seconds(statement: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main() -> None:
    for statement in STATEMENTS.values():
        seconds(statement)
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(ROUNDS):
        for name, statement in STATEMENTS.items():
            times[name].append(seconds(statement))
    medians = {name: statistics.median(values) for name, values in times.items()}
    reference = medians["import sympy"]
    rows = [{"case": name, "seconds": median, "ratio_to_sympy": median / reference} for name, median in medians.items()]
    for row in rows:
        print(f"{row['case']:<32} {row['seconds']:7.3f} s  {row['ratio_to_sympy']:5.2f} x import sympy")
    result = {
        "benchmark": "imports",
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "rows": rows,
    }
    path = Path(__file__).parent / "results" / "imports.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()

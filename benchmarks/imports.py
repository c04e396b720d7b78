"""What `import imeasure` and the first use cost, whole processes, against `import sympy`."""

import subprocess
import sys
import time
from functools import partial

from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import in_turns

STATEMENTS = {
    "import imeasure": "import imeasure",
    "first quantity": "import imeasure; imeasure.parse('I[X;Z|Y]')",
    "first canonical form": "import imeasure; imeasure.simplify('min I[X;Z] - beta*I[Y;Z]')",
    "first proof": "import imeasure; imeasure.check('I[X;Y] >= 0')",
}


def measure() -> Record:
    works = [partial(_run, statement) for statement in ("import sympy", *STATEMENTS.values())]
    sympy, *ours = in_turns(works, rounds=9, clock=time.perf_counter)
    return Record(
        benchmark="imports",
        what="A new Python process up to the first result, wall time, against a process that only imports sympy, on "
        "which everything but the bare import stands.",
        figures=tuple(
            Figure(case=case, ours=taken, peer="import sympy", theirs=sympy)
            for case, taken in zip(STATEMENTS, ours, strict=True)
        ),
        versions=versions_of("imeasure", "sympy"),
    )


def _run(statement: str) -> None:
    subprocess.run([sys.executable, "-c", statement], check=True)

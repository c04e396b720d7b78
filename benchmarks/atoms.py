"""All atoms of n binary variables, from a dense table of random probabilities, against dit."""

import itertools
from collections.abc import Sequence
from functools import partial

import numpy as np

from benchmarks.record import Figure, Record, versions_of
from benchmarks.timing import least
from imeasure import Distribution

SIZES = (3, 5, 8, 10, 12, 14, 16, 18)
LARGEST_FOR_PEER = 10


def measure() -> Record:
    import dit
    from dit.profiles.information_partitions import ShannonPartition

    def all_atoms(distribution: dit.Distribution) -> float:
        partition = ShannonPartition(distribution)
        return float(sum(partition[atom] for atom in partition.atoms))

    generator = np.random.default_rng(0)
    figures = []
    for count in SIZES:
        table = generator.dirichlet(np.ones(2**count)).reshape((2,) * count)
        distribution = Distribution(table, [f"X{i}" for i in range(count)])
        distribution.measure()
        ours = least(partial(_measured, table, distribution.names), rounds=20 if count <= 10 else 3)
        peer, theirs = "", None
        if count <= LARGEST_FOR_PEER:
            peer, outcomes = "dit", ["".join(bits) for bits in itertools.product("01", repeat=count)]
            there = dit.Distribution(outcomes, table.ravel())
            total, own = all_atoms(there), float(distribution.measure().values[1:].sum() / np.log(2))
            if abs(total - own) > 1e-6 * max(1.0, abs(own)):
                raise SystemExit(f"the atoms of {count} variables sum to {own} bits here and to {total} in dit")
            theirs = least(partial(all_atoms, there), rounds=5 if count <= 5 else 1)
        figures.append(Figure(case="all atoms", axis="n", at=count, ours=ours, peer=peer, theirs=theirs))
    return Record(
        benchmark="atoms",
        what="All 2^n - 1 atoms of n binary variables with random probabilities, processor time, least of several "
        "runs. dit's Shannon partition is left out beyond 10 variables, for it takes minutes there.",
        figures=tuple(figures),
        versions=versions_of("imeasure", "numpy", "dit"),
    )


def _measured(table: np.ndarray, names: Sequence[str]) -> object:
    return Distribution(table, names).measure()

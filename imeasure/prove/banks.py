"""What counterexamples are first looked for among: random linear codes, and a few tables, with all their entropies.

What does not depend on a claim is made once and kept, so that many are refuted by one product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import permutations
from math import lcm

import numpy as np
import numpy.typing as npt

from imeasure.certificate.rows import Row
from imeasure.distribution import Distribution
from imeasure.prove.codes import Code
from imeasure.prove.dag import Dag, bits_of

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@lru_cache(maxsize=1)
def four_atoms() -> tuple[list[tuple[int, ...]], Floats]:
    """Return the orders of the variables of the four-atom distribution, and the joint entropies for each."""
    vector = Distribution.named("four-atom").entropies()
    orders = list(permutations(range(4)))
    entropies = np.zeros((len(orders), 16))
    for number, order in enumerate(orders):
        for mask in range(1, 16):
            entropies[number, mask] = vector[sum(1 << axis for axis, i in enumerate(order) if mask >> i & 1)]
    return orders, entropies


@lru_cache(maxsize=8)
def random_tables(count: int) -> tuple[list[Distribution], Floats]:
    """Return binary tables without structure, and the joint entropies of each."""
    names = " ".join(f"V{i}" for i in range(count))
    tables = [Distribution.random(names, seed=seed) for seed in range(20)]
    return tables, np.array([table.entropies() for table in tables])


@lru_cache(maxsize=8)
def larger_codes(count: int) -> tuple[list[Code], Integers]:
    """Return random codes over GF(2) and GF(3) with three to five symbols, and the ranks of each set."""
    generator = np.random.default_rng(count)
    codes = []
    for number in range(300):
        field, size = 3 if number % 3 == 2 else 2, 3 + number % 3
        amounts = generator.choice(3, size=count, p=[0.1, 0.65, 0.25])
        seen = tuple(tuple(generator.integers(1, field**size, amount).tolist()) for amount in amounts)
        codes.append(Code(field, size, seen))
    return codes, np.array([[code.rank(mask) for code in codes] for mask in range(1 << count)])


def random_codes(count: int, *, plain: bool) -> Iterator[Code]:
    """Yield random binary codes.

    Args:
        count: Number of variables.
        plain: Whether only ratios of entropies matter; otherwise variables see more of more symbols.

    Yields:
        Codes.
    """
    generator = np.random.default_rng(count)
    for number in range(200 if count <= 8 else 100):
        size = min(count, 2 + number % 5) if plain else 8
        counts = generator.choice(3 if plain else 5, size=count)
        yield Code(2, size, tuple(tuple(generator.integers(0, 1 << size, c).tolist()) for c in counts))


def graph_codes(count: int, dag: Dag, row: Row) -> Iterator[Code]:
    """Yield random binary codes on a graph: each variable sees part of what its parents see, or something fresh.

    Args:
        count: Number of variables.
        dag: The graph.
        row: The row to be broken; variables that it does not name hand on all they see, every other time.

    Yields:
        Codes that obey the graph.
    """
    generator = np.random.default_rng(count)
    spoken = 0
    for mask in row:
        spoken |= int(mask)
    for number in range(200 if count <= 8 else 100):
        seen: dict[int, tuple[int, ...]] = {}
        fresh = 0
        for bit in dag.order:
            pool = tuple(dict.fromkeys(v for b in bits_of(dag.local[bit].parents) for v in seen[b]))
            root = not dag.local[bit].parents
            if not bit & spoken and number % 2 == 0:
                vectors = pool
            else:
                vectors = tuple(v for v in pool if generator.random() < 0.5)
                if len(vectors) > 1 and generator.random() < 0.5:
                    vectors = (int(np.bitwise_xor.reduce(vectors)),)
            noisy = bool(bit & spoken) or number % 2 == 1
            if fresh < 10 and generator.random() < (0.9 if root else 0.15 * noisy):
                vectors = (*vectors, 1 << fresh)
                fresh += 1
            seen[bit] = tuple(v for v in vectors if v)
        yield Code(2, max(fresh, 1), tuple(seen[1 << i] for i in range(count)))


def rank_values(ranks: Callable[[int], Integers], row: Row, chosen: Integers | None = None) -> Integers:
    """Return a positive multiple of a row's value for each of some rank functions, exactly.

    Args:
        ranks: The ranks of a set, one for each function.
        row: A row over joint entropies.
        chosen: The functions that matter, by default all.

    Returns:
        One integer for each.
    """
    scale = lcm(*(value.denominator for value in row.values()))
    numbers = {int(mask): int(value * scale) for mask, value in row.items()}
    exact = sum(map(abs, numbers.values())) < 2**56
    result: Integers = np.zeros(1 if chosen is None else len(chosen), dtype=np.int64)
    for mask, value in numbers.items():
        known = ranks(mask) if chosen is None else ranks(mask)[chosen]
        result = result + value * (known if exact else known.astype(object))
    return result

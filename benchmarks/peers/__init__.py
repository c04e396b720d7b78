"""The peers' side of the benchmarks, each written as its own documentation has it."""

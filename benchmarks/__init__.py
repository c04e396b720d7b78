"""Benchmarks: every figure is taken next to a named peer's, in the same run on the same machine."""

"""Benchmarks: figures as ratios and CPU time, on the embedded servers."""

"""Benchmarks: rates of the gateway beside the raw limits of the same machine, as ratios."""

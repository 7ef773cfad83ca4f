"""Benchmarks: each figure beside its yardstick. `python -m tests.bench --help` teaches."""

"""Benchmarks: `python -m benchmarks.NAME [--quick] --json`; progress on stderr, one object on stdout."""

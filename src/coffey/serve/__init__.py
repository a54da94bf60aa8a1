"""Serving: HTTP at the edge, a data plane that knows no HTTP, batches, swaps of the model, metrics.

May import `core`, `artifact`, `registry` and `traffic.log`; never anything that loads torch,
transformers, ray, scipy, pyarrow or duckdb.
"""

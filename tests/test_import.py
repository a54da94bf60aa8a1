"""Importing coffey does nothing: no torch, no network, less time than numpy takes."""

import json
import statistics
import subprocess
import sys

HEAVY = ("torch", "transformers", "scipy", "pyarrow", "duckdb", "numpy", "pydantic", "onnxruntime")


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_loads_nothing_heavy():
    """`import coffey` loads none of the large libraries."""
    loaded = json.loads(python("import coffey, json, sys; print(json.dumps(list(sys.modules)))"))
    assert [name for name in HEAVY if name in loaded] == []


def test_import_is_quicker_than_numpy():
    """`import coffey` takes less time than `import numpy`, medians of runs side by side."""
    code = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"
    rounds = [(float(python(code.format("coffey"))), float(python(code.format("numpy")))) for _ in range(5)]
    assert statistics.median(ours for ours, _ in rounds) < statistics.median(theirs for _, theirs in rounds)


def test_the_public_names_are_there():
    """Every name in `coffey.__all__` can be imported, and `dir` lists it."""
    import coffey

    assert all(getattr(coffey, name) is not None for name in coffey.__all__)
    assert set(coffey.__all__) <= set(dir(coffey))

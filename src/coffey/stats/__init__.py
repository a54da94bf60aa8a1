"""Statistics, one a file: pure functions and `update(x)` objects. May import numpy and `core`; no scipy."""

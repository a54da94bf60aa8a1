"""Whether the student is still good: agreement against the contract, and drift of the inputs.

Judging is pure. May import `traffic`, `registry`, `artifact`, `data`, `stats` and `core`; no web framework
and nothing heavy.
"""

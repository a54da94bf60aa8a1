"""What is live and why: immutable versions, aliases moved by compare-and-swap, and the log of who moved them.

May import `artifact`, `execution`, `data`, `stats` and `core`; no web framework and nothing heavy.
"""

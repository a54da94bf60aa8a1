"""The live dashboard: pages over a `Board`, read-only without a write key.

Starlette and jinja2 are the extra `watch`. No page asks another server for anything.
"""

"""Latency and throughput under load: closed and open loops, in process and over HTTP, on artifacts.

May import `artifact`, `stats`, `core` and, below it, `teacher`, `students`, `registry`, `traffic`; no torch.
"""

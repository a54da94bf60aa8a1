"""How many CPU threads are worth having here and now: more than are free cost more than they bring."""

from __future__ import annotations

import os

import torch

from coffey.core.clock import monotonic

_ROUNDS = 3
_SECONDS = 0.25
_ROWS, _WIDTH, _INNER = 1024, 384, 1536
"""A feed-forward layer of a small encoder over a batch of 32 texts of 32 tokens."""


def fastest_threads() -> int:
    """1 or all cores, whichever multiplies matrices faster at this moment; takes about two seconds.

    On a machine with neighbours, OpenMP threads wait for the slowest of them: two were seen to be half as
    fast as one.
    """
    cores = os.cpu_count() or 1
    if cores == 1:
        return 1
    before = torch.get_num_threads()
    try:
        speed = dict.fromkeys((1, cores), 0.0)
        for _ in range(_ROUNDS):
            for count in speed:
                speed[count] = max(speed[count], _products_per_s(count))
    finally:
        torch.set_num_threads(before)
    return max(speed, key=lambda count: speed[count])


def _products_per_s(threads: int) -> float:
    torch.set_num_threads(threads)
    left, right = torch.ones(_ROWS, _WIDTH), torch.ones(_WIDTH, _INNER)
    torch.mm(left, right)
    done, begin = 0, monotonic()
    while monotonic() - begin < _SECONDS:
        torch.mm(left, right)
        done += 1
    return done / (monotonic() - begin)

"""Open loop in process: requests arrive by a schedule, wait in a queue, and are served one by one.

Latency is counted from the scheduled arrival, so the wait behind a slow request counts for every request that
it delayed (no coordinated omission; Tene 2013, "How not to measure latency").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from coffey.bench.summary import Times, summarize
from coffey.core.clock import Clock, monotonic
from coffey.core.records import Latency

T = TypeVar("T")

_SPIN_S = 0.0005
"""Sleeping is late by up to a fraction of a millisecond; the last half is spent spinning."""

_PATIENCE = 1.5
"""A queue that is not worked off by 1.5 times the schedule's length will not be: the rate is too high."""


def time_open(
    call: Callable[[T], object],
    inputs: Sequence[T],
    arrivals_s: Times,
    *,
    subject: str,
    clock: Clock = monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Latency:
    """Serve the schedule `arrivals_s` (ascending seconds from now) with one thread, first come first served.

    One thread that takes arrivals in order is the queue: a request that finds the thread busy starts when
    those before it are done. Requests still waiting at 1.5 times the schedule's length count as errors, with
    the time that they have waited.
    """
    begin = clock()
    give_up = _PATIENCE * float(arrivals_s[-1])
    times = np.empty(len(arrivals_s))
    served = 0
    for index, arrival in enumerate(arrivals_s):
        if clock() - begin > give_up:
            break
        _wait_until(begin + arrival, clock, sleep)
        call(inputs[index % len(inputs)])
        times[index] = clock() - begin - arrival
        served += 1
    elapsed = clock() - begin
    times[served:] = elapsed - arrivals_s[served:]
    return summarize(
        times,
        subject=subject,
        path="in-process",
        load="open",
        elapsed_s=elapsed,
        offered_rps=len(arrivals_s) / float(arrivals_s[-1]),
        errors=len(arrivals_s) - served,
    )


def _wait_until(moment: float, clock: Clock, sleep: Callable[[float], None]) -> None:
    while (left := moment - clock()) > 0:
        if left > _SPIN_S:
            sleep(left - _SPIN_S)

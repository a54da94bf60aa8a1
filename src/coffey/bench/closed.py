"""Closed loop: one request at a time, the next when the answer is there. What one caller feels, alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from coffey.bench.summary import Times, summarize
from coffey.core.clock import Clock, monotonic
from coffey.core.records import Latency
from coffey.stats.percentiles import percentile

T = TypeVar("T")

_FEWEST = 400
"""Calls before a median may count as settled: a p99 has four values above it then."""


def time_closed(
    call: Callable[[T], object],
    inputs: Sequence[T],
    *,
    subject: str,
    warmup: int = 20,
    seconds: float | None = None,
    requests: int | None = None,
    within: float | None = None,
    clock: Clock = monotonic,
) -> Latency:
    """Time `call` on the inputs in turn, for `seconds` or for a number of `requests`, whichever is given.

    With `within`, it ends sooner, once the median is known to that share of itself (`is_settled`).

    Raises:
        ValueError: neither or both of `seconds` and `requests` are given.
    """
    if (seconds is None) == (requests is None):
        raise ValueError(f"seconds={seconds!r}, requests={requests!r}: give one of the two.")
    warm_up(call, inputs, warmup)
    start = clock()
    times = closed_times(call, inputs, seconds=seconds, requests=requests, within=within, clock=clock)
    return summarize(times, subject=subject, path="in-process", load="closed", elapsed_s=clock() - start)


def warm_up(call: Callable[[T], object], inputs: Sequence[T], count: int) -> None:
    """Call `count` times and forget how long it took: first calls allocate."""
    for turn in range(count):
        call(inputs[turn % len(inputs)])


def closed_times(
    call: Callable[[T], object],
    inputs: Sequence[T],
    *,
    seconds: float | None = None,
    requests: int | None = None,
    within: float | None = None,
    clock: Clock = monotonic,
) -> Times:
    """Seconds of each call, at least one, until time or requests are used up, or the median is settled."""
    times: list[float] = []
    end = None if seconds is None else clock() + seconds
    look_at = _FEWEST
    while True:
        start = clock()
        call(inputs[len(times) % len(inputs)])
        now = clock()
        times.append(now - start)
        if (end is not None and now >= end) or len(times) == requests:
            return np.array(times)
        if within is not None and len(times) == look_at:
            if is_settled(np.array(times), within):
                return np.array(times)
            look_at *= 2


def is_settled(times: Times, within: float) -> bool:
    """Whether the median of `times` [n] is known to the share `within` of itself, up or down.

    Two things must say so: its interval by order statistics, which takes the times for independent, and the
    medians of the first and the second half, which differ when the machine has become faster or slower.
    """
    found = percentile(times, 0.5)
    half = len(times) // 2
    first, second = (float(np.median(part)) for part in (times[:half], times[half:]))
    room = within * found.value
    return max(found.high - found.value, found.value - found.low, abs(first - second)) <= room

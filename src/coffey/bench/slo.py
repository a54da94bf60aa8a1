"""The highest rate at which p99 stays within a promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coffey.core.records import Latency

Trial = Callable[[float], Latency]
"""Offers a rate (requests a second) for a bounded time and says what latency it met."""


@dataclass(frozen=True, slots=True)
class RateWithin:
    """The highest rate that kept the promise, and everything that was tried."""

    rps: float
    """As it was answered, which a short trial over the capacity falls behind; 0 when no rate kept it."""
    best: Latency | None
    curve: tuple[Latency, ...]
    """All trials, by offered rate."""


def highest_rate(
    trial: Trial, *, latency_p99_ms: float, start_rps: float, trials: int = 12, precision: float = 1.1
) -> RateWithin:
    """Double (or halve) the rate until the answer turns, then bisect on a logarithmic scale.

    A rate passes when p99 is within `latency_p99_ms` and nothing failed or stayed unanswered. What is
    reported is the rate that was really offered, at most the share `precision` under one that failed; or the
    rate that was answered, where that is less: a backlog of a short trial may still be within the promise.

    Args:
        trial: runs one rate.
        latency_p99_ms: the promise.
        start_rps: first rate.
        trials: most trials.
        precision: stop when failing over passing rate is below this.
    """
    tried: list[Latency] = []
    passed, failed = 0.0, float("inf")
    best: Latency | None = None
    rate = start_rps
    while len(tried) < trials and failed > passed * precision:
        found = trial(rate)
        tried.append(found)
        if found.p99_ms <= latency_p99_ms and found.errors == 0:
            passed, best = max(passed, rate), found
        else:
            failed = min(failed, rate)
        rate = _next_rate(passed, failed)
    held = 0.0 if best is None else min(best.rps, best.offered_rps or 0.0)
    return RateWithin(rps=held, best=best, curve=tuple(sorted(tried, key=lambda one: one.offered_rps or 0.0)))


def _next_rate(passed: float, failed: float) -> float:
    if failed == float("inf"):
        return passed * 2
    if passed == 0:
        return failed / 2
    return float((passed * failed) ** 0.5)

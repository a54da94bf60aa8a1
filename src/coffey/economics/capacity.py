"""How many requests a second one machine may take before its p99 breaks the promise."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coffey.core.records import Figure

LEAST_UTILISATION = 0.5
"""A model too slow for the promise at half its speed is counted at half its speed all the same, so that it is
not priced at infinity; half is where an M/M/1 queue doubles the time of a request."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """The rate that one machine is counted with, and whether p99 holds at that rate."""

    rps: float
    holds: bool


def capacity_within(requests_per_s: float, *, latency_p99_ms: float) -> Capacity:
    """The rate at which p99 reaches `latency_p99_ms` on a machine that saturates at `requests_per_s`.

    In an M/M/1 queue the time in the system is exponential with rate mu - lambda, so p99 is
    ln(100) / (mu - lambda) (Kleinrock 1975, Queueing Systems 1, section 3.2). Service times of a model vary
    less than exponentially, so this errs on the side of more machines.

    >>> capacity_within(1000, latency_p99_ms=50).holds, round(capacity_within(1000, latency_p99_ms=50).rps)
    (True, 908)
    """
    allowed = requests_per_s - math.log(100.0) / (latency_p99_ms / 1000.0)
    least = LEAST_UTILISATION * requests_per_s
    return Capacity(max(allowed, least), allowed >= least)


def rate_figure(service: Figure, *, latency_p99_ms: float) -> Figure:
    """The rate of a machine that needs `service` milliseconds a request: modelled, of the same origin."""
    capacity = capacity_within(1000.0 / service.value, latency_p99_ms=latency_p99_ms)
    how = "within" if capacity.holds else "(at half speed) not within"
    note = f"{service.value:.3g} ms a request, p99 {how} {latency_p99_ms:g} ms (M/M/1); {service.note}"
    return Figure(capacity.rps, "requests a second", service.origin, note, modelled=True)

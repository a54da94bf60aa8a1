"""How noisy this machine is: the same work, again and again, takes how different a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffey.core.clock import Clock, monotonic
from coffey.stats.percentiles import percentile

NOISY = 1.5
"""p99 over p50 of a loop that does nothing but count; on an idle machine it is about 1.1."""

_COUNT = 20_000
"""Additions a turn: about a millisecond, the scale of one answer."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Time of one fixed piece of work, in milliseconds."""

    p50_ms: float
    p99_ms: float

    @property
    def ratio(self) -> float:
        """p99 over p50: how much of a tail is the machine's own."""
        return self.p99_ms / self.p50_ms

    @property
    def warning(self) -> str | None:
        """One line when tails measured now cannot be trusted."""
        if self.ratio < NOISY:
            return None
        return (
            f"This machine is noisy: a loop of {self.p50_ms:.2f} ms takes {self.p99_ms:.2f} ms at p99 "
            f"({self.ratio:.1f}x). The p99 figures include that."
        )


def measure_noise(*, turns: int = 300, clock: Clock = monotonic) -> Noise:
    """Time a spin loop `turns` times."""
    times = np.empty(turns)
    for turn in range(turns):
        start = clock()
        _spin()
        times[turn] = clock() - start
    return Noise(percentile(times, 0.50).value * 1000, percentile(times, 0.99).value * 1000)


def _spin() -> int:
    total = 0
    for number in range(_COUNT):
        total += number
    return total

"""Subjects measured in turns within one run, so that whatever else the machine does falls on all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coffey.bench.summary import Times
from coffey.stats.percentiles import percentile


@dataclass(frozen=True, slots=True)
class Rounds:
    """Times of one subject, round by round, in seconds."""

    times_s: tuple[Times, ...]

    @property
    def pooled_s(self) -> Times:
        """All rounds together."""
        return np.concatenate(self.times_s)

    @property
    def p50_ms(self) -> float:
        """Median over the rounds of each round's median."""
        return float(np.median(self._medians()))

    @property
    def spread(self) -> float:
        """Largest over smallest of the rounds' medians: 1 is a machine that does nothing else."""
        medians = self._medians()
        return max(medians) / min(medians)

    def _medians(self) -> list[float]:
        return [percentile(times, 0.5).value * 1000 for times in self.times_s]


def alternate(subjects: Mapping[str, Callable[[], Times]], *, rounds: int) -> dict[str, Rounds]:
    """Measure every subject once a round; each round begins with another subject."""
    names = list(subjects)
    found: dict[str, list[Times]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            found[name].append(subjects[name]())
    return {name: Rounds(tuple(times)) for name, times in found.items()}

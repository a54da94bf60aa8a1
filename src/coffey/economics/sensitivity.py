"""Which figure the answer hangs on: one at a time, low and high, all others as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coffey.core.records import Figure
from coffey.economics.break_even import Outcome

Evaluate = Callable[[Mapping[str, float]], Outcome]
"""The outcome when the figures named take other values."""

SPREAD = 0.2
"""How far a figure without a range of its own is moved, as a share of its value."""

DRAWS = 1000

_NOT_MOVED = frozenset(
    {"replicas", "horizon_days", "teacher_p50_ms", "student_p50_ms", "teacher_int8_speedup"}
)
"""Whole numbers, choices, and figures that no cost depends on."""


@dataclass(frozen=True, slots=True)
class Swing:
    """Break-even days when one figure is low and when it is high; None is never."""

    figure: str
    low: float
    high: float
    days_at_low: float | None
    days_at_high: float | None

    @property
    def days(self) -> float:
        """Distance between the two; infinite when only one of them is reached."""
        if self.days_at_low is None or self.days_at_high is None:
            return 0.0 if self.days_at_low is self.days_at_high else math.inf
        return abs(self.days_at_high - self.days_at_low)


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of the break-even day when all ranges are drawn at once; None is never."""

    p10: float | None
    p50: float | None
    p90: float | None


def sensitivity(
    figures: Mapping[str, Figure], evaluate: Evaluate, ranges: Mapping[str, tuple[float, float]]
) -> tuple[Swing, ...]:
    """A swing for each figure that can move, the widest first."""
    swings = []
    for name, figure in figures.items():
        if name in _NOT_MOVED or figure.value == 0:
            continue
        low, high = sorted(ranges.get(name, (figure.value * (1 - SPREAD), figure.value * (1 + SPREAD))))
        low = max(low, 1.0) if name == "peak_to_mean" else low
        at_low = evaluate({name: low}).break_even_days
        at_high = evaluate({name: high}).break_even_days
        swings.append(Swing(name, low, high, at_low, at_high))
    return tuple(sorted(swings, key=lambda swing: (-swing.days, swing.figure)))


def distribution(
    evaluate: Evaluate, ranges: Mapping[str, tuple[float, float]], rng: np.random.Generator
) -> Spread | None:
    """Break-even when every ranged figure is drawn at random, independent of the others; None without ranges.

    Draws are log-uniform: half and double are equally likely errors of a guess.
    """
    open_ranges = {name: span for name, span in sorted(ranges.items()) if 0 < span[0] < span[1]}
    if not open_ranges:
        return None
    lows = np.log([low for low, _ in open_ranges.values()])
    highs = np.log([high for _, high in open_ranges.values()])
    draws = np.exp(rng.uniform(lows, highs, size=(DRAWS, len(open_ranges))))
    days = [evaluate(dict(zip(open_ranges, map(float, row), strict=True))).break_even_days for row in draws]
    reached = sorted(math.inf if day is None else day for day in days)
    p10, p50, p90 = (reached[math.ceil(share * DRAWS) - 1] for share in (0.1, 0.5, 0.9))
    return Spread(*(None if math.isinf(day) else day for day in (p10, p50, p90)))

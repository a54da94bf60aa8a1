"""Which figure the answer hangs on: one at a time, low and high, all others as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coffey.core.records import Figure
from coffey.economics.break_even import finite
from coffey.economics.cash_flow import CashFlow, Numbers
from coffey.economics.inputs import AT_LEAST, AT_MOST

Evaluate = Callable[[Mapping[str, Numbers]], CashFlow]
"""The cash flow when the figures named take other values: arrays of one length, a draw each."""

SPREAD = 0.2
"""How far a figure without a range of its own is moved, as a share of its value."""

_NOT_MOVED = frozenset({"replicas", "horizon_days", "holdout_rows", "log_days"})
"""Whole numbers, counts and choices."""


@dataclass(frozen=True, slots=True)
class Swing:
    """Break-even days, and net value at the horizon, when one figure is low and when it is high."""

    figure: str
    low: float
    high: float
    days_at_low: float | None
    days_at_high: float | None
    """None is never."""
    net_at_low: float
    net_at_high: float
    """In USD."""

    @property
    def days(self) -> float:
        """Distance between the two; infinite when only one of them is reached."""
        if self.days_at_low is None or self.days_at_high is None:
            return 0.0 if self.days_at_low is self.days_at_high else math.inf
        return abs(self.days_at_high - self.days_at_low)

    @property
    def net_usd(self) -> float:
        """Distance between the two net values."""
        return abs(self.net_at_high - self.net_at_low)


def sensitivity(
    figures: Mapping[str, Figure],
    evaluate: Evaluate,
    ranges: Mapping[str, tuple[float, float]],
    *,
    horizon_days: float,
) -> tuple[Swing, ...]:
    """A swing for each figure that moves the answer; widest first, in whole days and then in net value."""
    spans = {
        name: _span(name, figure, ranges)
        for name, figure in figures.items()
        if name not in _NOT_MOVED and (figure.value != 0 or name in ranges)
    }
    if not spans:
        return ()
    flow = evaluate(_one_at_a_time(figures, spans))
    days = flow.break_even_days().tolist()
    nets = flow.net_at(np.array([horizon_days]))[:, 0].tolist()
    swings = [
        Swing(name, low, high, finite(days[2 * i]), finite(days[2 * i + 1]), nets[2 * i], nets[2 * i + 1])
        for i, (name, (low, high)) in enumerate(spans.items())
    ]
    moving = [swing for swing in swings if swing.days or swing.net_usd]
    return tuple(sorted(moving, key=_narrowness))


def _narrowness(swing: Swing) -> tuple[float, float, str]:
    """Hours of break-even decide nothing: what moves less than a day is ordered by its money."""
    days = swing.days if math.isinf(swing.days) else math.floor(swing.days)
    return -days, -swing.net_usd, swing.figure


def _span(name: str, figure: Figure, ranges: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    low, high = sorted(ranges.get(name, (figure.value * (1 - SPREAD), figure.value * (1 + SPREAD))))
    return max(low, AT_LEAST.get(name, low)), min(high, AT_MOST.get(name, high))


def _one_at_a_time(
    figures: Mapping[str, Figure], spans: Mapping[str, tuple[float, float]]
) -> dict[str, Numbers]:
    """Two draws a figure, in which it alone is low and high."""
    moved = {name: np.full(2 * len(spans), figures[name].value, dtype=np.float64) for name in spans}
    for i, (name, ends) in enumerate(spans.items()):
        moved[name][2 * i : 2 * i + 2] = ends
    return moved

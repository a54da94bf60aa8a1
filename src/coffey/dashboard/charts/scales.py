"""From values to positions: linear or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

LOG_LEAST, LOG_MOST = 1e-300, 1e300
"""A logarithmic scale draws values between these; beyond them doubles lose their digits."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps the values `low` to `high` onto the positions `start` to `end` (px).

    >>> Scale(0, 10, 100, 0)(2.5)
    75.0
    >>> Scale(1, 100, 0, 100, log=True)(10)
    50.0
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"A scale needs low < high, not {self.low!r} and {self.high!r}.")
        if self.log and self.low <= 0:
            raise ValueError(f"A logarithmic scale needs low > 0, not {self.low!r}.")

    def __call__(self, value: float) -> float:
        """The position of `value`; values outside the domain are held at its ends."""
        held = min(max(value, self.low), self.high)
        return self.start + self._share(held) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether `value` lies within the domain."""
        return self.low <= value <= self.high

    def _share(self, value: float) -> float:
        if self.log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)


def extent(values: Iterable[float], *, log: bool = False, pad: float = 0.0) -> tuple[float, float]:
    """The smallest and largest drawable value, widened by the share `pad` of their distance at each end.

    Values that are not finite, and those not above zero on a logarithmic scale, are left out. A domain
    without width (one value, or none) is widened around it.

    >>> extent([1.0, 3.0], pad=0.5)
    (0.0, 4.0)
    >>> extent([])
    (0.0, 1.0)
    """
    kept = [float(value) for value in values if drawable(value, log=log)]
    if not kept:
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = min(kept), max(kept)
    return _log_extent(low, high, pad) if log else _linear_extent(low, high, pad)


def drawable(value: float | None, *, log: bool = False) -> bool:
    """Whether a value has a position on a scale."""
    return value is not None and math.isfinite(value) and (not log or LOG_LEAST < value < LOG_MOST)


def _linear_extent(low: float, high: float, pad: float) -> tuple[float, float]:
    width = high - low
    if width <= 1e-12 * max(abs(low), abs(high)):
        room = 0.1 * abs(low) or 1.0
        return low - room, high + room
    return low - pad * width, high + pad * width


def _log_extent(low: float, high: float, pad: float) -> tuple[float, float]:
    width = math.log(high) - math.log(low)
    factor = 2.0 if width < 1e-9 else math.exp(min(pad * width, 600.0))
    return max(low / factor, LOG_LEAST), min(high * factor, LOG_MOST)

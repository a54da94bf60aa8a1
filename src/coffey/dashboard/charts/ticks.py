"""Round numbers for axes."""

from __future__ import annotations

import math

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Multiples of a power of ten that people read easily (Heckbert 1990, Graphics Gems, with 2.5 added)."""
LOG_MULTIPLES = (
    (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0),
    (1.0, 2.0, 3.0, 5.0),
    (1.0, 2.0, 5.0),
    (1.0, 3.0),
    (1.0,),
)
"""The same for logarithmic axes, densest first."""


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Multiples of a round step within [low, high], about `count` of them and never more than `count` + 1.

    >>> linear_ticks(0, 100)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    >>> linear_ticks(0.93, 1.0, 4)
    [0.94, 0.96, 0.98, 1.0]
    """
    step = round_step((high - low) / max(count, 1))
    slack = 1e-9 * step
    first = math.ceil((low - slack) / step)
    last = math.floor((high + slack) / step)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(index * step, digits) + 0.0 for index in range(first, last + 1)]


def round_step(rough: float) -> float:
    """The smallest round step that is at least `rough`.

    >>> round_step(0.3), round_step(21)
    (0.5, 25.0)
    """
    if not (math.isfinite(rough) and rough > 0):
        raise ValueError(f"A step must be positive and finite, not {rough!r}.")
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))


def log_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Powers of ten within [low, high], with round multiples of them where there is room.

    Over a small part of a decade, linear ticks; over many decades, every second (third, …) power.

    >>> log_ticks(1, 1000)
    [1.0, 10.0, 100.0, 1000.0]
    >>> log_ticks(1, 50), log_ticks(1.1, 6)
    ([1.0, 2.0, 5.0, 10.0, 20.0, 50.0], [1.5, 2.0, 3.0, 4.0, 5.0])
    """
    for multiples in LOG_MULTIPLES:
        ticks = _multiples(low, high, multiples)
        if 2 <= len(ticks) <= count:
            return ticks
    decades = _multiples(low, high, (1.0,))
    if len(decades) < 2:
        positive = [tick for tick in linear_ticks(low, high, count - 1) if tick > 0]
        return positive or [low]
    return decades[:: math.ceil(len(decades) / count)]


def _multiples(low: float, high: float, multiples: tuple[float, ...]) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{multiple:g}e{power}") for power in powers for multiple in multiples]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]

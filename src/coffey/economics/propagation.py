"""How far a forecast may be off, from how far each of the figures behind it may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping


def propagated(
    evaluate: Callable[[Mapping[str, float]], float], ranges: Mapping[str, tuple[float, float]]
) -> tuple[float, float]:
    """Low and high of a positive quantity when every figure of `ranges` may be anywhere in its range.

    Each figure is moved alone; the swings, as logarithms, add as the root of their squares: the figures err
    independently (JCGM 100:2008, section 5.1.2, to the first order; logarithms, since prices and times are
    wrong by factors). If every range holds its figure with the same probability, so does about the result's.
    A quantity that is not above zero is returned without a range.

    Args:
        evaluate: the quantity when the figures named take other values.
        ranges: low and high of each figure, by name.

    >>> propagated(lambda values: values.get("hours", 4.0) * 3.0, {"hours": (2.0, 8.0)})
    (6.0, 24.0)
    """
    middle = evaluate({})
    if not middle > 0:
        return middle, middle
    swings = [_swing(evaluate, name, span, middle) for name, span in ranges.items()]
    fall, rise = (math.hypot(*(swing[end] for swing in swings)) for end in (0, 1))
    return middle * math.exp(-fall), middle * math.exp(rise)


def _swing(
    evaluate: Callable[[Mapping[str, float]], float], name: str, span: tuple[float, float], middle: float
) -> tuple[float, float]:
    """How far the logarithm falls, and rises, over the range of one figure."""
    ends = [evaluate({name: value}) / middle for value in span]
    logs = [math.log(end) for end in ends if end > 0]
    return min(0.0, *logs, 0.0), max(0.0, *logs, 0.0)

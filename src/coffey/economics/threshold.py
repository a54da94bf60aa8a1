"""From which traffic, and from which difference in price, a run pays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coffey.economics.sensitivity import Evaluate

_STEP = 1.05
_MOST = 1e12
"""Requests a day; ten times what the largest services answer."""
_PARTS = 64
"""Into which a refinement divides the step between what does not pay and what does."""


def pays_from(evaluate: Evaluate, *, horizon_days: float) -> float | None:
    """The lowest traffic, in requests a day, at which the run is paid back within the horizon.

    Machines come whole, so the savings of a hosted model can dip just above a threshold: this is the first
    traffic that pays in steps of 5 percent, refined; not a promise for every larger one.

    Returns:
        None when no traffic does.
    """
    tried = np.append(0.0, _STEP ** np.arange(math.ceil(math.log(_MOST, _STEP)) + 1))
    while True:
        paid = evaluate({"requests_per_day": tried}).break_even_days() <= horizon_days
        if not paid.any():
            return None
        first = int(paid.argmax())
        low, high = float(tried[max(first - 1, 0)]), float(tried[first])
        if tried[first] <= 1.0 or high - low <= 1e-9 * high:
            return high
        tried = np.linspace(low, high, _PARTS)


@dataclass(frozen=True, slots=True)
class PriceGap:
    """How the price of 1,000 requests follows from the price that decides it."""

    price: str
    """Name of the figure: the teacher's price, or what is saved."""
    usd_per_1k: float
    """What 1,000 requests cost at a price of 1."""
    student_usd_per_1k: float = 0.0


def gap_from(evaluate: Evaluate, gap: PriceGap | None, *, horizon_days: float) -> float | None:
    """By how much 1,000 requests of the teacher must be dearer than the student's for the run to pay.

    All costs that depend on a price are proportional to it, so the net value at the horizon is a straight
    line in it, and the price at which it is 0 follows from two points.

    Returns:
        USD per 1,000 requests at the plan's traffic. None when no price does: there are not more requests to
        save on than answers to buy.
    """
    if gap is None:
        return None
    flow = evaluate({gap.price: np.array([0.0, 1.0])})
    free, dear = flow.net_at(np.array([horizon_days]))[:, 0].tolist()
    if dear <= free:
        return None
    price: float = max(-free / (dear - free), 0.0)
    return price * gap.usd_per_1k - gap.student_usd_per_1k

"""The traffic from which a run pays."""

from __future__ import annotations

from coffey.economics.sensitivity import Evaluate

_STEP = 1.05
_MOST = 1e12
"""Requests a day; ten times what the largest services answer."""


def pays_from(evaluate: Evaluate, *, horizon_days: float) -> float | None:
    """The lowest traffic, in requests a day, at which the run is paid back within the horizon.

    Machines come whole, so the savings of a hosted model can dip just above a threshold: this is the first
    traffic that pays in steps of 5 percent, refined by bisection; not a promise for every larger one.

    Returns:
        None when no traffic does.
    """

    def pays(requests_per_day: float) -> bool:
        return evaluate({"requests_per_day": requests_per_day}).pays_within(horizon_days)

    low, high = 1.0, 1.0
    while not pays(high):
        low, high = high, high * _STEP
        if high > _MOST:
            return None
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if pays(middle) else (middle, high)
    return high

"""All figures that are not known exactly drawn at once, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coffey.economics.break_even import curve_days, finite
from coffey.economics.cash_flow import CashFlow, Numbers

DRAWS = 1000
"""The 10th percentile of 1,000 independent draws is within 2 percentiles of the true one 19 times in 20;
a Latin hypercube does better."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of the break-even day; None is never."""

    p10: float | None
    p50: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class NetSpread:
    """Net value over the horizon in USD: percentiles, and the mean of all draws."""

    p10: float
    p50: float
    p90: float
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What a plan comes to when all its ranges are drawn at once."""

    days: Spread
    never_probability: float
    """Share of the draws that do not break even within the horizon."""
    net: NetSpread
    band: tuple[tuple[float, float, float], ...]
    """Day, 10th and 90th percentile of the cumulative net on that day."""
    draws: int = DRAWS


def latin_hypercube(
    ranges: Mapping[str, tuple[float, float]], rng: np.random.Generator, *, draws: int = DRAWS
) -> dict[str, Numbers]:
    """A value of every range a draw; of each figure, one value from every `draws`-th of its range.

    McKay, Beckman and Conover 1979, "A comparison of three methods for selecting values of input variables":
    the marginals are covered evenly, figures are independent of each other. Log-uniform, or uniform where a
    range does not lie above 0 (`core.ranges.Range`). Ranges of one point are left out.
    """
    drawn = {}
    for name, (low, high) in sorted(ranges.items()):
        if low < high:
            shares = (rng.permutation(draws) + rng.random(draws)) / draws
            drawn[name] = np.clip(_at(shares, low, high), low, high)
    return drawn


def summarize(flow: CashFlow, *, horizon_days: float) -> Distribution:
    """The distribution over the draws of a cash flow."""
    days = flow.break_even_days()
    plotted = curve_days(horizon_days)
    low, high = _quantiles(flow.net_at(np.array(plotted)), (0.1, 0.9))
    return Distribution(
        days=Spread(*(finite(float(day)) for day in _quantiles(days, (0.1, 0.5, 0.9)))),
        never_probability=float(np.mean(~(days <= horizon_days))),
        net=net_spread(flow, horizon_days=horizon_days),
        band=tuple(zip(plotted, low.tolist(), high.tolist(), strict=True)),
        draws=len(days),
    )


def net_spread(flow: CashFlow, *, horizon_days: float) -> NetSpread:
    """Percentiles and mean of the net value at the horizon."""
    net = flow.net_at(np.array([horizon_days]))[:, 0]
    p10, p50, p90 = (float(value) for value in _quantiles(net, (0.1, 0.5, 0.9)))
    return NetSpread(p10, p50, p90, float(np.mean(net)))


def _at(shares: Numbers, low: float, high: float) -> Numbers:
    if low > 0:
        return np.exp(math.log(low) + shares * (math.log(high) - math.log(low)))
    return low + shares * (high - low)


def _quantiles(values: Numbers, shares: tuple[float, ...]) -> list[Numbers]:
    """Order statistics along the draws: always values that were drawn, so infinity is not averaged."""
    ordered = np.sort(values, axis=0)
    return [ordered[math.ceil(share * len(ordered)) - 1] for share in shares]

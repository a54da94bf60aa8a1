"""Money over time: what a run costs on day 0, and what each day after it saves. Many draws at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Values = Mapping[str, Numbers]
"""The values of a plan's figures by name: arrays of one length, a draw each; or of length 1, for all."""

MONTH_DAYS = 365.0 / 12.0
"""Traffic that grows, and money that is discounted, are looked at by the month: what a month's mean traffic
saves, discounted to the middle of the month."""

YEARS = 30
"""How far growth and discount are followed. Every month after that is as the last one where traffic only
grew; where it shrank, or dollars are discounted, no month after that counts."""

DAYS_A_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Savings of a run, discounted to day 0; the price of the run is due on day 0."""

    run_usd: Numbers
    """[draws]"""
    first_usd_per_day: Numbers
    """[draws]: savings on the first day, not discounted."""
    usd_per_day: Numbers
    """[draws, months]: discounted savings a day; the last month goes on for ever."""

    def net_at(self, days: Numbers) -> Numbers:
        """Cumulative net in USD at each of `days`: [draws, days]; negative until the run is paid."""
        months = self.usd_per_day.shape[1] - 1
        month = np.minimum(np.floor(days / MONTH_DAYS), months).astype(np.int64)
        net: Numbers = self._starts()[:, month] + self.usd_per_day[:, month] * (days - month * MONTH_DAYS)
        return net

    def break_even_days(self) -> Numbers:
        """First day on which the cumulative net is at least 0 and something is being saved: [draws].

        Infinite when that day never comes. With the same savings every day it is run / savings, exactly.
        """
        starts, rates = self._starts(), self.usd_per_day
        ends = np.hstack([starts[:, 1:], np.full((len(starts), 1), np.inf)])
        reached = (rates > 0) & (ends >= 0)
        month = reached.argmax(axis=1)
        row = np.arange(len(starts))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            within = np.maximum(-starts[row, month], 0.0) / rates[row, month]
        return np.where(reached.any(axis=1), month * MONTH_DAYS + within, np.inf)

    def _starts(self) -> Numbers:
        """Cumulative net on the first day of every month: [draws, months]."""
        gains = np.cumsum(self.usd_per_day[:, :-1], axis=1) * MONTH_DAYS
        return np.hstack([-self.run_usd[:, None], gains - self.run_usd[:, None]])


def cash_flow(values: Values, *, run_usd: Numbers, savings: Callable[[Values], Numbers]) -> CashFlow:
    """The flow of a run that costs `run_usd` and after which a day saves `savings` of the values of that day.

    Traffic (`requests_per_day`) grows by `growth_per_year`, a dollar a year later counts for
    1 / (1 + `discount_per_year`); both compound, and are 0 where `values` does not name them.
    """
    first = savings(values)
    draws = max(np.size(first), np.size(run_usd), *(np.size(value) for value in values.values()))
    run_usd, first = (np.broadcast_to(value, draws).astype(np.float64) for value in (run_usd, first))
    growth, discount = (given(values, f"{name}_per_year") for name in ("growth", "discount"))
    if not (np.any(growth) or np.any(discount)):
        return CashFlow(run_usd, first, first[:, None])
    years = (np.arange(12 * YEARS) + 0.5) / 12.0
    monthly = {name: value[:, None] for name, value in values.items()}
    monthly["requests_per_day"] = monthly["requests_per_day"] * (1.0 + growth[:, None]) ** years
    rates = savings(monthly) / (1.0 + discount[:, None]) ** years
    rates = np.broadcast_to(rates, (draws, len(years)))
    shrinking = (discount[:, None] > 0) | (growth[:, None] < 0)
    lasting = np.where(shrinking, 0.0, rates[:, -1:])
    return CashFlow(run_usd, first, np.hstack([rates, lasting]))


def given(values: Values, name: str) -> Numbers:
    """The value of a figure; 0 when the plan has none of that name."""
    return values.get(name, np.zeros(1))

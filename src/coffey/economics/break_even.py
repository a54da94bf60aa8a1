"""The day on which a run has paid for itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coffey.economics.cash_flow import CashFlow

CURVE_POINTS = 61


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run costs and what it saves: the numbers that everything else follows from."""

    run_usd: float
    savings_usd_per_day: float
    """On the first day."""
    months: tuple[float, ...] = ()
    """Discounted savings a day, month by month (`cash_flow`); empty when every day saves the same."""

    @classmethod
    def of(cls, flow: CashFlow, draw: int = 0) -> Outcome:
        """One draw of a cash flow."""
        rates = flow.usd_per_day[draw]
        months = tuple(rates.tolist()) if len(rates) > 1 else ()
        return cls(float(flow.run_usd[draw]), float(flow.first_usd_per_day[draw]), months)

    @property
    def flow(self) -> CashFlow:
        """The same as a cash flow of one draw."""
        run, first = np.array([self.run_usd]), np.array([self.savings_usd_per_day])
        return CashFlow(run, first, np.array([self.months or (self.savings_usd_per_day,)]))

    @property
    def break_even_days(self) -> float | None:
        """Days until savings have paid for the run; None when they never do."""
        return finite(float(self.flow.break_even_days()[0]))

    def savings_over(self, days: float) -> float:
        """What is left after `days`, the run's price taken off, in USD; negative is a loss."""
        return float(self.flow.net_at(np.array([days]))[0, 0])

    def pays_within(self, days: float) -> bool:
        """Whether the run has paid for itself by then."""
        reached = self.break_even_days
        return reached is not None and reached <= days


def break_even(run_usd: float, savings_usd_per_day: float) -> float | None:
    """Days until `savings_usd_per_day` have paid `run_usd`; None when nothing is saved.

    >>> break_even(5000, 100), break_even(5000, 0)
    (50.0, None)
    """
    return Outcome(run_usd, savings_usd_per_day).break_even_days


def finite(days: float) -> float | None:
    """A number of days; None when it never comes."""
    return days if math.isfinite(days) else None


def curve_days(horizon_days: float) -> tuple[float, ...]:
    """Days of a plot, evenly spaced from day 0 to the horizon."""
    return tuple(horizon_days * i / (CURVE_POINTS - 1) for i in range(CURVE_POINTS))


def curve(outcome: Outcome, horizon_days: float) -> tuple[tuple[float, float], ...]:
    """Cumulative net in USD by day, for plots."""
    days = curve_days(horizon_days)
    nets = outcome.flow.net_at(np.array(days))[0]
    return tuple(zip(days, nets.tolist(), strict=True))

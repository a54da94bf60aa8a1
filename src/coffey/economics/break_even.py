"""The day on which a run has paid for itself."""

from __future__ import annotations

from dataclasses import dataclass

CURVE_POINTS = 61


@dataclass(frozen=True, slots=True)
class Outcome:
    """The two numbers that everything else follows from."""

    run_usd: float
    savings_usd_per_day: float

    @property
    def break_even_days(self) -> float | None:
        """Days until savings have paid for the run; None when they never do."""
        return break_even(self.run_usd, self.savings_usd_per_day)

    def savings_over(self, days: float) -> float:
        """What is left after `days`, the run's price taken off, in USD; negative is a loss."""
        return self.savings_usd_per_day * days - self.run_usd

    def pays_within(self, days: float) -> bool:
        """Whether the run has paid for itself by then."""
        reached = self.break_even_days
        return reached is not None and reached <= days


def break_even(run_usd: float, savings_usd_per_day: float) -> float | None:
    """Days until `savings_usd_per_day` have paid `run_usd`; None when nothing is saved.

    >>> break_even(5000, 100), break_even(5000, 0)
    (50.0, None)
    """
    if savings_usd_per_day <= 0:
        return None
    return run_usd / savings_usd_per_day


def curve(outcome: Outcome, horizon_days: float) -> tuple[tuple[float, float], ...]:
    """Cumulative net in USD by day, evenly spaced from day 0 to the horizon, for plots."""
    days = [horizon_days * i / (CURVE_POINTS - 1) for i in range(CURVE_POINTS)]
    return tuple((day, outcome.savings_over(day)) for day in days)

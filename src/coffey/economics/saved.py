"""What was saved so far: the plan's prices at the traffic that was served, over the days of service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coffey.economics.running_cost import savings_usd_per_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Money so far, in USD, not discounted."""

    days: float
    requests_per_day: float
    """The rate that was served."""
    usd_per_day: float
    """Saved a day at that rate: the teacher's serving less the student's and all that comes with it."""
    run_usd: float
    """What was paid before anything was saved."""

    @property
    def saved_usd(self) -> float:
        """Over all days."""
        return self.days * self.usd_per_day

    @property
    def net_usd(self) -> float:
        """Savings less the price of the run; below zero until it has paid for itself."""
        return self.saved_usd - self.run_usd

    @property
    def days_left(self) -> float | None:
        """Until it has paid for itself at this rate; 0 when it has, None when it never will."""
        if self.net_usd >= 0:
            return 0.0
        return -self.net_usd / self.usd_per_day if self.usd_per_day > 0 else None


def saved_so_far(
    figures: Mapping[str, float], *, days: float, requests_per_day: float, run_usd: float
) -> Saved:
    """Savings of `days` of service at a measured rate.

    Args:
        figures: values of a plan's figures by name; the plan's own rate is replaced.
        days: from the first promotion to the last request.
        requests_per_day: mean rate of the requests served.
        run_usd: what the run came to.

    Raises:
        KeyError: the figures are not those of a plan.
    """
    values = {name: np.array([value], dtype=np.float64) for name, value in figures.items()}
    values["requests_per_day"] = np.array([requests_per_day], dtype=np.float64)
    return Saved(
        days=days,
        requests_per_day=requests_per_day,
        usd_per_day=float(savings_usd_per_day(values)[0]),
        run_usd=run_usd,
    )

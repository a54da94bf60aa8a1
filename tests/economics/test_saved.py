"""What was saved so far follows from the plan's prices and the traffic that came."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coffey.economics.inputs import PlanInputs
from coffey.economics.plan import outcome_of
from coffey.economics.saved import Saved, saved_so_far

Build = Callable[..., PlanInputs]


def values_of(inputs: PlanInputs) -> dict[str, float]:
    return {name: figure.value for name, figure in inputs.figures().items()}


def test_at_the_planned_rate_a_day_saves_what_was_planned(priced: Build) -> None:
    """The same arithmetic as the plan's, for any number of days."""
    inputs = priced()
    planned = outcome_of(inputs)
    found = saved_so_far(values_of(inputs), days=10, requests_per_day=5_000_000, run_usd=planned.run_usd)
    assert found.usd_per_day == pytest.approx(planned.savings_usd_per_day)
    assert found.saved_usd == pytest.approx(10 * planned.savings_usd_per_day)
    assert found.net_usd == pytest.approx(found.saved_usd - planned.run_usd)


def test_less_traffic_saves_less(priced: Build) -> None:
    """The teacher's price is by the request, the student's machine runs anyway: few requests save nothing."""
    values = values_of(priced())
    few = saved_so_far(values, days=10, requests_per_day=1000, run_usd=100)
    many = saved_so_far(values, days=10, requests_per_day=10_000_000, run_usd=100)
    assert few.usd_per_day < 0 < many.usd_per_day
    assert few.days_left is None


def test_what_is_left_to_earn_takes_its_days() -> None:
    """At 5 USD a day 20 USD take 4 days more; a run that has paid for itself takes none."""
    found = Saved(days=16, requests_per_day=1, usd_per_day=5, run_usd=100)
    assert (found.net_usd, found.days_left) == (-20, 4)
    assert Saved(days=20, requests_per_day=1, usd_per_day=5, run_usd=100).days_left == 0

"""The calculator gives the sums that anybody can check by hand, and refuses what is no price."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.errors import ConfigError
from coffey.core.ranges import Range
from coffey.economics.calculator import calculate
from coffey.economics.plan_json import plan_json

PRICE = st.floats(min_value=0, max_value=1e7)
TRAFFIC = st.floats(min_value=0, max_value=1e10)


@pytest.mark.parametrize(("run_usd", "days"), [(5000, 50.0), (1000, 10.0), (10_000, 100.0)])
def test_the_run_is_back_on_the_day_that_the_issue_says(run_usd: float, days: float) -> None:
    """0.01 USD saved per 1,000 requests, 10 million a day: 100 USD a day, exactly."""
    plan = calculate(run_usd, 0.01, 10_000_000)
    assert plan.outcome.savings_usd_per_day == 100.0
    assert plan.break_even_days == days
    assert plan.pays
    assert plan.savings_usd == 100.0 * 365 - run_usd


def test_a_plan_that_pays_after_the_horizon_does_not_pay() -> None:
    """Break-even on day 50 is a no to somebody who looks at 49 days, and a yes at 50."""
    assert not calculate(5000, 0.01, 10_000_000, horizon_days=49).pays
    assert calculate(5000, 0.01, 10_000_000, horizon_days=50).pays
    assert "only after 50.0 days" in calculate(5000, 0.01, 10_000_000, horizon_days=49).verdict


@pytest.mark.parametrize(("saves", "traffic"), [(0.0, 1e7), (-0.01, 1e7), (0.01, 0.0)])
def test_what_saves_nothing_never_pays(saves: float, traffic: float) -> None:
    """Zero savings, a student dearer than the teacher and zero traffic have no break-even day."""
    plan = calculate(100, saves, traffic)
    assert plan.break_even_days is None
    assert not plan.pays
    assert plan.verdict.startswith("Does not pay")
    assert plan_json(plan)["break_even_days"] is None


@given(run=PRICE, saves=PRICE, fewer=TRAFFIC, more=TRAFFIC)
def test_more_traffic_never_lengthens_break_even(run: float, saves: float, fewer: float, more: float) -> None:
    """At a price by the request, savings grow with traffic."""
    fewer, more = sorted((fewer, more))
    before = calculate_days(run, saves, fewer)
    assert calculate_days(run, saves, more) <= before


def calculate_days(run: float, saves: float, traffic: float) -> float:
    from coffey.economics.break_even import break_even

    days = break_even(run, traffic * saves / 1000)
    return math.inf if days is None else days


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("run_usd", (-1, 0.01, 1e6, 365)),
        ("run_usd", (math.nan, 0.01, 1e6, 365)),
        ("saves_usd_per_1k", (1, math.inf, 1e6, 365)),
        ("requests_per_day", (1, 0.01, -5, 365)),
        ("horizon_days", (1, 0.01, 1e6, 0)),
    ],
)
def test_impossible_values_are_named(key: str, values: tuple[float, float, float, float]) -> None:
    """The refusal says which value, what it was and what was expected."""
    with pytest.raises(ConfigError) as caught:
        calculate(*values)
    assert [problem.key for problem in caught.value.problems] == [key]
    assert "finite number" in str(caught.value)


def test_the_traffic_that_pays_is_the_one_where_savings_reach_the_price() -> None:
    """5,000 USD in 365 days at 0.01 USD per 1,000 needs 5000 / 365 * 100,000 requests a day."""
    plan = calculate(5000, 0.01, 10)
    assert plan.pays_from_requests_per_day == pytest.approx(5000 / 365 * 100_000)
    assert calculate(5000, 0.0, 10).pays_from_requests_per_day is None


def test_the_plan_is_json_without_infinities() -> None:
    """Days that never come are null, whatever the inputs."""
    for saves in (0.01, 0.0, -1.0):
        text = json.dumps(plan_json(calculate(10, saves, 1e6)), allow_nan=False)
        assert set(json.loads(text)) >= {
            "break_even_days", "savings_usd_per_day", "run_usd", "pays", "sensitivity", "alternatives",
            "origins",
        }  # fmt: skip


def test_a_run_that_costs_nothing_pays_from_the_first_request() -> None:
    """The search for the threshold ends there."""
    assert calculate(0, 0.01, 10).pays_from_requests_per_day == 1.0


def test_a_plan_of_nothing_hangs_on_nothing() -> None:
    """No cost, no savings, no traffic: an answer all the same."""
    plan = calculate(0, 0, 0)
    assert plan.sensitivity == ()
    assert not plan.pays


@pytest.mark.parametrize("values", [(Range(-1, 5), 1, 1e6), (1, 1, Range(-5, 5))])
def test_a_range_with_an_impossible_end_is_refused(values: tuple[float, float, float]) -> None:
    """Both ends must be amounts that a plan can be made of; savings alone may be losses."""
    with pytest.raises(ConfigError, match="of at least 0"):
        calculate(*values)
    assert calculate(1, Range(-1, 1), 1e6).distribution is not None

"""Money over time adds up as a ledger would, and moves the way money does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.economics.break_even import Outcome, curve
from coffey.economics.cash_flow import MONTH_DAYS, YEARS, CashFlow, Values, cash_flow

USD = st.floats(min_value=1, max_value=1e6)
TRAFFIC = st.floats(min_value=0.0, max_value=1e9)
SHARE = st.floats(min_value=0.0, max_value=1.0)


def flow(
    run: float, *, traffic: float, fixed: float = 0.0, growth: float = 0.0, discount: float = 0.0
) -> CashFlow:
    """A dollar saved on 1,000 requests, less `fixed` USD a day."""
    values: dict[str, float] = {
        "requests_per_day": traffic,
        "growth_per_year": growth,
        "discount_per_year": discount,
    }

    def savings(now: Values) -> np.ndarray:
        return now["requests_per_day"] / 1000.0 - fixed

    return cash_flow(
        {name: np.array([value]) for name, value in values.items()}, run_usd=np.array([run]), savings=savings
    )


def days(found: CashFlow) -> float:
    return float(found.break_even_days()[0])


@given(run=USD, traffic=st.floats(1.0, 1e9))
def test_without_growth_it_is_one_division(run: float, traffic: float) -> None:
    """The day is run / savings, to the last bit."""
    assert days(flow(run, traffic=traffic)) == run / (traffic / 1000.0)


@given(
    run=USD, traffic=TRAFFIC, fixed=st.floats(0, 1000), growth=st.floats(-0.9, 3), discount=SHARE,
    day=st.floats(0, 12_000),
)  # fmt: skip
def test_the_net_is_what_a_ledger_adds_up(
    run: float, traffic: float, fixed: float, growth: float, discount: float, day: float
) -> None:
    """Month by month: traffic and discount of the middle of the month, times the days of it that are over."""
    net, left, month = -run, day, 0
    while left > 0 and month < 12 * YEARS:
        years = (month + 0.5) / 12
        saved = (traffic * (1 + growth) ** years / 1000.0 - fixed) / (1 + discount) ** years
        net += saved * min(left, MONTH_DAYS)
        left, month = left - MONTH_DAYS, month + 1
    if left > 0 and growth == discount == 0:
        net += (traffic / 1000.0 - fixed) * left
    elif left > 0 and discount == 0 and growth >= 0:
        net += saved * left
    found = flow(run, traffic=traffic, fixed=fixed, growth=growth, discount=discount)
    size = run + (traffic * (1 + max(growth, 0)) ** 33 / 1000.0 + fixed) * max(day, 1.0)
    assert float(found.net_at(np.array([day]))[0, 0]) == pytest.approx(net, abs=1e-9 * size)


@given(run=USD, traffic=TRAFFIC, fixed=st.floats(0, 100), growth=st.floats(0, 5), discount=SHARE)
def test_growth_never_lengthens_break_even(
    run: float, traffic: float, fixed: float, growth: float, discount: float
) -> None:
    """Savings that rise with traffic rise with growth, discounted or not."""
    still = flow(run, traffic=traffic, fixed=fixed, discount=discount)
    assert days(flow(run, traffic=traffic, fixed=fixed, growth=growth, discount=discount)) <= days(still) * (
        1 + 1e-9
    )


@given(run=USD, traffic=TRAFFIC, growth=st.floats(-0.9, 5), lower=SHARE, higher=SHARE)
def test_a_discount_never_shortens_break_even(
    run: float, traffic: float, growth: float, lower: float, higher: float
) -> None:
    """Later dollars that count for less pay later."""
    lower, higher = sorted((lower, higher))
    before = days(flow(run, traffic=traffic, growth=growth, discount=lower))
    assert days(flow(run, traffic=traffic, growth=growth, discount=higher)) >= before * (1 - 1e-9)


@given(run=USD, traffic=TRAFFIC, fixed=st.floats(0, 100), growth=st.floats(-0.9, 5), discount=SHARE)
def test_the_net_is_not_negative_on_the_day_it_breaks_even(
    run: float, traffic: float, fixed: float, growth: float, discount: float
) -> None:
    """The day that is named is the day on which the curve crosses zero."""
    found = flow(run, traffic=traffic, fixed=fixed, growth=growth, discount=discount)
    day = days(found)
    if math.isfinite(day):
        nets = found.net_at(np.array([day, day * 0.99]))[0]
        assert nets[0] >= -1e-6 * run
        assert nets[1] <= 1e-6 * run


@given(growth=st.floats(-0.9, 5), discount=SHARE, run=USD)
def test_zero_savings_is_never(growth: float, discount: float, run: float) -> None:
    """No growth of nothing, and no discount, makes something of it."""
    assert days(flow(run, traffic=0.0, growth=growth, discount=discount)) == math.inf


def test_traffic_that_grows_pays_for_a_student_that_loses_at_first() -> None:
    """Losses come before savings, and the day is after both."""
    slow = flow(100.0, traffic=1000.0, fixed=1.5)
    grown = flow(100.0, traffic=1000.0, fixed=1.5, growth=1.0)
    assert days(slow) == math.inf
    assert 365 < days(grown) < 2 * 365
    assert Outcome.of(grown).savings_usd_per_day == pytest.approx(-0.5)


def test_traffic_that_shrinks_may_never_pay() -> None:
    """Half of the traffic is gone every year: what is saved in all has a limit."""
    assert days(flow(2000.0, traffic=1000.0)) == pytest.approx(2000.0)
    assert days(flow(2000.0, traffic=1000.0, growth=-0.5)) == math.inf


def test_draws_are_independent_of_each_other() -> None:
    """Many draws at once give what each gives alone."""
    growth = np.array([0.0, 0.5, -0.2])
    run = np.array([10.0, 20.0, 30.0])
    values = {"requests_per_day": np.array([1e4]), "growth_per_year": growth}
    together = cash_flow(values, run_usd=run, savings=lambda now: now["requests_per_day"] / 1000.0)
    alone = [days(flow(one, traffic=1e4, growth=rate)) for one, rate in zip(run, growth, strict=True)]
    assert together.break_even_days() == pytest.approx(alone)


def test_a_curve_follows_the_outcome() -> None:
    """The plot's points are the net of their days, growing or not."""
    for growth in (0.0, 0.3):
        outcome = Outcome.of(flow(50.0, traffic=1000.0, growth=growth))
        found = curve(outcome, 365.0)
        assert found[0] == (0.0, -50.0)
        assert found[-1] == (365.0, pytest.approx(outcome.savings_over(365.0)))
    assert outcome.months

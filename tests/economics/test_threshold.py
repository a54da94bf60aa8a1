"""The thresholds are where the answer turns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from coffey.economics.calculator import calculate
from coffey.economics.inputs import PlanInputs
from coffey.economics.plan import make_plan, outcome_of
from coffey.economics.running_cost import student_flow

Build = Callable[..., PlanInputs]
by_value = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


def test_the_gap_is_the_price_of_the_run_over_the_requests_of_the_horizon() -> None:
    """5,000 USD over 365 days of 10,000 thousand requests."""
    assert calculate(5000, 0.01, 10_000_000).pays_from_gap_usd_per_1k == pytest.approx(5000 / 365 / 10_000)
    assert calculate(5000, 0.01, 0).pays_from_gap_usd_per_1k is None


@by_value
@given(
    traffic=st.floats(1e5, 1e8),
    people=st.floats(0, 1000),
    growth=st.floats(-0.3, 1),
    discount=st.floats(0, 0.3),
)
def test_at_the_gap_nothing_is_left_by_the_request(
    priced: Build, traffic: float, people: float, growth: float, discount: float
) -> None:
    """A teacher that much dearer than the student just pays the run by the end of the horizon."""
    values = {
        "requests_per_day": traffic,
        "people_hours": people,
        "growth_per_year": growth,
        "discount_per_year": discount,
    }
    plan = make_plan(priced(**values))
    assert plan.costs is not None
    assert plan.costs.student.usd_per_1k is not None
    assert plan.pays_from_gap_usd_per_1k is not None
    price = plan.costs.student.usd_per_1k + plan.pays_from_gap_usd_per_1k
    at = outcome_of(priced(**values, teacher_usd_per_1k=price))
    assert at.savings_over(365) == pytest.approx(0, abs=1e-6 * (at.run_usd + traffic * price / 1000 * 365))


@by_value
@given(traffic=st.floats(1e5, 1e8), people=st.floats(0, 1000))
def test_at_the_gap_nothing_is_left_by_the_machine(hosted: Build, traffic: float, people: float) -> None:
    """The same for a teacher that is paid by the hour: its price moves in proportion."""
    plan = make_plan(hosted(requests_per_day=traffic, people_hours=people))
    assert plan.costs is not None
    assert plan.costs.student.usd_per_1k is not None
    assert plan.costs.teacher.usd_per_1k is not None
    assert plan.pays_from_gap_usd_per_1k is not None
    price = plan.costs.student.usd_per_1k + plan.pays_from_gap_usd_per_1k
    hourly = 1.2 * price / plan.costs.teacher.usd_per_1k
    at = outcome_of(hosted(requests_per_day=traffic, people_hours=people, teacher_usd_per_hour=hourly))
    assert at.savings_over(365) == pytest.approx(0, abs=1e-6 * (at.run_usd + traffic * price / 1000 * 365))


def test_no_price_helps_who_asks_the_teacher_more_than_it_serves(priced: Build) -> None:
    """A transfer set larger than all the traffic of the horizon: the dearer the teacher, the worse."""
    plan = make_plan(priced(requests_per_day=10, transfer_rows=1_000_000))
    assert plan.pays_from_gap_usd_per_1k is None


@by_value
@given(growth=st.floats(-0.5, 2), discount=st.floats(0, 0.5), people=st.floats(1, 200))
def test_the_traffic_that_pays_is_where_the_answer_turns(
    priced: Build, growth: float, discount: float, people: float
) -> None:
    """With growth and discount too: there it pays, and a little below it does not."""
    inputs = priced(people_hours=people, growth_per_year=growth, discount_per_year=discount)
    at = make_plan(inputs).pays_from_requests_per_day
    assert at is not None
    assert outcome_of(inputs.with_values({"requests_per_day": at})).pays_within(365)
    assert not outcome_of(inputs.with_values({"requests_per_day": at * (1 - 1e-6)})).pays_within(365)


def test_values_of_many_draws_give_many_flows(priced: Build) -> None:
    """What the thresholds are looked for with: one evaluation of many traffics is each alone."""
    inputs, traffic = priced(), np.array([0.0, 1.0, 1e5, 1e7, 1e9])
    together = student_flow({**inputs.values(), "requests_per_day": traffic})
    alone = [outcome_of(inputs.with_values({"requests_per_day": one})).savings_usd_per_day for one in traffic]
    assert together.first_usd_per_day == pytest.approx(alone)

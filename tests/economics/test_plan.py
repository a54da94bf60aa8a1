"""A plan's answer moves the way money does, and names what it hangs on."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from coffey.core.errors import ConfigError
from coffey.economics.inputs import PlanInputs
from coffey.economics.plan import make_plan, outcome_of
from coffey.economics.plan_json import plan_json
from coffey.economics.run_cost import run_cost

Build = Callable[..., PlanInputs]
by_value = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def days(inputs: PlanInputs) -> float:
    reached = outcome_of(inputs).break_even_days
    return math.inf if reached is None else reached


def test_the_run_costs_the_sum_of_its_parts(priced: Build) -> None:
    """Teacher, training, controls and people, each by its own arithmetic."""
    cost = run_cost(priced(controls_share=2))
    assert cost.teacher_usd == pytest.approx(20_000 * 0.05 / 1000)
    assert cost.training_usd == pytest.approx((1000 * 0.1 + 1000 * 0.05) / 3600 * 0.17)
    assert cost.controls_usd == pytest.approx(2 * cost.training_usd)
    assert cost.people_usd == 800
    assert cost.total_usd == pytest.approx(
        cost.teacher_usd + cost.training_usd + cost.controls_usd + cost.people_usd
    )


def test_savings_are_the_teacher_without_the_student_and_its_audits(priced: Build) -> None:
    """5 million requests need one student machine; 1,000 audits are bought from the teacher."""
    assert outcome_of(priced()).savings_usd_per_day == pytest.approx(250 - 0.17 * 24 - 0.05)


@by_value
@given(lower=st.floats(0.001, 10), higher=st.floats(0.001, 10), traffic=st.floats(0, 1e9))
def test_a_dearer_teacher_by_the_request_never_lengthens_break_even(
    priced: Build, lower: float, higher: float, traffic: float
) -> None:
    """Labelling gets dearer too, but each day saves more."""
    lower, higher = sorted((lower, higher))
    before = days(priced(teacher_usd_per_1k=lower, requests_per_day=traffic))
    assert days(priced(teacher_usd_per_1k=higher, requests_per_day=traffic)) <= before * (1 + 1e-9)


@by_value
@given(lower=st.floats(0.01, 50), higher=st.floats(0.01, 50), traffic=st.floats(1, 1e9))
def test_a_dearer_teacher_machine_never_lengthens_break_even(
    hosted: Build, lower: float, higher: float, traffic: float
) -> None:
    """The same for a teacher that is paid by the hour."""
    lower, higher = sorted((lower, higher))
    before = days(hosted(teacher_usd_per_hour=lower, requests_per_day=traffic))
    assert days(hosted(teacher_usd_per_hour=higher, requests_per_day=traffic)) <= before * (1 + 1e-9)


@by_value
@given(fewer=st.floats(0, 1e10), more=st.floats(0, 1e10))
def test_more_traffic_on_the_machines_at_hand_never_lengthens_break_even(
    priced: Build, fewer: float, more: float
) -> None:
    """As long as no further student machine is bought, which comes whole, savings grow with traffic."""
    fewer, more = sorted((fewer, more))
    roomy = {"student_rps": 1e9, "audits_per_day": 0}
    assert days(priced(requests_per_day=more, **roomy)) <= days(priced(requests_per_day=fewer, **roomy))


@by_value
@given(fewer=st.floats(1, 1e10), more=st.floats(1, 1e10))
def test_more_traffic_costs_at_most_the_rounding_of_machines(
    hosted: Build, fewer: float, more: float
) -> None:
    """With a student cheaper by the request, savings fall by no more than one machine of each kind."""
    fewer, more = sorted((fewer, more))
    quiet = {"audits_per_day": 0}
    lost = (
        outcome_of(hosted(requests_per_day=fewer, **quiet)).savings_usd_per_day
        - outcome_of(hosted(requests_per_day=more, **quiet)).savings_usd_per_day
    )
    assert lost <= 24 * (1.2 + 0.17) + 1e-6 * more


def test_a_student_dearer_than_the_teacher_never_pays(priced: Build) -> None:
    """Said plainly, with no day."""
    plan = make_plan(priced(student_usd_per_hour=1000))
    assert plan.break_even_days is None
    assert "a day of the student costs 23,750.05 USD more than one of the teacher" in plan.verdict


def test_without_requests_nothing_pays(priced: Build, hosted: Build) -> None:
    """No traffic, no savings: neither by the request nor by the machine."""
    for build in (priced, hosted):
        assert make_plan(build(requests_per_day=0)).break_even_days is None


@pytest.mark.parametrize(
    "name", ["teacher_usd_per_1k", "student_usd_per_hour", "requests_per_day", "people_hours"]
)
def test_negative_figures_are_refused_by_name(priced: Build, name: str) -> None:
    """No plan is made of a negative price."""
    with pytest.raises(ConfigError, match=f"{name} = -1") as caught:
        priced(**{name: -1})
    assert len(caught.value.problems) == 1


def test_all_bad_figures_are_reported_together(priced: Build) -> None:
    """Three mistakes are mended in one go."""
    with pytest.raises(ConfigError) as caught:
        priced(student_rps=0, peak_to_mean=0.5, horizon_days=math.nan)
    assert {problem.key for problem in caught.value.problems} == {
        "student_rps", "peak_to_mean", "horizon_days",
    }  # fmt: skip


def test_a_teacher_needs_a_price(priced: Build) -> None:
    """By the request or by the machine with its rates; an hour alone prices nothing."""
    with pytest.raises(ConfigError, match="teacher price"):
        priced(teacher_usd_per_1k=None)
    with pytest.raises(ConfigError, match="teacher price"):
        priced(teacher_usd_per_1k=None, teacher_usd_per_hour=1)


def test_sensitivity_is_sorted_and_moves_one_figure_at_a_time(priced: Build) -> None:
    """The widest swing comes first, and each end is the plan with that figure alone changed."""
    inputs = priced()
    plan = make_plan(inputs)
    swings = [(swing.days // 1, swing.net_usd) for swing in plan.sensitivity]
    assert swings == sorted(swings, reverse=True)
    first = plan.sensitivity[0]
    assert first.days_at_low == outcome_of(inputs.with_values({first.figure: first.low})).break_even_days
    assert {"step_s:2M", "requests_per_day"} <= {swing.figure for swing in plan.sensitivity}


def test_a_range_replaces_the_usual_spread_and_gives_percentiles(priced: Build) -> None:
    """A figure known within a factor of two is moved by it, and the break-even day gets a distribution."""
    sure = make_plan(priced())
    assert sure.spread is None
    unsure = make_plan(dataclasses.replace(priced(), ranges={"people_hours": (4.0, 16.0)}))
    swing = next(swing for swing in unsure.sensitivity if swing.figure == "people_hours")
    assert (swing.low, swing.high) == (4.0, 16.0)
    assert unsure.spread is not None
    assert unsure.spread.p10 < unsure.spread.p50 < unsure.spread.p90  # type: ignore[operator]
    assert unsure.spread.p50 == pytest.approx(unsure.break_even_days, rel=0.1)


def test_int8_for_the_teacher_is_priced_by_its_speed_up(hosted: Build, priced: Build) -> None:
    """Twice as fast halves the fleet at once; a teacher priced by the request has no such way out."""
    plan = make_plan(hosted())
    nothing, int8 = plan.alternatives[:2]
    assert nothing.break_even_days is None
    assert int8.break_even_days == 0.0
    assert int8.usd_per_day == pytest.approx(nothing.usd_per_day / 2, rel=0.2)  # type: ignore[operator]
    assert make_plan(priced()).alternatives[1].outcome is None
    assert "not known" in make_plan(hosted(teacher_int8_speedup=None)).alternatives[1].note


def test_the_verdict_admits_that_an_alternative_is_better(hosted: Build) -> None:
    """A student that costs 10,000 USD and saves half loses to int8, which does it for nothing."""
    plan = make_plan(hosted(people_hours=100, student_usd_per_hour=4.0))
    assert plan.pays
    assert "int8 the teacher saves more" in plan.verdict


def test_the_curve_starts_at_the_price_and_crosses_zero_at_break_even(priced: Build) -> None:
    """Cumulative net is negative before that day and positive after it."""
    plan = make_plan(priced())
    assert plan.curve[0] == (0.0, -plan.outcome.run_usd)
    assert plan.curve[-1][1] == pytest.approx(plan.savings_usd)
    assert all((net >= 0) == (day >= plan.break_even_days) for day, net in plan.curve)


def test_every_figure_has_an_origin_in_the_json(hosted: Build) -> None:
    """Nothing in USD stands without where it came from."""
    said = json.loads(json.dumps(plan_json(make_plan(hosted())), allow_nan=False))
    assert set(said["origins"]) == set(said["figures"])
    assert said["costs"]["audits_usd_per_day"] == make_plan(hosted()).costs.audits_usd_per_day  # type: ignore[union-attr]
    assert said["costs"]["teacher"]["machines"] == math.ceil(5_000_000 / 86_400 * 2 / 20)


def test_the_traffic_that_pays_does_pay_and_a_little_less_does_not(priced: Build) -> None:
    """The threshold is where the answer turns."""
    inputs = priced()
    plan = make_plan(inputs)
    at = plan.pays_from_requests_per_day
    assert at is not None
    assert outcome_of(inputs.with_values({"requests_per_day": at})).pays_within(365)
    assert not outcome_of(inputs.with_values({"requests_per_day": at * 0.999})).pays_within(365)


def test_whole_numbers_are_moved_by_shares_too(priced: Build) -> None:
    """A count that is an integer is moved by 20 percent, not cut to the integer below."""
    swing = next(one for one in make_plan(priced(people_hours=3)).sensitivity if one.figure == "people_hours")
    assert (swing.low, swing.high) == pytest.approx((2.4, 3.6))
    assert swing.net_at_low - swing.net_at_high == pytest.approx(1.2 * 100)


def test_sensitivity_keeps_within_the_bounds_of_a_figure(priced: Build) -> None:
    """Nothing is moved to where no plan can be made: a peak below the mean, more than all traffic lost."""
    swings = {
        swing.figure: swing
        for swing in make_plan(priced(peak_to_mean=1.1, student_rps=20, growth_per_year=-0.9)).sensitivity
    }
    assert swings["peak_to_mean"].low == 1.0
    assert swings["growth_per_year"].low == -1.0


@pytest.mark.parametrize("ends", [(5.0, 4.0), (-1.0, 4.0), (1.0, math.inf), (math.nan, 1.0)])
def test_a_range_that_cannot_be_is_refused_by_name(priced: Build, ends: tuple[float, float]) -> None:
    """Ends the wrong way round, below zero, or not finite."""
    with pytest.raises(ConfigError, match="people_hours"):
        dataclasses.replace(priced(), ranges={"people_hours": ends})


@by_value
@given(fewer=st.floats(0, 1e10), more=st.floats(0, 1e10), growth=st.floats(0, 2), discount=st.floats(0, 0.5))
def test_more_growing_traffic_never_lengthens_break_even(
    priced: Build, fewer: float, more: float, growth: float, discount: float
) -> None:
    """By the request and on machines that hold it, with growth and discount as without."""
    fewer, more = sorted((fewer, more))
    roomy = {
        "student_rps": 1e12, "audits_per_day": 0, "growth_per_year": growth, "discount_per_year": discount,
    }  # fmt: skip
    after = days(priced(requests_per_day=more, **roomy))
    assert after <= days(priced(requests_per_day=fewer, **roomy)) * (1 + 1e-9)


@by_value
@given(
    lower=st.floats(0.001, 10),
    higher=st.floats(0.001, 10),
    growth=st.floats(-0.5, 2),
    share=st.floats(0, 0.5),
)
def test_a_dearer_teacher_never_lengthens_break_even_with_all_costs(
    priced: Build, lower: float, higher: float, growth: float, share: float
) -> None:
    """With growth, discount, re-distillations and errors: what it saves a day outweighs its answers."""
    lower, higher = sorted((lower, higher))
    more = {
        "growth_per_year": growth, "discount_per_year": share, "redistills_per_year": 4, "relabel_rows": 2000,
        "error_usd": 0.1, "quality_loss": 1e-6, "holdout_rows": 2000,
    }  # fmt: skip
    before = days(priced(teacher_usd_per_1k=lower, **more))
    assert days(priced(teacher_usd_per_1k=higher, **more)) <= before * (1 + 1e-9)

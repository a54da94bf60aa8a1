"""The verdict is one sentence: whether, when, how likely, and what pays best."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from coffey.core.ranges import Range
from coffey.economics.calculator import calculate
from coffey.economics.inputs import PlanInputs
from coffey.economics.plan import make_plan

Build = Callable[..., PlanInputs]


def test_a_plan_that_pays_says_when_and_how_likely() -> None:
    """Day, likely range, sum, and the chance that it does not come true."""
    verdict = calculate(5000, Range(0.002, 0.05), 10_000_000, horizon_days=200).verdict
    assert verdict.startswith("Pays: 5,000.00 USD are back after 50.0 days (likely ")
    assert verdict.endswith(" chance that it does not pay within 200 days.")


def test_a_plan_that_does_not_pay_says_the_chance_that_it_does() -> None:
    """The draws that pay are not hidden."""
    verdict = calculate(5000, Range(0.002, 0.05), 10_000_000, horizon_days=40).verdict
    assert verdict.startswith(
        "Does not pay within 40 days: 5,000.00 USD are back only after 50.0 days (likely "
    )
    assert "best is to do nothing; " in verdict
    assert verdict.endswith(" chance that it does within 40 days.")


def test_without_requests_there_is_nothing_to_save(priced: Build) -> None:
    """Zero traffic has its own answer."""
    assert "there are no requests to save on" in make_plan(priced(requests_per_day=0)).verdict
    assert "there are no requests to save on" in calculate(1, 1, 0).verdict


def test_a_student_dearer_than_the_teacher_sends_to_the_best_alternative(hosted: Build) -> None:
    """The answer is no, and names what to do instead."""
    verdict = make_plan(hosted(student_usd_per_hour=1000)).verdict
    assert verdict.startswith("Does not pay: a day of the student costs ")
    assert " USD more than one of the teacher; " in verdict
    assert "best is to int8 the teacher, which saves" in verdict


def test_an_alternative_of_unknown_quality_is_named_with_that(hosted: Build) -> None:
    """A pretrained model that is cheaper is better only if it is good enough."""
    inputs = hosted(
        pretrained_rps=1000,
        pretrained_s=10,
        student_usd_per_hour=1,
        student_rps=50,
        people_hours=0,
        teacher_int8_speedup=None,
    )
    verdict = make_plan(inputs).verdict
    assert "but to fine-tune a small pretrained model saves more over 365 days" in verdict
    assert "unless its quality falls short" in verdict


def test_the_best_is_said_to_be_the_best(hosted: Build) -> None:
    """With alternatives that are priced and save less."""
    assert "more than by any alternative" in make_plan(hosted(people_hours=0)).verdict
    assert "alternative" not in calculate(5000, 0.01, 10_000_000).verdict


def test_savings_that_no_figure_tells_apart_are_not_ranked(hosted: Build) -> None:
    """Int8 that leaves the same fleet saves a few cents more: neither is called the better one."""
    inputs = hosted(people_hours=0, teacher_int8_speedup=20, student_usd_per_hour=1.2)
    verdict = make_plan(inputs).verdict
    assert verdict.endswith("; to int8 the teacher saves about as much.")
    assert "saves more" not in verdict


def test_an_absurd_range_is_answered_in_one_readable_sentence() -> None:
    """Numbers of 300 digits are not written out, and a note says that the range is too wide."""
    plan = calculate(Range(1e-300, 1e300), 0.01, 10_000_000)
    assert "(likely less than 0.1 to more than 365,000)" in plan.verdict
    assert len(plan.verdict) < 250
    (note,) = plan.notes
    assert note.startswith("--run-usd may be anything from 1e-300 to 1e+300")


def test_savings_that_are_lost_again_are_not_called_savings(priced: Build) -> None:
    """Traffic that vanishes leaves the machines to be paid for."""
    inputs = priced(requests_per_day=200_000, people_hours=2, growth_per_year=-0.9, horizon_days=3000)
    verdict = make_plan(inputs).verdict
    assert "are lost again by day 3000" in verdict


def test_discounted_savings_may_never_pay_though_every_day_saves(priced: Build) -> None:
    """It is said that the first day saves, and that the run is never back."""
    inputs = dataclasses.replace(priced(requests_per_day=90_000, people_hours=100, discount_per_year=0.9))
    assert "are never back, though the first day saves" in make_plan(inputs).verdict

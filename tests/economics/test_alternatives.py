"""Alternatives are priced as the student is, and say why they are not open or not priced."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from coffey.economics.alternatives import Alternative
from coffey.economics.inputs import PlanInputs
from coffey.economics.plan import make_plan

Build = Callable[..., PlanInputs]


def named(inputs: PlanInputs, part: str) -> Alternative:
    return next(one for one in make_plan(inputs).alternatives if part in one.name)


def test_a_cascade_pays_for_the_student_and_for_the_teachers_share(priced: Build) -> None:
    """A fifth of 5 million requests goes on to the teacher at 0.05 USD per 1,000."""
    plan = make_plan(priced(cascade_share=0.2))
    cascade = named(priced(cascade_share=0.2), "cascade")
    assert cascade.run_usd == plan.outcome.run_usd
    assert cascade.usd_per_day == pytest.approx(0.17 * 24 + 0.05 + 0.2 * 250)
    assert cascade.outcome is not None
    assert cascade.outcome.savings_usd_per_day == pytest.approx(plan.outcome.savings_usd_per_day - 50)


def test_a_cascade_of_everything_saves_nothing_and_of_nothing_is_the_student(priced: Build) -> None:
    """The two ends of the share."""
    student = make_plan(priced()).outcome
    nothing = named(priced(cascade_share=0.0), "cascade").outcome
    assert nothing is not None
    assert nothing.run_usd == student.run_usd
    assert nothing.savings_usd_per_day == pytest.approx(student.savings_usd_per_day)
    assert named(priced(cascade_share=1.0), "cascade").break_even_days is None


def test_a_cascade_spares_its_share_of_the_errors(priced: Build) -> None:
    """Of the errors at 1 USD, those on the requests that the teacher takes are not made."""
    dear = {"cascade_share": 0.2, "error_usd": 1.0, "quality_loss": 0.001}
    assert named(priced(**dear), "cascade").usd_per_day == pytest.approx(0.17 * 24 + 0.05 + 50 + 5000 * 0.8)


def test_a_cascade_on_machines_needs_fewer_teachers(hosted: Build) -> None:
    """A tenth of the traffic takes a tenth of the machines, rounded up."""
    cascade = named(hosted(cascade_share=0.1, audits_per_day=0), "cascade")
    assert cascade.usd_per_day == pytest.approx(0.17 * 24 + 1 * 1.2 * 24)


def test_a_pretrained_model_pays_for_labels_training_and_people(priced: Build) -> None:
    """20,000 labels at 8 cents, an hour of training, the same people; no teacher, no audits."""
    other = named(
        priced(pretrained_rps=100, pretrained_s=3600, label_rows=20_000, label_usd=0.08, export_hours=1),
        "pretrained",
    )
    assert other.run_usd == pytest.approx(1600 + 0.17 + 0.17 + 800)
    assert other.usd_per_day == pytest.approx(2 * 0.17 * 24)
    assert "quality is not known" in other.note


def test_labels_at_hand_cost_nothing(priced: Build) -> None:
    """Where the data has hard labels, nobody is paid for them."""
    assert named(priced(pretrained_rps=100, pretrained_s=0), "pretrained").run_usd == 800


@pytest.mark.parametrize(
    ("part", "values", "why"),
    [
        ("int8", {}, "not open: the teacher is priced by the request"),
        ("pretrained", {}, "not priced: the speed"),
        (
            "pretrained",
            {"pretrained_rps": 10, "pretrained_s": 1, "label_rows": 5000},
            "not priced: 5,000 labels are missing; set economics.label_usd",
        ),
        ("cascade", {}, "not priced: the share"),
    ],
)
def test_what_is_not_priced_says_why(priced: Build, part: str, values: dict[str, float], why: str) -> None:
    """No figure is made up for an alternative that lacks one."""
    found = named(priced(**values), part)
    assert found.outcome is None
    assert found.note.startswith(why)


def test_alternatives_are_drawn_with_the_plan(priced: Build) -> None:
    """The same draws: a cascade of nothing has the distribution of the student, doing nothing has none."""
    inputs = dataclasses.replace(priced(cascade_share=0), ranges={"people_hours": (4.0, 400.0)})
    plan = make_plan(inputs)
    assert plan.distribution is not None
    cascade = named(inputs, "cascade").net
    assert cascade is not None
    assert dataclasses.astuple(cascade) == pytest.approx(dataclasses.astuple(plan.distribution.net))
    nothing = named(inputs, "nothing").net
    assert nothing is not None
    assert (nothing.p10, nothing.p90) == (0, 0)

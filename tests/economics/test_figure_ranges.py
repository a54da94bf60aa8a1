"""Every figure that is not exact has the range that the file, a calibration or its origin gives it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from coffey.core.ranges import Range
from coffey.core.records import Origin
from coffey.core.settings import CostSettings, Settings, TaskSettings
from coffey.economics.figures import assumed, measured
from coffey.economics.known import Known
from coffey.economics.probe_result import ProbeResult, ServedProbe
from coffey.economics.project_inputs import plan_project, project_inputs

Build = Callable[..., Settings]


def test_a_configured_range_is_used_as_it_is(settings: Build) -> None:
    """Its middle is the figure, configured; its ends are what is drawn."""
    inputs = project_inputs(settings(requests_per_day=Range(8e6, 12e6)), Known(rows=10))
    assert inputs.ranges["requests_per_day"] == (8e6, 12e6)
    assert inputs.requests_per_day.value == pytest.approx((8e6 * 12e6) ** 0.5)
    assert inputs.requests_per_day.origin is Origin.CONFIGURED


@pytest.mark.parametrize(
    ("cost", "name", "ends"),
    [
        (CostSettings(usd_per_hour=Range(1.0, 2.0)), "teacher_usd_per_hour", (1.0, 2.0)),
        (CostSettings(usd_per_1k_requests=Range(0.1, 0.2)), "teacher_usd_per_1k", (0.1, 0.2)),
        (
            CostSettings(usd_per_1m_tokens=Range(1.0, 2.0)),
            "teacher_usd_per_1k",
            (128 / 1000 / 2, 2 * 128 / 1000 * 2),
        ),
    ],
)
def test_a_teachers_price_may_be_a_range(
    settings: Build, cost: CostSettings, name: str, ends: tuple[float, float]
) -> None:
    """Each of the three prices; by the token, how many there are is assumed besides."""
    assert project_inputs(settings(cost=cost), Known(rows=10)).ranges[name] == pytest.approx(ends)


def test_a_range_of_the_students_machine_is_that_of_training_on_it(settings: Build) -> None:
    """Without a price of its own, training is as uncertain as the machine it is priced by."""
    own = project_inputs(settings(student_usd_per_hour=Range(0.1, 0.2)), Known(rows=10))
    assert own.ranges["training_usd_per_hour"] == (0.1, 0.2)
    other = project_inputs(
        settings(student_usd_per_hour=Range(0.1, 0.2), training_usd_per_hour=1.0), Known(rows=10)
    )
    assert "training_usd_per_hour" not in other.ranges


def test_a_range_around_zero_is_not_taken_for_nothing(settings: Build) -> None:
    """Traffic that may fall as well as grow has a middle of 0, and is drawn and moved all the same."""
    plan = plan_project(settings(growth_per_year=Range(-0.5, 0.5), student_usd_per_hour=0.01), Known(rows=10))
    assert plan.ranges["growth_per_year"] == (-0.5, 0.5)
    (swing,) = [one for one in plan.sensitivity if one.figure == "growth_per_year"]
    assert swing.net_at_low < swing.net_at_high


def test_what_is_known_better_replaces_the_range_of_the_origin(settings: Build) -> None:
    """A calibration narrows or widens; what the file says stands above both; unknown names are left out."""
    known = Known(
        rows=10,
        ranges={"step_s:2M": (0.5, 0.6), "people_hours": (1.0, 9.0), "no such figure": (1.0, 2.0)},
    )
    inputs = project_inputs(settings(people_hours=Range(2.0, 3.0)), known)
    assert inputs.ranges["step_s:2M"] == (0.5, 0.6)
    assert inputs.ranges["people_hours"] == (2.0, 3.0)
    assert "no such figure" not in inputs.ranges


def test_a_configured_share_of_a_cascade_is_taken(settings: Build) -> None:
    """Exactly, as every configured number without a range."""
    inputs = project_inputs(settings(cascade_share=0.3), Known(rows=10))
    assert inputs.cascade_share is not None
    assert inputs.cascade_share.value == 0.3
    assert inputs.cascade_share.origin is Origin.CONFIGURED
    assert "cascade_share" not in inputs.ranges


def test_shares_stay_shares(settings: Build) -> None:
    """Twice a guess of 0.8 is not 1.6 of the requests."""
    sure = dataclasses.replace(settings(), budget=dataclasses.replace(settings().budget, min_agreement=0.6))
    inputs = project_inputs(sure, Known(rows=10))
    assert inputs.ranges["cascade_share"] == (pytest.approx(0.4), 1.0)


def test_an_absurd_range_is_noted(settings: Build) -> None:
    """From one request to a trillion: a plan is made, and says what it is worth."""
    notes = plan_project(settings(requests_per_day=Range(1, 1e12)), Known(rows=10)).notes
    assert any("economics.requests_per_day may be anything from 1 to 1e+12" in note for note in notes)


def test_what_is_left_out_is_named_with_its_key(settings: Build) -> None:
    """And not once it is counted."""
    (note,) = [note for note in plan_project(settings(), Known(rows=10)).notes if "Not counted" in note]
    for key in (
        "redistills_per_year",
        "storage_usd_per_gb_month",
        "error_usd",
        "export_hours",
        "people_hours",
    ):
        assert f"economics.{key}" in note
    full = settings(
        redistills_per_year=2, storage_usd_per_gb_month=0.02, error_usd=0.1, export_hours=1, people_hours=1
    )
    known = Known(rows=10, holdout_rows=5, quality_loss=assumed(0.01, "of the requests", "test"))
    assert not any("Not counted" in note for note in plan_project(full, known).notes)
    unknown = plan_project(full, Known(rows=10, holdout_rows=5)).notes
    assert any("is not known yet" in note for note in unknown)


def test_all_that_is_priced_reaches_the_plan(settings: Build) -> None:
    """Every optional amount of the file makes a cost above 0."""
    full = settings(
        redistills_per_year=2, redistill_people_hours=1, storage_usd_per_gb_month=0.02, error_usd=0.1,
        export_hours=1, people_hours=1, log_bytes_per_request=100.0,
    )  # fmt: skip
    known = Known(rows=10, holdout_rows=5, quality_loss=assumed(0.01, "of the requests", "test"))
    costs = plan_project(full, known).costs
    assert costs is not None
    run, beside = dataclasses.asdict(costs.run), dataclasses.asdict(costs.running)
    assert {name for name, usd in {**run, **beside}.items() if not usd} == set()


def test_alternatives_know_labels_and_the_teachers_size(settings: Build) -> None:
    """Hard labels at hand cost nothing; a teacher that is small already has no small pretrained model."""
    unlabelled = project_inputs(settings(label_usd=0.1), Known(rows=10))
    assert unlabelled.label_rows is not None
    assert unlabelled.label_rows.value == 10
    labelled = dataclasses.replace(settings(), task=TaskSettings(label="intent"))
    assert project_inputs(labelled, Known(rows=10)).label_rows is None
    assert project_inputs(settings(), Known(rows=10, teacher_params=10_000_000)).pretrained_rps is None


def test_the_rate_of_the_probes_server_wins_over_one_from_a_latency(
    settings: Build, probe: ProbeResult
) -> None:
    """If it was searched for within the same promise, and a rate kept it."""

    def rate(promised_ms: float, rps: float) -> float:
        served = ServedProbe(
            p50_ms=1.0, p99_ms=2.0, latency_p99_ms=promised_ms, max_rps=rps, resident_bytes=None
        )
        stages = tuple(dataclasses.replace(stage, served=served) for stage in probe.stages)
        known = Known(rows=10, probe=dataclasses.replace(probe, stages=stages))
        return project_inputs(settings(), known).student_rps.value

    assert rate(50.0, 321.0) == 321.0
    assert rate(10.0, 321.0) != 321.0
    assert rate(50.0, 0.0) > 0
    known = Known(rows=10, student_rps=measured(5.0, "requests a second", "bench"))
    assert project_inputs(settings(), known).student_rps.value == 5.0

"""A forecast is held against what happened once, and the next forecast has learned from it."""

from __future__ import annotations

import shutil

import pytest

from coffey.core.errors import PlanError
from coffey.project.forecasts import keep_forecast, read_outcomes
from coffey.project.reconciling import reconcile_project
from coffey.project.reporting import keep_result, kept_result


@pytest.fixture(scope="session")
def _planned(tmp_path_factory, key_home, request):
    """A project that was planned, then distilled; its gate may have refused. Look, do not touch."""
    from tests.conftest import make_project

    made = make_project(tmp_path_factory.mktemp("planned"), transfer=120, holdout=40)
    made.edit("epochs = 16", "epochs = 2")
    made.load().plan()
    made.load().distill()
    return made


@pytest.fixture
def planned(_planned, tmp_path):
    return _planned.copy(tmp_path / "project")


def rows_of(value):
    return {row["name"]: row for row in value["figures"]}


def test_money_and_time_are_held_against_the_plan_that_came_before(planned):
    """160 answers at 1 USD per 1,000 as forecast; a stage took what it took; people count as planned."""
    value = reconcile_project(planned.load().workspace)
    rows = rows_of(value)
    (stage,) = kept_result(planned.load().workspace, "distill")["stages"]
    assert rows["labelling_usd"]["actual"] == pytest.approx(0.160)
    assert rows["labelling_usd"]["error"] == pytest.approx(0.0)
    assert rows[f"stage_s:{stage['name']}"]["actual"] == stage["seconds"]
    parts = rows["labelling_usd"]["actual"] + rows["training_usd"]["actual"]
    planned_parts = rows["labelling_usd"]["forecast"] + rows["training_usd"]["forecast"]
    rest = rows["run_usd"]["forecast"] - planned_parts
    assert rows["run_usd"]["actual"] == pytest.approx(parts + rest)
    assert value["forecast_at"] < value["made_at"]
    assert "requests_per_day" in value["missing"]
    assert kept_result(planned.load().workspace, "reconcile") == value


def test_what_was_learned_is_kept_once(planned):
    """Reconciling again adds nothing; what bench measures later is added."""
    space = planned.load().workspace
    first = reconcile_project(space)
    learned = read_outcomes(space)
    assert {one.figure for one in learned} == set(rows_of(first))
    assert reconcile_project(planned.load().workspace) == first
    assert read_outcomes(space) == learned
    bench = {
        "artifact": first["artifact"],
        "latency": {"teacher_p50_ms": None, "student_p50_ms": 0.5},
        "max_rps_within_slo": 700.0,
    }
    keep_result(space, "bench", bench)
    later = rows_of(reconcile_project(space))
    assert later["student_rps"]["actual"] == 700.0
    assert len(read_outcomes(space)) == len(learned) + 1


def test_the_next_plan_has_learned(planned):
    """The forecast stays what it was; beside it stands what the record makes of it, and its range."""
    space = planned.load().workspace
    before = planned.load().plan()
    value = reconcile_project(space)
    after = planned.load().plan()
    (name,) = [name for name in after["forecast"] if name.startswith("stage_s:")]
    row, figure = after["forecast"][name], after["figures"][name.replace("stage_s", "step_s")]
    assert before["forecast"][name]["runs"] == 0
    assert row["runs"] == 1
    assert row["value"] == before["forecast"][name]["value"]
    assert row["low"] < row["expected"] < row["high"]
    lesson = next(one for one in value["next"] if one["kind"] == "stage_s")
    assert figure["low"] == pytest.approx(figure["value"] * lesson["low"])
    assert figure["high"] == pytest.approx(figure["value"] * lesson["high"])


def test_a_plan_after_the_fact_is_no_forecast(planned):
    """Whatever is planned later, the run is held against what was said before it."""
    space = planned.load().workspace
    first = reconcile_project(space)
    planned.edit("requests_per_day = 1000", "requests_per_day = 2000")
    planned.load().plan()
    assert reconcile_project(planned.load().workspace)["forecast_at"] == first["forecast_at"]
    shutil.rmtree(planned.store / "forecasts")
    planned.load().plan()
    with pytest.raises(PlanError, match="before this run"):
        reconcile_project(planned.load().workspace)


def test_there_is_nothing_to_reconcile_before_a_run(untouched):
    """And it says what to run."""
    with pytest.raises(PlanError, match="coffey distill"):
        reconcile_project(untouched.load().workspace)


def test_the_same_forecast_is_kept_once(untouched):
    """A plan that is asked for every hour fills no disk; another forecast is another entry."""
    plan = untouched.load().plan()
    untouched.load().plan()
    space = untouched.load().workspace
    assert len(list((untouched.store / "forecasts").iterdir())) == 1
    changed = {**plan["forecast"], "run_usd": {**plan["forecast"]["run_usd"], "value": 1.0}}
    keep_forecast(space, {**plan, "forecast": changed})
    assert len(list((untouched.store / "forecasts").iterdir())) == 2

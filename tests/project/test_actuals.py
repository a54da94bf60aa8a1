"""What a run came to is read from what was really spent and measured."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from coffey.core.records import Figure, Origin
from coffey.economics.forecast import Forecast
from coffey.project.actuals import run_actuals
from coffey.project.forecasts import KeptForecast
from coffey.teacher.spending import SpendingLog, spending_folder
from coffey.traffic.volume import Volume

TEACHER = "0123abcd"
FORESEEN = KeptForecast(
    at="2026-01-01T00:00:00.000Z",
    forecast=Forecast({"run_usd": Figure(100.0, "USD", Origin.MEASURED)}),
    run_usd={
        "teacher_usd": 8.0,
        "holdout_usd": 2.0,
        "training_usd": 5.0,
        "controls_usd": 5.0,
        "people_usd": 80.0,
    },
    prices={"teacher_usd_per_hour": 3600.0, "training_usd_per_hour": 36.0},
)


def finished(*, asked=0, seconds=0.0, transfer_seconds=0.0, usd=0.0, controls=None):
    return {
        "artifact": "/store/artifacts/f00d",
        "labelling": {
            "labels": 80, "holdout": 20, "asked": asked, "teacher": TEACHER, "usd": usd,
            "teacher_seconds": seconds, "transfer_teacher_seconds": transfer_seconds,
        },
        "stages": [
            {"name": "2M", "seconds": 100.0, "quality": {"retention": None, "agreement": {"value": 0.8}}}
        ],
        "student": {"retention": None, "agreement": {"value": 0.9}},
        "controls": controls,
    }  # fmt: skip


@pytest.fixture
def space(tmp_path):
    return SimpleNamespace(store=tmp_path)


def test_a_resumed_labelling_costs_what_all_its_runs_cost(space):
    """30 answers before the kill, 50 and the holdout after it; the last run alone knows less than half."""
    for purpose, texts, seconds, usd in (
        ("transfer", 30, 3.0, 0.3), ("transfer", 50, 7.0, 0.7), ("holdout", 20, 2.0, 0.2),
    ):  # fmt: skip
        SpendingLog(spending_folder(space.store, TEACHER), purpose).add(texts, seconds, usd)
    found = run_actuals(space, finished(asked=70, seconds=9.0, usd=0.9), FORESEEN, None)
    assert found.values["labelling_s"] == pytest.approx(10.0)
    assert found.values["labelling_usd"] == pytest.approx(1.2)
    assert found.values["training_usd"] == pytest.approx(1.0)
    assert found.values["run_usd"] == pytest.approx(1.2 + 1.0 + 80.0)


def test_reading_features_again_is_part_of_what_labelling_cost(space):
    """It was paid, beside the answers; the seconds of labelling are those of the forecast's one pass."""
    for purpose, texts, seconds, usd in (
        ("transfer", 80, 8.0, 0.8), ("holdout", 20, 2.0, 0.2), ("features", 50, 5.0, 0.5),
    ):  # fmt: skip
        SpendingLog(spending_folder(space.store, TEACHER), purpose).add(texts, seconds, usd)
    found = run_actuals(space, finished(), FORESEEN, None)
    assert found.values["labelling_s"] == pytest.approx(8.0)
    assert found.values["labelling_usd"] == pytest.approx(1.5)


def test_a_run_that_asked_everything_knows_itself(space):
    """Without notes, its own seconds and USD are the whole."""
    done = finished(asked=100, seconds=12.0, transfer_seconds=10.0, usd=1.2)
    found = run_actuals(space, done, FORESEEN, None)
    assert found.values["labelling_s"] == 10.0
    assert found.values["labelling_usd"] == 1.2


def test_a_part_stands_for_the_whole_and_says_so(space):
    """Half of the answers were asked by an earlier run that left no notes."""
    found = run_actuals(space, finished(asked=50, seconds=6.0, usd=0.6), FORESEEN, None)
    assert found.values["labelling_usd"] == pytest.approx(1.2)
    assert "scaled from the 50 of 100" in found.sources["labelling_usd"]


def test_what_nobody_noted_is_missing(space):
    """No answer was asked now, none was noted: neither seconds nor USD are made up."""
    found = run_actuals(space, finished(), FORESEEN, None)
    assert {"labelling_s", "labelling_usd", "run_usd"} <= set(found.missing)
    assert found.values["training_usd"] == pytest.approx(1.0)


def test_hours_without_a_price_cost_what_the_plan_assumed(space):
    """12 seconds at the planned 3,600 USD an hour."""
    done = finished(asked=100, seconds=12.0, transfer_seconds=10.0, usd=None)
    assert run_actuals(space, done, FORESEEN, None).values["labelling_usd"] == pytest.approx(12.0)


def test_what_the_proof_trained_is_training_and_what_compare_trained_is_said(space):
    """The plan foresees the routes of the proof; the arms of --compare would make it look wrong."""
    direct, labels = ({"name": name, "seconds": 200.0} for name in ("direct jump", "labels only"))
    routes = [direct, {"name": "without 2M", "seconds": 300.0}]
    done = finished(asked=100, seconds=12.0, transfer_seconds=10.0, usd=None)
    alone = run_actuals(space, done, FORESEEN, None)
    assert "--compare" not in alone.sources["training_usd"]
    done |= {"proof": {"routes": routes}}
    proven = run_actuals(space, done, FORESEEN, None).values["training_usd"]
    assert proven == pytest.approx(alone.values["training_usd"] + 5.0)
    done |= {"controls": {"direct": direct, "labels_only": labels, "comparisons": []}}
    compared = run_actuals(space, done, FORESEEN, None)
    assert compared.values["training_usd"] == proven
    assert "without the 2 USD of --compare" in compared.sources["training_usd"]


def test_the_direct_jump_of_one_stage_is_that_stage_and_costs_nothing_more(space):
    """Its seconds are the stage's, and are counted once."""
    done = finished(asked=100, seconds=12.0, transfer_seconds=10.0, usd=None)
    alone = run_actuals(space, done, FORESEEN, None)
    (stage,) = done["stages"]
    done |= {"controls": {"direct": stage, "labels_only": stage | {"name": "labels only"}, "comparisons": []}}
    compared = run_actuals(space, done, FORESEEN, None)
    assert compared.values["training_usd"] == alone.values["training_usd"]
    assert "without the 1 USD of --compare" in compared.sources["training_usd"]


def test_quality_and_traffic(space):
    """What the artifact and the stages reached; a rate from a day of traffic on."""
    found = run_actuals(space, finished(), FORESEEN, Volume(3000, 0.0, 2 * 86_400.0))
    assert found.values["agreement"] == 0.9
    assert found.values["agreement:2M"] == 0.8
    assert "retention" in found.missing
    assert found.values["requests_per_day"] == pytest.approx(1500.0)
    assert "requests_per_day" in run_actuals(space, finished(), FORESEEN, Volume(9, 0.0, 60.0)).missing

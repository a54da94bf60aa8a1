"""A forecast is kept as it was made and held against what happened."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from coffey.core.records import Origin
from coffey.core.settings import Settings
from coffey.economics.figures import measured
from coffey.economics.forecast import Forecast, forecast
from coffey.economics.inputs import PlanInputs
from coffey.economics.known import Known
from coffey.economics.probe_result import ProbeResult
from coffey.economics.project_inputs import project_inputs
from coffey.economics.reconcile import reconcile, reconciled_json


def test_a_forecast_survives_its_file(settings: Callable[..., Settings], probe: ProbeResult) -> None:
    """Read back, it is equal; with a probe it forecasts time, latency and money."""
    made = forecast(project_inputs(settings(), Known(rows=1000, probe=probe)))
    assert set(made.figures) == {
        "labelling_s", "stage_s:7M", "stage_s:2M", "stage_s:700K", "teacher_p50_ms", "student_p50_ms",
        "run_usd",
    }  # fmt: skip
    assert made.figures["labelling_s"].value == pytest.approx(1000 / 80)
    assert made.figures["run_usd"].origin is Origin.MEASURED
    assert Forecast.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_a_forecast_leaves_out_what_nothing_is_known_of(priced: Callable[..., PlanInputs]) -> None:
    """A teacher priced by the request has no labelling time before it was asked."""
    assert "labelling_s" not in forecast(priced()).figures
    assert "student_p50_ms" not in forecast(priced()).figures


def test_errors_are_relative_to_what_happened() -> None:
    """30 forecast and 20 happened is half too much; what did not happen is left out."""
    made = Forecast({name: measured(30.0, "s", "") for name in ("a", "b", "c", "d")})
    rows = reconcile(made, {"a": 20.0, "b": 60.0, "d": 0.0})
    assert [(row.name, row.error) for row in rows] == [("a", 0.5), ("b", -0.5), ("d", None)]
    assert reconciled_json(rows)[0] == {
        "name": "a", "unit": "s", "forecast": 30.0, "actual": 20.0, "error": 0.5,
        "origin": "measured here", "source": "",
    }  # fmt: skip
    assert reconcile(made, {"a": 20.0}, {"a": "a clock"})[0].source == "a clock"
    assert reconcile(Forecast({"z": measured(0.0, "s", "")}), {"z": 0.0})[0].error == 0.0

"""What a record makes of forecasts, and what it leaves alone."""

from __future__ import annotations

import pytest

from coffey.core.records import Origin
from coffey.economics.calibration import Calibration, Observed
from coffey.project.forecasts import calibrated_rows

ROWS = {
    "stage_s:2M": {"value": 100.0, "unit": "s", "origin": "measured here", "note": ""},
    "retention": {"value": 0.97, "unit": "share", "origin": "measured here", "note": ""},
}


def record() -> Calibration:
    """One run in which both came to twice what was forecast."""
    return Calibration.of(
        Observed(run="a", figure=name, origin=Origin.MEASURED, forecast=1.0, actual=2.0) for name in ROWS
    )


def test_a_record_moves_and_widens_a_forecast() -> None:
    """What is held against the next run stays as it was."""
    row = calibrated_rows(ROWS, record())["stage_s:2M"]
    assert row["value"] == 100.0
    assert row["low"] < 100.0 < row["expected"] < row["high"]
    assert row["runs"] == 1


def test_quality_has_the_interval_of_the_pilot_that_foresaw_it() -> None:
    """The pilot has learned from earlier runs already: one figure has one interval everywhere."""
    row = calibrated_rows(ROWS, record(), {"retention": (0.95, 0.98)})["retention"]
    assert (row["low"], row["expected"], row["high"]) == pytest.approx((0.95, 0.97, 0.98))

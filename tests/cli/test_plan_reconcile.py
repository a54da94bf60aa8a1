"""Forecast, actual and error are drawn as they are."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from coffey.cli.plan_reconcile import draw

VALUE = {
    "run": "abc",
    "artifact": "/store/artifacts/f00d",
    "forecast_at": "2026-01-12T10:20:41.530Z",
    "made_at": "2026-01-12T11:20:41.530Z",
    "figures": [
        {
            "name": "stage_s:2M", "unit": "s", "forecast": 30.0, "actual": 20.0, "error": 0.5,
            "origin": "measured here", "source": "all runs of the stage together",
        },
        {
            "name": "run_usd", "unit": "USD", "forecast": 1.0, "actual": 0.0, "error": None,
            "origin": "assumed", "source": "",
        },
    ],
    "missing": {"requests_per_day": "nothing was served yet"},
    "next": [
        {"kind": "stage_s", "origin": "measured here", "runs": 1, "centre": 0.92, "low": 0.8, "high": 1.1},
        {"kind": "run_usd", "origin": "assumed", "runs": 0, "centre": 1.0, "low": 0.5, "high": 2.0},
    ],
}  # fmt: skip


def test_every_figure_has_its_row() -> None:
    """Errors have a sign; what was not compared says why; a kind without a run teaches nothing yet."""
    written = StringIO()
    Console(file=written, width=140).print(draw(VALUE))
    shown = written.getvalue()
    assert "+50.0 %" in shown
    assert "stage s 2M" in shown
    assert "2026-01-12 10:20:41 UTC" in shown
    assert "Not compared: requests per day: nothing was served yet." in shown
    assert "0.80 to 1.10" in shown
    assert "0.50 to 2.00" not in shown

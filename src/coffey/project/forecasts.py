"""What plans have forecast, kept in the order it was said: a forecast counts only before the fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coffey.core.clock import utc_now
from coffey.core.eventlog import EventLog
from coffey.core.ids import canonical_json
from coffey.core.records import Origin
from coffey.dashboard.plain import plain
from coffey.economics.calibration import Calibration, Observed
from coffey.economics.figure_ranges import RANGE
from coffey.economics.forecast import Forecast
from coffey.project.workspace import Workspace

_SAID = ("student_rps", "requests_per_day")
"""Figures of a plan that are forecasts by themselves, beside those of `forecast`."""

_ROW = ("value", "unit", "origin", "note", "modelled")

_PRICES = ("teacher_usd_per_hour", "training_usd_per_hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptForecast:
    """A forecast, and what else the plan said that is needed to hold it against what happened."""

    at: str
    """ISO 8601 in UTC."""
    forecast: Forecast
    run_usd: Mapping[str, float]
    """The parts of the run's cost, by their names in `costs.run` of a plan's JSON."""
    prices: Mapping[str, float]
    """USD an hour: `teacher_usd_per_hour` and `training_usd_per_hour`, where the plan has them."""


def forecast_rows(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a plan's JSON forecasts: `forecast`, and the figures that are forecasts themselves."""
    said = {name: plan["figures"][name] for name in _SAID if name in plan["figures"]}
    rows = {**plan["forecast"], **said}
    return {name: {part: row[part] for part in _ROW} for name, row in rows.items()}


def keep_forecast(space: Workspace, plan: Mapping[str, Any]) -> None:
    """Append what a plan's JSON forecasts, unless the last plan said the same."""
    said = {
        "forecast": forecast_rows(plan),
        "run_usd": (plan.get("costs") or {}).get("run") or {},
        "prices": {name: plan["figures"][name]["value"] for name in _PRICES if name in plan["figures"]},
    }
    log = _log(space)
    while True:
        events = list(log.read())
        last = {name: events[-1].body[name] for name in said} if events else None
        if canonical_json(last) == canonical_json(plain(said)):
            return
        if log.append(len(events) + 1, {"at": utc_now(), **said}):
            return


def forecast_before(space: Workspace, moment: str) -> KeptForecast | None:
    """The last forecast that was kept before `moment` (ISO 8601 in UTC, to the millisecond); None without."""
    found = None
    for event in _log(space).read():
        found = event.body if event.body["at"] < moment else found
    if found is None:
        return None
    return KeptForecast(
        at=found["at"],
        forecast=Forecast.from_json(found["forecast"]),
        run_usd=found["run_usd"],
        prices=found["prices"],
    )


def calibrated_rows(
    rows: Mapping[str, Mapping[str, Any]],
    calibration: Calibration,
    ends: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """Forecast rows with what the record makes of each: `expected` between `low` and `high`.

    The forecast itself (`value`) stays as it was: it is what the next run is held against.

    Args:
        rows: by figure.
        calibration: the record.
        ends: low and high of figures that carry what earlier runs taught already (the quality of a pilot).
    """
    found, own = {}, ends or {}
    for name, row in rows.items():
        figure = Forecast.from_json({name: row}).figures[name]
        known = calibration.calibrated(
            name, RANGE.get(figure.origin, 1.0), origin=figure.origin, modelled=figure.modelled
        )
        low, high = own.get(name) or known.around(row["value"])
        expected = row["value"] if name in own else row["value"] * known.centre
        found[name] = {**row, "expected": expected, "low": low, "high": high, "runs": known.runs}
    return found


def read_outcomes(space: Workspace) -> list[Observed]:
    """What earlier runs came to, beside their forecasts."""
    return [_observed(event.body) for event in _outcomes(space).read()]


def keep_outcome(space: Workspace, outcome: Observed) -> None:
    """Keep one figure of one run; the first that is kept of it stays."""
    log = _outcomes(space)
    while True:
        bodies = [event.body for event in log.read()]
        if any((one["run"], one["figure"]) == (outcome.run, outcome.figure) for one in bodies):
            return
        if log.append(len(bodies) + 1, _body(outcome)):
            return


def _body(outcome: Observed) -> dict[str, Any]:
    return {
        "run": outcome.run,
        "figure": outcome.figure,
        "origin": outcome.origin.value,
        "forecast": outcome.forecast,
        "actual": outcome.actual,
        "modelled": outcome.modelled,
    }


def _observed(body: dict[str, Any]) -> Observed:
    return Observed(
        run=body["run"],
        figure=body["figure"],
        origin=Origin(body["origin"]),
        forecast=body["forecast"],
        actual=body["actual"],
        modelled=body.get("modelled", False),
    )


def _log(space: Workspace) -> EventLog:
    return EventLog(space.store / "forecasts")


def _outcomes(space: Workspace) -> EventLog:
    return EventLog(space.store / "calibration")

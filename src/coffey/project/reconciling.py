"""`plan --reconcile`: the forecast that was made before a run beside what the run came to, and the lesson."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffey.artifact.read import read_manifest
from coffey.core.errors import MissingExtra, PlanError
from coffey.core.ids import digest_json
from coffey.core.records import Figure, JsonObject
from coffey.economics.calibration import Calibration, Observed, kind_of
from coffey.economics.figure_ranges import RANGE
from coffey.economics.forecast import Forecast
from coffey.economics.reconcile import Reconciled, reconcile, reconciled_json
from coffey.project.actuals import planned_parts, run_actuals
from coffey.project.forecasts import KeptForecast, forecast_before, keep_outcome, read_outcomes
from coffey.project.piloting import keep_reached
from coffey.project.reporting import keep_result, kept_result
from coffey.project.workspace import Workspace

if TYPE_CHECKING:
    from coffey.traffic.volume import Volume

_QUALITY = ("agreement", "retention")

_WEEK_DAYS = 7.0
"""Traffic has its weekdays: less of it is shown, but nothing is learned from it."""


def reconcile_project(space: Workspace) -> JsonObject:
    """Forecast, actual and error of the last run; what it teaches is kept, once, for the next forecast.

    The forecast is that of the last plan before the student was made. May be called again, when `bench` has
    timed the student and traffic has come in: figures that are new are added.

    Raises:
        MissingExtra: the traffic log is read with the extra `watch`.
        PlanError: there is no run yet, or no plan was made before it.
        ArtifactError: the run's artifact cannot be read or trusted.
        StoreUnavailable: a log cannot be read or written.
    """
    done = kept_result(space, "distill")
    if done is None:
        raise PlanError("There is nothing to hold a forecast against yet. Run `coffey distill` first.")
    artifact = space.store / "artifacts" / Path(done["artifact"]).name
    made = read_manifest(artifact, trust=space.trust).lineage.created
    foreseen = forecast_before(space, made)
    if foreseen is None:
        raise PlanError(f"No plan was made before this run ({made}). Run `coffey plan` before the next one.")
    volume = _served(space)
    actuals = run_actuals(space, done, foreseen, volume)
    rows = reconcile(_with_parts(foreseen), actuals.values, actuals.sources)
    run = _run(done)
    for row in rows:
        if row.name != "requests_per_day" or (volume and volume.days >= _WEEK_DAYS):
            keep_outcome(space, _observed(run, row))
    keep_reached(space, run, made, done)
    calibration = Calibration.of(read_outcomes(space))
    value = {
        "run": run,
        "artifact": str(artifact),
        "forecast_at": foreseen.at,
        "made_at": made,
        "figures": reconciled_json(rows),
        "missing": {name: why for name, why in actuals.missing.items() if name in foreseen.forecast.figures},
        "next": _lessons(rows, calibration),
    }
    keep_result(space, "reconcile", value)
    return value


def _with_parts(foreseen: KeptForecast) -> Forecast:
    """The forecast with the parts of its cost that can be measured, so that people do not hide them."""
    total = foreseen.forecast.figures["run_usd"]
    note = "part of run_usd"
    parts = {
        name: Figure(usd, total.unit, total.origin, note) for name, usd in planned_parts(foreseen).items()
    }
    return Forecast({**foreseen.forecast.figures, **parts})


def _run(done: Mapping[str, Any]) -> str:
    """Names a run by what was trained on what: exporting it again is no other run."""
    trained = [[stage["name"], stage["seconds"]] for stage in done["stages"]]
    return digest_json([done["teacher"]["fingerprint"], done["labelling"]["digest"], trained])[:16]


def _observed(run: str, row: Reconciled) -> Observed:
    return Observed(
        run=run,
        figure=row.name,
        origin=row.origin,
        forecast=row.forecast,
        actual=row.actual,
        modelled=row.modelled,
    )


def _served(space: Workspace) -> Volume | None:
    try:
        from coffey.traffic.volume import served_volume
    except ModuleNotFoundError as exc:
        raise MissingExtra("plan --reconcile", "watch", exc.name or "pyarrow") from exc
    return served_volume(space.store)


def _lessons(rows: tuple[Reconciled, ...], calibration: Calibration) -> list[JsonObject]:
    """What the next forecast of each kind of figure is multiplied with; quality is corrected by a pilot."""
    found: dict[tuple[str, str], JsonObject] = {}
    for row in rows:
        if kind_of(row.name) in _QUALITY:
            continue
        known = calibration.calibrated(
            row.name, RANGE.get(row.origin, 1.0), origin=row.origin, modelled=row.modelled
        )
        found[kind_of(row.name), row.origin.value] = {
            "kind": kind_of(row.name),
            "origin": row.origin.value,
            "modelled": row.modelled,
            "runs": known.runs,
            "centre": known.centre,
            "low": known.low,
            "high": known.high,
        }
    return list(found.values())

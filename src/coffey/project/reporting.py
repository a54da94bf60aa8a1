"""Results kept in the store, and the pages drawn from them; a page needs jinja2, a result nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from coffey.core.clock import utc_now
from coffey.core.errors import CoffeyError, MissingExtra
from coffey.core.files import write_atomic
from coffey.core.records import JsonObject
from coffey.dashboard.plain import plain

if TYPE_CHECKING:
    from coffey.bench.result import BenchResult
    from coffey.project.distill_result import DistillResult
    from coffey.project.workspace import Workspace


def keep_result(space: Workspace, kind: str, result: JsonObject) -> None:
    """Keep what a command printed, for `coffey report` and for the next forecast."""
    write_atomic(_result_path(space, kind), json.dumps(plain(result), indent=1, allow_nan=False).encode())


def kept_result(space: Workspace, kind: str) -> dict[str, Any] | None:
    """The last result of a command, or None."""
    path = _result_path(space, kind)
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("it holds no object")
    except ValueError as exc:
        raise CoffeyError(
            f"{str(path)!r} is damaged ({exc}). Remove it and run coffey {kind} again."
        ) from exc
    return found


def result_stamp(space: Workspace, kind: str) -> int | None:
    """When the result of a command was kept last (nanoseconds); None where there is none."""
    try:
        return _result_path(space, kind).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def write_page(
    space: Workspace, kind: str, draw: Callable[[Mapping[str, object]], str], view: JsonObject
) -> str | None:
    """Draw a page into `reports/`; its path, or None when the extra that draws pages is missing."""
    path = space.store / "reports" / f"{kind}.html"
    try:
        write_atomic(path, draw(view).encode())
    except MissingExtra as exc:
        space.progress.say(f"No HTML report: {exc}")
        return None
    return str(path)


def keep_distill_report(space: Workspace, result: DistillResult) -> DistillResult:
    """Keep the result and draw its page."""
    from coffey.dashboard.reports import distill_report

    page = write_page(space, "distill", distill_report, distill_view(space.settings.project.name, result))
    result = dataclasses.replace(result, report=page)
    keep_result(space, "distill", cast(JsonObject, plain(result)))
    return result


def distill_view(name: str, result: DistillResult) -> JsonObject:
    """What the page of a distillation draws."""
    view = cast(dict[str, Any], plain(result))
    return {
        **view,
        "name": name,
        "data": {**data_view(view["labelling"]), "doubtful": view["doubtful"]},
        "time": utc_now(),
    }


def keep_bench_report(space: Workspace, result: BenchResult, artifact: Path) -> JsonObject:
    """Keep the result and draw its page; what `coffey bench --json` prints."""
    from coffey.dashboard.reports import bench_report

    said = {**bench_view(result), "artifact": str(artifact)}
    meta = {"name": space.settings.project.name, "time": utc_now(), "command": "coffey bench"}
    page = write_page(space, "bench", bench_report, {**said, **meta})
    said = {**said, "report": page}
    keep_result(space, "bench", said)
    return said


def bench_view(result: BenchResult) -> JsonObject:
    """A bench as `--json` prints it and the pages draw it."""
    said = cast(dict[str, Any], plain(result.to_json()))
    subjects = [said[who] for who in ("teacher", "student") if said[who]]
    curve = [
        {"rps": one["offered_rps"], "p50_ms": one["p50_ms"], "p99_ms": one["p99_ms"]} for one in said["curve"]
    ]
    slo = {"budget_ms": result.latency_p99_ms, "max_rps": result.max_rps_within_slo, "curve": curve}
    return {**said, "latencies": [one for subject in subjects for one in subject["latencies"]], "slo": slo}


def data_view(labelling: Mapping[str, Any]) -> JsonObject:
    """The counts of a `LabelResult`, as plain values, as the pages name them."""
    data = labelling["data"]
    return {
        "transfer": data["transfer_kept"],
        "holdout": data["holdout_kept"],
        "labels": labelling["labels"],
        "bad": data["bad_rows"],
        "duplicates": data["duplicates"],
        "exact": data["leaking_exact"],
        "near": data["leaking_near"],
        "removed": data["leaking_exact"] + data["leaking_near"],
        "augmented": data["augmented"],
        "calibration": labelling.get("calibration"),
    }


def whole_report(space: Workspace) -> Path:
    """One page with everything that was done in this project so far.

    Raises:
        CoffeyError: nothing has been done yet.
        MissingExtra: the extra that draws pages is missing.
    """
    from coffey.dashboard.reports import demo_report

    kept = {kind: kept_result(space, kind) for kind in ("plan", "distill", "bench", "demo")}
    found = {kind: value for kind, value in kept.items() if value is not None}
    if not found:
        raise CoffeyError(
            "Nothing to report yet. Run `coffey plan`, `coffey distill` or `coffey bench` first."
        )
    view: dict[str, Any] = {"name": space.settings.project.name, "time": utc_now()}
    for kind in ("bench", "distill", "demo"):
        view.update(found.get(kind, {}))
    if "plan" in found and "plan" not in view:
        view["plan"] = found["plan"]
    path = space.store / "reports" / "report.html"
    write_atomic(path, demo_report(view).encode())
    return path


def _result_path(space: Workspace, kind: str) -> Path:
    return space.store / "results" / f"{kind}.json"

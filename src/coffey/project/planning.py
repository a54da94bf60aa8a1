"""`plan`: costs, savings and the break-even day of this project, from measurements where there are any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from coffey.bench.machine import describe_machine
from coffey.core.errors import MissingExtra
from coffey.core.records import Figure, JsonObject, Origin
from coffey.dashboard.plain import plain
from coffey.data.source import ExampleSource
from coffey.economics.forecast import Forecast, forecast
from coffey.economics.known import Known
from coffey.economics.plan import Plan
from coffey.economics.plan_json import plan_json
from coffey.economics.probe_result import ProbeResult
from coffey.economics.project_inputs import plan_project as plan_settings
from coffey.economics.project_inputs import project_inputs
from coffey.economics.reconcile import reconcile, reconciled_json
from coffey.project.reporting import keep_result, kept_result, plan_view, write_page
from coffey.project.workspace import Workspace

if TYPE_CHECKING:
    from coffey.project.distilling import DistillResult


def plan_project(space: Workspace, *, probe: bool) -> JsonObject:
    """The project's plan; what `coffey plan --json` prints. It is kept, to be reconciled later.

    Raises:
        MissingExtra: `--probe` needs the extra `distill`.
        ProbeFailed, TeacherError, DataError: what was to be measured cannot be.
    """
    from coffey.dashboard.reports import plan_report

    texts = _texts(space)
    measured = _probe(space, texts) if probe else _kept_probe(space)
    if probe:
        keep_result(space, "probe", {"of": _probed_of(space), "probe": plain(measured)})
    known = Known(rows=len(texts), probe=measured, student_rps=_measured_rate(space))
    said = said_plan(plan_settings(space.settings, known), forecast(project_inputs(space.settings, known)))
    value: dict[str, Any] = {**said, "probe": plain(measured)}
    view = {**plan_view(value), "name": space.settings.project.name, "command": "coffey plan"}
    if measured is not None:
        view["machine"] = plain(measured.machine)
    value["report"] = write_page(space, "plan", plan_report, view)
    keep_result(space, "plan", value)
    return value


def said_plan(plan: Plan, foreseen: Forecast) -> JsonObject:
    """A plan with its forecast as plain values."""
    return {**plan_json(plan), "forecast": foreseen.to_json()}


def reconciled(
    foreseen: JsonObject, result: DistillResult | JsonObject, bench: JsonObject, settings_usd: float
) -> list[JsonObject]:
    """Forecast beside actual, from what `distill` and `bench` printed.

    Args:
        foreseen: `forecast` of a plan's JSON.
        result: what `distill` came to.
        bench: what `bench` printed.
        settings_usd: what the run cost, in USD.
    """
    done = cast(dict[str, Any], plain(result))
    timed = cast(dict[str, Any], bench["latency"])
    labelling = done["labelling"]
    whole = labelling["asked"] == labelling["labels"] + labelling["holdout"]
    actuals = {
        # Where an earlier run had asked a part, this run's seconds are those of the rest alone.
        "labelling_s": labelling["transfer_teacher_seconds"] if whole else None,
        **{f"stage_s:{stage['name']}": stage["seconds"] for stage in done["stages"]},
        "teacher_p50_ms": timed["teacher_p50_ms"],
        "student_p50_ms": timed["student_p50_ms"],
        "run_usd": settings_usd,
    }
    known = {name: value for name, value in actuals.items() if value is not None}
    return reconciled_json(reconcile(Forecast.from_json(cast(Any, foreseen)), known))


def _probe(space: Workspace, texts: list[str]) -> ProbeResult:
    try:
        from coffey.probe.probe import probe
    except ModuleNotFoundError as exc:
        raise MissingExtra("plan --probe", "distill", exc.name or "torch") from exc
    return probe(space.teacher, texts, space.settings, progress=space.progress)


def _kept_probe(space: Workspace) -> ProbeResult | None:
    """What an earlier `plan --probe` measured here, so that it is not assumed again."""
    kept = kept_result(space, "probe")
    if kept is None or kept["of"] != _probed_of(space):
        return None
    return msgspec.convert(kept["probe"], ProbeResult)


def _probed_of(space: Workspace) -> object:
    """What a probe's figures depend on: the teacher, the chain, the machine. Of others they say nothing."""
    machine = describe_machine()
    settings = space.settings
    return plain([settings.teacher, settings.chain, machine.cpu, machine.cores])


def _measured_rate(space: Workspace) -> Figure | None:
    """The rate at which `coffey bench` found the promise to hold for what is, or is about to be, served."""
    bench = kept_result(space, "bench")
    if bench is None or not bench["max_rps_within_slo"]:
        return None
    ours = {space.registry.resolve(name).digest for name in space.registry.aliases()}
    if Path(bench["artifact"]).name not in ours:
        return None
    return Figure(bench["max_rps_within_slo"], "requests a second", Origin.MEASURED, "coffey bench")


def _texts(space: Workspace) -> list[str]:
    settings = space.settings
    source = ExampleSource(
        settings.data.transfer,
        text=settings.task.text,
        label=settings.task.label,
        bad_rows=settings.data.bad_rows,
        label_required=False,
    )
    return list(dict.fromkeys(example.text for example in source))

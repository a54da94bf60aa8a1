"""`plan`: costs, savings and the break-even day of this project, from measurements where there are any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from coffey.bench.machine import describe_machine
from coffey.core.errors import MissingExtra
from coffey.core.records import Figure, JsonObject, Origin
from coffey.core.settings import Settings
from coffey.dashboard.plain import plain
from coffey.data.source import ExampleSource
from coffey.economics.calibration import Calibration
from coffey.economics.forecast import Forecast, forecast
from coffey.economics.known import Known
from coffey.economics.plan import Plan
from coffey.economics.plan_json import plan_json
from coffey.economics.probe_result import ProbeResult
from coffey.economics.project_inputs import project_inputs
from coffey.project.candidates import (
    candidate_stages,
    judge_candidates,
    planned,
    said_frontier,
    with_stages,
)
from coffey.project.forecasts import calibrated_rows, forecast_rows, keep_forecast, read_outcomes
from coffey.project.piloting import kept_pilot, qualities, quality_ends, quality_rows, run_pilot
from coffey.project.reporting import keep_result, kept_result, write_page
from coffey.project.workspace import Workspace
from coffey.teacher.saved_size import saved_params


def plan_project(
    space: Workspace, *, probe: bool = False, quick: bool = False, pilot: bool = False
) -> JsonObject:
    """The project's plan; what `coffey plan --json` prints. It is kept, to be reconciled later.

    Args:
        space: the project.
        probe: measure the teacher and every candidate's untrained student first.
        quick: of a probe, only what can be timed in process: no server, shorter timings.
        pilot: train the candidates on small subsets first, to foresee their quality.

    Raises:
        MissingExtra: `--probe` and `--pilot` need the extra `distill`.
        ProbeFailed, TeacherError, DataError: what was to be measured cannot be.
    """
    from coffey.dashboard.reports import plan_report

    texts = _texts(space, space.settings.data.transfer)
    teacher_params = _teacher_params(space, measuring=probe or pilot)
    all_stages = with_stages(space.settings, candidate_stages(space.settings, teacher_params))
    measured = _probe(space, all_stages, texts, quick) if probe else _kept_probe(space, all_stages)
    piloted = run_pilot(space, all_stages) if pilot else kept_pilot(space, all_stages)
    pilots = piloted.results
    record = Calibration.of(read_outcomes(space))
    known = Known(
        rows=len(texts),
        made_rows=_made_rows(space.settings, len(texts)),
        holdout_rows=len(_texts(space, space.settings.data.holdout)),
        probe=measured,
        teacher_pace=piloted.pace,
        teacher_params=teacher_params,
        student_rps=_benched_rate(space),
        student_stage=_benched_stage(space),
    )
    frontier = judge_candidates(space.settings, known, qualities(pilots), record=record)
    chosen = planned(space.settings, frontier)
    inputs = project_inputs(with_stages(space.settings, chosen.stages), known)
    foreseen = Forecast({**forecast(inputs).figures, **quality_rows(pilots, chosen.name)})
    value: dict[str, Any] = {
        **said_plan(chosen.plan, foreseen),
        "probe": plain(measured),
        "pilot": plain(pilots) or None,
        "frontier": said_frontier(space.settings, frontier),
    }
    if measured is not None and measured.noise_warning:
        value["notes"] = [*value["notes"], f"While the probe measured: {measured.noise_warning}"]
    keep_forecast(space, value)
    ends = {**quality_ends(pilots, chosen.name), **_benched_ends(chosen.plan, known)}
    value["forecast"] = calibrated_rows(forecast_rows(value), record, ends)
    view = {**value, "name": space.settings.project.name, "command": "coffey plan"}
    if measured is not None:
        view["machine"] = plain(measured.machine)
    value["report"] = write_page(space, "plan", plan_report, view)
    keep_result(space, "plan", value)
    return value


def _made_rows(settings: Settings, read: int) -> int:
    """As many texts as `data.augment` makes of those read, at most."""
    return round(settings.data.augment * (1 - settings.chain.validation) * read)


def said_plan(plan: Plan, foreseen: Forecast) -> JsonObject:
    """A plan with its forecast as plain values."""
    return {**plan_json(plan), "forecast": foreseen.to_json()}


def _teacher_params(space: Workspace, *, measuring: bool) -> int | None:
    """The teacher's parameters: counted where it is loaded, as when it last was, or from its files."""
    wanted = space.settings.teacher
    identity = plain(wanted)
    if not measuring:
        kept = kept_result(space, "teacher")
        if kept and kept["of"] == identity:
            params: int | None = kept["params"]
            return params
        return saved_params(Path(wanted.source)) if wanted.kind == "transformers" else None
    loaded = space.teacher.params
    keep_result(space, "teacher", {"of": identity, "params": loaded})
    return loaded


def _probe(space: Workspace, settings: Settings, texts: list[str], quick: bool) -> ProbeResult:
    try:
        from coffey.probe.options import QUICK, ProbeOptions
        from coffey.probe.probe import probe
        from coffey.project.benching import teacher_shelf
    except ModuleNotFoundError as exc:
        raise MissingExtra("plan --probe", "distill", exc.name or "torch") from exc
    measured = probe(
        space.teacher,
        texts,
        settings,
        options=QUICK if quick else ProbeOptions(),
        shelf=teacher_shelf(space),
        progress=space.progress,
    )
    keep_result(space, "probe", {"of": _probed_of(settings), "probe": plain(measured)})
    return measured


def _kept_probe(space: Workspace, settings: Settings) -> ProbeResult | None:
    """What an earlier `plan --probe` measured here, so that it is not assumed again."""
    kept = kept_result(space, "probe")
    if kept is None or kept["of"] != _probed_of(settings):
        return None
    return msgspec.convert(kept["probe"], ProbeResult)


def _probed_of(settings: Settings) -> object:
    """What a probe's figures depend on: the teacher, the chain, the machine. Of others they say nothing."""
    machine = describe_machine()
    return plain([settings.teacher, settings.chain, machine.cpu, machine.cores])


def _benched_rate(space: Workspace) -> Figure | None:
    """The rate at which `coffey bench` found the promise to hold for what is, or is about to be, served."""
    bench = kept_result(space, "bench")
    if bench is None or not bench["max_rps_within_slo"]:
        return None
    if bench["latency_p99_ms"] != space.settings.budget.latency_p99_ms:
        return None
    ours = {space.registry.resolve(name).digest for name in space.registry.aliases()}
    if Path(bench["artifact"]).name not in ours:
        return None
    return Figure(bench["max_rps_within_slo"], "requests a second", Origin.MEASURED, "coffey bench")


def _benched_ends(plan: Plan, known: Known) -> dict[str, tuple[float, float]]:
    """Low and high of the rate where it is the one that was benched: the record is of forecasts of it."""
    name = "student_rps"
    return {name: plan.ranges[name]} if plan.figures[name] == known.student_rps else {}


def _benched_stage(space: Workspace) -> str | None:
    """The stage whose student was benched; None when the last `distill` did not make that student."""
    bench, done = kept_result(space, "bench"), kept_result(space, "distill")
    if bench is None or done is None or Path(bench["artifact"]).name != Path(done["artifact"]).name:
        return None
    return str(done["stages"][-1]["name"])


def _texts(space: Workspace, files: tuple[str, ...] | str) -> list[str]:
    """The distinct texts of some of the project's files."""
    settings = space.settings
    source = ExampleSource(
        files,
        text=settings.task.text,
        label=settings.task.label,
        bad_rows=settings.data.bad_rows,
        label_required=False,
        separator=settings.task.label_separator,
    )
    return list(dict.fromkeys(example.text for example in source))

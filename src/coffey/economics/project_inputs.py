"""The plan of a project: configured where the file says so, measured where a probe did, else assumed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from coffey.core.records import Figure, Origin
from coffey.core.settings import Settings
from coffey.economics import assumptions
from coffey.economics.capacity import capacity_within, rate_figure
from coffey.economics.figures import assumed, configured, measured
from coffey.economics.inputs import PlanInputs
from coffey.economics.known import Known
from coffey.economics.plan import Plan, make_plan
from coffey.economics.student_figures import stage_costs, student_service
from coffey.economics.teacher_figures import teacher_figures

RANGE = {Origin.MEASURED: 1.1, Origin.ASSUMED: 2.0}
"""Factor down and up that a figure may be wrong by: a timing on a machine with neighbours; a guess."""

_EXACT = frozenset({"transfer_rows", "teacher_int8_speedup", "teacher_p50_ms", "student_p50_ms"})
"""Counted, or without effect on the break-even of the student."""

_CONTROL_ARMS = 2
"""The direct jump and the label-only student, each with the compute of the whole chain."""


def plan_project(settings: Settings, known: Known) -> Plan:
    """The plan of a project, with notes on what does not hold.

    Raises:
        ConfigError: `chain.stages` names a stage whose size cannot be told and that was not probed.
    """
    return make_plan(project_inputs(settings, known), notes=_notes(settings, known))


def project_inputs(settings: Settings, known: Known) -> PlanInputs:
    """The figures of a project's plan.

    Raises:
        ConfigError: as `plan_project`.
    """
    economics = settings.economics
    machine = _machine(economics.student_usd_per_hour)
    teacher = teacher_figures(settings, known, machine)
    service = student_service(settings, known)
    inputs = PlanInputs(
        requests_per_day=configured(
            economics.requests_per_day, "requests a day", "economics.requests_per_day"
        ),
        horizon_days=configured(economics.horizon_days, "days", "economics.horizon_days"),
        peak_to_mean=configured(economics.peak_to_mean, "peak over mean", "economics.peak_to_mean"),
        replicas=configured(economics.replicas, "machines", "economics.replicas"),
        audits_per_day=configured(settings.monitor.audits_per_day, "answers a day", "monitor.audits_per_day"),
        transfer_rows=measured(known.rows, "inputs", "counted"),
        teacher_usd_per_1k=teacher.usd_per_1k,
        teacher_usd_per_hour=teacher.usd_per_hour,
        teacher_texts_per_s=teacher.texts_per_s,
        teacher_rps=teacher.rps,
        teacher_int8_speedup=teacher.int8_speedup,
        teacher_p50_ms=teacher.p50_ms,
        student_usd_per_hour=machine,
        student_rps=known.student_rps or rate_figure(service, latency_p99_ms=settings.budget.latency_p99_ms),
        student_p50_ms=service if service.origin is Origin.MEASURED else None,
        training_usd_per_hour=_training(economics.training_usd_per_hour, machine),
        controls_share=configured(
            _CONTROL_ARMS if known.compare else 0, "x the chain's training", "distill --compare"
        ),
        people_hours=configured(economics.people_hours, "hours", "economics.people_hours"),
        people_usd_per_hour=configured(
            economics.people_usd_per_hour, "USD an hour", "economics.people_usd_per_hour"
        ),
        stages=stage_costs(settings, known),
    )
    return dataclasses.replace(inputs, ranges=_ranges(inputs.figures()))


def _machine(usd_per_hour: float | None) -> Figure:
    if usd_per_hour is not None:
        return configured(usd_per_hour, "USD an hour", "economics.student_usd_per_hour")
    note = "AWS c6i.xlarge, on demand, us-east-1, 2024; set economics.student_usd_per_hour"
    return assumed(assumptions.MACHINE_USD_PER_HOUR, "USD an hour", note)


def _training(usd_per_hour: float | None, machine: Figure) -> Figure:
    if usd_per_hour is None:
        return machine
    return configured(usd_per_hour, "USD an hour", "economics.training_usd_per_hour")


def _ranges(figures: Mapping[str, Figure]) -> dict[str, tuple[float, float]]:
    return {
        name: (figure.value / RANGE[figure.origin], figure.value * RANGE[figure.origin])
        for name, figure in figures.items()
        if figure.origin in RANGE and name not in _EXACT
    }


def _notes(settings: Settings, known: Known) -> tuple[str, ...]:
    limit = settings.budget.latency_p99_ms
    service = student_service(settings, known)
    if known.student_rps or capacity_within(1000.0 / service.value, latency_p99_ms=limit).holds:
        return ()
    return (f"The student needs {service.value:.3g} ms a request: p99 will not stay within {limit:g} ms.",)

"""The plan of a project: configured where the file says so, measured where a probe did, else assumed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from coffey.core.records import Figure, Origin
from coffey.core.settings import EconomicsSettings, Settings
from coffey.economics import assumptions
from coffey.economics.alternative_figures import alternative_figures, pretrained_note
from coffey.economics.capacity import capacity_within
from coffey.economics.figure_ranges import configured_ranges, figure_ranges, wide_ranges
from coffey.economics.figures import assumed, configured, measured
from coffey.economics.inputs import PlanInputs
from coffey.economics.known import Known
from coffey.economics.plan import Plan, make_plan
from coffey.economics.running_figures import not_counted, running_figures
from coffey.economics.student_figures import measured_rate, stage_costs, student_rate, student_service
from coffey.economics.teacher_figures import teacher_figures

_MOST_ROUTES = 2
"""What the proof of a chain that earns its place trains beside it, each with the compute of the whole chain:
the direct jump, and the chain without its last middle stage."""


def plan_project(settings: Settings, known: Known) -> Plan:
    """The plan of a project, with notes on what does not hold.

    Raises:
        ConfigError: `chain.stages` names a stage whose size cannot be told and that was not probed.
    """
    plan = make_plan(project_inputs(settings, known), notes=_notes(settings, known))
    return dataclasses.replace(plan, caveat=_caveat(plan.figures.get("teacher_rps"), known))


def project_inputs(settings: Settings, known: Known) -> PlanInputs:
    """The figures of a project's plan.

    Raises:
        ConfigError: as `plan_project`.
    """
    economics = settings.economics
    machine = _machine(economics.student_usd_per_hour)
    teacher = teacher_figures(settings, known, machine)
    service = student_service(settings, known)
    optional: dict[str, Any] = {
        **running_figures(settings, known),
        **alternative_figures(settings, known),
    }
    inputs = PlanInputs(
        requests_per_day=_economic(settings, "requests_per_day", "requests a day"),
        horizon_days=_economic(settings, "horizon_days", "days"),
        peak_to_mean=_economic(settings, "peak_to_mean", "peak over mean"),
        replicas=_economic(settings, "replicas", "machines"),
        audits_per_day=configured(settings.monitor.audits_per_day, "answers a day", "monitor.audits_per_day"),
        transfer_rows=measured(known.rows + known.made_rows, "inputs", "counted, with those that are made"),
        teacher_usd_per_1k=teacher.usd_per_1k,
        teacher_usd_per_hour=teacher.usd_per_hour,
        teacher_texts_per_s=teacher.texts_per_s,
        teacher_rps=teacher.rps,
        teacher_int8_speedup=teacher.int8_speedup,
        teacher_p50_ms=teacher.p50_ms,
        student_usd_per_hour=machine,
        student_rps=student_rate(settings, known),
        student_p50_ms=service if service.origin is Origin.MEASURED else None,
        training_usd_per_hour=_training(economics.training_usd_per_hour, machine),
        controls_share=_controls_share(settings),
        people_hours=_economic(settings, "people_hours", "hours"),
        people_usd_per_hour=_economic(settings, "people_usd_per_hour", "USD an hour"),
        stages=stage_costs(settings, known),
        pretrained_note=pretrained_note(known),
        **optional,
    )
    return dataclasses.replace(inputs, ranges=figure_ranges(inputs.figures(), settings, known.ranges))


def _controls_share(settings: Settings) -> Figure:
    """What the proof trains beside the chain; a stage that does not earn its place may cost one more."""
    before = len(settings.chain.stages) - 1
    routes = min(before, _MOST_ROUTES) if settings.chain.prove else 0
    return configured(routes, "x the chain's training", "chain.prove")


def _economic(settings: Settings, name: str, unit: str) -> Figure:
    """A figure of `[economics]`; its note tells a default from what the file says."""
    value, key = getattr(settings.economics, name), f"economics.{name}"
    is_default = value == getattr(EconomicsSettings(), name)
    return configured(float(value), unit, f"{key}, as by default" if is_default else key)


def _machine(usd_per_hour: float | None) -> Figure:
    if usd_per_hour is not None:
        return configured(float(usd_per_hour), "USD an hour", "economics.student_usd_per_hour")
    note = "AWS c6i.xlarge, on demand, us-east-1, 2024; set economics.student_usd_per_hour"
    return assumed(assumptions.MACHINE_USD_PER_HOUR, "USD an hour", note)


def _training(usd_per_hour: float | None, machine: Figure) -> Figure:
    if usd_per_hour is None:
        return machine
    return configured(float(usd_per_hour), "USD an hour", "economics.training_usd_per_hour")


def _caveat(teacher_rps: Figure | None, known: Known) -> str:
    """That the teacher's speed was assumed: what a machine of it serves is most of the answer."""
    if teacher_rps is None or teacher_rps.origin is not Origin.ASSUMED:
        return ""
    like = "from its size" if known.teacher_params else "to be BERT-base's, for its size is not known"
    return f"The teacher's speed was assumed, {like}: measure it with coffey plan --probe."


def _notes(settings: Settings, known: Known) -> tuple[str, ...]:
    left_out = list(not_counted(settings, known))
    missing = (f"Not counted: {'; '.join(left_out)}.",) if left_out else ()
    return (*_too_slow(settings, known), *wide_ranges(configured_ranges(settings)), *missing)


def _too_slow(settings: Settings, known: Known) -> Iterator[str]:
    """Who is priced at a rate at which the latency promise does not hold."""
    limit = settings.budget.latency_p99_ms
    teacher = teacher_figures(settings, known, _machine(settings.economics.student_usd_per_hour))
    served = {"teacher": teacher.service_ms}
    if not measured_rate(settings, known):
        served["student"] = student_service(settings, known)
    for who, service in served.items():
        if service is None or capacity_within(1000.0 / service.value, latency_p99_ms=limit).holds:
            continue
        yield (
            f"The {who} needs {service.value:.3g} ms a request: at half its speed, which it is priced at, "
            f"p99 will not stay within {limit:g} ms."
        )

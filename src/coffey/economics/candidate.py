"""One student that could be made: its chain, its costs, how fast and how good it would be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from coffey.core.records import Figure
from coffey.core.settings import Settings
from coffey.economics.assumptions import stage_params
from coffey.economics.calibration import Calibration, calibrated_ranges
from coffey.economics.figure_ranges import RANGE
from coffey.economics.figures import assumed, measured
from coffey.economics.known import Known
from coffey.economics.plan import Plan
from coffey.economics.probe_result import StageProbe
from coffey.economics.project_inputs import plan_project, project_inputs
from coffey.economics.propagation import propagated
from coffey.economics.quality_forecast import QualityForecast
from coffey.economics.run_cost import run_cost
from coffey.economics.student_figures import student_service

Span = tuple[float, float]
"""Low and high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A stage that could be the student that ships, with the plan of the chain that ends in it."""

    name: str
    stages: tuple[str, ...]
    """The chain, this student's stage last."""
    params: int | None
    """Counted by the probe, else the stage's target; None when its text does not tell."""
    size_bytes: int | None
    """Of the exported model; None without a probe."""
    p50_ms: Figure
    p99_ms: Figure
    p99_range_ms: Span
    """Meant to hold 80 % of what such forecasts come to, as are the other ranges."""
    run_range_usd: Span
    plan: Plan
    quality: QualityForecast | None = None

    @property
    def run_usd(self) -> float:
        """What labelling and training the whole chain costs, in USD."""
        return self.plan.outcome.run_usd

    @property
    def usd_per_1k(self) -> float | None:
        """What serving 1,000 requests costs, in USD; None when there are no requests."""
        return self.plan.costs.student.usd_per_1k if self.plan.costs else None

    @property
    def net_usd(self) -> float:
        """What is left at the end of the horizon, in USD: savings less the price of the run."""
        return self.plan.savings_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherPoint:
    """The teacher beside the candidates."""

    p50_ms: float
    p99_ms: float
    usd_per_1k: float | None


NO_RECORD = Calibration({})
"""Of a project none of whose forecasts has been reconciled."""


def make_candidate(
    settings: Settings,
    known: Known,
    stages: tuple[str, ...],
    quality: QualityForecast | None = None,
    *,
    record: Calibration = NO_RECORD,
) -> Candidate:
    """The candidate that the chain `stages` ends in.

    Args:
        settings: of the project; its own stages are not looked at.
        known: what was measured. A rate in it (`student_rps`) is taken for this candidate's.
        stages: the chain.
        quality: forecast by a pilot.
        record: how wrong earlier forecasts were; it widens or narrows the ranges of what it knows.

    Raises:
        ConfigError: the size of a stage that was not probed cannot be told from its text.
    """
    name = stages[-1]
    probe = next((one for one in known.probe.stages if one.name == name), None) if known.probe else None
    own = replace(settings, chain=replace(settings.chain, stages=stages))
    figures = project_inputs(own, known).figures()
    if known.student_rps is not None:  # of the student that serves, so no forecast
        del figures["student_rps"]
    known = replace(known, ranges={**known.ranges, **calibrated_ranges(figures, record, RANGE)})
    known = _with_loss(known, quality)
    p50, p99 = _latencies(own, known, probe)
    inputs = project_inputs(own, known)
    return Candidate(
        name=name,
        stages=stages,
        params=_params(name, probe),
        size_bytes=probe.size_bytes if probe else None,
        p50_ms=p50,
        p99_ms=p99,
        p99_range_ms=_around(p99, record),
        run_range_usd=propagated(
            lambda values: run_cost(inputs.with_values(values)).total_usd, inputs.ranges
        ),
        plan=plan_project(own, known),
        quality=quality,
    )


def teacher_point(known: Known, plan: Plan) -> TeacherPoint | None:
    """Where the teacher stands; None when it was not probed."""
    if known.probe is None:
        return None
    probe = known.probe.teacher
    price = plan.costs.teacher.usd_per_1k if plan.costs else None
    return TeacherPoint(p50_ms=probe.p50_ms, p99_ms=probe.p99_ms, usd_per_1k=price)


def _params(name: str, probe: StageProbe | None) -> int | None:
    found = probe.params if probe else stage_params(name)
    return round(found) if found else None


def _with_loss(known: Known, quality: QualityForecast | None) -> Known:
    """With the loss of quality that is foreseen, which has a price where wrong answers have one."""
    if quality is None:
        return known
    # At most: where the teacher is wrong too, another answer costs nothing.
    note = f"1 - {quality.measure}, foreseen from {quality.points} short trainings here"
    loss = measured(max(0.0, 1.0 - quality.value), "share", note)
    ends = (max(0.0, 1.0 - quality.high), max(0.0, 1.0 - quality.low))
    return replace(known, quality_loss=loss, ranges={**known.ranges, "quality_loss": ends})


def _latencies(settings: Settings, known: Known, probe: StageProbe | None) -> tuple[Figure, Figure]:
    """p50 and p99: through the server, else in process, else assumed.

    The assumed p99 takes times to be exponential, as `economics.capacity` does, with nobody waiting.
    """
    if probe and probe.served:
        note = f"untrained {probe.name} as {probe.variant}, through coffey serve, one at a time"
        return measured(probe.served.p50_ms, "ms", note), measured(probe.served.p99_ms, "ms", note)
    service = student_service(settings, known)
    if probe:
        note = f"untrained {probe.name} as {probe.variant}, in process, one at a time"
        return service, measured(probe.p99_ms, "ms", note)
    return service, assumed(service.value * math.log(100.0), "ms", f"ln(100) x {service.note}")


def _around(figure: Figure, record: Calibration) -> Span:
    """A latency may be as wrong as the medians that were forecast before have been."""
    return record.calibrated("student_p50_ms", RANGE[figure.origin], origin=figure.origin).around(
        figure.value
    )

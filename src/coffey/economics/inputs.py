"""Everything a plan is calculated from: figures with their origins, nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from coffey.core.errors import ConfigError, Problem
from coffey.core.records import Figure
from coffey.economics.cash_flow import Numbers
from coffey.economics.figures import check_figures, check_ranges

_ABOVE_ZERO = frozenset(
    {
        "horizon_days",
        "teacher_texts_per_s",
        "teacher_rps",
        "teacher_int8_speedup",
        "student_rps",
        "pretrained_rps",
    }
)
AT_LEAST = {"peak_to_mean": 1.0, "replicas": 1.0, "growth_per_year": -1.0}
AT_MOST = {"cascade_share": 1.0, "quality_loss": 1.0}
"""Bounds of the figures that are not just 0 or more."""


@dataclass(frozen=True, slots=True)
class StageCost:
    """What one stage costs in time: optimizer steps, and seconds a step."""

    name: str
    steps: Figure
    step_s: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """The figures of a plan. Rates are of one machine; prices in USD.

    The teacher is priced by the request (`teacher_usd_per_1k`) or by the machine (`teacher_usd_per_hour`
    with both of its rates).

    Raises:
        ConfigError: a figure is negative, not finite or out of its bounds, or the teacher has no price.
    """

    requests_per_day: Figure
    horizon_days: Figure
    peak_to_mean: Figure
    replicas: Figure
    audits_per_day: Figure
    transfer_rows: Figure
    """Inputs that the teacher has to answer before a student can learn."""
    teacher_usd_per_1k: Figure | None = None
    teacher_usd_per_hour: Figure | None = None
    teacher_texts_per_s: Figure | None = None
    """Labelling: batches, nobody waits."""
    teacher_rps: Figure | None = None
    """Serving: the highest rate at which latency is still good enough."""
    teacher_int8_speedup: Figure | None = None
    student_usd_per_hour: Figure
    student_rps: Figure
    training_usd_per_hour: Figure
    controls_share: Figure
    """Training of the control arms, as a multiple of the training of the chain."""
    people_hours: Figure
    people_usd_per_hour: Figure
    stages: tuple[StageCost, ...] = ()
    teacher_p50_ms: Figure | None = None
    """One request alone; forecast and reconciled, costs nothing by itself."""
    student_p50_ms: Figure | None = None
    holdout_rows: Figure | None = None
    """Inputs that the teacher answers for the gate. Of this and the figures below, None costs nothing."""
    export_hours: Figure | None = None
    """Machine hours of export, gate and bench, at the price of training."""
    redistills_per_year: Figure | None = None
    relabel_rows: Figure | None = None
    """Teacher answers of one re-distillation."""
    redistill_steps: Figure | None = None
    """Optimizer steps of one re-distillation, of the last stage."""
    redistill_people_hours: Figure | None = None
    storage_usd_per_gb_month: Figure | None = None
    log_bytes_per_request: Figure | None = None
    log_days: Figure | None = None
    """Days that the traffic log is kept."""
    store_gb: Figure | None = None
    """What a run leaves in the store."""
    error_usd: Figure | None = None
    """A wrong answer of the student where the teacher's was right."""
    quality_loss: Figure | None = None
    """Share of the requests on which that happens."""
    growth_per_year: Figure | None = None
    discount_per_year: Figure | None = None
    cascade_share: Figure | None = None
    """Of the alternative in which the teacher answers what the student is unsure of: its share."""
    pretrained_rps: Figure | None = None
    """Of the alternative of fine-tuning a small pretrained model: its rate on the student's machine."""
    pretrained_s: Figure | None = None
    """Seconds of training it."""
    pretrained_note: str = ""
    """Why that alternative is not open; empty when it is, or when that is not known."""
    label_rows: Figure | None = None
    """Labels by people that it still needs."""
    label_usd: Figure | None = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Low and high value of the figures that are not known exactly, by name."""

    def __post_init__(self) -> None:
        hosted = (self.teacher_usd_per_hour, self.teacher_texts_per_s, self.teacher_rps)
        if (self.teacher_usd_per_1k is None) == (None in hosted):
            expected = "teacher_usd_per_1k, or teacher_usd_per_hour with teacher_texts_per_s and teacher_rps"
            raise ConfigError("plan", [Problem("teacher price", None, expected)])
        check_figures(self.figures(), at_least=AT_LEAST, at_most=AT_MOST, above_zero=_ABOVE_ZERO)
        check_ranges(self.ranges)
        for end in (0, 1):
            check_figures(self._ends(end), at_least=AT_LEAST, at_most=AT_MOST, above_zero=_ABOVE_ZERO)

    def figures(self) -> dict[str, Figure]:
        """Every figure by name; a stage's are `steps:NAME` and `step_s:NAME`."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        found = {name: value for name, value in values.items() if isinstance(value, Figure)}
        for stage in self.stages:
            found[f"steps:{stage.name}"] = stage.steps
            found[f"step_s:{stage.name}"] = stage.step_s
        return found

    def values(self) -> dict[str, Numbers]:
        """The values of `figures()` for the arithmetic, as arrays of length 1."""
        return {name: np.array([figure.value], dtype=np.float64) for name, figure in self.figures().items()}

    def with_values(self, values: Mapping[str, float]) -> PlanInputs:
        """The same inputs with other values under the names of `figures()`; unknown names are ignored."""
        changes: dict[str, object] = {
            name: dataclasses.replace(figure, value=values[name])
            for name, figure in self.figures().items()
            if name in values and ":" not in name
        }
        stages = tuple(_stage_with(stage, values) for stage in self.stages)
        return dataclasses.replace(self, stages=stages, **changes)  # type: ignore[arg-type]

    def _ends(self, end: int) -> dict[str, Figure]:
        """The low (0) or high (1) ends of the ranges as figures; ranges of absent figures are ignored."""
        return {
            name: dataclasses.replace(figure, value=self.ranges[name][end])
            for name, figure in self.figures().items()
            if name in self.ranges
        }


def _stage_with(stage: StageCost, values: Mapping[str, float]) -> StageCost:
    steps = values.get(f"steps:{stage.name}", stage.steps.value)
    step_s = values.get(f"step_s:{stage.name}", stage.step_s.value)
    return StageCost(
        stage.name,
        dataclasses.replace(stage.steps, value=steps),
        dataclasses.replace(stage.step_s, value=step_s),
    )

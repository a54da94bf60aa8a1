"""Everything a plan is calculated from: figures with their origins, nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from coffey.core.errors import ConfigError, Problem
from coffey.core.records import Figure
from coffey.economics.figures import check_figures

_ABOVE_ZERO = frozenset(
    {"horizon_days", "teacher_texts_per_s", "teacher_rps", "teacher_int8_speedup", "student_rps"}
)
_AT_LEAST = {"peak_to_mean": 1.0, "replicas": 1.0}


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
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Low and high value of the figures that are not known exactly, by name."""

    def __post_init__(self) -> None:
        hosted = (self.teacher_usd_per_hour, self.teacher_texts_per_s, self.teacher_rps)
        if (self.teacher_usd_per_1k is None) == (None in hosted):
            expected = "teacher_usd_per_1k, or teacher_usd_per_hour with teacher_texts_per_s and teacher_rps"
            raise ConfigError("plan", [Problem("teacher price", None, expected)])
        check_figures(self.figures(), at_least=_AT_LEAST, above_zero=_ABOVE_ZERO)

    def figures(self) -> dict[str, Figure]:
        """Every figure by name; a stage's are `steps:NAME` and `step_s:NAME`."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        found = {name: value for name, value in values.items() if isinstance(value, Figure)}
        for stage in self.stages:
            found[f"steps:{stage.name}"] = stage.steps
            found[f"step_s:{stage.name}"] = stage.step_s
        return found

    def with_values(self, values: Mapping[str, float]) -> PlanInputs:
        """The same inputs with other values under the names of `figures()`; unknown names are ignored."""
        changes: dict[str, object] = {
            name: dataclasses.replace(figure, value=values[name])
            for name, figure in self.figures().items()
            if name in values and ":" not in name
        }
        stages = tuple(_stage_with(stage, values) for stage in self.stages)
        return dataclasses.replace(self, stages=stages, **changes)  # type: ignore[arg-type]


def _stage_with(stage: StageCost, values: Mapping[str, float]) -> StageCost:
    steps = values.get(f"steps:{stage.name}", stage.steps.value)
    step_s = values.get(f"step_s:{stage.name}", stage.step_s.value)
    return StageCost(
        stage.name,
        dataclasses.replace(stage.steps, value=steps),
        dataclasses.replace(stage.step_s, value=step_s),
    )

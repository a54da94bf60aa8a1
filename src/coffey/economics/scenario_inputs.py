"""A scenario as the figures of a plan: machine figures assumed from the catalogue, the rest configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coffey.core.records import Figure
from coffey.economics.figures import assumed, configured
from coffey.economics.inputs import PlanInputs
from coffey.economics.scenario import Scenario, StagePlan
from coffey.economics.scenario_serving import ServingEstimate, serve_estimate
from coffey.economics.scenario_stage import (
    StageEstimate,
    TrainingEstimate,
    answers_estimate,
    train_estimate,
)

_UNITS = {
    "requests_per_day": "requests a day",
    "horizon_days": "days",
    "peak_to_mean": "peak over mean",
    "replicas": "machines",
    "audits_per_day": "answers a day",
    "people_hours": "hours",
    "people_usd_per_hour": "USD an hour",
    "controls_share": "x the chain's training",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PathEstimate:
    """One way from the teacher to the last student: its trainings, and the answers asked between them."""

    trainings: tuple[TrainingEstimate, ...]
    answers: tuple[StageEstimate, ...]

    @property
    def jobs(self) -> tuple[StageEstimate, ...]:
        """Everything that runs on the cluster."""
        return (*(training.stage for training in self.trainings), *self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPair:
    """Teacher and student where they serve."""

    teacher: ServingEstimate
    student: ServingEstimate


def chain_estimate(scenario: Scenario) -> PathEstimate:
    """All stages; each student but the last answers the transfer set for the next."""
    return _path(scenario, scenario.stages)


def direct_estimate(scenario: Scenario) -> PathEstimate:
    """The last student from the teacher at once."""
    return _path(scenario, (scenario.direct,))


def serving_pair(scenario: Scenario) -> ServingPair:
    """Both models where the scenario puts them."""
    teacher = serve_estimate(
        scenario.teacher, scenario.teacher_place, scenario, decoded_tokens=scenario.decoded_tokens
    )
    return ServingPair(
        teacher=teacher,
        student=serve_estimate(scenario.stages[-1].model, scenario.student_place, scenario),
    )


def scenario_inputs(scenario: Scenario, path: PathEstimate, pair: ServingPair) -> PlanInputs:
    """The figures of the plan for one path. The teacher labels on machines like the ones it serves on.

    Raises:
        ConfigError: a figure of `[economics]` is out of its bounds.
    """
    teacher_usd = scenario.teacher_place.hardware.usd_per_hour.figure
    inputs = PlanInputs(
        **{name: _configured(scenario, name) for name in _UNITS},  # type: ignore[arg-type]
        transfer_rows=configured(scenario.rows.value, "inputs", "transfer.rows"),
        teacher_usd_per_hour=teacher_usd,
        teacher_texts_per_s=pair.teacher.texts_figure(),
        teacher_rps=pair.teacher.rps_figure(),
        teacher_int8_speedup=_int8_speedup(scenario, pair.teacher),
        teacher_p50_ms=pair.teacher.alone_figure(),
        student_usd_per_hour=scenario.student_place.hardware.usd_per_hour.figure,
        student_rps=pair.student.rps_figure(),
        student_p50_ms=pair.student.alone_figure(),
        training_usd_per_hour=_cluster_usd(scenario),
        stages=tuple(job.cost() for job in path.jobs),
    )
    return replace(inputs, ranges=_ranges(scenario, path.jobs, pair))


def _path(scenario: Scenario, stages: Sequence[StagePlan]) -> PathEstimate:
    return PathEstimate(
        trainings=tuple(train_estimate(stage, scenario) for stage in stages),
        answers=tuple(answers_estimate(stage.model, scenario) for stage in stages[:-1]),
    )


def _configured(scenario: Scenario, name: str) -> Figure:
    return configured(scenario.economics[name].value, _UNITS[name], f"economics.{name}")


def _cluster_usd(scenario: Scenario) -> Figure:
    cluster = scenario.cluster
    one = cluster.place.hardware.usd_per_hour.figure
    return assumed(cluster.devices * one.value, "USD an hour", f"{cluster.devices} devices; {one.note}")


def _int8_speedup(scenario: Scenario, teacher: ServingEstimate) -> Figure | None:
    place = scenario.teacher_place
    if "int8" not in place.hardware.peaks or place.precision == "int8":
        return None
    faster = serve_estimate(
        scenario.teacher,
        replace(place, precision="int8"),
        scenario,
        decoded_tokens=scenario.decoded_tokens,
    )
    ratio = faster.rps.value / teacher.rps.value
    return assumed(ratio, "x", f"int8 against {place.precision} at the same efficiency")


def _ranges(
    scenario: Scenario, jobs: Sequence[StageEstimate], pair: ServingPair
) -> dict[str, tuple[float, float]]:
    found = {name: (amount.low, amount.high) for name, amount in scenario.economics.items() if amount.ranged}
    for job in jobs:
        found |= job.ranges()
    rates = {
        "transfer_rows": scenario.rows,
        "teacher_texts_per_s": pair.teacher.texts_per_s,
        "teacher_rps": pair.teacher.rps,
        "student_rps": pair.student.rps,
    }
    found |= {name: (amount.low, amount.high) for name, amount in rates.items() if amount.ranged}
    prices = {
        "teacher_usd_per_hour": (scenario.teacher_place, 1),
        "student_usd_per_hour": (scenario.student_place, 1),
        "training_usd_per_hour": (scenario.cluster.place, scenario.cluster.devices),
    }
    for name, (place, count) in prices.items():
        price = place.hardware.usd_per_hour
        if price.low < price.high:
            found[name] = (count * price.low, count * price.high)
    return found

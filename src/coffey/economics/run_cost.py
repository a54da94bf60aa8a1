"""What one run costs before anything is saved: teacher, training, controls, export, people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffey.economics.cash_flow import Numbers, Values, given
from coffey.economics.inputs import PlanInputs, StageCost

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class RunCost:
    """The parts of a run's price, in USD."""

    teacher_usd: float
    training_usd: float
    controls_usd: float
    people_usd: float
    holdout_usd: float = 0.0
    export_usd: float = 0.0

    @property
    def total_usd(self) -> float:
        """All parts together."""
        parts = (self.teacher_usd, self.training_usd, self.controls_usd, self.people_usd)
        return sum(parts) + self.holdout_usd + self.export_usd


def run_cost(inputs: PlanInputs) -> RunCost:
    """Teacher on transfer set and holdout, every stage's steps, the control arms, export and people."""
    return RunCost(**{name: float(usd[0]) for name, usd in run_parts(inputs.values()).items()})


def run_parts(values: Values) -> dict[str, Numbers]:
    """The fields of `RunCost`, a draw each."""
    training = training_s(values) / SECONDS_PER_HOUR * values["training_usd_per_hour"]
    return {
        "teacher_usd": answers_usd(values, values["transfer_rows"]),
        "training_usd": training,
        "controls_usd": training * values["controls_share"],
        "people_usd": values["people_hours"] * values["people_usd_per_hour"],
        "holdout_usd": answers_usd(values, given(values, "holdout_rows")),
        "export_usd": given(values, "export_hours") * values["training_usd_per_hour"],
    }


def run_total(values: Values) -> Numbers:
    """All parts together, in USD."""
    return np.asarray(sum(run_parts(values).values()), dtype=np.float64)


def answers_usd(values: Values, answers: Numbers) -> Numbers:
    """Price of `answers` teacher answers asked in batches, in USD."""
    if "teacher_usd_per_1k" in values:
        return answers * values["teacher_usd_per_1k"] / 1000.0
    return answers / values["teacher_texts_per_s"] / SECONDS_PER_HOUR * values["teacher_usd_per_hour"]


def training_s(values: Values) -> Numbers:
    """Seconds of training of all stages."""
    stages = [name.removeprefix("steps:") for name in values if name.startswith("steps:")]
    times = (values[f"steps:{stage}"] * values[f"step_s:{stage}"] for stage in stages)
    return np.asarray(sum(times, start=np.zeros(1)), dtype=np.float64)


def labelling_s(inputs: PlanInputs, answers: float) -> float | None:
    """Seconds the teacher needs for `answers`; None when its speed is not known (priced by the request)."""
    if inputs.teacher_texts_per_s is None:
        return None
    return answers / inputs.teacher_texts_per_s.value


def stage_s(stage: StageCost) -> float:
    """Seconds of training of one stage."""
    return stage.steps.value * stage.step_s.value

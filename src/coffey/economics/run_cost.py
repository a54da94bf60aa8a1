"""What one run costs before anything is saved: teacher, training, controls, people."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.economics.inputs import PlanInputs, StageCost

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class RunCost:
    """The parts of a run's price, in USD."""

    teacher_usd: float
    training_usd: float
    controls_usd: float
    people_usd: float

    @property
    def total_usd(self) -> float:
        """All parts together."""
        return self.teacher_usd + self.training_usd + self.controls_usd + self.people_usd


def run_cost(inputs: PlanInputs) -> RunCost:
    """Teacher on the transfer set, every stage's steps, the control arms, and people."""
    training_s = sum(stage_s(stage) for stage in inputs.stages)
    training_usd = training_s / SECONDS_PER_HOUR * inputs.training_usd_per_hour.value
    return RunCost(
        teacher_usd=teacher_answers_usd(inputs, inputs.transfer_rows.value),
        training_usd=training_usd,
        controls_usd=training_usd * inputs.controls_share.value,
        people_usd=inputs.people_hours.value * inputs.people_usd_per_hour.value,
    )


def teacher_answers_usd(inputs: PlanInputs, answers: float) -> float:
    """Price of `answers` teacher answers asked in batches, in USD."""
    if inputs.teacher_usd_per_1k is not None:
        return answers * inputs.teacher_usd_per_1k.value / 1000.0
    assert inputs.teacher_usd_per_hour is not None
    seconds = labelling_s(inputs, answers)
    assert seconds is not None
    return seconds / SECONDS_PER_HOUR * inputs.teacher_usd_per_hour.value


def labelling_s(inputs: PlanInputs, answers: float) -> float | None:
    """Seconds the teacher needs for `answers`; None when its speed is not known (priced by the request)."""
    if inputs.teacher_texts_per_s is None:
        return None
    return answers / inputs.teacher_texts_per_s.value


def stage_s(stage: StageCost) -> float:
    """Seconds of training of one stage."""
    return stage.steps.value * stage.step_s.value

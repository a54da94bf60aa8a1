"""What a day costs beside serving: audits, re-distillations, storage, errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffey.economics.cash_flow import (
    DAYS_A_YEAR,
    MONTH_DAYS,
    CashFlow,
    Numbers,
    Values,
    cash_flow,
    given,
)
from coffey.economics.inputs import PlanInputs
from coffey.economics.run_cost import SECONDS_PER_HOUR, answers_usd, run_total
from coffey.economics.serving import student_usd_per_day, teacher_usd_per_day

BYTES_PER_GB = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCost:
    """The parts of a day, in USD."""

    audits_usd_per_day: float
    redistills_usd_per_day: float
    storage_usd_per_day: float
    errors_usd_per_day: float


def running_cost(inputs: PlanInputs) -> RunningCost:
    """A day of keeping the student honest, of what is kept of it, and of what it gets wrong."""
    parts = running_parts(inputs.values())
    return RunningCost(**{name: float(usd[0]) for name, usd in parts.items()})


def student_flow(values: Values) -> CashFlow:
    """The run, and what every day of the student after it saves."""
    return cash_flow(values, run_usd=run_total(values), savings=savings_usd_per_day)


def savings_usd_per_day(values: Values) -> Numbers:
    """The teacher's serving without the student's and all that comes with it, in USD a day, a draw each."""
    beside = sum(running_parts(values).values())
    return teacher_usd_per_day(values) - student_usd_per_day(values) - beside


def running_parts(values: Values) -> dict[str, Numbers]:
    """The fields of `RunningCost`, a draw each."""
    return {
        "audits_usd_per_day": audits_usd_per_day(values),
        "redistills_usd_per_day": given(values, "redistills_per_year") / DAYS_A_YEAR * redistill_usd(values),
        "storage_usd_per_day": _kept_gb(values) * given(values, "storage_usd_per_gb_month") / MONTH_DAYS,
        "errors_usd_per_day": values["requests_per_day"]
        * given(values, "quality_loss")
        * given(values, "error_usd"),
    }


def audits_usd_per_day(values: Values) -> Numbers:
    """Teacher answers for audits; there are never more audits than requests."""
    return answers_usd(values, np.minimum(values["audits_per_day"], values["requests_per_day"]))


def redistill_usd(values: Values) -> Numbers:
    """One re-distillation: teacher answers to recent requests, training of the last stage, people."""
    seconds = given(values, "redistill_steps") * _last_step_s(values)
    return (
        answers_usd(values, given(values, "relabel_rows"))
        + seconds / SECONDS_PER_HOUR * values["training_usd_per_hour"]
        + given(values, "redistill_people_hours") * values["people_usd_per_hour"]
    )


def _last_step_s(values: Values) -> Numbers:
    """Seconds of a step of the stage that serves; stages stand in the order of the chain."""
    steps = [value for name, value in values.items() if name.startswith("step_s:")]
    return steps[-1] if steps else np.zeros(1)


def _kept_gb(values: Values) -> Numbers:
    """The traffic log of its retention time, when it is full, and what the run leaves on disk."""
    logged = values["requests_per_day"] * given(values, "log_bytes_per_request") / BYTES_PER_GB
    return logged * given(values, "log_days") + given(values, "store_gb")

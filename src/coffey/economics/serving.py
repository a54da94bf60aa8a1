"""What a day of serving costs: by the request, or by the machine that has to be there for the peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffey.economics.cash_flow import Numbers, Values
from coffey.economics.inputs import PlanInputs

SECONDS_PER_DAY = 86_400.0
HOURS_PER_DAY = 24.0
LOW_USE = 0.25
"""Under a quarter of capacity at peak, the price of a request is the price of idle machines."""


@dataclass(frozen=True, slots=True)
class ServingCost:
    """A day of serving one model, in USD."""

    usd_per_day: float
    usd_per_1k: float | None
    """None when there are no requests."""
    machines: int | None = None
    """None when the price is by the request."""
    note: str = ""


def priced(usd_per_1k: float, *, requests_per_day: float) -> ServingCost:
    """A model priced by the request."""
    return ServingCost(requests_per_day * usd_per_1k / 1000.0, usd_per_1k if requests_per_day else None)


def hosted(
    usd_per_hour: float, rps: float, *, requests_per_day: float, peak_to_mean: float, replicas: int
) -> ServingCost:
    """A model on machines of its own: enough for the peak, at least `replicas`, none without requests.

    Args:
        usd_per_hour: price of one machine.
        rps: requests a second that one machine sustains within the latency promise.
        requests_per_day: mean traffic.
        peak_to_mean: peak rate over mean rate.
        replicas: machines that run whatever the traffic.
    """
    if requests_per_day == 0:
        return ServingCost(0.0, None, 0, "no requests, so nothing runs")
    traffic, peak, least = (np.array([value]) for value in (requests_per_day, peak_to_mean, replicas))
    machines = int(fleet(np.array([rps]), requests_per_day=traffic, peak_to_mean=peak, replicas=least)[0])
    usd_per_day = machines * usd_per_hour * HOURS_PER_DAY
    used = requests_per_day / SECONDS_PER_DAY * peak_to_mean / (machines * rps)
    note = f"fixed cost: {machines} machine(s) at {used:.0%} of capacity at peak" if used < LOW_USE else ""
    return ServingCost(usd_per_day, usd_per_day / requests_per_day * 1000.0, machines, note)


def fleet(rps: Numbers, *, requests_per_day: Numbers, peak_to_mean: Numbers, replicas: Numbers) -> Numbers:
    """How many machines of `rps` requests a second the peak takes, a draw each."""
    peak_rps = requests_per_day / SECONDS_PER_DAY * peak_to_mean
    machines = np.maximum(np.ceil(replicas), np.ceil(peak_rps / rps))
    return np.where(requests_per_day == 0, 0.0, machines)


def teacher_serving(inputs: PlanInputs) -> ServingCost:
    """The teacher serving all requests."""
    if inputs.teacher_usd_per_1k is not None:
        return priced(inputs.teacher_usd_per_1k.value, requests_per_day=inputs.requests_per_day.value)
    assert inputs.teacher_usd_per_hour is not None
    assert inputs.teacher_rps is not None
    return _hosted(inputs, inputs.teacher_usd_per_hour.value, inputs.teacher_rps.value)


def student_serving(inputs: PlanInputs) -> ServingCost:
    """The student serving all requests."""
    return _hosted(inputs, inputs.student_usd_per_hour.value, inputs.student_rps.value)


def teacher_usd_per_day(
    values: Values, *, share: Numbers | float = 1.0, speedup: Numbers | float = 1.0
) -> Numbers:
    """A day of the teacher on a share of the requests, in USD, a draw each."""
    traffic = values["requests_per_day"] * share
    if "teacher_usd_per_1k" in values:
        return traffic * values["teacher_usd_per_1k"] / 1000.0
    rps = values["teacher_rps"] * speedup
    return machines_usd_per_day(values, rps, values["teacher_usd_per_hour"], traffic=traffic)


def student_usd_per_day(values: Values) -> Numbers:
    """A day of the student, in USD, a draw each."""
    return machines_usd_per_day(values, values["student_rps"], values["student_usd_per_hour"])


def machines_usd_per_day(
    values: Values, rps: Numbers, usd_per_hour: Numbers, *, traffic: Numbers | None = None
) -> Numbers:
    """A day of a model on machines of its own, in USD, a draw each."""
    machines = fleet(
        rps,
        requests_per_day=values["requests_per_day"] if traffic is None else traffic,
        peak_to_mean=values["peak_to_mean"],
        replicas=values["replicas"],
    )
    return machines * usd_per_hour * HOURS_PER_DAY


def _hosted(inputs: PlanInputs, usd_per_hour: float, rps: float) -> ServingCost:
    return hosted(
        usd_per_hour,
        rps,
        requests_per_day=inputs.requests_per_day.value,
        peak_to_mean=inputs.peak_to_mean.value,
        replicas=int(np.ceil(inputs.replicas.value)),
    )

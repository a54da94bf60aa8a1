"""A plan: what the run costs, what it saves, when it has paid, and what the answer hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coffey.core.records import Figure
from coffey.economics.alternatives import Alternative, Option, calculated, options
from coffey.economics.break_even import Outcome, curve
from coffey.economics.cash_flow import CashFlow, Numbers
from coffey.economics.draws import Distribution, Spread, latin_hypercube, summarize
from coffey.economics.inputs import PlanInputs
from coffey.economics.run_cost import RunCost, run_cost
from coffey.economics.running_cost import RunningCost, running_cost, student_flow
from coffey.economics.sensitivity import Evaluate, Swing, sensitivity
from coffey.economics.serving import HOURS_PER_DAY, ServingCost, student_serving, teacher_serving
from coffey.economics.threshold import PriceGap, gap_from, pays_from
from coffey.economics.verdict import verdict_of

SEED = 17
"""Of the draws behind the distribution, so that a plan is a function of its inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The prices behind a plan, in USD."""

    run: RunCost
    teacher: ServingCost
    student: ServingCost
    running: RunningCost
    """What a day of the student costs beside serving."""

    @property
    def audits_usd_per_day(self) -> float:
        """Teacher answers for audits."""
        return self.running.audits_usd_per_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Whether a run pays, and why. `economics.plan_json` says it as plain values."""

    outcome: Outcome
    horizon_days: float
    figures: Mapping[str, Figure]
    ranges: Mapping[str, tuple[float, float]]
    sensitivity: tuple[Swing, ...]
    alternatives: tuple[Alternative, ...]
    curve: tuple[tuple[float, float], ...]
    pays_from_requests_per_day: float | None
    pays_from_gap_usd_per_1k: float | None
    """By how much 1,000 requests of the teacher must be dearer than the student's, at this traffic."""
    costs: Costs | None = None
    """None for the calculator, which is told the sums."""
    distribution: Distribution | None = None
    """None when every figure is known exactly."""
    notes: tuple[str, ...] = ()
    caveat: str = ""
    """What the verdict rests on that nobody measured, as a sentence."""

    @property
    def break_even_days(self) -> float | None:
        """Days until the run has paid for itself; None when never."""
        return self.outcome.break_even_days

    @property
    def spread(self) -> Spread | None:
        """Percentiles of the break-even day; None when every figure is known exactly."""
        return self.distribution.days if self.distribution else None

    @property
    def pays(self) -> bool:
        """Whether it has paid for itself within the horizon."""
        return self.outcome.pays_within(self.horizon_days)

    @property
    def savings_usd(self) -> float:
        """What is left at the end of the horizon, the run's price taken off; negative is a loss."""
        return self.outcome.savings_over(self.horizon_days)

    @property
    def verdict(self) -> str:
        """The answer in one sentence, and the caveat in another where there is one."""
        answer = verdict_of(
            self.outcome,
            horizon_days=self.horizon_days,
            distribution=self.distribution,
            alternatives=self.alternatives,
            idle=self.figures["requests_per_day"].value == 0,
        )
        return f"{answer} {self.caveat}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a plan is assembled from: figures, their ranges, and the cash flow for other values of them."""

    figures: Mapping[str, Figure]
    ranges: Mapping[str, tuple[float, float]]
    evaluate: Evaluate
    options: tuple[Option, ...]
    gap: PriceGap | None
    """None when the gap cannot be told: there are no requests."""

    @property
    def horizon_days(self) -> float:
        """Days over which savings are counted."""
        return self.figures["horizon_days"].value


def make_plan(inputs: PlanInputs, *, others: tuple[Option, ...] = (), notes: tuple[str, ...] = ()) -> Plan:
    """The plan that follows from `inputs`, `others` being alternatives beside the usual ones.

    The same inputs give the same plan.
    """
    base = inputs.values()

    def evaluate(changes: Mapping[str, Numbers]) -> CashFlow:
        return student_flow({**base, **changes})

    costs = Costs(
        run=run_cost(inputs),
        teacher=teacher_serving(inputs),
        student=student_serving(inputs),
        running=running_cost(inputs),
    )
    served = (("teacher", costs.teacher), ("student", costs.student))
    said = tuple(f"{who}: {cost.note}" for who, cost in served if cost.note)
    return assemble(
        Question(
            figures=inputs.figures(),
            ranges=inputs.ranges,
            evaluate=evaluate,
            options=(*options(inputs), *others),
            gap=_gap(inputs, costs),
        ),
        costs=costs,
        notes=notes + said,
    )


def assemble(question: Question, *, costs: Costs | None = None, notes: tuple[str, ...] = ()) -> Plan:
    """The plan that answers a question."""
    evaluate, horizon = question.evaluate, question.horizon_days
    outcome = Outcome.of(evaluate({}))
    known = {name: ends for name, ends in question.ranges.items() if name in question.figures}
    drawn = latin_hypercube(known, np.random.default_rng(SEED))
    return Plan(
        outcome=outcome,
        horizon_days=horizon,
        figures=question.figures,
        ranges=known,
        sensitivity=sensitivity(question.figures, evaluate, known, horizon_days=horizon),
        alternatives=tuple(calculated(one, drawn, horizon_days=horizon) for one in question.options),
        curve=curve(outcome, horizon),
        pays_from_requests_per_day=pays_from(evaluate, horizon_days=horizon),
        pays_from_gap_usd_per_1k=gap_from(evaluate, question.gap, horizon_days=horizon),
        costs=costs,
        distribution=summarize(evaluate(drawn), horizon_days=horizon) if drawn else None,
        notes=notes,
    )


def outcome_of(inputs: PlanInputs) -> Outcome:
    """What the run costs, and what a day of the student with all that comes with it saves."""
    return Outcome.of(student_flow(inputs.values()))


def _gap(inputs: PlanInputs, costs: Costs) -> PriceGap | None:
    if costs.student.usd_per_1k is None:
        return None
    hourly = inputs.teacher_usd_per_1k is None
    name = "teacher_usd_per_hour" if hourly else "teacher_usd_per_1k"
    machine_hours = (costs.teacher.machines or 0) * HOURS_PER_DAY / inputs.requests_per_day.value * 1000.0
    return PriceGap(name, machine_hours if hourly else 1.0, costs.student.usd_per_1k)

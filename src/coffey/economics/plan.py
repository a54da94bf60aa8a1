"""A plan: what the run costs, what it saves, when it has paid, and what the answer hangs on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coffey.core.records import Figure
from coffey.economics.alternatives import Alternative, alternatives
from coffey.economics.break_even import Outcome, curve
from coffey.economics.inputs import PlanInputs
from coffey.economics.run_cost import RunCost, run_cost
from coffey.economics.sensitivity import Evaluate, Spread, Swing, distribution, sensitivity
from coffey.economics.serving import ServingCost, audits_usd_per_day, student_serving, teacher_serving
from coffey.economics.threshold import pays_from

SEED = 17
"""Of the draws behind the distribution, so that a plan is a function of its inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The prices behind a plan, in USD."""

    run: RunCost
    teacher: ServingCost
    student: ServingCost
    audits_usd_per_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Whether a run pays, and why. `economics.plan_json` says it as plain values."""

    outcome: Outcome
    horizon_days: float
    figures: Mapping[str, Figure]
    sensitivity: tuple[Swing, ...]
    alternatives: tuple[Alternative, ...]
    curve: tuple[tuple[float, float], ...]
    pays_from_requests_per_day: float | None
    costs: Costs | None = None
    """None for the calculator, which is told the sums."""
    spread: Spread | None = None
    notes: tuple[str, ...] = ()

    @property
    def break_even_days(self) -> float | None:
        """Days until the run has paid for itself; None when never."""
        return self.outcome.break_even_days

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
        """The answer in one sentence."""
        return _verdict(self)


def make_plan(inputs: PlanInputs, *, notes: tuple[str, ...] = ()) -> Plan:
    """The plan that follows from `inputs`; the same inputs give the same plan."""

    def evaluate(values: Mapping[str, float]) -> Outcome:
        return outcome_of(inputs.with_values(values))

    costs = Costs(
        run=run_cost(inputs),
        teacher=teacher_serving(inputs),
        student=student_serving(inputs),
        audits_usd_per_day=audits_usd_per_day(inputs),
    )
    said = tuple(f"{who}: {cost.note}" for who, cost in _served(costs) if cost.note)
    return assemble(
        evaluate,
        inputs.figures(),
        horizon_days=inputs.horizon_days.value,
        ranges=inputs.ranges,
        others=alternatives(inputs),
        costs=costs,
        notes=notes + said,
    )


def assemble(
    evaluate: Evaluate,
    figures: Mapping[str, Figure],
    *,
    horizon_days: float,
    ranges: Mapping[str, tuple[float, float]],
    others: tuple[Alternative, ...],
    costs: Costs | None = None,
    notes: tuple[str, ...] = (),
) -> Plan:
    """A plan around `evaluate`, which gives the outcome for other values of `figures`."""
    outcome = evaluate({})
    return Plan(
        outcome=outcome,
        horizon_days=horizon_days,
        figures=figures,
        sensitivity=sensitivity(figures, evaluate, ranges),
        alternatives=others,
        curve=curve(outcome, horizon_days),
        pays_from_requests_per_day=pays_from(evaluate, horizon_days=horizon_days),
        costs=costs,
        spread=distribution(evaluate, ranges, np.random.default_rng(SEED)),
        notes=notes,
    )


def outcome_of(inputs: PlanInputs) -> Outcome:
    """What the run costs, and what a day of the student with its audits saves against the teacher."""
    savings = (
        teacher_serving(inputs).usd_per_day - student_serving(inputs).usd_per_day - audits_usd_per_day(inputs)
    )
    return Outcome(run_cost(inputs).total_usd, savings)


def _verdict(plan: Plan) -> str:
    days, horizon = plan.break_even_days, plan.horizon_days
    saved, run = plan.outcome.savings_usd_per_day, plan.outcome.run_usd
    if days is None:
        return f"Does not pay: serving the student saves nothing ({saved:,.2f} USD a day)."
    if not plan.pays:
        return f"Does not pay within {horizon:g} days: {run:,.2f} USD are back only after {days:,.1f} days."
    best = max(plan.alternatives, key=lambda other: _saved_over(other, horizon), default=None)
    sentence = f"Pays: {run:,.2f} USD are back after {days:,.1f} days"
    if best is not None and _saved_over(best, horizon) > plan.savings_usd:
        return f"{sentence}, but to {best.name} saves more over {horizon:g} days."
    return f"{sentence}, and {plan.savings_usd:,.2f} USD are saved over {horizon:g} days."


def _saved_over(other: Alternative, days: float) -> float:
    return other.outcome.savings_over(days) if other.outcome else -math.inf


def _served(costs: Costs) -> tuple[tuple[str, ServingCost], ...]:
    return (("teacher", costs.teacher), ("student", costs.student))

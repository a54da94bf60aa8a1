"""Candidates with any figure that the tests of the frontier vary."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest

from coffey.economics.break_even import Outcome
from coffey.economics.candidate import Candidate
from coffey.economics.figures import configured, measured
from coffey.economics.inputs import PlanInputs
from coffey.economics.plan import Plan, make_plan
from coffey.economics.quality_forecast import QualityForecast

Three = tuple[float, float, float]
"""Value, low and high."""


def forecast_of(measure: Literal["retention", "agreement"], three: Three) -> QualityForecast:
    value, low, high = three
    return QualityForecast(
        measure=measure, value=value, low=low, high=high, rows=1000, points=4, doubled=value
    )


@functools.cache
def any_plan() -> Plan:
    names = (
        "requests_per_day", "horizon_days", "peak_to_mean", "replicas", "audits_per_day", "transfer_rows",
        "teacher_usd_per_1k", "student_usd_per_hour", "student_rps", "training_usd_per_hour",
        "controls_share", "people_hours", "people_usd_per_hour",
    )  # fmt: skip
    return make_plan(PlanInputs(**dict.fromkeys(names, configured(1.0, "unit", "test"))))


def plan_of(run_usd: float, net_usd: float, usd_per_1k: float) -> Plan:
    """A plan over 100 days with these sums."""
    plan = any_plan()
    assert plan.costs is not None
    costs = replace(plan.costs, student=replace(plan.costs.student, usd_per_1k=usd_per_1k))
    return replace(
        plan, costs=costs, horizon_days=100.0, outcome=Outcome(run_usd, (run_usd + net_usd) / 100.0)
    )


@pytest.fixture(scope="session")
def candidate() -> Callable[..., Candidate]:
    def build(
        name: str = "2M",
        *,
        p99: Three = (10.0, 9.0, 11.0),
        quality: Three | None = None,
        measure: Literal["retention", "agreement"] = "retention",
        run: Three = (1000.0, 900.0, 1100.0),
        net: float = 5000.0,
        usd_per_1k: float = 0.001,
        stages: tuple[str, ...] | None = None,
    ) -> Candidate:
        return Candidate(
            name=name,
            stages=stages or (name,),
            params=2_000_000,
            size_bytes=2_200_000,
            p50_ms=measured(p99[0] / 2, "ms", "test"),
            p99_ms=measured(p99[0], "ms", "test"),
            p99_range_ms=p99[1:],
            run_range_usd=run[1:],
            plan=plan_of(run[0], net, usd_per_1k),
            quality=forecast_of(measure, quality) if quality else None,
        )

    return build

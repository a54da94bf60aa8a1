"""What comes with a student is counted by its own arithmetic, and only where it is priced."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from coffey.economics.inputs import PlanInputs
from coffey.economics.plan import outcome_of
from coffey.economics.run_cost import run_cost
from coffey.economics.running_cost import running_cost

Build = Callable[..., PlanInputs]
AMOUNT = st.floats(min_value=0, max_value=1000)


def test_the_run_asks_the_holdout_and_exports(priced: Build) -> None:
    """3,000 more answers at 0.05 USD per 1,000, and two machine hours at 0.17 USD."""
    before, after = run_cost(priced()), run_cost(priced(holdout_rows=3000, export_hours=2))
    assert after.holdout_usd == pytest.approx(0.15)
    assert after.export_usd == pytest.approx(0.34)
    assert after.total_usd == pytest.approx(before.total_usd + 0.49)


def test_a_redistillation_costs_answers_training_and_people(priced: Build) -> None:
    """Six a year: each 2,000 answers, 500 steps of the last stage (0.05 s) and 3 hours of people."""
    costs = running_cost(
        priced(redistills_per_year=6, relabel_rows=2000, redistill_steps=500, redistill_people_hours=3)
    )
    each = 2000 * 0.05 / 1000 + 500 * 0.05 / 3600 * 0.17 + 3 * 100
    assert costs.redistills_usd_per_day == pytest.approx(6 / 365 * each)


def test_storage_is_the_full_log_and_what_the_run_left(priced: Build) -> None:
    """5 million requests of 200 bytes for 30 days are 30 GB; 2 GB are kept besides."""
    costs = running_cost(
        priced(log_bytes_per_request=200, log_days=30, store_gb=2, storage_usd_per_gb_month=0.023)
    )
    assert costs.storage_usd_per_day == pytest.approx(32 * 0.023 * 12 / 365)


def test_an_error_costs_what_it_is_said_to_cost(priced: Build) -> None:
    """Of 5 million answers 1 percent are worse than the teacher's, at a cent each."""
    costs = running_cost(priced(error_usd=0.01, quality_loss=0.01))
    assert costs.errors_usd_per_day == pytest.approx(500.0)
    assert running_cost(priced(error_usd=0.01)).errors_usd_per_day == 0
    assert running_cost(priced(quality_loss=0.01)).errors_usd_per_day == 0


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(
        [
            "holdout_rows", "export_hours", "redistills_per_year", "relabel_rows", "redistill_steps",
            "redistill_people_hours", "storage_usd_per_gb_month", "store_gb", "error_usd",
            "discount_per_year",
        ]
    ),
    less=AMOUNT,
    more=AMOUNT,
)  # fmt: skip
def test_more_of_any_cost_never_shortens_break_even(
    priced: Build, name: str, less: float, more: float
) -> None:
    """Whatever is added to the costs, the run is back no earlier."""
    less, more = sorted((less, more))
    others = {
        "redistills_per_year": 2, "relabel_rows": 2000, "redistill_people_hours": 1, "quality_loss": 1e-5,
        "log_bytes_per_request": 80, "log_days": 30,
    }  # fmt: skip

    def days(value: float) -> float:
        found = outcome_of(priced(**{**others, name: value})).break_even_days
        return float("inf") if found is None else found

    assert days(more) >= days(less) * (1 - 1e-9)


def test_what_is_not_priced_costs_nothing(priced: Build) -> None:
    """All amounts at 0 give the plan without them."""
    zeros = dict.fromkeys(
        (
            "holdout_rows", "export_hours", "redistills_per_year", "relabel_rows", "redistill_steps",
            "redistill_people_hours", "storage_usd_per_gb_month", "log_bytes_per_request", "log_days",
            "store_gb", "error_usd", "quality_loss", "growth_per_year", "discount_per_year",
        ),
        0.0,
    )  # fmt: skip
    assert outcome_of(priced(**zeros)) == outcome_of(priced())

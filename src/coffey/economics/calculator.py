"""The plan of somebody who knows the sums already: `coffey plan --run-usd … --saves-usd-per-1k …`."""

from __future__ import annotations

from collections.abc import Mapping

from coffey.economics.alternatives import do_nothing
from coffey.economics.break_even import Outcome
from coffey.economics.figures import check_figures, configured
from coffey.economics.plan import Plan, assemble


def calculate(
    run_usd: float, saves_usd_per_1k: float, requests_per_day: float, horizon_days: float = 365.0
) -> Plan:
    """The plan that follows from the price of a run and what 1,000 requests are cheaper by.

    `saves_usd_per_1k` may be negative: a student dearer than the teacher never pays.

    >>> calculate(5000, 0.01, 10_000_000).break_even_days
    50.0

    Raises:
        ConfigError: a price, the traffic or the horizon is negative or not a finite number.
    """
    figures = {
        "run_usd": configured(run_usd, "USD", "--run-usd"),
        "saves_usd_per_1k": configured(saves_usd_per_1k, "USD per 1,000 requests", "--saves-usd-per-1k"),
        "requests_per_day": configured(requests_per_day, "requests a day", "--requests-per-day"),
        "horizon_days": configured(horizon_days, "days", "--horizon-days"),
    }
    check_figures(
        figures, at_least={"saves_usd_per_1k": float("-inf")}, above_zero=frozenset({"horizon_days"})
    )
    values = {name: float(figure.value) for name, figure in figures.items()}

    def evaluate(changes: Mapping[str, float]) -> Outcome:
        now = {**values, **changes}
        return Outcome(now["run_usd"], now["requests_per_day"] * now["saves_usd_per_1k"] / 1000.0)

    return assemble(evaluate, figures, horizon_days=horizon_days, ranges={}, others=(do_nothing(None),))

"""The plan of somebody who knows the sums already: `coffey plan --run-usd … --saves-usd-per-1k …`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from coffey.core.ranges import Amount
from coffey.economics.alternatives import do_nothing
from coffey.economics.cash_flow import CashFlow, Numbers, Values, cash_flow
from coffey.economics.figure_ranges import wide_ranges
from coffey.economics.figures import check_figures, configured, ranges_of
from coffey.economics.plan import Plan, Question, assemble
from coffey.economics.threshold import PriceGap


def calculate(
    run_usd: Amount, saves_usd_per_1k: Amount, requests_per_day: Amount, horizon_days: float = 365.0
) -> Plan:
    """The plan that follows from the price of a run and what 1,000 requests are cheaper by.

    `saves_usd_per_1k` may be negative: a student dearer than the teacher never pays. An amount that is a
    `Range` gives the plan a distribution.

    >>> calculate(5000, 0.01, 10_000_000).break_even_days
    50.0

    Raises:
        ConfigError: a price, the traffic or the horizon is negative or not a finite number.
    """
    amounts = {
        "run_usd": (run_usd, "USD", "--run-usd"),
        "saves_usd_per_1k": (saves_usd_per_1k, "USD per 1,000 requests", "--saves-usd-per-1k"),
        "requests_per_day": (requests_per_day, "requests a day", "--requests-per-day"),
        "horizon_days": (horizon_days, "days", "--horizon-days"),
    }
    figures = {name: configured(float(value), unit, key) for name, (value, unit, key) in amounts.items()}
    ranges = ranges_of({name: value for name, (value, _, _) in amounts.items()})
    for place in (0, 1):
        ends = {
            name: replace(figure, value=ranges[name][place] if name in ranges else figure.value)
            for name, figure in figures.items()
        }
        check_figures(
            ends, at_least={"saves_usd_per_1k": float("-inf")}, above_zero=frozenset({"horizon_days"})
        )
    base = {name: np.array([figure.value], dtype=np.float64) for name, figure in figures.items()}

    def evaluate(changes: Mapping[str, Numbers]) -> CashFlow:
        values = {**base, **changes}
        return cash_flow(values, run_usd=values["run_usd"], savings=_savings)

    gap = PriceGap("saves_usd_per_1k", 1.0) if requests_per_day > 0 else None
    others = (do_nothing(None),)
    return assemble(
        Question(figures=figures, ranges=ranges, evaluate=evaluate, options=others, gap=gap),
        notes=wide_ranges({figures[name].note: ends for name, ends in ranges.items()}),
    )


def _savings(values: Values) -> Numbers:
    return values["requests_per_day"] * values["saves_usd_per_1k"] / 1000.0

"""The range of a forecast follows from those of its figures."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.economics.propagation import propagated

FACTORS = st.lists(st.floats(1.0, 4.0), min_size=1, max_size=5)


def product(values: Mapping[str, float], count: int) -> float:
    return math.prod(values.get(str(index), 1.0) for index in range(count))


@given(FACTORS)
def test_a_product_spreads_like_independent_errors(factors: list[float]) -> None:
    """Of a product the squares of the logarithms add exactly."""
    ranges = {str(index): (1 / factor, factor) for index, factor in enumerate(factors)}
    low, high = propagated(lambda values: product(values, len(factors)), ranges)
    spread = math.exp(math.sqrt(sum(math.log(factor) ** 2 for factor in factors)))
    assert high == pytest.approx(spread)
    assert low == pytest.approx(1 / spread)


@given(FACTORS)
def test_the_range_holds_the_value_and_grows_with_every_figure(factors: list[float]) -> None:
    """One more uncertain figure never makes a forecast surer."""

    def total(values: Mapping[str, float]) -> float:
        return sum(values.get(str(index), 1.0) for index in range(len(factors)))

    ranges = {str(index): (1 / factor, factor) for index, factor in enumerate(factors)}
    low, high = propagated(total, ranges)
    fewer_low, fewer_high = propagated(total, {name: ranges[name] for name in list(ranges)[:-1]})
    assert low <= fewer_low * (1 + 1e-12)
    assert fewer_low <= len(factors) * (1 + 1e-12)
    assert len(factors) <= fewer_high * (1 + 1e-12)
    assert fewer_high <= high * (1 + 1e-12)


def test_a_figure_that_lowers_the_forecast_widens_it_too() -> None:
    """A rate in the denominator: its low end gives the high end."""
    assert propagated(lambda values: 8.0 / values.get("rate", 2.0), {"rate": (1.0, 4.0)}) == (2.0, 8.0)


def test_nothing_to_pay_has_no_range() -> None:
    """A run that costs nothing costs nothing whatever the prices of its hours."""
    assert propagated(lambda values: 0.0, {"hours": (1.0, 2.0)}) == (0.0, 0.0)
    assert propagated(lambda values: 5.0, {}) == (5.0, 5.0)


def test_it_covers_what_drawing_all_figures_gives() -> None:
    """About as wide as the central 80 % of draws, for figures drawn log-uniform over their ranges."""
    ranges = {str(index): (0.5, 2.0) for index in range(4)}
    low, high = propagated(lambda values: product(values, 4), ranges)
    draws = np.exp(np.random.default_rng(3).uniform(math.log(0.5), math.log(2.0), (20_000, 4)).sum(axis=1))
    p10, p90 = np.quantile(draws, [0.1, 0.9])
    assert low < p10
    assert p90 < high

"""Ranges drawn at once cover every range evenly, and give the percentiles that theory gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.ranges import Range
from coffey.economics.calculator import calculate
from coffey.economics.draws import DRAWS, latin_hypercube
from coffey.economics.plan_json import plan_json

ENDS = st.floats(min_value=1e-6, max_value=1e9)


def drawn(**ranges: tuple[float, float]) -> dict[str, np.ndarray]:
    return latin_hypercube(ranges, np.random.default_rng(3))


@given(one=ENDS, other=ENDS)
def test_every_part_of_a_range_is_drawn_once(one: float, other: float) -> None:
    """On the logarithm of a range above 0, each of the equal parts holds one draw."""
    low, high = sorted((one, other))
    if high < low * 1.001:
        return
    found = np.log(drawn(x=(low, high))["x"] / low) / math.log(high / low)
    parts = np.clip(np.floor(np.sort(found) * DRAWS + 1e-6), 0, DRAWS - 1)
    assert np.abs(parts - np.arange(DRAWS)).max() <= 1


def test_a_range_that_is_not_above_zero_is_drawn_evenly() -> None:
    """Growth may be a loss: uniform from end to end."""
    found = np.sort(drawn(growth=(-0.5, 0.5))["growth"])
    assert found == pytest.approx(np.linspace(-0.5, 0.5, DRAWS), abs=2 / DRAWS)


def test_figures_are_drawn_independently_and_one_point_is_not_drawn() -> None:
    """Two ranges do not follow each other; a range without width stays what it is."""
    found = drawn(a=(1.0, 10.0), b=(1.0, 10.0), c=(2.0, 2.0))
    assert set(found) == {"a", "b"}
    assert abs(np.corrcoef(found["a"], found["b"])[0, 1]) < 0.1


def test_percentiles_are_those_of_the_product_of_ranges() -> None:
    """One price drawn log-uniform from 5 to 20: the 10th percentile of 100 / price is 100 / (5 x 4^0.9)."""
    plan = calculate(100.0, Range(5.0, 20.0), 1000.0, horizon_days=8.0)
    assert plan.distribution is not None
    days = plan.distribution.days
    for share, found in ((0.9, days.p10), (0.5, days.p50), (0.1, days.p90)):
        assert found == pytest.approx(100 / (5 * 4**share), rel=0.01)
    paid = math.log(20 / 12.5) / math.log(4)
    assert plan.distribution.never_probability == pytest.approx(1 - paid, abs=0.005)
    mean = 15 / math.log(4) * 8 - 100
    assert plan.distribution.net.mean == pytest.approx(mean, rel=0.01)
    assert plan.distribution.net.p50 == pytest.approx(8 * 10 - 100, rel=0.05)


def test_what_may_never_pay_is_said() -> None:
    """A difference in price between a loss and a gain: some draws never come back, and P90 is null."""
    plan = calculate(100.0, Range(-1.0, 4.0), 1e6)
    said = plan_json(plan)
    assert said["break_even"]["p90"] is None  # type: ignore[index]
    assert said["never_probability"] == pytest.approx(0.2, abs=0.01)
    assert "20 % chance that it does not pay within 365 days" in plan.verdict


def test_the_band_holds_the_curve_and_ends_at_the_net_value() -> None:
    """On every day the 10th percentile is below the 90th; on the last they are those of the net value."""
    plan = calculate(Range(4000, 6000), Range(0.005, 0.02), Range(8e6, 12e6))
    assert plan.distribution is not None
    band = plan.distribution.band
    assert [day for day, _, _ in band] == [day for day, _ in plan.curve]
    assert all(low < net < high for (_, low, high), (_, net) in zip(band, plan.curve, strict=True))
    assert band[-1][1:] == (plan.distribution.net.p10, plan.distribution.net.p90)


def test_a_plan_is_a_function_of_its_inputs() -> None:
    """The draws are seeded: twice the same answer."""
    plans = [calculate(5000, Range(0.005, 0.02), 10_000_000) for _ in range(2)]
    assert plan_json(plans[0]) == plan_json(plans[1])

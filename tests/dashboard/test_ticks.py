"""Ticks are round, ascending, within the axis and few."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.dashboard.charts.ticks import STEPS, linear_ticks, log_ticks, round_step

lows = st.floats(-1e9, 1e9, allow_nan=False)
widths = st.floats(1e-3, 1e9)
positive = st.floats(1e-6, 1e6)
factors = st.floats(1.05, 1e9)


@given(lows, widths, st.integers(2, 12))
def test_linear_ticks_ascend_within_the_axis_and_are_few(low: float, width: float, count: int) -> None:
    """Linear ticks ascend strictly, stay within the axis, and are at most one more than asked for."""
    ticks = linear_ticks(low, low + width, count)
    slack = 1e-6 * (width + abs(low) * 1e-6)
    assert all(a < b for a, b in zip(ticks, ticks[1:], strict=False))
    assert all(low - slack <= tick <= low + width + slack for tick in ticks)
    assert len(ticks) <= count + 1


@given(lows, widths, st.integers(4, 12))
def test_linear_ticks_are_evenly_spaced(low: float, width: float, count: int) -> None:
    """The distance between neighbours is one round step."""
    ticks = linear_ticks(low, low + width, count)
    step = round_step(width / count)
    assert all(
        b - a == pytest.approx(step, rel=1e-6, abs=1e-9 * abs(low))
        for a, b in zip(ticks, ticks[1:], strict=False)
    )


@given(st.floats(1e-9, 1e9))
def test_a_step_is_a_round_multiple_of_a_power_of_ten(rough: float) -> None:
    """A step is at least what was asked, at most 2.5 times it, and a round multiple of a power of ten."""
    step = round_step(rough)
    lead = step / 10 ** math.floor(math.log10(rough))
    assert rough * (1 - 1e-9) <= step <= 2.5 * rough
    assert any(lead == pytest.approx(known) for known in STEPS)


@pytest.mark.parametrize("rough", [0.0, -1.0, math.nan, math.inf])
def test_a_step_that_is_not_positive_is_refused(rough: float) -> None:
    """A step of nothing, or of no number, is an error rather than an endless axis."""
    with pytest.raises(ValueError, match="positive"):
        round_step(rough)


@given(positive, factors, st.integers(2, 8))
def test_log_ticks_ascend_within_the_axis_and_are_few(low: float, factor: float, count: int) -> None:
    """Logarithmic ticks are positive, ascend, stay within the axis and are never more than asked for."""
    high = low * factor
    ticks = log_ticks(low, high, count)
    assert ticks
    assert all(a < b for a, b in zip(ticks, ticks[1:], strict=False))
    assert all(low * (1 - 1e-6) <= tick <= high * (1 + 1e-6) for tick in ticks)
    assert len(ticks) <= count


def test_many_decades_are_thinned() -> None:
    """Over twelve decades only some powers of ten are named."""
    assert log_ticks(1, 1e12, 5) == [1.0, 1e3, 1e6, 1e9, 1e12]

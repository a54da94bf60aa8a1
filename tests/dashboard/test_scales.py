"""Scales keep order, meet their ends and leave out what has no position."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.dashboard.charts.scales import Scale, drawable, extent

numbers = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(st.floats(0.5, 1e6), min_size=2), st.booleans())
def test_a_scale_keeps_order_and_stays_within_its_ends(values: list[float], log: bool) -> None:
    """Positions ascend with values, and never leave the range between start and end."""
    low, high = extent(values, log=log)
    scale = Scale(low, high, 10, 110, log)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(10 - 1e-6 <= place <= 110 + 1e-6 for place in places)


@pytest.mark.parametrize("log", [False, True])
def test_a_scale_meets_its_ends_and_holds_what_lies_beyond(log: bool) -> None:
    """The ends of the domain are the ends of the range; values beyond are held there."""
    scale = Scale(1, 100, 200, 0, log)
    assert (scale(1), scale(100)) == (200, 0)
    assert (scale(0.001), scale(1e9)) == (200, 0)
    assert scale.holds(50)
    assert not scale.holds(101)


@pytest.mark.parametrize(
    ("low", "high", "log"), [(1, 1, False), (2, 1, False), (math.nan, 1, False), (0, 1, True)]
)
def test_a_domain_that_cannot_be_drawn_is_refused(low: float, high: float, log: bool) -> None:
    """Empty, reversed and (on a logarithmic scale) non-positive domains are errors."""
    with pytest.raises(ValueError, match="needs low"):
        Scale(low, high, 0, 1, log)


@given(st.lists(numbers), st.booleans(), st.floats(0, 0.5))
def test_an_extent_is_always_a_domain(values: list[float], log: bool, pad: float) -> None:
    """Whatever the values, a scale can be made from their extent, and every drawable value lies in it."""
    low, high = extent(values, log=log, pad=pad)
    scale = Scale(low, high, 0, 1, log)
    slack = 1e-9 * max(abs(low), abs(high))
    assert all(low - slack <= value <= high + slack for value in values if drawable(value, log=log))
    assert scale(low) == 0


def test_what_is_no_number_has_no_position() -> None:
    """NaN, infinities, None and, on a logarithmic scale, zero are not drawn and do not stretch an axis."""
    assert extent([1.0, math.nan, math.inf, 2.0]) == (1.0, 2.0)
    assert extent([-5.0, 0.0, 1.0, 10.0], log=True) == (1.0, 10.0)
    assert not drawable(None)
    assert not drawable(0.0, log=True)

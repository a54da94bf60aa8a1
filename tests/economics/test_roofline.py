"""The slowest ceiling decides, kind by kind."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.economics.roofline import Speed, Work, seconds

amounts = st.floats(0, 1e12)


@pytest.mark.parametrize(
    ("work", "expected"),
    [(Work(8, 1, 0), 4.0), (Work(1, 9, 0), 3.0), (Work(0, 0, 0, elements=10), 10.0), (Work(0, 0, 2), 1.0)],
)
def test_each_ceiling_can_be_the_one(work: Work, expected: float) -> None:
    """Operations at 2 a second, bytes at 3, functions at 1, half a second a launch."""
    assert seconds([work], Speed(2, 3, 0.5, 1)) == expected


@settings(deadline=None)
@given(flops=amounts, moved=amounts, more=amounts)
def test_more_work_is_never_faster(flops: float, moved: float, more: float) -> None:
    """Neither more operations nor more bytes shorten anything."""
    speed = Speed(1e9, 1e8, 1e-6)
    before = seconds([Work(flops, moved)], speed)
    assert seconds([Work(flops + more, moved)], speed) >= before
    assert seconds([Work(flops, moved + more)], speed) >= before


def test_functions_are_free_where_memory_is_always_slower() -> None:
    """The default of a machine has no ceiling for them."""
    assert math.isfinite(seconds([Work(0, 1, elements=1e30)], Speed(1, 1)))

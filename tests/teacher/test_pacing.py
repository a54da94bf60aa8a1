"""A rate is kept within every minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.teacher.pacing import Pace


@given(
    st.lists(st.tuples(st.floats(0, 20), st.floats(0.1, 5)), min_size=1, max_size=60),
    st.floats(1, 100),
)
def test_no_minute_begins_more_than_its_amount_and_one_reservation(asked, per_minute):
    """However the requests come."""
    pace, now, begun = Pace(per_minute), 0.0, []
    for gap, amount in asked:
        now += gap
        begun.append((now + pace.reserve(amount, now), amount))
    for start, _ in begun:
        within = [amount for begin, amount in begun if start <= begin < start + 60]
        assert sum(within) <= per_minute + max(within) + 1e-6


def test_without_a_limit_nothing_waits():
    """But a hold is kept."""
    pace = Pace(None)
    assert [pace.reserve(1e9, 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    pace.hold(5.0)
    assert pace.reserve(1, 2.0) == 3.0


def test_what_was_used_beyond_the_estimate_is_waited_for_later():
    """60 a minute: 10 reserved, 30 used, so the next waits 30 s."""
    pace = Pace(60)
    assert pace.reserve(10, 0.0) == 0.0
    pace.correct(20)
    assert pace.reserve(1, 0.0) == pytest.approx(30.0)

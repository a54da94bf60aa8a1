"""Pauses grow up to a limit, are drawn from the whole of it, and respect what the server asks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffey.teacher.retrying import Backoff, retry_after_s


@given(st.integers(1, 2000), st.floats(0, 1, exclude_max=True), st.floats(0, 1e6))
def test_a_pause_lies_between_what_is_asked_and_the_limit(failures, uniform, asked):
    """Full jitter: from nothing to the exponential bound."""
    backoff = Backoff(first_s=0.5, most_s=30.0)
    bound = min(30.0, 0.5 * 2.0 ** min(failures - 1, 60))
    assert 0 <= backoff.delay_s(failures, uniform) <= bound
    assert asked <= backoff.delay_s(failures, uniform, asked_s=asked) <= asked + bound


def test_a_date_in_the_past_asks_for_no_pause():
    """Clocks differ; a pause is never negative."""
    assert retry_after_s("Thu, 01 Jan 1970 00:00:09 GMT", unix_s=100) == 0.0
    assert retry_after_s("-3", unix_s=0) == 0.0
    assert retry_after_s("inf", unix_s=0) is None

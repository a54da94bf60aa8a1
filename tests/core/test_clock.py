"""Stamps are ISO 8601 in UTC to the millisecond, and sort as the moments do."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from coffey.core.clock import monotonic, stamp, unix_now, utc_now

MOMENTS = st.floats(0, 4e9)


@given(MOMENTS)
def test_a_stamp_is_its_moment(moment):
    """Reading a stamp back gives the moment, cut to the millisecond."""
    read = datetime.fromisoformat(stamp(moment)).astimezone(UTC).timestamp()
    assert -1e-5 <= moment - read < 0.001 + 1e-5


@given(MOMENTS, MOMENTS)
def test_stamps_sort_like_moments(one, other):
    """Journals are sorted by stamp."""
    assert (stamp(one) <= stamp(other)) or one > other


def test_the_clocks_run():
    """Now lies between two looks at it."""
    before, started = unix_now(), monotonic()
    assert stamp(before) <= utc_now() <= stamp(unix_now())
    assert monotonic() >= started

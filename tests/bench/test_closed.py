"""A closed loop times each call alone."""

from __future__ import annotations

from typing import Any

import pytest

from coffey.bench.closed import time_closed


def test_times_and_rate_are_those_of_the_calls(fake_clock: Any) -> None:
    """2 ms a call is a p50 of 2 ms and 500 a second; warm-up is not counted."""
    calls: list[str] = []

    def call(text: str) -> None:
        calls.append(text)
        fake_clock.now += 0.002 if len(calls) > 5 else 1.0

    found = time_closed(call, ["a", "b"], subject="s", warmup=5, seconds=1.0, clock=fake_clock)
    assert found.p50_ms == pytest.approx(2, rel=0.01)
    assert found.p99_ms == pytest.approx(2, rel=0.01)
    assert found.rps == pytest.approx(500, rel=0.01)
    assert found.requests == len(calls) - 5
    assert calls[5:9] == ["a", "b", "a", "b"]


@pytest.mark.parametrize(("later_s", "requests"), [(0.002, 400), (0.004, 10_000)])
def test_a_timing_ends_when_its_median_is_known(fake_clock: Any, later_s: float, requests: int) -> None:
    """400 equal calls are enough; a machine that became slower halfway must be watched for longer."""
    calls = 0

    def call(text: str) -> None:
        nonlocal calls
        calls += 1
        fake_clock.now += 0.002 if calls <= 200 else later_s

    found = time_closed(
        call, ["a"], subject="s", warmup=0, seconds=1e3 * later_s * 10, within=0.02, clock=fake_clock
    )
    assert (found.requests == requests) is (later_s == 0.002)
    assert found.requests >= requests or later_s > 0.002


@pytest.mark.parametrize("limits", [{}, {"seconds": 1.0, "requests": 3}])
def test_exactly_one_limit_is_needed(limits: dict[str, Any]) -> None:
    """Neither or both is a mistake of the caller."""
    with pytest.raises(ValueError, match="give one of the two"):
        time_closed(len, ["a"], subject="s", **limits)

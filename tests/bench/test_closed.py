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


@pytest.mark.parametrize("limits", [{}, {"seconds": 1.0, "requests": 3}])
def test_exactly_one_limit_is_needed(limits: dict[str, Any]) -> None:
    """Neither or both is a mistake of the caller."""
    with pytest.raises(ValueError, match="give one of the two"):
        time_closed(len, ["a"], subject="s", **limits)

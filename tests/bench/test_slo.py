"""The highest rate within a promise is found from below, above and nowhere."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.bench.slo import highest_rate
from coffey.bench.summary import summarize
from coffey.core.records import Latency


def server_of(capacity: float, errors_above: float = float("inf")):  # type: ignore[no-untyped-def]
    """p99 of an M/M/1 queue: ln(100) / (mu - lambda); a second beyond capacity."""

    def trial(rate: float) -> Latency:
        seconds = np.log(100) / (capacity - rate) if rate < capacity else 1.0
        return summarize(
            np.full(10, seconds), subject="s", path="http", load="open", elapsed_s=10 / min(rate, capacity),
            offered_rps=rate, errors=int(rate > errors_above),
        )  # fmt: skip

    return trial


@pytest.mark.parametrize("start", [10.0, 400.0, 10_000.0])
def test_the_turning_point_is_found_from_either_side(start: float) -> None:
    """50 ms at 1,000 a second holds up to 908; what is reported was offered and held."""
    found = highest_rate(server_of(1000), latency_p99_ms=50, start_rps=start, trials=20)
    assert 908 / 1.1 <= found.rps <= 908
    assert found.best is not None
    assert found.best.p99_ms <= 50
    assert [one.offered_rps for one in found.curve] == sorted(one.offered_rps for one in found.curve)  # type: ignore[type-var]


def test_refused_requests_fail_a_rate_however_fast_they_were_refused() -> None:
    """Errors count against a rate like a missed p99."""
    found = highest_rate(server_of(1e9, errors_above=100), latency_p99_ms=50, start_rps=10, trials=20)
    assert 100 / 1.1 <= found.rps <= 100


def test_a_backlog_within_the_promise_is_no_rate_that_was_answered() -> None:
    """A trial too short to fill the queue: 1,000 a second were answered, whatever was offered."""

    def trial(rate: float) -> Latency:
        elapsed = 10 / min(rate, 1000.0)
        return summarize(
            np.full(10, 0.02), subject="s", path="http", load="open", elapsed_s=elapsed, offered_rps=rate
        )

    found = highest_rate(trial, latency_p99_ms=50, start_rps=4000, trials=3)
    assert found.best is not None
    assert found.best.offered_rps == 16_000
    assert found.rps == pytest.approx(1000)


def test_a_promise_that_no_rate_keeps_is_zero() -> None:
    """The search ends after its trials and says so."""
    found = highest_rate(server_of(10), latency_p99_ms=1, start_rps=100, trials=8)
    assert found.rps == 0
    assert found.best is None
    assert len(found.curve) == 8

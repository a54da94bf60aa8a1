"""A fleet is bought for the peak, and idle machines are said to be idle."""

from __future__ import annotations

import math

import pytest

from coffey.economics.capacity import capacity_within
from coffey.economics.serving import hosted, priced


def test_the_fleet_is_whole_machines_for_the_peak() -> None:
    """864,000 requests a day are 10 a second, 20 at peak: three machines of 7 a second."""
    cost = hosted(1.0, 7.0, requests_per_day=864_000, peak_to_mean=2, replicas=1)
    assert cost.machines == 3
    assert cost.usd_per_day == 72.0
    assert cost.usd_per_1k == pytest.approx(72 / 864)
    assert cost.note == ""


def test_replicas_are_a_floor_and_low_traffic_is_a_fixed_cost() -> None:
    """Two replicas cost the same at a thousand requests a day, and the note says so."""
    cost = hosted(1.0, 100.0, requests_per_day=1000, peak_to_mean=2, replicas=2)
    assert cost.machines == 2
    assert cost.usd_per_1k == 48.0
    assert "fixed cost: 2 machine(s)" in cost.note


def test_nothing_runs_without_requests() -> None:
    """No request has no price."""
    assert hosted(1.0, 1.0, requests_per_day=0, peak_to_mean=1, replicas=3).usd_per_day == 0
    assert priced(1.0, requests_per_day=0).usd_per_1k is None


def test_capacity_is_the_rate_at_which_p99_meets_the_promise() -> None:
    """At that rate ln(100) / (mu - lambda) is the promise; too slow a model is counted at half speed."""
    capacity = capacity_within(1000, latency_p99_ms=50)
    assert math.log(100) / (1000 - capacity.rps) == pytest.approx(0.050)
    slow = capacity_within(10, latency_p99_ms=50)
    assert not slow.holds
    assert slow.rps == 5.0


def test_a_rate_is_never_said_to_keep_a_promise_that_it_breaks() -> None:
    """At 8 ms a request p99 holds at a quarter of the capacity, but not at the half that is counted."""
    tight = capacity_within(125, latency_p99_ms=50)
    assert tight.rps == 62.5
    assert math.log(100) / (125 - tight.rps) > 0.050
    assert not tight.holds

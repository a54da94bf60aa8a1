"""An open loop counts from the scheduled arrival, so a stall shows in the tail; a closed loop hides it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coffey.bench.arrivals import poisson_arrivals
from coffey.bench.closed import time_closed
from coffey.bench.open import time_open


def stalling_call(clock: Any, *, at: int, stall_s: float = 0.4, usual_s: float = 0.001) -> Any:
    asked = 0

    def call(_: object) -> None:
        nonlocal asked
        asked += 1
        clock.now += stall_s if asked == at else usual_s

    return call


def test_one_stall_shows_in_the_open_loop_and_hides_in_the_closed_one(fake_clock: Any) -> None:
    """400 ms of stall at 200 requests a second delay a fifth of two seconds' requests."""
    arrivals = poisson_arrivals(200, 2, np.random.default_rng(1))
    opened = time_open(
        stalling_call(fake_clock, at=100),
        ["x"],
        arrivals,
        subject="s",
        clock=fake_clock,
        sleep=fake_clock.sleep,
    )
    closed = time_closed(
        stalling_call(fake_clock, at=100),
        ["x"],
        subject="s",
        warmup=0,
        requests=len(arrivals),
        clock=fake_clock,
    )
    assert opened.p99_ms > 300
    assert closed.p99_ms < 2
    assert opened.requests == closed.requests == len(arrivals)
    assert opened.errors == 0


def test_a_rate_that_cannot_be_served_ends_and_counts_what_waits(fake_clock: Any) -> None:
    """At ten times what is possible the trial ends in bounded time, with the rest as errors."""
    arrivals = poisson_arrivals(1000, 1, np.random.default_rng(1))
    found = time_open(
        stalling_call(fake_clock, at=-1, usual_s=0.01), ["x"], arrivals, subject="s",
        clock=fake_clock, sleep=fake_clock.sleep,
    )  # fmt: skip
    assert found.errors > len(arrivals) / 2
    assert found.requests == len(arrivals)
    assert found.p99_ms > 400
    assert found.rps == pytest.approx(100, rel=0.05)


def test_arrivals_are_poisson_and_made_in_advance() -> None:
    """Counts in unit intervals have the variance of their mean; the seed fixes the schedule."""
    arrivals = poisson_arrivals(50, 200, np.random.default_rng(3))
    counts = np.bincount(arrivals.astype(int), minlength=200)
    assert counts.mean() == pytest.approx(50, rel=0.05)
    assert counts.var() == pytest.approx(50, rel=0.35)
    assert np.array_equal(arrivals, poisson_arrivals(50, 200, np.random.default_rng(3)))
    assert len(poisson_arrivals(0.001, 0.1, np.random.default_rng(3))) == 1


def test_a_rate_of_nothing_is_refused() -> None:
    """The message says what was given."""
    with pytest.raises(ValueError, match="rate=0"):
        poisson_arrivals(0, 1, np.random.default_rng(1))

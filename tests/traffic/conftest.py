"""Records to log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coffey.core.records import TrafficRecord

MakeRecords = Callable[..., list[TrafficRecord]]


@pytest.fixture
def make_records() -> MakeRecords:
    """`make_records(n)`: n records, a minute apart, from the first second of an hour, for two models."""

    def make(count: int, *, start: int = 0, first_unix_s: float = 1_800_000_000.0) -> list[TrafficRecord]:
        return [
            TrafficRecord(
                id=f"r{number:06d}",
                unix_s=first_unix_s + 60.0 * number,
                model="ab" * 32 if number % 3 else "cd" * 32,
                text=f"text {number} with umlauts äöü and 漢字",
                label=f"label{number % 5}",
                confidence=(number % 100) / 100,
                latency_ms=0.25,
                audit=number % 4 == 0,
                audit_probability=0.25,
            )
            for number in range(start, start + count)
        ]

    return make

"""Time: `monotonic` for intervals, `utc_now` for stamps. Nothing else reads a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Seconds, of which only differences mean anything."""

monotonic: Clock = time.perf_counter


def unix_now() -> float:
    """Seconds since 1970 in UTC, for records that are sorted and compared."""
    return time.time()  # noqa: TID251 - the one place that reads the wall clock


def utc_now() -> str:
    """The present moment as ISO 8601 in UTC, to the millisecond, for people and journals."""
    return stamp(unix_now())


def stamp(unix_s: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond.

    >>> stamp(0)
    '1970-01-01T00:00:00.000Z'
    """
    moment = datetime.fromtimestamp(unix_s, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def spoken(unix_s: float) -> str:
    """Seconds since 1970 in UTC, to the minute, as people say it.

    >>> spoken(0)
    'Thursday 1970-01-01 00:00 UTC'
    """
    return datetime.fromtimestamp(unix_s, UTC).strftime("%A %Y-%m-%d %H:%M UTC")

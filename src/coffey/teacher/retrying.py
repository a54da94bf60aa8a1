"""When a request is sent again, and after how long."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that may be another the next time: time-outs, conflicts, too many requests, a server's failure or
overload (529 is what some services call it)."""

_ENOUGH = 60
"""Doublings that no limit is above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waiting times that grow, with full jitter (Brooker 2015, "Exponential Backoff And Jitter", AWS)."""

    first_s: float = 0.5
    most_s: float = 30.0

    def delay_s(self, failures: int, uniform: float, *, asked_s: float | None = None) -> float:
        """Seconds to wait after so many `failures` (from 1), for a draw `uniform` from [0, 1).

        With `asked_s`, what the server asked to be waited (Retry-After), that comes first.

        >>> [Backoff().delay_s(failures, 0.5) for failures in (1, 2, 10)]
        [0.25, 0.5, 15.0]
        """
        return (asked_s or 0.0) + uniform * min(self.most_s, self.first_s * 2.0 ** min(failures - 1, _ENOUGH))


def retry_after_s(value: str | None, *, unix_s: float) -> float | None:
    """What a Retry-After header (RFC 9110, 10.2.3: seconds or a date) asks for; None when it asks nothing.

    >>> retry_after_s("2", unix_s=0), retry_after_s("Thu, 01 Jan 1970 00:00:09 GMT", unix_s=2)
    (2.0, 7.0)
    >>> retry_after_s("soon", unix_s=0) is None, retry_after_s(None, unix_s=0) is None
    (True, True)
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - unix_s
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if seconds < float("inf") else None

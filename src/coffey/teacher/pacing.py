"""Keeping to a rate: so much a minute, evenly spread."""

from __future__ import annotations

import math


class Pace:
    """Says how long to wait before the next amount.

    By the virtual scheduling of GCRA (ITU-T I.371) without a burst: what begins within any minute is at most
    one minute's amount and one reservation more. Times are seconds of one clock, passed in.
    """

    def __init__(self, per_minute: float | None) -> None:
        """No limit when `per_minute` is None."""
        self._seconds_each = 0.0 if per_minute is None else 60 / per_minute
        self._free_at = -math.inf

    def reserve(self, amount: float, now: float) -> float:
        """Take `amount`; the seconds to wait before it may be used.

        >>> pace = Pace(60)
        >>> pace.reserve(1, 0.0), pace.reserve(1, 0.0), pace.reserve(1, 5.0)
        (0.0, 1.0, 0.0)
        """
        start = max(now, self._free_at)
        self._free_at = start + amount * self._seconds_each
        return start - now

    def correct(self, amount: float) -> None:
        """Take `amount` more (or less, if negative) than was reserved, as turned out later."""
        self._free_at += amount * self._seconds_each

    def hold(self, until: float) -> None:
        """Let nothing that is not reserved yet begin before `until`."""
        self._free_at = max(self._free_at, until)

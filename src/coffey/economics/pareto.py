"""Which candidates no other beats: the Pareto set over latency, quality and price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a candidate stands: less latency, more quality and a lower price are better."""

    latency_ms: float
    quality: float | None
    """None when it is not known."""
    usd_per_1k: float | None
    """None when there are no requests, so that there is no price of one."""


def beaten_by(positions: Sequence[Position]) -> list[int | None]:
    """For each position the first that is as good in all and better in something; None in the Pareto set.

    An unknown quality is neither better nor worse than another, so a candidate of unknown quality is never
    beaten and beats nobody.

    >>> fast = Position(latency_ms=1, quality=0.9, usd_per_1k=0.1)
    >>> slow = Position(latency_ms=2, quality=0.9, usd_per_1k=0.1)
    >>> beaten_by([slow, fast])
    [1, None]
    """
    return [
        next((rival for rival, other in enumerate(positions) if _beats(other, position)), None)
        for position in positions
    ]


def _beats(a: Position, b: Position) -> bool:
    if a.quality is None or b.quality is None:
        return False
    pairs = [(a.latency_ms, b.latency_ms), (-a.quality, -b.quality)]
    if a.usd_per_1k is not None and b.usd_per_1k is not None:
        pairs.append((a.usd_per_1k, b.usd_per_1k))
    return all(ours <= theirs for ours, theirs in pairs) and any(ours < theirs for ours, theirs in pairs)

"""A candidate held against one line of the budget: kept, missed, or not yet certain, and by how much."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from coffey.core.settings import BudgetSettings
from coffey.economics.candidate import Candidate, Span

LEAST_LOSS = 0.01
"""Shortfalls of quality are counted in the loss that the budget allows, and a floor of 1 allows none: one
percent, the step in which people set such floors, is the least it is counted in."""


class Standing(enum.Enum):
    """How a candidate stands to the budget, from the best to the worst."""

    KEEPS = "keeps"
    """Kept even at the bad end of the range."""
    MAY = "may"
    """The range lies on both sides of the limit."""
    UNKNOWN = "unknown"
    """Nothing was measured that would tell."""
    MISSES = "misses"
    """Missed even at the good end of the range."""


_ORDER = tuple(Standing)


def worst(standings: list[Standing]) -> Standing:
    """The worst of several."""
    return max(standings, key=_ORDER.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the budget."""

    budget: str
    """The key in `coffey.toml`."""
    subject: str
    """What is held against it, for example `p99`."""
    unit: str
    limit: float
    value: float | None
    """None when it is not known, as are `range` and `over` then."""
    range: Span | None
    standing: Standing
    over: float | None
    """How far the value is beyond the limit, as a share of what the budget allows; negative is room."""

    @property
    def words(self) -> str:
        """The check as a clause with its numbers."""
        return _words(self)


def checks(candidate: Candidate, budget: BudgetSettings) -> tuple[Check, ...]:
    """Latency, quality and cost of the run against the budget."""
    return (
        _ceiling(
            ("budget.latency_p99_ms", "p99", "ms"),
            candidate.p99_ms.value,
            candidate.p99_range_ms,
            budget.latency_p99_ms,
        ),
        _quality(candidate, budget),
        _ceiling(
            ("budget.max_usd", "the run", "USD"), candidate.run_usd, candidate.run_range_usd, budget.max_usd
        ),
    )


def _ceiling(names: tuple[str, str, str], value: float, ends: Span, limit: float) -> Check:
    key, subject, unit = names
    low, high = ends
    standing = Standing.KEEPS if high <= limit else Standing.MISSES if low > limit else Standing.MAY
    return Check(
        budget=key,
        subject=subject,
        unit=unit,
        limit=limit,
        value=value,
        range=ends,
        standing=standing,
        over=value / limit - 1.0,
    )


def _quality(candidate: Candidate, budget: BudgetSettings) -> Check:
    forecast = candidate.quality
    if forecast is None:
        return Check(
            budget="budget.min_retention",
            subject="quality",
            unit="",
            limit=budget.min_retention,
            value=None,
            range=None,
            standing=Standing.UNKNOWN,
            over=None,
        )
    retained = forecast.measure == "retention"
    limit = budget.min_retention if retained else budget.min_agreement
    standing = (
        Standing.KEEPS
        if forecast.low >= limit
        else Standing.MISSES
        if forecast.high < limit
        else Standing.MAY
    )
    return Check(
        budget=f"budget.min_{forecast.measure}",
        subject=forecast.measure,
        unit="",
        limit=limit,
        value=forecast.value,
        range=(forecast.low, forecast.high),
        standing=standing,
        over=(limit - forecast.value) / max(1.0 - limit, LEAST_LOSS),
    )


def amount(value: float, unit: str) -> str:
    """A number of the budget as people write it.

    >>> amount(4120.5, "USD"), amount(0.25, "USD"), amount(3.14159, "ms"), amount(0.9712, "")
    ('4,120 USD', '0.25 USD', '3.14 ms', '0.971')
    """
    if unit == "USD":
        return f"{value:,.0f} USD" if abs(value) >= 100 else f"{value:,.2f} USD"
    if unit == "ms":
        return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"
    return f"{value:.3f}"


def _words(check: Check) -> str:
    if check.value is None or check.range is None:
        return "nothing is known of its quality"
    said = _with_range(check.value, check.range, check.unit)
    limit = amount(check.limit, check.unit)
    gap = amount(abs(check.value - check.limit), check.unit)
    floor = check.unit == ""
    if check.standing is Standing.MAY:
        return f"{check.subject} {said} lies on both sides of {limit}"
    if check.standing is Standing.KEEPS:
        return f"{check.subject} {said} is {'above' if floor else 'within'} {limit}"
    return f"{check.subject} {said} is {'below' if floor else 'over'} {limit} by {gap}"


def _with_range(value: float, ends: Span, unit: str) -> str:
    low, high = (amount(end, unit).removesuffix(f" {unit}") for end in ends)
    return amount(value, unit) if low == high else f"{amount(value, unit)} ({low} to {high})"

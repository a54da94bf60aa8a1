"""The answer of a plan in one sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from coffey.economics.alternatives import Alternative
from coffey.economics.break_even import Outcome
from coffey.economics.draws import Distribution, Spread

_SAME = 0.01
"""Savings that differ by a smaller share are not told apart: no figure behind them is as sure."""

_MOST_DAYS = 365_000.0
"""A thousand years: how much longer something takes is of no interest."""

_MOST_USD = 1e15
"""More is written with its exponent: only an absurd range leads there."""


def verdict_of(
    outcome: Outcome,
    *,
    horizon_days: float,
    distribution: Distribution | None,
    alternatives: Sequence[Alternative],
    idle: bool = False,
) -> str:
    """Whether it pays and when, how likely that is, and what pays best; `idle` when there are no requests."""
    if idle:
        return (
            "Does not pay: there are no requests to save on (requests_per_day is 0); best is to do nothing."
        )
    chance = _chance(outcome, distribution, horizon_days)
    best = max(alternatives, key=lambda other: _saved(other, horizon_days), default=None)
    if outcome.pays_within(horizon_days):
        then = _and_best(
            outcome, best, horizon_days, others=sum(one.outcome is not None for one in alternatives)
        )
        return f"Pays: {_when(outcome, distribution)}{then}{chance}."
    return f"Does not pay{_why(outcome, distribution, horizon_days)}{_better(best, horizon_days)}{chance}."


def _when(outcome: Outcome, distribution: Distribution | None) -> str:
    likely = _likely(distribution.days) if distribution else ""
    return f"{_usd(outcome.run_usd)} are back after {_days(outcome.break_even_days)} days{likely}"


def _likely(days: Spread) -> str:
    low, high = _days(days.p10), _days(days.p90)
    return f" (likely {low} to {high})" if low != high else ""


def _days(days: float | None) -> str:
    if days is None:
        return "never"
    if days > _MOST_DAYS:
        return f"more than {_MOST_DAYS:,.0f}"
    return f"{days:,.1f}" if days == 0 or days >= 0.05 else "less than 0.1"


def _usd(value: float) -> str:
    """Cents; two digits where it is less than one, so that a small price is not taken for none."""
    if abs(value) >= _MOST_USD or 0 < abs(value) < 0.005:
        return f"{value:.2g} USD"
    return f"{value:,.2f} USD"


def _and_best(outcome: Outcome, best: Alternative | None, horizon_days: float, *, others: int) -> str:
    saved = outcome.savings_over(horizon_days)
    more = _saved(best, horizon_days) if best else -math.inf
    if best is not None and more > max(saved, 0.0) and more - saved > _SAME * more:
        how_much = f"{_usd(more)}, not {_usd(saved)}{_unless(best)}"
        return f", but to {best.name} saves more over {horizon_days:g} days: {how_much}"
    if saved < 0:
        return f", but {_usd(-saved)} are lost again by day {horizon_days:g}"
    return f", and {_usd(saved)} are saved over {horizon_days:g} days{_beside(best, saved, more, others)}"


def _beside(best: Alternative | None, saved: float, more: float, others: int) -> str:
    """How the savings compare with those of the best alternative, which saves not much more."""
    if best is not None and saved > 0 and abs(more - saved) <= _SAME * saved:
        return f"; to {best.name} saves about as much{_unless(best)}"
    return ", more than by any alternative" if others > 1 else ""


def _why(outcome: Outcome, distribution: Distribution | None, horizon_days: float) -> str:
    saved, run, days = outcome.savings_usd_per_day, outcome.run_usd, outcome.break_even_days
    if days is not None:
        likely = _likely(distribution.days) if distribution else ""
        return f" within {horizon_days:g} days: {_usd(run)} are back only after {_days(days)} days{likely}"
    if saved > 0:
        return f": {_usd(run)} are never back, though the first day saves {_usd(saved)}"
    if saved < 0:
        return f": a day of the student costs {_usd(-saved)} more than one of the teacher"
    return ": serving the student saves nothing"


def _better(best: Alternative | None, horizon_days: float) -> str:
    if best is None or (saved := _saved(best, horizon_days)) <= 0:
        return "; best is to do nothing"
    return f"; best is to {best.name}, which saves {_usd(saved)} over {horizon_days:g} days{_unless(best)}"


def _unless(best: Alternative) -> str:
    return f", unless {best.unless}" if best.unless else ""


def _saved(other: Alternative, days: float) -> float:
    return other.outcome.savings_over(days) if other.outcome else -math.inf


def _chance(outcome: Outcome, distribution: Distribution | None, horizon_days: float) -> str:
    if distribution is None:
        return ""
    never = distribution.never_probability
    if outcome.pays_within(horizon_days):
        return f"; {_percent(never)} chance that it does not pay within {horizon_days:g} days"
    return f"; {_percent(1.0 - never)} chance that it does within {horizon_days:g} days"


def _percent(share: float) -> str:
    """A chance as people read it; draws cannot tell it apart from 0 or 1 by less than a percent.

    >>> _percent(0.043), _percent(0.0), _percent(0.999)
    ('4 %', 'less than 1 %', 'more than 99 %')
    """
    if share < 0.005:
        return "less than 1 %"
    return "more than 99 %" if share > 0.995 else f"{100 * share:.0f} %"

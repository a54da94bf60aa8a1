"""What slices say about a drop, in a sentence for whoever is on call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coffey.core.clock import spoken
from coffey.core.records import Interval

if TYPE_CHECKING:
    from coffey.monitor.slices import Slice, SliceReport

NAMED = 3
"""Slices named in a sentence; more are no help at night."""


def say_slices(report: SliceReport) -> str:
    """Since when, how much, and which requests it comes from; or that no slice fell."""
    kept = [one for one in report.found if one.same_as is None]
    if not kept or report.drop is None or report.since_unix_s is None:
        return f"None of the {report.examined:,} slices looked at is shown to cost more than before."
    parts = "; ".join(f"{_part(one)} from requests {_which(one)}" for one in kept[:NAMED])
    return (
        f"Agreement {_fell(report.drop)} since {spoken(report.since_unix_s)}: {parts}. "
        f"({report.examined:,} slices were looked at; of those that are named, at most "
        f"{report.false_share * 100:g} % are named by chance, in the mean.)"
    )


def _fell(drop: Interval) -> str:
    if drop.value <= 0:
        return "as a whole did not fall"
    share = f"{drop.confidence * 100:g} % interval"
    return f"fell {drop.value * 100:.1f} points ({share} {drop.low * 100:.1f} to {drop.high * 100:.1f})"


def _part(one: Slice) -> str:
    """The part of the drop that it explains, or what it costs where there is no drop."""
    if one.explained is None:
        return f"{one.lost * 100:.1f} points lost"
    return "all of it" if one.explained >= 1 else f"{one.explained * 100:.0f} % of it"


def _which(one: Slice) -> str:
    """Its share and its agreement, before and now."""
    now = f"{_share(one.agreement.value)} (95 %: {_share(one.agreement.low)} to {_share(one.agreement.high)})"
    if one.agreement_before is None:
        return (
            f"{one.name}, which there were none of and are {_share(one.share)} of the traffic now; "
            f"agreement {now} over {one.audits:,} audits"
        )
    return (
        f"{one.name}, which went from {_share(one.share_before)} to {_share(one.share)} of the traffic and "
        f"whose agreement went from {_share(one.agreement_before.value)} to {now} over {one.audits:,} audits"
    )


def _share(value: float) -> str:
    return f"{value * 100:.1f} %"

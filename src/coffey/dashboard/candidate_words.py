"""How a candidate of a plan is written, for the page and the terminal alike."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coffey.core.records import Interval, JsonObject
from coffey.dashboard import figures
from coffey.dashboard.reading import estimate, number, words

MEASURES = ("retention", "agreement")
STANDINGS = {"keeps": "keeps it", "may": "may miss it", "unknown": "not known", "misses": "misses it"}
_SHAPE = re.compile(r"layers=(\d+),width=(\d+)")


def name_of(candidate: JsonObject) -> str:
    """Its stage; a shape is long, and cut."""
    return figures.short(words(candidate, "name"), 40)


def label_of(candidate: JsonObject) -> str:
    """A name that fits beside a mark: a shape by its layers and width.

    >>> label_of({"name": "2M"}), label_of({"name": "layers=3,width=192,heads=6"})
    ('2M', '3 × 192')
    """
    shape = _SHAPE.match("".join(words(candidate, "name").split()))
    return f"{shape[1]} × {shape[2]}" if shape else figures.short(words(candidate, "name"), 12)


def standing_of(candidate: JsonObject) -> str:
    """How it stands to the budget, in words; a dash when that is not said."""
    return STANDINGS.get(words(candidate, "standing"), figures.ABSENT)


def measure_of(candidates: Sequence[JsonObject]) -> str | None:
    """The quality that candidates are compared by: that of the first whose quality is known."""
    found = (words(one, "quality", "measure") for one in candidates if estimate(one, "quality"))
    return next((measure for measure in found if measure in MEASURES), None)


def quality_name(candidates: Sequence[JsonObject]) -> str:
    """The measure with the confidence of its intervals, as the head of a column.

    >>> known = {"measure": "agreement", "value": 0.9, "low": 0.8, "high": 1.0, "confidence": 0.8}
    >>> quality_name([{"quality": known}]), quality_name([{}])
    ('agreement (80 % interval)', 'quality')
    """
    measure = measure_of(candidates)
    sure = {number(one, "quality", "confidence") for one in candidates if quality_of(one, measure)} - {None}
    stated = sure.pop() if len(sure) == 1 else None
    return f"{measure or 'quality'}{f' ({figures.percent(stated, 0)} interval)' if stated else ''}"


def quality_of(candidate: JsonObject, measure: str | None) -> Interval | None:
    """A candidate's quality, if it is of this measure; figures of two measures cannot be compared."""
    return estimate(candidate, "quality") if words(candidate, "quality", "measure") == measure else None


def latency(one: JsonObject) -> str:
    """Its p99 with how far that may be off."""
    span = ends(one, "p99_ms")
    shown = figures.measured(number(one, "p99_ms", "value"), "ms")
    if span is None:
        return shown
    low, high = (figures.milliseconds(end).removesuffix(" ms") for end in span)
    return f"{shown} ({low}–{high})"


def breaks_even(one: JsonObject) -> str:
    """Days until it has paid for itself."""
    return figures.days(number(one, "break_even_days")) if "break_even_days" in one else figures.ABSENT


def left_name(one: JsonObject) -> str:
    """The name of what is left at the end of the horizon."""
    days = number(one, "horizon_days")
    return "net savings" if days is None else f"left after {figures.days(days)}"


def ends(one: JsonObject, key: str) -> tuple[float, float] | None:
    """Low and high of a figure."""
    low, high = number(one, key, "low"), number(one, key, "high")
    return None if low is None or high is None else (low, high)

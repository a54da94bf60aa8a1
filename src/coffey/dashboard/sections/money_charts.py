"""The charts of a plan: net savings over time, and what the answer depends on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.charts.bars import Bar, bar_chart
from coffey.dashboard.charts.line import LinePoint, LineSeries, line_chart
from coffey.dashboard.charts.plot import Axis, Caption, Mark, Plot, Span
from coffey.dashboard.page import Block, Drawing
from coffey.dashboard.reading import items, number, points, rows, words

MOST_BARS = 8
"""Inputs in a sensitivity chart: what moves the answer least is left to the table of figures."""

LEAST_WIDTH = 0.005
"""Of the widest bar: a narrower one cannot be seen."""


def savings_curve(plan: JsonObject) -> Block | None:
    """Cumulative net by day with its 80 % band and the break-even day."""
    curve = points(plan, "curve")
    if len(curve) < 2:
        return None
    last = max(day for day, _ in curve)
    even = number(plan, "break_even_days")
    events: tuple[Mark, ...] = ()
    if even is not None and even <= last:
        events = (Mark(even, f"break-even: {figures.days(even)}", "good"),)
    plot = Plot(
        x=Axis(label="days after the run", pad=0.0),
        y=Axis(label="cumulative net savings (USD)", form=figures.usd, include=(0.0,)),
        thresholds=(Mark(0.0, ""),),
        events=events,
        spans=_likely(plan, last),
    )
    band = _band(plan)
    said = " The band holds 80 % of the draws on each day." if band else ""
    caption = Caption(
        title="Net savings over time",
        description=f"Serving savings so far, less the cost of the run.{said}",
    )
    line = [LinePoint(day, net, *band.get(day, (None, None))) for day, net in curve]
    return Drawing(line_chart(caption, plot, [LineSeries("net savings", line)]))


class Measure(NamedTuple):
    """What a sensitivity chart measures: its words, and the keys of a row and of the forecast."""

    title: str
    axis: Axis
    ends: tuple[str, str]
    """For low and high, the key that holds the value."""
    forecast: str
    never: str = ""
    """What a bar that runs off the chart means."""


DAYS = Measure(
    "What the break-even day depends on",
    Axis(label="break-even (days)", pad=0.08),
    ("break_even_days_at_low", "break_even_days_at_high"),
    "break_even_days",
    " A pale bar that runs off the chart never breaks even at one end.",
)
NET = Measure(
    "What the net value depends on",
    Axis(label="net value at the horizon (USD)", form=figures.usd, pad=0.08),
    ("net_usd_at_low", "net_usd_at_high"),
    "savings_usd_over_horizon",
)


def sensitivity_chart(plan: JsonObject, measure: Measure) -> Block | None:
    """One bar a figure: from the answer when it is low to the answer when it is high."""
    forecast = number(plan, measure.forecast)
    bars = [bar for row in rows(plan, "sensitivity") if (bar := _bar(row, measure, forecast))]
    if not bars:
        return None
    caption = Caption(
        title=measure.title,
        description="Each figure is moved from its low to its high value, the others stay."
        f"{measure.never} The dark mark is the forecast.",
    )
    widest = max((_width(bar) for bar in bars if bar.high is not None), default=0.0)
    seen = [bar for bar in bars if _width(bar) > LEAST_WIDTH * widest]
    moving = sorted(seen, key=_width, reverse=True)[:MOST_BARS]
    return Drawing(bar_chart(caption, measure.axis, moving or bars[:1]))


def _band(plan: JsonObject) -> Mapping[float, tuple[float, float]]:
    """Low and high by day."""
    found: dict[float, tuple[float, float]] = {}
    for item in items(plan, "curve_band"):
        if isinstance(item, list | tuple) and len(item) == 3:
            day, low, high = (number({"value": value}, "value") for value in item)
            if day is not None and low is not None and high is not None:
                found[day] = (low, high)
    return found


def _likely(plan: JsonObject, last: float) -> tuple[Span, ...]:
    low, high = number(plan, "break_even", "p10"), number(plan, "break_even", "p90")
    if low is None or low >= last:
        return ()
    return (Span(low, min(last if high is None else high, last), "80 % likely"),)


def _bar(row: JsonObject, measure: Measure, forecast: float | None) -> Bar | None:
    ends = [number(row, key) for key in measure.ends]
    known = sorted(end for end in ends if end is not None)
    if not known or (len(known) < 2 and not measure.never):
        return None
    inputs = [number(row, end) for end in ("low", "high")]
    note = " to ".join(figures.measured(value, "") for value in inputs if value is not None)
    name = figures.spoken(words(row, "figure"))
    return Bar(name, known[0], known[-1] if len(known) == 2 else None, note, forecast)


def _width(bar: Bar) -> float:
    return math.inf if bar.high is None else bar.high - bar.low

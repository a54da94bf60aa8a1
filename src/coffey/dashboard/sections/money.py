"""Money: when the run has paid for itself, and what that rests on."""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.charts.bars import Bar, bar_chart
from coffey.dashboard.charts.line import LinePoint, LineSeries, line_chart
from coffey.dashboard.charts.plot import Axis, Caption, Mark, Plot, Span
from coffey.dashboard.page import Block, Drawing, Note, Section, Table, filled
from coffey.dashboard.reading import items, number, obj, points, rows, words

MOST_BARS = 10
"""Inputs in the sensitivity chart: what moves the answer least is left to the table of figures."""


def money_section(plan: JsonObject) -> Section | None:
    """The break-even curve, what it is sensitive to, the alternatives, and the origin of every figure."""
    found = (_curve(plan), _sensitivity(plan), _alternatives(plan), _origins(plan))
    notes = [Note(figures.short(str(note), 400)) for note in items(plan, "notes") if isinstance(note, str)]
    blocks: list[Block] = [*notes, *(block for block in found if block is not None)]
    if not blocks:
        return None
    return Section("Does it pay?", words(plan, "verdict"), blocks)


def _curve(plan: JsonObject) -> Block | None:
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
    caption = Caption(
        title="Net savings over time", description="Serving savings so far, less the cost of the run."
    )
    series = LineSeries("net savings", [LinePoint(day, net) for day, net in curve])
    return Drawing(line_chart(caption, plot, [series]))


def _likely(plan: JsonObject, last: float) -> tuple[Span, ...]:
    low, high = number(plan, "break_even", "p10"), number(plan, "break_even", "p90")
    if low is None or high is None or low >= last:
        return ()
    return (Span(low, min(high, last), "80 % likely"),)


def _sensitivity(plan: JsonObject) -> Block | None:
    bars = [bar for row in rows(plan, "sensitivity") if (bar := _bar(row, number(plan, "break_even_days")))]
    if not bars:
        return None
    x = Axis(label="break-even (days)", pad=0.08)
    caption = Caption(
        title="What the break-even day depends on",
        description="Each input is moved from its low to its high value, the others stay. A pale bar that "
        "runs off the chart never breaks even at one end. The dark mark is the forecast.",
    )
    moving = [bar for bar in sorted(bars, key=_width, reverse=True) if _width(bar) > 0][:MOST_BARS]
    return Drawing(bar_chart(caption, x, moving or bars[:1]))


def _bar(row: JsonObject, even: float | None) -> Bar | None:
    ends = [
        number(row, named if named in row else f"break_even_days_at_{end}")
        for end, named in (("low", "low_break_even"), ("high", "high_break_even"))
    ]
    known = sorted(end for end in ends if end is not None)
    if not known:
        return None
    inputs = [number(row, end) for end in ("low", "high")]
    note = " to ".join(figures.measured(value, "") for value in inputs if value is not None)
    name = figures.spoken(words(row, "name") or words(row, "figure"))
    return Bar(name, known[0], known[-1] if len(known) == 2 else None, note, even)


def _width(bar: Bar) -> float:
    return float("inf") if bar.high is None else bar.high - bar.low


def _alternatives(plan: JsonObject) -> Table | None:
    found = rows(plan, "alternatives")
    if not found:
        return None
    body = [
        (
            words(row, "name"),
            figures.measured(number(row, "run_usd"), "USD"),
            figures.measured(number(row, "usd_per_day"), "USD"),
            figures.days(number(row, "break_even_days")) if "break_even_days" in row else figures.ABSENT,
            figures.short(words(row, "note")),
        )
        for row in found
    ]
    table = Table(
        ("alternative", "cost of the change", "serving a day", "breaks even", "note"),
        body,
        caption="Alternatives",
        text_columns=frozenset({0, 4}),
    )
    return filled(table)


def _origins(plan: JsonObject) -> Table | None:
    told = obj(plan, "figures") or obj(plan, "origins")
    found = [(name, value) for name in told if (value := obj(told, name))]
    if not found:
        return None
    body = [
        (
            figures.spoken(name),
            figures.measured(number(value, "value"), words(value, "unit")),
            words(value, "origin"),
            figures.short(words(value, "note")),
        )
        for name, value in found
    ]
    return Table(
        ("figure", "value", "origin", "how"),
        body,
        caption="Where every figure comes from",
        text_columns=frozenset({0, 2, 3}),
    )

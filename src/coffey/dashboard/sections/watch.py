"""The watch: agreement over time against the contract, the evidence, the decisions, the repair."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from coffey.core.records import Interval, JsonObject
from coffey.dashboard import figures
from coffey.dashboard.charts.bars import Bar, bar_chart
from coffey.dashboard.charts.line import LinePoint, LineSeries, line_chart
from coffey.dashboard.charts.plot import Axis, Caption, Mark, Plot, Span
from coffey.dashboard.page import Block, Drawing, Note, Section, Table
from coffey.dashboard.reading import EMPTY, estimate, flag, number, part, rows, words

LEFT_PX, RIGHT_PX = 60.0, 180.0
"""Rooms beside the agreement and the evidence, so that one stands exactly above the other."""

MOST_OF_A_REASON = 1000
"""Characters of a decision's reason: a whole one with both comparisons and drift has about 700."""


def watch_section(result: JsonObject) -> Section | None:
    """Agreement with its band above the evidence, both over the audits; then decisions and repair."""
    found = (_alarm(result), _agreement(result), _evidence(result), _repair(result), _decisions(result))
    blocks = [block for block in found if block is not None]
    if not blocks:
        return None
    lead = "A few requests are answered again by the teacher, out of the serving path."
    return Section("Does it stay good?", lead, blocks)


def _alarm(result: JsonObject) -> Note | None:
    before, after = flag(result, "alarm", "before_drift"), flag(result, "alarm", "after_drift")
    if before is None or after is None:
        return None
    calm = "A false alarm was raised before" if before else "No alarm was raised while"
    seen = "the alarm was raised after" if after else "no alarm was raised after"
    first = f"{calm} the traffic was like the holdout" if not before else f"{calm} the traffic drifted"
    return Note(f"{first}; {seen} it drifted.", "good" if after and not before else "bad")


def _series(result: JsonObject) -> list[JsonObject]:
    return [row for row in rows(result, "watch", "series") if number(row, "index") is not None]


def _agreement(result: JsonObject) -> Block | None:
    series = _series(result)
    if len(series) < 2:
        return None
    points = [
        LinePoint(
            number(row, "index") or 0.0, number(row, "agreement"), number(row, "low"), number(row, "high")
        )
        for row in series
    ]
    promised = _promised(result, points[-1].x)
    plot = Plot(
        x=_x_axis(),
        y=Axis(label="agreement with the teacher", form=figures.share, pad=0.12, within=(0.0, 1.0)),
        thresholds=() if promised else _contract(result),
        events=_events(result),
        spans=_phases(series),
        left_px=LEFT_PX,
        right_px=RIGHT_PX,
    )
    caption = Caption(
        title="Agreement over time",
        description="The band is a 95 % interval; where it is wider than the chart it is cut.",
    )
    lines = [LineSeries("agreement", points), *promised]
    return Drawing(line_chart(caption, plot, lines, whole_band=False))


def _promised(result: JsonObject, last: float) -> list[LineSeries]:
    """A stepped line of what was promised, where a promotion changed the promise."""
    steps = [
        (index, promise)
        for row in rows(result, "watch", "promises")
        if (index := number(row, "index")) is not None and (promise := number(row, "agreement")) is not None
    ]
    if len({promise for _, promise in steps}) < 2:
        return []
    ends = [*(index for index, _ in steps[1:]), last]
    points = [
        LinePoint(x, promise) for (index, promise), end in zip(steps, ends, strict=True) for x in (index, end)
    ]
    return [LineSeries("contract: agreement promised", points)]


def _x_axis() -> Axis:
    return Axis(label="audited requests", form=lambda value: figures.measured(value, ""), pad=0.01)


def _contract(result: JsonObject) -> tuple[Mark, ...]:
    promised = estimate(result, "watch", "contract", "agreement")
    if promised is None:
        return ()
    marks = [Mark(promised.value, f"contract {figures.share(promised.value)}", "good")]
    for key, label in (("max_drop", "investigate below"), ("redistill_drop", "re-distill below")):
        drop = number(result, "watch", "contract", key)
        if drop is not None:
            floor = promised.value - drop
            marks.append(Mark(floor, f"{label} {figures.share(floor)}", "bad" if key[0] == "r" else "plain"))
    return tuple(marks)


def _events(result: JsonObject) -> tuple[Mark, ...]:
    found = [
        Mark(index, words(row, "label"), "bad" if "alarm" in words(row, "label").lower() else "plain")
        for row in rows(result, "watch", "events")
        if (index := number(row, "index")) is not None
    ]
    alarm = number(result, "watch", "alarm_index")
    if alarm is not None and not any(mark.tone == "bad" for mark in found):
        found.append(Mark(alarm, "alarm", "bad"))
    return tuple(sorted(found, key=lambda mark: mark.at))


def _phases(series: list[JsonObject]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for position, (phase, members) in enumerate(groupby(series, key=lambda row: words(row, "phase"))):
        places = [number(row, "index") or 0.0 for row in members]
        if spans:
            spans[-1] = Span(spans[-1].low, places[0], spans[-1].label, spans[-1].shaded)
        spans.append(Span(places[0], places[-1], phase, shaded=position % 2 == 1))
    return tuple(spans) if any(span.label for span in spans) else ()


def _evidence(result: JsonObject) -> Block | None:
    series = _series(result)
    if sum(number(row, "log_evidence") is not None for row in series) < 2:
        return None
    points = [LinePoint(number(row, "index") or 0.0, number(row, "log_evidence")) for row in series]
    threshold = number(result, "watch", "threshold_log")
    plot = Plot(
        x=_x_axis(),
        y=Axis(label="log evidence that the contract is broken", pad=0.08),
        thresholds=() if threshold is None else (Mark(threshold, "alarm above", "bad"),),
        events=_events(result),
        spans=tuple(replace(span, label="") for span in _phases(series)),
        left_px=LEFT_PX,
        right_px=RIGHT_PX,
    )
    caption = Caption(
        title="Evidence",
        description="Crossing the line is an alarm; the promise holds however often one looks.",
        height=260.0,
    )
    return Drawing(line_chart(caption, plot, [LineSeries("log evidence", points)]))


def _repair(result: JsonObject) -> Block | None:
    ends = [(name, _quality(part(result, "redistilled", name))) for name in ("before", "after")]
    bars = [
        Bar(f"{name} re-distilling", found.low, found.high, figures.interval(found), found.value)
        for name, found in ends
        if found is not None
    ]
    if len(bars) < 2:
        return None
    caption = Caption(
        title="The repair",
        description="Agreement with the teacher on drifted traffic; the bar is the 95 % interval.",
    )
    return Drawing(bar_chart(caption, Axis(label="agreement", form=figures.share, pad=0.15), bars))


def _quality(found: object) -> Interval | None:
    return estimate({"it": found}, "it") or estimate({"it": found}, "it", "agreement")


def _decisions(result: JsonObject) -> Table | None:
    made = [row for row in rows(result, "watch", "decisions") if row is not EMPTY]
    if not made:
        return None
    timed = any(words(row, "time") for row in made)
    body = [
        (
            *((figures.moment(words(row, "time")),) if timed else ()),
            words(row, "kind"),
            figures.short(words(row, "reason"), MOST_OF_A_REASON),
        )
        for row in made
    ]
    names = ("time", "decision", "reason") if timed else ("decision", "reason")
    last = len(names) - 1
    return Table(
        names,
        body,
        caption="Decisions",
        text_columns=frozenset(range(len(names))),
        tight_columns=frozenset(range(last)),
    )

"""Horizontal bars: from zero to a value, or from a low to a high."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coffey.dashboard.charts.across import draw_across
from coffey.dashboard.charts.data import Column, Data
from coffey.dashboard.charts.figure import color, figure
from coffey.dashboard.charts.frame import BOTTOM_PX, TOP_PX, Frame, draw_frame, make_frame
from coffey.dashboard.charts.markup import NOTHING, Html, join, tag, text
from coffey.dashboard.charts.plot import Axis, Caption, Mark, Plot

ROW_PX = 42.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar from `low` to `high`; `high` None runs off the chart; `note` stands at its right end.

    `value`, when given, is marked within the bar.
    """

    label: str
    low: float
    high: float | None
    note: str = ""
    value: float | None = None


def bar_chart(caption: Caption, x: Axis, bars: Sequence[Bar], *, events: tuple[Mark, ...] = ()) -> Html:
    """One row a bar: its label and note above, the bar below, all on one x axis."""
    plot = Plot(x=x, y=Axis(label="", ticks=False, pad=0.0, include=(0.0, float(len(bars)))), events=events)
    height = TOP_PX + BOTTOM_PX + ROW_PX * len(bars) + (ROW_PX / 2 if events else 0.0)

    def draw(width: float, height: float) -> Html:
        xs = [v for bar in bars for v in (bar.low, bar.high, bar.value) if v is not None]
        frame = make_frame(plot, xs, [], width=width, height=height)
        rows = [_row(frame, bar, index, len(bars)) for index, bar in enumerate(bars)]
        return join([draw_frame(frame), draw_across(frame), *rows])

    return figure(replace(caption, height=height), draw, _data(x, bars))


def _row(frame: Frame, bar: Bar, index: int, count: int) -> Html:
    top = frame.y(count - index)
    begin = frame.x(bar.low)
    end = frame.right if bar.high is None else frame.x(bar.high)
    left, right = min(begin, end), max(begin, end)
    return join(
        [
            tag("text", text(bar.label), x=frame.left, y=top + 14, class_="label"),
            tag("text", text(bar.note), x=frame.right, y=top + 14, class_="tick end"),
            tag(
                "rect",
                x=left,
                y=top + 20,
                width=max(right - left, 2),
                height=12,
                rx=2,
                class_=f"bar {color(0)}{' open' if bar.high is None else ''}",
            ),
            _value(frame, bar, top),
        ]
    )


def _value(frame: Frame, bar: Bar, top: float) -> Html:
    if bar.value is None:
        return NOTHING
    x = frame.x(bar.value)
    return tag("line", x1=x, x2=x, y1=top + 17, y2=top + 35, class_="bar-value")


def _data(x: Axis, bars: Sequence[Bar]) -> Data:
    columns = (
        Column("what"),
        Column(f"from ({x.label})", x.form),
        Column(f"to ({x.label})", x.form, absent="never"),
        Column("note"),
    )
    return Data(columns, [(bar.label, bar.low, bar.high, bar.note) for bar in bars])

"""The frame of a chart: margins, scales, grid and axis labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coffey.dashboard.charts.markup import NOTHING, Html, join, tag, text
from coffey.dashboard.charts.plot import Axis, Mark, Plot
from coffey.dashboard.charts.scales import Scale, extent
from coffey.dashboard.charts.ticks import linear_ticks, log_ticks

CHARACTER_PX = 7.7
"""Mean width of a bold character at the charts' 12 px; generous, so that estimates err to the safe side."""
ROW_PX = 16.0
TOP_PX, BOTTOM_PX, RIGHT_PX = 26.0, 46.0, 16.0
GUTTER_FROM_PX = 700.0
"""From this width on threshold labels stand to the right of the plot; below it there is no room."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot of one size: its scales (px, y downwards), its ticks and the rows that event labels take."""

    plot: Plot
    width: float
    height: float
    x: Scale
    y: Scale
    x_ticks: tuple[float, ...]
    y_ticks: tuple[float, ...]
    event_rows: tuple[int, ...]

    @property
    def left(self) -> float:
        """Left edge of the plot area."""
        return self.x.start

    @property
    def right(self) -> float:
        """Right edge of the plot area."""
        return self.x.end

    @property
    def top(self) -> float:
        """Upper edge of the plot area."""
        return self.y.end

    @property
    def bottom(self) -> float:
        """Lower edge of the plot area."""
        return self.y.start


def text_width(words: str) -> float:
    """About how wide `words` are (px)."""
    return CHARACTER_PX * len(words)


def make_frame(plot: Plot, xs: Iterable[float], ys: Iterable[float], *, width: float, height: float) -> Frame:
    """A frame of `width` by `height` (px) that holds all `xs`, `ys`, thresholds and events."""
    x_low, x_high = _domain(plot.x, [*xs, *(event.at for event in plot.events)])
    y_low, y_high = _domain(plot.y, [*ys, *(line.at for line in plot.thresholds)])
    y_ticks = _ticks(plot.y, y_low, y_high, 6)
    widest = max((text_width(plot.y.form(tick)) for tick in y_ticks), default=-12.0)
    left = max(12 + widest, plot.left_px)
    right = width - _gutter(plot, width)
    x = Scale(x_low, x_high, left, right, plot.x.log)
    rows = event_rows(plot.events, x)
    top = (TOP_PX if plot.y.label else 6.0) + ROW_PX * (max(rows) + 1 if rows else 0)
    y = Scale(y_low, y_high, height - BOTTOM_PX, top, plot.y.log)
    return Frame(plot, width, height, x, y, _x_ticks(plot.x, x), y_ticks, rows)


def draw_frame(frame: Frame) -> Html:
    """Spans, grid, ticks and axis labels: everything under the marks."""
    return join([_spans(frame), _y_axis(frame), _x_axis(frame)])


def event_rows(events: tuple[Mark, ...], x: Scale) -> tuple[int, ...]:
    """For each event the lowest row (0 is nearest to the plot) in which its label meets no other."""
    taken: list[list[tuple[float, float]]] = []
    rows: list[int] = []
    for event in events:
        begin, end = label_extent(event, x)
        row = next(
            (i for i, used in enumerate(taken) if all(end < a or begin > b for a, b in used)), len(taken)
        )
        if row == len(taken):
            taken.append([])
        taken[row].append((begin, end))
        rows.append(row)
    return tuple(rows)


def label_extent(event: Mark, x: Scale) -> tuple[float, float]:
    """Left and right end (px) of an event's label: centred on its line, held within the plot."""
    width = text_width(event.label)
    begin = min(max(x(event.at) - width / 2, x.start), max(x.end - width, x.start))
    return begin, begin + width


def in_gutter(width: float) -> bool:
    """Whether threshold labels stand to the right of a plot of this width (px)."""
    return width >= GUTTER_FROM_PX


def _gutter(plot: Plot, width: float) -> float:
    labels = [text_width(line.label) + 10 for line in plot.thresholds if line.label]
    return max(RIGHT_PX, plot.right_px, *labels) if in_gutter(width) else RIGHT_PX


def _domain(axis: Axis, values: list[float]) -> tuple[float, float]:
    low, high = extent([*values, *axis.include], log=axis.log, pad=axis.pad)
    if axis.within is not None:
        low, high = max(low, axis.within[0]), min(high, axis.within[1])
    return (low, high) if low < high else extent([low], log=axis.log)


def _ticks(axis: Axis, low: float, high: float, count: int) -> tuple[float, ...]:
    if not axis.ticks:
        return ()
    return tuple(log_ticks(low, high, count + 1) if axis.log else linear_ticks(low, high, count))


def _x_ticks(axis: Axis, scale: Scale) -> tuple[float, ...]:
    """As many ticks as fit without their labels touching."""
    room = abs(scale.end - scale.start)
    for count in range(max(2, int(room / 60)), 1, -1):
        ticks = _ticks(axis, scale.low, scale.high, count)
        if _apart([(scale(tick), text_width(axis.form(tick))) for tick in ticks]):
            return ticks
    return ticks[:1] if len(ticks) < 2 else (ticks[0], ticks[-1])


def _apart(labels: list[tuple[float, float]]) -> bool:
    pairs = zip(labels, labels[1:], strict=False)
    return all(b - a > (width_a + width_b) / 2 + 6 for (a, width_a), (b, width_b) in pairs)


def _y_axis(frame: Frame) -> Html:
    lines = [
        join(
            [
                tag("line", x1=frame.left, x2=frame.right, y1=frame.y(t), y2=frame.y(t), class_="grid"),
                tag(
                    "text",
                    text(frame.plot.y.form(t)),
                    x=frame.left - 8,
                    y=frame.y(t) + 4,
                    class_="tick end",
                ),
            ]
        )
        for t in frame.y_ticks
    ]
    label = tag("text", text(frame.plot.y.label), x=0, y=12, class_="axis") if frame.plot.y.label else NOTHING
    return join([*lines, label])


def _x_axis(frame: Frame) -> Html:
    base = tag("line", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom, class_="base")
    ticks = [
        join(
            [
                tag(
                    "line",
                    x1=frame.x(t),
                    x2=frame.x(t),
                    y1=frame.bottom,
                    y2=frame.bottom + 5,
                    class_="base",
                ),
                _x_label(frame, t),
            ]
        )
        for t in frame.x_ticks
    ]
    label = tag("text", text(frame.plot.x.label), x=frame.right, y=frame.height - 4, class_="axis end")
    return join([base, *ticks, label])


def _x_label(frame: Frame, tick: float) -> Html:
    words = frame.plot.x.form(tick)
    half = text_width(words) / 2
    place = min(max(frame.x(tick), half), frame.width - half)
    return tag("text", text(words), x=place, y=frame.bottom + 19, class_="tick middle")


def _spans(frame: Frame) -> Html:
    drawn = []
    for span in frame.plot.spans:
        begin, end = frame.x(span.low), frame.x(span.high)
        if span.shaded:
            box = {"x": begin, "y": frame.top, "width": end - begin, "height": frame.bottom - frame.top}
            drawn.append(tag("rect", class_="span", **box))
        if text_width(span.label) + 10 < end - begin:
            place = {"x": begin + 7, "y": frame.bottom - 8}
            drawn.append(tag("text", text(span.label), class_="span-label", **place))
    return join(drawn)

"""Threshold lines and events: labelled lines across a whole plot."""

from __future__ import annotations

from coffey.dashboard.charts.frame import ROW_PX, TOP_PX, Frame, in_gutter, label_extent
from coffey.dashboard.charts.markup import Html, join, tag, text
from coffey.dashboard.charts.plot import Mark, Plot

LINE_PX = 15.0
"""Distance of two labels under each other."""


def draw_across(frame: Frame) -> Html:
    """Every threshold and event of the frame's plot, with labels that do not meet."""
    return join([*_thresholds(frame), *_events(frame)])


def labelled_outside(plot: Plot, width: float) -> bool:
    """Whether thresholds are told apart by a list under the chart: several lines, and no room beside them."""
    return len(plot.thresholds) > 1 and not in_gutter(width)


def _thresholds(frame: Frame) -> list[Html]:
    drawn: list[Html] = []
    lowest = 0.0
    for line in sorted(frame.plot.thresholds, key=lambda line: -line.at):
        y = frame.y(line.at)
        ends = {"x1": frame.left, "x2": frame.right, "y1": y, "y2": y}
        drawn.append(tag("line", class_=f"threshold {line.tone}", **ends))
        if in_gutter(frame.width):
            lowest = max(y + 4, lowest + LINE_PX)
            place = {"x": frame.right + 8, "y": lowest}
            drawn.append(tag("text", text(line.label), class_=f"mark-label {line.tone}", **place))
        elif not labelled_outside(frame.plot, frame.width):
            place = {"x": frame.right - 4, "y": y - 5 if y - 5 > frame.top + 6 else y + 14}
            drawn.append(tag("text", text(line.label), class_=f"mark-label end {line.tone}", **place))
    return drawn


def _events(frame: Frame) -> list[Html]:
    drawn: list[Html] = []
    for event, row in zip(frame.plot.events, frame.event_rows, strict=True):
        x = frame.x(event.at)
        begin, _ = label_extent(event, frame.x)
        baseline = frame.top - 6 - ROW_PX * row
        drawn.append(
            tag(
                "line",
                x1=x,
                x2=x,
                y1=max(baseline + 4, TOP_PX),
                y2=frame.bottom,
                class_=f"event {event.tone}",
            )
        )
        drawn.append(tag("text", text(event.label), **_anchor(event, frame, begin), y=baseline))
    return drawn


def _anchor(event: Mark, frame: Frame, begin: float) -> dict[str, str | float | None]:
    """Where a label hangs: on its line's centre, or flush with the edge that holds it back."""
    kind = f"mark-label {event.tone}"
    if begin <= frame.left:
        return {"x": frame.left, "class_": kind}
    if label_extent(event, frame.x)[1] >= frame.right:
        return {"x": frame.right, "class_": f"{kind} end"}
    return {"x": frame.x(event.at), "class_": f"{kind} middle"}

"""Labelled points with their intervals, in groups that differ by colour and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffey.dashboard.charts.across import draw_across
from coffey.dashboard.charts.figure import Data, color, figure
from coffey.dashboard.charts.frame import Frame, draw_frame, make_frame, text_width
from coffey.dashboard.charts.markup import NOTHING, Html, join, path, tag, text
from coffey.dashboard.charts.plot import Caption, Plot
from coffey.dashboard.charts.scales import drawable

Box = tuple[float, float, float, float]
"""Left, top, right, bottom (px)."""
APART_PX = 12.0


@dataclass(frozen=True, slots=True)
class Point:
    """One labelled point; `low` and `high` are the interval of `y`."""

    label: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Points of one kind; `joined` draws a thin line through them in order."""

    name: str
    points: Sequence[Point]
    joined: bool = False


def scatter_chart(caption: Caption, plot: Plot, groups: Sequence[Group]) -> Html:
    """Points with whiskers, direct labels and thresholds."""
    shown = [_drawable(plot, group) for group in groups]

    def draw(width: float, height: float) -> Html:
        points = [point for group in shown for point in group.points]
        ys = [v for p in points for v in (p.y, p.low, p.high) if v is not None]
        frame = make_frame(plot, [p.x for p in points], ys, width=width, height=height)
        places = _apart(frame, points)
        marks = [_group(frame, group, places, index) for index, group in enumerate(shown)]
        return join([draw_frame(frame), draw_across(frame), *marks, _labels(frame, points, places)])

    return figure(
        caption,
        draw,
        _data(plot, groups),
        legend=[group.name for group in groups],
        keys="marks",
        lines=plot.thresholds,
    )


def _drawable(plot: Plot, group: Group) -> Group:
    kept = [p for p in group.points if drawable(p.x, log=plot.x.log) and drawable(p.y, log=plot.y.log)]
    return Group(group.name, kept, group.joined)


def _apart(frame: Frame, points: Sequence[Point]) -> dict[Point, float]:
    """The x (px) of each point; points whose whiskers would lie on each other are set side by side."""
    places: dict[Point, float] = {}
    for point in points:
        x = frame.x(point.x)
        while any(abs(x - other) < APART_PX - 1 and _overlap(point, p) for p, other in places.items()):
            x += APART_PX
        places[point] = x
    return places


def _overlap(a: Point, b: Point) -> bool:
    low_a, high_a = _reach(a)
    low_b, high_b = _reach(b)
    return low_a <= high_b and low_b <= high_a


def _reach(point: Point) -> tuple[float, float]:
    if point.low is None or point.high is None:
        return point.y, point.y
    return point.low, point.high


def _group(frame: Frame, group: Group, xs: dict[Point, float], index: int) -> Html:
    places = [(xs[p], frame.y(p.y)) for p in group.points]
    joined = tag("path", d=path(places), class_=f"join {color(index)}") if group.joined else NOTHING
    whiskers = [_whisker(frame, point, xs[point], index) for point in group.points]
    return join([joined, *whiskers, *(_shape(index, x, y) for x, y in places)])


def _whisker(frame: Frame, point: Point, x: float, index: int) -> Html:
    if point.low is None or point.high is None:
        return NOTHING
    low, high = frame.y(point.low), frame.y(point.high)
    strokes = ([(x, low), (x, high)], [(x - 4, low), (x + 4, low)], [(x - 4, high), (x + 4, high)])
    return tag("path", d="".join(path(stroke) for stroke in strokes), class_=f"whisker {color(index)}")


def _shape(index: int, x: float, y: float) -> Html:
    """A circle, square, diamond or triangle, so that groups differ without colour too."""
    kind = f"dot {color(index)}"
    outlines = {
        1: [(x - 5, y - 5), (x + 5, y - 5), (x + 5, y + 5), (x - 5, y + 5)],
        2: [(x, y - 7), (x + 7, y), (x, y + 7), (x - 7, y)],
        3: [(x, y - 6.5), (x + 6.5, y + 5), (x - 6.5, y + 5)],
    }
    if index % 4 == 0:
        return tag("circle", cx=x, cy=y, r=5.5, class_=kind)
    return tag("path", d=path(outlines[index % 4], close=True), class_=kind)


def _labels(frame: Frame, points: Sequence[Point], xs: dict[Point, float]) -> Html:
    taken = [_mark_box(frame, point, xs[point]) for point in points]
    drawn = []
    for point in points:
        box, anchor = _place(frame, point, xs[point], taken)
        taken.append(box)
        place = {"start": box[0], "middle": (box[0] + box[2]) / 2, "end": box[2]}[anchor]
        drawn.append(tag("text", text(point.label), x=place, y=box[3] - 3, class_=f"label {anchor}"))
    return join(drawn)


def _mark_box(frame: Frame, point: Point, x: float) -> Box:
    y = frame.y(point.y)
    top = frame.y(point.high) if point.high is not None else y - 6
    bottom = frame.y(point.low) if point.low is not None else y + 6
    return x - 6, top, x + 6, bottom


def _place(frame: Frame, point: Point, x: float, taken: Sequence[Box]) -> tuple[Box, str]:
    """The first free place around a point: right, left, above, below; right when none is free."""
    y = frame.y(point.y)
    mark = _mark_box(frame, point, x)
    width = text_width(point.label)
    candidates = [
        ((x + 9, y - 9, x + 9 + width, y + 7), "start"),
        ((x - 9 - width, y - 9, x - 9, y + 7), "end"),
        ((x - width / 2, mark[1] - 18, x + width / 2, mark[1] - 2), "middle"),
        ((x - width / 2, mark[3] + 2, x + width / 2, mark[3] + 18), "middle"),
        ((x + 9, y - 23, x + 9 + width, y - 7), "start"),
        ((x - 9 - width, y - 23, x - 9, y - 7), "end"),
        ((x + 9, y + 6, x + 9 + width, y + 22), "start"),
        ((x - 9 - width, y + 6, x - 9, y + 22), "end"),
    ]
    inside = [
        c for c in candidates if c[0][0] >= frame.left and c[0][2] <= frame.width and c[0][3] <= frame.height
    ]
    free = [c for c in inside if not any(_meet(c[0], box) for box in taken)]
    return (free or inside or candidates)[0]


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _data(plot: Plot, groups: Sequence[Group]) -> Data:
    form = plot.y.form
    rows = [
        (
            group.name,
            p.label,
            plot.x.form(p.x),
            form(p.y),
            *("" if v is None else form(v) for v in (p.low, p.high)),
        )
        for group in groups
        for p in group.points
    ]
    return Data(("group", "point", plot.x.label, plot.y.label, "low", "high"), rows)

"""Labelled points with their intervals, in groups that differ by colour and shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffey.dashboard.charts.across import draw_across
from coffey.dashboard.charts.data import Column, Data
from coffey.dashboard.charts.figure import color, figure
from coffey.dashboard.charts.frame import Frame, draw_frame, make_frame
from coffey.dashboard.charts.labels import Named, draw_labels
from coffey.dashboard.charts.markup import NOTHING, Html, join, path, tag
from coffey.dashboard.charts.plot import Caption, Plot
from coffey.dashboard.charts.scales import drawable
from coffey.dashboard.charts.shapes import draw_shape

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
        return join(
            [
                draw_frame(frame),
                draw_across(frame),
                *marks,
                draw_labels(frame, [_named(frame, point, places[point]) for point in points]),
            ]
        )

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
    dots = [draw_shape(index, x, y, kind=f"dot {color(index)}") for x, y in places]
    return join([joined, *whiskers, *dots])


def _whisker(frame: Frame, point: Point, x: float, index: int) -> Html:
    if point.low is None or point.high is None:
        return NOTHING
    low, high = frame.y(point.low), frame.y(point.high)
    strokes = ([(x, low), (x, high)], [(x - 4, low), (x + 4, low)], [(x - 4, high), (x + 4, high)])
    return tag("path", d="".join(path(stroke) for stroke in strokes), class_=f"whisker {color(index)}")


def _named(frame: Frame, point: Point, x: float) -> Named:
    y = frame.y(point.y)
    top = frame.y(point.high) if point.high is not None else y - 6
    bottom = frame.y(point.low) if point.low is not None else y + 6
    return Named(point.label, x, y, (x - 6, top, x + 6, bottom))


def _data(plot: Plot, groups: Sequence[Group]) -> Data:
    form = plot.y.form
    columns = (
        Column("group"),
        Column("point"),
        Column(plot.x.label, plot.x.form),
        *(Column(name, form) for name in (plot.y.label, "low", "high")),
    )
    rows = [(group.name, p.label, p.x, p.y, p.low, p.high) for group in groups for p in group.points]
    return Data(columns, rows)

"""Lines over an ordered x, with the band of their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffey.dashboard.charts.across import draw_across
from coffey.dashboard.charts.data import Cell, Column, Data
from coffey.dashboard.charts.figure import color, figure, thin
from coffey.dashboard.charts.frame import Frame, draw_frame, make_frame
from coffey.dashboard.charts.markup import Html, join, path, tag
from coffey.dashboard.charts.plot import Caption, Plot
from coffey.dashboard.charts.scales import drawable

DRAWN_POINTS = 600
DOTTED_POINTS = 14
"""Up to this many points, each is also drawn as a dot."""


@dataclass(frozen=True, slots=True)
class LinePoint:
    """One point; `y` None breaks the line, `low` and `high` make the band."""

    x: float
    y: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class LineSeries:
    """One line."""

    name: str
    points: Sequence[LinePoint]


def line_chart(
    caption: Caption, plot: Plot, series: Sequence[LineSeries], *, whole_band: bool = True
) -> Html:
    """Lines with bands, thresholds and events.

    With `whole_band` False the y axis fits the lines, and bands that go beyond it are cut at its ends.

    The data table has one row a point: series, x, y, low and high.
    """
    thinned = [_thin(one) for one in series]

    def draw(width: float, height: float) -> Html:
        points = [point for one in thinned for point in one.points]
        bounds = [value for p in points for value in (p.low, p.high)] if whole_band else []
        ys = [value for value in [*(p.y for p in points), *bounds] if value is not None]
        frame = make_frame(plot, [p.x for p in points], ys, width=width, height=height)
        bands = [_band(frame, one, index) for index, one in enumerate(thinned)]
        lines = [_line(frame, one, index) for index, one in enumerate(thinned)]
        return join([draw_frame(frame), *bands, *lines, draw_across(frame)])

    return figure(
        caption, draw, _data(plot, series), legend=[one.name for one in series], lines=plot.thresholds
    )


def _thin(series: LineSeries) -> LineSeries:
    return LineSeries(series.name, [series.points[i] for i in thin(len(series.points), DRAWN_POINTS)])


def _segments(frame: Frame, series: LineSeries) -> list[list[LinePoint]]:
    segments: list[list[LinePoint]] = [[]]
    for point in series.points:
        shown = drawable(point.y, log=frame.y.log) and drawable(point.x, log=frame.x.log)
        if shown:
            segments[-1].append(point)
        elif segments[-1]:
            segments.append([])
    return [segment for segment in segments if segment]


def _band(frame: Frame, series: LineSeries, index: int) -> Html:
    bands = []
    for segment in _segments(frame, series):
        held = [
            (frame.x(p.x), frame.y(p.low), frame.y(p.high))
            for p in segment
            if p.low is not None and p.high is not None and drawable(p.low, log=frame.y.log)
        ]
        outline = [(x, high) for x, _, high in held] + [(x, low) for x, low, _ in reversed(held)]
        if len(held) > 1:
            bands.append(tag("path", d=path(outline, close=True), class_=f"band {color(index)}"))
    return join(bands)


def _line(frame: Frame, series: LineSeries, index: int) -> Html:
    drawn = []
    for segment in _segments(frame, series):
        places = [(frame.x(p.x), frame.y(p.y)) for p in segment if p.y is not None]
        drawn.append(tag("path", d=path(places), class_=f"line {color(index)}"))
        if len(series.points) <= DOTTED_POINTS or len(places) == 1:
            drawn += [tag("circle", cx=x, cy=y, r=3.5, class_=f"dot {color(index)}") for x, y in places]
    return join(drawn)


def _data(plot: Plot, series: Sequence[LineSeries]) -> Data:
    banded = any(point.low is not None for one in series for point in one.points)
    names = (plot.y.label, *(("low", "high") if banded else ()))
    columns = (
        Column("series"),
        Column(plot.x.label, plot.x.form),
        *(Column(name, plot.y.form) for name in names),
    )
    return Data(columns, [(one.name, p.x, *_values(p, banded)) for one in series for p in one.points])


def _values(point: LinePoint, banded: bool) -> tuple[Cell, ...]:
    return (point.y, point.low, point.high) if banded else (point.y,)

"""Step lines: how large a share of a sample lies at or below each value (ECDF)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffey.dashboard.charts.across import draw_across
from coffey.dashboard.charts.data import Column, Data
from coffey.dashboard.charts.figure import color, figure, thin
from coffey.dashboard.charts.frame import Frame, draw_frame, make_frame
from coffey.dashboard.charts.markup import Html, join, path, tag
from coffey.dashboard.charts.plot import Caption, Plot
from coffey.dashboard.charts.scales import drawable

DRAWN_POINTS = 400


@dataclass(frozen=True, slots=True)
class StepSeries:
    """A name and the steps (x, y), x ascending; `ecdf` makes them from a sample."""

    name: str
    steps: Sequence[tuple[float, float]]


def ecdf(sample: Sequence[float]) -> list[tuple[float, float]]:
    """The empirical distribution of a sample: for each value the share at or below it.

    >>> ecdf([3.0, 1.0])
    [(1.0, 0.5), (3.0, 1.0)]
    """
    kept = sorted(value for value in sample if drawable(value))
    return [(value, (rank + 1) / len(kept)) for rank, value in enumerate(kept)]


def step_chart(caption: Caption, plot: Plot, series: Sequence[StepSeries]) -> Html:
    """Step lines with thresholds and events."""

    def draw(width: float, height: float) -> Html:
        xs = [x for one in series for x, _ in one.steps]
        ys = [y for one in series for _, y in one.steps]
        frame = make_frame(plot, xs, ys, width=width, height=height)
        lines = [_steps(frame, one, index) for index, one in enumerate(series)]
        return join([draw_frame(frame), *lines, draw_across(frame)])

    return figure(
        caption, draw, _data(plot, series), legend=[one.name for one in series], lines=plot.thresholds
    )


def _steps(frame: Frame, series: StepSeries, index: int) -> Html:
    kept = [series.steps[i] for i in thin(len(series.steps), DRAWN_POINTS)]
    corners: list[tuple[float, float]] = []
    height = frame.bottom
    for x, y in kept:
        if drawable(x, log=frame.x.log):
            corners += [(frame.x(x), height), (frame.x(x), frame.y(y))]
            height = frame.y(y)
    return tag("path", d=path(corners), class_=f"line {color(index)}")


def _data(plot: Plot, series: Sequence[StepSeries]) -> Data:
    columns = (Column("series"), Column(plot.x.label, plot.x.form), Column(plot.y.label, plot.y.form))
    kept = [(one, one.steps[i]) for one in series for i in thin(len(one.steps), DRAWN_POINTS)]
    return Data(columns, [(one.name, x, y) for one, (x, y) in kept])

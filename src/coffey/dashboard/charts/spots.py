"""Points to explore: pointing at one, tapping it or reaching it with the Tab key shows its figures.

Style sheets do all of it, so a page stays free of scripts, and paper shows the figures of one point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coffey.dashboard.charts.across import draw_across
from coffey.dashboard.charts.data import Column, Data
from coffey.dashboard.charts.figure import Legend, figure
from coffey.dashboard.charts.frame import Frame, draw_frame, make_frame
from coffey.dashboard.charts.labels import Box, Named, draw_labels
from coffey.dashboard.charts.markup import NOTHING, Html, join, path, tag
from coffey.dashboard.charts.plot import Caption, Plot
from coffey.dashboard.charts.readout import Readout, draw_readout, readout_height
from coffey.dashboard.charts.scales import drawable
from coffey.dashboard.charts.shapes import RADIUS_PX, draw_shape

LARGEST_PX = 14.0
SMALLEST_PX = 4.5
TOUCH_PX = 18.0
"""Radius within which a point is hit."""
GAP_PX = 14.0
"""Between the plot and the strip with the figures."""

Ends = tuple[float, float]
"""Low and high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One point: where it is, how sure that is, and what is said of it."""

    label: str
    kind: int
    """Index into the chart's kinds."""
    x: float
    y: float | None
    """None when it is not known: the point then lies, hollow, on the x axis."""
    x_ends: Ends | None = None
    y_ends: Ends | None = None
    weight: float | None = None
    """What the mark's area grows with; None draws a mark of usual size."""
    readout: Readout


@dataclass(frozen=True, slots=True)
class Kind:
    """Points that share a colour and a shape."""

    name: str
    tone: str
    """`good`, `warn`, `bad` or `plain`."""


def spot_chart(
    caption: Caption,
    plot: Plot,
    kinds: Sequence[Kind],
    spots: Sequence[Spot],
    *,
    joined: Sequence[int] = (),
    shown: int | None = None,
) -> Html:
    """A scatter of spots with intervals both ways and a strip of figures.

    Args:
        caption: title and description.
        plot: axes and lines across; events stand on the x axis, thresholds on the y axis.
        kinds: what the colours and shapes mean.
        spots: the points; the Tab key visits them in this order.
        joined: indices of the spots that a thin line joins, in this order.
        shown: index of the spot whose figures are shown while none is visited.
    """
    kept = [spot for spot in spots if _drawable(plot, spot)]
    readouts = [spot.readout for spot in kept]

    def draw(width: float, height: float) -> Html:
        strip = readout_height(readouts, width)
        frame = _frame(plot, kept, width=width, height=height - strip - GAP_PX)
        top = height - strip
        first = spots[shown].readout if shown is not None and spots[shown] in kept else None
        return join(
            [
                draw_frame(frame),
                draw_across(frame),
                _join(frame, [spots[index] for index in joined if spots[index] in kept]),
                *(_whiskers(frame, spot, kinds[spot.kind].tone) for spot in kept),
                draw_labels(frame, [_named(frame, spot, kept) for spot in kept], _arms(frame, kept)),
                draw_readout(first, top=top, width=width, height=strip) if first else NOTHING,
                tag("g", *(_spot(frame, spot, kept, kinds, top, strip) for spot in kept), class_="spots"),
            ]
        )

    used = [kind for place, kind in enumerate(kinds) if any(spot.kind == place for spot in kept)]
    legend = Legend([kind.name for kind in used], [_swatch(kinds, kind) for kind in used])
    return figure(
        caption,
        draw,
        _data(plot, kinds, spots),
        legend=legend,
        keys="marks",
        lines=plot.thresholds,
        role="group",
    )


def _drawable(plot: Plot, spot: Spot) -> bool:
    return drawable(spot.x, log=plot.x.log) and (spot.y is None or drawable(spot.y, log=plot.y.log))


def _frame(plot: Plot, spots: Sequence[Spot], *, width: float, height: float) -> Frame:
    xs = [x for spot in spots for x in (spot.x, *(spot.x_ends or ()))]
    ys = [y for spot in spots for y in (spot.y, *(spot.y_ends or ())) if y is not None]
    return make_frame(plot, xs, ys, width=width, height=height)


def _place(frame: Frame, spot: Spot) -> tuple[float, float]:
    return frame.x(spot.x), frame.bottom if spot.y is None else frame.y(spot.y)


def _radius(spot: Spot, spots: Sequence[Spot]) -> float:
    """Areas are as the weights, but for a least size that can be seen."""
    largest = max((one.weight for one in spots if one.weight is not None), default=0.0)
    if spot.weight is None or not largest > 0:
        return RADIUS_PX
    return max(SMALLEST_PX, LARGEST_PX * math.sqrt(max(spot.weight, 0.0) / largest))


def _join(frame: Frame, spots: Sequence[Spot]) -> Html:
    places = [_place(frame, spot) for spot in spots if spot.y is not None]
    return tag("path", d=path(places), class_="join plain") if len(places) > 1 else NOTHING


def _whiskers(frame: Frame, spot: Spot, tone: str) -> Html:
    x, y = _place(frame, spot)
    strokes: list[list[tuple[float, float]]] = []
    if spot.y_ends and spot.y is not None:
        low, high = (frame.y(end) for end in spot.y_ends)
        strokes += [[(x, low), (x, high)], [(x - 4, low), (x + 4, low)], [(x - 4, high), (x + 4, high)]]
    if spot.x_ends:
        low, high = (frame.x(end) for end in spot.x_ends)
        strokes += [[(low, y), (high, y)], [(low, y - 4), (low, y + 4)], [(high, y - 4), (high, y + 4)]]
    drawn = "".join(path(stroke) for stroke in strokes)
    return tag("path", d=drawn, class_=f"whisker {tone}") if strokes else NOTHING


def _arms(frame: Frame, spots: Sequence[Spot]) -> list[Box]:
    """What the horizontal whiskers cover."""
    return [
        (
            frame.x(spot.x_ends[0]),
            _place(frame, spot)[1] - 3,
            frame.x(spot.x_ends[1]),
            _place(frame, spot)[1] + 3,
        )
        for spot in spots
        if spot.x_ends
    ]


def _named(frame: Frame, spot: Spot, spots: Sequence[Spot]) -> Named:
    x, y = _place(frame, spot)
    radius = _radius(spot, spots)
    ends = [frame.y(end) for end in spot.y_ends or () if spot.y is not None]
    top, bottom = min([y - radius, *ends]), max([y + radius, *ends])
    return Named(spot.label, x, y, (x - radius, top, x + radius, bottom), radius + 4)


def _spot(
    frame: Frame, spot: Spot, spots: Sequence[Spot], kinds: Sequence[Kind], top: float, strip: float
) -> Html:
    x, y = _place(frame, spot)
    radius = _radius(spot, spots)
    hollow = " hollow" if spot.y is None else ""
    readout = spot.readout
    spoken = ", ".join(
        [f"{readout.title}: {readout.note}", *(f"{name} {value}" for name, value in readout.facts)]
    )
    return tag(
        "g",
        tag("circle", cx=x, cy=y, r=max(TOUCH_PX, radius), class_="touch"),
        draw_shape(spot.kind, x, y, kind=f"dot {kinds[spot.kind].tone}{hollow}", radius=radius),
        tag("circle", cx=x, cy=y, r=1.27 * radius + 4, class_="ring"),
        tag("g", draw_readout(readout, top=top, width=frame.width, height=strip), class_="card"),
        tabindex="0",
        role="img",
        aria_label=spoken,
        class_="spot",
    )


def _swatch(kinds: Sequence[Kind], kind: Kind) -> str:
    return f"{kind.tone} shape{list(kinds).index(kind) % 4 + 1}"


def _data(plot: Plot, kinds: Sequence[Kind], spots: Sequence[Spot]) -> Data:
    columns = (
        Column("point"),
        Column("kind"),
        *(Column(name, axis.form) for axis in (plot.x, plot.y) for name in (axis.label, "low", "high")),
    )
    rows = [
        (
            spot.label,
            kinds[spot.kind].name,
            spot.x,
            *(spot.x_ends or (None, None)),
            spot.y,
            *(spot.y_ends or (None, None)),
        )
        for spot in spots
    ]
    return Data(columns, rows)

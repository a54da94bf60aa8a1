"""The candidates of a plan as points to explore: quality, latency, and the price in the size of a mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.candidate_words import (
    ends,
    label_of,
    latency,
    left_name,
    measure_of,
    quality_of,
)
from coffey.dashboard.charts.markup import Html
from coffey.dashboard.charts.plot import Axis, Caption, Mark, Plot
from coffey.dashboard.charts.readout import Readout
from coffey.dashboard.charts.spots import Kind, Spot, spot_chart
from coffey.dashboard.reading import flag, number, obj, words

KINDS = {
    "keeps": Kind("keeps the budget", "good"),
    "may": Kind("may miss the budget", "warn"),
    "unknown": Kind("quality not known", "plain"),
    "misses": Kind("misses the budget", "bad"),
}
"""Circle, square, diamond and triangle."""
TEACHER = Kind("teacher", "plain")
_ALL = (*KINDS.values(), TEACHER)

HEIGHT_PX = 520.0
QUALITY_AXIS = {
    "retention": "retention (student quality ÷ teacher quality)",
    "agreement": "agreement with the teacher",
}


def frontier_chart(found: JsonObject, candidates: Sequence[JsonObject]) -> Html | None:
    """The chart, or None when no candidate has a place in it.

    Args:
        found: `frontier` of a plan's JSON.
        candidates: those of its candidates that are drawn.
    """
    measure = measure_of(candidates)
    drawn = [(one, spot) for one in candidates if (spot := _spot(one, measure))]
    if not drawn:
        return None
    spots = [spot for _, spot in drawn]
    best = words(found, "recommended", "name") or words(found, "nearest_miss", "name")
    shown = _place(drawn, lambda one: words(one, "name") == best)
    if shown is None:
        shown = _place(drawn, lambda one: words(one, "standing") != "misses") or 0
    efficient = [place for place, (one, _) in enumerate(drawn) if flag(one, "efficient")]
    teacher = _teacher(obj(found, "teacher"), measure)
    return spot_chart(
        _caption(measure),
        _plot(obj(found, "budget"), measure),
        _ALL,
        [*spots, *([teacher] if teacher else [])],
        joined=sorted(efficient, key=lambda place: spots[place].x) if measure else (),
        shown=shown,
    )


def _place(drawn: Sequence[tuple[JsonObject, Spot]], fits: Callable[[JsonObject], bool]) -> int | None:
    """Where the first candidate is that fits."""
    return next((place for place, (one, _) in enumerate(drawn) if fits(one)), None)


def _caption(measure: str | None) -> Caption:
    how = "Point at a mark, tap it or reach it with the Tab key for its figures."
    if measure is None:
        return Caption(
            title="Price against latency",
            description=f"Nothing is known of the quality yet, so it is not drawn. {how}",
            height=HEIGHT_PX,
        )
    return Caption(
        title="Quality against latency and price",
        description="A mark's area grows with the price of 1,000 requests. Whiskers show how far a forecast "
        f"may be off; the line joins candidates that no other beats in all three. {how}",
        height=HEIGHT_PX,
    )


def _plot(budget: JsonObject, measure: str | None) -> Plot:
    limit, floor = number(budget, "latency_p99_ms"), number(budget, f"min_{measure}")
    x = Axis(label="p99 of one request (log scale)", form=figures.milliseconds, log=True, pad=0.12)
    if measure is None:
        y = Axis(label="USD per 1,000 requests", form=figures.usd, include=(0.0,), pad=0.1)
    else:
        y = Axis(label=QUALITY_AXIS[measure], form=figures.share, pad=0.12)
    return Plot(
        x=x,
        y=y,
        events=() if limit is None else (Mark(limit, f"budget: {figures.measured(limit, '')} ms"),),
        thresholds=() if floor is None else (Mark(floor, f"floor: {figures.share(floor)}"),),
    )


def _spot(one: JsonObject, measure: str | None) -> Spot | None:
    p99, price = number(one, "p99_ms", "value"), number(one, "usd_per_1k")
    quality = quality_of(one, measure)
    if p99 is None or (measure is None and price is None):
        return None
    kind = KINDS.get(words(one, "standing"), KINDS["unknown"])
    return Spot(
        label=label_of(one),
        kind=_ALL.index(kind),
        x=p99,
        y=price if measure is None else quality.value if quality else None,
        x_ends=ends(one, "p99_ms"),
        y_ends=(quality.low, quality.high) if quality else None,
        weight=None if measure is None else price,
        readout=Readout(
            title=label_of(one),
            note=f"recommended, {kind.name}" if flag(one, "recommended") else kind.name,
            facts=_facts(one, measure),
            tone=kind.tone,
        ),
    )


def _facts(one: JsonObject, measure: str | None) -> list[tuple[str, str]]:
    quality = quality_of(one, measure)
    said = [
        ("p99", latency(one)),
        (measure or "quality", figures.interval(quality) if quality else "not known"),
        ("USD per 1,000", figures.measured(number(one, "usd_per_1k"), "USD")),
        ("p50", figures.measured(number(one, "p50_ms", "value"), "ms")),
        ("cost of the run", figures.measured(number(one, "run_usd"), "USD")),
        (left_name(one), figures.measured(number(one, "net_usd_over_horizon"), "USD")),
        ("parameters", figures.measured(number(one, "params"), "params")),
        ("size on disk", figures.measured(number(one, "size_bytes"), "bytes")),
    ]
    return [(name, value) for name, value in said if value != figures.ABSENT]


def _teacher(teacher: JsonObject, measure: str | None) -> Spot | None:
    p99, price = number(teacher, "p99_ms"), number(teacher, "usd_per_1k")
    if p99 is None or (measure is None and price is None):
        return None
    facts = [
        ("p99", figures.milliseconds(p99)),
        ("p50", figures.measured(number(teacher, "p50_ms"), "ms")),
        ("USD per 1,000", figures.measured(price, "USD")),
    ]
    return Spot(
        label="teacher",
        kind=_ALL.index(TEACHER),
        x=p99,
        y=price if measure is None else 1.0,
        readout=Readout(title="teacher", note="in process, one at a time", facts=facts, tone=TEACHER.tone),
    )

"""The chain: how quality holds as the student shrinks, and what each stage was."""

from __future__ import annotations

from collections.abc import Sequence

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.charts.plot import Axis, Caption, Mark, Plot
from coffey.dashboard.charts.plot import number as plain_number
from coffey.dashboard.charts.scatter import Group, Point, scatter_chart
from coffey.dashboard.page import Block, Drawing, Section, Table, filled
from coffey.dashboard.reading import estimate, items, measure_name, number, obj, rows, words

MEASURES = ("retention", "agreement", "accuracy")
"""In this order the first that every stage has is plotted."""
CONTROLS = {"direct": "direct jump", "labels_only": "labels only"}


def chain_section(result: JsonObject) -> Section | None:
    """Two charts (quality against size and against latency) and the table of stages."""
    stages = rows(result, "stages")
    if not stages:
        return None
    charts = [chart for axis in ("params", "p50_ms") if (chart := _chart(result, stages, axis))]
    lead = "Each stage is taught by those before it. Quality is measured on the holdout."
    return Section("The chain", lead, [*charts, _table(stages)])


def controls(result: JsonObject) -> list[JsonObject]:
    """The control arms and the shorter routes that were trained, each once, with its `name`.

    The direct jump of a chain of one stage is that stage, and no control.
    """
    stages = rows(result, "stages")
    arms = {words(route, "name"): route for route in rows(result, "proof", "routes")}
    arms |= {name: arm for key, name in CONTROLS.items() if (arm := obj(result, "controls", key))}
    return [{**arm, "name": name} for name, arm in arms.items() if arm not in stages]


def measure_of(stages: Sequence[JsonObject]) -> str | None:
    """The quality that every stage has, or None."""
    return next(
        (name for name in MEASURES if all(estimate(stage, "quality", name) for stage in stages)), None
    )


def _chart(result: JsonObject, stages: Sequence[JsonObject], axis: str) -> Block | None:
    measure = measure_of(stages)
    if measure is None or any(number(stage, axis) is None for stage in stages):
        return None
    arms = controls(result)
    groups = [
        Group("chain", [p for s in stages if (p := _point(s, measure, axis))], joined=True),
        Group("controls at equal compute", [p for s in arms if (p := _point(s, measure, axis))]),
        Group("teacher", _teacher(result, measure, axis)),
    ]
    size = axis == "params"
    title = "Quality against size" if size else "Quality against latency"
    x = (
        Axis(label="parameters (log scale)", form=figures.count, log=True, pad=0.12)
        if size
        else Axis(
            label="p50 of one request (log scale)",
            form=lambda value: f"{plain_number(value)} ms",
            log=True,
            pad=0.12,
        )
    )
    y = Axis(label=_quality_axis(measure, measure_name(result)), form=figures.share, pad=0.1)
    plot = Plot(x=x, y=y, thresholds=_reference(result, measure, named=bool(groups[-1].points)))
    caption = Caption(
        title=title,
        description="Whiskers are 95 % intervals; points on one another are set side by side.",
        half=True,
    )
    shown = [group for group in groups if group.points]
    return Drawing(scatter_chart(caption, plot, shown))


def _quality_axis(measure: str, accuracy: str) -> str:
    return {
        "retention": f"retention (student {accuracy} ÷ teacher {accuracy})",
        "agreement": "agreement with the teacher",
    }.get(measure, accuracy)


def _point(stage: JsonObject, measure: str, axis: str) -> Point | None:
    quality, x = estimate(stage, "quality", measure), number(stage, axis)
    if quality is None or x is None:
        return None
    return Point(words(stage, "name"), x, quality.value, quality.low, quality.high)


def _teacher(result: JsonObject, measure: str, axis: str) -> list[Point]:
    x = (
        number(result, "teacher", "params")
        if axis == "params"
        else number(result, "latency", "teacher_p50_ms")
    )
    y = _teacher_quality(result, measure)
    return [] if x is None or y is None else [Point("teacher", x, y)]


def _reference(result: JsonObject, measure: str, *, named: bool) -> tuple[Mark, ...]:
    """The teacher's quality as a line; without a label where the teacher's own point has one."""
    quality = _teacher_quality(result, measure)
    return () if quality is None else (Mark(quality, "" if named else "teacher"),)


def _teacher_quality(result: JsonObject, measure: str) -> float | None:
    if measure != "accuracy":
        return 1.0
    accuracy = estimate(result, "teacher", "accuracy")
    return accuracy.value if accuracy else number(result, "teacher", "accuracy")


def _table(stages: Sequence[JsonObject]) -> Table:
    columns = (
        "stage",
        "taught by",
        "params",
        "without embeddings",
        "quality",
        "p50",
        "size",
        "steps",
        "time",
    )
    measure = measure_of(stages)
    table = Table(
        columns,
        [_row(stage, measure) for stage in stages],
        caption=f"Stages (quality: {measure})" if measure else "Stages",
        text_columns=frozenset({0, 1}),
    )
    return filled(table)


def _row(stage: JsonObject, measure: str | None) -> tuple[str, ...]:
    quality = estimate(stage, "quality", measure) if measure else None
    return (
        words(stage, "name"),
        ", ".join(str(name) for name in items(stage, "taught_by")) or figures.ABSENT,
        figures.measured(number(stage, "params"), "params"),
        figures.measured(number(stage, "params_without_embeddings"), "params"),
        figures.interval(quality) if quality else figures.ABSENT,
        figures.measured(number(stage, "p50_ms"), "ms"),
        figures.measured(number(stage, "bytes"), "bytes"),
        figures.measured(number(stage, "steps"), ""),
        figures.measured(number(stage, "seconds"), "s"),
    )

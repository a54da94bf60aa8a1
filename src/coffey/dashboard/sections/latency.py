"""Latency: how it is distributed, what load the student carries within its budget."""

from __future__ import annotations

from collections.abc import Sequence

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.charts.bars import Bar, bar_chart
from coffey.dashboard.charts.line import LinePoint, LineSeries, line_chart
from coffey.dashboard.charts.plot import Axis, Caption, Mark, Plot
from coffey.dashboard.charts.plot import number as plain_number
from coffey.dashboard.charts.steps import StepSeries, ecdf, step_chart
from coffey.dashboard.page import Block, Drawing, Section, Table
from coffey.dashboard.reading import items, number, obj, rows, words
from coffey.traffic.ledger import STEPS

LOADS = {"closed": "one request at a time", "open": "arrivals that do not wait"}


def latency_section(result: JsonObject) -> Section | None:
    """One distribution a way of asking, p99 against rate, and the table of what was timed."""
    timed = rows(result, "latencies")
    budget = number(result, "slo", "budget_ms")
    drawn = [block for block in (_load(result), _ledger(result)) if block]
    blocks: list[Block] = [*_distributions(timed, budget), *drawn, *_tables(result, timed)]
    if not blocks:
        return None
    return Section("Latency", "Measured in one run, on one machine.", blocks)


def _distributions(timed: Sequence[JsonObject], budget: float | None) -> list[Block]:
    groups: dict[tuple[str, str], list[JsonObject]] = {}
    for one in timed:
        if items(one, "sample_ms"):
            groups.setdefault((words(one, "path"), words(one, "load")), []).append(one)
    charts: list[Block] = []
    for (path, load), members in groups.items():
        charts += [_ecdf(path, load, members, budget, half=len(groups) > 1)]
    return charts


def _ecdf(path: str, load: str, members: Sequence[JsonObject], budget: float | None, *, half: bool) -> Block:
    series = [
        StepSeries(words(one, "subject"), ecdf(_sample(one)))
        for one in sorted(members, key=lambda one: words(one, "subject"))
    ]
    x = Axis(label="latency (log scale)", form=_ms, log=True)
    y = Axis(
        label="share of requests answered within",
        form=lambda v: figures.percent(v, 0),
        pad=0.0,
        include=(0.0, 1.0),
    )
    events = () if budget is None else (Mark(budget, f"budget {_ms(budget)}", "bad"),)
    title = f"Latency, {path or 'timed'}: {LOADS.get(load, load)}"
    caption = Caption(title=title, description="Further left is faster; steeper is steadier.", half=half)
    return Drawing(step_chart(caption, Plot(x=x, y=y, events=events), series))


def _sample(one: JsonObject) -> list[float]:
    found = [number({"ms": value}, "ms") for value in items(one, "sample_ms")]
    return [value for value in found if value is not None]


def _load(result: JsonObject) -> Block | None:
    curve = [row for row in rows(result, "slo", "curve") if number(row, "rps") is not None]
    if len(curve) < 2:
        return None
    series = [
        LineSeries(name, [LinePoint(number(row, "rps") or 0.0, number(row, key)) for row in curve])
        for name, key in (("p99", "p99_ms"), ("p50", "p50_ms"))
        if any(number(row, key) is not None for row in curve)
    ]
    budget, most = number(result, "slo", "budget_ms"), number(result, "slo", "max_rps")
    thresholds = () if budget is None else (Mark(budget, f"p99 budget {_ms(budget)}", "bad"),)
    events = () if not most else (Mark(most, f"{figures.rate(most)} within budget", "good"),)
    y = Axis(label="latency (log scale)", form=_ms, log=True)
    x = Axis(label="requests a second", form=lambda v: figures.measured(v, ""), include=(0.0,), pad=0.02)
    caption = Caption(
        title="Latency under load", description="Poisson arrivals that do not wait for answers."
    )
    plot = Plot(x=x, y=y, thresholds=thresholds, events=events)
    return Drawing(line_chart(caption, plot, series)) if series else None


def _ledger(result: JsonObject) -> Block | None:
    spent = obj(result, "ledger_us")
    bars = [
        Bar(f"{step}: {meaning}", 0.0, us, _us(us))
        for step, meaning in STEPS.items()
        if (us := number(spent, step)) is not None
    ]
    if not bars:
        return None
    caption = Caption(
        title="Where one request spends its time",
        description="Mean of single requests through the server. The steps add up to the request; the log "
        "comes after the answer.",
    )
    return Drawing(bar_chart(caption, Axis(label="microseconds", form=_us, include=(0.0,)), bars))


def _us(value: float) -> str:
    return f"{plain_number(value)} µs"


def _tables(result: JsonObject, timed: Sequence[JsonObject]) -> list[Block]:
    if timed:
        return [_timed(timed)]
    found = obj(result, "latency")
    keys = ("student_p50_ms", "student_p99_ms", "teacher_p50_ms", "teacher_p99_ms")
    if not any(number(found, key) is not None for key in keys):
        return []
    body = [
        (who, *(figures.measured(number(found, f"{who}_{p}_ms"), "ms") for p in ("p50", "p99")))
        for who in ("teacher", "student")
    ]
    return [Table(("model", "p50", "p99"), body, caption="Latency of one request")]


def _timed(timed: Sequence[JsonObject]) -> Table:
    body = [
        (
            words(one, "subject"),
            words(one, "path"),
            LOADS.get(words(one, "load"), words(one, "load")),
            *(figures.measured(number(one, key), "ms") for key in ("p50_ms", "p95_ms", "p99_ms")),
            figures.measured(number(one, "rps"), "rps"),
            figures.measured(number(one, "requests"), ""),
            figures.measured(number(one, "errors"), ""),
        )
        for one in timed
    ]
    columns = ("subject", "path", "load", "p50", "p95", "p99", "rate", "requests", "errors")
    return Table(columns, body, caption="What was timed", text_columns=frozenset({0, 1, 2}))


def _ms(value: float) -> str:
    return f"{plain_number(value)} ms"

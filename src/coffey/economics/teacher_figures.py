"""What the teacher costs and how fast it is: configured, measured by a probe, or assumed from its size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coffey.core.records import Figure
from coffey.core.settings import Settings
from coffey.economics import assumptions
from coffey.economics.capacity import rate_figure
from coffey.economics.figures import assumed, configured, measured
from coffey.economics.known import Known
from coffey.economics.probe_result import TeacherProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherFigures:
    """The teacher's part of `PlanInputs`: a price by the request, or one by the machine with its rates."""

    usd_per_1k: Figure | None = None
    usd_per_hour: Figure | None = None
    texts_per_s: Figure | None = None
    rps: Figure | None = None
    int8_speedup: Figure | None = None
    p50_ms: Figure | None = None


def teacher_figures(settings: Settings, known: Known, machine: Figure) -> TeacherFigures:
    """The teacher's figures; `machine` is the student's price an hour, used when the teacher has none."""
    cost = settings.teacher.cost
    probe = known.probe.teacher if known.probe else None
    p50 = measured(probe.p50_ms, "ms", f"{probe.texts} texts, one at a time") if probe else None
    speed = measured_speed(probe) if probe else None
    if cost.usd_per_1k_requests is not None:
        price = configured(
            float(cost.usd_per_1k_requests), "USD per 1,000", "teacher.cost.usd_per_1k_requests"
        )
        return TeacherFigures(usd_per_1k=price, texts_per_s=speed, p50_ms=p50)
    if cost.usd_per_1m_tokens is not None:
        price = price_by_tokens(cost.usd_per_1m_tokens, settings.teacher.max_length)
        return TeacherFigures(usd_per_1k=price, texts_per_s=speed, p50_ms=p50)
    speed = speed or assumed_speed(settings.teacher.max_length, known.teacher_params)
    return TeacherFigures(
        usd_per_hour=_usd_per_hour(cost.usd_per_hour, machine),
        texts_per_s=speed,
        rps=rate_figure(_service(speed, p50), latency_p99_ms=settings.budget.latency_p99_ms),
        int8_speedup=_int8(probe),
        p50_ms=p50,
    )


def price_by_tokens(usd_per_1m_tokens: float, tokens: int) -> Figure:
    """The price of 1,000 requests of `tokens` tokens each."""
    note = f"teacher.cost.usd_per_1m_tokens x {tokens} tokens an input (teacher.max_length, an upper bound)"
    return assumed(usd_per_1m_tokens * tokens / 1000.0, "USD per 1,000", note)


def measured_speed(probe: TeacherProbe) -> Figure:
    """Texts a second in batches, as the probe found it."""
    note = f"{probe.texts} texts in batches of {probe.batch_size}"
    return measured(probe.texts_per_s, "texts a second", note)


def assumed_speed(tokens: int, params: int | None) -> Figure:
    """Texts a second of a teacher that was never run, from its size (BERT-base's when that is not known)."""
    size = params or assumptions.TEACHER_PARAMS
    whose = "its" if params else "BERT-base's"
    note = f"2 x {whose} {size:,} parameters x {tokens} tokens at {assumptions.FLOPS:g} FLOP/s"
    return assumed(1.0 / assumptions.forward_s(size, tokens), "texts a second", note)


def _service(speed: Figure, p50: Figure | None) -> Figure:
    """Milliseconds of one request: in batches or alone, whichever is faster, which favours the teacher."""
    milliseconds = min(1000.0 / speed.value, p50.value if p50 else math.inf)
    return Figure(milliseconds, "ms", speed.origin, speed.note)


def _usd_per_hour(value: float | None, machine: Figure) -> Figure:
    if value is not None:
        return configured(float(value), "USD an hour", "teacher.cost.usd_per_hour")
    return assumed(machine.value, machine.unit, "no teacher.cost: priced as the student's machine")


def _int8(probe: TeacherProbe | None) -> Figure:
    if probe and probe.int8_speedup is not None:
        return measured(probe.int8_speedup, "x", "teacher exported as fp32 and as int8")
    return assumed(assumptions.INT8_SPEEDUP, "x", "BERT-like encoders on CPUs: 1.5 to 3")

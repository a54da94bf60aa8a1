"""What the teacher costs and how fast it is: configured, measured by a probe, or assumed from its size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coffey.core.records import Figure
from coffey.core.settings import Settings, TeacherSettings
from coffey.economics import assumptions
from coffey.economics.capacity import rate_figure
from coffey.economics.figures import assumed, configured, measured
from coffey.economics.known import Known
from coffey.economics.probe_result import TeacherProbe
from coffey.teacher.prompt import DEFAULT_TEMPLATE, is_template
from coffey.teacher.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherFigures:
    """The teacher's part of `PlanInputs`: a price by the request, or one by the machine with its rates."""

    usd_per_1k: Figure | None = None
    usd_per_hour: Figure | None = None
    texts_per_s: Figure | None = None
    rps: Figure | None = None
    int8_speedup: Figure | None = None
    p50_ms: Figure | None = None
    service_ms: Figure | None = None
    """What `rps` follows from; None where the price is by the request."""


def teacher_figures(settings: Settings, known: Known, machine: Figure) -> TeacherFigures:
    """The teacher's figures; `machine` is the student's price an hour, used when the teacher has none."""
    cost = settings.teacher.cost
    probe = known.probe.teacher if known.probe else None
    p50 = measured(probe.p50_ms, "ms", f"{probe.texts} texts, one at a time") if probe else None
    speed = known.teacher_pace or (measured_speed(probe) if probe else None)
    if cost.usd_per_1k_requests is not None:
        price = price_by_requests(settings.teacher, float(cost.usd_per_1k_requests))
        return TeacherFigures(usd_per_1k=price, texts_per_s=speed, p50_ms=p50)
    if cost.usd_per_1m_tokens is not None:
        price = price_by_tokens(settings, cost.usd_per_1m_tokens)
        return TeacherFigures(usd_per_1k=price, texts_per_s=speed, p50_ms=p50)
    speed = speed or assumed_speed(settings.teacher.max_length, known.teacher_params)
    service = _service(speed, p50)
    return TeacherFigures(
        usd_per_hour=_usd_per_hour(cost.usd_per_hour, machine),
        texts_per_s=speed,
        rps=rate_figure(service, latency_p99_ms=settings.budget.latency_p99_ms),
        service_ms=service,
        int8_speedup=_int8(probe),
        p50_ms=p50,
    )


def price_by_requests(teacher: TeacherSettings, usd_per_1k_requests: float) -> Figure:
    """The price of 1,000 inputs, each of which may take several requests when it is answered by samples."""
    note, requests = "teacher.cost.usd_per_1k_requests", requests_an_input(teacher)
    if requests > 1:
        note += f" x {requests} requests an input (teacher.asking.samples)"
    return configured(usd_per_1k_requests * requests, "USD per 1,000", note)


def requests_an_input(teacher: TeacherSettings) -> int:
    """How many requests answer one input."""
    asking = teacher.asking
    sampled = teacher.kind == "openai" and asking.distribution == "samples"
    return -(-asking.samples // asking.samples_per_request) if sampled else 1


def price_by_tokens(settings: Settings, usd_per_1m_tokens: float) -> Figure:
    """The price of 1,000 inputs of `teacher.max_length` tokens each; of kind openai with the question."""
    if settings.teacher.kind == "openai":
        return _price_by_question(settings, usd_per_1m_tokens)
    tokens = settings.teacher.max_length
    note = f"teacher.cost.usd_per_1m_tokens x {tokens} tokens an input (teacher.max_length, an upper bound)"
    return assumed(usd_per_1m_tokens * tokens / 1000.0, "USD per 1,000", note)


def _price_by_question(settings: Settings, usd_per_1m_tokens: float) -> Figure:
    """Every request carries the whole question, and every answer is as long as it may be.

    A question that is in a file is not read here: it is taken to be as long as the plain one.
    """
    teacher = settings.teacher
    asking, cost = teacher.asking, teacher.cost
    in_file = asking.prompt is not None and not is_template(asking.prompt)
    template = DEFAULT_TEMPLATE if in_file or asking.prompt is None else asking.prompt
    answers = asking.samples if asking.distribution == "samples" else 1
    labels = settings.task.labels if isinstance(settings.task.labels, tuple) else ()
    around = Question(teacher.source, asking, template, labels).expected("", answers=answers)
    requests = requests_an_input(teacher)
    asked = requests * (around.input_tokens + teacher.max_length)
    output_usd = cost.usd_per_1m_output_tokens or 0.0
    usd = (asked * usd_per_1m_tokens + around.output_tokens * output_usd) / 1_000_000
    note = (
        f"{requests} request(s) an input, each {around.input_tokens} tokens of the question "
        f"({'taken to be the plain one' if in_file else 'UTF-8 bytes / 4'}) + {teacher.max_length} of the "
        f"input (teacher.max_length, assumed), at teacher.cost.usd_per_1m_tokens; {around.output_tokens} "
        f"tokens of answers at most, at {output_usd:g} USD a million"
    )
    return assumed(1000.0 * usd, "USD per 1,000", note)


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

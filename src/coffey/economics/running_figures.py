"""What comes with a student besides serving: re-distillations, storage, errors, growth."""

from __future__ import annotations

import math
from collections.abc import Iterator

from coffey.core.ranges import Range
from coffey.core.records import Figure
from coffey.core.settings import Settings
from coffey.economics import assumptions
from coffey.economics.figures import assumed, configured, measured
from coffey.economics.known import Known


def running_figures(settings: Settings, known: Known) -> dict[str, Figure]:
    """The optional figures of `PlanInputs` that are not 0, by their names."""
    return {
        **_set(settings, "export_hours", "hours"),
        **_set(settings, "growth_per_year", "a year"),
        **_set(settings, "discount_per_year", "a year"),
        **_holdout(known),
        **_redistills(settings, known),
        **_storage(settings, known),
        **_errors(settings, known),
    }


def not_counted(settings: Settings, known: Known) -> Iterator[str]:
    """What the plan leaves out, with the key that would count it."""
    economics = settings.economics
    if not known.holdout_rows:
        yield "the teacher's answers to the holdout"
    if not economics.export_hours:
        yield "export, gate and bench (economics.export_hours)"
    if not economics.people_hours:
        yield "people (economics.people_hours)"
    if not economics.redistills_per_year:
        yield "re-distillations (economics.redistills_per_year)"
    if not economics.storage_usd_per_gb_month:
        yield "storage (economics.storage_usd_per_gb_month)"
    if not economics.error_usd:
        yield "the student's errors (economics.error_usd)"
    elif known.quality_loss is None:
        yield "the student's errors (how many more it makes than the teacher is not known yet)"


def _set(settings: Settings, name: str, unit: str) -> dict[str, Figure]:
    """The figure unless it is 0; a range is one also where its middle is 0."""
    value = getattr(settings.economics, name)
    given = bool(value) or isinstance(value, Range)
    return {name: configured(float(value), unit, f"economics.{name}")} if given else {}


def _holdout(known: Known) -> dict[str, Figure]:
    return {"holdout_rows": measured(known.holdout_rows, "inputs", "counted")} if known.holdout_rows else {}


def _redistills(settings: Settings, known: Known) -> dict[str, Figure]:
    found = _set(settings, "redistills_per_year", "a year")
    if not found:
        return {}
    monitor, chain = settings.monitor, settings.chain
    rows = known.rows * (1.0 - chain.validation) + monitor.relabel * (1.0 - monitor.fresh_share)
    steps = round(monitor.redistill_epochs * math.ceil(rows / chain.batch_size))
    note = "monitor.redistill_epochs x old and new rows / chain.batch_size, at most"
    return {
        **found,
        **_set(settings, "redistill_people_hours", "hours"),
        "relabel_rows": configured(monitor.relabel, "answers", "monitor.relabel, at most"),
        "redistill_steps": configured(steps, "steps", note),
    }


def _storage(settings: Settings, known: Known) -> dict[str, Figure]:
    found = _set(settings, "storage_usd_per_gb_month", "USD per GB and month")
    if not found:
        return {}
    return {
        **found,
        "log_bytes_per_request": _log_bytes(settings, known),
        "log_days": configured(settings.monitor.retention_days, "days", "monitor.retention_days"),
        "store_gb": _kept(settings, known),
    }


def _log_bytes(settings: Settings, known: Known) -> Figure:
    if (value := settings.economics.log_bytes_per_request) is not None:
        return configured(float(value), "bytes", "economics.log_bytes_per_request")
    note = "questions of 40 characters, compressed; set economics.log_bytes_per_request"
    return known.log_bytes_per_request or assumed(assumptions.LOG_BYTES_PER_REQUEST, "bytes", note)


def _kept(settings: Settings, known: Known) -> Figure:
    """Answers and stages; a stage whose size cannot be told has been refused before."""
    answers = (known.rows + known.made_rows + known.holdout_rows) * assumptions.ANSWER_BYTES
    params = sum(assumptions.stage_params(stage) or 0.0 for stage in settings.chain.stages)
    kept = answers + params * assumptions.KEPT_BYTES_PER_PARAM
    note = (
        f"{assumptions.ANSWER_BYTES:g} bytes an answer, {assumptions.KEPT_BYTES_PER_PARAM:g} a parameter "
        "of every stage"
    )
    return assumed(kept / 1e9, "GB", note)


def _errors(settings: Settings, known: Known) -> dict[str, Figure]:
    found = _set(settings, "error_usd", "USD an error")
    return {**found, "quality_loss": known.quality_loss} if found and known.quality_loss else {}

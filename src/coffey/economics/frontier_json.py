"""A frontier as plain values: what `coffey plan --json` prints under `frontier` and pages are drawn from."""

from __future__ import annotations

from coffey.core.records import Figure, JsonObject
from coffey.core.settings import BudgetSettings
from coffey.economics.budget_check import Check
from coffey.economics.candidate import Candidate, Span, TeacherPoint
from coffey.economics.frontier import Frontier, Judged
from coffey.economics.frontier_words import reason, verdict


def frontier_json(frontier: Frontier) -> JsonObject:
    """The frontier as plain values; `recommended.stages` is the chain that `chain.stages = "auto"` takes."""
    return {
        "answer": frontier.answer.value,
        "verdict": verdict(frontier),
        "recommended": _named(frontier.chosen),
        "nearest_miss": _named(frontier.nearest),
        "budget": _budget_json(frontier.budget),
        "teacher": _teacher_json(frontier.teacher),
        "candidates": [_judged_json(one, frontier) for one in frontier.judged],
    }


def _named(one: Judged | None) -> JsonObject | None:
    return None if one is None else {"name": one.candidate.name, "stages": list(one.candidate.stages)}


def _budget_json(budget: BudgetSettings) -> JsonObject:
    return {
        "latency_p99_ms": budget.latency_p99_ms,
        "min_retention": budget.min_retention,
        "min_agreement": budget.min_agreement,
        "max_usd": budget.max_usd,
    }


def _teacher_json(teacher: TeacherPoint | None) -> JsonObject | None:
    if teacher is None:
        return None
    return {"p50_ms": teacher.p50_ms, "p99_ms": teacher.p99_ms, "usd_per_1k": teacher.usd_per_1k}


def _judged_json(one: Judged, frontier: Frontier) -> JsonObject:
    candidate = one.candidate
    return {
        "name": candidate.name,
        "stages": list(candidate.stages),
        "params": candidate.params,
        "size_bytes": candidate.size_bytes,
        "p50_ms": _figure_json(candidate.p50_ms),
        "p99_ms": _figure_json(candidate.p99_ms, candidate.p99_range_ms),
        "quality": _quality_json(candidate),
        "usd_per_1k": candidate.usd_per_1k,
        "run_usd": candidate.run_usd,
        "run_usd_range": _range_json(candidate.run_range_usd),
        "net_usd_over_horizon": candidate.net_usd,
        "horizon_days": candidate.plan.horizon_days,
        "break_even_days": candidate.plan.break_even_days,
        "pays": candidate.plan.pays,
        "standing": one.standing.value,
        "efficient": one.efficient,
        "beaten_by": one.beaten_by,
        "recommended": one is frontier.chosen,
        "reason": reason(one, frontier),
        "checks": [_check_json(check) for check in one.checks],
    }


def _figure_json(figure: Figure, ends: Span | None = None) -> JsonObject:
    said = {"value": figure.value, "origin": figure.origin.value, "note": figure.note}
    return said if ends is None else {**said, **_range_json(ends)}


def _range_json(ends: Span) -> JsonObject:
    return {"low": ends[0], "high": ends[1]}


def _quality_json(candidate: Candidate) -> JsonObject | None:
    quality = candidate.quality
    if quality is None:
        return None
    return {
        "measure": quality.measure,
        "value": quality.value,
        "low": quality.low,
        "high": quality.high,
        "confidence": quality.confidence,
        "note": quality.note,
    }


def _check_json(check: Check) -> JsonObject:
    return {
        "budget": check.budget,
        "subject": check.subject,
        "limit": check.limit,
        "value": check.value,
        "standing": check.standing.value,
        "over": check.over,
        "words": check.words,
    }

"""What the demo came to, as one JSON object: assembled from what each step printed, nothing made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coffey.core.clock import utc_now
from coffey.core.records import JsonObject
from coffey.core.settings import Settings
from coffey.project.reporting import data_view

Step = Mapping[str, Any]


def demo_outcome(settings: Settings, steps: Mapping[str, Step], *, seconds: float) -> JsonObject:
    """The object that `coffey demo --json` prints and the page draws.

    Args:
        settings: the demo's.
        steps: what `distill`, `bench`, `reconcile`, `replan`, `before`, `after` and `recovered` gave.
        seconds: of this run.
    """
    made, timed, plan = steps["distill"], steps["bench"], steps["replan"]
    mended = steps["after"]["tick"]["redistilled"]
    return {
        "name": settings.project.name,
        "command": "coffey demo",
        "time": utc_now(),
        "seconds": seconds,
        "teacher": made["teacher"],
        "student": made["student"],
        "stages": made["stages"],
        "controls": made["controls"],
        "proof": made["proof"],
        "gate": made["gate"],
        "artifact": made["artifact"],
        "data": data_view(made["labelling"]),
        **{key: timed[key] for key in ("latency", "params_ratio", "latency_ratio", "latencies", "slo")},
        "machine": timed["machine"],
        "versions": timed["versions"],
        "plan": plan,
        "break_even_days": plan["break_even_days"],
        "forecast_vs_actual": steps["reconcile"]["figures"],
        "alarm": {
            "before_drift": _alarm(steps["before"]),
            "after_drift": _alarm(steps["after"]),
        },
        "redistilled": _mended(mended),
        "refused": _refused(mended),
        "recovered": {
            "agreement": steps["recovered"]["tick"]["agreement"]["overall"],
            "alarm": _alarm(steps["recovered"]),
        },
        "replayed": {name: steps[name]["replay"] for name in ("before", "after", "recovered")},
        "watch": _watch(settings, steps),
        "table": model_table(made, timed, plan),
    }


def _mended(redistilled: Step | None) -> Step | None:
    """Agreement on fresh requests before and after; None where no challenger won."""
    if redistilled is None or redistilled["after"] is None:
        return None
    return {"before": redistilled["before"], "after": redistilled["after"]}


def _refused(redistilled: Step | None) -> str | None:
    """Why the challenger of a re-distillation did not win; None where one won, or there was none."""
    if redistilled is None or redistilled["after"] is not None:
        return None
    return str(redistilled["decision"]["reason"])


def _alarm(step: Step) -> bool:
    agreement = step["tick"]["agreement"]
    return bool(agreement and agreement["alarm_index"] is not None)


def _watch(settings: Settings, steps: Mapping[str, Step]) -> JsonObject:
    before, after, later = (steps[name]["tick"] for name in ("before", "after", "recovered"))
    drift_at = before["agreement"]["audits"]
    first = [
        _point(point, "like the holdout" if point["audits"] <= drift_at else "drifted")
        for point in after["agreement"]["series"]
    ]
    offset = after["agreement"]["audits"]
    second = [_point(point, "re-distilled", offset) for point in later["agreement"]["series"]]
    alarm = after["agreement"]["alarm_index"]
    events = [{"index": drift_at, "label": "two desks open"}]
    if alarm is not None:
        events.append({"index": alarm, "label": "alarm"})
    if after["redistilled"] is not None:
        mended = after["redistilled"]
        kind, promised = mended["decision"]["kind"], mended["after"]
        label = f"{kind}, promises {promised['value']:.3f} now" if promised else kind
        events.append({"index": offset, "label": label})
    decisions = [before["decision"], after["decision"]]
    if after["redistilled"] is not None:
        decisions.append(after["redistilled"]["decision"])
    return {
        "contract": {
            "agreement": after["agreement"]["promised"],
            "max_drop": settings.monitor.max_drop,
            "redistill_drop": settings.monitor.redistill_drop,
        },
        "promises": [
            {"index": 0, "agreement": after["agreement"]["promised"]["value"]},
            {"index": offset, "agreement": later["agreement"]["promised"]["value"]},
        ],
        "series": first + second,
        "threshold_log": after["agreement"]["log_threshold"],
        "alarm_index": alarm,
        "events": events,
        "decisions": [
            {"kind": one["kind"], "reason": one["reason"]} for one in (*decisions, later["decision"])
        ],
    }


def _point(point: Step, phase: str, offset: int = 0) -> JsonObject:
    agreement = point["agreement"]
    return {
        "index": point["audits"] + offset,
        "unix_s": point["unix_s"],
        "agreement": agreement["value"],
        "low": agreement["low"],
        "high": agreement["high"],
        "log_evidence": point["log_evidence"],
        "phase": phase,
    }


def model_table(made: Step, timed: Step, plan: Step) -> list[JsonObject]:
    """Teacher and student in a row each, from what `distill`, `bench` and `plan` printed."""
    teacher, student, costs = made["teacher"], made["student"], plan["costs"]
    latency = timed["latency"]
    quality = "accuracy" if student["accuracy"] else "agreement"
    return [
        {
            "model": f"teacher {teacher['name']}",
            "params": teacher["params"],
            "quality": teacher[quality] if quality == "accuracy" else None,
            "p50_ms": latency["teacher_p50_ms"],
            "p99_ms": latency["teacher_p99_ms"],
            "usd_per_1k": costs["teacher"]["usd_per_1k"],
        },
        {
            "model": f"student {student['name']} ({student['variant']})",
            "params": student["params"],
            "bytes": student["bytes"],
            "quality": student[quality],
            "p50_ms": latency["student_p50_ms"],
            "p99_ms": latency["student_p99_ms"],
            "usd_per_1k": costs["student"]["usd_per_1k"],
            "break_even_days": plan["break_even_days"],
        },
    ]

"""Synthetic results in the shape of the commands' JSON, to test and look at pages; nothing is measured."""

# ruff: noqa: E501 - one row of data a line

from __future__ import annotations

import math
from typing import Any

import numpy as np

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


def estimate(value: float, half: float) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def stage(name: str, params: int, ret: float, p50: float, by: list[str]) -> dict[str, Any]:
    quality = {
        "agreement": estimate(ret * 0.955, 0.012),
        "accuracy": estimate(ret * 0.91, 0.011),
        "retention": estimate(ret, 0.009),
    }
    return {
        "name": name,
        "params": params,
        "params_without_embeddings": params // 2,
        "taught_by": by,
        "seconds": 31.0 + params / 3e5,
        "steps": 940,
        "validation_agreement": ret * 0.95,
        "quality": quality,
        "p50_ms": p50,
        "bytes": params * 1.1,
    }


def latency(subject: str, path: str, load: str, median: float, seed: int) -> dict[str, Any]:
    sample = np.sort(median * np.exp(np.random.default_rng(seed).gamma(1.2, 0.16, 800) - 0.12))
    return {
        "subject": subject,
        "path": path,
        "load": load,
        "requests": 2000,
        "p50_ms": float(np.quantile(sample, 0.5)),
        "p95_ms": float(np.quantile(sample, 0.95)),
        "p99_ms": float(np.quantile(sample, 0.99)),
        "mean_ms": float(sample.mean()),
        "rps": 1000 / float(sample.mean()),
        "offered_rps": None,
        "errors": 0,
        "sample_ms": sample.tolist(),
    }


def plan() -> dict[str, Any]:
    return {
        "run_usd": 4120.0,
        "savings_usd_per_day": 98.4,
        "break_even_days": 41.9,
        "break_even": {"p10": 33.0, "p50": 42.0, "p90": 58.0},
        "pays": True,
        "verdict": "The run costs $4,120 and saves $98 a day, so it has paid for itself on day 42.",
        "curve": [[day, 98.4 * day - 4120] for day in range(0, 121, 2)],
        "sensitivity": [
            {
                "figure": "requests a day",
                "low": 3e6,
                "high": 2e7,
                "break_even_days_at_low": 140.0,
                "break_even_days_at_high": 21.0,
            },
            {
                "figure": "teacher USD an hour",
                "low": 0.4,
                "high": 2.4,
                "break_even_days_at_low": None,
                "break_even_days_at_high": 18.0,
            },
            {
                "figure": "student p50",
                "low": 0.9,
                "high": 2.2,
                "break_even_days_at_low": 40.0,
                "break_even_days_at_high": 46.0,
            },
            {
                "figure": "hours of people",
                "low": 0,
                "high": 40,
                "break_even_days_at_low": 38.0,
                "break_even_days_at_high": 79.0,
            },
        ],
        "alternatives": [
            {"name": "do nothing", "run_usd": 0.0, "usd_per_day": 115.2, "break_even_days": None},
            {"name": "int8 the teacher", "run_usd": 120.0, "usd_per_day": 61.0, "break_even_days": 2.2},
            {"name": "distill", "run_usd": 4120.0, "usd_per_day": 16.8, "break_even_days": 41.9},
        ],
        "figures": {
            "teacher_seconds_per_request": {
                "value": 0.0123,
                "unit": "s",
                "origin": "measured here",
                "note": "p50 of 200 requests, one at a time, on this machine",
            },
            "requests_per_day": {
                "value": 1e7,
                "unit": "requests",
                "origin": "configured",
                "note": "economics.requests_per_day",
            },
            "teacher_usd_per_hour": {
                "value": 1.2,
                "unit": "USD/h",
                "origin": "configured",
                "note": "teacher.cost",
            },
            "people_usd_per_hour": {"value": 100, "unit": "USD/h", "origin": "assumed", "note": "default"},
        },
    }


def watch() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    series, agree, evidence = [], [], 0.0
    for index in range(1, 241):
        phase = "like the holdout" if index < 110 else "drifted" if index < 180 else "re-distilled"
        rate = {"like the holdout": 0.955, "drifted": 0.74, "re-distilled": 0.93}[phase]
        agree.append(float(rng.random(5).mean() < 2) and float(rng.binomial(8, rate) / 8))
        window = agree[-25:]
        mean = sum(window) / len(window)
        half = 1.96 * math.sqrt(max(mean * (1 - mean), 0.01) / (8 * len(window)))
        evidence = max(0.0, evidence + (0.935 - agree[-1]) * 1.4) if index < 180 else max(0.0, evidence * 0.7)
        series.append(
            {
                "index": index * 8,
                "unix_s": 1.79e9 + index * 60,
                "agreement": mean,
                "low": max(mean - half, 0.0),
                "high": min(mean + half, 1.0),
                "log_evidence": evidence,
                "phase": phase,
            }
        )
    return {
        "contract": {"agreement": estimate(0.953, 0.011), "max_drop": 0.02, "redistill_drop": 0.03},
        "series": series,
        "threshold_log": 6.9,
        "alarm_index": 1040,
        "events": [{"index": 1040, "label": "alarm"}, {"index": 1432, "label": "challenger promoted"}],
        "decisions": [
            {
                "time": "2026-01-12T09:14:03.120Z",
                "kind": "healthy",
                "reason": "agreement 0.951 keeps the contract 0.953",
            },
            {
                "time": "2026-01-12T10:20:41.530Z",
                "kind": "redistill",
                "reason": "agreement 0.871 is 0.082 below the contract; tolerated is 0.030. Drifted most: text length, unknown tokens.",
            },
            {
                "time": "2026-01-12T10:24:10.008Z",
                "kind": "promote",
                "reason": "the challenger agrees on 0.931 (0.912 to 0.947) of fresh audits, the champion on 0.742",
            },
        ],
    }


def demo() -> dict[str, Any]:
    quality = stage("700K", 702_464, 0.972, 1.31, [])["quality"]
    return {
        "name": "consumer-complaints",
        "time": "2026-01-12T10:30:00.000Z",
        "teacher": {"name": "all-MiniLM-L6-v2 with a head", "params": 22_713_216, "accuracy": 0.912},
        "student": {
            "params": 702_464,
            "params_without_embeddings": 301_000,
            "bytes": 1_420_000,
            "variant": "int8",
            **quality,
        },
        "stages": [
            stage("7M", 7_012_864, 0.993, 4.9, ["teacher"]),
            stage("2M", 2_043_520, 0.984, 2.2, ["teacher", "7M"]),
            stage("700K", 702_464, 0.972, 1.31, ["teacher", "7M", "2M"]),
        ],
        "controls": {
            "direct": stage("700K direct", 702_464, 0.966, 1.32, ["teacher"]),
            "labels_only": stage("700K labels only", 702_464, 0.921, 1.30, []),
            "comparisons": [
                {"name": "chain − direct jump", "difference": estimate(0.006, 0.009), "verdict": "no difference shown"},
                {"name": "chain − labels only", "difference": estimate(0.046, 0.013), "verdict": "the chain won"},
            ],
        },
        "proof": {
            "decisions": [
                {"stage": "7M", "kept": True, "reason": "it beats the direct jump: +1.4 points of accuracy (+0.3 to +2.5) on 750 held rows", "against": "direct jump", "measure": "accuracy", "difference": estimate(0.014, 0.011), "examples": 750},
                {"stage": "2M", "kept": False, "reason": "no winner against the chain without 2M: +0.2 points of accuracy (-0.8 to +1.2) on 750 held rows", "against": "without 2M", "measure": "accuracy", "difference": estimate(0.002, 0.010), "examples": 750},
            ],
            "routes": [stage("without 2M", 702_464, 0.971, 1.32, ["teacher", "7M"])],
            "shipped": "chain without 2M",
            "advice": 'Next time: chain.stages = ["7M", "700K"] in coffey.toml.',
        },
        "notes": ["The teacher is right about 99.4% of the transfer set's labels and 91.2% of the holdout's."],
        "latency": {"teacher_p50_ms": 12.3, "student_p50_ms": 1.31, "teacher_p99_ms": 24.1, "student_p99_ms": 2.9},
        "params_ratio": 32.3,
        "latency_ratio": 9.4,
        "latencies": [
            latency("teacher fp32", "in-process", "closed", 12.3, 1),
            latency("student int8", "in-process", "closed", 1.31, 2),
            latency("student int8", "http", "closed", 1.55, 4),
            latency("teacher fp32", "http", "closed", 12.9, 5),
        ],
        "slo": {
            "budget_ms": 50.0,
            "max_rps": 655.0,
            "curve": [
                {"rps": r, "p50_ms": 1.4 / max(1 - r / 720, 0.02), "p99_ms": 4.2 / max(1 - r / 715, 0.02)}
                for r in (50, 100, 200, 300, 400, 500, 600, 650, 690)
            ],
        },
        "plan": plan(),
        "forecast_vs_actual": [
            {"name": "teacher labelling", "unit": "s", "forecast": 61.0, "actual": 58.2, "error": -0.046},
            {"figure": "student p50", "unit": "ms", "forecast": 1.2, "actual": 1.31, "error": 0.092},
            {"name": "run_cost", "unit": "USD", "forecast": 0.0123, "actual": 0.0131, "error": 0.065},
        ],
        "watch": watch(),
        "alarm": {"before_drift": False, "after_drift": True},
        "redistilled": {"before": estimate(0.742, 0.03), "after": estimate(0.931, 0.018)},
        "gate": {"passed": True, "reason": "retention is at least 0.963, and 0.950 was asked"},
        "artifact": "3f9c1e7a2b44d0c91e",
        "data": {
            "transfer": 9_800,
            "holdout": 2_000,
            "duplicates": 41,
            "exact": 3,
            "near": 9,
            "removed": 12,
            "calibration": {"error": 0.112, "temperature": 2.31, "corrected": True},
            "doubtful": {"rows": 41, "labelled": 9_800, "examples": [{"text": HOSTILE, "label": "card", "teacher": HOSTILE}]},
            "pairs": [[HOSTILE, "a long complaint about a card that was charged twice " * 8]],
        },
        "table": [
            {"model": "teacher fp32", "params": 22_713_216, "bytes": 90_900_000, "quality": estimate(0.912, 0.012), "p50_ms": 12.3, "p99_ms": 24.1, "usd_per_1k": 0.0041},
            {"model": "teacher int8", "params": 22_713_216, "bytes": 23_000_000, "quality": estimate(0.909, 0.012), "p50_ms": 7.2, "p99_ms": 15.0, "usd_per_1k": 0.0024},
            {"model": "student 700K int8", "params": 702_464, "bytes": 1_420_000, "quality": estimate(0.886, 0.013), "p50_ms": 1.31, "p99_ms": 2.9, "usd_per_1k": 0.00006, "break_even_days": 41.9},
        ],
        "machine": {
            "cpu": "AMD EPYC 7B13",
            "cores": 2,
            "memory_gib": 7.8,
            "system": "Linux 6.1",
            "python": "3.11.9",
            "accelerator": None,
        },
        "versions": {"coffey": "0.1.0", "onnxruntime": "1.32.0", "tokenizers": "0.22.1", "torch": "2.13.0", "numpy": "2.4.6"},
        "command": "coffey demo --json",
        "seconds": 321.0,
    }  # fmt: skip


def distill() -> dict[str, Any]:
    whole = demo()
    keys = ("name", "time", "teacher", "student", "stages", "controls", "proof", "params_ratio", "gate", "artifact", "data", "machine", "versions", "command", "seconds")  # fmt: skip
    return {key: whole[key] for key in keys}


def bench() -> dict[str, Any]:
    whole = demo()
    keys = ("name", "time", "teacher", "latency", "params_ratio", "latency_ratio", "latencies", "slo", "machine", "versions", "command", "seconds")  # fmt: skip
    return {**{key: whole[key] for key in keys}, "max_rps_within_slo": 655.0}

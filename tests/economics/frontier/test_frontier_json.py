"""The frontier's plain values hold what pages, the terminal and `chain.stages = "auto"` read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from coffey.core.settings import BudgetSettings
from coffey.economics.candidate import Candidate, TeacherPoint
from coffey.economics.frontier import judge
from coffey.economics.frontier_json import frontier_json

BUDGET = BudgetSettings(latency_p99_ms=50.0, min_retention=0.97)


def test_it_is_json_with_the_recommended_chain(candidate: Callable[..., Candidate]) -> None:
    """Nothing but plain values; the recommendation comes with its stages."""
    candidates = [
        candidate("7M", quality=(0.99, 0.98, 1.0), net=1.0),
        candidate("2M", quality=(0.985, 0.98, 0.99), stages=("7M", "2M")),
        candidate("700K"),
    ]
    teacher = TeacherPoint(p50_ms=10.0, p99_ms=20.0, usd_per_1k=0.5)
    found = cast(dict[str, Any], frontier_json(judge(candidates, BUDGET, teacher=teacher)))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["answer"] == "keeps"
    assert found["recommended"] == {"name": "2M", "stages": ["7M", "2M"]}
    assert found["nearest_miss"] is None
    assert found["teacher"] == {"p50_ms": 10.0, "p99_ms": 20.0, "usd_per_1k": 0.5}
    rows = {row["name"]: row for row in found["candidates"]}
    assert [row["recommended"] for row in rows.values()] == [False, True, False]
    assert rows["2M"]["p99_ms"] == {
        "value": 10.0,
        "origin": "measured here",
        "note": "test",
        "low": 9.0,
        "high": 11.0,
    }
    assert rows["2M"]["quality"]["confidence"] == 0.8
    assert rows["700K"]["quality"] is None
    assert rows["700K"]["standing"] == "unknown"
    assert [check["budget"] for check in rows["2M"]["checks"]] == [
        "budget.latency_p99_ms",
        "budget.min_retention",
        "budget.max_usd",
    ]


def test_none_is_null(candidate: Callable[..., Candidate]) -> None:
    """A budget that none meets has a nearest miss and no recommendation; no candidates have neither."""
    missed = frontier_json(judge([candidate(p99=(90.0, 80.0, 99.0))], BUDGET))
    assert missed["recommended"] is None
    assert missed["nearest_miss"] == {"name": "2M", "stages": ["2M"]}
    assert missed["teacher"] is None
    empty = frontier_json(judge([], BUDGET))
    assert (empty["answer"], empty["recommended"], empty["nearest_miss"]) == ("misses", None, None)
    assert empty["candidates"] == []

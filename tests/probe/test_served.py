"""A candidate is measured behind the server that will serve it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from coffey.core.progress import Silent
from coffey.core.settings import Settings
from coffey.probe.options import ProbeOptions
from coffey.probe.student import plan_candidates, probe_student


@pytest.mark.slow
def test_a_candidate_is_served_and_brought_to_its_limit(
    texts: list[str], settings: Settings, options: ProbeOptions, network_teacher: Any, tmp_path: Path
) -> None:
    """Through HTTP it is slower than in process, it carries load, and its server holds memory."""
    candidate = plan_candidates(
        texts,
        labels=network_teacher.labels,
        tokenizer=network_teacher.tokenizer(),
        settings=settings,
        progress=Silent(),
    )[-1]
    patient = dataclasses.replace(settings.budget, latency_p99_ms=5000.0)
    settings = dataclasses.replace(settings, budget=patient)
    wanted = dataclasses.replace(options, serve=True, load_seconds=0.5, trials=3)
    found = probe_student(candidate, texts, network_teacher.labels, settings, wanted, folder=tmp_path)
    assert found.served is not None
    assert found.served.p50_ms > found.p50_ms
    assert found.served.p99_ms >= found.served.p50_ms
    assert found.served.latency_p99_ms == 5000.0
    assert found.served.max_rps > 0
    assert found.served.resident_bytes is None or found.served.resident_bytes > 10 * found.size_bytes

"""A probe turns a plan's guesses into measurements, and leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from coffey.core.records import Origin
from coffey.core.settings import Settings
from coffey.economics.forecast import forecast
from coffey.economics.known import Known
from coffey.economics.plan import make_plan
from coffey.economics.project_inputs import project_inputs
from coffey.probe.options import ProbeOptions
from coffey.probe.probe import probe


@pytest.mark.slow
def test_a_plan_from_a_probe_assumes_nothing_that_can_be_measured(
    texts: list[str],
    settings: Settings,
    options: ProbeOptions,
    network_teacher: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Teacher, students and steps are measured; prices that nobody set are assumed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = probe(network_teacher, texts, settings, options=options)
    assert list(tmp_path.iterdir()) == []
    assert [stage.name for stage in found.stages] == list(settings.chain.stages)
    inputs = project_inputs(settings, Known(rows=len(texts), probe=found))
    assumed = {name for name, figure in inputs.figures().items() if figure.origin is Origin.ASSUMED}
    assert {"student_usd_per_hour", "training_usd_per_hour"} <= assumed
    measurable = {"teacher_texts_per_s", "teacher_rps", "teacher_int8_speedup", "teacher_p50_ms"}
    assert not assumed & measurable
    assert not {name for name in assumed if name.startswith(("student_rps", "student_p50", "step_s"))}
    assert {"labelling_s", "teacher_p50_ms", "student_p50_ms"} <= set(forecast(inputs).figures)
    assert make_plan(inputs).verdict

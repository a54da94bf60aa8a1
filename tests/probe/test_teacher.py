"""A teacher is priced and timed by what it did when it was asked."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coffey.core.errors import TeacherUnavailable
from coffey.core.settings import CostSettings, Settings
from coffey.export.teacher import Shelf
from coffey.probe.options import ProbeOptions
from coffey.probe.teacher import asked_again, probe_teacher
from coffey.testing.teacher import FixedTeacher


def test_speed_and_price_follow_from_the_time_that_was_taken(
    texts: list[str], settings: Settings, options: ProbeOptions, shelf: Shelf, tmp_path: Path
) -> None:
    """At 3.60 USD an hour a second costs a tenth of a cent; a function is timed as it is."""
    found = probe_teacher(
        FixedTeacher(seconds=0.005),
        texts,
        settings.teacher,
        options,
        shelf=shelf,
        folder=tmp_path / "teacher",
    )
    assert found.usd_per_1k == pytest.approx(1000 / found.texts_per_s * 0.001)
    assert found.texts_per_s < 16 / 0.005
    assert found.p50_ms >= 5
    assert found.self_agreement == 1.0
    assert found.int8_speedup is None
    assert found.texts <= options.texts


def test_a_price_by_the_request_is_the_price(
    texts: list[str], settings: Settings, options: ProbeOptions, shelf: Shelf, tmp_path: Path
) -> None:
    """However long it takes; without a price there is none."""
    for cost, price in ((CostSettings(usd_per_1k_requests=0.2), 0.2), (CostSettings(), None)):
        asked = dataclasses.replace(settings.teacher, cost=cost)
        found = probe_teacher(FixedTeacher(), texts, asked, options, shelf=shelf, folder=tmp_path)
        assert found.usd_per_1k == (None if price is None else pytest.approx(price))


def test_a_teacher_that_changes_its_mind_is_found_out(texts: list[str]) -> None:
    """Its agreement with itself is the ceiling of every student's."""

    class Fickle(FixedTeacher):
        def predict(self, texts: Any) -> Any:
            return np.roll(super().predict(texts), self.calls, axis=1)

    for teacher, agreement in ((FixedTeacher(), 1.0), (Fickle(), 0.0)):
        first = teacher.predict(texts[:30])
        assert asked_again(teacher, texts[:30], first) == agreement


def test_a_network_is_exported_and_timed_as_it_will_be_benched(
    texts: list[str],
    settings: Settings,
    options: ProbeOptions,
    shelf: Shelf,
    tmp_path: Path,
    network_teacher: Any,
) -> None:
    """Latency is that of the runtime; int8 is measured beside it."""
    found = probe_teacher(
        network_teacher, texts, settings.teacher, options, shelf=shelf, folder=tmp_path / "teacher"
    )
    assert found.params == network_teacher.params
    assert found.int8_speedup is not None
    assert found.int8_speedup > 0
    assert len(list((shelf.store / "artifacts").iterdir())) == 1, "kept for bench"


def test_a_teacher_that_does_not_answer_ends_the_probe(
    texts: list[str], settings: Settings, options: ProbeOptions, shelf: Shelf, tmp_path: Path
) -> None:
    """Nothing is assumed in its place."""
    with pytest.raises(TeacherUnavailable):
        probe_teacher(FixedTeacher(fail_at=2), texts, settings.teacher, options, shelf=shelf, folder=tmp_path)

"""Requests a day follow from counts, with or without a compaction."""

from __future__ import annotations

from pathlib import Path

import pytest

from coffey.core.records import TrafficRecord
from coffey.traffic.compact import compact
from coffey.traffic.layout import segments_folder
from coffey.traffic.segment import SegmentWriter
from coffey.traffic.volume import served_volume

DAY = 86_400.0


def serve(root: Path, moments: list[float]) -> None:
    writer = SegmentWriter.create(segments_folder(root))
    writer.append(
        [
            TrafficRecord(f"r{number}", moment, "m" * 64, "text", "yes", 0.9, 1.0, False, 0.1)
            for number, moment in enumerate(moments)
        ]
    )
    writer.seal()


def test_the_rate_is_the_same_before_and_after_compaction(tmp_path: Path) -> None:
    """49 requests, one an hour: 48 hours from the first to the last."""
    start = 1_700_000_000.0
    serve(tmp_path, [start + 3600.0 * hour for hour in range(49)])
    before = served_volume(tmp_path)
    compact(tmp_path, retention_days=1e6)
    after = served_volume(tmp_path)
    assert before == after
    assert after is not None
    assert after.days == pytest.approx(2.0)
    assert after.per_day == pytest.approx(24.5)


def test_less_than_a_day_gives_no_rate(tmp_path: Path) -> None:
    """A busy hour is no day; nothing is nothing."""
    assert served_volume(tmp_path) is None
    serve(tmp_path, [0.0, 3600.0])
    volume = served_volume(tmp_path)
    assert volume is not None
    assert volume.requests == 2
    assert volume.per_day is None

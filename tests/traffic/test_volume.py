"""Requests a day follow from counts, with or without a compaction."""

from __future__ import annotations

from pathlib import Path

import pytest

import coffey.traffic.volume as volume_module
from coffey.core.records import TrafficRecord
from coffey.traffic.compact import compact
from coffey.traffic.layout import segments_folder
from coffey.traffic.segment import SegmentWriter
from coffey.traffic.volume import Counted, Volume, served_volume
from coffey.traffic.volume import _part as part

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


def test_counting_again_reads_what_is_new_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compacted file is read once; new ones are added, expired ones are counted no more."""
    read: list[Path] = []

    def noted(path: Path) -> Volume | None:
        read.append(path)
        return part(path)

    monkeypatch.setattr(volume_module, "_part", noted)
    start = 1_700_000_000.0
    serve(tmp_path, [start, start + 10.0])
    compact(tmp_path, retention_days=1e6)
    counted = Counted(tmp_path)
    first = counted.volume()
    assert first is not None
    assert first.requests == 2
    serve(tmp_path, [start + 2 * DAY])
    compact(tmp_path, retention_days=1e6)
    second = counted.volume()
    assert second is not None
    assert second.requests == 3
    assert len(read) == len(set(read)) == 2
    compact(tmp_path, retention_days=1.0, now_unix_s=start + 2.5 * DAY)
    after = counted.volume()
    assert after is not None
    assert (after.requests, after.first_unix_s) == (1, start + 2 * DAY)

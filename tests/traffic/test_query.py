from __future__ import annotations

from pathlib import Path

from coffey.traffic.compact import compact
from coffey.traffic.layout import parquet_folder, segments_folder
from coffey.traffic.query import read_traffic
from coffey.traffic.segment import SegmentWriter


def fill(root: Path, records) -> SegmentWriter:
    """A third in Parquet, a third in a sealed segment, a third in one that is being written."""
    third = len(records) // 3
    for part in (records[:third], records[third : 2 * third]):
        writer = SegmentWriter.create(segments_folder(root))
        writer.append(part)
        writer.seal()
        if part is records[:third] or part == records[:third]:
            compact(root)
    live = SegmentWriter.create(segments_folder(root))
    live.append(records[2 * third :])
    return live


def test_parquet_and_segments_are_read_as_one_log(tmp_path: Path, make_records) -> None:
    """Wherever a record lies it is read once, in the order of answering."""
    records = make_records(90)
    live = fill(tmp_path, records)
    assert list(parquet_folder(tmp_path).rglob("*.parquet"))
    assert len(list(segments_folder(tmp_path).iterdir())) == 2
    assert read_traffic(tmp_path) == records
    live.seal()
    assert read_traffic(tmp_path) == records


def test_filters_select_what_they_say(tmp_path: Path, make_records) -> None:
    """Model, time and audit filters agree with filtering by hand, in every place a record can lie."""
    records = make_records(90)
    live = fill(tmp_path, records)
    model, since = "cd" * 32, records[25].unix_s
    assert read_traffic(tmp_path, model=model) == [r for r in records if r.model == model]
    assert read_traffic(tmp_path, since=since) == records[25:]
    assert read_traffic(tmp_path, audit_only=True) == [r for r in records if r.audit]
    assert read_traffic(tmp_path, model=model, since=since, audit_only=True) == [
        r for r in records[25:] if r.audit and r.model == model
    ]
    live.seal()


def test_a_segment_whose_parquet_is_written_but_which_is_not_removed_counts_once(
    tmp_path: Path, make_records
) -> None:
    """Between writing Parquet and removing the segment a reader sees each record once."""
    records = make_records(10)
    writer = SegmentWriter.create(segments_folder(tmp_path))
    writer.append(records)
    path = writer.seal()
    data = path.read_bytes()
    compact(tmp_path)
    path.write_bytes(data)
    assert read_traffic(tmp_path) == records


def test_an_empty_store_has_no_traffic(tmp_path: Path) -> None:
    """No folder is no record."""
    assert read_traffic(tmp_path) == []

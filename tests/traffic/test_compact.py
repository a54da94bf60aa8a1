from __future__ import annotations

import fcntl
import os
import random
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from coffey.core.errors import LeaseHeld, StoreUnavailable
from coffey.core.progress import Silent
from coffey.traffic.compact import compact
from coffey.traffic.layout import parquet_folder, segments_folder
from coffey.traffic.query import read_traffic
from coffey.traffic.redaction import DROPPED, redactor
from coffey.traffic.segment import SegmentWriter

SLOW_COMPACTION = textwrap.dedent(
    """
    import os, signal, sys, threading, time
    from pathlib import Path
    from coffey.traffic.compact import compact
    root, seconds = Path(sys.argv[1]), float(sys.argv[2])
    def die():
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Thread(target=die, daemon=True).start()
    for _ in range(1000):
        compact(root)
        time.sleep(0.001)
    """
)


def fill(root: Path, records, *, segments: int, sealed: bool = True) -> None:
    size = -(-len(records) // segments)
    for start in range(0, len(records), size):
        writer = SegmentWriter.create(segments_folder(root))
        writer.append(records[start : start + size])
        if sealed:
            writer.seal()
        else:
            os.close(writer._handle)


def parquet_ids(root: Path) -> Counter[str]:
    files = [str(path) for path in parquet_folder(root).rglob("*.parquet")]
    return Counter(id for file in files for id in ds.dataset(file).to_table(columns=["id"])["id"].to_pylist())


def test_each_record_lands_once_in_the_partition_of_its_model_and_hour(tmp_path: Path, make_records) -> None:
    """Compaction moves everything, in folders by model and UTC hour, and leaves no segment."""
    records = make_records(150)
    fill(tmp_path, records, segments=4)
    report = compact(tmp_path)
    assert (report.segments, report.records) == (4, 150)
    assert not list(segments_folder(tmp_path).iterdir())
    assert parquet_ids(tmp_path) == Counter(record.id for record in records)
    folders = {
        path.parent.relative_to(parquet_folder(tmp_path)).as_posix()
        for path in parquet_folder(tmp_path).rglob("*.parquet")
    }
    assert f"model={'ab' * 32}/hour=2027011508" in folders
    assert len(folders) == 6
    assert read_traffic(tmp_path) == records
    again = compact(tmp_path)
    assert (again.segments, again.records, again.files) == (0, 0, 0)


def test_a_segment_in_use_is_left_alone_and_an_orphan_is_taken(tmp_path: Path, make_records) -> None:
    """A living server's segment is not touched; a killed server's is compacted."""
    records = make_records(30)
    fill(tmp_path, records[:10], segments=1, sealed=False)
    live = SegmentWriter.create(segments_folder(tmp_path))
    live.append(records[10:20])
    report = compact(tmp_path)
    assert (report.segments, report.records, report.live) == (1, 10, 1)
    assert read_traffic(tmp_path) == records[:20]
    live.append(records[20:])
    live.seal()
    assert compact(tmp_path).records == 20
    assert parquet_ids(tmp_path) == Counter(record.id for record in records)


def test_a_torn_tail_is_dropped_and_counted(tmp_path: Path, make_records) -> None:
    """The unfinished block of a killed server costs its bytes and nothing else."""
    records = make_records(5)
    fill(tmp_path, records, segments=1, sealed=False)
    (path,) = segments_folder(tmp_path).iterdir()
    with path.open("ab") as file:
        file.write(b"CFYB\x00\x10")
    report = compact(tmp_path)
    assert (report.records, report.torn_bytes) == (5, 6)


def test_a_damaged_segment_is_compacted_once_and_kept(tmp_path: Path, make_records) -> None:
    """A block with a wrong checksum is reported, and the file stays for whoever wants to look."""
    records = make_records(6)
    writer = SegmentWriter.create(segments_folder(tmp_path))
    writer.append(records[:3])
    middle = writer.size
    writer.append(records[3:])
    path = writer.seal()
    data = bytearray(path.read_bytes())
    data[middle - 3] ^= 1
    path.write_bytes(data)
    report = compact(tmp_path)
    assert (report.records, report.damaged_blocks) == (3, 1)
    assert [p.suffix for p in segments_folder(tmp_path).iterdir()] == [".damaged"]
    assert compact(tmp_path).records == 0
    assert read_traffic(tmp_path) == records[3:]


def test_a_segment_of_a_newer_format_is_named_and_kept(tmp_path: Path, make_records) -> None:
    """What this version cannot read does not keep it from the rest."""
    fill(tmp_path, make_records(4), segments=1)
    strange = segments_folder(tmp_path) / "0000000000000-x.seg"
    strange.write_bytes(b"CFYSEG99xxxxxxxx")
    report = compact(tmp_path)
    assert (report.records, report.unreadable) == (4, (strange.name,))
    assert strange.exists()
    assert len(read_traffic(tmp_path)) == 4


def test_only_one_compaction_runs_at_a_time(tmp_path: Path) -> None:
    """A second one is told who is at work."""
    compact(tmp_path)
    with (tmp_path / "traffic" / "compact.lock").open("r") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LeaseHeld, match=f"process {os.getpid()} since"):
            compact(tmp_path)


def test_old_partitions_are_removed_and_only_those(tmp_path: Path, make_records) -> None:
    """Records go `retention_days` after the end of their hour."""
    old = make_records(3, first_unix_s=1_800_000_000.0 - 10 * 86_400)
    new = make_records(3, start=10)
    fill(tmp_path, [*old, *new], segments=1)
    report = compact(tmp_path, retention_days=5, now_unix_s=1_800_010_000.0)
    assert report.expired_files == 2
    assert read_traffic(tmp_path) == new


def test_a_store_that_cannot_be_written_loses_nothing(tmp_path: Path, make_records) -> None:
    """When Parquet cannot be written the segments stay, and a later run does all of it."""
    records = make_records(20)
    fill(tmp_path, records, segments=2)
    parquet_folder(tmp_path).write_text("in the way")
    with pytest.raises(StoreUnavailable):
        compact(tmp_path)
    parquet_folder(tmp_path).unlink()
    compact(tmp_path)
    assert parquet_ids(tmp_path) == Counter(record.id for record in records)


@pytest.mark.slow
def test_compaction_killed_at_random_points_yields_each_record_once(tmp_path: Path, make_records) -> None:
    """However often and wherever it is killed (kill -9), each record is in Parquet exactly once."""
    records = make_records(4000)
    fill(tmp_path, records, segments=250)
    delays = random.Random(5)
    died = 0
    for _ in range(8):
        done = subprocess.run(
            [sys.executable, "-c", SLOW_COMPACTION, str(tmp_path), str(delays.uniform(0.02, 0.35))],
            check=False,
            capture_output=True,
        )
        assert done.returncode == -9, done.stderr
        died += bool(list(segments_folder(tmp_path).iterdir()))
        assert Counter(record.id for record in read_traffic(tmp_path)) == Counter(r.id for r in records)
    assert died >= 2, "the kills came after the work was done"
    compact(tmp_path)
    assert parquet_ids(tmp_path) == Counter(record.id for record in records)
    assert not list(parquet_folder(tmp_path).rglob("*.tmp"))
    assert not list(segments_folder(tmp_path).iterdir())


@pytest.mark.parametrize("step", range(8))
def test_compaction_that_stops_after_any_step_is_finished_by_the_next(
    tmp_path: Path, make_records, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """A crash between any two changes on disk, each tried in turn, loses and doubles nothing."""
    records = make_records(40)
    fill(tmp_path, records, segments=2)
    left = step

    class Crashed(BaseException):
        pass

    def guard(change):
        def changed(*args, **kwargs):
            nonlocal left
            if left == 0:
                raise Crashed
            left -= 1
            return change(*args, **kwargs)

        return changed

    with monkeypatch.context() as patch:
        patch.setattr(
            "coffey.traffic.compact.write_atomic", guard(sys.modules["coffey.core.files"].write_atomic)
        )
        patch.setattr(Path, "unlink", guard(Path.unlink))
        try:
            compact(tmp_path)
        except Crashed:
            pass
        else:
            assert step >= 6
    assert read_traffic(tmp_path) == records
    compact(tmp_path)
    assert parquet_ids(tmp_path) == Counter(record.id for record in records)


def test_damaged_segments_end_with_the_retention_time(tmp_path: Path, make_records) -> None:
    """They hold texts too; a young one stays for whoever wants to look."""
    fill(tmp_path, make_records(4), segments=1)
    kept = segments_folder(tmp_path) / "0000000000000-x.damaged"
    kept.write_bytes(b"texts")
    written = kept.stat().st_mtime
    assert compact(tmp_path, retention_days=1e6, now_unix_s=written + 86_400).expired_files == 0
    assert kept.exists()
    compact(tmp_path, retention_days=1, now_unix_s=written + 86_401)
    assert not kept.exists()


def test_what_a_server_did_not_redact_is_redacted_when_compacted(tmp_path: Path, make_records) -> None:
    """But for the requests that the teacher is to be asked about."""
    records = make_records(40)
    fill(tmp_path, records, segments=2)
    compact(tmp_path, redactor=redactor("drop", folder=tmp_path))
    texts = {record.id: record.text for record in read_traffic(tmp_path)}
    assert texts == {record.id: record.text if record.audit else DROPPED for record in records}


def test_progress_counts_segments(tmp_path: Path, make_records) -> None:
    """So that a lease is renewed through a long backlog; nothing is told where there is none."""
    told = []

    class Told(Silent):
        def start(self, task, total, unit):
            told.append((task, total, unit))

        def advance(self, task, amount=1, note=""):
            told.append(amount)

    fill(tmp_path, make_records(9), segments=3)
    compact(tmp_path, progress=Told())
    compact(tmp_path, progress=Told())
    assert told == [("compact", 3, "segments"), 1, 1, 1]

"""Segments to Parquet: every record exactly once, however often and wherever this is killed.

A segment's files have names that follow from its id, are written aside and renamed, and only then is the
segment removed. So a second run writes the same bytes to the same names, and removing the segment is the one
step that ends it. A segment that a living server is writing is left alone (its writer holds `flock`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coffey.core.clock import unix_now, utc_now
from coffey.core.errors import LeaseHeld, StoreUnavailable, UnknownFormat
from coffey.core.files import write_atomic
from coffey.core.progress import Progress, Silent
from coffey.core.records import TrafficRecord
from coffey.traffic.layout import HOUR_S, parquet_folder, partition, partition_end, segments_folder
from coffey.traffic.redaction import Redactor
from coffey.traffic.segment import NEW, OPEN, SEALED, Segment, parse_segment
from coffey.traffic.table import to_parquet, to_table

DAMAGED = ".damaged"


@dataclass(slots=True)
class CompactReport:
    """What one compaction did."""

    segments: int = 0
    records: int = 0
    files: int = 0
    live: int = 0
    """Segments left alone because a server is writing them."""
    torn_bytes: int = 0
    """Bytes of blocks that killed servers did not complete."""
    damaged_blocks: int = 0
    """Blocks with a wrong checksum; their segment is kept as `*.damaged`."""
    unreadable: tuple[str, ...] = ()
    """Segments of a format that this version does not know; kept."""
    expired_files: int = 0
    """Files removed because they were older than the retention time."""


def compact(
    store_root: Path,
    *,
    retention_days: float | None = None,
    now_unix_s: float | None = None,
    redactor: Redactor | None = None,
    progress: Progress | None = None,
) -> CompactReport:
    """Move every sealed or orphaned segment into Parquet; remove what is older than `retention_days`.

    A server redacts what it writes; `redactor` redacts what one wrote that did not.

    Raises:
        LeaseHeld: another process compacts this store now.
        StoreUnavailable: the disk is full or not writable. Nothing is lost; run it again.
    """
    report = CompactReport()
    try:
        with _only_one(store_root):
            for path in _told(progress or Silent(), _segments(store_root)):
                _compact_one(store_root, path, report, redactor or Redactor(None))
            if retention_days is not None:
                now = unix_now() if now_unix_s is None else now_unix_s
                report.expired_files = _expire(store_root, now - retention_days * 86_400)
    except OSError as exc:
        raise StoreUnavailable(str(store_root), exc.strerror or str(exc)) from exc
    return report


def _told(progress: Progress, paths: Sequence[Path]) -> Iterator[Path]:
    """The paths, counted to `progress` as they are done; nothing is told of none."""
    if paths:
        progress.start("compact", len(paths), "segments")
    for path in paths:
        yield path
        progress.advance("compact")
    if paths:
        progress.finish("compact")


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[None]:
    path = root / "traffic" / "compact.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.seek(0)
            holder, _, since = file.read().partition(" since ")
            raise LeaseHeld(f"Compaction of {str(root)!r}", holder or "another process", since) from exc
        file.truncate(0)
        file.write(f"process {os.getpid()} since {utc_now()}")
        file.flush()
        _remove_leftovers(root)
        yield


def _remove_leftovers(root: Path) -> None:
    """What killed runs wrote aside, and segments whose server died before it wrote a record."""
    for aside in parquet_folder(root).rglob(".*.tmp"):
        aside.unlink(missing_ok=True)
    for path in segments_folder(root).glob(f"*{NEW}"):
        with _claimed(path) as data:
            if data is not None:
                path.unlink(missing_ok=True)


def _segments(root: Path) -> list[Path]:
    folder = segments_folder(root)
    return sorted([*folder.glob(f"*{SEALED}"), *folder.glob(f"*{OPEN}")])


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[bytes | None]:
    """The bytes of a segment whose lock is ours while the block runs; None when it is live or gone."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file.read()


def _compact_one(root: Path, path: Path, report: CompactReport, redactor: Redactor) -> None:
    with _claimed(path) as data:
        if data is None:
            report.live += path.exists()
            return
        try:
            segment = parse_segment(path, data)
        except UnknownFormat:
            report.unreadable += (path.name,)
            return
        report.files += _write_partitions(root, segment, redactor)
        if segment.damaged_blocks:
            path.rename(path.with_suffix(DAMAGED))
        else:
            path.unlink(missing_ok=True)
        report.segments += 1
        report.records += len(segment.records)
        report.torn_bytes += segment.torn_bytes
        report.damaged_blocks += segment.damaged_blocks


def _write_partitions(root: Path, segment: Segment, redactor: Redactor) -> int:
    groups: defaultdict[tuple[str, int], list[TrafficRecord]] = defaultdict(list)
    for record in segment.records:
        groups[record.model, int(record.unix_s // HOUR_S)].append(redactor.record(record))
    for (model, hour), records in groups.items():
        folder = partition(root, model, hour * HOUR_S)
        write_atomic(folder / f"{segment.id}.parquet", to_parquet(to_table(records)))
    return len(groups)


def _expire(root: Path, before_unix_s: float) -> int:
    removed = 0
    for folder in parquet_folder(root).glob("model=*/hour=*"):
        if partition_end(folder) <= before_unix_s:
            for file in folder.iterdir():
                file.unlink()
                removed += 1
            folder.rmdir()
    for damaged in segments_folder(root).glob(f"*{DAMAGED}"):
        if damaged.stat().st_mtime <= before_unix_s:
            damaged.unlink()
            removed += 1
    return removed

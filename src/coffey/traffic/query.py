"""Reading traffic back: what was compacted and what still lies in segments, each record once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq

from coffey.core.errors import StoreUnavailable, UnknownFormat
from coffey.core.records import TrafficRecord
from coffey.traffic.layout import parquet_folder, partition_end, partition_model, segments_folder
from coffey.traffic.segment import OPEN, SEALED, Segment, read_segment

_NAMES = [field.name for field in fields(TrafficRecord)]


def read_traffic(
    root: Path, *, model: str | None = None, since: float | None = None, audit_only: bool = False
) -> list[TrafficRecord]:
    """The served requests in a store, in the order in which they were answered.

    Safe beside running servers and a running compaction: segments are read first, and Parquet files of those
    segments are left out, so that no record appears twice.

    Args:
        root: the store's folder.
        model: digest of the artifact that answered; all when None.
        since: seconds since 1970; records answered at or after it.
        audit_only: only those chosen for audit.

    Raises:
        StoreUnavailable: a file cannot be read.
    """

    def wanted(record: TrafficRecord) -> bool:
        return (
            (model is None or record.model == model)
            and (since is None or record.unix_s >= since)
            and (record.audit or not audit_only)
        )

    try:
        segments = _read_segments(root)
        found = [record for segment in segments.values() for record in segment.records if wanted(record)]
        for path in _parquet_files(root, model, since):
            if path.stem not in segments:
                found.extend(record for record in _read_parquet(path, audit_only) if wanted(record))
    except OSError as exc:
        raise StoreUnavailable(str(root), exc.strerror or str(exc)) from exc
    return sorted(found, key=lambda record: (record.unix_s, record.id))


def _read_segments(root: Path) -> dict[str, Segment]:
    folder = segments_folder(root)
    names = {path.stem for suffix in (OPEN, SEALED) for path in folder.glob(f"*{suffix}")}
    read = {}
    for name in sorted(names):
        segment = _read_wherever(folder, name)
        if segment is not None:
            read[name] = segment
    return read


def _read_wherever(folder: Path, name: str) -> Segment | None:
    """A segment under either of its names: it may be sealed or compacted while this looks for it."""
    for suffix in (OPEN, SEALED):
        try:
            return read_segment(folder / f"{name}{suffix}")
        except FileNotFoundError:
            continue
        except UnknownFormat:
            return None
    return None


def _parquet_files(root: Path, model: str | None, since: float | None) -> Iterator[Path]:
    for folder in sorted(parquet_folder(root).glob("model=*/hour=*")):
        if model is not None and partition_model(folder) != model:
            continue
        if since is not None and partition_end(folder) <= since:
            continue
        yield from sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def _read_parquet(path: Path, audit_only: bool) -> list[TrafficRecord]:
    filters = [("audit", "=", True)] if audit_only else None
    try:
        table = pq.ParquetFile(path).read(columns=_NAMES) if filters is None else _filtered(path, filters)
    except FileNotFoundError:  # expired meanwhile
        return []
    columns = [table.column(name).to_pylist() for name in _NAMES]
    return [TrafficRecord(*row) for row in zip(*columns, strict=True)]


def _filtered(path: Path, filters: list[tuple[str, str, bool]]) -> pq.Table:
    return pq.read_table(path, columns=_NAMES, filters=filters, partitioning=None)

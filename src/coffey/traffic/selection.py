"""What a condition selects of the log, in parts of a few megabytes: counted, sampled and read part by part.

A part is one Parquet file or one segment. Counting reads footers; audited requests lie in row groups of
their own; samples are bounded and depend on the log alone. So memory does not grow with the traffic.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coffey.core.errors import StoreUnavailable, UnknownFormat
from coffey.core.records import TrafficRecord
from coffey.traffic.layout import parquet_folder, partition_end, partition_model, segments_folder
from coffey.traffic.redaction import DROPPED, HASHED, is_redacted
from coffey.traffic.segment import OPEN, SEALED, Segment, read_segment
from coffey.traffic.table import COLUMNS, to_records, to_table, with_all


class Part(Protocol):
    """Some selected requests, at least one."""

    @property
    def rows(self) -> int:
        """How many."""

    @property
    def first_unix_s(self) -> float:
        """When the first of them was answered, or earlier."""

    @property
    def last_unix_s(self) -> float:
        """When the last of them was answered."""

    def table(self, columns: Sequence[str] = COLUMNS, *, audited: bool = False) -> pa.Table:
        """These columns of the selected requests (of those chosen for audit)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The requests that `select` found. Compaction may go on meanwhile; what expires then is not read."""

    parts: tuple[Part, ...]
    """In the order of their first requests."""

    @property
    def requests(self) -> int:
        """How many."""
        return sum(part.rows for part in self.parts)

    def records(self, *, audited: bool = False) -> list[TrafficRecord]:
        """All of them (that were chosen for audit), in the order in which they were answered."""
        found = [record for part in self.parts for record in to_records(part.table(audited=audited))]
        return sorted(found, key=lambda record: (record.unix_s, record.id))

    def latest(self, rows: int) -> list[str]:
        """The texts of the last `rows` requests whose texts were kept, oldest first."""
        kept = pa.table({"unix_s": [], "id": [], "text": []}, schema=_TIMED)
        for part in sorted(self.parts, key=lambda part: part.last_unix_s, reverse=True):
            if kept.num_rows == rows and part.last_unix_s < kept["unix_s"][-1].as_py():
                break
            both = pa.concat_tables([kept, _legible(part.table(_TIMED.names))])
            kept = both.sort_by([("unix_s", "descending"), ("id", "descending")]).slice(0, rows)
        texts: list[str] = kept["text"].to_pylist()
        return texts[::-1]

    def spread(self, rows: int) -> list[str]:
        """The texts of at most `rows` requests, evenly spaced over all; without those that were redacted."""
        total = self.requests
        wanted = np.arange(total) if total <= rows else np.linspace(0, total - 1, rows).astype(np.int64)
        texts: list[str] = []
        start = 0
        for part in self.parts:
            inside = wanted[(wanted >= start) & (wanted < start + part.rows)] - start
            start += part.rows
            if len(inside):
                column = part.table(("text",)).column("text")
                texts.extend(column.take(inside[inside < len(column)]).to_pylist())
        return [text for text in texts if not is_redacted(text)]

    def distinct(self, size: int, *, seed: int) -> dict[str, int]:
        """At most `size` distinct texts, chosen uniformly among all that were kept, with their exact counts.

        The texts with the least keyed hashes are kept (a bottom-k sample, Cohen and Kelley 2007): the same
        whatever the order of the parts. A text in the sample was in it since it came first, so that its
        count is exact.
        """
        counts: dict[str, int] = {}
        heap: list[tuple[int, str]] = []
        for text, count in self._texts():
            if text in counts:
                counts[text] += count
                continue
            ranked = (-_rank(text, seed), text)
            counts[text] = count
            if len(heap) < size:
                heapq.heappush(heap, ranked)
            else:
                del counts[heapq.heappushpop(heap, ranked)[1]]
        return counts

    def _texts(self) -> Iterator[tuple[str, int]]:
        """Distinct texts of each part with how often they stand there."""
        for part in self.parts:
            found = _legible(part.table(("text",))).column("text").combine_chunks().value_counts()
            yield from zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)


def select(root: Path, *, model: str | None = None, since: float | None = None) -> Selection:
    """The requests in a store that `model` answered at or after `since` (seconds since 1970); all when None.

    Safe beside running servers and a running compaction: segments are read first, and Parquet files of those
    segments are left out, so that no record appears twice.

    Raises:
        StoreUnavailable: a file cannot be read.
    """
    try:
        segments = read_segments(root)
        found: list[Part | None] = [_in_memory(segment, model, since) for segment in segments.values()]
        found.extend(
            _in_file(path, since) for path in parquet_files(root, model, since) if path.stem not in segments
        )
    except OSError as exc:
        raise StoreUnavailable(str(root), exc.strerror or str(exc)) from exc
    return Selection(
        tuple(sorted((part for part in found if part is not None), key=lambda part: part.first_unix_s))
    )


def read_segments(root: Path) -> dict[str, Segment]:
    """What servers wrote and nobody compacted yet, by the segments' ids."""
    folder = segments_folder(root)
    names = {path.stem for suffix in (OPEN, SEALED) for path in folder.glob(f"*{suffix}")}
    read = {name: _read_wherever(folder, name) for name in sorted(names)}
    return {name: segment for name, segment in read.items() if segment is not None}


def parquet_files(root: Path, model: str | None = None, since: float | None = None) -> Iterator[Path]:
    """Compacted files that may hold requests of `model` from `since` on."""
    for folder in sorted(parquet_folder(root).glob("model=*/hour=*")):
        if model is not None and partition_model(folder) != model:
            continue
        if since is not None and partition_end(folder) <= since:
            continue
        yield from sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


_TIMED = pa.schema([("unix_s", pa.float64()), ("id", pa.string()), ("text", pa.string())])


@dataclass(frozen=True, slots=True)
class _InMemory:
    """Requests of a segment."""

    whole: pa.Table
    rows: int
    first_unix_s: float
    last_unix_s: float

    def table(self, columns: Sequence[str] = COLUMNS, *, audited: bool = False) -> pa.Table:
        return (self.whole.filter(pc.field("audit")) if audited else self.whole).select(list(columns))


@dataclass(frozen=True, slots=True)
class _InFile:
    """Requests of a Parquet file."""

    path: Path
    rows: int
    first_unix_s: float
    last_unix_s: float
    audited_groups: tuple[int, ...]
    since: float | None
    """None when every row is selected."""

    def table(self, columns: Sequence[str] = COLUMNS, *, audited: bool = False) -> pa.Table:
        needed = {*columns, *(["audit"] if audited else []), *(["unix_s"] if self.since is not None else [])}
        try:
            with pq.ParquetFile(self.path) as file:
                groups = self.audited_groups if audited else range(file.num_row_groups)
                written = [name for name in file.schema_arrow.names if name in needed]
                table = file.read_row_groups(list(groups), columns=written)
        except FileNotFoundError:  # expired meanwhile
            return to_table(()).select(list(columns))
        except OSError as exc:
            raise StoreUnavailable(str(self.path), exc.strerror or str(exc)) from exc
        if audited:
            table = table.filter(pc.field("audit"))
        if self.since is not None:
            table = table.filter(pc.field("unix_s") >= self.since)
        return with_all(table, columns)


def _in_memory(segment: Segment, model: str | None, since: float | None) -> Part | None:
    chosen = [
        record
        for record in segment.records
        if model in (None, record.model) and (since is None or record.unix_s >= since)
    ]
    if not chosen:
        return None
    times = [record.unix_s for record in chosen]
    return _InMemory(to_table(chosen), len(chosen), min(times), max(times))


def _in_file(path: Path, since: float | None) -> Part | None:
    """A file's part by its footer; only where `since` lies within it, its times are read too."""
    try:
        footer = pq.read_metadata(path)
    except FileNotFoundError:  # expired meanwhile
        return None
    groups = [footer.row_group(index) for index in range(footer.num_row_groups)]
    times = [group.column(_UNIX_S).statistics for group in groups if group.num_rows]
    if not times:
        return None
    first, last = min(one.min for one in times), max(one.max for one in times)
    audited = tuple(index for index, group in enumerate(groups) if group.column(_AUDIT).statistics.max)
    if since is None or first >= since:
        return _InFile(path, footer.num_rows, first, last, audited, None)
    within = _InFile(path, 0, since, last, audited, since)
    rows = within.table(("unix_s",)).num_rows
    return _InFile(path, rows, since, last, audited, since) if rows else None


_UNIX_S, _AUDIT = COLUMNS.index("unix_s"), COLUMNS.index("audit")


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


def _legible(table: pa.Table) -> pa.Table:
    """The rows whose texts were not redacted (`is_redacted`)."""
    text = table.column("text")
    return table.filter(pc.invert(pc.or_(pc.equal(text, DROPPED), pc.starts_with(text, HASHED))))


def _rank(text: str, seed: int) -> int:
    salted = hashlib.blake2b(text.encode(), digest_size=8, salt=seed.to_bytes(16, "big"))
    return int.from_bytes(salted.digest(), "big")

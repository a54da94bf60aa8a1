"""Traffic records as Arrow tables, and back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import fields

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coffey.core.records import TrafficRecord

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("unix_s", pa.float64()),
        ("model", pa.string()),
        ("text", pa.string()),
        ("label", pa.string()),
        ("confidence", pa.float64()),
        ("latency_ms", pa.float64()),
        ("audit", pa.bool_()),
        ("audit_probability", pa.float64()),
        ("audit_rate", pa.float64()),
    ]
)
COLUMNS = tuple(field.name for field in fields(TrafficRecord))


def to_table(records: Sequence[TrafficRecord]) -> pa.Table:
    """One row a record, in the same order."""
    columns = [[getattr(record, name) for record in records] for name in COLUMNS]
    return pa.table(dict(zip(COLUMNS, columns, strict=True)), schema=SCHEMA)


def to_records(table: pa.Table) -> list[TrafficRecord]:
    """The rows of a table that has all columns, in the same order."""
    columns = [table.column(name).to_pylist() for name in COLUMNS]
    return [TrafficRecord(*row) for row in zip(*columns, strict=True)]


def with_all(table: pa.Table, columns: Sequence[str] = COLUMNS) -> pa.Table:
    """These columns of a table; those that an earlier version did not write are null."""
    for name in columns:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, SCHEMA.field(name).type))
    return table.select(list(columns))


def to_parquet(table: pa.Table) -> bytes:
    """A Parquet file with the requests chosen for audit first, in a row group of their own.

    Reading those reads nothing else.
    """
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, SCHEMA, compression="zstd") as file:
        for part in (table.filter(pc.field("audit")), table.filter(~pc.field("audit"))):
            if part.num_rows:
                file.write_table(part)
    return buffer.getvalue()

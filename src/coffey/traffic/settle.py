"""Redacting requests that were chosen for audit, once nobody waits for the teacher's answer any more."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coffey.core.errors import StoreUnavailable
from coffey.core.files import write_atomic
from coffey.traffic.redaction import Redactor
from coffey.traffic.selection import parquet_files
from coffey.traffic.table import SCHEMA, to_parquet, with_all


def redact_settled(root: Path, redactor: Redactor, *, waiting: Set[str]) -> int:
    """Redact audited requests of the compacted log, but those with ids in `waiting`; how many texts changed.

    Call it under the tick's lease. Each file is replaced as a whole, so that a kill leaves it as it was;
    what is redacted already stays, so that a second run changes nothing.

    Raises:
        StoreUnavailable: a file cannot be read or written.
    """
    return 0 if redactor.keeps else sum(_settle(path, redactor, waiting) for path in parquet_files(root))


def _settle(path: Path, redactor: Redactor, waiting: Set[str]) -> int:
    try:
        audited = pq.read_table(path, columns=["id", "text"], filters=pc.field("audit"), partitioning=None)
        before = dict(zip(audited.column("id").to_pylist(), audited.column("text").to_pylist(), strict=True))
        after = {name: redactor.text(text) for name, text in before.items() if name not in waiting}
        changed = {name: text for name, text in after.items() if text != before[name]}
        if changed:
            with pq.ParquetFile(path) as file:
                table = with_all(file.read())
            write_atomic(path, to_parquet(_with_texts(table, changed)))
    except FileNotFoundError:  # expired meanwhile
        return 0
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    return len(changed)


def _with_texts(table: pa.Table, changed: dict[str, str]) -> pa.Table:
    ids, texts = table.column("id").to_pylist(), table.column("text").to_pylist()
    column = [changed.get(name, text) for name, text in zip(ids, texts, strict=True)]
    place = SCHEMA.get_field_index("text")
    return table.set_column(place, SCHEMA.field(place), pa.array(column, SCHEMA.field(place).type))

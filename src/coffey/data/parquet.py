"""Parquet files, read a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from coffey.core.errors import UnreadableData
from coffey.data.arrow import ArrowException, arrow_table
from coffey.data.table import Table

BATCH_ROWS = 4096


def read_parquet(stream: BinaryIO, source: str, *, wanted: Sequence[str] | None) -> Table:
    """The rows of a Parquet file, with the columns in `wanted` (absent ones are left out), or all of them.

    Raises:
        UnreadableData: the file is no Parquet file, or is damaged (then while the rows are walked).
    """
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
    except (ArrowException, OSError) as exc:
        raise UnreadableData(source, f"not a Parquet file: {exc}") from exc
    names = [name for name in file.schema_arrow.names if wanted is None or name in wanted]
    return arrow_table(file.schema_arrow, _batches(file, names, source), wanted=wanted)


def _batches(file: Any, names: Sequence[str], source: str) -> Iterator[Any]:
    try:
        yield from file.iter_batches(batch_size=BATCH_ROWS, columns=list(names))
    except (ArrowException, OSError) as exc:
        raise UnreadableData(source, f"damaged Parquet file: {exc}") from exc

"""One data file as a table, whatever its format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from coffey.data.delimited import read_delimited
from coffey.data.jsonl import read_jsonl
from coffey.data.locate import DataFile
from coffey.data.table import Table


def read_table(file: DataFile, stream: BinaryIO, *, wanted: Sequence[str] | None = None) -> Table:
    """The table in `stream`, which `file` opened; `wanted` are the columns to read where a format can choose.

    Raises:
        UnreadableData: the file is damaged or not what its name says.
        MissingExtra: the format needs pyarrow, which is not installed.
    """
    if file.format == "jsonl":
        return read_jsonl(stream, file.name)
    if file.format in ("csv", "tsv"):
        delimiter = "\t" if file.format == "tsv" else None
        return read_delimited(stream, file.name, delimiter=delimiter, wanted=wanted or ())
    if file.format == "parquet":
        from coffey.data.parquet import read_parquet

        return read_parquet(stream, file.name, wanted=wanted)
    from coffey.data.saved import read_arrow_stream

    return read_arrow_stream(stream, file.name, wanted=wanted)

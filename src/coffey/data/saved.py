"""Arrow stream files of a folder that Hugging Face `datasets` saved, read without that package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from coffey.core.errors import UnreadableData
from coffey.data.arrow import ArrowException, arrow_table, open_stream
from coffey.data.table import Table


def read_arrow_stream(stream: BinaryIO, source: str, *, wanted: Sequence[str] | None) -> Table:
    """The rows of one `data-*.arrow` file.

    Raises:
        UnreadableData: the file is not an Arrow stream, or is damaged (then while the rows are walked).
    """
    try:
        reader = open_stream(stream)
    except (ArrowException, OSError) as exc:
        raise UnreadableData(source, f"not an Arrow stream file: {exc}") from exc
    return arrow_table(reader.schema, _batches(reader, source), wanted=wanted)


def _batches(reader: Any, source: str) -> Iterator[Any]:
    try:
        yield from reader
    except (ArrowException, OSError) as exc:
        raise UnreadableData(source, f"damaged Arrow file: {exc}") from exc
